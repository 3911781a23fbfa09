/* The solvers as a program in C sees them, without anything of C++. */
#include <isofield/mfg/c_api.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

#define CHECK(condition)                                                              \
  do {                                                                                \
    if (!(condition)) {                                                               \
      ++failures;                                                                     \
      fprintf(stderr, "%s:%d: %s (last error: %s)\n", __FILE__, __LINE__, #condition, \
              isofield_last_error());                                                 \
    }                                                                                 \
  } while (0)

enum { CELLS = 32, STEPS = 20, SIZE = (STEPS + 1) * CELLS };

static const char* const crowd =
    "domain = { lower = [0.0], upper = [1.0], cells = [32] }\n"
    "time = { horizon = 1.0, steps = 20 }\n"
    "[model]\n"
    "viscosity = 0.05\n"
    "running_cost = \"0.5*m^2 + (x - t)^2\"\n"
    "terminal_cost = \"m + (x - 0.8)^2\"\n"
    "initial_density = \"exp(-(x - 0.3)^2/0.02)\"\n"
    "[solver]\n"
    "tolerance = 1e-10\n";

static isofield_mfg_problem* made(void) {
  const isofield_mfg_axis axis = {0.0, 1.0, CELLS, ISOFIELD_MFG_REFLECTING,
                                  ISOFIELD_MFG_REFLECTING};
  isofield_mfg_problem* problem = NULL;
  int32_t first = -1;
  CHECK(isofield_mfg_problem_create(1, &axis, 1.0, STEPS, &problem) == ISOFIELD_OK);
  CHECK(isofield_mfg_add_population(problem, NULL, 0.05, &first) == ISOFIELD_OK);
  CHECK(first == 0);
  return problem;
}

/* Solve to 1e-10 and copy u and m; gives the number of iterations. */
static int solved(const isofield_mfg_problem* problem, double* u, double* m) {
  isofield_mfg_options options;
  isofield_mfg_solution* solution = NULL;
  isofield_mfg_report report;
  memset(&report, 0, sizeof report);
  CHECK(isofield_mfg_options_of(problem, &options) == ISOFIELD_OK);
  options.tolerance = 1e-10;
  CHECK(isofield_mfg_solve(problem, &options, &solution) == ISOFIELD_OK);
  if (!solution) return -1;
  CHECK(isofield_mfg_solution_report(solution, &report) == ISOFIELD_OK);
  CHECK(report.outcome == ISOFIELD_MFG_CONVERGED);
  CHECK(report.residual <= report.tolerance && report.tolerance == 1e-10);
  CHECK(isofield_mfg_solution_copy(solution, 0, ISOFIELD_MFG_VALUE, u, SIZE) == ISOFIELD_OK);
  CHECK(isofield_mfg_solution_copy(solution, 0, ISOFIELD_MFG_DENSITY, m, SIZE) == ISOFIELD_OK);
  isofield_mfg_solution_free(solution);
  return report.iterations;
}

static double distance(const double* a, const double* b, int count) {
  double largest = 0.0;
  for (int i = 0; i < count; ++i) largest = fmax(largest, fabs(a[i] - b[i]));
  return largest;
}

/* ---- Costs as functions ------------------------------------------------------------------- */

typedef struct calls {
  int values, derivatives, coarser;
} calls;

static int running(void* user, const isofield_mfg_cost_input* at, double* cost) {
  calls* count = user;
  ++count->values;
  if (at->grid->cells[0] < CELLS) ++count->coarser;
  CHECK(at->grid->axes == 1 && at->grid->size == at->grid->cells[0] && at->populations == 1);
  CHECK(at->grid->cells[1] == 1 && at->grid->position[1] == NULL);
  for (int64_t n = 0; n < at->levels; ++n)
    for (int64_t i = 0; i < at->grid->size; ++i) {
      const double m = at->densities[0][n * at->grid->size + i];
      const double away = at->grid->position[0][i] - at->times[n];
      cost[n * at->grid->size + i] = 0.5 * m * m + away * away;
    }
  return 0;
}

static int running_derivative(void* user, const isofield_mfg_cost_input* at,
                              const double* const* changes, double* derivative) {
  calls* count = user;
  ++count->derivatives;
  for (int64_t i = 0; i < at->levels * at->grid->size; ++i)
    derivative[i] = at->densities[0][i] * changes[0][i];
  return 0;
}

static int terminal(void* user, const isofield_mfg_cost_input* at, double* cost) {
  (void)user;
  CHECK(at->levels == 1 && at->times[0] == 1.0);
  for (int64_t i = 0; i < at->grid->size; ++i) {
    const double away = at->grid->position[0][i] - 0.8;
    cost[i] = at->densities[0][i] + away * away;
  }
  return 0;
}

static int bump(void* user, const isofield_mfg_grid* grid, double* values) {
  (void)user;
  for (int64_t i = 0; i < grid->size; ++i)
    values[i] = exp(-(grid->position[0][i] - 0.3) * (grid->position[0][i] - 0.3) / 0.02);
  return 0;
}

static int refusing(void* user, const isofield_mfg_cost_input* at, double* cost) {
  (void)at;
  (void)cost;
  return *(int*)user;
}

/* The same game from a configuration, from expressions, and from functions: the same equations. */
static void a_game_is_the_same_however_it_is_stated(void) {
  double u[SIZE], m[SIZE], other_u[SIZE], other_m[SIZE], m0[CELLS];
  calls count = {0, 0, 0};
  isofield_mfg_problem* problem = NULL;
  CHECK(isofield_mfg_problem_from_toml(crowd, NULL, 0, &problem) == ISOFIELD_OK);
  const int iterations = solved(problem, u, m);
  isofield_mfg_problem_free(problem);
  double mass = 0.0;
  for (int i = 0; i < CELLS; ++i) mass += m[STEPS * CELLS + i] / CELLS;
  CHECK(fabs(mass - 1.0) < 1e-12);

  problem = made();
  CHECK(isofield_mfg_set_expression(problem, 0, ISOFIELD_MFG_RUNNING_COST, "0.5*m^2 + (x - t)^2") ==
        ISOFIELD_OK);
  CHECK(isofield_mfg_set_expression(problem, 0, ISOFIELD_MFG_TERMINAL_COST, "m + (x - 0.8)^2") ==
        ISOFIELD_OK);
  CHECK(isofield_mfg_set_expression(problem, 0, ISOFIELD_MFG_INITIAL_DENSITY,
                                    "exp(-(x - 0.3)^2/0.02)") == ISOFIELD_OK);
  CHECK(solved(problem, other_u, other_m) == iterations);
  CHECK(distance(u, other_u, SIZE) == 0.0 && distance(m, other_m, SIZE) == 0.0);

  /* With a derivative Newton's method takes the same steps. */
  CHECK(isofield_mfg_set_cost(problem, 0, ISOFIELD_MFG_RUNNING_COST, running, running_derivative,
                              &count) == ISOFIELD_OK);
  CHECK(isofield_mfg_set_cost(problem, 0, ISOFIELD_MFG_TERMINAL_COST, terminal, NULL, NULL) ==
        ISOFIELD_OK);
  CHECK(isofield_mfg_set_field(problem, 0, ISOFIELD_MFG_INITIAL_DENSITY, bump, NULL) ==
        ISOFIELD_OK);
  CHECK(solved(problem, other_u, other_m) == iterations);
  CHECK(distance(u, other_u, SIZE) < 1e-9 && distance(m, other_m, SIZE) < 1e-9);
  CHECK(count.values > 0 && count.derivatives > 0 && count.coarser > 0);

  /* And by differences about the same ones. */
  const int derivatives = count.derivatives;
  CHECK(isofield_mfg_set_cost(problem, 0, ISOFIELD_MFG_RUNNING_COST, running, NULL, &count) ==
        ISOFIELD_OK);
  CHECK(solved(problem, other_u, other_m) <= iterations + 1);
  CHECK(distance(u, other_u, SIZE) < 1e-9 && distance(m, other_m, SIZE) < 1e-9);
  CHECK(count.derivatives == derivatives);

  /* A field by its values. */
  for (int i = 0; i < CELLS; ++i) {
    const double x = (i + 0.5) / CELLS - 0.3;
    m0[i] = 7.0 * exp(-x * x / 0.02);
  }
  CHECK(isofield_mfg_set_values(problem, 0, ISOFIELD_MFG_INITIAL_DENSITY, m0, CELLS) ==
        ISOFIELD_OK);
  solved(problem, other_u, other_m);
  CHECK(distance(u, other_u, SIZE) < 1e-9 && distance(m, other_m, SIZE) < 1e-9);
  isofield_mfg_problem_free(problem);
}

/* ---- Currents ------------------------------------------------------------------------------ */

static int current(void* user, const isofield_mfg_grid* grid, int64_t levels, const double* times,
                   double* const* components) {
  ++*(int*)user;
  for (int64_t n = 0; n < levels; ++n)
    for (int64_t i = 0; i < grid->size; ++i)
      components[0][n * grid->size + i] = 0.5 * times[n] * grid->position[0][i];
  return 0;
}

static int no_current(void* user, const isofield_mfg_grid* grid, int64_t levels,
                      const double* times, double* const* components) {
  (void)user, (void)grid, (void)levels, (void)times, (void)components;
  return 3;
}

static void a_current_is_the_same_however_it_is_given(void) {
  static double u[SIZE], m[SIZE], other_u[SIZE], other_m[SIZE], values[2 * CELLS];
  const double* components[1] = {values};
  const char* const expression[1] = {"0.5*t*x"};
  int asked = 0;
  isofield_mfg_problem* problem = NULL;
  isofield_mfg_solution* solution = NULL;
  CHECK(isofield_mfg_problem_from_toml(crowd, NULL, 0, &problem) == ISOFIELD_OK);
  solved(problem, other_u, other_m);
  CHECK(isofield_mfg_set_drift(problem, 0, expression) == ISOFIELD_OK);
  solved(problem, u, m);
  CHECK(distance(m, other_m, SIZE) > 0.01); /* it carries people */
  CHECK(isofield_mfg_set_drift_function(problem, 0, current, &asked) == ISOFIELD_OK);
  solved(problem, other_u, other_m);
  CHECK(distance(u, other_u, SIZE) < 1e-9 && distance(m, other_m, SIZE) < 1e-9);
  CHECK(asked > 0 && asked < 5); /* once for each grid */
  /* Linear in time: two levels say it all. */
  for (int i = 0; i < CELLS; ++i) values[CELLS + i] = 0.5 * (i + 0.5) / CELLS;
  CHECK(isofield_mfg_set_drift_values(problem, 0, 2, components, 2 * CELLS) == ISOFIELD_OK);
  memset(other_u, 0, sizeof other_u);
  solved(problem, other_u, other_m);
  CHECK(distance(u, other_u, SIZE) < 1e-9 && distance(m, other_m, SIZE) < 1e-9);
  CHECK(isofield_mfg_set_drift_values(problem, 0, 2, components, CELLS) == ISOFIELD_INVALID);
  CHECK(strcmp(isofield_last_error(), "count is 32, but 2 levels of 32 cells are 64") == 0);
  /* A steady one. */
  CHECK(isofield_mfg_set_drift_values(problem, 0, 1, components, CELLS) == ISOFIELD_OK);
  solved(problem, other_u, other_m);
  CHECK(isofield_mfg_set_drift_function(problem, 0, no_current, NULL) == ISOFIELD_OK);
  CHECK(isofield_mfg_solve(problem, NULL, &solution) == ISOFIELD_CALLBACK_FAILED);
  CHECK(strcmp(isofield_last_error(), "the function that computes a drift returned 3") == 0);
  isofield_mfg_problem_free(problem);
}

/* ---- Callbacks and starts ----------------------------------------------------------------- */

typedef struct watch {
  int seen, copied, stop_at;
  double last[SIZE];
} watch;

static int look(void* user, const isofield_mfg_iteration* now) {
  watch* w = user;
  ++w->seen;
  CHECK(now->number >= 1 && now->residual >= 0.0 && strlen(now->method) > 0);
  CHECK(isofield_mfg_iteration_copy(now, 0, ISOFIELD_MFG_DENSITY, w->last, 5) == ISOFIELD_INVALID);
  if (strlen(now->start) > 0) {
    CHECK(isofield_mfg_iteration_copy(now, 0, ISOFIELD_MFG_DENSITY, w->last, SIZE) ==
          ISOFIELD_INVALID);
    return 0;
  }
  CHECK(isofield_mfg_iteration_copy(now, 0, ISOFIELD_MFG_VALUE, w->last, SIZE) == ISOFIELD_OK);
  ++w->copied;
  return w->copied == w->stop_at;
}

static void iterations_are_seen_and_can_end_a_solve(void) {
  static watch w;
  double u[SIZE], m[SIZE];
  isofield_mfg_problem* problem = NULL;
  isofield_mfg_solution* solution = NULL;
  isofield_mfg_options options;
  isofield_mfg_report report;
  const char* const settings[] = {"solver.coupling = \"picard\"", "solver.max_iterations=50"};
  CHECK(isofield_mfg_problem_from_toml(crowd, settings, 2, &problem) == ISOFIELD_OK);
  CHECK(isofield_mfg_options_of(problem, &options) == ISOFIELD_OK);
  CHECK(options.coupling == ISOFIELD_MFG_PICARD && options.max_iterations == 50);
  options.on_iteration = look;
  options.user = &w;
  w.stop_at = 2;
  CHECK(isofield_mfg_solve(problem, &options, &solution) == ISOFIELD_OK);
  CHECK(isofield_mfg_solution_report(solution, &report) == ISOFIELD_OK);
  CHECK(report.outcome == ISOFIELD_MFG_INTERRUPTED && report.iterations == 2);
  CHECK(w.copied == 2 && w.seen > 2);
  CHECK(isofield_mfg_solution_copy(solution, 0, ISOFIELD_MFG_VALUE, u, SIZE) == ISOFIELD_OK);
  CHECK(distance(u, w.last, SIZE) == 0.0);
  isofield_mfg_solution_free(solution);
  isofield_mfg_problem_free(problem);

  /* From the solution there is little to do. */
  CHECK(isofield_mfg_problem_from_toml(crowd, NULL, 0, &problem) == ISOFIELD_OK);
  CHECK(isofield_mfg_options_of(problem, &options) == ISOFIELD_OK);
  options.coupling = ISOFIELD_MFG_NEWTON;
  options.start = ISOFIELD_MFG_START_GIVEN;
  CHECK(isofield_mfg_solve(problem, &options, &solution) == ISOFIELD_INVALID);
  CHECK(solution == NULL);
  CHECK(strcmp(isofield_last_error(), "population 0 has no value to start from") == 0);
  solved(problem, u, m);
  CHECK(isofield_mfg_set_initial_value(problem, 0, u, CELLS) == ISOFIELD_INVALID);
  CHECK(strcmp(isofield_last_error(), "count is 32, but levels times cells are 672") == 0);
  CHECK(isofield_mfg_set_initial_value(problem, 0, u, SIZE) == ISOFIELD_OK);
  CHECK(isofield_mfg_solve(problem, &options, &solution) == ISOFIELD_OK);
  CHECK(isofield_mfg_solution_report(solution, &report) == ISOFIELD_OK);
  CHECK(report.outcome == ISOFIELD_MFG_CONVERGED && report.iterations <= 1);
  isofield_mfg_solution_free(solution);
  isofield_mfg_problem_free(problem);
}

static void levels_shapes_and_constants_are_copied(void) {
  double all[SIZE], level[CELLS], lambda = 0.0;
  int32_t populations = 0, axes = 0;
  int64_t levels = 0, cells[3] = {0, 0, 0};
  isofield_mfg_problem* problem = NULL;
  isofield_mfg_solution* solution = NULL;
  CHECK(isofield_mfg_problem_from_toml(crowd, NULL, 0, &problem) == ISOFIELD_OK);
  CHECK(isofield_mfg_problem_shape(problem, &populations, &levels, &axes, cells) == ISOFIELD_OK);
  CHECK(populations == 1 && levels == STEPS + 1 && axes == 1);
  CHECK(cells[0] == CELLS && cells[1] == 1 && cells[2] == 1);
  CHECK(isofield_mfg_solve(problem, NULL, &solution) == ISOFIELD_OK);
  levels = 0;
  CHECK(isofield_mfg_solution_shape(solution, NULL, &levels, NULL, NULL) == ISOFIELD_OK);
  CHECK(levels == STEPS + 1);
  CHECK(isofield_mfg_solution_copy(solution, 0, ISOFIELD_MFG_DENSITY, all, SIZE) == ISOFIELD_OK);
  CHECK(isofield_mfg_solution_copy_level(solution, 0, ISOFIELD_MFG_DENSITY, -1, level, CELLS) ==
        ISOFIELD_OK);
  CHECK(distance(level, all + STEPS * CELLS, CELLS) == 0.0);
  CHECK(isofield_mfg_solution_copy_level(solution, 0, ISOFIELD_MFG_DENSITY, STEPS + 1, level,
                                         CELLS) == ISOFIELD_INVALID);
  CHECK(isofield_mfg_solution_copy(solution, 0, ISOFIELD_MFG_DENSITY, all, 7) == ISOFIELD_INVALID);
  CHECK(strcmp(isofield_last_error(), "count is 7, but shape (21, 32) has 672 elements") == 0);
  CHECK(isofield_mfg_solution_copy(solution, 1, ISOFIELD_MFG_DENSITY, all, SIZE) ==
        ISOFIELD_INVALID);
  CHECK(strcmp(isofield_last_error(), "population 1 is none of the 1 there are") == 0);
  CHECK(isofield_mfg_solution_lambda(solution, 0, &lambda) == ISOFIELD_INVALID);
  isofield_mfg_solution_free(solution);
  isofield_mfg_problem_free(problem);

  /* u = 0.3 sin(2 pi x) solves -u'' + u'^2/2 + lambda = F for this F with lambda = 0, here up to
   * the scheme's error of first order. */
  const isofield_mfg_axis circle = {0.0, 1.0, 200, ISOFIELD_MFG_PERIODIC, ISOFIELD_MFG_PERIODIC};
  CHECK(isofield_mfg_problem_create(1, &circle, 1.0, 1, &problem) == ISOFIELD_OK);
  CHECK(isofield_mfg_add_population(problem, "walkers", 1.0, NULL) == ISOFIELD_OK);
  CHECK(isofield_mfg_set_expression(problem, 0, ISOFIELD_MFG_RUNNING_COST,
                                    "0.3*(2*pi)^2*sin(2*pi*x) + 0.5*(0.6*pi*cos(2*pi*x))^2") ==
        ISOFIELD_OK);
  CHECK(isofield_mfg_set_ergodic(problem, 1) == ISOFIELD_OK);
  CHECK(isofield_mfg_solve(problem, NULL, &solution) == ISOFIELD_OK);
  CHECK(isofield_mfg_solution_lambda(solution, 0, &lambda) == ISOFIELD_OK);
  CHECK(fabs(lambda) < 0.02);
  isofield_mfg_solution_free(solution);
  isofield_mfg_problem_free(problem);
}

/* ---- Two axes, two populations, masks ------------------------------------------------------ */

static double middle_of(const double* m) {
  double sum = 0.0;
  for (int i = 0; i < 24; ++i)
    for (int j = 10; j < 14; ++j) sum += m[i * 24 + j];
  return sum / 576.0;
}

static void populations_and_masks_are_told_by_number(void) {
  const isofield_mfg_axis axes[2] = {
      {0.0, 1.0, 24, ISOFIELD_MFG_REFLECTING, ISOFIELD_MFG_REFLECTING},
      {0.0, 1.0, 24, ISOFIELD_MFG_REFLECTING, ISOFIELD_MFG_REFLECTING}};
  const char* const still[2] = {"0", "0*t"};
  static double wall[576], m[576];
  isofield_mfg_problem* problem = NULL;
  isofield_mfg_solution* solution = NULL;
  int32_t up = -1, down = -1;
  for (int i = 0; i < 24; ++i)
    for (int j = 0; j < 24; ++j) wall[i * 24 + j] = (j == 11 || j == 12) && i < 16;
  CHECK(isofield_mfg_problem_create(2, axes, 0.5, 8, &problem) == ISOFIELD_OK);
  CHECK(isofield_mfg_set_values(problem, 0, ISOFIELD_MFG_OBSTACLE, wall, 576) == ISOFIELD_OK);
  CHECK(isofield_mfg_add_population(problem, "up", 0.1, &up) == ISOFIELD_OK);
  CHECK(isofield_mfg_add_population(problem, "down", 0.1, &down) == ISOFIELD_OK);
  CHECK(isofield_mfg_add_population(problem, "up", 0.1, NULL) == ISOFIELD_INVALID);
  CHECK(strcmp(isofield_last_error(), "there is a population \"up\" already") == 0);
  CHECK(up == 0 && down == 1);
  CHECK(isofield_mfg_set_expression(problem, up, ISOFIELD_MFG_INITIAL_DENSITY, "y < 0.4") ==
        ISOFIELD_OK);
  CHECK(isofield_mfg_set_expression(problem, down, ISOFIELD_MFG_INITIAL_DENSITY, "y > 0.6") ==
        ISOFIELD_OK);
  CHECK(isofield_mfg_set_convolution(problem, up, "near", "exp(-(x^2 + y^2)/0.02)", 3.0) ==
        ISOFIELD_OK);
  CHECK(isofield_mfg_set_expression(problem, up, ISOFIELD_MFG_RUNNING_COST,
                                    "near + m_down + 4*abs(y - 1)") == ISOFIELD_OK);
  CHECK(isofield_mfg_set_expression(problem, down, ISOFIELD_MFG_RUNNING_COST,
                                    "m_up + 4*y + 0*near_up") == ISOFIELD_OK);
  CHECK(isofield_mfg_set_number(problem, down, ISOFIELD_MFG_MASS, 2.0) == ISOFIELD_OK);
  CHECK(isofield_mfg_set_number(problem, down, ISOFIELD_MFG_CONGESTION, 0.5) == ISOFIELD_OK);
  CHECK(isofield_mfg_set_drift(problem, up, still) == ISOFIELD_OK);
  CHECK(isofield_mfg_solve(problem, NULL, &solution) == ISOFIELD_OK);
  for (int p = 0; p < 2; ++p) {
    double mass = 0.0, walled = 0.0;
    CHECK(isofield_mfg_solution_copy_level(solution, p, ISOFIELD_MFG_DENSITY, -1, m, 576) ==
          ISOFIELD_OK);
    for (int i = 0; i < 576; ++i) {
      mass += m[i] / 576.0;
      walled += wall[i] * m[i];
    }
    CHECK(fabs(mass - (p == 0 ? 1.0 : 2.0)) < 1e-11);
    CHECK(walled == 0.0 && middle_of(m) > 0.0);
  }
  isofield_mfg_solution_free(solution);
  isofield_mfg_problem_free(problem);
}

static void particles_are_carried_into_the_callers_memory(void) {
  enum { COUNT = 500 };
  static double x[(STEPS + 1) * COUNT], m[CELLS];
  static unsigned char inside[(STEPS + 1) * COUNT];
  double expected = 0.0, found = 0.0;
  isofield_mfg_problem* problem = NULL;
  isofield_mfg_solution* solution = NULL;
  CHECK(isofield_mfg_problem_from_toml(crowd, NULL, 0, &problem) == ISOFIELD_OK);
  CHECK(isofield_mfg_solve(problem, NULL, &solution) == ISOFIELD_OK);
  CHECK(isofield_mfg_carry_particles(problem, solution, 0, COUNT, 7, x, (STEPS + 1) * COUNT, inside,
                                     (STEPS + 1) * COUNT) == ISOFIELD_OK);
  CHECK(isofield_mfg_solution_copy_level(solution, 0, ISOFIELD_MFG_DENSITY, -1, m, CELLS) ==
        ISOFIELD_OK);
  for (int i = 0; i < CELLS; ++i) expected += (i + 0.5) / CELLS * m[i] / CELLS;
  for (int i = 0; i < COUNT; ++i) {
    found += x[STEPS * COUNT + i] / COUNT;
    CHECK(inside[STEPS * COUNT + i] == 1);
  }
  CHECK(fabs(found - expected) < 4.0 * 0.3 / sqrt(COUNT) + 0.02);
  CHECK(isofield_mfg_carry_particles(problem, solution, 0, COUNT, 7, x, 3, NULL, 0) ==
        ISOFIELD_INVALID);
  CHECK(isofield_mfg_carry_particles(problem, solution, 0, COUNT, 7, x, (STEPS + 1) * COUNT, inside,
                                     3) == ISOFIELD_INVALID);
  CHECK(strcmp(isofield_last_error(),
               "inside_count is 3, but shape (21, 500) has 10500 elements") == 0);
  CHECK(isofield_mfg_carry_particles(problem, NULL, 0, COUNT, 7, x, 3, NULL, 0) ==
        ISOFIELD_INVALID);
  isofield_mfg_solution_free(solution);
  isofield_mfg_problem_free(problem);
}

/* H = q^2/2, so that people go at -du/dx; between the ends as differences over two cells tell. */
static void the_velocity_is_down_the_slope_of_the_value(void) {
  static double u[SIZE], m[SIZE], v[STEPS * CELLS];
  double largest = 0.0;
  isofield_mfg_problem* problem = NULL;
  isofield_mfg_solution* solution = NULL;
  CHECK(isofield_mfg_problem_from_toml(crowd, NULL, 0, &problem) == ISOFIELD_OK);
  CHECK(isofield_mfg_solve(problem, NULL, &solution) == ISOFIELD_OK);
  CHECK(isofield_mfg_solution_copy(solution, 0, ISOFIELD_MFG_VALUE, u, SIZE) == ISOFIELD_OK);
  CHECK(isofield_mfg_copy_velocity(problem, solution, 0, 0, v, STEPS * CELLS) == ISOFIELD_OK);
  for (int n = 0; n < STEPS; ++n)
    for (int i = 1; i + 1 < CELLS; ++i) {
      const double slope = (u[n * CELLS + i + 1] - u[n * CELLS + i - 1]) * CELLS / 2.0;
      CHECK(fabs(v[n * CELLS + i] + slope) < 1e-10);
      largest = fmax(largest, fabs(slope));
    }
  CHECK(largest > 0.5);
  CHECK(isofield_mfg_copy_velocity(problem, solution, 0, 1, v, STEPS * CELLS) == ISOFIELD_INVALID);
  CHECK(strcmp(isofield_last_error(), "axis 1 is none of the 1 there are") == 0);
  CHECK(isofield_mfg_copy_velocity(problem, solution, 0, 0, m, SIZE) == ISOFIELD_INVALID);
  isofield_mfg_problem_free(problem);
  const char* const finer = "time.steps=21";
  CHECK(isofield_mfg_problem_from_toml(crowd, &finer, 1, &problem) == ISOFIELD_OK);
  CHECK(isofield_mfg_copy_velocity(problem, solution, 0, 0, v, STEPS * CELLS) == ISOFIELD_INVALID);
  CHECK(strcmp(isofield_last_error(), "the solution is another problem's") == 0);
  isofield_mfg_solution_free(solution);
  isofield_mfg_problem_free(problem);
}

/* ---- Errors -------------------------------------------------------------------------------- */

static void what_is_wrong_is_a_status_and_a_text(void) {
  isofield_mfg_problem* problem = NULL;
  isofield_mfg_solution* solution = NULL;
  isofield_mfg_options options;
  const isofield_mfg_axis flat = {1.0, 1.0, 8, ISOFIELD_MFG_REFLECTING, ISOFIELD_MFG_REFLECTING};
  const char* const setting = "model.viscosity";
  int code = 7;
  double number = 0.0;
  CHECK(isofield_mfg_problem_from_toml("[model]\nviscosty = 1\n", NULL, 0, &problem) ==
        ISOFIELD_INVALID);
  CHECK(problem == NULL);
  CHECK(strstr(isofield_last_error(),
               "configuration:2:1: model.viscosty: unknown key; did you "
               "mean 'model.viscosity'?") != NULL);
  CHECK(isofield_mfg_problem_from_toml(crowd, &setting, 1, &problem) == ISOFIELD_INVALID);
  CHECK(isofield_mfg_problem_from_toml(NULL, NULL, 0, &problem) == ISOFIELD_INVALID);
  CHECK(strcmp(isofield_last_error(), "text is NULL") == 0);
  CHECK(isofield_mfg_problem_from_toml(crowd, NULL, 0, NULL) == ISOFIELD_INVALID);
  CHECK(isofield_mfg_problem_from_file("no/such/file.toml", NULL, 0, &problem) == ISOFIELD_IO);
  CHECK(isofield_mfg_problem_create(4, &flat, 1.0, 1, &problem) == ISOFIELD_INVALID);
  CHECK(isofield_mfg_problem_create(1, &flat, 1.0, 1, &problem) == ISOFIELD_INVALID);
  CHECK(isofield_set_backend("abacus") == ISOFIELD_NOT_AVAILABLE);
  CHECK(isofield_mfg_solve(NULL, NULL, &solution) == ISOFIELD_INVALID);
  CHECK(isofield_mfg_set_number(NULL, 0, ISOFIELD_MFG_MASS, 1.0) == ISOFIELD_INVALID);
  CHECK(isofield_mfg_solution_lambda(NULL, 0, &number) == ISOFIELD_INVALID);
  isofield_mfg_problem_free(NULL);
  isofield_mfg_solution_free(NULL);

  problem = made();
  CHECK(isofield_mfg_set_expression(problem, 0, ISOFIELD_MFG_RUNNING_COST, "m + q") ==
        ISOFIELD_INVALID);
  CHECK(isofield_mfg_set_expression(problem, 1, ISOFIELD_MFG_RUNNING_COST, "m") ==
        ISOFIELD_INVALID);
  CHECK(isofield_mfg_set_expression(problem, 0, ISOFIELD_MFG_TERMINAL_COST, "t") ==
        ISOFIELD_INVALID);
  CHECK(isofield_mfg_set_values(problem, 0, ISOFIELD_MFG_RUNNING_COST, &number, CELLS) ==
        ISOFIELD_INVALID);
  CHECK(strcmp(isofield_last_error(), "function 0 is no field") == 0);
  CHECK(isofield_mfg_set_values(problem, 0, ISOFIELD_MFG_INITIAL_DENSITY, &number, 1) ==
        ISOFIELD_INVALID);
  CHECK(strcmp(isofield_last_error(), "count is 1, but the grid has 32 cells") == 0);
  CHECK(isofield_mfg_set_cost(problem, 0, ISOFIELD_MFG_OBSTACLE, running, NULL, NULL) ==
        ISOFIELD_INVALID);
  CHECK(isofield_mfg_set_cost(problem, 0, ISOFIELD_MFG_RUNNING_COST, refusing, NULL, &code) ==
        ISOFIELD_OK);
  CHECK(isofield_mfg_solve(problem, NULL, &solution) == ISOFIELD_CALLBACK_FAILED);
  CHECK(strcmp(isofield_last_error(), "the function that computes a cost returned 7") == 0);
  /* A cost that reverse mode would have to look into. */
  calls count = {0, 0, 0};
  CHECK(isofield_mfg_set_cost(problem, 0, ISOFIELD_MFG_RUNNING_COST, running, NULL, &count) ==
        ISOFIELD_OK);
  CHECK(isofield_mfg_set_control(problem, 1) == ISOFIELD_OK);
  CHECK(isofield_mfg_solve(problem, NULL, &solution) == ISOFIELD_NOT_AVAILABLE);
  CHECK(isofield_mfg_set_control(problem, 0) == ISOFIELD_OK);
  CHECK(isofield_mfg_set_number(problem, 0, ISOFIELD_MFG_VISCOSITY, -1.0) == ISOFIELD_OK);
  CHECK(isofield_mfg_solve(problem, NULL, &solution) == ISOFIELD_INVALID);
  CHECK(isofield_mfg_set_number(problem, 0, ISOFIELD_MFG_VISCOSITY, 0.1) == ISOFIELD_OK);
  CHECK(isofield_mfg_options_of(problem, &options) == ISOFIELD_OK);
  options.coupling = (isofield_mfg_coupling)99;
  CHECK(isofield_mfg_solve(problem, &options, &solution) == ISOFIELD_INVALID);
  CHECK(strcmp(isofield_last_error(), "coupling: 99 is none of 0 to 5") == 0);
  isofield_mfg_problem_free(problem);
}

int main(void) {
  CHECK(isofield_mfg_c_api() == ISOFIELD_MFG_C_API);
  CHECK(strlen(isofield_version()) >= 5 && isofield_backend() != NULL);
  a_game_is_the_same_however_it_is_stated();
  a_current_is_the_same_however_it_is_given();
  iterations_are_seen_and_can_end_a_solve();
  levels_shapes_and_constants_are_copied();
  populations_and_masks_are_told_by_number();
  particles_are_carried_into_the_callers_memory();
  the_velocity_is_down_the_slope_of_the_value();
  what_is_wrong_is_a_status_and_a_text();
  if (failures == 0) puts("all is well");
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
