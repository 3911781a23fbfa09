#include <array>
#include <cstdio>
#include <isofield/ops.hpp>

namespace isofield {
namespace {

/// Axes longer than this are shown by their first and last entries.
constexpr std::int64_t longest = 8, shown = 3;

std::string number(const View& v, std::int64_t position) {
  return visit_dtype(v.dtype, [&](auto tag) -> std::string {
    using T = decltype(tag);
    const T value = v.data<T>()[position];
    if constexpr (std::is_same_v<T, bool>) return value ? "true" : "false";
    if constexpr (std::is_integral_v<T>) return std::to_string(value);
    std::array<char, 80> text{};
    if constexpr (is_complex_type<T>)
      std::snprintf(text.data(), text.size(), "%.6g%+.6gj", static_cast<double>(value.real()),
                    static_cast<double>(value.imag()));
    else
      std::snprintf(text.data(), text.size(), "%.6g", static_cast<double>(value));
    return text.data();
  });
}

std::string printed(const View& v, int axis, std::int64_t position) {
  if (axis == v.layout.rank()) return number(v, position);
  const std::int64_t n = v.layout.shape[axis];
  const bool last = axis + 1 == v.layout.rank();
  std::string text = "[";
  for (std::int64_t i = 0; i < n; ++i) {
    const std::string between =
        last ? ", " : ",\n" + std::string(static_cast<std::size_t>(axis) + 1, ' ');
    if (i) text += between;
    if (n > longest && i == shown) {
      text += "..." + between;
      i = n - shown;
    }
    text += printed(v, axis + 1, position + i * v.layout.strides[axis]);
  }
  return text + "]";
}

}  // namespace

std::string to_string(const UnifiedArray& x, std::source_location where) {
  const UnifiedArray host = x.device().is_host() ? x : x.to_backend("eigen");
  const View v = host.view(where);
  host.backend().synchronize();
  return "array(" + printed(v, 0, 0) + ", shape=" + to_string(x.shape()) +
         ", dtype=" + std::string(name(x.dtype())) + ", backend=" + x.backend().spelling() + ")";
}

}  // namespace isofield
