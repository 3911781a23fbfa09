// Which recording of a function serves a call.

#include <algorithm>
#include <isofield/transforms.hpp>
#include <mutex>

#include "core/transform.hpp"
#include "transforms/trace.hpp"

namespace isofield::detail {

struct Traces::State {
  /// A function that is called with ever new shapes must not keep memory for each.
  static constexpr std::size_t most_traces = 64;

  std::mutex mutex;                            // held through a replay
  std::vector<std::unique_ptr<Trace>> traces;  // the one used last comes first
  int count = 0;

  Trace& find(const Function& function, const Arguments& arguments) {
    if (!traces.empty() && traces.front()->fits(arguments)) return *traces.front();
    auto found = std::find_if(traces.begin(), traces.end(),
                              [&](const auto& t) { return t->fits(arguments); });
    if (found == traces.end()) {
      auto made = std::make_unique<Trace>(function, arguments);
      ++count;
      if (traces.size() == most_traces) traces.pop_back();
      traces.push_back(std::move(made));
      found = traces.end() - 1;
    }
    std::rotate(traces.begin(), found, found + 1);
    return *traces.front();
  }
};

namespace {

/// Whether a call is a part of something larger: of a trace, or of a function that is transformed.
bool is_inside(const Traces::Arguments& arguments) {
  if (tracer()) return true;
  return transform_depth > 0 &&
         std::any_of(arguments.list.begin(), arguments.list.end(),
                     [](const UnifiedArray* a) { return a->node() && a->node()->wrapped; });
}

/// Run a function as a part of the trace that its caller is in.
std::vector<UnifiedArray> run_inside(const Traces::Function& function,
                                     const Traces::Arguments& arguments) {
  std::vector<UnifiedArray> list;
  list.reserve(arguments.list.size());
  for (const UnifiedArray* a : arguments.list) list.push_back(*a);
  return function(list);
}

/// Whether nobody else holds an array, and it lies as it would be allocated.
bool is_to_give(const Node& node) {
  return node.is_leaf() && node.refs.load(std::memory_order_acquire) == 1 &&
         node.storage->users() == 1 && !node.storage->foreign && node.offset == 0 &&
         node.strides == contiguous_strides(node.shape);
}

/// The arguments that are fit for a replay; given away is only what nobody else holds.
Traces::Arguments checked(const Traces::Arguments& arguments) {
  Traces::Arguments result = arguments;
  for (std::size_t i = 0; i < arguments.list.size(); ++i) {
    const Node* const node = arguments.list[i]->node().get();
    if (!node) throw Error("jit: argument " + std::to_string(i) + " was moved from");
    if (node->symbolic) throw_escaped();
    const std::uint64_t bit = i < 64 ? std::uint64_t{1} << i : 0;
    if ((result.donated & bit) && !is_to_give(*node)) result.donated &= ~bit;
  }
  return result;
}

}  // namespace

Traces::Traces() : state_(std::make_shared<State>()) {}

std::vector<UnifiedArray> Traces::call(const Function& function, const Arguments& arguments) const {
  if (is_inside(arguments)) return run_inside(function, arguments);
  const std::lock_guard lock(state_->mutex);
  const Arguments given = checked(arguments);
  Trace& trace = state_->find(function, given);
  Trace::Replay replay(trace, given);
  std::vector<UnifiedArray> results;
  results.reserve(trace.result_count());
  for (std::size_t i = 0; i < trace.result_count(); ++i) results.emplace_back(replay.result(i));
  return results;
}

void Traces::call(const Function& function, const Arguments& arguments,
                  std::span<NodePtr> results) const {
  if (is_inside(arguments)) {
    const std::vector<UnifiedArray> list = run_inside(function, arguments);
    for (std::size_t i = 0; i < results.size(); ++i) results[i] = list[i].node();
    return;
  }
  const std::lock_guard lock(state_->mutex);
  const Arguments given = checked(arguments);
  Trace::Replay replay(state_->find(function, given), given);
  for (std::size_t i = 0; i < results.size(); ++i) results[i] = replay.result(i);
}

std::vector<UnifiedArray> TracedFunction::operator()(
    std::span<const UnifiedArray> arguments) const {
  std::vector<const UnifiedArray*> list;
  list.reserve(arguments.size());
  for (const auto& a : arguments) list.push_back(&a);
  return traces_.call(function_, {list});
}

int Traces::count() const {
  const std::lock_guard lock(state_->mutex);
  return state_->count;
}

}  // namespace isofield::detail
