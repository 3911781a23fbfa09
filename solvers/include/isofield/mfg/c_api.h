#pragma once

/* Mean-field games for programs in C, and in every language that calls C.
 *
 *   isofield_mfg_problem* problem;
 *   if (isofield_mfg_problem_from_file("room.toml", NULL, 0, &problem) != ISOFIELD_OK)
 *     puts(isofield_last_error());
 *
 * Functions that can fail return a status; its text is isofield_last_error(). No exception leaves
 * them. Callbacks must not leave them by longjmp(). Arrays are double, in C order: time levels
 * first, then the axes, the last one contiguous. Texts are UTF-8 and end with a 0; what a function
 * is given is copied, pointers `user` aside. One handle may be used by one thread at a time. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- The library -------------------------------------------------------------------------- */

typedef enum isofield_status {
  ISOFIELD_OK = 0,
  ISOFIELD_ERROR = 1,         /* an error of the library's own */
  ISOFIELD_INVALID = 2,       /* an argument, a configuration or data that make no sense */
  ISOFIELD_IO = 5,            /* a file that cannot be read */
  ISOFIELD_NOT_AVAILABLE = 6, /* a backend, a device or a feature that is not here */
  ISOFIELD_OUT_OF_MEMORY = 7,
  ISOFIELD_CALLBACK_FAILED = 8 /* a function of the caller's returned something else than 0 */
} isofield_status;

/* The version of this interface; it grows with each function or member that comes to it. */
#define ISOFIELD_MFG_C_API 1

/* The interface's version that the library has which is loaded. */
int32_t isofield_mfg_c_api(void);
/* The library's version, "0.1.0". */
const char* isofield_version(void);
/* What was wrong with this thread's last call that failed; "" before. Valid until the next one. */
const char* isofield_last_error(void);
/* Choose the process's backend, name[:device[:index]]; "auto": the library does. */
isofield_status isofield_set_backend(const char* spelling);
/* The backend in force; valid until this thread's next call. NULL where it does not open. */
const char* isofield_backend(void);

/* ---- Problems ----------------------------------------------------------------------------- */

typedef struct isofield_mfg_problem isofield_mfg_problem;

typedef enum isofield_mfg_boundary {
  ISOFIELD_MFG_REFLECTING = 0,
  ISOFIELD_MFG_PERIODIC = 1, /* at both ends of an axis, or at none */
  ISOFIELD_MFG_EXIT = 2
} isofield_mfg_boundary;

/* One axis of the box. Nodes are at lower + i h on a periodic axis, at cells' centres on others. */
typedef struct isofield_mfg_axis {
  double lower, upper;
  int64_t cells;
  isofield_mfg_boundary at_lower, at_upper;
} isofield_mfg_axis;

/* Take a problem, options for its solution and the backend from a configuration of mfg_solve, as
 * text or in a file. Settings such as "time.steps=200" are stronger than the configuration. */
isofield_status isofield_mfg_problem_from_toml(const char* text, const char* const* settings,
                                               size_t settings_count,
                                               isofield_mfg_problem** problem);
isofield_status isofield_mfg_problem_from_file(const char* path, const char* const* settings,
                                               size_t settings_count,
                                               isofield_mfg_problem** problem);
/* Begin a problem without a configuration, on 1 to 3 axes; populations are added. */
isofield_status isofield_mfg_problem_create(int32_t axes_count, const isofield_mfg_axis* axes,
                                            double horizon, int64_t steps,
                                            isofield_mfg_problem** problem);
/* NULL is fine. */
void isofield_mfg_problem_free(isofield_mfg_problem* problem);

/* Add a population; `index`, unless NULL, gets its number. NULL for `name`: its number. Add all of
 * them before expressions that name them. Without more it stays where it is: costs are 0,
 * H = |q|^2/2, and its initial density is even. */
isofield_status isofield_mfg_add_population(isofield_mfg_problem* problem, const char* name,
                                            double viscosity, int32_t* index);

typedef enum isofield_mfg_number {
  ISOFIELD_MFG_VISCOSITY = 0,
  ISOFIELD_MFG_EXPONENT = 1,   /* beta in H = c |q|^beta / (m + mu)^alpha */
  ISOFIELD_MFG_CONGESTION = 2, /* alpha */
  ISOFIELD_MFG_OFFSET = 3,     /* mu */
  ISOFIELD_MFG_DISCOUNT = 4,   /* rho, a rate per unit of time */
  ISOFIELD_MFG_MASS = 5        /* that the initial density is scaled to; 0: taken as it is */
} isofield_mfg_number;
isofield_status isofield_mfg_set_number(isofield_mfg_problem* problem, int32_t population,
                                        isofield_mfg_number what, double value);

/* The functions of a population, and masks of the box, for which `population` is not looked at. */
typedef enum isofield_mfg_function {
  ISOFIELD_MFG_RUNNING_COST = 0,
  ISOFIELD_MFG_TERMINAL_COST = 1,
  ISOFIELD_MFG_INITIAL_DENSITY = 2,
  ISOFIELD_MFG_HAMILTONIAN_SCALE = 3, /* c */
  ISOFIELD_MFG_OBSTACLE = 4,          /* not 0 where nobody can be */
  ISOFIELD_MFG_EXIT_CELLS = 5         /* not 0 where people leave */
} isofield_mfg_function;

/* Give a function as an expression of the configuration: of x y z, costs also of m mean_x and so
 * on, of other populations' m_NAME, running costs of t. Such costs have exact derivatives. */
isofield_status isofield_mfg_set_expression(isofield_mfg_problem* problem, int32_t population,
                                            isofield_mfg_function what, const char* text);
/* Let costs given as expressions call weight times the convolution of the population's density
 * with a kernel, an expression of the offsets x y z, by a name. */
isofield_status isofield_mfg_set_convolution(isofield_mfg_problem* problem, int32_t population,
                                             const char* name, const char* kernel, double weight);
/* Give a field, but no cost, by its value in each cell; `count` is the number of cells. Coarser
 * grids, on which a solve begins, get means. */
isofield_status isofield_mfg_set_values(isofield_mfg_problem* problem, int32_t population,
                                        isofield_mfg_function what, const double* values,
                                        int64_t count);

/* What callbacks are told of the grid they are asked on, which may be coarser than the problem's.
 * Beyond the axes, cells[k] is 1 and position[k] is NULL. */
typedef struct isofield_mfg_grid {
  int32_t axes;
  int64_t cells[3];
  int64_t size;              /* the number of cells */
  const double* position[3]; /* coordinate k of every cell */
} isofield_mfg_grid;

/* Callbacks return 0; anything else ends the solve with ISOFIELD_CALLBACK_FAILED. They are called
 * by the thread that calls isofield_mfg_solve(). */

/* Write a field's value in each cell. */
typedef int (*isofield_mfg_field)(void* user, const isofield_mfg_grid* grid, double* values);
isofield_status isofield_mfg_set_field(isofield_mfg_problem* problem, int32_t population,
                                       isofield_mfg_function what, isofield_mfg_field field,
                                       void* user);

/* Where a cost is wanted: at many time levels at once. densities[p] is population p's, shape
 * (levels, cells...). Terminal costs are asked for one level. */
typedef struct isofield_mfg_cost_input {
  const isofield_mfg_grid* grid;
  int64_t levels;
  const double* times; /* of each level */
  int32_t population;  /* whose cost it is */
  int32_t populations;
  const double* const* densities;
} isofield_mfg_cost_input;

/* Write the cost at each level in each cell. */
typedef int (*isofield_mfg_cost)(void* user, const isofield_mfg_cost_input* at, double* cost);
/* Write the derivative of the cost where densities change by `changes`: the sum over p of dF/dm_p
 * changes[p], for a cost that looks at the density in the cell alone. */
typedef int (*isofield_mfg_cost_derivative)(void* user, const isofield_mfg_cost_input* at,
                                            const double* const* changes, double* derivative);
/* Give a cost as a function. Without a derivative, NULL, central differences take its place, which
 * look at densities that are a little negative, too. Such costs are not for a planner. */
isofield_status isofield_mfg_set_cost(isofield_mfg_problem* problem, int32_t population,
                                      isofield_mfg_function what, isofield_mfg_cost cost,
                                      isofield_mfg_cost_derivative derivative, void* user);

/* Let a velocity carry everybody, an expression of x y z t for each axis. */
isofield_status isofield_mfg_set_drift(isofield_mfg_problem* problem, int32_t population,
                                       const char* const* components);

/* The same by a function: write the velocity along axis k at each time in each cell into
 * components[k], of shape (levels, cells...). It is asked once for each grid, at the times of the
 * problem's steps; between them it counts as linear. */
typedef int (*isofield_mfg_velocity)(void* user, const isofield_mfg_grid* grid, int64_t levels,
                                     const double* times, double* const* components);
isofield_status isofield_mfg_set_drift_function(isofield_mfg_problem* problem, int32_t population,
                                                isofield_mfg_velocity velocity, void* user);
/* The same by values at `levels` equidistant times from 0 to the horizon, one for a steady current:
 * a pointer for each axis to (levels, cells...) numbers, `count` of them. Coarser grids get means.
 */
isofield_status isofield_mfg_set_drift_values(isofield_mfg_problem* problem, int32_t population,
                                              int64_t levels, const double* const* components,
                                              int64_t count);

/* u in exit cells and beyond ends that are exits. */
isofield_status isofield_mfg_set_exit_cost(isofield_mfg_problem* problem, double cost);
/* Not 0: a planner minimises what all pay together. */
isofield_status isofield_mfg_set_control(isofield_mfg_problem* problem, int32_t control);
/* Not 0: the game goes on for ever. */
isofield_status isofield_mfg_set_ergodic(isofield_mfg_problem* problem, int32_t ergodic);

/* The number of populations, time levels and axes, and the cells of each axis, 1 beyond the axes;
 * what is NULL is not written. */
isofield_status isofield_mfg_problem_shape(const isofield_mfg_problem* problem,
                                           int32_t* populations, int64_t* levels, int32_t* axes,
                                           int64_t cells[3]);

/* ---- Solving ------------------------------------------------------------------------------ */

typedef enum isofield_mfg_coupling {
  ISOFIELD_MFG_AUTO = 0,
  ISOFIELD_MFG_PICARD = 1,
  ISOFIELD_MFG_FICTITIOUS_PLAY = 2,
  ISOFIELD_MFG_ANDERSON = 3,
  ISOFIELD_MFG_POLICY = 4,
  ISOFIELD_MFG_NEWTON = 5
} isofield_mfg_coupling;

typedef enum isofield_mfg_start {
  ISOFIELD_MFG_START_ZERO = 0,   /* the initial density at all times */
  ISOFIELD_MFG_START_COARSE = 1, /* the solution on coarser grids */
  ISOFIELD_MFG_START_GIVEN = 2   /* what isofield_mfg_set_initial_value() was given */
} isofield_mfg_start;

typedef enum isofield_mfg_quantity {
  ISOFIELD_MFG_VALUE = 0,  /* u */
  ISOFIELD_MFG_DENSITY = 1 /* m */
} isofield_mfg_quantity;

/* One outer iteration. Members have the meanings of the columns of result files. */
typedef struct isofield_mfg_iteration {
  int32_t number; /* from 1 */
  const char*
      start; /* what is solved for a start, "grid 2 times coarser"; "": the problem itself */
  const char* method;
  double residual, hjb_residual, fp_residual;
  double change_u, change_m;
  double exploitability; /* NaN unless asked for */
  double seconds;        /* since the start */
  const void* fields;    /* for isofield_mfg_iteration_copy() */
} isofield_mfg_iteration;

/* Look at an iteration; anything else than 0 ends the solve with what there is. */
typedef int (*isofield_mfg_on_iteration)(void* user, const isofield_mfg_iteration* now);

typedef struct isofield_mfg_options {
  isofield_mfg_coupling coupling;
  isofield_mfg_start start;
  double tolerance;
  double damping;
  int32_t max_iterations;
  int32_t single_precision;               /* not 0: compute in float */
  int32_t exploitability;                 /* not 0: compute it for each iteration */
  isofield_mfg_on_iteration on_iteration; /* may be NULL */
  void* user;
} isofield_mfg_options;

/* The options of a problem's configuration, or the defaults. */
isofield_status isofield_mfg_options_of(const isofield_mfg_problem* problem,
                                        isofield_mfg_options* options);

/* u to start from, shape (levels, cells...), for ISOFIELD_MFG_START_GIVEN: one of each
 * population. */
isofield_status isofield_mfg_set_initial_value(isofield_mfg_problem* problem, int32_t population,
                                               const double* u, int64_t count);

/* Copy u or m of one population after an iteration, inside of on_iteration: shape (levels,
 * cells...) on the grid asked for. ISOFIELD_INVALID on coarser grids, or if `count` is wrong. */
isofield_status isofield_mfg_iteration_copy(const isofield_mfg_iteration* now, int32_t population,
                                            isofield_mfg_quantity what, double* values,
                                            int64_t count);

typedef struct isofield_mfg_solution isofield_mfg_solution;

/* Solve; NULL for `options`: the problem's. A solve that does not converge is no error: the report
 * says so, and there is a solution with what was reached. */
isofield_status isofield_mfg_solve(const isofield_mfg_problem* problem,
                                   const isofield_mfg_options* options,
                                   isofield_mfg_solution** solution);
/* NULL is fine. */
void isofield_mfg_solution_free(isofield_mfg_solution* solution);

/* How a solve ended; the numbers are the exit codes of mfg_solve. */
typedef enum isofield_mfg_outcome {
  ISOFIELD_MFG_CONVERGED = 0,
  ISOFIELD_MFG_NOT_CONVERGED = 3,
  ISOFIELD_MFG_BREAKDOWN = 4,
  ISOFIELD_MFG_INTERRUPTED = 130
} isofield_mfg_outcome;

typedef struct isofield_mfg_report {
  isofield_mfg_outcome outcome;
  int32_t iterations;
  double tolerance; /* the options', or what the precision allows on this grid */
  double residual, hjb_residual, fp_residual;
  double exploitability; /* NaN unless asked for */
  double seconds;
  const char* message; /* why it ended so, and what was tried; lives as long as the solution */
} isofield_mfg_report;
isofield_status isofield_mfg_solution_report(const isofield_mfg_solution* solution,
                                             isofield_mfg_report* report);

/* As isofield_mfg_problem_shape(); an ergodic game has one level. */
isofield_status isofield_mfg_solution_shape(const isofield_mfg_solution* solution,
                                            int32_t* populations, int64_t* levels, int32_t* axes,
                                            int64_t cells[3]);
/* Copy u or m of one population at all levels; ISOFIELD_INVALID unless `count` is levels times
 * cells. */
isofield_status isofield_mfg_solution_copy(const isofield_mfg_solution* solution,
                                           int32_t population, isofield_mfg_quantity what,
                                           double* values, int64_t count);
/* The same of one level; -1 is the last. */
isofield_status isofield_mfg_solution_copy_level(const isofield_mfg_solution* solution,
                                                 int32_t population, isofield_mfg_quantity what,
                                                 int64_t level, double* values, int64_t count);
/* What everybody pays per unit of time in an ergodic game; ISOFIELD_INVALID in others. */
isofield_status isofield_mfg_solution_lambda(const isofield_mfg_solution* solution,
                                             int32_t population, double* lambda);

/* Copy the velocity along an axis by which a population moves at its best, b - H_q(x, grad u, m),
 * the mean over both faces of each cell, for each step: shape (levels - 1, cells...). */
isofield_status isofield_mfg_copy_velocity(const isofield_mfg_problem* problem,
                                           const isofield_mfg_solution* solution,
                                           int32_t population, int32_t axis, double* values,
                                           int64_t count);

/* Carry `count` agents of a population along the best policy of the problem's solution, from places
 * drawn from its initial density; `seed` decides how. `positions` gets (levels, count, axes)
 * numbers and `inside`, unless it is NULL, (levels, count), 0 from where somebody has left; the
 * sizes of both are checked. */
isofield_status isofield_mfg_carry_particles(const isofield_mfg_problem* problem,
                                             const isofield_mfg_solution* solution,
                                             int32_t population, int64_t count, uint64_t seed,
                                             double* positions, int64_t positions_count,
                                             unsigned char* inside, int64_t inside_count);

#ifdef __cplusplus
}
#endif
