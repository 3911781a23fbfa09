#pragma once

#include <isofield/array.hpp>
#include <isofield/fft.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/node.hpp"

namespace isofield::detail {

using Arrays = std::vector<UnifiedArray>;
using Maybe = std::optional<UnifiedArray>;

/// What rules look at: operands and results of an operation that was applied, as the transforms
/// around see them. Those that a rule says it does not read are 0, and there are no results then.
struct Application {
  std::span<const Operand> in;
  std::span<const UnifiedArray> out;
};

/// Where a rule puts the cotangents of an operation's operands.
class Pull {
 public:
  virtual ~Pull() = default;
  /// Add to the cotangent of operand k. What has been broadcast is summed, and cast back.
  virtual void add(std::size_t k, UnifiedArray cotangent) = 0;
  /// The same for a part of operand k, with zeros elsewhere.
  virtual void add_at(std::size_t k, std::span<const Index> part, UnifiedArray cotangent) = 0;
  virtual bool wants(std::size_t k) const = 0;
  Application call;
  Arrays cotangents;        ///< of the results; a rule may take them
  std::vector<bool> given;  ///< where nothing depends on a result, its cotangent is made of zeros
};

/// An operation with its parameters, as transforms see it: how it is applied, its derivatives both
/// ways, and how it acts on a batch. Rules are written in arrays, so that what they give fuses, can
/// be recorded, and is differentiated again.
class Primitive {
 public:
  virtual ~Primitive() = default;
  virtual std::string_view name() const noexcept = 0;
  /// Apply it to operands of the transforms around; may take them.
  virtual Arrays apply(std::span<Operand> in) const = 0;
  /// Whether results vary smoothly with operand k.
  virtual bool depends_on(std::size_t) const noexcept { return true; }
  /// Whether `pull` reads operand k, and the results: what it does not read need not be kept.
  virtual bool reads(std::size_t) const noexcept { return true; }
  virtual bool reads_results() const noexcept { return true; }
  /// From cotangents of results to cotangents of operands.
  virtual void pull(Pull& pull) const = 0;
  /// From tangents of operands to tangents of results.
  virtual std::vector<Maybe> push(const Application& call, std::span<const Maybe> in) const = 0;
  /// Apply it to `n` sets of operands at once: operand k has them along a first axis of its own
  /// where `batched[k]`, and all results have.
  virtual Arrays batch(std::span<Operand> in, const std::vector<bool>& batched,
                       std::int64_t n) const = 0;
};
using Rule = std::shared_ptr<const Primitive>;

/// A linear operation on one array.
class LinearPrimitive : public Primitive {
 public:
  bool reads(std::size_t) const noexcept final { return false; }
  bool reads_results() const noexcept final { return false; }
  void pull(Pull& pull) const override { pull.add(0, transpose(std::move(pull.cotangents[0]))); }
  std::vector<Maybe> push(const Application&, std::span<const Maybe> in) const override {
    Operand operand(*in[0]);
    return {std::move(apply({&operand, 1})[0])};
  }

 protected:
  virtual UnifiedArray transpose(UnifiedArray cotangent) const = 0;
};

/// A transform while it runs a function. Those of a thread are nested; an operation is handed to
/// the innermost one that looks into an operand, and that applies it to what stands behind.
class Transform : public std::enable_shared_from_this<Transform> {
 public:
  Transform() noexcept;
  virtual ~Transform() = default;
  Transform(const Transform&) = delete;
  Transform& operator=(const Transform&) = delete;
  virtual std::string_view name() const noexcept = 0;
  virtual Arrays apply(const Rule& rule, std::span<Operand> in) = 0;
  /// Whether elements of wrapped arrays are those of their values.
  virtual bool has_elements() const noexcept { return true; }

  int depth() const noexcept { return depth_; }
  bool open() const noexcept { return open_; }
  /// Whether an operand is wrapped by this transform.
  bool wraps(const Operand& operand) const noexcept {
    return !operand.is_scalar() && wraps(*operand.node());
  }
  bool wraps(const Node& node) const noexcept {
    return node.wrapped && node.wrapped->transform.get() == this;
  }

 protected:
  UnifiedArray wrap(const Shape& shape, Wrapped wrapped);
  /// The operand as the transforms around see it; what nobody else holds is taken out.
  Operand unwrapped(Operand&& operand) const;

 private:
  friend class ScopedTransform;
  int depth_ = 0;
  bool open_ = false;
  const void* thread_ = nullptr;
  friend Transform* transform_of(std::span<const Operand> operands);
};

/// Makes a transform this thread's innermost.
class ScopedTransform {
 public:
  explicit ScopedTransform(Transform& transform) noexcept;
  ~ScopedTransform();
  ScopedTransform(const ScopedTransform&) = delete;
  ScopedTransform& operator=(const ScopedTransform&) = delete;

 private:
  Transform& transform_;
};

/// How many transforms this thread is in.
extern constinit thread_local int transform_depth;

/// How many functions of batches, as `vmap` makes them, this thread is in.
extern constinit thread_local int batch_depth;

/// Whether an operation on these operands belongs to a transform: the test that every operation
/// makes first.
inline bool wrapped(std::span<const Operand> operands) noexcept {
  if (transform_depth == 0) [[likely]]
    return false;
  for (const auto& o : operands)
    if (!o.is_scalar() && o.node()->wrapped) return true;
  return false;
}
inline bool wrapped(const NodePtr& node) noexcept { return transform_depth > 0 && node->wrapped; }
inline bool wrapped(const Operand& operand) noexcept {
  return !operand.is_scalar() && wrapped(operand.node());
}

/// The innermost open transform that looks into an operand, or null. Throws Error for what has
/// outlived its transform.
Transform* transform_of(std::span<const Operand> operands);
/// Hand an operation to its transform.
Arrays transformed(const Rule& rule, std::span<Operand> in);
template <class P>
UnifiedArray transformed(std::shared_ptr<P> rule, Operand&& in) {
  return std::move(transformed(Rule(std::move(rule)), {&in, 1})[0]);
}
/// What stands behind all wrappings.
NodePtr innermost(const NodePtr& node);
/// The array with the elements that a wrapped one has; throws Error where it has none.
NodePtr elements_of(const NodePtr& node, const std::source_location& where);

// The operations that transforms know: each hands itself over after it has checked its arguments.
UnifiedArray transformed_pointwise(Op op, std::span<Operand> operands);
UnifiedArray transformed_reshape(Operand x, const Shape& to);
UnifiedArray transformed_permute(Operand x, const std::vector<int>& axes);
UnifiedArray transformed_flip(Operand x, int axis);
UnifiedArray transformed_broadcast(Operand x, const Shape& to);
UnifiedArray transformed_cast(Operand x, DType to);
UnifiedArray transformed_copy(Operand x);
UnifiedArray transformed_to_backend(Operand x, BaseBackend& to);
UnifiedArray transformed_index(Operand x, std::span<const Index> indices);
UnifiedArray transformed_assign(Operand x, std::span<const Index> indices, const Operand& value);
UnifiedArray transformed_concat(std::span<Operand> in, int axis);
UnifiedArray transformed_shift(Operand x, int axis, std::int64_t offset, Boundary boundary,
                               Scalar fill);
UnifiedArray transformed_reduction(Reduce op, Operand x, std::uint32_t axes, bool keepdims);
UnifiedArray transformed_fourier(Operand x, FourierTransform::Kind kind,
                                 const std::vector<int>& axes, fft::Norm norm);
UnifiedArray transformed_lines(Operand x, const FourierTransform& transform);
/// A transform to, from or of complex numbers, whose lengths are those of the lines in full.
UnifiedArray transform_lines(Operand x, const FourierTransform& transform);
UnifiedArray transformed_matmul(Operand a, Operand b);
UnifiedArray transformed_tridiagonal_solve(std::span<Operand> in, int axis, bool periodic);

}  // namespace isofield::detail
