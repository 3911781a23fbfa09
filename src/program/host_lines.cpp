#include <algorithm>
#include <atomic>
#include <cmath>
#include <isofield/error.hpp>
#include <isofield/host.hpp>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "program/host_line_operands.hpp"
#include "program/host_pieces.hpp"
#include "program/host_plan.hpp"
#include "program/host_stretch.hpp"
#include "program/scratch.hpp"
#include "program/thresholds.hpp"

namespace isofield::host {
namespace {

/// Systems that one sweep along an outer axis takes side by side: what it writes on the way is to
/// stay in the second-level cache.
constexpr std::int64_t panel = 32, short_panel = 64, short_line = 128;
/// Systems that one sweep along the contiguous axis takes side by side.
constexpr int most_lanes = 16;
/// The same where operands are computed, by runs of elements that are worth the while: parts of a
/// row, or rows that lie one after the other.
constexpr std::int64_t computed_panel = 128, computed_run = 512;
/// Elements of computed operands that may lie in memory at a time: they are to stay in the
/// second-level cache.
constexpr std::int64_t most_computed = 1 << 15;
/// Lines from this long on are cut into stretches of about `stretch` rows, for threads.
constexpr std::int64_t long_line = 1 << 16, stretch = 1 << 12;

/// Memory of this thread for one sweep; operands that are computed meanwhile have theirs.
template <class T>
T* scratch(std::int64_t elements) {
  constinit thread_local Scratch memory;
  return reinterpret_cast<T*>(memory.need(static_cast<std::size_t>(elements) * sizeof(T)));
}

/// Tridiagonal systems as (outer, n, inner) arrays, the lines along the middle axis.
template <class T>
class Lines {
 public:
  Lines(const LineSystems& systems, const BoundLaunch* program, Executor& executor)
      : operands_(systems, program),
        out_storage_(*systems.out.storage),
        out_(reinterpret_cast<T*>(systems.out.bytes())),
        periodic_(systems.periodic),
        kernels_(*kernels().lines(systems.out.dtype)),
        executor_(executor) {
    const Shape& shape = systems.out.layout.shape;
    for (int k = 0; k < shape.size(); ++k)
      (k < systems.axis ? outer_ : k == systems.axis ? n_ : inner_) *= shape[k];
  }

  std::optional<std::int64_t> solve() {
    const bool parallel = outer_ * n_ * inner_ >= threshold::lines;
    const std::int64_t count = outer_ * inner_;
    // A sweep of few lines waits for its divisions: parts of a line go side by side instead.
    const bool few = count < 8 && n_ >= Stretch<T>::shortest;
    // Operands are computed over runs of elements.
    if (operands_.computed() > 0 && few && inner_ > 1) operands_.compute_all(executor_);
    if (few) {
      for_pieces(count, parallel && count > 1 && n_ < long_line, executor_,
                 [&](std::int64_t line) { sweep_alone(line); });
    } else if (inner_ == 1 && count > 1) {
      const bool narrow = count <= 8 || n_ * operands_.computed() * most_lanes > most_computed;
      const int width = narrow ? 8 : most_lanes;
      for_pieces((count + width - 1) / width, parallel, executor_, [&](std::int64_t p) {
        sweep_contiguous(p * width, std::min<std::int64_t>(width, count - p * width), width);
      });
    } else {
      const std::int64_t wide = operands_.computed() > 0 ? computed_panel
                                : n_ <= short_line       ? short_panel
                                                         : panel;
      const std::int64_t panels = (inner_ + wide - 1) / wide;
      for_pieces(outer_ * panels, parallel, executor_, [&](std::int64_t p) {
        const std::int64_t from = p % panels * wide;
        sweep_strided(p / panels * n_ * inner_ + from, std::min(wide, inner_ - from));
      });
    }
    const std::int64_t broken = broken_.load();
    return broken == none ? std::nullopt : std::optional(broken);
  }

 private:
  static constexpr std::int64_t none = std::numeric_limits<std::int64_t>::max();

  std::int64_t first_of(std::int64_t line) const {
    return line / inner_ * n_ * inner_ + line % inner_;
  }

  // The solution of a line is not finite: find out whether that is the elimination's doing.
  void examine(std::int64_t first) {
    std::vector<T> line(static_cast<std::size_t>(4 * n_));
    typename LineOperands<T>::Reader reader(operands_);
    for (std::int64_t i = 0; i < n_; ++i) {
      T room[4];
      const T* at[4];
      reader.read(first + i * inner_, 1, room, at);
      for (int k = 0; k < 4; ++k) line[static_cast<std::size_t>(k * n_ + i)] = *at[k];
    }
    const void* at[4];
    for (int k = 0; k < 4; ++k) at[k] = line.data() + k * n_;
    const std::int64_t row = kernels_.broken_row(at, 1, n_, periodic_);
    if (row < 0) return;
    const std::int64_t place = first + row * inner_;
    // The first line counts, whatever thread comes first.
    std::int64_t before = broken_.load();
    const auto number = [&](std::int64_t p) { return p / (n_ * inner_) * inner_ + p % inner_; };
    while ((before == none || number(place) < number(before)) &&
           !broken_.compare_exchange_weak(before, place)) {
    }
  }

  /// Close the cycles, if lines are, and look at the last unknowns: NaN and infinities that appear
  /// on the way come there. `last` is a row that has been eliminated.
  void finish(const StretchEnds& ends, T* last, std::int64_t first, std::int64_t stride,
              std::int64_t width) {
    T first_unknown[computed_panel];
    if (periodic_) kernels_.close(ends, width, last, first_unknown);
    for (std::int64_t j = 0; j < width; ++j)
      if (!std::isfinite(last[j])) examine(first + j * stride);
  }

  // Lines along an outer axis: their systems already lie side by side.
  void sweep_strided(std::int64_t start, std::int64_t width) {
    const std::int64_t rows = n_ * width;
    // Computed operands stay in the first-level cache: some rows at a time, where they are one run
    // of elements.
    const std::int64_t run = width == inner_ ? std::max<std::int64_t>(1, computed_run / width) : 1;
    const std::int64_t each = operands_.computed() > 0 ? std::min(run, n_) : n_;
    T* const memory =
        scratch<T>((periodic_ ? 2 * rows + 3 * width : rows) + operands_.computed() * each * width);
    T *const factor = memory, *const fill = factor + rows;
    T *const head = periodic_ ? fill + rows : fill, *const room =
                                                        periodic_ ? head + 3 * width : fill;
    typename LineOperands<T>::Reader reader(operands_);
    LineSweep s{};
    for (std::int64_t i = 0; i < n_; i += each) {
      const T* at[4];
      s.rows = std::min(each, n_ - i);
      reader.read(start + i * inner_, s.rows * width, room, at);
      for (int k = 0; k < 4; ++k) {
        s.operands[k] = at[k];
        s.strides[k] = inner_;
      }
      s.out = out_ + start + i * inner_;
      s.out_stride = inner_;
      s.factor = factor + i * width;
      s.factor_stride = width;
      s.fill = periodic_ ? fill + i * width : nullptr;
      s.head = head;
      s.begins = i == 0;
      s.width = width;
      kernels_.forward(s);
    }
    s.out = out_ + start;
    s.factor = factor;
    s.fill = periodic_ ? fill : nullptr;
    s.rows = n_;
    T* const last = out_ + start + (n_ - 1) * inner_;
    finish(
        {factor + rows - width, last, fill + rows - width, {head, head + width, head + 2 * width}},
        last, start, 1, width);
    kernels_.backward(s, periodic_ ? last : nullptr);
  }

  // Lines along the contiguous axis.
  void sweep_contiguous(std::int64_t line, std::int64_t lanes, int width) {
    const std::int64_t rows = n_ * width, start = line * n_;
    T* const memory =
        scratch<T>((periodic_ ? 3 : 2) * rows + 4 * width + operands_.computed() * rows);
    T *const factor = memory, *const out = factor + rows;
    T *const fill = out + rows, *const head = periodic_ ? fill + rows : fill;
    T *const x = head + 3 * width, *const room = x + width;
    const T* at[4];
    typename LineOperands<T>::Reader(operands_).read(start, lanes * n_, room, at);
    LaneSweep s{};
    for (int k = 0; k < 4; ++k) {
      s.operands[k] = at[k];
      s.lane_strides[k] = n_;
    }
    s.lanes = lanes;
    s.factor = factor;
    s.out = out;
    s.fill = periodic_ ? fill : nullptr;
    s.head = head;
    s.begins = true;
    s.rows = n_;
    s.lines = out_ + start;
    s.line_stride = n_;
    const int which = width == 8 ? 0 : 1;
    kernels_.lanes_forward[which](s);
    T* const last = out + rows - width;
    finish(
        {factor + rows - width, last, fill + rows - width, {head, head + width, head + 2 * width}},
        last, start, n_, lanes);
    std::copy_n(last, width, x);
    kernels_.lanes_backward[which](s, periodic_ ? last : nullptr, x);
  }

  // Few lines. `stride` between the elements of one: inner_.
  void sweep_alone(std::int64_t line) {
    const std::int64_t start = first_of(line);
    if (!(n_ >= long_line ? solve_by_stretches(start) : solve_by_parts(start)))
      sweep_strided(start, 1);  // not dominant, or not finite: row by row
  }

  bool solve_by_parts(std::int64_t start) {
    T* memory = scratch<T>(Stretch<T>::memory(n_) + 5 * n_);
    const T* at[4];
    fetch(start, n_, memory + Stretch<T>::memory(n_), at);
    T* const x = inner_ == 1 ? out_ + start : memory + Stretch<T>::memory(n_) + 4 * n_;
    Stretch<T> parts(kernels_, at, n_, !periodic_, memory);
    T last, first;
    if (periodic_) {
      T values[6];
      const EndRows<T> ends(values, 1);
      parts.leave(ends, 0);
      kernels_.close(ends.ends(), 1, &last, &first);
    }
    if (!parts.solve(periodic_ ? &last : nullptr, periodic_ ? &first : nullptr, x)) return false;
    scatter(x, start, n_);
    return true;
  }

  // A long line: what is left of its stretches is one system, and each is solved between its
  // neighbours.
  bool solve_by_stretches(std::int64_t start) {
    const std::int64_t count = n_ / stretch;
    const auto begin = [&](std::int64_t i) { return n_ * i / count; };
    const std::int64_t each = Stretch<T>::memory((n_ + count - 1) / count);
    const StoragePtr storage =
        out_storage_.backend->allocate(static_cast<std::size_t>(count * (each + 13)) * sizeof(T));
    T* const memory = static_cast<T*>(storage->data);
    const EndRows<T> ends(memory + count * each, count);
    std::vector<std::optional<Stretch<T>>> stretches(static_cast<std::size_t>(count));
    const auto at = [&](std::int64_t i) -> auto& { return stretches[static_cast<std::size_t>(i)]; };
    for_pieces(count, true, executor_, [&](std::int64_t i) {
      const std::int64_t rows = begin(i + 1) - begin(i);
      const T* operands[4];
      fetch(start + begin(i) * inner_, rows, scratch<T>(4 * rows), operands);
      at(i).emplace(kernels_, operands, rows, i == 0 && !periodic_, memory + i * each);
      at(i)->leave(ends, i);
    });
    const T* const last = solve_joined(ends, count, memory + count * (each + 6));
    const auto first = [&](std::int64_t i) {
      const T before = last[i > 0 ? i - 1 : count - 1];
      return ends.row[3][i] - (ends.row[4][i] * before + ends.row[5][i] * last[i]);
    };
    std::atomic<bool> solved = true;
    for_pieces(count, true, executor_, [&](std::int64_t i) {
      const std::int64_t rows = begin(i + 1) - begin(i), from = start + begin(i) * inner_;
      T* const x = inner_ == 1 ? out_ + from : scratch<T>(rows);
      const bool at_start = i == 0 && !periodic_, at_end = i + 1 == count && !periodic_;
      const T behind = at_end ? T(0) : first((i + 1) % count);
      if (at(i)->solve(at_start ? nullptr : last + (i > 0 ? i : count) - 1,
                       at_end ? nullptr : &behind, x))
        scatter(x, from, rows);
      else
        solved = false;
    });
    return solved;
  }

  /// The last unknowns of a line's stretches; `memory` holds 7 of them for each.
  T* solve_joined(const EndRows<T>& ends, std::int64_t count, T* memory) const {
    void* operands[4];
    T *factor = memory + 4 * count, *x = factor + count, *fill = x + count, head[3], whole[3];
    LineSweep s{};
    for (int k = 0; k < 4; ++k) {
      s.operands[k] = operands[k] = memory + k * count;
      s.strides[k] = 1;
    }
    kernels_.join(ends.ends(), count, operands);
    s.factor = factor;
    s.out = x;
    s.fill = periodic_ ? fill : nullptr;
    s.head = head;
    s.factor_stride = s.out_stride = s.width = 1;
    s.begins = true;
    s.rows = count;
    kernels_.forward(s);
    T* const last = x + count - 1;
    if (periodic_) {
      T first;
      kernels_.join_heads(ends.ends(), {nullptr, nullptr, nullptr, {head, head + 1, head + 2}},
                          whole);
      kernels_.close({factor + count - 1, last, fill + count - 1, {whole, whole + 1, whole + 2}}, 1,
                     last, &first);
    }
    kernels_.backward(s, periodic_ ? last : nullptr);
    return x;
  }

  /// The operands of `rows` rows of a line, next to each other: where they are, or in `room`.
  void fetch(std::int64_t start, std::int64_t rows, T* room, const T* (&at)[4]) const {
    typename LineOperands<T>::Reader(operands_).read(start, inner_ == 1 ? rows : 1, room, at);
    if (inner_ == 1) return;
    for (int k = 0; k < 4; ++k) {
      for (std::int64_t i = 0; i < rows; ++i) room[k * rows + i] = at[k][i * inner_];
      at[k] = room + k * rows;
    }
  }
  void scatter(const T* x, std::int64_t start, std::int64_t rows) const {
    if (inner_ == 1) return;
    for (std::int64_t i = 0; i < rows; ++i) out_[start + i * inner_] = x[i];
  }

  LineOperands<T> operands_;
  const Storage& out_storage_;
  T* out_;
  std::int64_t outer_ = 1, n_ = 1, inner_ = 1;
  bool periodic_;
  const LineKernels& kernels_;
  Executor& executor_;
  std::atomic<std::int64_t> broken_ = none;
};

std::optional<std::int64_t> solve(const LineSystems& systems, const BoundLaunch* program,
                                  Executor& executor) {
  if (systems.out.dtype == DType::float64) return Lines<double>(systems, program, executor).solve();
  return Lines<float>(systems, program, executor).solve();
}

}  // namespace

std::optional<std::int64_t> tridiagonal_solve(const LineSystems& systems, Executor& executor) {
  if (!systems.program) return solve(systems, nullptr, executor);
  return with_plan<BoundLaunch>(*systems.program, [&](const BoundLaunch& program) {
    return solve(systems, &program, executor);
  });
}

}  // namespace isofield::host
