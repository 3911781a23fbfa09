#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/argmin.h>
#include <ATen/ops/cummax.h>
#include <ATen/ops/cummin.h>
#include <ATen/ops/cumprod.h>
#include <ATen/ops/cumsum.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/isnan.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/searchsorted.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include "backends/torch/replay.hpp"
#include "backends/torch/tensors.hpp"

namespace isofield::torch_backend {
namespace {

using at::Tensor;
using Kind = Arrangement::Kind;
using Fold = Arrangement::Fold;
using Indices = std::vector<Tensor>;

/// What indexes a table (B..., N1, ..., Nk, R...): k tensors (B..., I...).
struct Indexed {
  Indexed(const Arrangement& arrangement, const View& table, std::span<const View> views)
      : batch(arrangement.batch) {
    for (std::size_t k = 0; k < views.size(); ++k) {
      lengths.push_back(table.layout.shape[batch + static_cast<int>(k)]);
      indices.push_back(read(views[k]));
    }
    for (int k = 0; k < batch; ++k) batches.push_back(table.layout.shape[k]);
  }

  /// Wait for the device and look whether all are on their axes; then count them from 0.
  std::optional<BadIndex> wrap() {
    Tensor bad;
    for (std::size_t k = 0; k < indices.size(); ++k) {
      const Tensor here = indices[k].lt(-lengths[k]).logical_or_(indices[k].ge(lengths[k]));
      bad = bad.defined() ? bad.logical_or(here) : here;
    }
    if (bad.any().item<bool>()) {
      const auto place = bad.flatten().to(at::kByte).argmax().item<std::int64_t>();
      for (std::size_t k = 0;; ++k) {
        const auto value = indices[k].flatten()[place].item<std::int64_t>();
        if (value < -lengths[k] || value >= lengths[k])
          return BadIndex{static_cast<int>(k), place, value};
      }
    }
    for (std::size_t k = 0; k < indices.size(); ++k)
      indices[k] = at::where(indices[k].lt(0), indices[k].add(lengths[k]), indices[k]);
    return std::nullopt;
  }

  /// The places of rows in the table with its first axes flat, one for each index.
  Tensor flat() const {
    Tensor place = at::zeros_like(indices[0]);
    for (std::size_t b = 0; b < batches.size(); ++b) {
      std::vector<std::int64_t> shape(static_cast<std::size_t>(place.dim()), 1);
      shape[b] = batches[b];
      place = place.mul(batches[b]).add(at::arange(batches[b], place.options()).view(shape));
    }
    for (std::size_t k = 0; k < indices.size(); ++k) place = place.mul(lengths[k]).add(indices[k]);
    return place.flatten();
  }

  std::int64_t rows() const {
    std::int64_t count = 1;
    for (const auto n : batches) count *= n;
    for (const auto n : lengths) count *= n;
    return count;
  }

  int batch;
  std::vector<std::int64_t> lengths, batches;
  Indices indices;
};

std::optional<BadIndex> gather(const Arrangement& arrangement, std::span<const View> in,
                               const View& out) {
  Indexed indexed(arrangement, in[0], in.subspan(1));
  if (const auto bad = indexed.wrap()) return bad;
  const Tensor table = read(in[0]);
  const auto first = static_cast<std::int64_t>(indexed.batch + indexed.lengths.size()) - 1;
  const Tensor rows = table.flatten(0, first).index_select(0, indexed.flat());
  write(out, rows.reshape(sizes_of(out.layout.shape)));
  return std::nullopt;
}

/// In the order of the indices: of those that name one row, the last one's values go there.
std::optional<BadIndex> scatter(const Arrangement& arrangement, std::span<const View> in,
                                const View& out) {
  Indexed indexed(arrangement, out, in.subspan(1));
  if (const auto bad = indexed.wrap()) return bad;
  const Tensor flat = indexed.flat();
  const Tensor values = read(in[0]).reshape({flat.numel(), -1});
  const Tensor all = read(out);
  Tensor table = all.reshape({indexed.rows(), -1}).clone();
  const Tensor places = flat.unsqueeze(1).expand_as(values);
  switch (arrangement.fold) {
    case Fold::set: {
      const auto [ordered, from] = at::sort(flat, true, 0, false);
      Tensor last = at::ones_like(ordered, at::kBool);
      last.narrow(0, 0, flat.numel() - 1)
          .copy_(ordered.narrow(0, 0, flat.numel() - 1).ne(ordered.narrow(0, 1, flat.numel() - 1)));
      const Tensor chosen = at::nonzero(last).squeeze(1);
      table.index_copy_(0, ordered.index_select(0, chosen),
                        values.index_select(0, from.index_select(0, chosen)));
      break;
    }
    case Fold::sum: table.index_add_(0, flat, values); break;
    case Fold::prod: table.scatter_reduce_(0, places, values, "prod"); break;
    case Fold::min: table.scatter_reduce_(0, places, values, "amin"); break;
    case Fold::max: table.scatter_reduce_(0, places, values, "amax"); break;
  }
  const Tensor result = table.reshape(all.sizes());
  write(out, result);
  return std::nullopt;
}

void compress(const Arrangement& arrangement, std::span<const View> in, const View& out) {
  const Tensor places = at::nonzero(read(in[1]).flatten()).squeeze(1);
  const std::int64_t b = arrangement.batch, masked = in[1].layout.rank();
  write(out, read(in[0]).flatten(b, b + masked - 1).index_select(b, places));
}

void scan(Fold fold, const View& in, const View& out) {
  switch (fold) {
    case Fold::set: break;
    case Fold::sum: {
      const Tensor x = read(in);
      return write(out, at::cumsum(x, -1, x.scalar_type()));
    }
    case Fold::prod: {
      const Tensor x = read(in);
      return write(out, at::cumprod(x, -1, x.scalar_type()));
    }
    case Fold::min: return write(out, std::get<0>(at::cummin(read(in), -1)));
    case Fold::max: return write(out, std::get<0>(at::cummax(read(in), -1)));
  }
}

void sort(const Arrangement& arrangement, const View& in, std::span<const View> out) {
  const auto [values, places] = at::sort(read(in), true, -1, arrangement.descending);
  if (arrangement.values) write(out[0], values);
  if (arrangement.places) write(out.back(), places);
}

/// LibTorch's search takes NaN for less than all; here it is more.
void search(bool right, const View& line, const View& view, const View& out) {
  Tensor sorted = read(line).contiguous();
  const Tensor values = read(view).contiguous();
  if (!at::isFloatingType(sorted.scalar_type()))
    return write(out, at::searchsorted(sorted, values, false, right));
  const Tensor numbers = sorted.isnan().logical_not_().sum();
  sorted = sorted.nan_to_num(infinity, infinity, -infinity);
  const Tensor found = at::searchsorted(sorted, values, false, right).minimum(numbers);
  const Tensor end = right ? at::full_like(numbers, sorted.numel()) : numbers;
  write(out, at::where(at::isnan(values), end, found));
}

void extremum(Fold fold, const View& in, const View& out) {
  Tensor x = read(in);
  if (x.scalar_type() == at::kBool) x = x.to(at::kByte);
  write(out, fold == Fold::min ? at::argmin(x, -1) : at::argmax(x, -1));
}

}  // namespace

std::optional<BadIndex> replay_arrange(const Arrangement& arrangement, std::span<const View> in,
                                       std::span<const View> out) {
  const at::AutoDispatchBelowADInplaceOrView no_autograd;
  switch (arrangement.kind) {
    case Kind::gather: return gather(arrangement, in, out[0]);
    case Kind::scatter: return scatter(arrangement, in, out[0]);
    case Kind::compress: compress(arrangement, in, out[0]); break;
    case Kind::nonzero: {
      const Tensor places = at::nonzero(read(in[0]));
      for (std::size_t k = 0; k < out.size(); ++k)
        write(out[k], places.select(1, static_cast<std::int64_t>(k)));
      break;
    }
    case Kind::scan: scan(arrangement.fold, in[0], out[0]); break;
    case Kind::sort: sort(arrangement, in[0], out); break;
    case Kind::search: search(arrangement.right, in[0], in[1], out[0]); break;
    case Kind::extremum: extremum(arrangement.fold, in[0], out[0]); break;
  }
  return std::nullopt;
}

}  // namespace isofield::torch_backend
