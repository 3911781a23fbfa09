// Reductions, and what becomes of long and branching expressions: one program or several, same
// values.
#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;

namespace {

using At = std::vector<std::int64_t>;
constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

template <class T>
T folded(Reduce op, const std::vector<Stored<T>>& x) {
  long double sum = 0, prod = 1;
  T low = 0, high = 0;
  bool any = false, all = true, first = true, nan = false;
  for (const auto v : x) {
    sum += v;
    prod *= v;
    nan = nan || v != v;
    low = first ? v : std::min<T>(low, v);
    high = first ? v : std::max<T>(high, v);
    any = any || v != 0;
    all = all && v != 0;
    first = false;
  }
  if constexpr (std::is_floating_point_v<T>)
    if (nan && (op == Reduce::min || op == Reduce::max)) return std::numeric_limits<T>::quiet_NaN();
  switch (op) {
    case Reduce::sum: return static_cast<T>(sum);
    case Reduce::prod: return static_cast<T>(prod);
    case Reduce::min: return low;
    case Reduce::max: return high;
    case Reduce::any: return any;
    case Reduce::all: return all;
  }
  return 0;
}

template <class T>
Plain<T> reduced(Reduce op, const Plain<T>& x, unsigned axes, bool keepdims) {
  Shape kept, whole;
  for (int k = 0; k < x.shape.size(); ++k) {
    whole.push_back((axes >> k) & 1 ? 1 : x.shape[k]);
    if (keepdims || !((axes >> k) & 1)) kept.push_back(whole[k]);
  }
  std::vector<std::vector<Stored<T>>> groups(static_cast<std::size_t>(element_count(whole)));
  const Plain<T> index(whole);
  each_index(x.shape, [&](const At& at) {
    At to = at;
    for (std::size_t k = 0; k < to.size(); ++k)
      if ((axes >> k) & 1) to[k] = 0;
    groups[index.position(to)].push_back(x[at]);
  });
  Plain<T> result(kept);
  for (std::size_t i = 0; i < groups.size(); ++i)
    result.data[i] = static_cast<Stored<T>>(folded<T>(op, groups[i]));
  return result;
}

UnifiedArray apply(Reduce op, const UnifiedArray& x, const std::vector<int>& axes, bool keepdims) {
  switch (op) {
    case Reduce::sum: return sum(x, axes, keepdims);
    case Reduce::prod: return prod(x, axes, keepdims);
    case Reduce::min: return min(x, axes, keepdims);
    case Reduce::max: return max(x, axes, keepdims);
    case Reduce::any: return any(x, axes, keepdims);
    case Reduce::all: return all(x, axes, keepdims);
  }
  return x;
}

template <class T>
void check_all_axes(const Plain<T>& x, const UnifiedArray& a, double tolerance) {
  const std::vector<Reduce> ops =
      std::is_same_v<T, bool> ? std::vector{Reduce::any, Reduce::all}
                              : std::vector{Reduce::sum, Reduce::prod, Reduce::min, Reduce::max};
  for (const Reduce op : ops)
    for (unsigned axes = 0; axes < (1u << x.shape.size()); ++axes) {
      std::vector<int> list;
      for (int k = 0; k < x.shape.size(); ++k)
        if ((axes >> k) & 1) list.push_back(k % 2 ? k : k - x.shape.size());
      for (const bool keepdims : {false, true}) {
        const auto ok =
            close<T>(apply(op, a, list, keepdims), reduced<T>(op, x, axes, keepdims), tolerance);
        check(ok, name(op), " of ", to_string(x.shape), " over ", axes);
      }
    }
}

}  // namespace

BACKEND_DTYPE_TEST_CASE(reductions_over_every_subset_of_axes, float, double, std::int64_t, bool) {
  const double tolerance = std::is_same_v<T, float> ? 1e-5 : 1e-13;
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{9}, Shape{5, 7}, Shape{2, 3, 4},
                             Shape{3, 1, 2, 5}, Shape{70, 33}}) {
    const Plain<T> x = noise<T>(shape, 1, -1, 1);
    check_all_axes<T>(x, x.array(), tolerance);
    if (shape.size() > 1) check_all_axes<T>(x, x.array().T().copy().T(), tolerance);
  }
}

BACKEND_TEST_CASE(reductions_run_fused_and_leave_what_is_held) {
  const Plain<double> x = noise<double>({40, 300});
  const UnifiedArray a = x.array(), held = a * 2.0, root = held + 1.0;
  Plain<double> twice = x, more = x;
  for (auto& v : twice.data) v *= 2.0;
  for (auto& v : more.data) v = v * 2.0 + 1.0;
  BOOST_TEST(close<double>(sum(root, {0}), reduced<double>(Reduce::sum, more, 1, false), 1e-13));
  BOOST_TEST(!root.pending());
  BOOST_TEST(!held.pending());
  BOOST_TEST(same<double>(root, more));
  BOOST_TEST(same<double>(held, twice));
  const UnifiedArray other = a + 0.5;
  BOOST_TEST(close<double>(max(other, {1}, true), plain<double>(max(a, {1}, true) + 0.5), 0));
  BOOST_TEST(
      close<double>(sum(shift(a, 1, 1, Boundary::periodic) - a), Plain<double>({}, {0.0}), 1e-11));
}

BACKEND_TEST_CASE(long_sums_are_accurate_and_means_divide) {
  const Plain<double> x = noise<double>({100003}, 1, 0, 1);
  long double exact = 0;
  for (const double v : x.data) exact += v;
  BOOST_TEST(close<double>(sum(x.array()), {{}, {static_cast<double>(exact)}}, 1e-13));
  BOOST_TEST(close<double>(mean(x.array()), {{}, {static_cast<double>(exact / 100003)}}, 1e-13));
  BOOST_TEST(same<double>(mean(counting<double>({2, 3}).array(), {0}), {{3}, {1.5, 2.5, 3.5}}));
  BOOST_TEST(same<double>(mean(counting<double>({2, 3}).array(), {1}, true), {{2, 1}, {1, 4}}));
  BOOST_TEST(std::isnan(mean(zeros({0})).item<double>()));
  BOOST_TEST(same<std::int64_t>(sum(asarray({true, false, true})), {{}, {2}}));
}

BACKEND_TEST_CASE(nan_anywhere_reaches_min_and_max) {
  for (const std::int64_t n : {1, 5, 33, 1000, 40000})
    for (const std::int64_t at : {std::int64_t{0}, n / 3, n - 1}) {
      Plain<double> x = noise<double>({n});
      x.data[static_cast<std::size_t>(at)] = nan_value;
      BOOST_TEST(std::isnan(min(x.array()).item<double>()));
      BOOST_TEST(std::isnan(max(x.array()).item<double>()));
      BOOST_TEST(std::isnan(sum(x.array()).item<double>()));
      const UnifiedArray rows = broadcast_to(x.array(), {3, n});
      BOOST_TEST(std::isnan(max(rows, {1}).to_vector<double>()[2]));
      BOOST_TEST(std::isnan(min(rows, {0}).to_vector<double>()[static_cast<std::size_t>(at)]));
      BOOST_TEST(any(x.array()).item<bool>());
    }
}

BACKEND_TEST_CASE(reductions_of_nothing_give_the_neutral_element) {
  const UnifiedArray none = zeros({3, 0});
  BOOST_TEST(same<double>(sum(none, {1}), Plain<double>({3})));
  BOOST_TEST(same<double>(prod(none, {1}), {{3}, {1, 1, 1}}));
  BOOST_TEST(sum(none, {0}).size() == 0);
  BOOST_TEST(same<bool>(any(none, {1}), Plain<bool>({3})));
  BOOST_TEST(same<bool>(all(none, {1}, true), {{3, 1}, {1, 1, 1}}));
  BOOST_TEST(max(none, {0}).size() == 0);
}

BACKEND_TEST_CASE(sums_of_integers_wrap) {
  const std::int64_t top = std::numeric_limits<std::int64_t>::max();
  BOOST_TEST(sum(asarray<std::int64_t>({top, 1})).item<std::int64_t>() ==
             std::numeric_limits<std::int64_t>::min());
}

BACKEND_TEST_CASE(expressions_of_hundreds_of_operands_are_computed_in_parts) {
  for (const int operands : {150, 199, 200, 201, 450, 1000}) {
    UnifiedArray total = zeros({30});
    Plain<double> expected({30});
    std::vector<UnifiedArray> all;
    for (int i = 0; i < operands; ++i) {
      const Plain<double> x = noise<double>({30}, static_cast<unsigned>(i + 1));
      total = i % 3 ? total + x.array() * 0.5
                    : where(total > 0.0, total - x.array(), total + x.array());
      for (std::size_t k = 0; k < 30; ++k)
        expected.data[k] = i % 3                  ? expected.data[k] + x.data[k] * 0.5
                           : expected.data[k] > 0 ? expected.data[k] - x.data[k]
                                                  : expected.data[k] + x.data[k];
    }
    BOOST_TEST(same<double>(total, expected));
  }
}

BACKEND_TEST_CASE(wide_trees_stay_within_the_limits_of_a_program) {
  // Three branches just below the limit under one `where`, and eight such roots at once.
  const auto branch = [](unsigned seed) {
    UnifiedArray x = noise<double>({5}, seed).array();
    for (unsigned i = 1; i < 99; ++i) x = x + noise<double>({5}, seed + i).array();
    return x;
  };
  const auto expected = [](unsigned seed) {
    Plain<double> e = noise<double>({5}, seed);
    for (unsigned i = 1; i < 99; ++i)
      for (std::size_t k = 0; k < 5; ++k) e.data[k] += noise<double>({5}, seed + i).data[k];
    return e;
  };
  const Plain<double> a = expected(1), b = expected(1000), c = expected(2000);
  Plain<double> chosen({5});
  for (std::size_t k = 0; k < 5; ++k) chosen.data[k] = a.data[k] > 0 ? b.data[k] : c.data[k];
  BOOST_TEST(same<double>(where(branch(1) > 0.0, branch(1000), branch(2000)), chosen));
  std::vector<UnifiedArray> roots;
  for (unsigned r = 0; r < 8; ++r) roots.push_back(branch(100 * r + 1));
  eval(roots[0], roots[1], roots[2], roots[3], roots[4], roots[5], roots[6], roots[7]);
  for (unsigned r = 0; r < 8; ++r) BOOST_TEST(same<double>(roots[r], expected(100 * r + 1)));
}

BACKEND_TEST_CASE(hundreds_of_fills_of_shifts_stay_within_the_limits_of_a_program) {
  // Every operand is a shift with a fill of its own, three to an operation.
  std::vector<UnifiedArray> operands;
  for (int i = 0; i < 729; ++i)
    operands.push_back(shift(shift(full({2, 2}, i, int64), 0, 1, Boundary::constant, 1000 + i), 1,
                             1, Boundary::constant, 2000 + i));
  while (operands.size() > 1) {
    std::vector<UnifiedArray> fewer;
    for (std::size_t i = 0; i < operands.size(); i += 3)
      fewer.push_back(where(operands[i] < 0, operands[i + 1], operands[i + 2]));
    operands = std::move(fewer);
  }
  BOOST_TEST(same<std::int64_t>(operands[0], {{2, 2}, {728, 2728, 1728, 2728}}));
}

BOOST_AUTO_TEST_CASE(programs_that_are_too_large_for_the_hosts_kernels_are_refused) {
  BaseBackend& backend = get_backend("eigen");
  const UnifiedArray x = ones({4}, float64, &backend), y = empty({4}, float64, &backend);
  Program program;
  program.rank = 1;
  program.inputs = {float64};
  program.leaves = {{0, {}}};
  program.immediates.assign(300, float64);
  program.outputs = {{Program::Source::leaf, 0}};
  const std::vector<Scalar> immediates(300);
  const View in[] = {x.view()}, out[] = {y.view()};
  BOOST_TEST(error_of<BackendError>([&] {
               backend.run({program, x.shape(), in, immediates, out});
             }) ==
             "run: a program of 1 leaves, 300 immediates, 1 outputs and 0 registers is larger than "
             "the host's kernels hold: 208 of each and 16 outputs");
}

BACKEND_TEST_CASE(shared_parts_and_many_outputs_are_computed_once_and_right) {
  const Plain<double> x = noise<double>({700});
  const UnifiedArray a = x.array();
  const UnifiedArray b = sqrt(abs(a)), c = sqrt(abs(a)) + b, d = b * b, e = c - d, f = a > 0.0,
                     g = where(f, b, c), h = g.astype(float32);
  eval(b, c, d, e, f, g, h);
  for (const auto* v : {&b, &c, &d, &e, &f, &g, &h}) BOOST_TEST(!v->pending());
  Plain<double> pb = x, pc = x, pd = x, pe = x, pg = x;
  Plain<float> ph({700});
  for (std::size_t i = 0; i < 700; ++i) {
    pb.data[i] = std::sqrt(std::fabs(x.data[i]));
    pc.data[i] = pb.data[i] + pb.data[i];
    pd.data[i] = pb.data[i] * pb.data[i];
    pe.data[i] = pc.data[i] - pd.data[i];
    pg.data[i] = x.data[i] > 0 ? pb.data[i] : pc.data[i];
    ph.data[i] = static_cast<float>(pg.data[i]);
  }
  BOOST_TEST(same<double>(b, pb));
  BOOST_TEST(same<double>(c, pc));
  BOOST_TEST(same<double>(d, pd));
  BOOST_TEST(same<double>(e, pe));
  BOOST_TEST(same<double>(g, pg));
  BOOST_TEST(same<float>(h, ph));
  std::vector<UnifiedArray> kept{a};
  for (int i = 0; i < 40; ++i) kept.push_back(kept.back() * 1.01 + 0.1);  // all of them are held
  BOOST_TEST(!kept.back().eval().pending());
  Plain<double> step = x;
  for (std::size_t k = 1; k < kept.size(); ++k) {
    for (auto& v : step.data) v = v * 1.01 + 0.1;
    BOOST_TEST(same<double>(kept[k], step));
  }
}

BACKEND_TEST_CASE(one_program_serves_all_scalars) {
  const UnifiedArray a = counting<double>({5}).array();
  for (const double s : {0.0, -0.0, 1.0, 1e300, -3.5, nan_value}) {
    Plain<double> expected({5});
    for (std::size_t i = 0; i < 5; ++i) expected.data[i] = (static_cast<double>(i) + s) * s - 2.0;
    BOOST_TEST(same<double>((a + s) * s - 2.0, expected));
    BOOST_TEST(same<double>(shift(a, 0, 5, Boundary::constant, s), plain<double>(full({5}, s))));
  }
  BOOST_TEST(same<double>((a + 2.0) * 2.0 - 2.0, {{5}, {2, 4, 6, 8, 10}}));
  BOOST_TEST(same<double>((a + 2.0) * 3.0 - 4.0, {{5}, {2, 5, 8, 11, 14}}));
}

BACKEND_TEST_CASE(dtypes_mix_within_one_program) {
  const UnifiedArray f = noise<float>({300}).array(), d = noise<double>({300}, 2).array();
  const UnifiedArray i = noise<std::int64_t>({300}, 3, -9, 9).array();
  const Plain<float> pf = plain<float>(f);
  const Plain<double> pd = plain<double>(d);
  const Plain<std::int64_t> pi = plain<std::int64_t>(i);
  Plain<double> expected({300});
  for (std::size_t k = 0; k < 300; ++k) {
    const float half = pf.data[k] * 0.1f + static_cast<float>(pi.data[k]);
    expected.data[k] = pi.data[k] % 2 == 0 ? static_cast<double>(half) * pd.data[k]
                                           : static_cast<double>(pi.data[k] * 2 > 3);
  }
  BOOST_TEST(same<double>(
      where(remainder(i, 2) == 0, (f * 0.1 + i.astype(float32)) * d, (i * 2 > 3).astype(float64)),
      expected));
}
