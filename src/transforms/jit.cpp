// Tracing: while a function runs under a tracer, its steps are recorded on memory that does not
// exist yet. A replay puts addresses there and makes the steps again.

#include <algorithm>
#include <isofield/ops.hpp>
#include <isofield/registry.hpp>
#include <isofield/transforms.hpp>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "core/node.hpp"
#include "core/step.hpp"

namespace isofield::detail {
namespace {

StoragePtr symbolic_storage(BaseBackend& backend, std::size_t bytes) {
  auto storage = std::make_shared<Storage>();
  storage->backend = &backend;
  storage->bytes = bytes;
  storage->symbolic = true;
  return storage;
}

void take_owner(Storage& to, const Storage& from) {
  if (to.owner || from.owner) to.owner = from.owner;  // counting costs, and few have one
}

/// A program without the outputs that nobody reads, and without what only they needed.
std::shared_ptr<const Program> pruned(const Program& program, const std::vector<bool>& keep) {
  auto result = std::make_shared<Program>();
  result->rank = program.rank;
  result->inputs = program.inputs;
  result->leaves = program.leaves;
  result->immediates = program.immediates;
  result->reduction = program.reduction;
  std::vector<bool> live(program.code.size(), false);
  const auto mark = [&](Program::Value v) {
    if (v.source == Program::Source::result) live[v.index] = true;
  };
  for (std::size_t o = 0; o < keep.size(); ++o)
    if (keep[o]) mark(program.outputs[o]);
  for (std::size_t i = program.code.size(); i-- > 0;) {
    if (!live[i]) continue;
    for (int k = 0; k < info(program.code[i].op).arity; ++k)
      mark(program.code[i].operands[static_cast<std::size_t>(k)]);
  }
  std::vector<std::uint16_t> moved(program.code.size());
  const auto renamed = [&](Program::Value v) {
    if (v.source == Program::Source::result) v.index = moved[v.index];
    return v;
  };
  for (std::size_t i = 0; i < program.code.size(); ++i) {
    if (!live[i]) continue;
    auto instruction = program.code[i];
    for (auto& operand : instruction.operands) operand = renamed(operand);
    moved[i] = static_cast<std::uint16_t>(result->code.size());
    result->code.push_back(instruction);
  }
  for (std::size_t o = 0; o < keep.size(); ++o)
    if (keep[o]) result->outputs.push_back(renamed(program.outputs[o]));
  return result;
}

using Arguments = Traces::Arguments;

/// One recorded run of a function.
class Trace final : public Tracer {
 public:
  Trace(const Traces::Function& function, const Arguments& arguments) {
    if (arguments.list.empty()) default_ = &default_backend();
    std::vector<UnifiedArray> symbols;
    for (const UnifiedArray* a : arguments.list) {
      const auto size = itemsize(a->dtype());
      auto storage = symbolic_storage(a->backend(), static_cast<std::size_t>(a->size()) * size);
      storage->foreign = true;  // the caller's memory: written to only after a copy
      own_.insert(storage.get());
      symbols.emplace_back(make_leaf(storage, a->dtype(), Layout(a->shape())));
      inputs_.push_back({std::move(storage), &a->backend(), a->dtype(), Layout(a->shape()),
                         static_cast<std::int64_t>(size), nullptr});
    }
    const ScopedTracer scope(this);
    const std::vector<UnifiedArray> results = function(symbols);
    std::vector<NodePtr> nodes;
    for (const auto& r : results) nodes.push_back(r.node());
    evaluate(nodes);
    for (const auto& node : nodes)
      outputs_.push_back({node->storage, node->dtype, node->layout(), source_of(*node->storage)});
    symbols.clear();
    own_.clear();
    finish();
  }

  void record(Step step) override {
    for (const auto* views : {&step.in, &step.out})
      for (const auto& v : *views) {
        if (!v.storage->symbolic)  // memory of captured arrays stays as long as the trace does
          constants_.insert(v.storage->shared_from_this());
        else if (!own_.contains(v.storage))
          throw_escaped();
      }
    steps_.push_back(std::move(step));
  }

  StoragePtr allocate(BaseBackend& backend, std::size_t bytes) override {
    temporaries_.push_back(symbolic_storage(backend, bytes));
    own_.insert(temporaries_.back().get());
    return temporaries_.back();
  }

  bool fits(const Arguments& arguments) const {
    if (arguments.list.size() != inputs_.size()) return false;
    if (arguments.list.empty()) return default_ == &default_backend();
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const Node& node = *arguments.list[i]->node();
      const Input& input = inputs_[i];
      if (node.backend != input.backend || node.dtype != input.dtype ||
          node.shape != input.layout.shape)
        return false;
    }
    return true;
  }

  std::size_t result_count() const noexcept { return outputs_.size(); }

  /// Run the steps on `arguments`, which fit, and hand each result to `give`. One at a time.
  template <class Give>
  void replay(const Arguments& arguments, Give&& give) {
    std::vector<NodePtr> copies;  // of arguments that are not laid out as the trace was
    // Memory of arguments and results must not live until the next call.
    const struct Release {
      Trace& trace;
      ~Release() {
        for (auto& input : trace.inputs_) input.storage->owner.reset();
        for (auto& made : trace.escaping_) {
          made.memory.reset();
          made.storage->owner.reset();
        }
      }
    } release{*this};
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      Input& input = inputs_[i];
      const Node* node = arguments.list[i]->node().get();
      if (!node->is_leaf() || node->strides != input.layout.strides) {
        copies.push_back(contiguous(arguments.list[i]->node()));
        node = copies.back().get();
      }
      input.node = node;
      input.storage->data =
          static_cast<std::byte*>(node->storage->data) + node->offset * input.itemsize;
      take_owner(*input.storage, *node->storage);
    }
    for (auto& made : escaping_) {
      const bool given = made.donor >= 0 && ((arguments.donated >> made.donor) & 1);
      made.memory = given ? inputs_[static_cast<std::size_t>(made.donor)].node->storage
                          : made.storage->backend->allocate(made.storage->bytes);
      made.storage->data = made.memory->data;
      take_owner(*made.storage, *made.memory);
    }
    for (const auto& step : steps_) step.run();
    for (std::size_t i = 0; i < outputs_.size(); ++i) give(i, result(outputs_[i]));
  }

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

  NodePtr result(const Output& o) {
    switch (o.source.kind) {
      case Source::Kind::input: {
        const Node& node = *inputs_[o.source.index].node;
        Layout layout = o.layout;
        layout.offset += node.offset;
        return make_leaf(node.storage, o.dtype, layout);
      }
      case Source::Kind::made: {
        StoragePtr& memory = escaping_[o.source.index].memory;
        return make_leaf(o.last ? std::move(memory) : memory, o.dtype, o.layout);
      }
      case Source::Kind::constant: break;
    }
    return make_leaf(o.storage, o.dtype, o.layout);
  }

  Source source_of(const Storage& storage) {
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      if (inputs_[i].storage.get() == &storage) return {Source::Kind::input, i};
    if (!storage.symbolic) return {};
    for (std::size_t i = 0; i < escaping_.size(); ++i)
      if (escaping_[i].storage.get() == &storage) return {Source::Kind::made, i};
    for (const auto& t : temporaries_)
      if (t.get() == &storage) {
        escaping_.push_back({t, nullptr, -1});
        return {Source::Kind::made, escaping_.size() - 1};
      }
    throw_escaped();
  }

  void finish() {
    drop_unread();
    drop_copies();
    place_temporaries();
    place_results();
    std::vector<bool> handed_out(escaping_.size(), false);
    for (auto o = outputs_.rbegin(); o != outputs_.rend(); ++o) {
      if (o->source.kind != Source::Kind::made) continue;
      o->last = !handed_out[o->source.index];
      handed_out[o->source.index] = true;
    }
  }

  // From the end: a step counts if somebody reads what it writes.
  void drop_unread() {
    std::unordered_set<const Storage*> read;
    for (const auto& e : escaping_) read.insert(e.storage.get());
    std::vector<Step> kept;
    for (std::size_t i = steps_.size(); i-- > 0;) {
      Step& step = steps_[i];
      std::vector<bool> keep;
      for (const auto& v : step.out) keep.push_back(read.contains(v.storage));
      if (std::none_of(keep.begin(), keep.end(), [](bool k) { return k; })) continue;
      if (step.program) {
        const bool lines = step.kind == Step::Kind::tridiagonal;
        if (lines || step.program->reduction) keep[0] = true;
        if (std::find(keep.begin(), keep.end(), false) != keep.end()) {
          // The first outputs may be computed inside of the step, and the step's first be its own.
          std::vector<bool> outputs(step.program->outputs.size() + lines - keep.size(), true);
          outputs.insert(outputs.end(), keep.begin() + lines, keep.end());
          step.program = pruned(*step.program, outputs);
          for (std::size_t o = keep.size(); o-- > 0;)
            if (!keep[o]) step.out.erase(step.out.begin() + static_cast<std::ptrdiff_t>(o));
        }
      }
      for (const auto& v : step.in) read.insert(v.storage);
      kept.push_back(std::move(step));
    }
    std::reverse(kept.begin(), kept.end());
    steps_ = std::move(kept);
  }

  /// A look at a storage by a step.
  struct Access {
    std::size_t step;
    View* view;
    bool writes;
  };
  using Accesses = std::unordered_map<const Storage*, std::vector<Access>>;

  // What is computed only to be copied into a part of something else is computed there: a value
  // that is assigned to a slice, or joined with others. From the end, so that what is copied twice
  // goes where it ends up.
  void drop_copies() {
    Accesses accesses;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      for (auto& v : steps_[i].in) accesses[v.storage].push_back({i, &v, false});
      for (auto& v : steps_[i].out) accesses[v.storage].push_back({i, &v, true});
    }
    std::unordered_set<const Storage*> own;
    for (const auto& t : temporaries_) own.insert(t.get());
    for (const auto& e : escaping_) own.erase(e.storage.get());
    std::vector<bool> gone(steps_.size(), false);
    for (std::size_t i = steps_.size(); i-- > 0;) {
      if (!own.contains(steps_[i].in.empty() ? nullptr : steps_[i].in[0].storage) ||
          !copies_whole(steps_[i]) || !may_lie_there(i, accesses))
        continue;
      const View to = steps_[i].out[0];
      const Storage* const from = steps_[i].in[0].storage;
      gone[i] = true;
      std::erase_if(accesses[to.storage], [i](const Access& a) { return a.step == i; });
      for (const Access& a : accesses[from]) {
        if (a.step == i) continue;
        a.view->storage = to.storage;
        a.view->layout.offset += to.layout.offset;
        accesses[to.storage].push_back(a);
      }
      accesses.erase(from);
    }
    std::size_t i = 0;
    std::erase_if(steps_, [&](const Step&) { return gone[i++]; });
  }

  /// Whether a step copies all of a storage, in order, to where it lies in order, too.
  static bool copies_whole(const Step& step) {
    if (step.kind != Step::Kind::program || !step.program->code.empty() ||
        step.program->reduction || step.in.size() != 1 || step.out.size() != 1)
      return false;
    const View &from = step.in[0], &to = step.out[0];
    return element_count(from.shape()) > 0 && to.storage->symbolic &&
           to.storage->backend == from.storage->backend && from.layout.offset == 0 &&
           from.layout.contiguous() && to.layout.contiguous() &&
           static_cast<std::size_t>(element_count(from.shape())) * itemsize(from.dtype) ==
               from.storage->bytes;
  }

  /// Whether what step i copies may lie where it copies it to from the beginning: nobody else looks
  /// at that place before the copy's source has been read for the last time.
  bool may_lie_there(std::size_t i, const Accesses& accesses) const {
    const View &from = steps_[i].in[0], &to = steps_[i].out[0];
    std::size_t first = i, last = i;
    for (const Access& a : accesses.at(from.storage)) {
      if (a.writes && a.step > i) return false;
      first = std::min(first, a.step);
      last = std::max(last, a.step);
    }
    const auto [begin, end] = to.layout.reach();
    for (const Access& a : accesses.at(to.storage)) {
      if (a.step == i || a.step < first || a.step > last) continue;
      if (element_count(a.view->shape()) == 0) continue;
      const auto [a_begin, a_end] = a.view->layout.reach();
      if (a_begin <= end && begin <= a_end) return false;
    }
    return true;
  }

  // Temporaries whose lives do not overlap share memory, allocated once for all replays.
  void place_temporaries() {
    struct Life {
      std::size_t first = SIZE_MAX, last = 0;
    };
    std::unordered_map<const Storage*, Life> lives;
    for (std::size_t i = 0; i < steps_.size(); ++i)
      for (const auto* views : {&steps_[i].in, &steps_[i].out})
        for (const auto& v : *views) {
          Life& life = lives[v.storage];
          life.first = std::min(life.first, i);
          life.last = std::max(life.last, i);
        }
    struct Slot {
      StoragePtr memory;
      std::size_t free_after;
    };
    std::vector<Slot> slots;
    std::vector<StoragePtr> used;
    std::vector<std::pair<std::size_t, StoragePtr>> order;
    for (const auto& t : temporaries_) {
      const auto life = lives.find(t.get());
      const bool escapes = std::any_of(escaping_.begin(), escaping_.end(),
                                       [&](const Made& made) { return made.storage == t; });
      if (life == lives.end()) continue;
      used.push_back(t);
      if (!escapes) order.emplace_back(life->second.first, t);
    }
    std::sort(order.begin(), order.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [first, t] : order) {
      Slot* best = nullptr;
      for (auto& s : slots)
        if (s.free_after < first && s.memory->backend == t->backend &&
            s.memory->bytes >= t->bytes && s.memory->bytes <= 2 * t->bytes + 4096 &&
            (!best || s.memory->bytes < best->memory->bytes))
          best = &s;
      if (!best) {
        slots.push_back({t->backend->allocate(t->bytes), 0});
        best = &slots.back();
      }
      best->free_after = lives[t.get()].last;
      t->data = best->memory->data;
      t->owner =
          best->memory->owner ? best->memory->owner : std::static_pointer_cast<void>(best->memory);
    }
    for (auto& s : slots) memory_.push_back(std::move(s.memory));
    temporaries_ = std::move(used);
  }

  // Which argument's memory a result may take, if that is given away: one that is read for the last
  // time before.
  void place_results() {
    for (std::size_t i = 0; i < inputs_.size() && i < 64; ++i) {
      const Input& input = inputs_[i];
      const bool returned = std::any_of(outputs_.begin(), outputs_.end(), [&](const Output& o) {
        return o.source.kind == Source::Kind::input && o.source.index == i;
      });
      if (returned) continue;
      for (Made& made : escaping_) {
        if (made.donor >= 0 || made.storage->bytes != input.storage->bytes ||
            made.storage->backend != input.backend || !can_take(made, input))
          continue;
        made.donor = static_cast<int>(i);
        break;
      }
    }
  }

  bool can_take(const Made& made, const Input& input) const {
    const auto has = [](const std::vector<View>& views, const StoragePtr& storage) {
      return std::any_of(views.begin(), views.end(),
                         [&](const View& v) { return v.storage == storage.get(); });
    };
    bool written = false;
    for (const Step& step : steps_) {
      const bool reads = has(step.in, input.storage), writes = has(step.out, made.storage);
      if (reads && (written || (writes && !is_elementwise(step, input.storage.get()))))
        return false;
      written = written || writes;
    }
    return true;
  }

  /// Whether a step writes each element of its one result after its last look at that of `read`.
  static bool is_elementwise(const Step& step, const Storage* read) {
    if (step.kind != Step::Kind::program || step.out.size() != 1 || step.program->reduction)
      return false;
    for (const auto& leaf : step.program->leaves)
      if (!leaf.shifts.empty()) return false;
    return std::all_of(step.in.begin(), step.in.end(), [&](const View& v) {
      return v.storage != read ||
             (v.layout.strides == step.out[0].layout.strides && v.layout.offset == 0 &&
              itemsize(v.dtype) == itemsize(step.out[0].dtype));
    });
  }

  BaseBackend* default_ = nullptr;  // of a function without arguments
  std::vector<Input> inputs_;
  std::vector<Made> escaping_;
  std::vector<StoragePtr> temporaries_, memory_;
  std::unordered_set<StoragePtr> constants_;
  std::unordered_set<const Storage*> own_;  // symbolic storages of this trace, while it is made
  std::vector<Output> outputs_;
  std::vector<Step> steps_;
};

}  // namespace

struct Traces::State {
  /// A function that is called with ever new shapes must not keep memory for each.
  static constexpr std::size_t most_traces = 64;

  std::mutex mutex;  // held through a replay: a trace has one set of temporaries
  std::vector<std::unique_ptr<Trace>> traces;  // the one used last comes first
  int count = 0;

  Trace& find(const Function& function, const Arguments& arguments) {
    for (std::size_t i = 0; i < arguments.list.size(); ++i) {
      const Node* const node = arguments.list[i]->node().get();
      if (!node) throw Error("jit: argument " + std::to_string(i) + " was moved from");
      if (node->symbolic) throw_escaped();
    }
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

/// Run a function as a part of the trace that its caller is in.
std::vector<UnifiedArray> run_inside(const Traces::Function& function, const Arguments& arguments) {
  std::vector<UnifiedArray> list;
  list.reserve(arguments.list.size());
  for (const UnifiedArray* a : arguments.list) list.push_back(*a);
  return function(list);
}

}  // namespace

Traces::Traces() : state_(std::make_shared<State>()) {}

// Only what nobody else holds, as it would be allocated, is anybody's to give.
static Arguments owned(const Arguments& arguments) {
  Arguments result = arguments;
  for (std::size_t i = 0; result.donated && i < arguments.list.size() && i < 64; ++i) {
    const std::uint64_t bit = std::uint64_t{1} << i;
    if (!(arguments.donated & bit)) continue;
    const Node* const node = arguments.list[i]->node().get();
    if (!node || !node->is_leaf() || node->refs.load(std::memory_order_acquire) != 1 ||
        node->storage.use_count() != 1 || node->storage->foreign || node->offset != 0 ||
        node->strides != contiguous_strides(node->shape))
      result.donated &= ~bit;
  }
  return result;
}

std::vector<UnifiedArray> Traces::call(const Function& function, const Arguments& arguments) const {
  if (tracer()) return run_inside(function, arguments);
  const std::lock_guard lock(state_->mutex);
  const Arguments given = owned(arguments);
  Trace& trace = state_->find(function, given);
  std::vector<UnifiedArray> results;
  results.reserve(trace.result_count());
  trace.replay(given, [&](std::size_t, NodePtr node) { results.emplace_back(std::move(node)); });
  return results;
}

void Traces::call(const Function& function, const Arguments& arguments,
                  std::span<NodePtr> results) const {
  if (tracer()) {
    const std::vector<UnifiedArray> list = run_inside(function, arguments);
    for (std::size_t i = 0; i < results.size(); ++i) results[i] = list[i].node();
    return;
  }
  const std::lock_guard lock(state_->mutex);
  const Arguments given = owned(arguments);
  state_->find(function, given).replay(given, [&](std::size_t i, NodePtr node) {
    results[i] = std::move(node);
  });
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
