// Folds that run along lines, the places of the smallest and largest elements, and searches.

#include <algorithm>

#include "program/host_arrange.hpp"

namespace isofield::host {
namespace {

/// Lines taken side by side, as they lie in memory.
constexpr std::int64_t panel = 256;

/// Call `single(in, out)` for each line, or `side(in, out, count)` for lines that lie side by side.
template <class Single, class Side>
void for_lines(const LinesWalk& lines, Executor& executor, Single&& single, Side&& side) {
  const Walk& across = lines.across;
  const bool parallel = across.size() * lines.n >= threshold::arranged;
  const bool beside = across.step(0) == 1 && across.step(1) == 1 && across.length() >= 8;
  const std::int64_t least = beside ? panel : 1;
  for_ranges(across.size(), std::max(arranged_piece / std::max<std::int64_t>(lines.n, 1), least),
             parallel, executor, [&](std::int64_t begin, std::int64_t end) {
               across.runs(begin, end,
                           [&](std::int64_t, const Walk::Offsets& at, std::int64_t count) {
                             if (!beside) {
                               for (std::int64_t j = 0; j < count; ++j)
                                 single(at[0] + j * across.step(0), at[1] + j * across.step(1));
                               return;
                             }
                             for (std::int64_t j = 0; j < count; j += panel)
                               side(at[0] + j, at[1] + j, std::min(panel, count - j));
                           });
             });
}

template <class T>
void scan_lines(Arrangement::Fold fold, const View& in, const View& out, Executor& executor) {
  const LinesWalk lines(in.layout, out.layout, out.layout.rank());
  with_fold<T>(fold, [&](auto combine) {
    for_lines(
        lines, executor,
        [&](std::int64_t from, std::int64_t to) {
          const T* x = in.data<T>() + from;
          T* y = out.data<T>() + to;
          T total = *x;
          *y = total;
          for (std::int64_t i = 1; i < lines.n; ++i)
            y[i * lines.out_step] = total = combine(total, x[i * lines.in_step]);
        },
        [&](std::int64_t from, std::int64_t to, std::int64_t count) {
          const T* x = in.data<T>() + from;
          T* y = out.data<T>() + to;
          std::copy_n(x, count, y);
          for (std::int64_t i = 1; i < lines.n; ++i) {
            const T* const before = y;
            x += lines.in_step;
            y += lines.out_step;
            for (std::int64_t j = 0; j < count; ++j) y[j] = combine(before[j], x[j]);
          }
        });
  });
}

/// Whether x is to be taken rather than `best`: beyond it, or the first NaN.
template <bool smallest, class T>
bool better(T x, T best) {
  const bool beyond = smallest ? x < best : best < x;
  // Without a branch, so that many are compared at once.
  if constexpr (std::is_floating_point_v<T>) return beyond | ((x != x) & (best == best));
  return beyond;
}

/// The first place of the extremum of elements one after the other: blocks in which none is to be
/// taken are passed over.
template <bool smallest, class T>
std::int64_t place_of_extremum(const T* x, std::int64_t n) {
  T best = *x;
  std::int64_t place = 0;
  for (std::int64_t from = 1; from < n; from += panel) {
    const std::int64_t to = std::min(from + panel, n);
    bool any = false;
    for (std::int64_t i = from; i < to; ++i) any |= better<smallest>(x[i], best);
    for (std::int64_t i = from; any && i < to; ++i)
      if (better<smallest>(x[i], best)) {
        best = x[i];
        place = i;
      }
  }
  return place;
}

template <bool smallest, class T>
void extremum_lines(const View& in, const View& out, Executor& executor) {
  const LinesWalk lines(in.layout, out.layout, out.layout.rank());
  auto* const places = out.data<std::int64_t>();
  for_lines(
      lines, executor,
      [&](std::int64_t from, std::int64_t to) {
        const T* const x = in.data<T>() + from;
        if (lines.in_step == 1) {
          places[to] = place_of_extremum<smallest>(x, lines.n);
          return;
        }
        T best = *x;
        std::int64_t place = 0;
        for (std::int64_t i = 1; i < lines.n; ++i)
          if (const T here = x[i * lines.in_step]; better<smallest>(here, best)) {
            best = here;
            place = i;
          }
        places[to] = place;
      },
      [&](std::int64_t from, std::int64_t to, std::int64_t count) {
        const T* x = in.data<T>() + from;
        std::int64_t* const place = places + to;
        T best[panel];
        std::copy_n(x, count, best);
        std::fill_n(place, count, 0);
        for (std::int64_t i = 1; i < lines.n; ++i) {
          x += lines.in_step;
          for (std::int64_t j = 0; j < count; ++j) {
            const bool take = better<smallest>(x[j], best[j]);
            best[j] = take ? x[j] : best[j];
            place[j] = take ? i : place[j];
          }
        }
      });
}

/// Whether a comes before b; NaN comes last.
template <class T>
bool before(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return a < b || (b != b && a == a);
  return a < b;
}

template <class T>
void search_all(bool right, const View& sorted, const View& values, const View& out,
                Executor& executor) {
  Walk walk(2);
  walk.add(values.layout, out.layout, 0, out.layout.rank());
  const T* const line = sorted.data<T>();
  const std::int64_t n = sorted.layout.shape[0], step = sorted.layout.strides[0];
  const auto place_of = [&](T x) {
    std::int64_t first = 0;
    for (std::int64_t length = n; length > 0;) {
      const std::int64_t half = length / 2;
      const T middle = line[(first + half) * step];
      const bool further = right ? !before(x, middle) : before(middle, x);
      first = further ? first + half + 1 : first;
      length = further ? length - half - 1 : half;
    }
    return first;
  };
  for_ranges(walk.size(), arranged_piece, walk.size() >= threshold::arranged / 8, executor,
             [&](std::int64_t begin, std::int64_t end) {
               walk.runs(begin, end,
                         [&](std::int64_t, const Walk::Offsets& at, std::int64_t count) {
                           const T* const x = values.data<T>() + at[0];
                           std::int64_t* const to = out.data<std::int64_t>() + at[1];
                           for (std::int64_t j = 0; j < count; ++j)
                             to[j * walk.step(1)] = place_of(x[j * walk.step(0)]);
                         });
             });
}

}  // namespace

void scan(const Arrangement& arrangement, const View& in, const View& out, Executor& executor) {
  visit_dtype(in.dtype, [&]<class T>(T) { scan_lines<T>(arrangement.fold, in, out, executor); });
}

void extremum(const Arrangement& arrangement, const View& in, const View& out, Executor& executor) {
  visit_dtype(in.dtype, [&]<class T>(T) {
    if constexpr (!is_complex_type<T>) {
      if (arrangement.fold == Arrangement::Fold::min)
        extremum_lines<true, T>(in, out, executor);
      else
        extremum_lines<false, T>(in, out, executor);
    }
  });
}

void search(const Arrangement& arrangement, const View& sorted, const View& values, const View& out,
            Executor& executor) {
  visit_dtype(sorted.dtype, [&]<class T>(T) {
    if constexpr (!is_complex_type<T>)
      search_all<T>(arrangement.right, sorted, values, out, executor);
  });
}

}  // namespace isofield::host
