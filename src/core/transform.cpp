#include "core/transform.hpp"

#include "core/emit.hpp"
#include "core/step.hpp"

namespace isofield::detail {

constinit thread_local int transform_depth = 0;
constinit thread_local int batch_depth = 0;

namespace {

thread_local const char this_thread = 0;

[[noreturn]] void throw_outside(const Transform& transform, const std::source_location& where) {
  throw Error(std::string(transform.name()) +
              ": an array made inside the function was used outside of it" + at(where));
}

/// Memory that is not there: an operation that no transform has taken in hand fails on it.
StoragePtr no_memory(BaseBackend& backend) {
  StoragePtr storage(new Storage);
  storage->backend = &backend;
  storage->symbolic = true;
  return storage;
}

}  // namespace

Transform::Transform() noexcept : thread_(&this_thread) {}

UnifiedArray Transform::wrap(const Shape& shape, Wrapped wrapped) {
  const Node& value = *wrapped.value;
  NodePtr node = make_leaf(no_memory(*value.backend), value.dtype, Layout(shape));
  wrapped.transform = shared_from_this();
  node->wrapped = std::make_unique<Wrapped>(std::move(wrapped));
  return UnifiedArray(std::move(node));
}

Operand Transform::unwrapped(Operand&& operand) const {
  const auto where = operand.where();
  const NodePtr node = operand.take();
  if (node->refs.load(std::memory_order_acquire) == 1)
    return {UnifiedArray(std::move(node->wrapped->value)), where};
  return {UnifiedArray(node->wrapped->value), where};
}

ScopedTransform::ScopedTransform(Transform& transform) noexcept : transform_(transform) {
  transform.depth_ = ++transform_depth;
  transform.open_ = true;
}

ScopedTransform::~ScopedTransform() {
  --transform_depth;
  transform_.open_ = false;
}

Transform* transform_of(std::span<const Operand> operands) {
  Transform* innermost = nullptr;
  for (const auto& o : operands) {
    if (o.is_scalar() || !o.node()->wrapped) continue;
    Transform* const t = o.node()->wrapped->transform.get();
    if (!t->open() || t->thread_ != &this_thread) throw_outside(*t, o.where());
    if (!innermost || t->depth() > innermost->depth()) innermost = t;
  }
  return innermost;
}

Arrays transformed(const Rule& rule, std::span<Operand> in) {
  const std::shared_ptr<Transform> t = transform_of(in)->shared_from_this();
  return t->apply(rule, in);
}

NodePtr innermost(const NodePtr& node) {
  NodePtr inner = node;
  while (inner->wrapped) inner = NodePtr(inner->wrapped->value);
  return inner;
}

NodePtr elements_of(const NodePtr& node, const std::source_location& where) {
  NodePtr inner = node;
  while (inner->wrapped) {
    const Transform& t = *inner->wrapped->transform;
    if (!t.open()) throw_outside(t, where);
    if (!t.has_elements())
      throw Error(std::string(t.name()) +
                  ": the elements of one array of a batch were asked for, shape " +
                  to_string(node->shape) + context(*node->backend, node->dtype, where));
    inner = NodePtr(inner->wrapped->value);
  }
  return inner;
}

}  // namespace isofield::detail
