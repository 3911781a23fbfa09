// Arrays as NumPy prints them: eight digits, columns below each other, long arrays by their ends.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <isofield/ops.hpp>
#include <vector>

namespace isofield {
namespace {

/// Larger arrays are shown by their first and last entries along each axis.
constexpr std::int64_t threshold = 1000, shown = 3;
/// Characters of a line, those that close brackets left out.
constexpr std::size_t line_width = 74;
constexpr int precision = 8;

using Texts = std::vector<std::string>;

Texts aligned(Texts texts) {
  std::size_t width = 0;
  for (const auto& t : texts) width = std::max(width, t.size());
  for (auto& t : texts) t.insert(0, width - t.size(), ' ');
  return texts;
}

/// The shortest text that gives the number back, of `precision` digits behind the point at most,
/// and without zeros at its end. The mantissa alone, where there is an exponent.
template <class T>
std::string digits(T value, std::chars_format format) {
  std::array<char, 64> buffer{};
  const auto written = [&](auto... digits_behind) {
    const auto end =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format, digits_behind...)
            .ptr;
    return std::string(buffer.data(), std::find(buffer.data(), end, 'e'));
  };
  std::string text = written();
  const auto point = text.find('.');
  if (point == std::string::npos) return text + ".";
  if (text.size() - point - 1 <= precision) return text;
  text = written(precision);
  return text.substr(0, text.find_last_not_of('0') + 1);
}

/// "e+10" of a finite number.
template <class T>
std::string exponent(T value) {
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::scientific, precision)
                       .ptr;
  return {std::find(buffer.data(), end, 'e'), end};
}

/// Whether numbers differ so much, or are so large or small, that they get exponents.
template <class T>
bool has_exponents(const std::vector<T>& values) {
  T least = 0, most = 0;
  for (const T value : values) {
    const T size = std::abs(value);
    if (!std::isfinite(size) || size == 0) continue;
    least = most == 0 ? size : std::min(least, size);
    most = std::max(most, size);
  }
  return most != 0 && (most >= T(1e8) || least < T(1e-4) || most / least > T(1000));
}

/// Numbers as texts of one width with their points below each other.
template <class T>
Texts columns(const std::vector<T>& values, bool always_signed) {
  const bool exponents = has_exponents(values);
  const auto format = exponents ? std::chars_format::scientific : std::chars_format::fixed;
  const auto behind = [](const std::string& text) { return text.size() - text.find('.'); };
  Texts texts;
  std::size_t longest = 0;
  for (const T value : values) {
    std::string text = std::isnan(value)   ? "nan"
                       : std::isinf(value) ? (value < 0 ? "-inf" : "inf")
                                           : digits(value, format);
    if (always_signed && text[0] != '-') text.insert(0, "+");
    if (std::isfinite(value)) longest = std::max(longest, behind(text));
    texts.push_back(std::move(text));
  }
  for (std::size_t k = 0; k < texts.size(); ++k) {
    if (!std::isfinite(values[k])) continue;
    texts[k].append(longest - behind(texts[k]), exponents ? '0' : ' ');
    if (exponents) texts[k] += exponent(values[k]);
  }
  return aligned(std::move(texts));
}

template <class T>
Texts texts_of(const std::vector<T>& values) {
  if constexpr (is_complex_type<T>) {
    std::vector<typename T::value_type> real, imag;
    for (const T& z : values) {
      real.push_back(z.real());
      imag.push_back(z.imag());
    }
    Texts texts = columns(real, false);
    const Texts parts = columns(imag, true);
    for (std::size_t k = 0; k < texts.size(); ++k) {
      const auto end = parts[k].find_last_not_of(' ') + 1;
      texts[k] += parts[k].substr(0, end) + "j" + parts[k].substr(end);
    }
    return texts;
  } else if constexpr (std::is_floating_point_v<T>) {
    return columns(values, false);
  } else {
    Texts texts;
    for (const T value : values)
      texts.push_back(std::is_same_v<T, bool> ? (value ? "True" : "False") : std::to_string(value));
    return aligned(std::move(texts));
  }
}

/// Which elements are shown, in C order, and how their texts are put together.
class Printer {
 public:
  explicit Printer(const View& view)
      : layout_(view.layout), abridged_(element_count(layout_.shape) > threshold) {
    texts_ = visit_dtype(view.dtype, [&](auto tag) {
      using T = decltype(tag);
      std::vector<T> values;
      gather(0, 0, [&](std::int64_t position) { values.push_back(view.data<T>()[position]); });
      return texts_of(values);
    });
  }

  std::string text() {
    next_ = texts_.begin();
    return element_count(layout_.shape) == 0 ? "[]" : printed(0);
  }

 private:
  bool skips(int axis) const { return abridged_ && layout_.shape[axis] > 2 * shown; }

  template <class F>
  void gather(int axis, std::int64_t position, F&& take) const {
    if (axis == layout_.rank()) return take(position);
    const std::int64_t n = layout_.shape[axis];
    for (std::int64_t i = 0; i < n; ++i) {
      if (skips(axis) && i == shown) i = n - shown;
      gather(axis + 1, position + i * layout_.strides[axis], take);
    }
  }

  /// The part below an axis; lines begin below the first one's elements.
  std::string printed(int axis) {
    if (axis == layout_.rank()) return *next_++;
    const bool last = axis + 1 == layout_.rank();
    const std::string indent(std::string_view("array(").size() + static_cast<std::size_t>(axis) + 1,
                             ' ');
    const std::string lines(static_cast<std::size_t>(layout_.rank() - axis - 1), '\n');
    const std::int64_t n = layout_.shape[axis];
    std::string text = "[";
    std::size_t column = indent.size();
    const auto add = [&](const std::string& entry, bool first) {
      const bool wraps =
          last && !first &&
          column + 2 + entry.size() + static_cast<std::size_t>(axis) + 1 > line_width;
      const std::string between = first   ? ""
                                  : !last ? "," + lines + indent
                                  : wraps ? ",\n" + indent
                                          : ", ";
      column = wraps ? indent.size() + entry.size() : column + between.size() + entry.size();
      text += between + entry;
    };
    for (std::int64_t i = 0; i < n; ++i) {
      if (skips(axis) && i == shown) {
        add("...", false);
        i = n - shown;
      }
      add(printed(axis + 1), i == 0);
    }
    return text + "]";
  }

  Layout layout_;
  bool abridged_;
  Texts texts_;
  Texts::const_iterator next_;
};

}  // namespace

std::string to_string(const UnifiedArray& x, std::source_location where) {
  const UnifiedArray host = x.device().is_host() ? x : x.to_backend("eigen");
  const View v = host.view(where);
  host.backend().synchronize();
  return "array(" + Printer(v).text() + ", shape=" + to_string(x.shape()) +
         ", dtype=" + std::string(name(x.dtype())) + ", backend=" + x.backend().spelling() + ")";
}

}  // namespace isofield
