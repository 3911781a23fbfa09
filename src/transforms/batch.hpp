#pragma once

#include "core/transform.hpp"

namespace isofield::detail {

/// vmap: an array it wraps is one of `size` that lie along the first axis of what stands behind.
class Batch final : public Transform {
 public:
  explicit Batch(std::int64_t size) : size_(size) {}
  std::string_view name() const noexcept override { return "vmap"; }
  Arrays apply(const Rule& rule, std::span<Operand> in) override;
  bool has_elements() const noexcept override { return false; }

  UnifiedArray track(const UnifiedArray& all);
  /// A function's result for the whole batch, repeated where it is the same for all.
  UnifiedArray take(const UnifiedArray& result) const;

 private:
  std::int64_t size_;
};

}  // namespace isofield::detail
