#pragma once

#include <isofield/host.hpp>
#include <type_traits>

namespace isofield::host {

/// Call `body(i)` for every i in [0, pieces), on the executor's threads if that is worth while.
template <class F>
void for_pieces(std::int64_t pieces, bool parallel, Executor& executor, F&& body) {
  if (!parallel || pieces < 2 || executor.concurrency() < 2) {
    for (std::int64_t i = 0; i < pieces; ++i) body(i);
    return;
  }
  using Body = std::remove_reference_t<F>;
  executor.parallel_for(
      pieces, [](void* context, std::int64_t i) { (*static_cast<Body*>(context))(i); }, &body);
}

}  // namespace isofield::host
