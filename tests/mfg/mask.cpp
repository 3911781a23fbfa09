// Obstacles and exits that arrays and files mark.

#include <filesystem>
#include <isofield/error.hpp>
#include <isofield/io/hdf5.hpp>
#include <isofield/mfg/discrete_problem.hpp>
#include <isofield/mfg/mask.hpp>

#include "mfg/mfg_test.hpp"

namespace isofield::mfg::testing {
namespace {

// A room of 8 x 6 cells with a wall that has a door, and an exit in a corner.
Mask wall_and_exit() {
  Mask mask{{8, 6}, std::vector<std::uint8_t>(48, 0)};
  for (std::size_t j = 0; j < 6; ++j) {
    if (j != 2 && j != 3) mask.kinds[3 * 6 + j] = 1;
  }
  mask.kinds[7 * 6 + 5] = 2;
  return mask;
}

Problem empty_room(std::int64_t n0, std::int64_t n1, Boundary ends = Boundary::reflecting) {
  Problem p;
  p.axes = {unit_axis(n0, ends, ends), unit_axis(n1, ends, ends)};
  p.steps = 4;
  p.populations[0].viscosity = 0.1;
  p.populations[0].running = [](const CostInput& in) { return in.m; };
  p.populations[0].initial_density = [](const Grid& g) { return ones(g.shape()); };
  return p;
}

std::vector<std::int64_t> kinds(const Problem& p) {
  return DiscreteProblem(p).grid().cell_kinds().to_vector<std::int64_t>();
}

MFG_TEST_CASE(a_mask_marks_its_own_grid_cell_by_cell) {
  const Mask mask = wall_and_exit();
  Problem p = empty_room(8, 6);
  mark(p, mask);
  const std::vector<std::int64_t> found = kinds(p);
  BOOST_TEST(std::equal(found.begin(), found.end(), mask.kinds.begin(), mask.kinds.end()));
  // Beside what the problem marks itself; what is an obstacle to one is an obstacle.
  p = empty_room(8, 6);
  p.obstacle = [](const Grid& g) { return g.coordinate(0) > 0.9; };
  p.exit = [](const Grid& g) { return g.coordinate(0) < 0.1; };
  mark(p, mask);
  const std::vector<std::int64_t> both = kinds(p);
  BOOST_TEST(both[0] == 2);
  BOOST_TEST(both[3 * 6] == 1);
  BOOST_TEST(both[7 * 6] == 1);
  BOOST_TEST(both[7 * 6 + 5] == 1);
}

MFG_TEST_CASE(a_coarser_grid_keeps_walls_doors_and_exits) {
  Problem p = empty_room(8, 6);
  mark(p, wall_and_exit());
  // Two by two cells are one: the wall is half of its cells, the exit a quarter of its own.
  const std::vector<std::int64_t> coarse = kinds(p.resized({4, 3}, 2));
  const std::vector<std::int64_t> expected{0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 2};
  BOOST_TEST(coarse == expected, boost::test_tools::per_element());
  // A finer grid has what its cells lie in.
  const std::vector<std::int64_t> fine = kinds(p.resized({16, 12}, 2));
  BOOST_TEST(fine[6 * 12 + 0] == 1);
  BOOST_TEST(fine[7 * 12 + 3] == 1);
  BOOST_TEST(fine[7 * 12 + 4] == 0);
  BOOST_TEST(fine[15 * 12 + 11] == 2);
  BOOST_TEST(fine[15 * 12 + 9] == 0);
  BOOST_TEST(std::count(fine.begin(), fine.end(), 1) == 4 * 4);
  // An odd number of cells, none of whose edges meet.
  const std::vector<std::int64_t> odd = kinds(p.resized({5, 6}, 2));
  BOOST_TEST(odd[4 * 6 + 5] == 2);
  BOOST_TEST(odd[2 * 6 + 0] == 1);  // 0.375..0.5 is 5/8 of 0.4..0.6 less what lies before
}

MFG_TEST_CASE(a_coarser_torus_covers_both_halves_of_a_cell_around_its_node) {
  Problem p = empty_room(8, 6, Boundary::periodic);
  Mask mask{{8, 6}, std::vector<std::uint8_t>(48, 0)};
  for (std::size_t j = 0; j < 6; ++j) mask.kinds[0 * 6 + j] = mask.kinds[7 * 6 + j] = 1;
  mark(p, mask);
  // Node 0 of four covers half of 7, all of 0 and half of 1; node 3 all of 6, halves of 5 and 7.
  const std::vector<std::int64_t> coarse = kinds(p.resized({4, 6}, 2));
  BOOST_TEST(coarse[0] == 1);
  BOOST_TEST(coarse[6] == 0);
  BOOST_TEST(coarse[18] == 0);
}

MFG_TEST_CASE(a_masked_game_is_solved_from_coarser_grids_too) {
  Mask mask{{24, 24}, std::vector<std::uint8_t>(24 * 24, 0)};
  for (std::size_t j = 0; j < 24; ++j) {
    if (j < 9 || j > 14) mask.kinds[12 * 24 + j] = 1;
    mask.kinds[23 * 24 + j] = 2;
  }
  Problem p = empty_room(24, 24);
  p.steps = 12;
  mark(p, mask);
  const Solution s = solve(p);
  BOOST_TEST((s.report.status == Status::converged));
  BOOST_TEST(s.report.message.find("no start from a coarser grid") == std::string::npos);
  BOOST_TEST(sum(s.m[0](12)).item<double>() < sum(s.m[0](0)).item<double>());
  BOOST_TEST(s.m[0](12, 12, 0).item<double>() == 0.0);
}

class MaskFile {
 public:
  MaskFile() : path_(std::filesystem::temp_directory_path() / "isofield_mask_test.h5") {
    io::FileWriter file(path_, io::Existing::replace);
    file.write<std::uint8_t>("/grid/mask", wall_and_exit().kinds, {8, 6});
    file.write<double>("/other/numbers", std::vector<double>{0, 1, 2, 3});
    file.write<double>("/other/walls", std::vector<double>{1, 1});
    file.commit();
  }
  ~MaskFile() { std::filesystem::remove(path_); }
  std::string name() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

BOOST_AUTO_TEST_CASE(a_file_holds_a_mask_where_result_files_do_or_elsewhere) {
  const MaskFile file;
  BOOST_TEST(read_mask(file.name(), {8, 6}).kinds == wall_and_exit().kinds);
  BOOST_TEST(read_mask(file.name() + ":/grid/mask", {8, 6}).kinds == wall_and_exit().kinds);
  const auto says = [](const std::string& text) {
    return [text](const Error& e) {
      BOOST_TEST(std::string(e.what()).find(text) != std::string::npos, e.what());
      return true;
    };
  };
  BOOST_CHECK_EXCEPTION(read_mask("nowhere.h5", {8, 6}), IoError,
                        says("cannot read 'nowhere.h5': there is no such file"));
  BOOST_CHECK_EXCEPTION(read_mask("/", {8, 6}), IoError, says("it is no file"));
  BOOST_CHECK_EXCEPTION(read_mask(file.name() + ":/mask", {8, 6}), IoError,
                        says("there is no dataset /mask"));
  BOOST_CHECK_EXCEPTION(read_mask(file.name() + ":/grid", {8, 6}), IoError, says("/grid"));
  BOOST_CHECK_EXCEPTION(read_mask(file.name(), {6, 8}), ShapeError,
                        says("has shape (8, 6), the grid has (6, 8) cells"));
  BOOST_CHECK_EXCEPTION(read_mask(file.name() + ":/other/numbers", {4}), SolverError,
                        says("not 3 as in cell (3)"));
  BOOST_CHECK_EXCEPTION(read_mask(file.name() + ":/other/walls", {2}), SolverError,
                        says("has no free cell"));
}

}  // namespace
}  // namespace isofield::mfg::testing
