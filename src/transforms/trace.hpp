#pragma once

#include <isofield/transforms.hpp>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/node.hpp"
#include "core/step.hpp"

namespace isofield::detail {

/// One recorded run of a function: its steps, on memory that does not exist yet. A replay puts
/// addresses there and makes the steps again.
class Trace final : public Tracer {
 public:
  using Arguments = Traces::Arguments;
  Trace(const Traces::Function& function, const Arguments& arguments);

  void record(Step step) override;
  StoragePtr allocate(BaseBackend& backend, std::size_t bytes) override;

  /// Whether `arguments` are like those it was recorded with.
  bool fits(const Arguments& arguments) const;
  std::size_t result_count() const noexcept { return outputs_.size(); }

  /// One replay; a trace has one at a time, since it has one set of temporaries.
  class Replay;

 private:
  struct Source {
    enum class Kind { input, made, constant } kind = Kind::constant;
    std::size_t index = 0;
  };
  /// An argument, as it was traced.
  struct Input {
    StoragePtr storage;
    BaseBackend* backend;
    DType dtype;
    Layout layout;
    std::int64_t itemsize;
    const Node* node;  ///< in the replay under way
  };
  /// Memory that a replay makes and hands out.
  struct Made {
    StoragePtr storage;
    StoragePtr memory;  ///< of the replay under way
    int donor = -1;     ///< the argument whose memory it takes where that is given away
  };
  struct Output {
    StoragePtr storage;
    DType dtype;
    Layout layout;
    Source source;
    bool last = false;  ///< no later output lies in the same made memory
  };
  /// A look at a storage by a step.
  struct Access {
    std::size_t step;
    View* view;
    bool writes;
  };
  using Accesses = std::unordered_map<const Storage*, std::vector<Access>>;

  Source source_of(const Storage& storage);

  // What makes a recording quick to replay; see trace_passes.cpp.
  void finish();
  void drop_unread();
  void drop_copies();
  bool may_lie_there(std::size_t step, const Accesses& accesses) const;
  void place_temporaries();
  void place_results();
  bool can_take(const Made& made, const Input& input) const;

  BaseBackend* default_ = nullptr;  // of a function without arguments
  std::vector<Input> inputs_;
  std::vector<Made> escaping_;
  std::vector<StoragePtr> temporaries_, memory_;
  std::unordered_set<StoragePtr> constants_;
  std::unordered_set<const Storage*> own_;  // symbolic storages of this trace, while it is made
  std::vector<Output> outputs_;
  std::vector<Step> steps_;
};

class Trace::Replay {
 public:
  /// Run the steps on `arguments`, which fit.
  Replay(Trace& trace, const Arguments& arguments);
  /// Result i; each may be asked for once, in order.
  NodePtr result(std::size_t i);

 private:
  // Memory of arguments and results must not live until the next replay.
  struct Release {
    Trace& trace;
    ~Release();
  };
  Release release_;
  std::vector<NodePtr> copies_;  // of arguments that are not laid out as the trace was
};

}  // namespace isofield::detail
