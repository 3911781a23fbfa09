// What is done to a recording before it is replayed: what nobody reads goes, what is only copied is
// computed where it is copied to, and memory is shared.

#include <algorithm>
#include <isofield/ops.hpp>

#include "transforms/trace.hpp"

namespace isofield::detail {
namespace {

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

/// Whether a step copies all of a storage, in order, to where it lies in order, too.
bool copies_whole(const Step& step) {
  if (step.kind != Step::Kind::program || !step.program->code.empty() || step.program->reduction ||
      step.in.size() != 1 || step.out.size() != 1 || !step.program->leaves[0].shifts.empty())
    return false;
  const View &from = step.in[0], &to = step.out[0];
  return element_count(from.shape()) > 0 && to.storage->symbolic &&
         to.storage->backend == from.storage->backend && from.layout.offset == 0 &&
         from.layout.contiguous() && to.layout.contiguous() &&
         static_cast<std::size_t>(element_count(from.shape())) * itemsize(from.dtype) ==
             from.storage->bytes;
}

/// Whether a step writes each element of its one result after its last look at that of `read`.
bool is_elementwise(const Step& step, const Storage* read) {
  if (step.kind != Step::Kind::program || step.out.size() != 1 || step.program->reduction)
    return false;
  for (const auto& leaf : step.program->leaves)
    if (!leaf.shifts.empty()) return false;
  return std::all_of(step.in.begin(), step.in.end(), [&](const View& v) {
    return v.storage != read || (v.layout.strides == step.out[0].layout.strides &&
                                 v.layout.offset == step.out[0].layout.offset &&
                                 itemsize(v.dtype) == itemsize(step.out[0].dtype));
  });
}

}  // namespace

void Trace::finish() {
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
void Trace::drop_unread() {
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

// What is computed only to be copied into a part of something else is computed there: a value
// that is assigned to a slice, or joined with others. From the end, so that what is copied twice
// goes where it ends up.
void Trace::drop_copies() {
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

/// Whether what step i copies may lie where it copies it to from the beginning: nobody else looks
/// at that place before the copy's source has been read for the last time.
bool Trace::may_lie_there(std::size_t i, const Accesses& accesses) const {
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
void Trace::place_temporaries() {
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
      if (s.free_after < first && s.memory->backend == t->backend && s.memory->bytes >= t->bytes &&
          s.memory->bytes <= 2 * t->bytes + 4096 &&
          (!best || s.memory->bytes < best->memory->bytes))
        best = &s;
    if (!best) {
      slots.push_back({t->backend->allocate(t->bytes), 0});
      best = &slots.back();
    }
    best->free_after = lives[t.get()].last;
    t->data = best->memory->data;
    t->owner = best->memory->owner;
  }
  for (auto& s : slots) memory_.push_back(std::move(s.memory));
  temporaries_ = std::move(used);
}

// Which argument's memory a result may take, if that is given away: one that is read for the last
// time before.
void Trace::place_results() {
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

bool Trace::can_take(const Made& made, const Input& input) const {
  const auto has = [](const std::vector<View>& views, const StoragePtr& storage) {
    return std::any_of(views.begin(), views.end(),
                       [&](const View& v) { return v.storage == storage.get(); });
  };
  bool written = false;
  for (const Step& step : steps_) {
    const bool reads = has(step.in, input.storage), writes = has(step.out, made.storage);
    if (reads && (written || (writes && !is_elementwise(step, input.storage.get())))) return false;
    written = written || writes;
  }
  return true;
}

}  // namespace isofield::detail
