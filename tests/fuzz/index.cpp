// Index expressions of every kind, read and written, against loops over one element at a time that
// follow NumPy's rules. Other arrays that look at the same memory must keep what they have.
#include <algorithm>
#include <optional>
#include <vector>

#include "bytes.hpp"

namespace isofield::fuzz {
namespace {

/// An array as a list of its elements in C order. Small integers, which every dtype but bool holds.
struct Plain {
  std::vector<std::int64_t> shape, data;

  std::int64_t count() const { return product(0, shape.size()); }
  std::int64_t product(std::size_t from, std::size_t to) const {
    std::int64_t n = 1;
    for (std::size_t k = from; k < to; ++k) n *= shape[k];
    return n;
  }
  friend bool operator==(const Plain&, const Plain&) = default;
};

using Places = std::vector<std::int64_t>;

std::int64_t flat(const Places& at, const std::vector<std::int64_t>& shape) {
  std::int64_t place = 0;
  for (std::size_t k = 0; k < shape.size(); ++k) place = place * shape[k] + at[k];
  return place;
}

/// Call f(index) for all indices of a shape in C order.
template <class F>
void each(const std::vector<std::int64_t>& shape, F f) {
  for (const auto n : shape)
    if (n == 0) return;
  Places at(shape.size(), 0);
  while (true) {
    f(at);
    auto k = shape.size();
    for (; k > 0; --k) {
      if (++at[k - 1] < shape[k - 1]) break;
      at[k - 1] = 0;
    }
    if (k == 0) return;
  }
}

Shape shape_of(const std::vector<std::int64_t>& shape) {
  return Shape(std::span<const std::int64_t>(shape));
}
std::vector<std::int64_t> list_of(const Shape& shape) { return {shape.begin(), shape.end()}; }

Plain plain_of(const UnifiedArray& x) {
  return {list_of(x.shape()), real(x.astype(complex128)).astype(int64).to_vector<std::int64_t>()};
}

/// One entry of an index expression, as the reference sees it.
struct Entry {
  enum Kind { integer, slice, ellipsis, newaxis, indices, mask } kind;
  std::int64_t value = 0;
  Slice range;
  Plain array;
};

struct Wrong {};  // what must be an IndexError

/// Places that a slice names on an axis of length n: Python's rules, one by one.
Places sliced(const Slice& s, std::int64_t n) {
  if (s.step == 0) throw Wrong{};
  using Wide = __int128;
  const auto end = [n](std::int64_t i, Wide low, Wide high) {
    Wide e = i;
    if (e < 0) e += n;
    return std::clamp(e, low, high);
  };
  const bool forward = s.step > 0;
  const Wide low = forward ? 0 : -1, high = forward ? n : n - 1;
  const Wide start = s.start ? end(*s.start, low, high) : (forward ? low : high);
  const Wide stop = s.stop ? end(*s.stop, low, high) : (forward ? high : low);
  Places places;
  for (Wide i = start; forward ? i < stop : i > stop; i += s.step)
    places.push_back(static_cast<std::int64_t>(i));
  return places;
}

/// What an expression selects: the shape of the result, and for each of its elements the place in C
/// order of the element that it is.
struct Selected {
  std::vector<std::int64_t> shape;
  Places places;
};

/// A stretch of the result's axes or, for what arrays of indices select together, one of its own.
struct Part {
  bool fancy = false;
  int axis = -1;  ///< of the array; -1: a new axis
  Places places;  ///< along it
};

/// Integer arrays that act together, each along one axis; axis -1 selects nothing.
struct Fancy {
  int axis;
  Plain indices;
};

std::vector<std::int64_t> broadcast(const std::vector<std::int64_t>& a,
                                    const std::vector<std::int64_t>& b) {
  std::vector<std::int64_t> result(std::max(a.size(), b.size()), 1);
  for (std::size_t k = 0; k < result.size(); ++k) {
    const std::int64_t x = k < a.size() ? a[a.size() - 1 - k] : 1;
    const std::int64_t y = k < b.size() ? b[b.size() - 1 - k] : 1;
    if (x != y && x != 1 && y != 1) throw Wrong{};
    result[result.size() - 1 - k] = x == 1 ? y : x;
  }
  return result;
}

/// The element of `x` that broadcasting puts at `at`.
std::int64_t broadcast_element(const Plain& x, const Places& at) {
  Places own;
  for (std::size_t k = 0; k < x.shape.size(); ++k)
    own.push_back(x.shape[k] == 1 ? 0 : at[at.size() - x.shape.size() + k]);
  return x.data[static_cast<std::size_t>(flat(own, x.shape))];
}

std::int64_t checked(std::int64_t i, std::int64_t n) {
  if (i < -n || i >= n) throw Wrong{};
  return i < 0 ? i + n : i;
}

int axes_taken(const Entry& e) {
  switch (e.kind) {
    case Entry::ellipsis:
    case Entry::newaxis: return 0;
    case Entry::mask: return static_cast<int>(e.array.shape.size());
    default: return 1;
  }
}

/// Indices along each axis of a mask, and one along none for a mask without axes.
std::vector<Fancy> fancy_of_mask(const Plain& mask, const std::vector<std::int64_t>& shape,
                                 int axis) {
  std::vector<Fancy> result;
  for (std::size_t k = 0; k < mask.shape.size(); ++k) {
    // An axis without elements fits any: nothing is true.
    if (mask.shape[k] != shape[static_cast<std::size_t>(axis) + k] && mask.shape[k] != 0)
      throw Wrong{};
    result.push_back({axis + static_cast<int>(k), {}});
  }
  if (mask.shape.empty()) result.push_back({-1, {}});
  std::int64_t count = 0;
  each(mask.shape, [&](const Places& at) {
    if (!mask.data[static_cast<std::size_t>(flat(at, mask.shape))]) return;
    ++count;
    for (std::size_t k = 0; k < mask.shape.size(); ++k) result[k].indices.data.push_back(at[k]);
    if (mask.shape.empty()) result[0].indices.data.push_back(0);
  });
  for (auto& f : result) f.indices.shape = {count};
  return result;
}

Selected select(const Plain& x, const std::vector<Entry>& entries) {
  int taken = 0, ellipses = 0;
  bool arrays = false;
  for (const auto& e : entries) {
    taken += axes_taken(e);
    ellipses += e.kind == Entry::ellipsis;
    arrays |= e.kind == Entry::indices || e.kind == Entry::mask;
  }
  const int rank = static_cast<int>(x.shape.size());
  if (ellipses > 1 || taken > rank) throw Wrong{};
  std::vector<Part> parts;
  std::vector<Fancy> fancy;
  int groups = 0;
  bool inside = false;
  std::size_t stand = 0;  // where the arrays' axes stand among the parts
  int axis = 0;
  const auto whole = [&](int count) {
    for (; count > 0; --count, ++axis)
      parts.push_back({false, axis, sliced({}, x.shape[static_cast<std::size_t>(axis)])});
  };
  for (const auto& e : entries) {
    const bool acts =
        arrays && (e.kind == Entry::indices || e.kind == Entry::mask || e.kind == Entry::integer);
    if (acts && !inside && groups++ == 0) stand = parts.size();
    inside = acts;
    const std::int64_t n = axis < rank ? x.shape[static_cast<std::size_t>(axis)] : 0;
    switch (e.kind) {
      case Entry::integer:
        if (arrays)
          fancy.push_back({axis, {{}, {checked(e.value, n)}}});
        else
          parts.push_back({true, axis, {checked(e.value, n)}});
        ++axis;
        break;
      case Entry::slice: parts.push_back({false, axis++, sliced(e.range, n)}); break;
      case Entry::ellipsis: whole(rank - taken); break;
      case Entry::newaxis: parts.push_back({false, -1, {0}}); break;
      case Entry::indices: fancy.push_back({axis++, e.array}); break;
      case Entry::mask:
        for (auto& f : fancy_of_mask(e.array, x.shape, axis)) fancy.push_back(std::move(f));
        axis += axes_taken(e);
        break;
    }
  }
  whole(rank - axis);
  if (groups > 1) stand = 0;
  std::vector<std::int64_t> chosen;
  for (const auto& f : fancy) chosen = broadcast(chosen, f.indices.shape);
  Selected result;
  for (std::size_t k = 0; k <= parts.size(); ++k) {
    if (arrays && k == stand) result.shape.insert(result.shape.end(), chosen.begin(), chosen.end());
    if (k < parts.size() && !parts[k].fancy)
      result.shape.push_back(static_cast<std::int64_t>(parts[k].places.size()));
  }
  bool some = true;
  for (const auto n : result.shape) some &= n > 0;
  // NumPy looks at indices even if nothing is selected, unless the arrays are empty themselves.
  for (const auto& f : fancy)
    if (f.axis >= 0)
      for (const auto i : f.indices.data)
        if (some) (void)checked(i, x.shape[static_cast<std::size_t>(f.axis)]);
  each(result.shape, [&](const Places& at) {
    Places from(x.shape.size(), 0);
    std::size_t k = 0;
    for (std::size_t p = 0; p <= parts.size(); ++p) {
      if (arrays && p == stand) {
        const Places own(at.begin() + static_cast<std::ptrdiff_t>(k),
                         at.begin() + static_cast<std::ptrdiff_t>(k + chosen.size()));
        for (const auto& f : fancy)
          if (f.axis >= 0)
            from[static_cast<std::size_t>(f.axis)] = checked(
                broadcast_element(f.indices, own), x.shape[static_cast<std::size_t>(f.axis)]);
        k += chosen.size();
      }
      if (p == parts.size()) break;
      const std::size_t i = parts[p].fancy ? 0 : static_cast<std::size_t>(at[k++]);
      if (parts[p].axis >= 0) from[static_cast<std::size_t>(parts[p].axis)] = parts[p].places[i];
    }
    result.places.push_back(flat(from, x.shape));
  });
  return result;
}

std::string text(const Plain& p) {
  std::string result = to_string(shape_of(p.shape)) + "{";
  for (const auto v : p.data) result += std::to_string(v) + " ";
  return result + "}";
}

std::string text(const std::vector<Entry>& entries) {
  const auto number = [](const std::optional<std::int64_t>& i) {
    return i ? std::to_string(*i) : std::string();
  };
  std::string result = "[";
  for (const auto& e : entries) {
    switch (e.kind) {
      case Entry::integer: result += std::to_string(e.value); break;
      case Entry::slice:
        result += number(e.range.start) + ":" + number(e.range.stop) + ":" + number(e.range.step);
        break;
      case Entry::ellipsis: result += "..."; break;
      case Entry::newaxis: result += "newaxis"; break;
      case Entry::indices: result += text(e.array); break;
      case Entry::mask: result += "mask " + text(e.array); break;
    }
    result += ", ";
  }
  return result + "]";
}

/// A case: an array, what it is to the reference, and an expression for both.
class Case {
 public:
  explicit Case(Bytes in) : in_(in) {}

  void run() {
    UnifiedArray x = base();
    Plain reference = plain_of(x);
    if (in_.flag()) x = x.copy();
    std::vector<UnifiedArray> others;  // must keep what they are
    std::vector<Plain> kept;
    for (int step = 0; step < 4 && !in_.empty(); ++step) {
      std::vector<Entry> entries;
      const std::vector<Index> indices = expression(reference, entries);
      Selected selected;
      bool right = true;
      try {
        selected = select(reference, entries);
      } catch (const Wrong&) {
        right = false;
      }
      right &= selected.shape.size() <= Dims::max_rank;
      trail_ = std::string(name(dtype_)) + " " + text(reference) + " " + text(entries);
      if (in_.flag())
        read(x, reference, indices, right, selected, others, kept);
      else
        write(x, reference, indices, right, selected);
      if (in_.pick(3) == 0) {
        others.push_back(in_.flag() ? x : flip(x));
        kept.push_back(plain_of(others.back()));
      }
      require(plain_of(x) == reference, "the array is not what it should be: ", plain_of(x));
      for (std::size_t i = 0; i < others.size(); ++i)
        require(plain_of(others[i]) == kept[i], "another array saw a write: ", plain_of(others[i]));
    }
  }

 private:
  void require(bool right, const std::string& what, const Plain& is = {}) const {
    if (!right) fail(what + text(is) + "\n" + trail_);
  }
  std::vector<std::int64_t> small_shape(int most) {
    std::vector<std::int64_t> shape;
    for (int rank = in_.pick(most + 1); rank > 0; --rank) shape.push_back(in_.pick(5));
    return shape;
  }
  Plain numbers(const std::vector<std::int64_t>& shape, bool boolean) {
    Plain result{shape, {}};
    for (std::int64_t i = 0; i < result.count(); ++i)
      result.data.push_back(boolean ? in_.flag() : in_.byte() % 100);
    return result;
  }
  UnifiedArray array_of(const Plain& p, DType dtype) {
    return asarray(p.data, shape_of(p.shape)).astype(dtype);
  }

  UnifiedArray base() {
    dtype_ = in_.dtype();
    const Plain plain = numbers(small_shape(4), dtype_ == bool_);
    UnifiedArray x = array_of(plain, dtype_);
    for (int n = in_.pick(4); n > 0; --n) {
      const int rank = x.ndim();
      switch (in_.pick(5)) {
        case 0: x = x.T(); break;
        case 1: x = flip(x); break;
        case 2:
          if (rank > 0) x = x.index({Slice{{}, {}, 2}});
          break;
        case 3:
          if (rank < 4) x = broadcast_to(expand_dims(x, 0), wider(x.shape()));
          break;
        default: x = x.astype(dtype_ == bool_ ? bool_ : complex128).astype(bool_).astype(dtype_);
      }
    }
    return x;
  }
  static Shape wider(Shape shape) {
    shape.insert(0, 3);
    return shape;
  }

  std::vector<Index> expression(const Plain& x, std::vector<Entry>& entries) {
    std::vector<Index> indices;
    std::size_t axis = 0;
    for (int n = in_.pick(static_cast<int>(x.shape.size()) + 3); n > 0; --n) {
      const std::int64_t length = axis < x.shape.size() ? x.shape[axis] : 3;
      Entry e{};
      switch (in_.pick(12)) {
        case 0:
        case 1: e.kind = Entry::integer; break;
        case 2: e.kind = Entry::ellipsis; break;
        case 3: e.kind = Entry::newaxis; break;
        case 4:
        case 5:
        case 6: e.kind = Entry::indices; break;
        case 7:
        case 8: e.kind = Entry::mask; break;
        default: e.kind = Entry::slice;
      }
      switch (e.kind) {
        case Entry::integer:
          e.value = place(length);
          indices.push_back(e.value);
          break;
        case Entry::ellipsis: indices.push_back(ellipsis); break;
        case Entry::newaxis: indices.push_back(newaxis); break;
        case Entry::slice:
          if (in_.flag()) e.range.start = in_.integer(length + 2);
          if (in_.flag()) e.range.stop = in_.integer(length + 2);
          if (in_.flag()) e.range.step = in_.integer(3);
          indices.push_back(e.range);
          break;
        case Entry::indices: {
          e.array.shape = small_shape(2);
          for (std::int64_t i = 0; i < e.array.count(); ++i) e.array.data.push_back(place(length));
          indices.push_back(index_array(e.array));
          break;
        }
        case Entry::mask: {
          const std::size_t most = axis < x.shape.size() ? x.shape.size() - axis : 0;
          const auto rank = static_cast<std::size_t>(in_.pick(static_cast<int>(most) + 1));
          std::vector<std::int64_t> shape;
          for (std::size_t k = 0; k < rank; ++k)
            shape.push_back(in_.pick(32) ? x.shape[axis + k] : 0);
          if (in_.pick(32) == 0) shape.push_back(in_.pick(4));
          e.array = numbers(shape, true);
          indices.push_back(lazily(array_of(e.array, bool_)));
          break;
        }
      }
      axis += static_cast<std::size_t>(axes_taken(e));
      entries.push_back(e);
    }
    return indices;
  }
  /// An index that mostly fits.
  std::int64_t place(std::int64_t n) {
    if (n == 0 || in_.pick(32) == 0) return in_.integer(n + 1);
    return in_.byte() % (2 * n) - n;
  }
  /// Indices in any integer dtype that holds them.
  UnifiedArray index_array(const Plain& p) {
    const auto dtype = static_cast<DType>(1 + in_.pick(8));
    for (const auto i : p.data)
      if (!Scalar(i).fits(dtype)) return lazily(array_of(p, int64));
    return lazily(array_of(p, dtype));
  }
  /// An array as it is, or as a pending expression.
  UnifiedArray lazily(const UnifiedArray& x) {
    if (in_.flag()) return x;
    return x.dtype() == bool_ ? logical_not(logical_not(x)) : x + 0;
  }

  void read(const UnifiedArray& x, const Plain& reference, const std::vector<Index>& indices,
            bool right, const Selected& selected, std::vector<UnifiedArray>& others,
            std::vector<Plain>& kept) {
    UnifiedArray part;
    const std::string error = error_of([&] {
      part = x.index(indices);
      if (!right) part.eval();
    });
    require(error.empty() == right, "read: " + (right ? error : "what is wrong was taken"));
    if (!right) return;
    require(list_of(part.shape()) == selected.shape, "read: another shape");
    Plain expected{selected.shape, {}};
    for (const auto p : selected.places)
      expected.data.push_back(reference.data[static_cast<std::size_t>(p)]);
    if (in_.flag()) require(plain_of(part) == expected, "read: ", plain_of(part));
    others.push_back(part);  // looked at, or looked at again, after the next write
    kept.push_back(expected);
  }

  void write(UnifiedArray& x, Plain& reference, const std::vector<Index>& indices, bool right,
             const Selected& selected) {
    const bool boolean = dtype_ == bool_, adds = !boolean && in_.flag();
    Plain value;  // of the shape selected, or one that broadcasts to it
    if (right && in_.flag()) {
      value.shape = selected.shape;
      for (auto& n : value.shape)
        if (in_.pick(4) == 0) n = 1;
      value.shape.erase(value.shape.begin(),
                        value.shape.begin() + in_.pick(static_cast<int>(value.shape.size()) + 1));
    }
    const bool fits = in_.pick(16) != 0;
    if (!fits) value.shape.push_back(7);
    value = numbers(value.shape, boolean);
    bool stays = right;
    if (right) {
      try {
        stays = broadcast(value.shape, selected.shape) == selected.shape;
      } catch (const Wrong&) {
        stays = false;
      }
    }
    const bool scalar = value.shape.empty() && in_.flag();
    trail_ += (adds ? " += " : " = ") + text(value);
    const std::string error = error_of([&] {
      if (scalar) {
        const Scalar s = boolean ? Scalar(value.data[0] != 0) : Scalar(value.data[0]);
        store(x, indices, s, adds);
      } else {
        store(x, indices, lazily(array_of(value, dtype_)), adds);
      }
    });
    require(error.empty() == stays, "write: " + (stays ? error : "what is wrong was taken"));
    if (!stays) return;
    const Plain before = reference;
    std::size_t i = 0;
    each(selected.shape, [&](const Places& at) {
      const auto place = static_cast<std::size_t>(selected.places[i++]);
      const std::int64_t v = broadcast_element(value, at);
      reference.data[place] = wrapped(adds ? before.data[place] + v : v);
    });
  }
  /// As the dtype holds it.
  std::int64_t wrapped(std::int64_t v) const {
    if (dtype_ == int8) return static_cast<std::int8_t>(v);
    if (dtype_ == uint8) return static_cast<std::uint8_t>(v);
    return v;
  }
  static void store(UnifiedArray& x, const std::vector<Index>& indices, const Operand& value,
                    bool adds) {
    if (!adds)
      x.assign(indices, value);
    else if (indices.size() == 1)
      x(indices[0]) += value;
    else if (indices.size() == 2)
      x(indices[0], indices[1]) += value;
    else if (indices.size() == 3)
      x(indices[0], indices[1], indices[2]) += value;
    else
      x.assign(indices, x.index(indices) + value);
  }

  Bytes in_;
  DType dtype_ = int64;
  std::string trail_;  ///< what is done, for messages
};

}  // namespace
}  // namespace isofield::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  isofield::fuzz::Case(isofield::fuzz::Bytes(data, size)).run();
  return 0;
}
