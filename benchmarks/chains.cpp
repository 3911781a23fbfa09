// Chains of pointwise operations and stencils, through lazy arrays and through jit, against one
// loop.

#include <array>
#include <functional>

#include "compare.hpp"
#include "rivals/rivals.hpp"

namespace {

using isofield::Boundary;
using isofield::UnifiedArray;
using Int = std::int64_t;

constexpr double inverse_h = 30.0, dt = 1e-3, nu = 0.1;

/// Three arrays of n x n, and where a rival puts its result.
struct Operands {
  Operands(isofield::BaseBackend& b, Int side)
      : n(side), x(b, {n, n}, 1), y(b, {n, n}, 2), w(b, {n, n}, 3), out(x.host.size()) {}
  Int n;
  bench::Operand x, y, w;
  std::vector<double> out;
};

UnifiedArray expression(const UnifiedArray& x, const UnifiedArray& y, const UnifiedArray& w) {
  return x * y + 0.5 * (x - y) * w;
}

template <Boundary B>
UnifiedArray hamiltonian(const UnifiedArray& u, const UnifiedArray&, const UnifiedArray&) {
  const auto slope = [&](int axis, Int step) {
    return square(maximum((u - shift(u, axis, step, B)) * inverse_h, 0.0));
  };
  return 0.5 * (slope(0, -1) + slope(0, 1) + slope(1, -1) + slope(1, 1));
}

UnifiedArray laplacian(const UnifiedArray& u, const UnifiedArray&, const UnifiedArray&) {
  const auto at = [&](int axis, Int step) { return shift(u, axis, step, Boundary::periodic); };
  return (at(0, -1) + at(0, 1) + at(1, -1) + at(1, 1) - 4.0 * u) * (inverse_h * inverse_h);
}

/// One step of the Fokker-Planck equation for the density m, with the drift -Du.
UnifiedArray fokker_planck(const UnifiedArray& m, const UnifiedArray& u, const UnifiedArray&) {
  const auto flux = [](const UnifiedArray& u0, const UnifiedArray& u1, const UnifiedArray& m0,
                       const UnifiedArray& m1) {
    const UnifiedArray speed = (u0 - u1) * inverse_h;
    return maximum(speed, 0.0) * m0 - maximum(-speed, 0.0) * m1;
  };
  const auto at = [](const UnifiedArray& a, int axis, Int step) {
    return shift(a, axis, step, Boundary::periodic);
  };
  const UnifiedArray m_w = at(m, 1, -1), m_e = at(m, 1, 1), m_s = at(m, 0, -1), m_n = at(m, 0, 1);
  const UnifiedArray u_w = at(u, 1, -1), u_e = at(u, 1, 1), u_s = at(u, 0, -1), u_n = at(u, 0, 1);
  const UnifiedArray divergence =
      flux(u, u_n, m, m_n) - flux(u_s, u, m_s, m) + flux(u, u_e, m, m_e) - flux(u_w, u, m_w, m);
  const UnifiedArray neighbours = m_s + m_n + m_w + m_e - 4.0 * m;
  return m - (dt * inverse_h) * divergence + (dt * nu * inverse_h * inverse_h) * neighbours;
}

UnifiedArray exp_chain(const UnifiedArray& x, const UnifiedArray& y, const UnifiedArray&) {
  return exp(-square(x)) * y;
}
UnifiedArray log_chain(const UnifiedArray& x, const UnifiedArray& y, const UnifiedArray&) {
  return log(x) * y;
}
UnifiedArray tanh_chain(const UnifiedArray& x, const UnifiedArray& y, const UnifiedArray&) {
  return tanh(4.0 * x - 2.0) * y;
}
UnifiedArray power_chain(const UnifiedArray& x, const UnifiedArray& y, const UnifiedArray&) {
  return power(x + 0.5, y) * y;
}
UnifiedArray sin_chain(const UnifiedArray& x, const UnifiedArray& y, const UnifiedArray&) {
  return sin(20.0 * x - 10.0) * y;
}

using Chain = UnifiedArray (*)(const UnifiedArray&, const UnifiedArray&, const UnifiedArray&);
using Rival = std::function<void(Operands&, int threads)>;

struct Case {
  const char* name;
  Chain ours;
  Rival rival;
};

std::vector<Case> cases() {
  const auto& loops = rivals::loops();
  const auto hamiltonian_rival = [&loops](rivals::Edge edge) {
    return [&loops, edge](Operands& o, int threads) {
      bench::share(o.n, threads, [&](int, Int begin, Int end) {
        loops.hamiltonian(o.out.data(), o.x.data(), o.n, o.n, inverse_h, edge, begin, end);
      });
    };
  };
  const auto elementary_rival = [](rivals::Elementary::Chain chain) {
    return [chain](Operands& o, int threads) {
      bench::share(o.n * o.n, threads, [&](int, Int begin, Int end) {
        chain(o.out.data(), o.x.data(), o.y.data(), begin, end);
      });
    };
  };
  const auto& elementary = rivals::elementary();
  return {
      {"exp", exp_chain, elementary_rival(elementary.exp)},
      {"log", log_chain, elementary_rival(elementary.log)},
      {"tanh", tanh_chain, elementary_rival(elementary.tanh)},
      {"power", power_chain, elementary_rival(elementary.power)},
      {"sin", sin_chain, elementary_rival(elementary.sin)},
      {"expression", expression,
       [&loops](Operands& o, int threads) {
         bench::share(o.n * o.n, threads, [&](int, Int begin, Int end) {
           loops.expression(o.out.data(), o.x.data(), o.y.data(), o.w.data(), begin, end);
         });
       }},
      {"hamiltonian_periodic", hamiltonian<Boundary::periodic>,
       hamiltonian_rival(rivals::Edge::periodic)},
      {"hamiltonian_clamp", hamiltonian<Boundary::clamp>, hamiltonian_rival(rivals::Edge::clamp)},
      {"laplacian", laplacian,
       [&loops](Operands& o, int threads) {
         bench::share(o.n, threads, [&](int, Int begin, Int end) {
           loops.laplacian(o.out.data(), o.x.data(), o.n, o.n, inverse_h * inverse_h, begin, end);
         });
       }},
      {"fokker_planck", fokker_planck,
       [&loops](Operands& o, int threads) {
         bench::share(o.n, threads, [&](int, Int begin, Int end) {
           loops.fokker_planck(o.out.data(), o.x.data(), o.y.data(), o.n, o.n, inverse_h, dt, nu,
                               begin, end);
         });
       }},
  };
}

enum class Form { lazy, jit };

void run(benchmark::State& state, const Case& c, const std::string& spelling, Int side, Form form,
         int threads) {
  Operands o(bench::backend(spelling, threads), side);
  const auto rival = [&] { c.rival(o, threads); };
  const auto step = isofield::jit(c.ours);
  const auto ours = [&] {
    return form == Form::jit ? step(o.x.array, o.y.array, o.w.array)
                             : c.ours(o.x.array, o.y.array, o.w.array);
  };
  bench::check_and_compare(state, threads, rival, ours, o.out);
}

}  // namespace

void register_benchmarks() {
  constexpr std::array<std::pair<Int, const char*>, 5> sizes = {
      {{32, "1e3"}, {100, "1e4"}, {316, "1e5"}, {1000, "1e6"}, {3162, "1e7"}}};
  for (const auto& c : cases())
    for (const auto& spelling : bench::host_backends())
      for (const int threads : {1, 2})
        for (const auto& [side, size] : sizes) {
          if (bench::settings().smoke && side > 316) continue;
          for (const Form form : {Form::jit, Form::lazy}) {
            if (side > 1000 && (form == Form::lazy || threads > 1)) continue;  // they take long
            bench::one_iteration(
                std::string(c.name) + "/" + spelling + "/" + size + "/" +
                    (form == Form::jit ? "jit" : "lazy") + "/threads:" + std::to_string(threads),
                [=](benchmark::State& state) { run(state, c, spelling, side, form, threads); });
          }
        }
}
