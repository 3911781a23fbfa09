#include <isofield/data_types.hpp>
#include <isofield/ops.hpp>
#include <limits>

#include "core/emit.hpp"

namespace isofield {

bool can_cast(DType from, DType to) noexcept {
  try {
    return result_type(from, to) == to;
  } catch (const DTypeError&) {
    return false;
  }
}

bool isdtype(DType dtype, std::string_view kind) {
  if (kind == "bool") return dtype == DType::bool_;
  if (kind == "signed integer") return isofield::kind(dtype) == Kind::signed_integer;
  if (kind == "unsigned integer") return isofield::kind(dtype) == Kind::unsigned_integer;
  if (kind == "integral") return is_integer(dtype);
  if (kind == "real floating") return is_floating(dtype);
  if (kind == "complex floating") return is_complex(dtype);
  if (kind == "numeric") return dtype != DType::bool_;
  throw DTypeError("isdtype: unknown kind '" + std::string(kind) +
                   "'; known are bool, signed integer, unsigned integer, integral, real floating, "
                   "complex floating, numeric");
}

DType result_type(std::span<const Operand> operands) {
  if (operands.empty()) throw DTypeError("result_type: of nothing there is none");
  return detail::promoted("result_type", operands);
}
DType result_type(std::initializer_list<Operand> operands) {
  return result_type(std::span<const Operand>(operands.begin(), operands.size()));
}

FloatInfo finfo(DType dtype) {
  const auto of = [](auto tag) {
    using T = decltype(tag);
    using L = std::numeric_limits<T>;
    return FloatInfo{sizeof(T) * 8, L::epsilon(), L::max(), L::lowest(), L::min(), dtype_of<T>};
  };
  switch (real_dtype(dtype)) {
    case DType::float32: return of(float{});
    case DType::float64: return of(double{});
    default:
      throw DTypeError("finfo: needs a floating-point dtype, got " + std::string(name(dtype)));
  }
}

IntegerInfo iinfo(DType dtype) {
  if (!is_integer(dtype))
    throw DTypeError("iinfo: needs an integer dtype, got " + std::string(name(dtype)));
  return visit_dtype(dtype, [&](auto tag) {
    using T = decltype(tag);
    if constexpr (std::is_integral_v<T>) {
      using L = std::numeric_limits<T>;
      return IntegerInfo{sizeof(T) * 8, static_cast<std::uint64_t>(L::max()),
                         static_cast<std::int64_t>(L::min()), dtype};
    } else {
      return IntegerInfo{};
    }
  });
}

}  // namespace isofield
