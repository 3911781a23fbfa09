// What a solve remembers of its outer iterations, and how it goes on from there. Each algorithm
// keeps what is its own; an outer one, which calls others, its place.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <isofield/error.hpp>

#include "outer.hpp"

namespace isofield::mfg {

const Fields& SolverState::field(const std::string& name) const {
  const auto found = fields.find(name);
  if (found == fields.end())
    throw StateError(fmt::format("solve: the state to go on from has no field \"{}\"", name));
  return found->second;
}

const std::vector<double>& SolverState::number(const std::string& name, std::size_t count) const {
  const auto found = numbers.find(name);
  if (found == numbers.end() || found->second.size() < count)
    throw StateError(fmt::format("solve: the state to go on from has no number \"{}\"", name));
  return found->second;
}

int SolverState::count(const std::string& name, std::size_t which) const {
  const double value = number(name, which + 1)[which];
  if (value >= 0.0 && value <= 1e9) return static_cast<int>(value);
  throw StateError(
      fmt::format("solve: in the state to go on from \"{}\" is {}, no count", name, value));
}

namespace {

constexpr std::array methods{"picard", "fictitious_play", "anderson",
                             "policy", "newton",          "continuation"};

}  // namespace

std::vector<double> to_numbers(const std::vector<Iteration>& history) {
  std::vector<double> all;
  for (const Iteration& i : history) {
    const auto method = std::find(methods.begin(), methods.end(), i.method) - methods.begin();
    all.insert(all.end(), {static_cast<double>(i.number), static_cast<double>(method), i.residual,
                           i.hjb_residual, i.fp_residual, i.change_u, i.change_m,
                           static_cast<double>(i.krylov), i.seconds, i.exploitability});
  }
  return all;
}

std::vector<Iteration> history_in(const std::vector<double>& numbers) {
  constexpr std::size_t row = 10;
  std::vector<Iteration> history;
  for (std::size_t k = 0; k + row <= numbers.size(); k += row) {
    const double* v = numbers.data() + k;
    Iteration i;
    i.number = static_cast<int>(history.size()) + 1;
    const bool known = v[1] >= 0.0 && v[1] < static_cast<double>(methods.size());
    i.method = known ? methods[static_cast<std::size_t>(v[1])] : "";
    i.residual = v[2];
    i.hjb_residual = v[3];
    i.fp_residual = v[4];
    i.change_u = v[5];
    i.change_m = v[6];
    i.krylov = static_cast<int>(std::clamp(v[7], 0.0, 1e9));
    i.seconds = v[8];
    i.exploitability = v[9];
    history.push_back(std::move(i));
  }
  return history;
}

void check_shapes(const Fields& fields, std::size_t count, const Shape& shape) {
  if (fields.size() != count)
    throw StateError("solve: the state to go on from is of another number of populations");
  for (const UnifiedArray& x : fields) {
    if (x.shape() == shape) continue;
    throw StateError(fmt::format("solve: the state to go on from has shape {}, {} is needed",
                                 to_string(x.shape()), to_string(shape)));
  }
}

Keeper::Keeper(Outer& outer, std::function<void(SolverState&)> save) : outer_(outer) {
  outer_.keepers.push_back(std::move(save));
}

Keeper::~Keeper() { outer_.keepers.pop_back(); }

void Outer::remember() {
  state = {};
  state.fields["u"] = u;
  state.fields["m"] = m;
  state.numbers["coupling"] = {static_cast<double>(options.coupling)};
  state.numbers["history"] = to_numbers(history);
  state.numbers["seconds"] = {seconds()};
  const StepCounts all = counts();
  state.numbers["counts"] = {static_cast<double>(all.hjb_steps), static_cast<double>(all.newton),
                             static_cast<double>(all.linear_solves),
                             static_cast<double>(all.krylov), static_cast<double>(gmres)};
  std::vector<double>& learned = state.numbers["sweeps"];
  for (const Sweeps& one : sweeps) {
    learned.push_back(one.memory().last_residual);
    learned.push_back(one.memory().quadratic);
  }
  for (const auto& keep : keepers) keep(state);
}

void Outer::go_on_from(const SolverState& from) {
  if (from.number("coupling")[0] != static_cast<double>(options.coupling))
    throw StateError("solve: the state to go on from is of another coupling");
  const Shape shape = problem.population().constant_density().shape();
  for (const auto& [name, fields] : from.fields) check_shapes(fields, size(), shape);
  u = from.field("u");
  m = from.field("m");
  has_state = true;
  history = history_in(from.number("history", 0));
  start -= std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      std::chrono::duration<double>(from.number("seconds")[0]));
  const std::vector<double>& c = from.number("counts", 5);
  const auto whole = [](double x) { return static_cast<std::int64_t>(std::clamp(x, 0.0, 1e18)); };
  earlier = {.hjb_steps = whole(c[0]),
             .newton = whole(c[1]),
             .linear_solves = whole(c[2]),
             .krylov = whole(c[3])};
  gmres = whole(c[4]);
  const std::vector<double>& learned = from.number("sweeps", 2 * size());
  for (std::size_t p = 0; p < size(); ++p)
    sweeps[p].set_memory({.last_residual = learned[2 * p], .quadratic = learned[2 * p + 1]});
  state = from;
  resumed = &from;
}

StepCounts Outer::counts() const {
  StepCounts all = earlier;
  for (const Sweeps& one : sweeps) {
    all.hjb_steps += one.counts().hjb_steps;
    all.newton += one.counts().newton;
    all.linear_solves += one.counts().linear_solves;
    all.krylov += one.counts().krylov;
  }
  return all;
}

}  // namespace isofield::mfg
