#pragma once

#include <atomic>
#include <isofield/array.hpp>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace isofield::detail {

/// One axis of a shifted read, with its fill as a number.
struct NodeShift {
  AxisShift axis;
  Scalar fill;
};

class Transform;

/// What an array stands for while a transform such as `grad` runs a function: a value that the
/// transforms around it see, and what this one knows of it.
struct Wrapped {
  std::shared_ptr<Transform> transform;
  NodePtr value;      ///< vmap's has one axis more, the first
  NodePtr tangent;    ///< jvp's: the derivative along the direction asked for, or null
  int variable = -1;  ///< the tape's: whose cotangents add up
};
struct PendingChoice;

/// What an array holds: elements in storage, or a pointwise expression that is not computed yet.
struct Node {
  enum class Kind : std::uint8_t {
    leaf,       ///< elements in storage
    shifted,    ///< in[0], a leaf, read with shifts
    pointwise,  ///< op applied to in[] and scalar[]
    chosen,     ///< what arrays of indices choose, not gathered yet
  };
  /// Operands and operations that one program may have, shared ones counted again. A shifted leaf
  /// has one fill at most, so that scalars and fills together are no more.
  static constexpr int weight_limit = 200;

  Node() = default;
  /// A leaf.
  Node(StoragePtr memory, DType type, const Layout& layout)
      : dtype(type),
        symbolic(memory->symbolic),
        backend(memory->backend),
        shape(layout.shape),
        storage(std::move(memory)),
        strides(layout.strides),
        offset(layout.offset) {}
  // Memory of nodes that this thread freed serves its next ones.
  static void* operator new(std::size_t size);
  static void operator delete(void* memory) noexcept;

  std::atomic<std::uint32_t> refs{1};
  std::atomic<Kind> kind{Kind::leaf};
  DType dtype = DType::float64;
  Op op = Op::add;
  std::atomic<std::uint16_t> weight{1};
  bool symbolic = false;  ///< its elements come from memory that a trace stands for
  BaseBackend* backend = nullptr;
  Shape shape;

  // A leaf.
  StoragePtr storage;
  Strides strides;
  std::int64_t offset = 0;

  // A pending expression. A null input is a scalar.
  NodePtr in[3];
  Scalar scalar[3];
  std::vector<NodeShift> shifts;
  std::shared_ptr<const PendingChoice> choice;

  /// Not null for an array that a transform looks into: a leaf without elements of its own.
  std::unique_ptr<Wrapped> wrapped;
  /// References by tapes, which rather compute a pending value again than have it stored.
  std::atomic<std::uint32_t> kept{0};

  // Used by one evaluation at a time, under its lock.
  std::uint64_t mark = 0;
  std::uint32_t id = 0;
  std::uint32_t inner_refs = 0;

  bool is_leaf() const noexcept { return kind.load(std::memory_order_acquire) == Kind::leaf; }
  Layout layout() const { return {shape, strides, offset}; }
  View view() const { return {storage.get(), dtype, layout()}; }
  int arity() const noexcept { return info(op).arity; }
};

/// A leaf over a storage.
NodePtr make_leaf(StoragePtr storage, DType dtype, const Layout& layout);
/// Bytes that the elements take; throws ShapeError where 64 bits cannot say.
std::size_t byte_count(const Shape& shape, DType dtype);
/// Throw OutOfMemory for elements that found no room.
[[noreturn]] void throw_no_memory(const Shape& shape, DType dtype, const std::string& context = "");
/// That many elements on the host, on their way to be an array of that shape; throws OutOfMemory.
template <class T>
std::vector<T> host_elements(std::int64_t count, DType dtype, const Shape& shape) {
  try {
    return std::vector<T>(static_cast<std::size_t>(count));
  } catch (const std::exception&) {  // std::bad_alloc, or std::length_error
    throw_no_memory(shape, dtype);
  }
}
/// New memory for that many elements; `symbolic`: that the replay of a trace will provide.
StoragePtr make_storage(BaseBackend& backend, const Shape& shape, DType dtype, bool symbolic);
/// A leaf over new memory in C order; its elements are not defined yet.
NodePtr make_empty(BaseBackend& backend, const Shape& shape, DType dtype);
/// A leaf over new memory for a result of `in`: to be provided by the replay, if a trace records
/// them.
NodePtr make_result(BaseBackend& backend, const Shape& shape, DType dtype,
                    std::span<const View> in);
/// A pending expression; the inputs fit together.
NodePtr make_pointwise(Op op, DType dtype, const Shape& shape, BaseBackend& backend,
                       std::span<const NodePtr> inputs, std::span<const Scalar> scalars);

/// A leaf read with shifts.
NodePtr make_shifted(const NodePtr& leaf, std::vector<NodeShift> shifts);

/// Gather what a `chosen` node stands for.
void gather(const NodePtr& node);
/// Gather a node if it is a `chosen` one: expressions are made of the other kinds.
inline void gather_chosen(const NodePtr& node) {
  if (node->kind.load(std::memory_order_acquire) == Node::Kind::chosen) gather(node);
}

struct Step;
/// Held while pending nodes are computed, and by those who look at a pending node's inside.
std::mutex& evaluation_mutex() noexcept;
/// Compute pending nodes, those of one shape in one program. On return all are leaves.
void evaluate(std::span<const NodePtr> nodes);
inline void evaluate(const NodePtr& node) {
  if (!node->is_leaf()) evaluate(std::span<const NodePtr>(&node, 1));
}
/// How many operations and operands an operation on these inputs has, those that are shared once.
int count_operands(std::span<const NodePtr> inputs);
/// Make a step of a kernel that computes `nodes` where it reads them, over its own shape: those
/// pending are of that shape, leaves broadcast to it. The step's program, inputs and what is stored
/// by the way are set. `nodes` holds each node once for every time it is read.
void evaluate_inside(std::span<const NodePtr> nodes, const Shape& shape, Step kernel);
/// Compute a node and reduce it in the same pass. The result keeps reduced axes with length 1.
NodePtr evaluate_reduction(const NodePtr& node, Reduction reduction);
/// Copy or cast the elements of `from` into `to`, both leaves' views of one shape.
void copy_elements(const View& from, const View& to, BaseBackend& backend);
/// Write one number into all elements of `to`.
void fill_elements(Scalar value, const View& to, BaseBackend& backend);
/// The node as a leaf in C order without gaps, starting at its first element.
NodePtr contiguous(const NodePtr& node);

bool eager() noexcept;

}  // namespace isofield::detail
