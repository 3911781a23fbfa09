#include "program/host_arrange.hpp"

#include <algorithm>

namespace isofield::host {

void Walk::add(std::int64_t length, std::span<const std::int64_t> strides, bool join) {
  size_ *= length;
  if (length == 1 && join) return;
  if (join && !axes_.empty()) {
    Axis& last = axes_.back();
    bool even = true;
    for (std::size_t k = 0; k < strides.size(); ++k)
      even = even && last.strides[k] == strides[k] * length;
    if (even) {
      last.length *= length;
      std::copy(strides.begin(), strides.end(), last.strides.begin());
      return;
    }
  }
  axes_.push_back({length, {}});
  std::copy(strides.begin(), strides.end(), axes_.back().strides.begin());
}

void Walk::add(const Layout& a, const Layout& b, int from, int to) {
  for (int k = from; k < to; ++k) add(a.shape[k], std::array{a.strides[k], b.strides[k]});
}

std::int64_t Walk::offset(int k, std::int64_t place) const {
  std::int64_t result = 0;
  for (std::size_t a = axes_.size(); a-- > 0;) {
    result += place % axes_[a].length * axes_[a].strides[static_cast<std::size_t>(k)];
    place /= axes_[a].length;
  }
  return result;
}

Walk Walk::without_last() const {
  Walk result = *this;
  if (axes_.empty()) return result;
  result.size_ = axes_.back().length == 0 ? 0 : size_ / axes_.back().length;
  result.axes_.pop_back();
  return result;
}

LinesWalk::LinesWalk(const Layout& in, const Layout& out, int out_rank) {
  const int last = in.rank() - 1;
  across.add(in, out, 0, last);
  n = in.shape[last];
  in_step = in.strides[last];
  out_step = out_rank == in.rank() ? out.strides[last] : 0;
}

std::optional<BadIndex> arrange(const Arrangement& arrangement, std::span<const View> in,
                                std::span<const View> out, Executor& executor) {
  switch (arrangement.kind) {
    case Arrangement::Kind::gather: return gather(arrangement, in, out[0], executor);
    case Arrangement::Kind::scatter: return scatter(arrangement, in, out[0]);
    case Arrangement::Kind::compress: compress(arrangement, in[0], in[1], out[0], executor); break;
    case Arrangement::Kind::nonzero: nonzero(in[0], out, executor); break;
    case Arrangement::Kind::scan: scan(arrangement, in[0], out[0], executor); break;
    case Arrangement::Kind::sort: sort(arrangement, in[0], out, executor); break;
    case Arrangement::Kind::search: search(arrangement, in[0], in[1], out[0], executor); break;
    case Arrangement::Kind::extremum: extremum(arrangement, in[0], out[0], executor); break;
  }
  return std::nullopt;
}

}  // namespace isofield::host
