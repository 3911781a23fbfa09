#include "transforms/trace.hpp"

#include <algorithm>
#include <isofield/registry.hpp>

namespace isofield::detail {
namespace {

StoragePtr symbolic_storage(BaseBackend& backend, std::size_t bytes) {
  StoragePtr storage(new Storage);
  storage->backend = &backend;
  storage->bytes = bytes;
  storage->symbolic = true;
  return storage;
}

void take_owner(Storage& to, const Storage& from) {
  if (to.owner || from.owner) to.owner = from.owner;  // counting costs, and few have one
}

}  // namespace

Trace::Trace(const Traces::Function& function, const Arguments& arguments) {
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

void Trace::record(Step step) {
  for (const auto* views : {&step.in, &step.out})
    for (const auto& v : *views) {
      if (!v.storage->symbolic)  // memory of captured arrays stays as long as the trace does
        constants_.insert(StoragePtr::share(v.storage));
      else if (!own_.contains(v.storage))
        throw_escaped();
    }
  steps_.push_back(std::move(step));
}

StoragePtr Trace::allocate(BaseBackend& backend, std::size_t bytes) {
  temporaries_.push_back(symbolic_storage(backend, bytes));
  own_.insert(temporaries_.back().get());
  return temporaries_.back();
}

bool Trace::fits(const Arguments& arguments) const {
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

Trace::Source Trace::source_of(const Storage& storage) {
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

Trace::Replay::Replay(Trace& trace, const Arguments& arguments) : release_{trace} {
  for (std::size_t i = 0; i < trace.inputs_.size(); ++i) {
    Input& input = trace.inputs_[i];
    const Node* node = arguments.list[i]->node().get();
    if (!node->is_leaf() || node->strides != input.layout.strides) {
      copies_.push_back(contiguous(arguments.list[i]->node()));
      node = copies_.back().get();
    }
    input.node = node;
    input.storage->data =
        static_cast<std::byte*>(node->storage->data) + node->offset * input.itemsize;
    take_owner(*input.storage, *node->storage);
  }
  for (Made& made : trace.escaping_) {
    const bool given = made.donor >= 0 && ((arguments.donated >> made.donor) & 1);
    made.memory = given ? trace.inputs_[static_cast<std::size_t>(made.donor)].node->storage
                        : made.storage->backend->allocate(made.storage->bytes);
    made.storage->data = made.memory->data;
    take_owner(*made.storage, *made.memory);
  }
  for (const Step& step : trace.steps_) step.run();
}

NodePtr Trace::Replay::result(std::size_t i) {
  Trace& trace = release_.trace;
  const Output& o = trace.outputs_[i];
  switch (o.source.kind) {
    case Source::Kind::input: {
      const Node& node = *trace.inputs_[o.source.index].node;
      Layout layout = o.layout;
      layout.offset += node.offset;
      return make_leaf(node.storage, o.dtype, layout);
    }
    case Source::Kind::made: {
      StoragePtr& memory = trace.escaping_[o.source.index].memory;
      return make_leaf(o.last ? std::move(memory) : memory, o.dtype, o.layout);
    }
    case Source::Kind::constant: break;
  }
  return make_leaf(o.storage, o.dtype, o.layout);
}

Trace::Replay::Release::~Release() {
  for (auto& input : trace.inputs_)
    if (input.storage->owner) input.storage->owner.reset();
  for (auto& made : trace.escaping_) {
    made.memory.reset();
    if (made.storage->owner) made.storage->owner.reset();
  }
}

}  // namespace isofield::detail
