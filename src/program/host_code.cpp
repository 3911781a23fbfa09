#include "program/host_code.hpp"

#include <algorithm>
#include <isofield/error.hpp>
#include <optional>

namespace isofield::host {
namespace {

using Value = Program::Value;
using Source = Program::Source;

/// An instruction on its way to a kernel: one of the program's, or two of them fused.
struct Step {
  Op op = Op::add;
  std::optional<Pair> pair;
  bool upwind = false;  ///< square(op((a - b) * k, bound)) + more, `more` with five operands
  DType compute = DType::float64;
  DType result = DType::float64;
  int operands = 0;
  Value in[5] = {};
  bool dead = false;
};

bool commutative(Op op) {
  return op == Op::add || op == Op::multiply || op == Op::maximum || op == Op::minimum;
}

class Lowering {
 public:
  explicit Lowering(const Program& program) : program_(program) {}

  HostCode run() {
    read();
    fuse_upwind();
    fuse_pairs();
    allocate();
    return std::move(code_);
  }

 private:
  void read() {
    for (const auto& i : program_.code) {
      Step s;
      s.op = i.op;
      s.compute = i.compute;
      s.result = i.result;
      s.operands = info(i.op).arity;
      for (int k = 0; k < s.operands; ++k) s.in[k] = i.operands[static_cast<std::size_t>(k)];
      const bool floating = is_floating(s.compute);
      // A scalar on the left of a commutative operation moves right, where pairs expect it.
      if (floating && commutative(s.op) && s.in[0].source == Source::immediate)
        std::swap(s.in[0], s.in[1]);
      if (floating && s.op == Op::multiply && s.in[0] == s.in[1]) {
        s.op = Op::square;
        s.operands = 1;
      }
      steps_.push_back(s);
    }
  }

  std::vector<int> uses() const {
    std::vector<int> count(steps_.size(), 0);
    for (const auto& s : steps_)
      for (int k = 0; !s.dead && k < s.operands; ++k)
        if (s.in[k].source == Source::result) ++count[s.in[k].index];
    for (const auto& o : program_.outputs)
      if (o.source == Source::result) count[o.index] += 2;  // never fused away
    return count;
  }

  unsigned scalar_mask(const Value* in, int n) const {
    unsigned mask = 0;
    for (int k = 0; k < n; ++k)
      if (in[k].source == Source::immediate) mask |= 1u << k;
    return mask;
  }

  /// The step that makes `v` for its only user with operation `op`, or null.
  Step* sole_maker(Value v, Op op, const std::vector<int>& count) {
    if (v.source != Source::result || count[v.index] != 1) return nullptr;
    Step& maker = steps_[v.index];
    return maker.op == op && !maker.upwind && !maker.dead ? &maker : nullptr;
  }

  // What upwind schemes are made of, in one pass instead of four or five.
  void fuse_upwind() {
    const std::vector<int> count = uses();
    for (auto& square : steps_) {
      if (square.op != Op::square || !is_floating(square.compute)) continue;
      for (const Op op : {Op::maximum, Op::minimum}) {
        Step* extremum = sole_maker(square.in[0], op, count);
        if (!extremum || extremum->in[1].source != Source::immediate) continue;
        Step* product = sole_maker(extremum->in[0], Op::multiply, count);
        if (!product || product->in[1].source != Source::immediate) continue;
        Step* difference = sole_maker(product->in[0], Op::subtract, count);
        if (!difference || scalar_mask(difference->in, 2) != 0) continue;
        const Value in[4] = {difference->in[0], difference->in[1], product->in[1], extremum->in[1]};
        extremum->dead = product->dead = difference->dead = true;
        square.op = op;
        square.upwind = true;
        square.operands = 4;
        std::copy(in, in + 4, square.in);
        break;
      }
    }
    for (auto& sum : steps_) {
      if (sum.op != Op::add || sum.dead) continue;
      for (int k = 0; k < 2 && !sum.upwind; ++k) {
        const Value more = sum.in[1 - k];
        if (sum.in[k].source != Source::result || count[sum.in[k].index] != 1 ||
            more.source == Source::immediate)
          continue;
        Step& term = steps_[sum.in[k].index];
        if (!term.upwind || term.operands != 4) continue;
        term.dead = true;
        sum.upwind = true;
        sum.op = term.op;
        sum.operands = 5;
        std::copy(term.in, term.in + 4, sum.in);
        sum.in[4] = more;
      }
    }
  }

  // Join an instruction with the only user of its result, where the table has a kernel for the two.
  void fuse_pairs() {
    std::vector<int> count = uses();
    for (std::size_t j = 0; j < steps_.size(); ++j) {
      Step& user = steps_[j];
      if (user.pair || user.upwind || user.dead || !is_floating(user.compute) ||
          user.result != user.compute)
        continue;
      for (int k = 0; k < user.operands && !user.pair; ++k) {
        if (user.in[k].source != Source::result) continue;
        Step& maker = steps_[user.in[k].index];
        if (maker.pair || maker.upwind || maker.dead || count[user.in[k].index] != 1 ||
            maker.result != user.compute)
          continue;
        join(maker, user, k);
      }
    }
  }

  void join(Step& maker, Step& user, int position) {
    if (maker.operands > 2 || user.operands > 2) return;
    const Pair pair{maker.op, user.op, position == 1};
    Value in[3] = {maker.in[0], maker.operands == 2 ? maker.in[1] : maker.in[0],
                   user.operands == 2 ? user.in[1 - position] : maker.in[0]};
    const auto kernel = kernels().pair(pair, user.compute, pair_mask(pair, in));
    if (!kernel) return;
    maker.dead = true;
    user.pair = pair;
    user.operands = 3;
    std::copy(in, in + 3, user.in);
  }

  // Unary operations inside a pair name an operand they do not read; it counts as a scalar, so that
  // any readable address will do.
  unsigned pair_mask(const Pair& pair, const Value* in) const {
    unsigned mask = scalar_mask(in, 3);
    if (pair.first == Op::square) mask |= 2;
    if (pair.second == Op::square || pair.second == Op::abs) mask |= 4;
    return mask;
  }

  PointwiseKernel kernel_of(const Step& s) const {
    if (s.upwind) return kernels().upwind(s.op, s.operands == 5, s.compute);
    if (s.op == Op::cast && !s.pair) return cast_kernel(program_.dtype(s.in[0]), s.result);
    const PointwiseKernel kernel =
        s.pair ? kernels().pair(*s.pair, s.compute, pair_mask(*s.pair, s.in))
               : pointwise_kernel(s.op, s.compute, scalar_mask(s.in, s.operands));
    if (!kernel)
      throw DTypeError(std::string(info(s.op).name) + " has no kernel for dtype " +
                       std::string(name(s.compute)));
    return kernel;
  }

  void allocate() {
    code_.leaves = static_cast<int>(program_.leaves.size());
    code_.immediates = static_cast<int>(program_.immediates.size());
    code_.outputs = static_cast<int>(program_.outputs.size());
    code_.fill_immediate.assign(program_.immediates.size(), false);
    code_.fill_leaf.assign(program_.leaves.size(), true);
    const std::size_t n = steps_.size();
    std::vector<std::size_t> last(n, 0);
    for (std::size_t i = 0; i < n; ++i)
      for (int k = 0; !steps_[i].dead && k < steps_[i].operands; ++k)
        if (steps_[i].in[k].source == Source::result) last[steps_[i].in[k].index] = i;

    // home: register number, or -1 - o for a result computed straight into output o.
    std::vector<int> home(n, 0), free;
    std::vector<bool> placed(n, false);
    std::vector<int> copies;  // outputs that need a copy
    for (int o = 0; o < code_.outputs; ++o) {
      const Value v = program_.outputs[static_cast<std::size_t>(o)];
      if (v.source == Source::result && !placed[v.index]) {
        home[v.index] = -1 - o;
        placed[v.index] = true;
      } else {
        copies.push_back(o);
      }
    }
    struct Raw {
      PointwiseKernel kernel;
      int out;
      Value in[5];
      int operands;
    };
    std::vector<Raw> raw;
    for (std::size_t i = 0; i < n; ++i) {
      const Step& s = steps_[i];
      if (s.dead) continue;
      for (int k = 0; k < s.operands; ++k) {
        const Value v = s.in[k];
        if (v.source != Source::result || last[v.index] != i || home[v.index] < 0) continue;
        if (std::find(free.begin(), free.end(), home[v.index]) == free.end())
          free.push_back(home[v.index]);
      }
      if (!placed[i]) {
        // A kernel may write over an operand of the same width, not over one of another width.
        home[i] = take(free, s);
        placed[i] = true;
      }
      raw.push_back(
          {kernel_of(s), home[i], {s.in[0], s.in[1], s.in[2], s.in[3], s.in[4]}, s.operands});
    }
    for (const auto& r : raw) {
      HostCode::Instruction out{};
      out.kernel = r.kernel;
      out.out = slot(r.out);
      for (int k = 0; k < r.operands; ++k) out.in[k] = slot(r.in[k], home);
      code_.code.push_back(out);
    }
    if (code_.outputs > 0) code_.first_output = code_.output_slot(0);
    for (const int o : copies) {
      const Value v = program_.outputs[static_cast<std::size_t>(o)];
      if (o == 0 && program_.reduction && v.source == Source::leaf)
        code_.first_output = code_.leaf_slot(v.index);
      else
        copy_output(o, home);
    }
    code_.measure(program_);
  }

  int take(std::vector<int>& free, const Step& s) {
    bool widths_differ = false;
    for (int k = 0; k < s.operands; ++k)
      widths_differ |= itemsize(program_.dtype(s.in[k])) != itemsize(s.result);
    if (free.empty() || widths_differ) return code_.registers++;
    const int r = free.back();
    free.pop_back();
    return r;
  }

  void copy_output(int o, const std::vector<int>& home) {
    const Value v = program_.outputs[static_cast<std::size_t>(o)];
    const DType dtype = program_.dtype(v);
    HostCode::Instruction out{};
    out.kernel = cast_kernel(dtype, dtype);
    out.out = static_cast<std::uint16_t>(code_.output_slot(o));
    out.in[0] = slot(v, home);
    if (v.source == Source::immediate) code_.fill_immediate[v.index] = true;
    code_.code.push_back(out);
  }

  std::uint16_t slot(int home) const {
    return static_cast<std::uint16_t>(home >= 0 ? code_.register_slot(home)
                                                : code_.output_slot(-1 - home));
  }
  std::uint16_t slot(Value v, const std::vector<int>& home) const {
    switch (v.source) {
      case Source::leaf: return static_cast<std::uint16_t>(code_.leaf_slot(v.index));
      case Source::immediate: return static_cast<std::uint16_t>(code_.immediate_slot(v.index));
      case Source::result: break;
    }
    return slot(home[v.index]);
  }

  const Program& program_;
  std::vector<Step> steps_;
  HostCode code_;
};

}  // namespace

void HostCode::measure(const Program& program) {
  const auto widen = [this](DType d) { widest = std::max(widest, static_cast<int>(itemsize(d))); };
  for (const auto d : program.inputs) widen(d);
  for (const auto d : program.immediates) widen(d);
  for (const auto& i : program.code) widen(i.result);
  constexpr std::int64_t budget = 32768;
  const std::int64_t rows = std::max(4, registers + outputs + 2);
  tile = std::clamp<std::int64_t>(budget / widest / rows / 64 * 64, 256, 1024);
}

HostCode lower(const Program& program) { return Lowering(program).run(); }

}  // namespace isofield::host
