// Tracing: while a function runs under a tracer, its steps are recorded on memory that does not
// exist yet. A replay puts addresses there and makes the steps again.

#include <algorithm>
#include <atomic>
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

/// One recorded run of a function.
class Trace final : public Tracer {
 public:
  Trace(const Traces::Function& function, std::span<const UnifiedArray> arguments) {
    if (arguments.empty()) default_ = &default_backend();
    std::vector<UnifiedArray> symbols;
    for (const auto& a : arguments) {
      const auto bytes = static_cast<std::size_t>(a.size()) * itemsize(a.dtype());
      inputs_.push_back(symbolic_storage(a.backend(), bytes));
      own_.insert(inputs_.back().get());
      inputs_.back()->foreign = true;  // the caller's memory: written to only after a copy
      symbols.emplace_back(make_leaf(inputs_.back(), a.dtype(), Layout(a.shape())));
      shapes_.push_back(a.shape());
      dtypes_.push_back(a.dtype());
      backends_.push_back(&a.backend());
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

  bool fits(std::span<const UnifiedArray> arguments) const {
    if (arguments.size() != shapes_.size()) return false;
    if (arguments.empty()) return default_ == &default_backend();
    for (std::size_t i = 0; i < shapes_.size(); ++i)
      if (arguments[i].shape() != shapes_[i] || arguments[i].dtype() != dtypes_[i] ||
          &arguments[i].backend() != backends_[i])
        return false;
    return true;
  }

  std::vector<UnifiedArray> replay(std::span<const UnifiedArray> arguments) {
    const std::lock_guard lock(mutex_);
    std::vector<NodePtr> copies;  // of arguments that are not laid out as the trace was
    packed_.clear();
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const Node* node = arguments[i].node().get();
      if (!node->is_leaf() || !is_contiguous(node->shape, node->strides)) {
        copies.push_back(contiguous(arguments[i].node()));
        node = copies.back().get();
      }
      packed_.push_back(node);
      inputs_[i]->data = static_cast<std::byte*>(node->storage->data) +
                         node->offset * static_cast<std::int64_t>(itemsize(node->dtype));
      inputs_[i]->owner = node->storage->owner;
    }
    for (std::size_t i = 0; i < escaping_.size(); ++i) {
      made_[i] = escaping_[i]->backend->allocate(escaping_[i]->bytes);
      escaping_[i]->data = made_[i]->data;
      escaping_[i]->owner = made_[i]->owner;
    }
    for (const auto& step : steps_) step.run();
    // Memory of arguments and results must not live until the next call.
    for (auto& input : inputs_) input->owner.reset();
    for (auto& result : escaping_) result->owner.reset();
    std::vector<UnifiedArray> results;
    results.reserve(outputs_.size());
    for (const auto& o : outputs_) {
      switch (o.source.kind) {
        case Source::Kind::input: {
          const Node& node = *packed_[o.source.index];
          Layout layout = o.layout;
          layout.offset += node.offset;
          results.emplace_back(make_leaf(node.storage, o.dtype, std::move(layout)));
          break;
        }
        case Source::Kind::made:
          results.emplace_back(make_leaf(made_[o.source.index], o.dtype, o.layout));
          break;
        case Source::Kind::constant:
          results.emplace_back(make_leaf(o.storage, o.dtype, o.layout));
          break;
      }
    }
    for (auto& m : made_) m.reset();
    return results;
  }

 private:
  struct Source {
    enum class Kind { input, made, constant } kind = Kind::constant;
    std::size_t index = 0;
  };
  struct Output {
    StoragePtr storage;
    DType dtype;
    Layout layout;
    Source source;
  };

  Source source_of(const Storage& storage) {
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      if (inputs_[i].get() == &storage) return {Source::Kind::input, i};
    if (!storage.symbolic) return {};
    for (std::size_t i = 0; i < escaping_.size(); ++i)
      if (escaping_[i].get() == &storage) return {Source::Kind::made, i};
    for (const auto& t : temporaries_)
      if (t.get() == &storage) {
        escaping_.push_back(t);
        return {Source::Kind::made, escaping_.size() - 1};
      }
    throw_escaped();
  }

  void finish() {
    drop_unread();
    place_temporaries();
    made_.resize(escaping_.size());
  }

  // From the end: a step counts if somebody reads what it writes.
  void drop_unread() {
    std::unordered_set<const Storage*> read;
    for (const auto& e : escaping_) read.insert(e.get());
    std::vector<Step> kept;
    for (std::size_t i = steps_.size(); i-- > 0;) {
      Step& step = steps_[i];
      std::vector<bool> keep;
      for (const auto& v : step.out) keep.push_back(read.contains(v.storage));
      if (std::none_of(keep.begin(), keep.end(), [](bool k) { return k; })) continue;
      if (step.kind == Step::Kind::program) {
        if (step.program->reduction) keep[0] = true;
        if (std::find(keep.begin(), keep.end(), false) != keep.end()) {
          step.program = pruned(*step.program, keep);
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
      const bool escapes = std::find(escaping_.begin(), escaping_.end(), t) != escaping_.end();
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

  std::mutex mutex_;
  std::vector<Shape> shapes_;
  std::vector<DType> dtypes_;
  std::vector<BaseBackend*> backends_;
  BaseBackend* default_ = nullptr;  // of a function without arguments
  std::vector<StoragePtr> inputs_, temporaries_, escaping_, memory_;
  std::unordered_set<StoragePtr> constants_;
  std::unordered_set<const Storage*> own_;  // symbolic storages of this trace, while it is made
  std::vector<Output> outputs_;
  std::vector<Step> steps_;
  std::vector<const Node*> packed_;  // arguments of the replay under way
  std::vector<StoragePtr> made_;     // and the memory of its results
};

}  // namespace

struct Traces::State {
  std::mutex mutex;
  std::vector<std::unique_ptr<Trace>> traces;  // only ever added to
  std::atomic<Trace*> last = nullptr;          // the one used last, found without the lock
};

Traces::Traces() : state_(std::make_shared<State>()) {}

std::vector<UnifiedArray> Traces::call(const Function& function,
                                       std::span<const UnifiedArray> arguments) const {
  if (tracer()) return function(arguments);  // part of the outer trace
  for (const auto& a : arguments)
    if (a.node()->symbolic) throw_escaped();
  Trace* trace = state_->last.load(std::memory_order_acquire);
  if (!trace || !trace->fits(arguments)) {
    const std::lock_guard lock(state_->mutex);
    trace = nullptr;
    for (const auto& t : state_->traces)
      if (t->fits(arguments)) trace = t.get();
    if (!trace) {
      state_->traces.push_back(std::make_unique<Trace>(function, arguments));
      trace = state_->traces.back().get();
    }
    state_->last.store(trace, std::memory_order_release);
  }
  return trace->replay(arguments);
}

int Traces::count() const {
  const std::lock_guard lock(state_->mutex);
  return static_cast<int>(state_->traces.size());
}

}  // namespace isofield::detail
