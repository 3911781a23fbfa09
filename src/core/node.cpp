#include "core/node.hpp"

#include <isofield/ops.hpp>
#include <new>
#include <utility>

#include "core/emit.hpp"
#include "core/step.hpp"

namespace isofield::detail {
namespace {

/// Nodes that this thread freed, for its next ones: an expression makes and drops one an operation.
/// A list through the freed nodes themselves, so that a thread's part of it is three words.
struct NodeCache {
  struct Free {
    Free* next;
  };
  static constexpr int capacity = 256;
  Free* first = nullptr;
  int count = 0;
  enum class Life : std::uint8_t { unused, open, closed } life = Life::unused;
};
constinit thread_local NodeCache cache;

/// Gives the nodes back at the thread's end; those that are freed even later go at once.
struct NodeCacheCloser {
  NodeCacheCloser() { cache.life = NodeCache::Life::open; }
  ~NodeCacheCloser() {
    cache.life = NodeCache::Life::closed;
    for (auto* f = cache.first; f;) ::operator delete(std::exchange(f, f->next));
    cache.first = nullptr;
  }
};

thread_local bool is_eager = false;

}  // namespace

void* Node::operator new(std::size_t size) {
  NodeCache& c = cache;
  if (!c.first) return ::operator new(size);
  --c.count;
  return std::exchange(c.first, c.first->next);
}

void Node::operator delete(void* memory) noexcept {
  NodeCache& c = cache;
  if (c.life == NodeCache::Life::unused) thread_local const NodeCacheCloser closer;
  if (c.life == NodeCache::Life::closed || c.count == NodeCache::capacity)
    return ::operator delete(memory);
  ++c.count;
  c.first = new (memory) NodeCache::Free{c.first};
}

void retain(Node* node) noexcept { node->refs.fetch_add(1, std::memory_order_relaxed); }

void release(Node* node) noexcept {
  // The only holder needs no read-modify-write: nobody else is there to count.
  if (node->refs.load(std::memory_order_acquire) == 1 ||
      node->refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
    delete node;
}

NodePtr make_leaf(StoragePtr storage, DType dtype, const Layout& layout) {
  return NodePtr(new Node(std::move(storage), dtype, layout));
}

std::size_t byte_count(const Shape& shape, DType dtype) {
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(element_count(shape), static_cast<std::int64_t>(itemsize(dtype)),
                             &bytes))
    throw ShapeError("shape " + to_string(shape) + " of " + std::string(name(dtype)) +
                     " takes more bytes than fit in 64 bits");
  return static_cast<std::size_t>(bytes);
}

void throw_no_memory(const Shape& shape, DType dtype, const std::string& context) {
  throw OutOfMemory("no memory for shape " + to_string(shape) + ", " +
                    std::to_string(byte_count(shape, dtype)) + " bytes" + context);
}

StoragePtr make_storage(BaseBackend& backend, const Shape& shape, DType dtype, bool symbolic) {
  const std::size_t bytes = byte_count(shape, dtype);
  if (symbolic) return tracer()->allocate(backend, bytes);
  try {
    return backend.allocate(bytes);
  } catch (const std::bad_alloc&) {
    throw_no_memory(shape, dtype, context(backend, dtype, {}));
  }
}

NodePtr make_empty(BaseBackend& backend, const Shape& shape, DType dtype) {
  return make_leaf(make_storage(backend, shape, dtype, false), dtype, Layout(shape));
}

NodePtr make_pointwise(Op op, DType dtype, const Shape& shape, BaseBackend& backend,
                       std::span<const NodePtr> inputs, std::span<const Scalar> scalars) {
  NodePtr node(new Node);
  node->kind.store(Node::Kind::pointwise, std::memory_order_relaxed);
  node->op = op;
  node->dtype = dtype;
  node->backend = &backend;
  node->shape = shape;
  int weight = 1;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (inputs[k]) gather_chosen(inputs[k]);
    node->in[k] = inputs[k];
    node->scalar[k] = scalars[k];
    weight += inputs[k] ? inputs[k]->weight.load(std::memory_order_relaxed) : 1;
    node->symbolic = node->symbolic || (inputs[k] && inputs[k]->symbolic);
  }
  // What a trace captures is not part of it: computed now, it can be used outside as well.
  for (std::size_t k = 0; node->symbolic && k < inputs.size(); ++k)
    if (inputs[k] && !inputs[k]->symbolic) evaluate(inputs[k]);
  // What is shared has been counted for each use, which adds up in derivatives.
  if (weight > Node::weight_limit) weight = count_operands(inputs);
  if (weight > Node::weight_limit) {  // one program must not grow without bound
    for (const auto& in : inputs)
      if (in) evaluate(in);
    weight = 1 + static_cast<int>(inputs.size());
  }
  node->weight.store(static_cast<std::uint16_t>(weight), std::memory_order_relaxed);
  return node;
}

NodePtr make_shifted(const NodePtr& leaf, std::vector<NodeShift> shifts) {
  NodePtr node(new Node);
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
  return make_leaf(make_storage(backend, shape, dtype, recorded(in)), dtype, Layout(shape));
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
