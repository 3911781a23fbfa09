// Grids, Hamiltonians, matrices and linear solvers, each on its own.

#include <cmath>
#include <isofield/linalg.hpp>
#include <isofield/mfg/discrete_problem.hpp>
#include <isofield/mfg/krylov.hpp>

#include "mfg/mfg_test.hpp"

namespace isofield::mfg::testing {
namespace {

const std::vector<AxisBoundary> every_boundary = {
    {Boundary::periodic, Boundary::periodic}, {Boundary::reflecting, Boundary::reflecting},
    {Boundary::exit, Boundary::exit},         {Boundary::reflecting, Boundary::exit},
    {Boundary::exit, Boundary::reflecting},
};

MFG_TEST_CASE(nodes_are_where_the_contract_says) {
  const Axis periodic{1.0, 3.0, 4, {Boundary::periodic, Boundary::periodic}};
  const Axis bounded{1.0, 3.0, 4, {Boundary::reflecting, Boundary::exit}};
  BOOST_TEST(periodic.nodes() == (std::vector<double>{1.0, 1.5, 2.0, 2.5}),
             boost::test_tools::per_element());
  BOOST_TEST(bounded.nodes() == (std::vector<double>{1.25, 1.75, 2.25, 2.75}),
             boost::test_tools::per_element());
}

MFG_TEST_CASE(differences_follow_the_face_rule_at_every_boundary) {
  const std::vector<double> values = {1.0, 4.0, 9.0, 16.0};
  const auto check = [&](AxisBoundary boundary, std::vector<double> forward,
                         std::vector<double> backward) {
    const Grid grid({{0.0, 4.0, 4, boundary}});
    const UnifiedArray u = asarray(values, Shape{4});
    BOOST_TEST(grid.difference(u, 0, Side::forward, 2.5).to_vector<double>() == forward,
               boost::test_tools::per_element());
    BOOST_TEST(grid.difference(u, 0, Side::backward, 2.5).to_vector<double>() == backward,
               boost::test_tools::per_element());
  };
  check(every_boundary[0], {3, 5, 7, -15}, {-15, 3, 5, 7});
  check(every_boundary[1], {3, 5, 7, 0}, {0, 3, 5, 7});
  check(every_boundary[2], {3, 5, 7, -13.5}, {-1.5, 3, 5, 7});
  check(every_boundary[3], {3, 5, 7, -13.5}, {0, 3, 5, 7});
}

MFG_TEST_CASE(differences_see_walls_and_exits_inside_the_box) {
  Grid grid({{0.0, 4.0, 4, {}}});
  grid = grid.marked(asarray({false, true, false, false}), asarray({false, false, false, true}));
  BOOST_TEST(grid.free_cells() == 2);
  BOOST_TEST(!grid.is_closed());
  BOOST_TEST(grid.cell_kinds().to_vector<std::int64_t>() == (std::vector<std::int64_t>{0, 1, 0, 2}),
             boost::test_tools::per_element());
  const UnifiedArray u = grid.value(asarray({1.0, 7.0, 3.0, 7.0}), 5.0);
  BOOST_TEST(u.to_vector<double>() == (std::vector<double>{1, 0, 3, 5}),
             boost::test_tools::per_element());
  BOOST_TEST(
      grid.difference(u, 0, Side::forward).to_vector<double>() == (std::vector<double>{0, 0, 2, 0}),
      boost::test_tools::per_element());
  BOOST_TEST(grid.difference(u, 0, Side::backward).to_vector<double>() ==
                 (std::vector<double>{0, 0, 0, 0}),
             boost::test_tools::per_element());
}

MFG_TEST_CASE(grids_refuse_what_makes_no_sense) {
  BOOST_CHECK_THROW(Grid({{1.0, 1.0, 4, {}}}), ShapeError);
  BOOST_CHECK_THROW(Grid({{0.0, 1.0, 1, {}}}), ShapeError);
  BOOST_CHECK_THROW(Grid({{0.0, 1.0, 4, {Boundary::periodic, Boundary::exit}}}), ShapeError);
  BOOST_CHECK_THROW(Grid({{0.0, 1.0, 2, {}}}).marked(asarray({true, true}), std::nullopt),
                    SolverError);
}

// G, G_q and G_qq against difference quotients, for every exponent and every kind of slopes.
MFG_TEST_CASE(hamiltonian_derivatives_are_those_of_its_value) {
  const Grid grid({unit_axis(12, Boundary::periodic, Boundary::periodic),
                   unit_axis(9, Boundary::reflecting, Boundary::exit)});
  const UnifiedArray u = noise_field(grid, 1), v = noise_field(grid, 2);
  const UnifiedArray scale = grid.field(0.7 + 0.2 * noise_field(grid, 3));
  std::vector<Hamiltonian> all{Hamiltonian::exponential(scale, grid, 0.2)};
  for (const double exponent : {1.5, 2.0, 3.0})
    for (const Slopes slopes : {Slopes::upwind, Slopes::centred})
      all.emplace_back(scale, exponent, slopes);
  for (const Hamiltonian& h : all) {
    const double eps = 1e-5;
    const auto at = [&](double step) { return h.seen(differences(grid, u + step * v)); };
    const FaceField q = at(0.0), d = differences(grid, v);
    const FaceField gradient = h.gradient(q);
    UnifiedArray slope = zeros_like(u);
    for (std::size_t k = 0; k < 2; ++k)
      slope = slope + gradient.forward[k] * d.forward[k] + gradient.backward[k] * d.backward[k];
    const UnifiedArray quotient = (h.value(at(eps)) - h.value(at(-eps))) / (2.0 * eps);
    // Where a slope changes sign in between, G is only once differentiable: an error of order eps.
    BOOST_TEST(largest_difference(slope, quotient) < 2e-3 * largest(slope));
    const FaceField curvature = h.curvature(q, d), after = h.gradient(at(eps)),
                    before = h.gradient(at(-eps));
    for (std::size_t k = 0; k < 2; ++k) {
      const UnifiedArray second = (after.forward[k] - before.forward[k]) / (2.0 * eps);
      const UnifiedArray smooth = (abs(q.forward[k]) > 1e-2).astype(float64);
      BOOST_TEST(largest_difference(curvature.forward[k] * smooth, second * smooth) <
                 1e-3 * largest(second));
    }
    BOOST_TEST(largest_difference(h.lagrangian(q), product(gradient, q) - h.value(q)) <
               1e-13 * largest(h.value(q)));
  }
  BOOST_CHECK_THROW(Hamiltonian(full(Shape{}, 0.5), 1.0), SolverError);
  BOOST_CHECK_THROW(Hamiltonian(full(Shape{}, 0.0), 2.0), SolverError);
}

MFG_TEST_CASE(eigenvectors_diagonalise_the_second_difference_at_every_boundary) {
  for (const AxisBoundary& boundary : every_boundary) {
    for (const std::int64_t n : {7, 8, 40, 41}) {  // by products, by fast transforms
      const Grid grid({{0.0, 2.0, n, boundary}});
      const FastDiagonalisation fast(Grid({{0.0, 1.0, 3}, {0.0, 2.0, n, boundary}}));
      // Rows are fields: minus their second difference is the eigenvalue times them.
      const UnifiedArray modes = fast.from_modes(eye(n), 1);
      const UnifiedArray values = reshape(fast.eigenvalues(1), Shape{n, 1});
      BOOST_TEST(largest(grid.laplacian(modes) + values * modes) < 1e-11);
      BOOST_TEST(largest_difference(fast.to_modes(modes, 1), eye(n)) < 1e-13);
    }
  }
}

MFG_TEST_CASE(fast_diagonalisation_inverts_constant_coefficients_at_every_boundary) {
  for (const AxisBoundary& first : every_boundary)
    for (const AxisBoundary& second : every_boundary)
      for (const std::int64_t n : {3, 9, 33}) {
        const Grid grid({{0.0, 2.0, n, first}, {0.0, 1.0, 6, second}, {-1.0, 1.0, n, first}});
        const UnifiedArray none = zeros(grid.shape());
        const Stencil a = linearise(grid, {{none, none, none}, {none, none, none}}, 0.3, 0.1);
        // The mean over cells of the viscosity is known where every cell has all its faces.
        const FastDiagonalisation fast(grid);
        Stencil whole = a;
        for (std::size_t k = 0; k < 3; ++k) {
          const double h = grid.axis(static_cast<int>(k)).spacing();
          whole.faces.forward[k] = whole.faces.backward[k] = none - 0.03 / (h * h);
        }
        const UnifiedArray b = noise_field(grid, 4);
        const UnifiedArray x = fast.apply(b, fast.symbol(whole));
        BOOST_TEST(largest_difference(apply(grid, a, x), b) < 1e-12 * largest(b));
      }
}

// A random step matrix of every kind of grid in two dimensions.
struct StepMatrix {
  explicit StepMatrix(const Grid& g) : grid(g) {
    const Hamiltonian h(full(Shape{}, 0.5), 2.0);
    const UnifiedArray u = grid.value(0.3 * noise_field(grid, 5), 0.0);
    a = linearise(grid, h.gradient(h.seen(differences(grid, u))), 0.05, 0.05);
  }
  Grid grid;
  Stencil a;
};

MFG_TEST_CASE(bicgstab_solves_with_the_matrix_and_its_transpose) {
  const Grid box({unit_axis(16, Boundary::periodic, Boundary::periodic),
                  unit_axis(13, Boundary::reflecting, Boundary::exit)});
  const UnifiedArray wall = abs(box.coordinate(0) - 0.5) < 0.1 && box.coordinate(1) < 0.6;
  for (const Grid& grid : {box, box.marked(wall, box.coordinate(1) > 0.9)}) {
    StepMatrix step(grid);
    const BiCGStab solver(grid);
    step.a.symbol = solver.preconditioner().symbol(step.a);
    const UnifiedArray b = grid.density(noise_field(grid, 6)).copy();
    for (const Stencil& a : {step.a, transpose(grid, step.a)}) {
      UnifiedArray x = zeros_like(b);
      const KrylovReport report = solver.solve(a, b, x, 0.0, 1e-12);
      BOOST_TEST(report.converged);
      BOOST_TEST(report.iterations < 30);
      BOOST_TEST(largest_difference(apply(grid, a, x), b) < 1e-10);
      BOOST_TEST(largest_difference(grid.density(x), x) == 0.0);
    }
  }
}

MFG_TEST_CASE(gmres_solves_in_as_many_steps_as_there_are_eigenvalues) {
  const UnifiedArray values = asarray({1.0, 2.0, 2.0, 5.0, 5.0, 5.0});
  const UnifiedArray b = asarray({1.0, -1.0, 2.0, 3.0, 0.5, 1.0});
  UnifiedArray x;
  const KrylovReport report =
      gmres([&](const UnifiedArray& v) { return values * v; }, b, x, 1e-12, 20);
  BOOST_TEST(report.converged);
  BOOST_TEST(report.iterations == 3);
  BOOST_TEST(largest_difference(x, b / values) < 1e-12);
}

}  // namespace
}  // namespace isofield::mfg::testing
