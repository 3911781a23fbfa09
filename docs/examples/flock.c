/* The same game from C. */
#include <isofield/mfg/c_api.h>
#include <stdio.h>
#include <stdlib.h>

enum { CELLS = 250, STEPS = 100 };

/* The mean position under a density. */
static double mean_position(const double* x, const double* m, int64_t cells) {
  double sum = 0.0, mass = 0.0;
  for (int64_t i = 0; i < cells; ++i) {
    sum += x[i] * m[i];
    mass += m[i];
  }
  return sum / mass;
}

/* A cost of one's own, at all time levels at once. */
static int to_the_others(void* user, const isofield_mfg_cost_input* at, double* cost) {
  (void)user;
  const int64_t cells = at->grid->size; /* the solve begins on coarser grids */
  const double* x = at->grid->position[0];
  for (int64_t n = 0; n < at->levels; ++n) {
    const double middle = mean_position(x, at->densities[0] + n * cells, cells);
    for (int64_t i = 0; i < cells; ++i)
      cost[n * cells + i] = 0.5 * (x[i] - middle) * (x[i] - middle);
  }
  return 0;
}

static int report(void* user, const isofield_mfg_iteration* now) {
  (void)user;
  printf("%s %s: residual %.1e\n", now->start, now->method, now->residual);
  return 0; /* go on */
}

static void check(isofield_status status) {
  if (status == ISOFIELD_OK) return;
  fprintf(stderr, "error %d: %s\n", (int)status, isofield_last_error());
  exit(EXIT_FAILURE);
}

int main(void) {
  const isofield_mfg_axis axis = {-2.0, 3.0, CELLS, ISOFIELD_MFG_REFLECTING,
                                  ISOFIELD_MFG_REFLECTING};
  isofield_mfg_problem* problem;
  check(isofield_mfg_problem_create(1, &axis, 1.0, STEPS, &problem));
  check(isofield_mfg_add_population(problem, "birds", 0.1, NULL));
  check(
      isofield_mfg_set_expression(problem, 0, ISOFIELD_MFG_INITIAL_DENSITY, "exp(-(x - 1)^2/0.2)"));
  check(isofield_mfg_set_cost(problem, 0, ISOFIELD_MFG_RUNNING_COST, to_the_others, NULL, NULL));
  check(isofield_mfg_set_expression(problem, 0, ISOFIELD_MFG_TERMINAL_COST, "0.5*x^2"));

  isofield_mfg_options options;
  check(isofield_mfg_options_of(problem, &options));
  options.on_iteration = report;
  isofield_mfg_solution* game;
  check(isofield_mfg_solve(problem, &options, &game));
  isofield_mfg_report end;
  check(isofield_mfg_solution_report(game, &end));

  double x[CELLS], m[CELLS];
  for (int i = 0; i < CELLS; ++i) x[i] = -2.0 + (i + 0.5) * 5.0 / CELLS;
  check(isofield_mfg_solution_copy_level(game, 0, ISOFIELD_MFG_DENSITY, -1, m, CELLS));
  printf("%s; mean position %.3f at the end\n",
         end.outcome == ISOFIELD_MFG_CONVERGED ? "converged" : end.message,
         mean_position(x, m, CELLS));
  isofield_mfg_solution_free(game);
  isofield_mfg_problem_free(problem);
  return end.outcome == ISOFIELD_MFG_CONVERGED ? EXIT_SUCCESS : EXIT_FAILURE;
}
