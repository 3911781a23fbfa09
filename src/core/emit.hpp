#pragma once

#include <isofield/array.hpp>
#include <span>
#include <string>

namespace isofield::detail {

/// Apply a pointwise operation: the one place where operands of such are checked, promoted and
/// broadcast, and where a node is made. Throws ShapeError, DTypeError, BackendError, DeviceError
/// with the operation, shapes, dtypes, backend and the caller's line. The operands are taken over.
UnifiedArray emit(Op op, std::span<Operand> operands);

/// Throw DTypeError, without a place, unless the operation takes the dtype.
void check_domain(std::string_view operation, Domain domain, DType dtype);

/// The operands' common dtype, before an operation's own rules; throws DTypeError.
DType promoted(std::string_view operation, std::span<const Operand> operands);

/// The backend of all array operands; throws BackendError or DeviceError.
BaseBackend& common_backend(std::string_view operation, std::span<const Operand> operands);

/// " [eigen, float64] at file.cpp:12", the end of every message about an operand.
std::string context(const Operand& operand);

/// The operand's dtype; a scalar's own.
DType dtype_of(const Operand& operand) noexcept;
/// Whether a value can be written into an array of a dtype: bool into bool, numbers into those of
/// its kind or of one that holds it, a scalar only if it fits.
bool goes_into(const Operand& value, DType dtype) noexcept;
std::string context(const BaseBackend& backend, DType dtype, const std::source_location& where);

/// The operand as a node, evaluated or not; a scalar becomes an array of rank 0 of `dtype`.
NodePtr node_of(const Operand& operand, BaseBackend& backend, DType dtype);

/// The node cast to another dtype, lazily; itself if it has that dtype.
NodePtr cast(const NodePtr& node, DType dtype);

/// What a message says of the array that a caller works on.
struct Place {
  const BaseBackend& backend;
  DType dtype;
  std::source_location where;
};
inline std::string context(const Place& p) { return context(p.backend, p.dtype, p.where); }

/// Run `body`, adding the context of `what`, an Operand or a Place, to the messages of its errors.
template <class What, class F>
auto located(const What& what, F&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const ShapeError& e) {
    throw ShapeError(e.what() + context(what));
  } catch (const IndexError& e) {
    throw IndexError(e.what() + context(what));
  } catch (const DTypeError& e) {
    throw DTypeError(e.what() + context(what));
  }
}

/// "clip: ..." of "maximum: ...": what a message says of the operation that it begins with.
std::string renamed(std::string_view operation, const char* message);

/// Run `body`, whose operations are parts of `operation`: the messages of their errors name that.
template <class F>
auto as_part_of(std::string_view operation, F&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const ShapeError& e) {
    throw ShapeError(renamed(operation, e.what()));
  } catch (const IndexError& e) {
    throw IndexError(renamed(operation, e.what()));
  } catch (const DTypeError& e) {
    throw DTypeError(renamed(operation, e.what()));
  } catch (const DeviceError& e) {
    throw DeviceError(renamed(operation, e.what()));
  } catch (const OutOfMemory&) {
    throw;
  } catch (const BackendError& e) {
    throw BackendError(renamed(operation, e.what()));
  }
}

}  // namespace isofield::detail
