// Elements moved to and from places that indices or a mask name.

#include <algorithm>
#include <atomic>
#include <limits>

#include "program/host_arrange.hpp"

namespace isofield::host {
namespace {

/// Places that are worked out at a time, on the stack.
constexpr std::int64_t block = 512;

/// 16 bytes that are only moved.
struct Sixteen {
  std::uint64_t words[2];
};

/// Call `f` with a type as large as an element of `dtype`: bytes that are only moved.
template <class F>
decltype(auto) visit_size(DType dtype, F&& f) {
  switch (itemsize(dtype)) {
    case 1: return f(std::uint8_t{});
    case 2: return f(std::uint16_t{});
    case 4: return f(std::uint32_t{});
    case 8: return f(std::uint64_t{});
    default: return f(Sixteen{});
  }
}

/// Apply `put(element of the table, element of the rows)` to rows of elements: row j of the table
/// lies at places[j], row j of the rows j steps further on.
template <class T, class Put>
void move_rows(T* table, const std::int64_t* places, T* rows, std::int64_t step, std::int64_t count,
               const Walk& inner, Put put) {
  if (inner.size() == 1) {
    for (std::int64_t j = 0; j < count; ++j) put(table[places[j]], rows[j * step]);
    return;
  }
  const std::int64_t table_step = inner.step(0), row_step = inner.step(1);
  for (std::int64_t j = 0; j < count; ++j)
    inner.runs(0, inner.size(), [&](std::int64_t, const Walk::Offsets& at, std::int64_t n) {
      T* const t = table + places[j] + at[0];
      T* const r = rows + j * step + at[1];
      if (table_step == 1 && row_step == 1)
        for (std::int64_t i = 0; i < n; ++i) put(t[i], r[i]);
      else
        for (std::int64_t i = 0; i < n; ++i) put(t[i * table_step], r[i * row_step]);
    });
}

/// A table whose rows are named by indices, and rows one after the other.
class Indexed {
 public:
  Indexed(const Arrangement& arrangement, const View& table, const View& rows,
          std::span<const View> indices)
      : indices_(indices), outer_(static_cast<int>(indices.size()) + 2) {
    const int b = arrangement.batch, k = static_cast<int>(indices.size());
    const int index_rank = indices[0].layout.rank();
    std::vector<std::int64_t> strides(static_cast<std::size_t>(k) + 2);
    for (int axis = 0; axis < index_rank; ++axis) {
      strides[0] = axis < b ? table.layout.strides[axis] : 0;
      strides[1] = rows.layout.strides[axis];
      for (int i = 0; i < k; ++i)
        strides[static_cast<std::size_t>(i) + 2] =
            indices[static_cast<std::size_t>(i)].layout.strides[axis];
      outer_.add(rows.layout.shape[axis], strides);
    }
    for (int i = 0; i < k; ++i) {
      lengths_.push_back(table.layout.shape[b + i]);
      steps_.push_back(table.layout.strides[b + i]);
    }
    const int table_rank = table.layout.rank();
    for (int axis = b + k; axis < table_rank; ++axis)
      inner_.add(
          table.layout.shape[axis],
          std::array{table.layout.strides[axis], rows.layout.strides[axis - b - k + index_rank]});
  }

  const Walk& inner() const { return inner_; }
  std::int64_t size() const { return outer_.size(); }
  std::int64_t row_step() const { return outer_.step(1); }

  /// Call `f(places in the table, first row, count)` for blocks of rows from `begin` to `end`.
  /// False where an index is beyond its axis.
  template <class F>
  bool blocks(std::int64_t begin, std::int64_t end, F&& f) const {
    bool good = true;
    outer_.runs(begin, end, [&](std::int64_t, const Walk::Offsets& at, std::int64_t count) {
      for (std::int64_t from = 0; good && from < count; from += block) {
        const std::int64_t n = std::min(block, count - from);
        std::int64_t places[block];
        for (std::int64_t j = 0; j < n; ++j) places[j] = at[0] + (from + j) * outer_.step(0);
        for (std::size_t k = 0; k < indices_.size(); ++k) {
          const std::int64_t step = outer_.step(static_cast<int>(k) + 2);
          const auto* index = indices_[k].template data<std::int64_t>() + at[k + 2] + from * step;
          good = (step == 1 ? add(places, n, index, 1, k) : add(places, n, index, step, k)) && good;
        }
        if (good) f(places, at[1] + from * outer_.step(1), n);
      }
    });
    return good;
  }

  /// The first index beyond its axis, of which there is one.
  BadIndex first_bad() const {
    for (std::int64_t place = 0;; ++place)
      for (std::size_t k = 0; k < indices_.size(); ++k) {
        const std::int64_t value = *(indices_[k].template data<std::int64_t>() +
                                     outer_.offset(static_cast<int>(k) + 2, place));
        if (value < -lengths_[k] || value >= lengths_[k])
          return {static_cast<int>(k), place, value};
      }
  }

 private:
  bool add(std::int64_t* places, std::int64_t n, const std::int64_t* index, std::int64_t step,
           std::size_t k) const {
    const std::int64_t length = lengths_[k], stride = steps_[k];
    bool bad = false;
    for (std::int64_t j = 0; j < n; ++j) {
      std::int64_t i = index[j * step];
      i += i < 0 ? length : 0;
      const bool beyond = static_cast<std::uint64_t>(i) >= static_cast<std::uint64_t>(length);
      bad |= beyond;
      places[j] += beyond ? 0 : i * stride;
    }
    return !bad;
  }

  std::span<const View> indices_;
  Walk outer_, inner_{2};
  std::vector<std::int64_t> lengths_, steps_;
};

template <class T>
T* elements(const View& view) {
  return reinterpret_cast<T*>(view.bytes());
}

/// True elements of a mask.
std::int64_t count_true(const bool* mask, std::int64_t step, std::int64_t n) {
  std::int64_t count = 0;
  for (std::int64_t j = 0; j < n; ++j) count += mask[j * step];
  return count;
}

/// Where the true elements of pieces of a mask begin among all true ones.
std::vector<std::int64_t> starts_of(const Walk& walk, const bool* mask, std::int64_t piece,
                                    bool parallel, Executor& executor) {
  const std::int64_t pieces = (walk.size() + piece - 1) / piece;
  std::vector<std::int64_t> starts(static_cast<std::size_t>(pieces) + 1);
  for_pieces(pieces, parallel, executor, [&](std::int64_t p) {
    std::int64_t count = 0;
    walk.runs(p * piece, std::min((p + 1) * piece, walk.size()),
              [&](std::int64_t, const Walk::Offsets& at, std::int64_t n) {
                const bool* const first = mask + at[0];
                count += walk.step(0) == 1 ? count_true(first, 1, n)
                                           : count_true(first, walk.step(0), n);
              });
    starts[static_cast<std::size_t>(p) + 1] = count;
  });
  for (std::size_t p = 1; p < starts.size(); ++p) starts[p] += starts[p - 1];
  return starts;
}

/// Call `f(places, count)` for blocks of the true elements of a run: place j is j steps further on
/// than `first`.
template <class F>
void true_places(const bool* mask, std::int64_t mask_step, std::int64_t first, std::int64_t step,
                 std::int64_t n, F&& f) {
  for (std::int64_t from = 0; from < n; from += block) {
    const std::int64_t to = std::min(from + block, n);
    std::int64_t places[block + 1], found = 0;
    for (std::int64_t j = from; j < to; ++j) {
      places[found] = first + j * step;
      found += mask[j * mask_step];
    }
    if (found > 0) f(places, found);
  }
}

}  // namespace

std::optional<BadIndex> gather(const Arrangement& arrangement, std::span<const View> in,
                               const View& out, Executor& executor) {
  const Indexed indexed(arrangement, in[0], out, in.subspan(1));
  std::atomic<bool> good = true;
  const std::int64_t row = std::max<std::int64_t>(indexed.inner().size(), 1);
  const bool parallel = indexed.size() * row >= threshold::arranged;
  for_ranges(
      indexed.size(), arranged_piece / row, parallel, executor,
      [&](std::int64_t begin, std::int64_t end) {
        visit_size(out.dtype, [&](auto tag) {
          using T = decltype(tag);
          const bool all = indexed.blocks(
              begin, end, [&](const std::int64_t* places, std::int64_t first, std::int64_t n) {
                move_rows(elements<T>(in[0]), places, elements<T>(out) + first, indexed.row_step(),
                          n, indexed.inner(), [](const T& table, T& to) { to = table; });
              });
          if (!all) good = false;
        });
      });
  if (good) return std::nullopt;
  return indexed.first_bad();
}

// In the order of the indices, so on one thread: places may repeat.
std::optional<BadIndex> scatter(const Arrangement& arrangement, std::span<const View> in,
                                const View& out) {
  const Indexed indexed(arrangement, out, in[0], in.subspan(1));
  const auto nothing = [](const std::int64_t*, std::int64_t, std::int64_t) {};
  if (!indexed.blocks(0, indexed.size(), nothing)) return indexed.first_bad();
  const auto apply = [&]<class T>(T, auto put) {
    indexed.blocks(0, indexed.size(),
                   [&](const std::int64_t* places, std::int64_t first, std::int64_t n) {
                     move_rows(elements<T>(out), places, elements<T>(in[0]) + first,
                               indexed.row_step(), n, indexed.inner(), put);
                   });
  };
  if (arrangement.fold == Arrangement::Fold::set)
    visit_size(out.dtype, [&]<class T>(T tag) {
      apply(tag, [](T& table, const T& value) { table = value; });
    });
  else
    visit_dtype(out.dtype, [&]<class T>(T tag) {
      with_fold<T>(arrangement.fold, [&](auto fold) {
        apply(tag, [fold](T& table, const T& value) { table = fold(table, value); });
      });
    });
  return std::nullopt;
}

void compress(const Arrangement& arrangement, const View& in, const View& mask, const View& out,
              Executor& executor) {
  const int b = arrangement.batch, masked = mask.layout.rank();
  const Layout &from = in.layout, &to = out.layout;
  Walk batch(2), walk(2), inner(2);
  batch.add(from, to, 0, b);
  for (int k = 0; k < masked; ++k)
    walk.add(from.shape[b + k], std::array{mask.layout.strides[k], from.strides[b + k]});
  for (int k = b + masked; k < from.rank(); ++k)
    inner.add(from.shape[k], std::array{from.strides[k], to.strides[k - masked + 1]});
  const std::int64_t row = std::max<std::int64_t>(inner.size(), 1);
  const std::int64_t piece = std::max(arranged_piece / row, block);
  const bool parallel = walk.size() * row * batch.size() >= threshold::arranged;
  const auto* const flags = mask.data<bool>();
  const auto starts = starts_of(walk, flags, piece, parallel, executor);
  const auto pieces = static_cast<std::int64_t>(starts.size()) - 1;
  for_pieces(batch.size() * pieces, parallel, executor, [&](std::int64_t i) {
    const std::int64_t p = i % pieces, line = i / pieces;
    const std::int64_t base = batch.offset(0, line), start = batch.offset(1, line);
    std::int64_t next = starts[static_cast<std::size_t>(p)];
    visit_size(out.dtype, [&]<class T>(T) {
      walk.runs(p * piece, std::min((p + 1) * piece, walk.size()),
                [&](std::int64_t, const Walk::Offsets& at, std::int64_t n) {
                  const auto move = [&](const std::int64_t* places, std::int64_t count) {
                    move_rows(elements<T>(in), places,
                              elements<T>(out) + start + next * to.strides[b], to.strides[b], count,
                              inner, [](const T& table, T& into) { into = table; });
                    next += count;
                  };
                  true_places(flags + at[0], walk.step(0), base + at[1], walk.step(1), n, move);
                });
    });
  });
}

void nonzero(const View& mask, std::span<const View> out, Executor& executor) {
  const Layout& layout = mask.layout;
  const int rank = layout.rank();
  Walk walk(1);  // of axes as they are: each has a place of its own
  for (int k = 0; k < rank; ++k) walk.add(layout.shape[k], std::array{layout.strides[k]}, false);
  const auto* const flags = mask.data<bool>();
  const bool parallel = walk.size() >= threshold::arranged;
  const auto starts = starts_of(walk, flags, arranged_piece, parallel, executor);
  for_pieces(static_cast<std::int64_t>(starts.size()) - 1, parallel, executor, [&](std::int64_t p) {
    std::int64_t next = starts[static_cast<std::size_t>(p)];
    walk.runs(p * arranged_piece, std::min((p + 1) * arranged_piece, walk.size()),
              [&](std::int64_t place, const Walk::Offsets& at, std::int64_t n) {
                const std::int64_t last = layout.shape[rank - 1];
                const auto write = [&](const std::int64_t* places, std::int64_t count) {
                  std::int64_t rest = place / last;
                  for (int k = rank - 1; k >= 0; --k) {
                    const View& v = out[static_cast<std::size_t>(k)];
                    const std::int64_t step = v.layout.strides[0];
                    std::int64_t* const to = v.data<std::int64_t>() + next * step;
                    if (k == rank - 1) {
                      for (std::int64_t j = 0; j < count; ++j) to[j * step] = places[j];
                      continue;
                    }
                    for (std::int64_t j = 0; j < count; ++j) to[j * step] = rest % layout.shape[k];
                    rest /= layout.shape[k];
                  }
                  next += count;
                };
                true_places(flags + at[0], walk.step(0), place % last, 1, n, write);
              });
  });
}

}  // namespace isofield::host
