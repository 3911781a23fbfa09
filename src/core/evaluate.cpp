// From pending expressions to programs: the graph below the wanted nodes is walked once into a
// short list of numbers, the key of the cache of programs; only a new key builds a program.

#include <algorithm>
#include <isofield/error.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "core/log.hpp"
#include "core/node.hpp"
#include "core/step.hpp"

namespace isofield::detail {
namespace {

using Key = std::vector<std::uint32_t>;

struct KeyHash {
  std::size_t operator()(const Key& key) const noexcept {
    std::uint64_t h = 0x9e3779b97f4a7c15u;
    for (const auto word : key) {
      h = (h ^ word) * 0xff51afd7ed558ccdu;
      h ^= h >> 32;
    }
    return h;
  }
};

std::uint64_t epoch = 0;

/// Programs by key. It is emptied when full: programs are small and quick to build again.
class ProgramCache {
 public:
  std::shared_ptr<const Program>& operator[](const Key& key) {
    if (programs_.size() >= capacity) programs_.clear();
    return programs_[key];
  }

 private:
  static constexpr std::size_t capacity = 4096;
  std::unordered_map<Key, std::shared_ptr<const Program>, KeyHash> programs_;
};
ProgramCache& cache() {
  static auto* instance = new ProgramCache;
  return *instance;
}

/// Inputs of nodes that have been computed, let go when nothing is locked: what they keep alive may
/// belong to somebody who computes while it goes.
class Dropped {
 public:
  Dropped() noexcept {}
  Dropped(const Dropped&) = delete;
  Dropped& operator=(const Dropped&) = delete;
  ~Dropped() { std::destroy_n(nodes_, count_); }
  void add(NodePtr node) { std::construct_at(nodes_ + count_++, std::move(node)); }
  static constexpr std::size_t most_outputs = 12 + 1;  // and a reduced node that is held

 private:
  union {
    NodePtr nodes_[3 * most_outputs];  // the first count_ are there: most evaluations drop few
  };
  std::size_t count_ = 0;
};

/// The part of the graph that one program computes. There is one object, whose lists keep their
/// memory from evaluation to evaluation.
class Region {
 public:
  /// Compute pending roots of one shape and backend; with a reduction there is one, which need not
  /// be pending, and the reduced leaf is returned.
  NodePtr run(std::span<Node* const> roots, std::optional<Reduction> reduction, Dropped& dropped) {
    start(roots, roots[0]->shape, reduction);
    for (Node* root : roots_) outputs_.push_back(root);
    choose_outputs();
    return run_program(dropped);
  }

  /// Let `kernel`, a step of another kind, compute `roots` where it reads them: leaves or pending,
  /// in elements of the kernel's shape.
  void run_inside(std::span<Node* const> roots, const Shape& shape, Step kernel, Dropped& dropped) {
    start(roots, shape, std::nullopt);
    inside_ = roots_.size();
    for (Node* root : roots_) outputs_.push_back(root);
    // What others hold of them is stored, too. The caller holds each once for every time it is
    // read.
    for (std::size_t i = 0; i < roots_.size(); ++i) {
      Node* const root = roots_[i];
      const bool seen = std::find(roots_.begin(), roots_.begin() + i, root) != roots_.begin() + i;
      const auto own = static_cast<std::uint32_t>(std::count(roots_.begin(), roots_.end(), root));
      if (!seen && root->kind.load(std::memory_order_relaxed) == Node::Kind::pointwise &&
          is_held(*root, own))
        outputs_.push_back(root);
    }
    choose_outputs();
    run_program_inside(std::move(kernel), dropped);
  }

 private:
  void start(std::span<Node* const> roots, const Shape& shape, std::optional<Reduction> reduction) {
    roots_ = roots;
    shape_ = shape;
    reduction_ = reduction;
    inside_ = 0;
    leaves_.clear();
    code_.clear();
    outputs_.clear();
    immediates_.clear();
    immediate_dtypes_.clear();
    operands_.clear();
    fills_.clear();
    ++epoch;
    for (Node* root : roots_) visit(*root);
  }

  /// Whether somebody holds a node who wants it stored: not this region, not a tape, and not those
  /// who asked for it, who hold it `own` times.
  static bool is_held(const Node& node, std::uint32_t own) {
    return node.refs.load(std::memory_order_relaxed) >
           node.inner_refs + own + node.kept.load(std::memory_order_relaxed);
  }

  // Operand words: source in the two highest bits.
  static constexpr std::uint32_t leaf_bit = 0, immediate_bit = 1u << 30, result_bit = 2u << 30;
  static constexpr std::uint32_t index_mask = (1u << 30) - 1;

  void visit(Node& node) {
    if (node.mark == epoch) return;
    node.mark = epoch;
    node.inner_refs = 0;
    switch (node.kind.load(std::memory_order_relaxed)) {
      case Node::Kind::leaf:
      case Node::Kind::shifted:
        node.id = leaf_bit | static_cast<std::uint32_t>(leaves_.size());
        leaves_.push_back(&node);
        return;
      case Node::Kind::chosen:  // never here: expressions gather what they are made of
      case Node::Kind::pointwise: break;
    }
    for (int k = 0; k < node.arity(); ++k)
      if (node.in[k]) {
        visit(*node.in[k]);
        ++node.in[k]->inner_refs;
      }
    node.id = result_bit | static_cast<std::uint32_t>(code_.size());
    code_.push_back(&node);
  }

  DType compute_dtype(const Node& node) const {
    if (node.op == Op::where) return node.dtype;
    if (node.in[0]) return node.in[0]->dtype;
    if (node.arity() > 1 && node.in[1]) return node.in[1]->dtype;
    return node.dtype;
  }

  std::uint32_t immediate(Scalar value, DType dtype) {
    for (std::size_t i = 0; i < immediates_.size(); ++i)
      if (immediate_dtypes_[i] == dtype && identical(immediates_[i], value))
        return immediate_bit | static_cast<std::uint32_t>(i);
    immediates_.push_back(value);
    immediate_dtypes_.push_back(dtype);
    return immediate_bit | static_cast<std::uint32_t>(immediates_.size() - 1);
  }

  std::uint32_t operand(const Node& node, int k) {
    if (node.in[k]) return node.in[k]->id;
    return immediate(node.scalar[k],
                     node.op == Op::where && k == 0 ? DType::bool_ : compute_dtype(node));
  }

  // Besides what is wanted, keep what somebody still holds, so that nothing is computed twice.
  void choose_outputs() {
    for (Node* node : code_) {
      const bool root = std::find(roots_.begin(), roots_.end(), node) != roots_.end();
      if (root || outputs_.size() >= Dropped::most_outputs - 1 + inside_) continue;
      if (is_held(*node, 0) && node->shape == shape()) outputs_.push_back(node);
    }
    // A reduced root is stored too if it is held by more than the caller.
    if (reduction_ && roots_[0]->kind.load() == Node::Kind::pointwise && is_held(*roots_[0], 1))
      outputs_.push_back(roots_[0]);
  }

  const Shape& shape() const { return shape_; }

  NodePtr run_program(Dropped& dropped);
  void run_program_inside(Step kernel, Dropped& dropped);
  void set_step();
  void publish_outputs(std::size_t from, Dropped& dropped);
  void make_key();
  std::shared_ptr<const Program> build() const;
  Program::Value value(std::uint32_t word, const std::vector<Program::Value>& results) const;

  std::span<Node* const> roots_;
  Shape shape_;
  std::optional<Reduction> reduction_;
  std::size_t inside_ = 0;  // so many outputs are computed inside of another kernel
  std::vector<Node*> leaves_, code_, outputs_;
  std::vector<Scalar> immediates_;
  std::vector<DType> immediate_dtypes_;
  std::vector<std::array<std::uint32_t, 3>> operands_;  // words of each instruction
  std::vector<std::uint32_t> fills_;                    // words of constant shifts, in order
  Key key_;
  Step step_;
  std::vector<StoragePtr> storages_;
};

void Region::make_key() {
  Key& key = key_;
  key.clear();
  key.push_back(static_cast<std::uint32_t>(shape().size()));
  key.push_back(reduction_ ? 1u + static_cast<std::uint32_t>(reduction_->op) : 0u);
  key.push_back(reduction_ ? reduction_->axes : 0u);
  key.push_back(static_cast<std::uint32_t>(leaves_.size()));
  for (Node* leaf : leaves_) {
    key.push_back(static_cast<std::uint32_t>(leaf->dtype) |
                  static_cast<std::uint32_t>(leaf->shifts.size()) << 8);
    for (const auto& s : leaf->shifts) {
      key.push_back(static_cast<std::uint32_t>(s.axis.axis) |
                    static_cast<std::uint32_t>(s.axis.boundary) << 8);
      key.push_back(static_cast<std::uint32_t>(s.axis.offset));
      key.push_back(static_cast<std::uint32_t>(s.axis.offset >> 32));
      if (s.axis.boundary != Boundary::constant) continue;
      fills_.push_back(immediate(s.fill, leaf->dtype));
      key.push_back(fills_.back());
    }
  }
  for (Node* node : code_) {
    std::array<std::uint32_t, 3> words{};
    const int n = node->arity();
    key.push_back(static_cast<std::uint32_t>(node->op) |
                  static_cast<std::uint32_t>(node->dtype) << 8 |
                  static_cast<std::uint32_t>(compute_dtype(*node)) << 16);
    for (int k = 0; k < n; ++k) {
      words[static_cast<std::size_t>(k)] = operand(*node, k);
      key.push_back(words[static_cast<std::size_t>(k)]);
    }
    operands_.push_back(words);
  }
  for (const auto d : immediate_dtypes_) key.push_back(static_cast<std::uint32_t>(d));
  for (Node* output : outputs_) key.push_back(output->id);
}

Program::Value Region::value(std::uint32_t word, const std::vector<Program::Value>& results) const {
  const auto index = word & index_mask;
  switch (word & ~index_mask) {
    case immediate_bit: return {Program::Source::immediate, static_cast<std::uint16_t>(index)};
    case result_bit: return results[index];
    default: return {Program::Source::leaf, static_cast<std::uint16_t>(index)};
  }
}

std::shared_ptr<const Program> Region::build() const {
  auto program = std::make_shared<Program>();
  program->rank = shape().size();
  program->reduction = reduction_;
  program->immediates = immediate_dtypes_;
  auto fill = fills_.begin();
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    Program::Leaf leaf;
    leaf.input = static_cast<int>(i);
    for (const auto& s : leaves_[i]->shifts) {
      AxisShift shift = s.axis;
      if (shift.boundary == Boundary::constant) shift.fill = static_cast<int>(*fill++ & index_mask);
      leaf.shifts.push_back(shift);
    }
    program->inputs.push_back(leaves_[i]->dtype);
    program->leaves.push_back(std::move(leaf));
  }
  std::vector<Program::Value> results;
  for (std::size_t i = 0; i < code_.size(); ++i) {
    Program::Instruction instruction;
    instruction.op = code_[i]->op;
    instruction.compute = compute_dtype(*code_[i]);
    instruction.result = code_[i]->dtype;
    for (int k = 0; k < code_[i]->arity(); ++k)
      instruction.operands[static_cast<std::size_t>(k)] =
          value(operands_[i][static_cast<std::size_t>(k)], results);
    // The same instruction once.
    auto& code = program->code;
    const auto found = std::find(code.begin(), code.end(), instruction);
    const auto index = static_cast<std::uint16_t>(found - code.begin());
    if (found == code.end()) code.push_back(instruction);
    results.push_back({Program::Source::result, index});
  }
  for (Node* output : outputs_) program->outputs.push_back(value(output->id, results));
  return program;
}

/// Turn a computed node into a leaf and let its expression go.
void publish(Node& node, StoragePtr storage) {
  node.storage = std::move(storage);
  node.strides = contiguous_strides(node.shape);
  node.offset = 0;
  node.weight.store(1, std::memory_order_relaxed);
  node.shifts.clear();
  node.kind.store(Node::Kind::leaf, std::memory_order_release);
}

Shape reduced_shape(const Shape& shape, std::uint32_t axes) {
  Shape result = shape;
  for (int k = 0; k < shape.size(); ++k)
    if ((axes >> k) & 1) result[k] = 1;
  return result;
}

// The program, its inputs and immediates.
void Region::set_step() {
  make_key();
  auto& program = cache()[key_];
  if (!program) {
    program = build();
    if (logs(LogLevel::debug)) log(LogLevel::debug, "a new program\n" + program->to_string());
  }
  step_.kind = Step::Kind::program;
  step_.backend = roots_[0]->backend;
  step_.program = program;
  step_.shape = shape();
  step_.immediates = immediates_;
  step_.in.clear();
  step_.out.clear();
  storages_.clear();
  for (Node* leaf : leaves_) {
    const Node& data = leaf->kind.load() == Node::Kind::shifted ? *leaf->in[0] : *leaf;
    if (data.shape == shape())
      step_.in.push_back({data.storage.get(), data.dtype, data.layout()});
    else
      step_.in.push_back({data.storage.get(), data.dtype, data.layout().broadcast(shape())});
  }
}

// All before inputs go: dropping them may free nodes of this region.
void Region::publish_outputs(std::size_t from, Dropped& dropped) {
  for (std::size_t o = from; o < outputs_.size(); ++o) {
    Node& node = *outputs_[o];
    publish(node, std::move(storages_[o - inside_]));
    for (auto& in : node.in)
      if (in) dropped.add(std::move(in));
  }
  storages_.clear();
}

NodePtr Region::run_program(Dropped& dropped) {
  set_step();
  const bool symbolic = recorded(step_.in);
  const Shape small = reduction_ ? reduced_shape(shape(), reduction_->axes) : Shape{};
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    const Shape& s = reduction_ && o == 0 ? small : shape();
    storages_.push_back(make_storage(*step_.backend, s, outputs_[o]->dtype, symbolic));
    step_.out.push_back({storages_.back().get(), outputs_[o]->dtype, Layout(s)});
  }
  execute(std::move(step_));
  NodePtr reduced;
  if (reduction_) reduced = make_leaf(storages_[0], outputs_[0]->dtype, Layout(small));
  publish_outputs(reduction_ ? 1 : 0, dropped);
  return reduced;
}

void Region::run_program_inside(Step kernel, Dropped& dropped) {
  set_step();
  kernel.program = step_.program;
  kernel.shape = step_.shape;
  kernel.immediates = step_.immediates;
  kernel.in.insert(kernel.in.begin(), step_.in.begin(), step_.in.end());
  const bool symbolic = recorded(kernel.in);
  for (std::size_t o = inside_; o < outputs_.size(); ++o) {
    storages_.push_back(make_storage(*kernel.backend, shape(), outputs_[o]->dtype, symbolic));
    kernel.out.push_back({storages_.back().get(), outputs_[o]->dtype, Layout(shape())});
  }
  execute(std::move(kernel));
  publish_outputs(inside_, dropped);
}

Region& region() {
  static auto* instance = new Region;
  return *instance;
}

}  // namespace

// Evaluations happen one at a time: const arrays may be read, and so computed, from several
// threads.
std::mutex& evaluation_mutex() noexcept {
  static auto* mutex = new std::mutex;
  return *mutex;
}

void evaluate(std::span<const NodePtr> nodes) {
  for (const auto& n : nodes) gather_chosen(n);
  if (nodes.size() == 1) {
    Dropped dropped;  // goes after the lock
    const std::lock_guard lock(evaluation_mutex());
    Node* root = nodes[0].get();
    if (!root->is_leaf()) region().run(std::span<Node* const>(&root, 1), std::nullopt, dropped);
    return;
  }
  std::vector<Node*> pending;
  for (const auto& n : nodes)
    if (std::find(pending.begin(), pending.end(), n.get()) == pending.end())
      pending.push_back(n.get());
  while (!pending.empty()) {
    Dropped dropped;
    const std::lock_guard lock(evaluation_mutex());
    std::erase_if(pending, [](const Node* n) { return n->is_leaf(); });
    // Those of the first one's shape and backend go together, inside a trace or outside.
    std::vector<Node*> group, rest;
    int weight = 0;
    for (Node* n : pending) {
      weight += n->weight.load(std::memory_order_relaxed);
      const bool room = group.empty() || (group.size() < 8 && weight <= Node::weight_limit);
      const bool fits = room && n->shape == pending[0]->shape &&
                        n->backend == pending[0]->backend && n->symbolic == pending[0]->symbolic;
      (fits ? group : rest).push_back(n);
    }
    if (!group.empty()) region().run(group, std::nullopt, dropped);
    pending = std::move(rest);
  }
}

namespace {

int count_below(Node& node) {
  if (node.mark == epoch) return 0;
  node.mark = epoch;
  int count = 1;
  if (node.kind.load(std::memory_order_relaxed) == Node::Kind::pointwise)
    for (int k = 0; k < node.arity(); ++k) count += node.in[k] ? count_below(*node.in[k]) : 1;
  return count;
}

}  // namespace

int count_operands(std::span<const NodePtr> inputs) {
  const std::lock_guard lock(evaluation_mutex());
  ++epoch;
  int count = 1;
  for (const auto& in : inputs) count += in ? count_below(*in) : 1;
  return count;
}

void evaluate_inside(std::span<const NodePtr> nodes, const Shape& shape, Step kernel) {
  for (const auto& n : nodes) gather_chosen(n);
  Dropped dropped;
  const std::lock_guard lock(evaluation_mutex());
  std::vector<Node*> roots;
  for (const auto& n : nodes) roots.push_back(n.get());
  region().run_inside(roots, shape, std::move(kernel), dropped);
}

NodePtr evaluate_reduction(const NodePtr& node, Reduction reduction) {
  gather_chosen(node);
  Dropped dropped;
  const std::lock_guard lock(evaluation_mutex());
  Node* root = node.get();
  return region().run(std::span<Node* const>(&root, 1), reduction, dropped);
}

}  // namespace isofield::detail
