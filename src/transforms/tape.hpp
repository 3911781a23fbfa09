#pragma once

#include <functional>
#include <isofield/structure.hpp>
#include <vector>

#include "core/transform.hpp"

namespace isofield::detail {

/// Reverse mode: records the operations on what it wraps, with what their rules read, and takes
/// cotangents back through them.
class Tape final : public Transform {
 public:
  explicit Tape(std::string_view name) : name_(name) {}
  std::string_view name() const noexcept override { return name_; }
  Arrays apply(const Rule& rule, std::span<Operand> in) override;

  /// Differentiate by this array.
  UnifiedArray track(UnifiedArray value);
  /// The variable of a wrapped array; -1 for any other.
  int variable(const UnifiedArray& array) const noexcept;
  /// A function's result as the transforms around see it.
  UnifiedArray value(const UnifiedArray& array) const;
  /// Cotangents of variables 0..count-1 from cotangents of others, given as (variable, cotangent).
  /// `last`: the recording is not needed again, and let go on the way.
  Arrays pull(std::vector<std::pair<int, UnifiedArray>> cotangents, std::size_t count, bool last);

 private:
  class Accumulator;
  /// A value for a rule to read. It owns its memory, but is no reason to store what is pending.
  class Kept {
   public:
    explicit Kept(const Operand& operand) : operand_(operand) { count(1); }
    Kept(Kept&& other) noexcept : operand_(std::move(other.operand_)) {}
    Kept& operator=(Kept&&) = delete;
    ~Kept() { count(-1); }
    const Operand& operand() const noexcept { return operand_; }

   private:
    void count(int by) noexcept;
    Operand operand_;
  };
  struct Variable {
    Shape shape;
    DType dtype;
    BaseBackend* backend;
  };
  struct Entry {
    Rule rule;
    std::vector<int> in, out;  ///< variables; -1: none
    std::vector<Kept> operands, results;
  };

  int new_variable(const Node& value);

  std::string name_;
  std::vector<Variable> variables_;
  std::vector<Entry> entries_;
};

/// Run a function on a tape of its own and take cotangents of its results back at once, letting go
/// of what was recorded on the way.
Arrays pulled_once(const ListFunction& f, std::span<const UnifiedArray> arguments,
                   std::span<const UnifiedArray> cotangents, const Asked& asked);

}  // namespace isofield::detail
