#pragma once

#include "core/transform.hpp"

namespace isofield::detail {

/// Forward mode: every array it wraps carries its derivative along one direction.
class Forward final : public Transform {
 public:
  explicit Forward(std::string_view name) : name_(name) {}
  std::string_view name() const noexcept override { return name_; }
  Arrays apply(const Rule& rule, std::span<Operand> in) override;

  UnifiedArray track(const UnifiedArray& value, const UnifiedArray& tangent);
  /// A function's result as the transforms around see it, and its derivative: zeros where it does
  /// not depend on what is tracked.
  std::pair<UnifiedArray, UnifiedArray> take(const UnifiedArray& result) const;

 private:
  std::string name_;
};

}  // namespace isofield::detail
