// Lines sorted by keys: unsigned integers that are ordered as the elements are, so that one radix
// sort serves every dtype and is stable.

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "program/host_arrange.hpp"

namespace isofield::host {
namespace {

template <std::size_t bytes>
using UnsignedOf = std::conditional_t<
    bytes == 1, std::uint8_t,
    std::conditional_t<bytes == 2, std::uint16_t,
                       std::conditional_t<bytes == 4, std::uint32_t, std::uint64_t>>>;

/// Elements as keys. Zeros of both signs are equal, and so are all NaN, which are above the rest.
template <class T>
struct Keys {
  using Key = UnsignedOf<sizeof(T)>;
  static constexpr Key sign = static_cast<Key>(Key{1} << (8 * sizeof(Key) - 1));

  static Key of(T x) {
    if constexpr (std::is_floating_point_v<T>) {
      const Key bits = std::bit_cast<Key>(x == 0 ? T(0) : x);
      const Key key = bits & sign ? static_cast<Key>(~bits) : static_cast<Key>(bits | sign);
      return x != x ? static_cast<Key>(~Key{0}) : key;
    } else {
      const Key bits = std::bit_cast<Key>(x);
      return std::is_signed_v<T> ? static_cast<Key>(bits ^ sign) : bits;
    }
  }
  static T element(Key key) {
    if constexpr (std::is_floating_point_v<T>)
      return std::bit_cast<T>(key & sign ? static_cast<Key>(key ^ sign) : static_cast<Key>(~key));
    else
      return std::bit_cast<T>(std::is_signed_v<T> ? static_cast<Key>(key ^ sign) : key);
  }
  /// Whether a key says less than the element did.
  static bool vague(T x) {
    if constexpr (std::is_floating_point_v<T>) return x == 0 || x != x;
    return false;
  }
};

template <class Key, class Place>
struct Placed {
  Key key;
  Place place;
};
template <class Key>
Key key_of(Key key) {
  return key;
}
template <class Key, class Place>
Key key_of(const Placed<Key, Place>& item) {
  return item.key;
}

/// Below this many items, comparisons are quicker than counting.
constexpr std::int64_t few = 256;

/// Sort by keys, keeping the order of equal ones; `spare` is as long. The result is where it says.
template <class Item>
Item* sorted(Item* items, Item* spare, std::int64_t n) {
  using Key = decltype(key_of(*items));
  if (n < few) {
    std::stable_sort(items, items + n,
                     [](const Item& a, const Item& b) { return key_of(a) < key_of(b); });
    return items;
  }
  constexpr int digits = sizeof(Key);
  std::array<std::array<std::int64_t, 256>, digits> counts = {};
  bool in_order = true;
  for (std::int64_t i = 0; i < n; ++i) {
    const Key key = key_of(items[i]);
    in_order = in_order && (i == 0 || !(key < key_of(items[i - 1])));
    for (std::size_t d = 0; d < digits; ++d) ++counts[d][key >> (8 * d) & 0xff];
  }
  if (in_order) return items;
  for (std::size_t d = 0; d < digits; ++d) {
    auto& count = counts[d];
    if (count[key_of(items[0]) >> (8 * d) & 0xff] == n) continue;  // one digit for all
    std::int64_t total = 0;
    for (auto& c : count) total += std::exchange(c, total);
    for (std::int64_t i = 0; i < n; ++i)
      spare[count[key_of(items[i]) >> (8 * d) & 0xff]++] = items[i];
    std::swap(items, spare);
  }
  return items;
}

/// A line to sort, and where its elements and their places in it go; null where they go nowhere.
template <class T>
struct Line {
  const T* in;
  std::int64_t n, in_step;
  T* values;
  std::int64_t values_step;
  std::int64_t* places;
  std::int64_t places_step;
  void* memory;  ///< for twice n of what is sorted
};

/// Elements that are equal but not the same, in the order in which they were.
template <class T>
void restore(const Line<T>& line, bool descending) {
  std::int64_t zeros = 0, others = 0;
  const auto value = [&](std::int64_t i) -> T& { return line.values[i * line.values_step]; };
  if (descending)
    while (others < line.n && value(others) != value(others)) ++others;
  while (zeros < line.n &&
         (value(zeros) != value(zeros) || (descending ? value(zeros) > 0 : value(zeros) < 0)))
    ++zeros;
  if (!descending) {
    others = line.n;
    while (others > 0 && value(others - 1) != value(others - 1)) --others;
  } else {
    others = 0;
  }
  for (std::int64_t i = 0; i < line.n; ++i) {
    const T x = line.in[i * line.in_step];
    if (x == 0) value(zeros++) = x;
    if (x != x) value(others++) = x;
  }
}

template <class T>
void sort_values(const Line<T>& line, bool descending) {
  using Key = typename Keys<T>::Key;
  auto* keys = static_cast<Key*>(line.memory);
  const Key flip = descending ? static_cast<Key>(~Key{0}) : Key{0};
  bool vague = false;
  for (std::int64_t i = 0; i < line.n; ++i) {
    const T x = line.in[i * line.in_step];
    vague |= Keys<T>::vague(x);
    keys[i] = static_cast<Key>(Keys<T>::of(x) ^ flip);
  }
  keys = sorted(keys, keys + line.n, line.n);
  for (std::int64_t i = 0; i < line.n; ++i)
    line.values[i * line.values_step] = Keys<T>::element(static_cast<Key>(keys[i] ^ flip));
  if constexpr (std::is_floating_point_v<T>)
    if (vague) restore(line, descending);
}

template <class T, class Place>
void sort_places(const Line<T>& line, bool descending) {
  using Key = typename Keys<T>::Key;
  using Item = Placed<Key, Place>;
  auto* items = static_cast<Item*>(line.memory);
  const Key flip = descending ? static_cast<Key>(~Key{0}) : Key{0};
  for (std::int64_t i = 0; i < line.n; ++i)
    items[i] = {static_cast<Key>(Keys<T>::of(line.in[i * line.in_step]) ^ flip),
                static_cast<Place>(i)};
  items = sorted(items, items + line.n, line.n);
  for (std::int64_t i = 0; i < line.n; ++i) {
    const auto place = static_cast<std::int64_t>(items[i].place);
    if (line.places) line.places[i * line.places_step] = place;
    if (line.values) line.values[i * line.values_step] = line.in[place * line.in_step];
  }
}

template <class T>
void sort_lines(const Arrangement& arrangement, const View& in, std::span<const View> out,
                Executor& executor) {
  const int last = in.layout.rank() - 1;
  const View* const values = arrangement.values ? &out[0] : nullptr;
  const View* const places = arrangement.places ? &out.back() : nullptr;
  Walk walk(3);
  for (int k = 0; k < last; ++k)
    walk.add(in.layout.shape[k],
             std::array{in.layout.strides[k], values ? values->layout.strides[k] : 0,
                        places ? places->layout.strides[k] : 0});
  const std::int64_t n = in.layout.shape[last];
  const bool parallel = walk.size() * n >= threshold::arranged;
  const bool short_line = n <= std::numeric_limits<std::uint32_t>::max();
  using Key = typename Keys<T>::Key;
  const std::size_t item = !places      ? sizeof(Key)
                           : short_line ? sizeof(Placed<Key, std::uint32_t>)
                                        : sizeof(Placed<Key, std::int64_t>);
  for_ranges(walk.size(), arranged_piece / n, parallel, executor,
             [&](std::int64_t begin, std::int64_t end) {
               const StoragePtr memory =
                   host::allocate(*in.storage->backend, 2 * static_cast<std::size_t>(n) * item);
               for (std::int64_t i = begin; i < end; ++i) {
                 const Line<T> line{
                     in.data<T>() + walk.offset(0, i),
                     n,
                     in.layout.strides[last],
                     values ? values->data<T>() + walk.offset(1, i) : nullptr,
                     values ? values->layout.strides[last] : 0,
                     places ? places->data<std::int64_t>() + walk.offset(2, i) : nullptr,
                     places ? places->layout.strides[last] : 0,
                     memory->data};
                 if (!places)
                   sort_values(line, arrangement.descending);
                 else if (short_line)
                   sort_places<T, std::uint32_t>(line, arrangement.descending);
                 else
                   sort_places<T, std::int64_t>(line, arrangement.descending);
               }
             });
}

}  // namespace

void sort(const Arrangement& arrangement, const View& in, std::span<const View> out,
          Executor& executor) {
  visit_dtype(in.dtype, [&]<class T>(T) {
    if constexpr (!is_complex_type<T>) sort_lines<T>(arrangement, in, out, executor);
  });
}

}  // namespace isofield::host
