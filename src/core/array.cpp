#include <isofield/array.hpp>

#include <isofield/ops.hpp>
#include <isofield/registry.hpp>

#include "core/choice.hpp"
#include "core/emit.hpp"
#include "core/node.hpp"
#include "core/step.hpp"
#include "core/transform.hpp"
#include "transforms/indexing_rules.hpp"

namespace isofield {

using detail::NodePtr;

void detail::throw_moved_from(const std::source_location& where) {
  throw Error("an array that was moved from has no elements" + at(where));
}

UnifiedArray::UnifiedArray() : UnifiedArray(asarray(Scalar(0.0))) {}

const Shape& UnifiedArray::shape() const noexcept { return node_->shape; }
std::int64_t UnifiedArray::size() const { return element_count(node_->shape); }
DType UnifiedArray::dtype() const noexcept { return node_->dtype; }
BaseBackend& UnifiedArray::backend() const noexcept { return *node_->backend; }
bool UnifiedArray::pending() const noexcept { return !node_->is_leaf(); }

const UnifiedArray& UnifiedArray::eval() const {
  detail::evaluate(detail::innermost(node_));
  return *this;
}

namespace {

/// An array of a trace has no elements until the replay.
void check_readable(const detail::Node& node, const std::source_location& where) {
  if (!node.symbolic) return;
  if (!detail::tracer()) detail::throw_escaped(&where);
  throw Error("jit: the elements of an array were asked for while tracing, shape " +
              to_string(node.shape) + detail::context(*node.backend, node.dtype, where));
}

}  // namespace

View UnifiedArray::view(std::source_location where) const {
  if (node_->wrapped) return UnifiedArray(detail::elements_of(node_, where)).view(where);
  check_readable(*node_, where);
  eval();
  return node_->view();
}

StoragePtr UnifiedArray::storage(std::source_location where) const {
  if (node_->wrapped) return UnifiedArray(detail::elements_of(node_, where)).storage(where);
  view(where);
  return node_->storage;
}

namespace {

/// Run `body`, which applies an index expression to a node; its errors then say to what.
template <class F>
auto indexing(const detail::Node& node, std::span<const Index> indices, F&& body) {
  try {
    return body();
  } catch (const IndexError& e) {
    std::string text = std::string(e.what()) + ", shape " + to_string(node.shape) + " [" +
                       node.backend->spelling() + ", " + std::string(name(node.dtype)) + "]";
    if (!indices.empty()) text += at(indices[0].where());
    throw IndexError(text);
  }
}

/// A part of an array; what arrays of indices choose is not gathered yet.
NodePtr part_of(const UnifiedArray& x, std::span<const Index> indices) {
  const NodePtr& node = x.node();
  detail::evaluate(node);
  if (detail::has_arrays(indices))
    return indexing(*node, indices, [&] {
      return detail::wrapped(node) ? detail::chosen_part(x, indices).node()
                                   : detail::choose(node, indices);
    });
  Layout layout = indexing(*node, indices, [&] { return node->layout().index(indices); });
  if (detail::wrapped(node)) return detail::transformed_index(x, indices).node();
  return detail::make_leaf(node->storage, node->dtype, std::move(layout));
}

}  // namespace

UnifiedArray UnifiedArray::index(std::span<const Index> indices) const {
  UnifiedArray part(part_of(*this, indices));
  detail::gather_chosen(part.node_);
  return part;
}

namespace {

bool apart(const Layout& a, const Layout& b) {
  if (element_count(a.shape) == 0 || element_count(b.shape) == 0) return true;
  const auto [a_first, a_last] = a.reach();
  const auto [b_first, b_last] = b.reach();
  return a_last < b_first || b_last < a_first;
}

/// Whether one place in memory is several elements, as in a broadcast view.
bool repeats(const Layout& layout) {
  for (int k = 0; k < layout.rank(); ++k)
    if (layout.strides[k] == 0 && layout.shape[k] > 1) return true;
  return false;
}

thread_local Selection* newest_selection = nullptr;

/// Throw ShapeError unless a value of shape `from` broadcasts to `to`.
void check_fits(const Shape& from, const Shape& to, const detail::Place& place) {
  if (from == to ||
      detail::located(place, [&] { return broadcast_shapes(from, to, "assign"); }) == to)
    return;
  throw ShapeError("assign: shape " + to_string(from) + " does not fit into " + to_string(to) +
                   detail::context(place));
}

/// What `target op= value` is to hold. The target keeps what it has, should this throw.
UnifiedArray combined(Op op, const UnifiedArray& target, Operand&& value) {
  Operand operands[] = {{target, value.where()}, std::move(value)};
  return detail::emit(op, operands);
}

void check_assignable(const UnifiedArray& target, const Operand& value) {
  const DType from = detail::dtype_of(value), to = target.dtype();
  if (value.is_scalar() && is_integer(to) && is_integer(from) && !value.scalar().fits(to))
    throw DTypeError("assign: " + value.scalar().text() + " does not fit into dtype " +
                     std::string(name(to)) + detail::context(value));
  if (!detail::goes_into(value, to))
    throw DTypeError("assign: a value of dtype " + std::string(name(from)) +
                     " does not go into an array of dtype " + std::string(name(to)) +
                     "; convert it with astype" + detail::context(value));
}

}  // namespace

// Nobody else may see the memory change. In `u(n) = step(u(n + 1));` the selection on the right
// lives until the end of the line and shares the memory; what it shows must stay, but may stay
// where it is if the write does not touch it, and else is copied, which costs less than copying all
// of `u`.
bool UnifiedArray::may_write_in_place(const Layout& target) {
  const Storage& storage = *node_->storage;
  if (storage.foreign || repeats(node_->layout()) ||
      node_->refs.load(std::memory_order_acquire) != 1)
    return false;
  const long owners = storage.symbolic ? 2 : 1;  // a trace holds its own storages once more
  if (node_->storage->users() == owners) return true;
  long shown = 0;
  for (Selection* s = newest_selection; s; s = s->older_)
    if (s->node_ && s->node_->storage.get() == &storage && s->node_->refs.load() == 1) ++shown;
  if (node_->storage->users() != owners + shown) return false;
  for (Selection* s = newest_selection; s; s = s->older_)
    if (s->node_ && s->node_->storage.get() == &storage && !apart(s->node_->layout(), target))
      s->node_ = s->copy().node_;
  return true;
}

void UnifiedArray::assign(std::span<const Index> indices, const Operand& value) {
  check_assignable(*this, value);
  eval();
  if (detail::has_arrays(indices)) return assign_chosen(indices, value);
  NodePtr source;
  if (!value.is_scalar()) {
    if (value.node()->backend != &backend())
      detail::common_backend("assign",
                             std::initializer_list<Operand>{{*this, value.where()}, value});
    source = value.node();
  }
  const detail::Place here{backend(), dtype(), value.where()};
  const Layout target = detail::located(here, [&] { return node_->layout().index(indices); });
  if (source) check_fits(source->shape, target.shape, here);
  if (detail::wrapped(node_) || (source && detail::wrapped(source))) {
    *this = detail::transformed_assign({std::move(*this), value.where()}, indices, value);
    return;
  }
  if (source) {
    detail::evaluate(source);
    // A value that lies in this array's own memory is read before it is overwritten.
    if (source->storage == node_->storage) source = value.array().copy().node();
  }
  const bool traced = source && source->storage->symbolic && !node_->storage->symbolic;
  const bool in_place = !traced && may_write_in_place(target);
  NodePtr written = node_;
  if (!in_place) {
    const View from = node_->view();
    const View symbol = traced ? source->view() : from;
    written = detail::make_result(backend(), shape(), dtype(), {&symbol, 1});
    if (target.shape != shape()) detail::copy_elements(from, written->view(), backend());
  }
  const Layout place = in_place ? target : written->layout().index(indices);
  const View to{written->storage.get(), dtype(), place};
  if (source)
    detail::copy_elements(
        {source->storage.get(), source->dtype, source->layout().broadcast(place.shape)}, to,
        backend());
  else
    detail::fill_elements(value.scalar(), to, backend());
  node_ = std::move(written);  // not before: should a step fail, the array is what it was
}

namespace {

/// Whether an expression is a mask that `where` can read. One without elements fits any axis.
bool is_plain_mask(const detail::Choice& choice) {
  return choice.mask() && choice.in_order() && element_count(choice.mask()->shape) > 0;
}

/// Whether a value for the elements that a mask selects is the same for all of them; it is then
/// given the axes of the mask.
std::optional<Operand> same_for_all(const detail::Choice& choice, const Operand& value) {
  if (value.is_scalar()) return value;
  const Shape& shape = value.node()->shape;
  const int extra = shape.size() - choice.inner_rank();
  if (extra <= 0) return value;
  if (shape[extra - 1] != 1) return std::nullopt;
  Shape wide;
  for (int k = 0; k < extra - 1; ++k) wide.push_back(shape[k]);
  for (int k = 0; k < choice.mask()->shape.size(); ++k) wide.push_back(1);
  for (int k = extra; k < shape.size(); ++k) wide.push_back(shape[k]);
  return Operand(reshape(value, wide), value.where());
}

/// A mask as an array that broadcasts to what it is applied to.
UnifiedArray spread(const detail::Choice& choice) {
  Shape shape = choice.mask()->shape;
  for (int k = 0; k < choice.inner_rank(); ++k) shape.push_back(1);
  return reshape(UnifiedArray(choice.mask()), shape);
}

}  // namespace

// A value that is the same for all selected elements is written by `where`: nothing is counted, and
// the result is an expression like others. Else elements are scattered.
void UnifiedArray::assign_chosen(std::span<const Index> indices, const Operand& value) {
  const detail::Place here{backend(), dtype(), value.where()};
  const auto chosen = [&](bool counted) {
    return indexing(*node_, indices, [&] { return detail::Choice(*node_, indices, counted); });
  };
  if (!value.is_scalar())
    detail::common_backend("assign", std::initializer_list<Operand>{{*this, here.where}, value});
  const Operand typed =
      value.is_scalar() ? value : Operand(value.array().astype(dtype()), here.where);
  if (const detail::Choice choice = chosen(false); is_plain_mask(choice))
    if (const std::optional<Operand> all = same_for_all(choice, typed)) {
      const UnifiedArray part = index(choice.basic());
      if (!all->is_scalar()) check_fits(all->node()->shape, part.shape(), here);
      return assign_where(choice, *all, part);
    }
  if (detail::wrapped(node_) || detail::wrapped(typed)) {
    *this = detail::chosen_assigned(*this, indices, typed);
    return;
  }
  const detail::Choice choice = chosen(true);
  NodePtr source = detail::node_of(typed, backend(), dtype());
  detail::evaluate(source);
  check_fits(source->shape, choice.shape(), here);
  if (source->storage == node_->storage) source = UnifiedArray(source).copy().node();
  const bool traced = (source->symbolic || choice.symbolic()) && !node_->symbolic;
  const bool in_place = !traced && may_write_in_place(choice.table(node_->layout()));
  NodePtr written = node_;
  if (!in_place) {
    const View from = node_->view();
    written = detail::make_leaf(
        detail::make_storage(backend(), shape(), dtype(), traced || detail::recorded({&from, 1})),
        dtype(), Layout(shape()));
    if (size() > 0) detail::copy_elements(from, written->view(), backend());
  }
  choice.write(source->view(), {written->storage.get(), dtype(), choice.table(written->layout())});
  node_ = std::move(written);  // not before: should a step fail, the array is what it was
}

/// Write `value`, which broadcasts to `part`, where a mask over that part of this array is true.
void UnifiedArray::assign_where(const detail::Choice& choice, const Operand& value,
                                const UnifiedArray& part) {
  const auto place = value.where();
  UnifiedArray whole = where({spread(choice), place}, value, {part, place});
  const Layout own(shape()), selected = own.index(choice.basic());
  if (selected.shape == own.shape && selected.strides == own.strides && selected.offset == 0)
    *this = std::move(whole);
  else
    assign(choice.basic(), {std::move(whole), place});
}

/// Combine what a mask selects with a value that is the same for all; false if it is none.
bool UnifiedArray::update_masked(Op op, std::span<const Index> indices, const Operand& value) {
  if (!detail::has_arrays(indices)) return false;
  eval();
  const detail::Choice choice(*node_, indices, false);
  if (!is_plain_mask(choice)) return false;
  std::optional<Operand> all = same_for_all(choice, value);
  if (!all) return false;
  const UnifiedArray part = index(choice.basic());
  const Operand changed(combined(op, part, std::move(*all)), value.where());
  if (changed.node()->shape != part.shape()) return false;
  check_assignable(*this, changed);
  assign_where(choice, {changed.array().astype(dtype()), value.where()}, part);
  return true;
}

Selection::Selection(UnifiedArray& base, std::vector<Index> indices)
    : UnifiedArray(part_of(base, indices)),
      base_(&base),
      indices_(std::move(indices)),
      older_(newest_selection) {
  if (older_) older_->newer_ = this;
  newest_selection = this;
}

Selection::~Selection() {
  (newer_ ? newer_->older_ : newest_selection) = older_;
  if (older_) older_->newer_ = newer_;
}

void Selection::write(const Operand& value) {
  node_ = NodePtr();  // this selection's own look at the memory must not count as a second owner
  base_->assign(indices_, value);
}
void Selection::update(Op op, Operand&& value) {
  const auto place = value.where();
  NodePtr own = std::exchange(node_, NodePtr());  // no second owner of the memory, as in `write`
  if (base_->update_masked(op, indices_, value)) return;
  node_ = std::move(own);
  write({combined(op, *this, std::move(value)).eval(), place});
}

UnifiedArray UnifiedArray::T() const {
  eval();
  std::vector<int> axes;
  for (int k = ndim() - 1; k >= 0; --k) axes.push_back(k);
  if (detail::wrapped(node_)) return detail::transformed_permute(*this, axes);
  return UnifiedArray(detail::make_leaf(node_->storage, dtype(), node_->layout().permute(axes)));
}

UnifiedArray UnifiedArray::astype(DType dtype, std::source_location where) const {
  if (is_complex(this->dtype()) && !is_complex(dtype) && dtype != DType::bool_)
    throw DTypeError("astype: complex numbers do not go into dtype " + std::string(name(dtype)) +
                     "; say which part: real, imag, abs" +
                     detail::context(backend(), this->dtype(), where));
  if (detail::wrapped(node_)) return detail::transformed_cast(*this, dtype);
  UnifiedArray result(detail::cast(node_, dtype));
  if (detail::eager()) result.eval();
  return result;
}

UnifiedArray UnifiedArray::copy() const {
  if (detail::wrapped(node_)) return detail::transformed_copy(*this);
  eval();
  const View from = node_->view();
  NodePtr own = detail::make_result(backend(), shape(), dtype(), {&from, 1});
  detail::copy_elements(from, own->view(), backend());
  return UnifiedArray(std::move(own));
}

Scalar UnifiedArray::item_scalar(std::source_location where) const {
  if (size() != 1)
    throw ShapeError("item: shape " + to_string(shape()) + " holds " + std::to_string(size()) +
                     " elements, not one" + detail::context(backend(), dtype(), where));
  return visit_dtype(dtype(), [&](auto tag) {
    decltype(tag) value{};
    if (const View v = view(where); device().is_host()) {
      backend().synchronize();
      value = *v.data<decltype(tag)>();
    } else {
      copy_to(&value, sizeof value, dtype(), where);
    }
    return Scalar(value);
  });
}

void UnifiedArray::copy_to(void* destination, std::size_t bytes, DType as,
                           std::source_location where) const {
  const std::size_t wanted = detail::byte_count(shape(), as);
  if (bytes != wanted)
    throw ShapeError("copy_to: shape " + to_string(shape()) + " of " + std::string(name(as)) +
                     " takes " + std::to_string(wanted) + " bytes, not " + std::to_string(bytes) +
                     detail::context(backend(), dtype(), where));
  if (node_->wrapped)
    return UnifiedArray(detail::elements_of(node_, where)).copy_to(destination, bytes, as, where);
  check_readable(*node_, where);
  if (wanted == 0) return;
  const NodePtr node = detail::contiguous(detail::cast(node_, as));
  backend().synchronize();
  Storage host;
  host.data = destination;
  host.bytes = bytes;
  backend().copy_bytes(host, 0, *node->storage,
                       static_cast<std::size_t>(node->offset) * itemsize(as), bytes);
  backend().synchronize();
}

UnifiedArray UnifiedArray::to_backend(BaseBackend& target, std::source_location where) const {
  if (&target == &backend()) return *this;
  if (detail::wrapped(node_)) return detail::transformed_to_backend({*this, where}, target);
  eval();
  const View from = view(where);
  if (device() == target.device()) {
    // The other backend sees the same memory; the storage stays alive as its owner.
    StoragePtr shared = target.wrap(node_->storage->data, node_->storage->bytes,
                                    std::make_shared<StoragePtr>(node_->storage));
    return UnifiedArray(detail::make_leaf(std::move(shared), dtype(), node_->layout()));
  }
  const NodePtr packed = detail::contiguous(node_);
  NodePtr result = detail::make_empty(target, shape(), dtype());
  const auto bytes = static_cast<std::size_t>(size()) * itemsize(dtype());
  const auto offset = static_cast<std::size_t>(packed->offset) * itemsize(dtype());
  backend().synchronize();
  // The side that is not the host knows how to copy.
  BaseBackend& mover = target.device().is_host() ? backend() : target;
  if (bytes > 0) mover.copy_bytes(*result->storage, 0, *packed->storage, offset, bytes);
  mover.synchronize();
  return UnifiedArray(std::move(result));
}

UnifiedArray UnifiedArray::to_backend(std::string_view spelling, std::source_location where) const {
  return to_backend(get_backend(spelling), where);
}

// A value of another kind has been refused by `combined`.
UnifiedArray& UnifiedArray::update(Op op, Operand&& other) {
  const detail::Place place{backend(), dtype(), other.where()};
  const UnifiedArray result = combined(op, *this, std::move(other));
  check_fits(result.shape(), shape(), place);
  return *this = result.astype(dtype());
}

UnifiedArray operator-(Operand x) { return negative(std::move(x)); }
UnifiedArray operator+(Operand a, Operand b) { return add(std::move(a), std::move(b)); }
UnifiedArray operator-(Operand a, Operand b) { return subtract(std::move(a), std::move(b)); }
UnifiedArray operator*(Operand a, Operand b) { return multiply(std::move(a), std::move(b)); }
UnifiedArray operator/(Operand a, Operand b) { return divide(std::move(a), std::move(b)); }
UnifiedArray operator==(Operand a, Operand b) { return equal(std::move(a), std::move(b)); }
UnifiedArray operator!=(Operand a, Operand b) { return not_equal(std::move(a), std::move(b)); }
UnifiedArray operator<(Operand a, Operand b) { return less(std::move(a), std::move(b)); }
UnifiedArray operator<=(Operand a, Operand b) { return less_equal(std::move(a), std::move(b)); }
UnifiedArray operator>(Operand a, Operand b) { return greater(std::move(a), std::move(b)); }
UnifiedArray operator>=(Operand a, Operand b) { return greater_equal(std::move(a), std::move(b)); }
UnifiedArray operator&&(Operand a, Operand b) { return logical_and(std::move(a), std::move(b)); }
UnifiedArray operator||(Operand a, Operand b) { return logical_or(std::move(a), std::move(b)); }
UnifiedArray operator!(Operand x) { return logical_not(std::move(x)); }
UnifiedArray operator%(Operand a, Operand b) { return remainder(std::move(a), std::move(b)); }
UnifiedArray operator&(Operand a, Operand b) { return bitwise_and(std::move(a), std::move(b)); }
UnifiedArray operator|(Operand a, Operand b) { return bitwise_or(std::move(a), std::move(b)); }
UnifiedArray operator^(Operand a, Operand b) { return bitwise_xor(std::move(a), std::move(b)); }
UnifiedArray operator~(Operand x) { return bitwise_invert(std::move(x)); }
UnifiedArray operator<<(Operand a, Operand b) {
  return bitwise_left_shift(std::move(a), std::move(b));
}
UnifiedArray operator>>(Operand a, Operand b) {
  return bitwise_right_shift(std::move(a), std::move(b));
}

}  // namespace isofield
