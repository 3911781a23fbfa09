// A jitted function gives what the plain one gives, whatever it captures, writes, returns or
// throws.
#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;

namespace {

UnifiedArray numbers(const Shape& shape, unsigned seed = 1) {
  return noise<double>(shape, seed).array();
}

/// A step of the kind that solvers jit: shifts on both axes, scalars, several fused passes.
UnifiedArray step(const UnifiedArray& u, const UnifiedArray& v) {
  const auto left = shift(u, 1, -1, Boundary::reflect), right = shift(u, 1, 1, Boundary::reflect);
  const auto up = shift(u, 0, -1, Boundary::periodic), down = shift(u, 0, 1, Boundary::periodic);
  const UnifiedArray slope =
      maximum(u - left, 0.0) * maximum(u - left, 0.0) + minimum(right - u, 0.0) * 2.0;
  const UnifiedArray total = sum(slope, {1}, true);
  return u + 0.1 * (left + right + up + down - 4.0 * u) - 0.5 * slope * v / (1.0 + total * total);
}

}  // namespace

BACKEND_DTYPE_TEST_CASE(jitted_functions_give_the_same_bits, float, double) {
  const auto fast = jit(step);
  for (unsigned seed = 1; seed < 4; ++seed)
    for (const Shape& shape : {Shape{3, 4}, Shape{17, 200}, Shape{1, 1}}) {
      const UnifiedArray u = noise<T>(shape, seed).array(), v = noise<T>(shape, seed + 10).array();
      BOOST_TEST(same<T>(fast(u, v), plain<T>(step(u, v))));
      BOOST_TEST(same<T>(fast(u.copy() * T(2), v), plain<T>(step(u * T(2), v))));
    }
  BOOST_TEST(fast.traces() == 3);
}

BACKEND_TEST_CASE(the_latest_64_traces_are_kept) {
  const auto f = jit([](const UnifiedArray& x) { return 2.0 * x; });
  const auto right = [&](std::int64_t n) {
    const UnifiedArray x = numbers({n});
    return same<double>(f(x), plain<double>(2.0 * x));
  };
  for (std::int64_t n = 1; n <= 70; ++n) BOOST_TEST(right(n));
  BOOST_TEST(f.traces() == 70);
  BOOST_TEST(right(7));  // of 7 to 70, now the one used last
  BOOST_TEST(f.traces() == 70);
  BOOST_TEST(right(1));  // takes the place of 8
  BOOST_TEST(right(7));
  BOOST_TEST(f.traces() == 71);
  BOOST_TEST(right(8));
  BOOST_TEST(f.traces() == 72);
}

BACKEND_TEST_CASE(functions_are_traced_again_for_other_shapes_and_dtypes_only) {
  int calls = 0;
  const auto f = jit([&calls](const UnifiedArray& x) {
    ++calls;
    return x * 2.0 + 1.0;
  });
  f(numbers({3}));
  f(numbers({3}, 2));
  f(numbers({6})(slice(0, 6, 2)));
  BOOST_TEST(calls == 1);
  f(numbers({4}));
  f(noise<float>({3}).array());
  f(numbers({3, 1}));
  BOOST_TEST(calls == 4);
  f(numbers({3}, 5));
  f(numbers({4}, 5));
  BOOST_TEST(calls == 4);
  BOOST_TEST(f.traces() == 4);
}

BACKEND_TEST_CASE(arguments_may_be_views_pending_or_repeated) {
  const auto f = jit([](const UnifiedArray& a, const UnifiedArray& b) { return a * 10.0 + b; });
  const UnifiedArray x = counting<double>({3, 3}).array();
  BOOST_TEST(same<double>(f(x, x.T()), plain<double>(x * 10.0 + x.T())));
  BOOST_TEST(same<double>(f(flip(x, 0), x + 1.0), plain<double>(flip(x, 0) * 10.0 + x + 1.0)));
  BOOST_TEST(same<double>(f(broadcast_to(asarray({1.0, 2.0, 3.0}), {3, 3}), x),
                          plain<double>(asarray({1.0, 2.0, 3.0}) * 10.0 + x)));
  BOOST_TEST(same<double>(f(x, x), plain<double>(x * 11.0)));
  const UnifiedArray large = counting<double>({6, 6}).array();
  BOOST_TEST(same<double>(f(large(slice(1, 6, 2), slice(5, {}, -2)), x),
                          plain<double>(large(slice(1, 6, 2), slice(5, {}, -2)) * 10.0 + x)));
}

BACKEND_TEST_CASE(jitted_functions_call_each_other) {
  const auto inner = jit([](const UnifiedArray& x) { return exp(x) - 1.0; });
  const auto outer = jit([&](const UnifiedArray& x) { return inner(x) + inner(x * 2.0); });
  const UnifiedArray x = numbers({50});
  BOOST_TEST(same<double>(outer(x), plain<double>(exp(x) - 1.0 + (exp(x * 2.0) - 1.0))));
  BOOST_TEST(inner.traces() == 0);
  BOOST_TEST(same<double>(inner(x), plain<double>(exp(x) - 1.0)));
  BOOST_TEST(same<double>(outer(x + 1.0),
                          plain<double>(exp(x + 1.0) - 1.0 + (exp((x + 1.0) * 2.0) - 1.0))));
}

BACKEND_TEST_CASE(captured_arrays_keep_the_value_they_had_at_the_trace) {
  UnifiedArray captured = counting<double>({4}).array();
  const auto f = jit([&captured](const UnifiedArray& x) { return x + captured; });
  const UnifiedArray x = ones({4});
  BOOST_TEST(same<double>(f(x), {{4}, {1, 2, 3, 4}}));
  captured(0) = 100.0;
  BOOST_TEST(same<double>(captured, {{4}, {100, 1, 2, 3}}));
  BOOST_TEST(same<double>(f(x), {{4}, {1, 2, 3, 4}}));
  captured = zeros({4});
  BOOST_TEST(same<double>(f(x), {{4}, {1, 2, 3, 4}}));
}

BACKEND_TEST_CASE(captured_pending_arrays_stay_usable_outside) {
  const UnifiedArray a = counting<double>({4}).array();
  const UnifiedArray pending = a * 2.0, deeper = pending + 1.0, returned = a - 1.0,
                     shifted = shift(a, 0, 1, Boundary::clamp);
  const auto f = jit([&](const UnifiedArray& x) {
    return std::tuple{x + deeper * pending, returned, x * shift(shifted, 0, 1, Boundary::clamp)};
  });
  for (int i = 0; i < 2; ++i) {
    const auto [p, q, r] = f(ones({4}));
    BOOST_TEST(same<double>(p, {{4}, {1, 7, 21, 43}}));
    BOOST_TEST(same<double>(q, {{4}, {-1, 0, 1, 2}}));
    BOOST_TEST(same<double>(r, {{4}, {2, 3, 3, 3}}));
  }
  BOOST_TEST(same<double>(deeper, {{4}, {1, 3, 5, 7}}));
  BOOST_TEST(same<double>(pending, {{4}, {0, 2, 4, 6}}));
  BOOST_TEST(same<double>(returned, {{4}, {-1, 0, 1, 2}}));
  BOOST_TEST(same<double>(shifted, {{4}, {1, 2, 3, 3}}));
}

BACKEND_TEST_CASE(in_place_assignment_works_inside_a_trace) {
  const auto body = [](const UnifiedArray& x) {
    UnifiedArray y = x, z = zeros({4});
    y(0) = 5.0;
    y(slice(1, 3)) = x(slice(2, 4)) * 2.0;
    z(all_of) = y;
    z(slice(1, 4)) = z(slice(0, 3));
    const UnifiedArray before = z;
    z(3) += 100.0;
    UnifiedArray w = ones({2, 4});
    w(1) = z + before;
    return w + y;
  };
  const auto f = jit(body);
  for (unsigned seed = 1; seed < 4; ++seed) {
    const Plain<double> values = noise<double>({4}, seed);
    const UnifiedArray x = values.array();
    BOOST_TEST(same<double>(f(x), plain<double>(body(x))));
    BOOST_TEST(same<double>(x, values));
  }
}

BACKEND_TEST_CASE(arguments_are_never_written_to) {
  const auto f = jit([](const UnifiedArray& x) {
    UnifiedArray y = x;
    y(slice(0, 2)) = 0.0;
    return std::pair(y, x).first;
  });
  UnifiedArray x = ones({3});
  const UnifiedArray y = f(x);
  BOOST_TEST(same<double>(x, {{3}, {1, 1, 1}}));
  BOOST_TEST(same<double>(y, {{3}, {0, 0, 1}}));
}

BACKEND_TEST_CASE(results_may_be_inputs_constants_views_and_duplicates) {
  const UnifiedArray constant = counting<double>({2, 2}, 10).array();
  const auto f = jit([&](const UnifiedArray& x) {
    const UnifiedArray y = x + 1.0;
    return std::vector<UnifiedArray>{
        x, constant, y, y, y.T(), x(0), constant(1), y(slice(1, 2)), flip(x, 1), zeros({2})};
  });
  for (unsigned seed = 1; seed < 3; ++seed) {
    Plain<double> values = noise<double>({2, 2}, seed);
    UnifiedArray x = values.array();
    std::vector<UnifiedArray> r = f(x);
    const UnifiedArray y = x + 1.0;
    BOOST_TEST(r.size() == 10u);
    r[0](0, 0) = -1.0;  // results are values of their own
    r[2](0, 0) = -2.0;
    r[1](0, 0) = -3.0;
    BOOST_TEST(same<double>(x, values));
    BOOST_TEST(same<double>(constant, counting<double>({2, 2}, 10)));
    BOOST_TEST(same<double>(r[3], plain<double>(y)));
    BOOST_TEST(same<double>(r[4], plain<double>(y.T())));
    BOOST_TEST(same<double>(r[5], plain<double>(std::as_const(x)(0))));
    BOOST_TEST(same<double>(r[6], {{2}, {12, 13}}));
    BOOST_TEST(same<double>(r[7], plain<double>(std::as_const(y)(slice(1, 2)))));
    BOOST_TEST(same<double>(r[8], plain<double>(flip(x, 1))));
    BOOST_TEST(same<double>(r[9], Plain<double>({2})));
    x(0, 0) = 77.0;
    BOOST_TEST(r[8](0, 1).item<double>() == values.data[0]);
  }
}

BACKEND_TEST_CASE(results_of_earlier_calls_stay) {
  const auto f = jit([](const UnifiedArray& x) { return std::tuple{x * 2.0, sum(x)}; });
  std::vector<UnifiedArray> kept, sums;
  for (int i = 0; i < 20; ++i) {
    const auto [doubled, total] = f(full({100}, static_cast<double>(i)));
    kept.push_back(doubled);
    sums.push_back(total);
  }
  for (int i = 0; i < 20; ++i) {
    BOOST_TEST(kept[static_cast<std::size_t>(i)](99).item<double>() == 2.0 * i);
    BOOST_TEST(sums[static_cast<std::size_t>(i)].item<double>() == 100.0 * i);
  }
}

BACKEND_TEST_CASE(long_chains_reuse_their_temporaries_rightly) {
  const auto body = [](const UnifiedArray& x) {
    UnifiedArray a = x, b = x * 0.5;
    std::vector<UnifiedArray> kept;
    for (int i = 0; i < 30; ++i) {
      a = (a + shift(b, 0, 1, Boundary::periodic) * 0.25).eval();
      b = (b - shift(a, 0, -1, Boundary::clamp) * 0.125).eval();
      if (i % 7 == 0) kept.push_back(a * b);
      if (i % 5 == 0) a = a - sum(b) * 0.01;
    }
    UnifiedArray total = a;
    for (const auto& k : kept) total = total + k;
    return std::tuple{total, kept[1], b};
  };
  const auto f = jit(body);
  for (unsigned seed = 1; seed < 4; ++seed) {
    const UnifiedArray x = numbers({500}, seed);
    const auto [p, q, r] = f(x);
    const auto [u, v, w] = body(x);
    BOOST_TEST(same<double>(p, plain<double>(u)));
    BOOST_TEST(same<double>(q, plain<double>(v)));
    BOOST_TEST(same<double>(r, plain<double>(w)));
  }
}

BACKEND_TEST_CASE(linear_algebra_and_joins_are_recorded) {
  const auto body = [](const UnifiedArray& m, const UnifiedArray& v) {
    const UnifiedArray product = linalg::matmul(m, v);
    const UnifiedArray solved =
        linalg::tridiagonal_solve(0.1 * v, 4.0 + v * v, -0.2 * v, product, 0);
    return std::tuple{concat({product, solved, zeros({2})}), stack({v, solved}),
                      linalg::vecdot(v, solved), reshape(m.T(), {-1})};
  };
  const auto f = jit(body);
  for (unsigned seed = 1; seed < 3; ++seed) {
    const UnifiedArray m = numbers({5, 5}, seed), v = numbers({5}, seed + 5);
    const auto [a, b, c, d] = f(m, v);
    const auto [p, q, r, s] = body(m, v);
    BOOST_TEST(same<double>(a, plain<double>(p)));
    BOOST_TEST(same<double>(b, plain<double>(q)));
    BOOST_TEST(same<double>(c, plain<double>(r)));
    BOOST_TEST(same<double>(d, plain<double>(s)));
  }
}

BACKEND_TEST_CASE(exceptions_inside_a_trace_leave_everything_usable) {
  UnifiedArray captured = ones({3});
  const UnifiedArray pending = captured * 3.0;
  bool fail = true;
  const auto f = jit([&](const UnifiedArray& x) {
    const UnifiedArray y = (x * pending).eval();
    captured(0) = 4.0;
    if (fail) throw SolverError("no convergence");
    return y + ones({3});
  });
  BOOST_CHECK_THROW(f(ones({3})), SolverError);
  BOOST_CHECK_THROW(f(ones({3})), SolverError);
  BOOST_TEST(f.traces() == 0);
  BOOST_TEST(same<double>(captured, {{3}, {4, 1, 1}}));
  BOOST_TEST(same<double>(pending, {{3}, {3, 3, 3}}));
  BOOST_TEST(same<double>(captured + 1.0, {{3}, {5, 2, 2}}));
  fail = false;
  BOOST_TEST(same<double>(f(ones({3})), {{3}, {4, 4, 4}}));
  BOOST_TEST(same<double>(f(ones({3}) * 2.0), {{3}, {7, 7, 7}}));
}

BACKEND_TEST_CASE(empty_arrays_and_rank_zero_pass_through) {
  const auto f = jit([](const UnifiedArray& x) { return std::tuple{x * 2.0, sum(x)}; });
  const auto [a, b] = f(zeros({0, 3}));
  BOOST_TEST(same<double>(a, Plain<double>({0, 3})));
  BOOST_TEST(b.item<double>() == 0.0);
  const auto [c, d] = f(asarray(4.0));
  BOOST_TEST(c.item<double>() == 8.0);
  BOOST_TEST(d.item<double>() == 4.0);
}

BACKEND_TEST_CASE(one_jitted_function_takes_any_number_of_arguments) {
  const auto f = jit([](const auto&... x) { return (zeros({2}) + ... + x); });
  BOOST_TEST(same<double>(f(ones({2})), {{2}, {1, 1}}));
  BOOST_TEST(same<double>(f(ones({2}), ones({2})), {{2}, {2, 2}}));
  BOOST_TEST(same<double>(f(ones({2}), ones({2}), ones({2})), {{2}, {3, 3}}));
  BOOST_TEST(same<double>(f(), {{2}, {0, 0}}));
  BOOST_TEST(f.traces() == 4);
}

BACKEND_TEST_CASE(selections_can_be_returned) {
  const auto f = jit([](const UnifiedArray& x) {
    UnifiedArray y = x + 1.0;
    return y(1);
  });
  BOOST_TEST(f(ones({2, 2})).shape() == Shape{2});
}

BACKEND_TEST_CASE(results_that_nobody_reads_are_not_computed_wrongly) {
  const auto f = jit([](const UnifiedArray& x) {
    const UnifiedArray unused = exp(x), held = x * 3.0, y = held + 1.0;
    eval(unused, held, y);
    return y;
  });
  for (unsigned seed = 1; seed < 3; ++seed) {
    const UnifiedArray x = numbers({30}, seed);
    BOOST_TEST(same<double>(f(x), plain<double>(x * 3.0 + 1.0)));
  }
}

BACKEND_TEST_CASE(memory_of_arguments_is_let_go_after_the_call) {
  const auto f = jit([](const UnifiedArray& x) { return x + 1.0; });
  auto owner = std::make_shared<std::vector<double>>(100, 2.0);
  const std::weak_ptr<std::vector<double>> watch = owner;
  UnifiedArray y;
  {
    const UnifiedArray x =
        from_memory(owner->data(), float64, Layout({100}), 800, owner, get_backend("eigen"));
    owner.reset();
    y = f(x.to_backend(default_backend()));
  }
  BOOST_TEST(watch.expired());
  BOOST_TEST(y(99).item<double>() == 3.0);
}

BACKEND_TEST_CASE(functions_without_arguments_follow_the_default_backend) {
  const auto f = jit([] { return ones({2}); });
  BOOST_TEST(&f().backend() == &default_backend());
  for (const auto& status : list_backends()) {
    if (!status.available) continue;
    const ScopedBackend scope(status.spelling);
    BOOST_TEST(&f().backend() == &default_backend());
  }
}

// What is computed and then copied into a slice may be computed there, unless somebody still reads
// what the slice held, or the value once the slice holds something else.
BACKEND_TEST_CASE(values_go_into_slices_and_joins_in_any_order) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    const auto body = [seed](const UnifiedArray& x) {
      std::mt19937 random(seed);
      const auto below = [&](std::size_t n) { return static_cast<std::int64_t>(random() % n); };
      UnifiedArray u = x.copy(), wide = zeros({9, 5});
      std::vector<UnifiedArray> kept{(x(0) + 1.0).eval()};
      const auto any = [&] { return kept[static_cast<std::size_t>(below(kept.size()))]; };
      for (int k = 0; k < 30; ++k) {
        switch (below(8)) {
          case 0: kept.push_back((u(below(6)) * 0.5 + any()).eval()); break;
          case 1:
            kept.push_back(linalg::tridiagonal_solve(any() * 0.01, 4.0, 0.3, u(below(6)), 0));
            break;
          case 2: u(below(6)) = any(); break;
          case 3: u(below(6)) = any() - u(below(6)); break;
          case 4: u = concat({u(slice(3, 6)), stack({any(), any()}), u(upto(1))}); break;
          case 5: wide(slice(1, 7)) = u; break;
          case 6: u(slice(2, 4)) = stack({any(), (any() * 2.0).eval()}); break;
          case 7: u(below(6)) = shift((any() + 1.0).eval(), 0, 1, Boundary::periodic); break;
        }
      }
      return std::tuple{u, kept[kept.size() / 2], concat({stack(kept), wide})};
    };
    const UnifiedArray x = numbers({6, 5}, seed);
    const auto f = jit(body);
    const auto [p, q, r] = body(x);
    for (int call = 0; call < 2; ++call) {
      const auto [u, v, w] = f(x);
      BOOST_TEST(same<double>(u, plain<double>(p)));
      BOOST_TEST(same<double>(v, plain<double>(q)));
      BOOST_TEST(same<double>(w, plain<double>(r)));
    }
  }
}

BACKEND_TEST_CASE(small_in_place_steps_of_a_sweep_do_not_copy_the_whole_array) {
  const auto f = jit([](const UnifiedArray& x) { return x * 0.5 + 1.0; });
  UnifiedArray u = zeros({20, 50});
  const void* const before = u.storage()->data;
  u(19) = 4.0;
  for (int n = 18; n >= 0; --n) u(n) = f(u(n + 1));
  BOOST_TEST(u.storage()->data == before);
  double expected = 4.0;
  for (int n = 18; n >= 0; --n) expected = expected * 0.5 + 1.0;
  BOOST_TEST(u(0, 49).item<double>() == expected);
}

BACKEND_TEST_CASE(an_array_that_is_moved_in_gives_its_memory_to_the_result) {
  const auto pointwise =
      jit([](const UnifiedArray& u, const UnifiedArray& dt) { return u * dt + u; });
  const auto implicit = jit([](const UnifiedArray& u, const UnifiedArray& v) {
    const UnifiedArray rhs = (u + shift(u, 0, 1, Boundary::clamp) * v).eval();
    return linalg::tridiagonal_solve(-1.0 * v, 4.0, -0.5 * v, square(rhs), 0);
  });
  UnifiedArray u = numbers({50}), v = numbers({50}, 2);
  const UnifiedArray dt = asarray(0.1);
  UnifiedArray expected = u.copy();
  const void* const memory = u.storage()->data;
  for (int n = 0; n < 4; ++n) {
    expected = linalg::tridiagonal_solve(
        -1.0 * v, 4.0, -0.5 * v, square(expected + shift(expected, 0, 1, Boundary::clamp) * v), 0);
    expected = expected * dt + expected;
    u = implicit(std::move(u), v);
    if (!variant().eager) BOOST_TEST(u.storage()->data == memory);
    const void* const before = u.storage()->data;
    u = pointwise(std::move(u), dt);
    BOOST_TEST(u.storage()->data == before);
    BOOST_TEST(same<double>(u, plain<double>(expected)));
  }
  BOOST_TEST(pointwise.traces() == 1);
}

BACKEND_TEST_CASE(what_somebody_else_holds_or_reads_is_not_given_away) {
  const auto step = jit([](const UnifiedArray& u) { return u * 2.0 + 1.0; });
  const auto stencil = jit([](const UnifiedArray& u) {
    return u + shift(u, 0, 1, Boundary::periodic) - shift(u, 0, -1, Boundary::periodic);
  });
  const auto twice = jit([](const UnifiedArray& u) { return std::tuple{u * 2.0, u * 3.0}; });
  const auto itself = jit([](const UnifiedArray& u) { return std::tuple{u, u * 3.0}; });
  const UnifiedArray x = numbers({3000});
  const Plain<double> kept = plain<double>(x);
  {
    UnifiedArray u = x;  // shares x's memory
    BOOST_TEST(same<double>(step(std::move(u)), plain<double>(x * 2.0 + 1.0)));
    BOOST_TEST(same<double>(x, kept));
  }
  {
    UnifiedArray whole = x.copy();
    UnifiedArray part = std::as_const(whole)(slice(10, 20));  // a view
    BOOST_TEST(same<double>(step(std::move(part)), plain<double>(x(slice(10, 20)) * 2.0 + 1.0)));
    BOOST_TEST(same<double>(whole, kept));
  }
  {
    UnifiedArray u = x.copy();
    BOOST_TEST(
        same<double>(stencil(std::move(u)), plain<double>(x + shift(x, 0, 1, Boundary::periodic) -
                                                          shift(x, 0, -1, Boundary::periodic))));
  }
  UnifiedArray a = x.copy(), b = x.copy();
  const auto [double_of, triple_of] = twice(std::move(a));
  BOOST_TEST(same<double>(double_of, plain<double>(x * 2.0)));
  BOOST_TEST(same<double>(triple_of, plain<double>(x * 3.0)));
  const auto [same_as, triple] = itself(std::move(b));
  BOOST_TEST(same<double>(same_as, kept));
  BOOST_TEST(same<double>(triple, plain<double>(x * 3.0)));
  UnifiedArray c = x.copy();
  step(std::move(c));
  BOOST_CHECK_THROW(c + 1.0, Error);
  const auto names_the_argument = [](const Error& error) {
    return std::string(error.what()) == "jit: argument 0 was moved from";
  };
  BOOST_CHECK_EXCEPTION(step(c), Error, names_the_argument);
  BOOST_CHECK_EXCEPTION(step(std::move(c)), Error, names_the_argument);
}

BACKEND_TEST_CASE(what_moves_by_some_elements_is_not_computed_over_its_source) {
  const auto later = [](const UnifiedArray& u) {
    return concat({zeros({3}), u(slice(0, 2997)) * 2.0 + 1.0});
  };
  const auto in_place = [](const UnifiedArray& u) {
    return concat({zeros({3}), u(slice(3, 3000)) * 2.0 + 1.0});
  };
  const auto moved = jit(later);
  const auto stays = jit(in_place);
  for (unsigned seed = 1; seed < 3; ++seed) {
    const UnifiedArray x = numbers({3000}, seed);
    UnifiedArray a = x.copy(), b = x.copy();
    BOOST_TEST(same<double>(moved(std::move(a)), plain<double>(later(x))));
    BOOST_TEST(same<double>(stays(std::move(b)), plain<double>(in_place(x))));
  }
}
