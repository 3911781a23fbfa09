#pragma once

#include <array>
#include <cstdint>
#include <isofield/dtype.hpp>
#include <isofield/scalar.hpp>
#include <isofield/storage.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace isofield {

/// A pointwise operation: the rows of ops.def, and `where` and `cast`, whose operands differ in
/// dtype.
enum class Op : std::uint8_t {
#define UNARY(name, domain, result, value, ...) name,
#define BINARY(name, domain, result, value, ...) name,
#include <isofield/ops.def>
#undef UNARY
#undef BINARY
  where,  ///< operands: condition (bool), value if true, value if false
  cast,   ///< operand of any dtype to the instruction's result dtype
};
inline constexpr int op_count = static_cast<int>(Op::cast) + 1;

/// Which dtypes an operation takes.
enum class Domain : std::uint8_t {
  any,
  boolean,
  bits,  ///< bool and integers
  integer,
  numeric,   ///< all but bool
  real,      ///< integers and real floats
  inexact,   ///< real and complex floats
  floating,  ///< real floats
};
constexpr bool in_domain(Domain domain, DType dtype) noexcept {
  switch (domain) {
    case Domain::any: return true;
    case Domain::boolean: return dtype == DType::bool_;
    case Domain::bits: return dtype == DType::bool_ || is_integer(dtype);
    case Domain::integer: return is_integer(dtype);
    case Domain::numeric: return dtype != DType::bool_;
    case Domain::real: return is_integer(dtype) || is_floating(dtype);
    case Domain::inexact: return is_floating(dtype) || is_complex(dtype);
    case Domain::floating: break;
  }
  return is_floating(dtype);
}

/// What dtype an operation's result has.
enum class OpResult : std::uint8_t {
  same,  ///< the operands'
  boolean,
  real,  ///< a complex dtype's parts', else the operands'
};
constexpr DType result_dtype(OpResult result, DType operands) noexcept {
  if (result == OpResult::same) return operands;
  return result == OpResult::boolean ? DType::bool_ : real_dtype(operands);
}

/// One row of the table of operations.
struct OpInfo {
  std::string_view name;
  int arity;
  Domain domain;
  OpResult result;
};
const OpInfo& info(Op op) noexcept;

/// What lies beyond the edge of an array that is read shifted.
enum class Boundary : std::uint8_t {
  periodic,  ///< the opposite end: ... b c | a b c | a b ...
  clamp,     ///< the edge repeated: ... a a | a b c | c c ...
  reflect,   ///< mirrored at the cell face: ... b a | a b c | c b ...
  constant,  ///< a given value
};

/// How one axis of a leaf is addressed: element i reads i + offset, with a rule outside.
struct AxisShift {
  int axis = 0;
  std::int64_t offset = 0;
  Boundary boundary = Boundary::periodic;
  int fill = -1;  ///< for `constant`: which of the program's immediates lies outside

  friend bool operator==(const AxisShift&, const AxisShift&) = default;
};

/// A reduction of a program's first output over axes.
enum class Reduce : std::uint8_t { sum, prod, min, max, any, all };
std::string_view name(Reduce op) noexcept;
struct Reduction {
  Reduce op = Reduce::sum;
  std::uint32_t axes = 0;  ///< bit k: axis k is reduced
};

/// A straight-line program over the elements of arrays of one shape: single assignment, no control
/// flow. Scalars are immediates, given at each launch, so that one program serves all their values.
class Program {
 public:
  enum class Source : std::uint8_t { leaf, immediate, result };
  struct Value {
    Source source = Source::leaf;
    std::uint16_t index = 0;
    friend bool operator==(const Value&, const Value&) = default;
  };
  /// An input read in place, or shifted along some axes.
  struct Leaf {
    int input = 0;
    std::vector<AxisShift> shifts;
    friend bool operator==(const Leaf&, const Leaf&) = default;
  };
  struct Instruction {
    Op op = Op::add;
    DType compute = DType::float64;  ///< dtype of the operands (of the values, for `where`)
    DType result = DType::float64;
    std::array<Value, 3> operands = {};
    friend bool operator==(const Instruction&, const Instruction&) = default;
  };

  int rank = 0;
  std::vector<DType> inputs;
  std::vector<Leaf> leaves;
  std::vector<DType> immediates;
  std::vector<Instruction> code;
  std::vector<Value> outputs;  ///< with a reduction, outputs[0] is what is reduced
  std::optional<Reduction> reduction;

  Program() = default;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  DType dtype(Value v) const noexcept;
  /// The program as text, one instruction a line.
  std::string to_string() const;
  /// What it computes as one expression, inputs as a, b, ..., shifted ones as a[i+1,j], immediates
  /// as #0, #1, ...; cut after `room` characters.
  std::string expression(std::size_t room) const;

  /// A backend's own form of this program, made once by `make` and kept with it.
  template <class T, class Make>
  const T& lowered(int slot, Make&& make) const;
  /// Slots of `lowered`: one for host code, one for each kind of backend that keeps its own.
  static constexpr int host_slot = 0, device_slot = 1, slot_count = 2;

 private:
  struct Lowered;
  void* find_lowered(int slot) const noexcept;
  void* set_lowered(int slot, void* value, void (*destroy)(void*)) const;
  mutable std::array<std::shared_ptr<void>, slot_count> lowered_;
  mutable std::array<void*, slot_count> lowered_raw_ = {};
};

template <class T, class Make>
const T& Program::lowered(int slot, Make&& make) const {
  if (void* found = find_lowered(slot)) return *static_cast<const T*>(found);
  auto made = std::make_unique<T>(make(*this));
  return *static_cast<const T*>(
      set_lowered(slot, made.release(), [](void* p) { delete static_cast<T*>(p); }));
}

/// One run of a program. All inputs are broadcast to `shape` (stride 0 where they repeat); outputs
/// have that shape, except the reduced one, whose reduced axes have length 1.
struct Launch {
  const Program& program;
  const Shape& shape;
  std::span<const View> inputs;
  std::span<const Scalar> immediates;
  std::span<const View> outputs;
  /// Where a backend may keep what it worked out for a launch that is made again and again, with
  /// the same layouts and immediates and only other addresses; null for a launch that is made once.
  std::shared_ptr<void>* plan = nullptr;
  /// So many outputs, the first ones, are computed inside of another kernel: `outputs` are the
  /// rest.
  int inside = 0;
};

}  // namespace isofield
