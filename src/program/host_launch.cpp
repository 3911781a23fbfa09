#include <algorithm>
#include <cstring>
#include <isofield/host.hpp>
#include <vector>

#include "program/host_pieces.hpp"
#include "program/host_plan.hpp"
#include "program/thresholds.hpp"

namespace isofield::host {
namespace {

/// Elements in one piece of work: fixed, so that sums do not depend on the number of threads.
constexpr std::int64_t piece = 1 << 14;

void run_pointwise(const BoundLaunch& bound, bool parallel, Executor& executor) {
  if (bound.straight()) return bound.run_straight();
  if (bound.planned()) {
    BoundLaunch::Tiles tiles(bound);
    return bound.run_planned(tiles);
  }
  if (bound.by_rows()) {
    const std::int64_t rows = bound.size() / bound.row_length();
    const std::int64_t each = std::max<std::int64_t>(1, piece / bound.row_length());
    for_pieces((rows + each - 1) / each, parallel, executor, [&](std::int64_t i) {
      BoundLaunch::Tiles tiles(bound);
      bound.run_rows(tiles, i * each, std::min(rows, (i + 1) * each));
    });
    return;
  }
  for_pieces((bound.size() + piece - 1) / piece, parallel, executor, [&](std::int64_t i) {
    BoundLaunch::Tiles tiles(bound);
    bound.run_range(tiles, i * piece, std::min(bound.size(), (i + 1) * piece));
  });
}

/// The axes of a reducing launch in three groups: kept outside, reduced, kept inside.
struct Split {
  int order[Dims::max_rank] = {};
  std::int64_t outer = 1, reduced = 1, inner = 1;
};

Split split_axes(const Launch& launch) {
  const std::uint32_t axes = launch.program.reduction->axes;
  const int rank = launch.shape.size();
  const auto is_reduced = [axes](int k) { return (axes >> k) & 1; };
  int inner_from = rank;  // trailing axes that are kept
  while (inner_from > 0 && !is_reduced(inner_from - 1)) --inner_from;
  Split s;
  int n = 0;
  for (int k = 0; k < inner_from; ++k)
    if (!is_reduced(k)) s.order[n++] = k, s.outer *= launch.shape[k];
  for (int k = 0; k < inner_from; ++k)
    if (is_reduced(k)) s.order[n++] = k, s.reduced *= launch.shape[k];
  for (int k = inner_from; k < rank; ++k) s.order[n++] = k, s.inner *= launch.shape[k];
  return s;
}

struct Fold {
  const FoldKernels* kernels = nullptr;  ///< many elements into one
  PointwiseKernel combine = nullptr;     ///< elementwise
  std::int64_t size = 0;                 ///< bytes of an element
  DType dtype = DType::float64;
};

Fold fold_of(Reduce op, DType dtype) {
  constexpr Op combine[] = {Op::add,     Op::multiply,   Op::minimum,
                            Op::maximum, Op::logical_or, Op::logical_and};
  return {fold_kernels(op, dtype), pointwise_kernel(combine[static_cast<int>(op)], dtype, 0),
          static_cast<std::int64_t>(itemsize(dtype)), dtype};
}

/// Elements [begin, end) into one; there is at least one.
void reduce_run(const BoundLaunch& bound, const Fold& fold, std::int64_t begin, std::int64_t end,
                std::byte* total) {
  alignas(64) std::byte lanes[fold_lanes * widest_element];
  fold.kernels->start(lanes);
  BoundLaunch::Tiles tiles(bound);
  tiles.slots[bound.code().lanes_slot()] = lanes;
  const std::byte* rest = nullptr;
  std::int64_t left = 0;
  for (std::int64_t i = begin; i < end; i += bound.tile()) {
    const std::int64_t n = std::min(bound.tile(), end - i);
    const auto* tile = static_cast<const std::byte*>(bound.run_tile(tiles, i, n));
    left = n % fold_lanes;  // in the last tile alone: tiles are whole rounds of lanes
    rest = tile;
    if (bound.code().folds) continue;
    rest += (n - left) * fold.size;
    fold.kernels->into_lanes(lanes, tile, n - left);
  }
  fold.kernels->finish(total, lanes, rest, left);
}

void reduce_everything(const BoundLaunch& bound, const Fold& fold, std::byte* out, bool parallel,
                       Executor& executor) {
  const std::int64_t pieces = (bound.size() + piece - 1) / piece;
  if (pieces == 1) return reduce_run(bound, fold, 0, bound.size(), out);
  std::vector<std::byte> partial(static_cast<std::size_t>(pieces * fold.size));
  for_pieces(pieces, parallel, executor, [&](std::int64_t i) {
    reduce_run(bound, fold, i * piece, std::min(bound.size(), (i + 1) * piece),
               partial.data() + i * fold.size);
  });
  alignas(64) std::byte lanes[fold_lanes * widest_element];
  fold.kernels->start(lanes);
  const std::int64_t left = pieces % fold_lanes;
  fold.kernels->into_lanes(lanes, partial.data(), pieces - left);
  fold.kernels->finish(out, lanes, partial.data() + (pieces - left) * fold.size, left);
}

void reduce_innermost(const BoundLaunch& bound, const Split& s, const Fold& fold, std::byte* out,
                      bool parallel, Executor& executor) {
  const std::int64_t each = std::max<std::int64_t>(1, piece / s.reduced);
  for_pieces((s.outer + each - 1) / each, parallel, executor, [&](std::int64_t p) {
    for (std::int64_t k = p * each; k < std::min(s.outer, (p + 1) * each); ++k)
      reduce_run(bound, fold, k * s.reduced, (k + 1) * s.reduced, out + k * fold.size);
  });
}

void reduce_outer(const BoundLaunch& bound, const Split& s, const Fold& fold, std::byte* out,
                  bool parallel, Executor& executor) {
  const std::int64_t tiles_across = (s.inner + bound.tile() - 1) / bound.tile();
  for_pieces(s.outer * tiles_across, parallel, executor, [&](std::int64_t p) {
    const std::int64_t k = p / tiles_across, from = p % tiles_across * bound.tile();
    const std::int64_t n = std::min(bound.tile(), s.inner - from);
    std::byte* total = out + (k * s.inner + from) * fold.size;
    BoundLaunch::Tiles tiles(bound);
    for (std::int64_t r = 0; r < s.reduced; ++r) {
      const void* tile = bound.run_tile(tiles, (k * s.reduced + r) * s.inner + from, n);
      if (r == 0) {
        std::memcpy(total, tile, static_cast<std::size_t>(n * fold.size));
      } else {
        const void* in[3] = {total, tile, tile};
        fold.combine(total, in, n);
      }
    }
  });
}

/// The value of a reduction over nothing; min and max have none and are refused above.
void fill_identity(const Launch& launch, std::byte* out, const Fold& fold) {
  const Reduce op = launch.program.reduction->op;
  const std::int64_t n = element_count(launch.outputs[0].layout.shape);
  const Scalar identity = op == Reduce::prod || op == Reduce::all ? Scalar(1) : Scalar(0);
  visit_dtype(fold.dtype, [&](auto tag) {
    std::fill_n(reinterpret_cast<decltype(tag)*>(out), n, identity.to<decltype(tag)>());
  });
}

/// A launch worked out: bound, with its axes split and its way to fold chosen if it reduces.
class Plan {
 public:
  Plan(const Launch& launch, LaunchMemory& memory)
      : reduces_(launch.program.reduction.has_value()),
        split_(reduces_ ? split_axes(launch) : Split{}),
        fold_(reduces_ ? fold_of(launch.program.reduction->op,
                                 launch.program.dtype(launch.program.outputs[0]))
                       : Fold{}),
        bound_(launch, memory,
               reduces_ && split_.inner * split_.outer != 1 ? split_.order : nullptr,
               reduces_ && split_.inner == 1) {}

  void rebase(const Launch& launch) noexcept { bound_.rebase(launch); }
  bool outlived() const noexcept { return bound_.outlived(); }

  void run(const Launch& launch, Executor& executor) const {
    const bool parallel = bound_.work() >= (reduces_ ? threshold::reduction : threshold::program);
    if (!reduces_) {
      if (bound_.size() > 0) run_pointwise(bound_, parallel, executor);
      return;
    }
    std::byte* out = launch.outputs[0].bytes();
    if (bound_.size() == 0)
      fill_identity(launch, out, fold_);
    else if (split_.inner * split_.outer == 1)
      reduce_everything(bound_, fold_, out, parallel, executor);
    else if (split_.inner == 1)
      reduce_innermost(bound_, split_, fold_, out, parallel, executor);
    else
      reduce_outer(bound_, split_, fold_, out, parallel, executor);
  }

 private:
  bool reduces_;
  Split split_;
  Fold fold_;
  BoundLaunch bound_;
};

}  // namespace

void run(const Launch& launch, Executor& executor) {
  with_plan<Plan>(launch, [&](const Plan& plan) { plan.run(launch, executor); });
}

}  // namespace isofield::host
