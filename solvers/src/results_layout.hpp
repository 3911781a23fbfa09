#pragma once

#include <string>

#include "isofield/mfg/results.hpp"

// What writer, reader and sidecar of result files agree on.
namespace isofield::mfg::layout {

inline constexpr std::int64_t format = 1;
inline constexpr const char* axis_names[] = {"x", "y", "z"};
inline constexpr const char* points = "/grid/points";  // only where there is a sidecar

inline constexpr const char* members = "/members";  // of a family of runs
inline constexpr const char* index = "index";  // of a population's group: its place in the order

inline constexpr const char* particle_places = "/particles";  // of a population's group
inline constexpr const char* particle_inside = "/particles_inside";
inline constexpr const char* particle_points = "/particle_points";  // only where there is a sidecar

inline std::string axis(std::size_t k) { return std::string("/grid/") + axis_names[k]; }
inline std::string population(const std::string& name) { return "/populations/" + name; }

/// The columns of a table by their names in the file.
template <class Table, class Visit>
void for_each_column(Table& table, Visit visit) {
  visit("residual", table.residual);
  visit("hjb_residual", table.hjb_residual);
  visit("fp_residual", table.fp_residual);
  visit("exploitability", table.exploitability);
  visit("seconds", table.seconds);
}

template <class Sums, class Visit>
void for_each_cost(Sums& diagnostics, Visit visit) {
  visit("kinetic_cost", diagnostics.kinetic_cost);
  visit("running_cost", diagnostics.running_cost);
  visit("terminal_cost", diagnostics.terminal_cost);
}

/// The time, ISO 8601 in UTC.
std::string utc_now();

/// How many particles a population has.
std::uint64_t particle_count(const Results& results, const PopulationResult& population);

/// Say what of some results does not fit together; empty where all does.
std::string misfit(const Results& results);

/// The sidecar's text: every kept level as a time of ParaView's, each node a point.
std::string xdmf_text(const Results& results, const std::string& file_name);

}  // namespace isofield::mfg::layout
