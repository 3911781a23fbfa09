#include "core/emit.hpp"

#include <algorithm>
#include <isofield/ops.hpp>
#include <isofield/registry.hpp>

#include "core/node.hpp"
#include "core/transform.hpp"

namespace isofield {

namespace {

/// The signed dtype that holds both, an unsigned and a signed one.
DType wider_signed(DType unsigned_one, DType signed_one) {
  static constexpr DType next[] = {DType::int16, DType::int32, DType::int64};
  if (unsigned_one == DType::uint64) return DType::bool_;
  const DType up = next[static_cast<int>(unsigned_one) - static_cast<int>(DType::uint8)];
  return itemsize(up) > itemsize(signed_one) ? up : signed_one;
}

}  // namespace

DType result_type(DType a, DType b) {
  if (a == b) return a;
  const Kind ka = kind(a), kb = kind(b);
  if (ka == kb) return itemsize(a) >= itemsize(b) ? a : b;
  if (is_integer(a) && is_integer(b)) {
    const DType both = ka == Kind::unsigned_integer ? wider_signed(a, b) : wider_signed(b, a);
    if (both != DType::bool_) return both;
  }
  if (ka == Kind::real && kb == Kind::complex) return result_type(complex_dtype(a), b);
  if (ka == Kind::complex && kb == Kind::real) return result_type(a, complex_dtype(b));
  throw DTypeError("dtypes " + std::string(name(a)) + " and " + std::string(name(b)) +
                   " do not promote; convert one with astype");
}

namespace detail {
namespace {

/// The dtype that a scalar makes of the dtype that it meets; throws DTypeError.
DType joined(std::string_view operation, const Scalar& scalar, DType dtype) {
  const Kind own = scalar.kind();
  const bool integer = own == Kind::signed_integer || own == Kind::unsigned_integer;
  const bool goes = own == Kind::boolean ? dtype == DType::bool_
                    : integer            ? dtype != DType::bool_
                                         : is_floating(dtype) || is_complex(dtype);
  if (!goes)
    throw DTypeError(std::string(operation) + ": a scalar of kind " +
                     std::string(name(scalar.default_dtype())) + " does not go with dtype " +
                     std::string(name(dtype)) + "; convert the array with astype");
  if (!scalar.fits(dtype))
    throw DTypeError(std::string(operation) + ": " + scalar.text() + " does not fit into dtype " +
                     std::string(name(dtype)));
  return own == Kind::complex ? complex_dtype(dtype) : dtype;
}

/// Scalars alone: the wider of their kinds, bool apart.
DType scalars_dtype(std::string_view operation, std::span<const Operand> operands) {
  DType dtype = operands[0].scalar().default_dtype();
  for (const auto& o : operands) {
    const DType own = o.scalar().default_dtype();
    if ((own == DType::bool_) != (dtype == DType::bool_))
      throw DTypeError(std::string(operation) + ": scalars of kinds " + std::string(name(dtype)) +
                       " and " + std::string(name(own)) + " do not go together");
    dtype = std::max(dtype, own);
  }
  return dtype;
}

std::string shapes_of(std::span<const Operand> operands) {
  std::string text;
  for (const auto& o : operands)
    text += (text.empty() ? "" : ", ") +
            (o.is_scalar() ? std::string("scalar") : to_string(o.node()->shape));
  return text;
}

}  // namespace

void check_domain(std::string_view operation, Domain domain, DType dtype) {
  if (in_domain(domain, dtype)) return;
  static constexpr const char* wanted[] = {"any dtype",
                                           "dtype bool",
                                           "dtype bool or an integer dtype",
                                           "an integer dtype",
                                           "a numeric dtype",
                                           "a real-valued dtype",
                                           "a floating-point dtype",
                                           "a real-valued floating-point dtype"};
  throw DTypeError(std::string(operation) + ": needs " + wanted[static_cast<int>(domain)] +
                   ", got " + std::string(name(dtype)) + "; convert with astype");
}

DType promoted(std::string_view operation, std::span<const Operand> operands) {
  bool found = false;
  DType dtype = DType::float64;
  for (const auto& o : operands) {
    if (o.is_scalar()) continue;
    try {
      dtype = found ? result_type(dtype, o.node()->dtype) : o.node()->dtype;
    } catch (const DTypeError& e) {
      throw DTypeError(std::string(operation) + ": " + e.what());
    }
    found = true;
  }
  if (!found) return scalars_dtype(operation, operands);
  for (const auto& o : operands)
    if (o.is_scalar()) dtype = joined(operation, o.scalar(), dtype);
  return dtype;
}

std::string renamed(std::string_view operation, const char* message) {
  const std::string_view text = message;
  const auto end = text.find(": ");
  if (end == std::string_view::npos) return std::string(message);
  return std::string(operation) + std::string(text.substr(end));
}

std::string context(const BaseBackend& backend, DType dtype, const std::source_location& where) {
  return " [" + backend.spelling() + ", " + std::string(name(dtype)) + "]" + at(where);
}

std::string context(const Operand& operand) {
  if (operand.is_scalar()) return at(operand.where());
  return context(*operand.node()->backend, operand.node()->dtype, operand.where());
}

DType dtype_of(const Operand& operand) noexcept {
  return operand.is_scalar() ? operand.scalar().default_dtype() : operand.node()->dtype;
}

bool goes_into(const Operand& value, DType to) noexcept {
  const DType from = dtype_of(value);
  if (value.is_scalar() && !value.scalar().fits(to)) return false;
  return from == to || kind(from) == kind(to) || (is_integer(from) && kind(to) != Kind::boolean) ||
         (is_floating(from) && is_complex(to));
}

BaseBackend& common_backend(std::string_view operation, std::span<const Operand> operands) {
  const Operand* first = nullptr;
  for (const auto& o : operands) {
    if (o.is_scalar()) continue;
    if (!first) {
      first = &o;
      continue;
    }
    BaseBackend &a = *first->node()->backend, &b = *o.node()->backend;
    if (&a == &b) continue;
    const std::string text = std::string(operation) + ": arrays on backends " + a.spelling() +
                             " and " + b.spelling() + ", shapes " + shapes_of(operands) +
                             "; bring one over to \"" + a.spelling() + "\"" + at(o.where());
    if (a.name() == b.name()) throw DeviceError(text);
    throw BackendError(text);
  }
  return first ? *first->node()->backend : default_backend();
}

NodePtr cast(const NodePtr& node, DType dtype) {
  if (node->dtype == dtype) return node;
  if (wrapped(node)) return transformed_cast(UnifiedArray(node), dtype).node();
  const Scalar none;
  return make_pointwise(Op::cast, dtype, node->shape, *node->backend, {&node, 1}, {&none, 1});
}

NodePtr node_of(const Operand& operand, BaseBackend& backend, DType dtype) {
  if (!operand.is_scalar()) return cast(operand.node(), dtype);
  NodePtr node = make_empty(backend, Shape{}, dtype);
  fill_elements(operand.scalar(), node->view(), backend);
  return node;
}

UnifiedArray emit(Op op, std::span<Operand> operands) {
  if (wrapped(operands)) return transformed_pointwise(op, operands);
  const OpInfo& row = info(op);
  const std::source_location& where = operands.back().where();
  BaseBackend& backend = common_backend(row.name, operands);
  // `where` takes its dtype from the two values; the condition is bool.
  const std::span<const Operand> values =
      op == Op::where ? operands.subspan(1) : std::span<const Operand>(operands);
  DType dtype = DType::float64;
  Shape shape;
  try {
    dtype = promoted(row.name, values);
    check_domain(row.name, row.domain, dtype);
    bool first = true;
    for (const auto& o : operands) {
      if (o.is_scalar()) continue;
      const Shape& s = o.node()->shape;
      if (first)
        shape = s;
      else if (shape != s)
        shape = broadcast_shapes(shape, s, row.name);
      first = false;
    }
    if (op == Op::where && dtype_of(operands[0]) != DType::bool_)
      throw DTypeError("where: the condition must have dtype bool, got " +
                       std::string(name(dtype_of(operands[0]))));
  } catch (const ShapeError& e) {
    throw ShapeError(e.what() + context(backend, dtype, where));
  } catch (const DTypeError& e) {
    throw DTypeError(std::string(e.what()) + " [" + backend.spelling() + "]" + at(where));
  }

  NodePtr inputs[3];
  Scalar scalars[3];
  bool any_array = false;
  for (std::size_t k = 0; k < operands.size(); ++k) {
    if (operands[k].is_scalar()) {
      scalars[k] = operands[k].scalar();
      continue;
    }
    any_array = true;
    NodePtr node = operands[k].take();
    if (!(op == Op::where && k == 0) && node->dtype != dtype) node = cast(node, dtype);
    // A smaller operand is computed at its own size, not once for every place it goes to.
    if (node->shape != shape) evaluate(node);
    inputs[k] = std::move(node);
  }
  if (!any_array) inputs[0] = node_of(operands[0], backend, op == Op::where ? DType::bool_ : dtype);
  const DType result = result_dtype(row.result, dtype);
  NodePtr node = make_pointwise(op, result, shape, backend, {inputs, operands.size()},
                                {scalars, operands.size()});
  if (eager()) evaluate(node);
  return UnifiedArray(std::move(node));
}

}  // namespace detail
}  // namespace isofield
