#include "core/choice.hpp"

#include <algorithm>
#include <isofield/ops.hpp>

#include "core/emit.hpp"

namespace isofield::detail {
namespace {

[[noreturn]] void throw_unknown_shape(std::string_view operation, const Node& mask,
                                      const std::source_location& where) {
  throw ShapeError(std::string(operation) +
                   ": the shape of the result depends on the elements of "
                   "an array of shape " +
                   to_string(mask.shape) + ", which a function that jit traces does not have" +
                   context(*mask.backend, mask.dtype, where));
}

/// Axes that an entry of an index expression takes from the array.
int taken(const Index& index) {
  if (const NodePtr& a = index.array()) return a->dtype == DType::bool_ ? a->shape.size() : 1;
  return std::holds_alternative<std::int64_t>(index.value()) ||
         std::holds_alternative<Slice>(index.value());
}

NodePtr reshaped(const NodePtr& node, const Shape& shape) {
  return reshape(UnifiedArray(node), shape).node();
}

}  // namespace

bool has_arrays(std::span<const Index> indices) noexcept {
  for (const auto& index : indices)
    if (index.array()) return true;
  return false;
}

std::int64_t true_count(const NodePtr& mask, std::string_view operation,
                        const std::source_location& where) {
  if (element_count(mask->shape) == 0) return 0;
  if (mask->symbolic && tracer()) throw_unknown_shape(operation, *mask, where);
  evaluate(mask);
  return sum(UnifiedArray(mask).astype(int64)).item<std::int64_t>(where);
}

std::vector<NodePtr> true_places(const NodePtr& mask, std::string_view operation,
                                 const std::source_location& where) {
  const std::int64_t count = true_count(mask, operation, where);
  Step step;
  step.kind = Step::Kind::arrange;
  step.backend = mask->backend;
  step.where = where;
  step.arrangement.kind = Arrangement::Kind::nonzero;
  step.in = {mask->view()};
  std::vector<NodePtr> places;
  for (int k = 0; k < mask->shape.size(); ++k) {
    places.push_back(make_empty(*mask->backend, {count}, int64));
    step.out.push_back(places.back()->view());
  }
  if (count > 0) execute(std::move(step));
  return places;
}

std::vector<NodePtr> index_leaves(std::span<const NodePtr> indices, const Shape& before,
                                  const Shape& shape) {
  std::vector<NodePtr> leaves;
  for (const auto& index : indices) {
    const NodePtr node = cast(index, int64);
    evaluate(node);
    Layout layout = node->layout().broadcast(shape);
    for (int k = before.size() - 1; k >= 0; --k) {
      layout.shape.insert(0, before[k]);
      layout.strides.insert(0, 0);
    }
    leaves.push_back(make_leaf(node->storage, int64, layout));
  }
  return leaves;
}

Choice::Choice(const Node& base, std::span<const Index> indices, bool counted)
    : backend_(base.backend), dtype_(base.dtype), base_(base.shape), where_(indices[0].where()) {
  walk(indices, base.shape.size());
  check(base);
  order(base.layout().index(basic_).rank(), counted);
}

void Choice::walk(std::span<const Index> indices, int rank) {
  int used = 0, from = 0, to = 0;
  for (const auto& index : indices) used += taken(index);
  bool inside = false;  // of entries next to each other that are arrays or, beside arrays, integers
  for (const auto& index : indices) {
    const NodePtr& array = index.array();
    const bool integer = !array && std::holds_alternative<std::int64_t>(index.value());
    if (!(array || integer)) {
      inside = false;
    } else if (!inside) {
      inside = true;
      if (groups_++ == 0) batch_ = to;
    }
    if (array) {
      const bool lone = array->dtype == DType::bool_ && array->shape.empty();
      const int count = lone ? 1 : taken(index);
      entries_.push_back({lone ? reshaped(array, {1}) : array, to, count, lone ? -1 : from});
      for (int k = 0; k < count; ++k)
        basic_.push_back(lone ? Index(NewAxis{}, index.where()) : Index(Slice{}, index.where()));
      to += count;
      from += taken(index);
      continue;
    }
    basic_.push_back(index);
    const bool ellipsis = std::holds_alternative<Ellipsis>(index.value());
    from += ellipsis ? rank - used : taken(index);
    to += ellipsis ? rank - used : integer ? 0 : 1;
  }
}

void Choice::check(const Node& base) {
  (void)base.layout().index(basic_);  // which throws if there are too many entries
  for (const auto& e : entries_) {
    const Node& array = *e.array;
    if (array.backend != base.backend) {
      const Operand operands[] = {
          {UnifiedArray(make_leaf(base.storage, base.dtype, base.layout())), where_},
          {UnifiedArray(e.array), where_}};
      common_backend("index", operands);
    }
    if (array.dtype != DType::bool_ && !is_integer(array.dtype))
      throw IndexError("index: arrays of indices are integers or bool, not " +
                       std::string(name(array.dtype)));
    if (array.dtype != DType::bool_ || e.from < 0) continue;
    // An axis without elements fits any, as NumPy and the standard's tests have it: nothing is
    // true.
    for (int k = 0; k < e.count; ++k)
      if (array.shape[k] != base.shape[e.from + k] && array.shape[k] != 0)
        throw IndexError("index: a mask of shape " + to_string(array.shape) +
                         " does not fit axis " + std::to_string(e.from + k) + " of length " +
                         std::to_string(base.shape[e.from + k]));
  }
}

void Choice::order(int rank, bool counted) {
  const Layout basic = Layout(base_).index(basic_);
  if (groups_ > 1) {
    for (const auto& e : entries_)
      for (int k = 0; k < e.count; ++k) axes_.push_back(e.axis + k);
    for (int k = 0; k < rank; ++k)
      if (std::find(axes_.begin(), axes_.end(), k) == axes_.end()) axes_.push_back(k);
    batch_ = 0;
  }
  const Layout table = axes_.empty() ? basic : basic.permute(axes_);
  int indexed = 0;
  for (const auto& e : entries_) indexed += e.count;
  for (int k = 0; k < batch_; ++k) before_.push_back(table.shape[k]);
  if (entries_.size() == 1 && entries_[0].array->dtype == DType::bool_) {
    mask_ = entries_[0].array;
    const bool unknown =
        element_count(mask_->shape) > 0 && (!counted || (mask_->symbolic && tracer()));
    chosen_ = {unknown ? -1 : true_count(mask_, "index", where_)};
  } else {
    for (const auto& e : entries_) {
      const bool mask = e.array->dtype == DType::bool_;
      const Shape shape = mask ? Shape{true_count(e.array, "index", where_)} : e.array->shape;
      try {
        chosen_ = broadcast_shapes(chosen_, shape, "index");
      } catch (const ShapeError& error) {
        throw IndexError(error.what());
      }
    }
  }
  shape_ = before_;
  for (const auto n : chosen_) shape_.push_back(n);
  for (int k = batch_ + indexed; k < table.rank(); ++k) shape_.push_back(table.shape[k]);
  if (shape_.size() > Dims::max_rank)
    throw IndexError("index: arrays of indices make rank " + std::to_string(shape_.size()) +
                     ", above the largest, " + std::to_string(Dims::max_rank));
}

Layout Choice::table(const Layout& base) const {
  const Layout layout = base.index(basic_);
  return axes_.empty() ? layout : layout.permute(axes_);
}

bool Choice::symbolic() const noexcept {
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const Entry& e) { return e.array->symbolic; });
}

std::vector<NodePtr> Choice::indices() const {
  std::vector<NodePtr> arrays;
  for (const auto& e : entries_) {
    if (e.array->dtype != DType::bool_) {
      arrays.push_back(e.array);
      continue;
    }
    for (auto& places : true_places(e.array, "index", where_)) arrays.push_back(std::move(places));
  }
  return index_leaves(arrays, before_, chosen_);
}

Step Choice::step(const std::vector<NodePtr>& indices) const {
  Step step;
  step.kind = Step::Kind::arrange;
  step.backend = backend_;
  step.where = where_;
  step.arrangement.batch = batch_;
  step.indexed = {"index", {}, base_};
  for (const auto& e : entries_)
    for (int k = 0; k < e.count; ++k) step.indexed.axes.push_back(std::max(e.from, 0) + k);
  for (const auto& index : indices) step.in.push_back(index->view());
  return step;
}

NodePtr Choice::read(const NodePtr& base) const {
  evaluate(base);
  const View table{base->storage.get(), dtype_, this->table(base->layout())};
  std::vector<NodePtr> arrays;
  if (mask_) {
    (void)true_count(mask_, "index", where_);  // throws for one of a trace
    evaluate(mask_);
    arrays = {mask_};
  } else {
    arrays = indices();
  }
  Step step = this->step(arrays);
  step.arrangement.kind = mask_ ? Arrangement::Kind::compress : Arrangement::Kind::gather;
  step.in.insert(step.in.begin(), table);
  NodePtr result = make_result(*backend_, shape_, dtype_, step.in);
  step.out = {result->view()};
  if (element_count(shape_) > 0) execute(std::move(step));
  return result;
}

void Choice::write(const View& values, const View& table) const {
  const std::vector<NodePtr> arrays = indices();
  Step step = this->step(arrays);
  step.arrangement.kind = Arrangement::Kind::scatter;
  step.in.insert(step.in.begin(),
                 View{values.storage, values.dtype, values.layout.broadcast(shape_)});
  step.out = {table};
  if (element_count(shape_) > 0) execute(std::move(step));
}

NodePtr choose(const NodePtr& base, std::span<const Index> indices) {
  evaluate(base);
  auto choice = std::make_shared<PendingChoice>(PendingChoice{base, Choice(*base, indices)});
  NodePtr node(new Node);
  node->dtype = base->dtype;
  node->backend = base->backend;
  node->shape = choice->choice.shape();
  node->symbolic = base->symbolic || choice->choice.symbolic();
  node->choice = std::move(choice);
  node->kind.store(Node::Kind::chosen, std::memory_order_release);
  return node;
}

// Two threads may gather the same node: the second finds it done.
void gather(const NodePtr& node) {
  std::shared_ptr<const PendingChoice> choice;
  {
    const std::lock_guard lock(evaluation_mutex());
    choice = node->choice;
  }
  if (!choice) return;
  const NodePtr leaf = choice->choice.read(choice->base);
  const std::lock_guard lock(evaluation_mutex());
  if (node->is_leaf()) return;
  node->storage = leaf->storage;
  node->strides = leaf->strides;
  node->offset = leaf->offset;
  node->choice.reset();  // `choice` still holds it: nothing is freed under the lock
  node->kind.store(Node::Kind::leaf, std::memory_order_release);
}

}  // namespace isofield::detail
