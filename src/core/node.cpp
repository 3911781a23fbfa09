#include "core/node.hpp"

#include <isofield/ops.hpp>

#include "core/step.hpp"

namespace isofield::detail {
namespace {

/// Nodes that this thread freed, for its next ones: an expression makes and drops one an operation.
class NodeCache {
 public:
  ~NodeCache() {
    alive_ = false;
    for (int i = 0; i < count_; ++i) ::operator delete(free_[i]);
  }
  void* take() { return count_ > 0 ? free_[--count_] : ::operator new(sizeof(Node)); }
  void give(void* memory) noexcept {
    if (count_ < capacity)
      free_[count_++] = memory;
    else
      ::operator delete(memory);
  }
  static bool alive() noexcept { return alive_; }

 private:
  static constexpr int capacity = 256;
  static thread_local bool alive_;
  void* free_[capacity];
  int count_ = 0;
};
thread_local bool NodeCache::alive_ = true;
thread_local NodeCache cache;

thread_local bool is_eager = false;

}  // namespace

void retain(Node* node) noexcept { node->refs.fetch_add(1, std::memory_order_relaxed); }

void release(Node* node) noexcept {
  if (node->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  node->~Node();
  if (NodeCache::alive())
    cache.give(node);
  else
    ::operator delete(node);
}

static NodePtr new_node() { return NodePtr(new (cache.take()) Node); }

NodePtr make_leaf(StoragePtr storage, DType dtype, Layout layout) {
  NodePtr node = new_node();
  node->backend = storage->backend;
  node->symbolic = storage->symbolic;
  node->dtype = dtype;
  node->storage = std::move(storage);
  node->shape = std::move(layout.shape);
  node->strides = std::move(layout.strides);
  node->offset = layout.offset;
  return node;
}

NodePtr make_empty(BaseBackend& backend, const Shape& shape, DType dtype) {
  const auto bytes = static_cast<std::size_t>(element_count(shape)) * itemsize(dtype);
  return make_leaf(backend.allocate(bytes), dtype, Layout(shape));
}

NodePtr make_pointwise(Op op, DType dtype, const Shape& shape, BaseBackend& backend,
                       std::span<const NodePtr> inputs, std::span<const Scalar> scalars) {
  NodePtr node = new_node();
  node->kind.store(Node::Kind::pointwise, std::memory_order_relaxed);
  node->op = op;
  node->dtype = dtype;
  node->backend = &backend;
  node->shape = shape;
  int weight = 1;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    node->in[k] = inputs[k];
    node->scalar[k] = scalars[k];
    weight += inputs[k] ? inputs[k]->weight.load(std::memory_order_relaxed) : 1;
    node->symbolic = node->symbolic || (inputs[k] && inputs[k]->symbolic);
  }
  // What a trace captures is not part of it: computed now, it can be used outside as well.
  for (std::size_t k = 0; node->symbolic && k < inputs.size(); ++k)
    if (inputs[k] && !inputs[k]->symbolic) evaluate(inputs[k]);
  if (weight > Node::weight_limit) {  // one program must not grow without bound
    for (const auto& in : inputs)
      if (in) evaluate(in);
    weight = 1 + static_cast<int>(inputs.size());
  }
  node->weight.store(static_cast<std::uint16_t>(weight), std::memory_order_relaxed);
  return node;
}

NodePtr make_shifted(const NodePtr& leaf, std::vector<NodeShift> shifts) {
  NodePtr node = new_node();
  node->kind.store(Node::Kind::shifted, std::memory_order_relaxed);
  node->dtype = leaf->dtype;
  node->backend = leaf->backend;
  node->shape = leaf->shape;
  node->symbolic = leaf->symbolic;
  node->in[0] = leaf;
  node->shifts = std::move(shifts);
  return node;
}

NodePtr make_result(BaseBackend& backend, const Shape& shape, DType dtype,
                    std::span<const View> in) {
  const auto bytes = static_cast<std::size_t>(element_count(shape)) * itemsize(dtype);
  return make_leaf(recorded(in) ? tracer()->allocate(backend, bytes) : backend.allocate(bytes),
                   dtype, Layout(shape));
}

NodePtr contiguous(const NodePtr& node) {
  evaluate(node);
  if (is_contiguous(node->shape, node->strides)) return node;
  const View from = node->view();
  NodePtr copy = make_result(*node->backend, node->shape, node->dtype, {&from, 1});
  copy_elements(from, copy->view(), *node->backend);
  return copy;
}

bool eager() noexcept { return is_eager; }

}  // namespace isofield::detail

namespace isofield {

ScopedEager::ScopedEager(bool eager) noexcept : previous_(detail::is_eager) {
  detail::is_eager = eager;
}
ScopedEager::~ScopedEager() { detail::is_eager = previous_; }

}  // namespace isofield
