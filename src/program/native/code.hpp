#pragma once

#include <cstddef>
#include <cstdint>
#include <isofield/program.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// Programs as machine code: straight-line vector instructions in one loop, made at run time.
namespace isofield::host::native {

/// Whether machine code can be made here, and if not why: "built without it", "this processor has
/// no AVX2", "the system refuses executable memory", "ISOFIELD_INTERPRET=1".
bool available();
const std::string& why_not();

/// The elements of one loop: operations whose values all are numbers of `type`, or truth values;
/// beside float64 also int64. Operands and results outside lie in slots of a table of addresses.
struct Segment {
  enum class Source : std::uint8_t {
    array,   ///< slot: one element after the other
    scalar,  ///< slot: one element for all
    result,  ///< of an instruction before
  };
  struct Value {
    Source source = Source::array;
    std::uint16_t index = 0;  ///< a slot, or an instruction
    bool truth = false;       ///< bool instead of a number
    bool integer = false;     ///< int64 instead of a float
    bool number = false;      ///< a scalar that is not NaN
    friend bool operator==(const Value&, const Value&) = default;
  };
  struct Instruction {
    Op op = Op::add;
    bool truth = false;    ///< of the result
    bool integer = false;  ///< of the result
    Value in[3] = {};
  };
  struct Store {
    Value value;
    std::uint16_t slot;
  };
  /// Fold a value into lanes; what is left after whole rounds of lanes is stored.
  struct Fold {
    Reduce op;
    Value value;
    std::uint16_t lanes_slot, rest_slot;
  };

  DType type = DType::float64;
  std::vector<Instruction> code;
  std::vector<Store> stores;
  std::optional<Fold> fold;
};

/// Whether `assemble` knows an operation that computes in such numbers.
bool supports(Op op, DType compute) noexcept;
/// Whether the lanes of such a fold can be kept in the loop.
bool supports(Reduce op) noexcept;

/// A segment in executable memory, freed with this object.
class Code {
 public:
  /// Compute elements [0, n) of the slots.
  using Entry = void (*)(void* const* slots, std::int64_t n);
  /// Take over pages that begin with the function.
  Code(void* pages, std::size_t bytes) noexcept : pages_(pages), bytes_(bytes) {}
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  ~Code();
  Entry entry() const noexcept { return reinterpret_cast<Entry>(pages_); }

 private:
  void* pages_;
  std::size_t bytes_;
};

/// Make machine code; null where the system gives no memory for it.
std::shared_ptr<const Code> assemble(const Segment& segment);

}  // namespace isofield::host::native
