#include "isofield/mfg/results.hpp"

#include <cmath>
#include <cstdlib>
#include <random>

#include "io/fault_shim.h"
#include "io/io_test.hpp"
#include "io/sample_results.hpp"

using namespace isofield;
using namespace isofield::io::test;
using namespace isofield::mfg;
using isofield::mfg::test::sample_results;

namespace {

void check_equal(const Results& a, const Results& b) {
  BOOST_TEST(a.title == b.title);
  BOOST_TEST(a.config == b.config);
  BOOST_TEST(a.backend == b.backend);
  BOOST_TEST(a.device == b.device);
  BOOST_TEST(a.dtype == b.dtype);
  BOOST_TEST(a.threads == b.threads);
  BOOST_TEST((a.status == b.status));
  BOOST_TEST(a.iterations == b.iterations);
  BOOST_TEST(a.residual == b.residual);
  BOOST_TEST(a.wall_seconds == b.wall_seconds);
  BOOST_TEST((a.axes == b.axes && a.times == b.times && a.mask == b.mask));
  BOOST_REQUIRE(a.populations.size() == b.populations.size());
  for (std::size_t p = 0; p < a.populations.size(); ++p) {
    BOOST_TEST(a.populations[p].name == b.populations[p].name);
    BOOST_TEST((a.populations[p].u == b.populations[p].u));
    BOOST_TEST((a.populations[p].m == b.populations[p].m));
    BOOST_TEST((a.populations[p].lambda == b.populations[p].lambda));
  }
  BOOST_TEST((a.convergence.iteration == b.convergence.iteration));
  BOOST_TEST((a.convergence.residual == b.convergence.residual));
  BOOST_TEST((a.convergence.seconds == b.convergence.seconds));
  BOOST_TEST((a.diagnostics.mass == b.diagnostics.mass));
  BOOST_TEST((a.diagnostics.terminal_cost == b.diagnostics.terminal_cost));
  BOOST_REQUIRE(a.state.size() == b.state.size());
  for (std::size_t k = 0; k < a.state.size(); ++k) {
    BOOST_TEST(a.state[k].name == b.state[k].name);
    BOOST_TEST(
        (a.state[k].extents == b.state[k].extents && a.state[k].values == b.state[k].values));
  }
}

auto says(std::string text) {
  return [text = std::move(text)](const std::exception& error) {
    BOOST_TEST_MESSAGE(error.what());
    return std::string(error.what()).find(text) != std::string::npos;
  };
}

}  // namespace

BOOST_AUTO_TEST_CASE(results_read_back_bit_for_bit) {
  const Folder folder;
  for (std::size_t axes = 1; axes <= 3; ++axes) {
    for (const std::size_t populations : {1, 3}) {
      const Results results = sample_results(axes, 7, 4, populations);
      BOOST_TEST(write_results(results, folder / "a.h5", {.overwrite = true}) == "");
      const Results read = read_results(folder / "a.h5");
      check_equal(results, read);
      BOOST_TEST(read.version == "0.1.0");
      BOOST_TEST(read.created.size() == 20U);
      for (const double value : read.convergence.exploitability) BOOST_TEST(std::isnan(value));
    }
  }
}

BOOST_AUTO_TEST_CASE(particles_are_read_as_they_were_written) {
  const Folder folder;
  for (std::size_t axes = 1; axes <= 3; ++axes) {
    const Results results = sample_results(axes, 7, 4, 2, 5);
    for (const bool xdmf : {false, true}) {
      write_results(results, folder / "a.h5", {.overwrite = true, .xdmf = xdmf});
      const Results read = read_results(folder / "a.h5");
      for (std::size_t p = 0; p < 2; ++p) {
        BOOST_TEST(read.populations[p].particles == results.populations[p].particles);
        BOOST_TEST(read.populations[p].particles_inside == results.populations[p].particles_inside);
      }
      const io::FileReader file(folder / "a.h5");
      BOOST_TEST(file.exists("/populations/walkers/particle_points") == xdmf);
      BOOST_TEST((file.extents("/populations/walkers/particles") == io::Extents{4, 5, axes}));
    }
  }
}

BOOST_AUTO_TEST_CASE(single_precision_results_are_stored_so) {
  const Folder folder;
  Results results = sample_results(2);
  results.dtype = "float32";
  write_results(results, folder / "a.h5");
  BOOST_TEST((io::FileReader(folder / "a.h5").type("/u") == DType::float32));
  const Results read = read_results(folder / "a.h5");
  BOOST_TEST(read.populations[0].u[5] == static_cast<float>(results.populations[0].u[5]));
}

BOOST_AUTO_TEST_CASE(run_that_did_not_start_has_empty_tables) {
  const Folder folder;
  Results results = sample_results(1);
  results.convergence = {};
  results.diagnostics = {};
  results.mask.clear();
  results.state.clear();
  write_results(results, folder / "a.h5");
  const Results read = read_results(folder / "a.h5");
  BOOST_TEST(read.convergence.residual.empty());
  BOOST_TEST(read.mask.size() == 20U);
  BOOST_TEST(std::isnan(read.diagnostics.mass.at(0)));
  BOOST_TEST(read.state.empty());
}

BOOST_AUTO_TEST_CASE(parts_that_do_not_fit_together_are_refused) {
  const Folder folder;
  const auto refused = [&](auto change, const std::string& text) {
    Results results = sample_results(2, 5, 3, 2);
    change(results);
    BOOST_CHECK_EXCEPTION(write_results(results, folder / "a.h5"), ShapeError, says(text));
  };
  refused([](Results& r) { r.populations[1].u.pop_back(); },
          "u of population runners 1 has 89 values, expected 90");
  refused([](Results& r) { r.populations[1].particles.assign(12, 0.5); },
          "particles_inside of population runners 1 has 0 values, expected 6");
  refused(
      [](Results& r) {
        r.populations[1].particles.assign(13, 0.5);
        r.populations[1].particles_inside.assign(6, 1);
      },
      "particles of population runners 1 has 13 values, expected 12");
  refused([](Results& r) { r.mask.pop_back(); }, "the mask has 29 values, expected 30");
  refused([](Results& r) { r.times.clear(); }, "nodes, times and populations are needed");
  refused([](Results& r) { r.axes.clear(); }, "1, 2 or 3 axes");
  refused([](Results& r) { r.populations[1].name = "walkers"; },
          "two populations are named walkers");
  refused([](Results& r) { r.populations[1].name = "a/b"; }, "a/b contains a slash");
  refused([](Results& r) { r.convergence.seconds.pop_back(); },
          "seconds has 11 values, expected 12");
  refused([](Results& r) { r.diagnostics.mass.pop_back(); }, "the mass has 5 values, expected 6");
  refused([](Results& r) { r.diagnostics.running_cost.pop_back(); }, "running_cost has 1 values");
  BOOST_TEST(folder.names().empty());
}

BOOST_AUTO_TEST_CASE(files_whose_parts_do_not_fit_together_are_refused) {
  const Folder folder;
  const auto refused = [&](auto add, const std::string& text) {
    {
      io::FileWriter file(folder / "a.h5", io::Existing::replace);
      for (const char* name :
           {"title", "isofield_version", "created", "config", "backend", "device", "dtype"}) {
        file.set_attribute("/", name, "x");
      }
      for (const char* name : {"threads", "iterations", "format"}) {
        file.set_attribute("/", name, std::int64_t{1});
      }
      file.set_attribute("/", "status", "converged");
      for (const char* name : {"residual", "wall_seconds"}) file.set_attribute("/", name, 0.5);
      file.write("/grid/x", std::vector<double>{1, 2});
      file.write("/grid/t", std::vector<double>{0});
      file.write("/grid/mask", std::vector<std::uint8_t>{0, 0});
      file.write("/convergence/iteration", std::vector<std::int64_t>{1});
      for (const char* name :
           {"residual", "hjb_residual", "fp_residual", "exploitability", "seconds"}) {
        file.write(std::string("/convergence/") + name, std::vector<double>{1});
      }
      for (const char* name : {"mass", "kinetic_cost", "running_cost", "terminal_cost"}) {
        file.write(std::string("/diagnostics/") + name, std::vector<double>{1});
      }
      add(file);
      file.commit();
    }
    BOOST_CHECK_EXCEPTION(read_results(folder / "a.h5"), IoError, says("a.h5': " + text));
  };
  const auto population = [](io::FileWriter& file, std::size_t nodes) {
    file.write("/populations/a/u", std::vector<double>(nodes));
    file.write("/populations/a/m", std::vector<double>(nodes));
    file.set_attribute("/populations/a", "index", std::int64_t{0});
  };
  refused([](io::FileWriter& file) { file.create_group("/populations"); },
          "nodes, times and populations are needed");
  refused([&](io::FileWriter& file) { population(file, 3); },
          "u of population a has 3 values, expected 2");
  refused(
      [&](io::FileWriter& file) {
        population(file, 2);
        file.write("/populations/a/lambda", std::vector<double>{});
      },
      "/populations/a/lambda is not a single number");
}

BOOST_AUTO_TEST_CASE(a_damaged_checkpoint_is_refused_or_read_as_it_was_written) {
  const Folder folder;
  const Results results = sample_results(2, 8, 4);
  write_results(results, folder / "a.h5", {.xdmf = false});
  const std::string whole = bytes_of(folder / "a.h5");
  const char* const wanted = std::getenv("ISOFIELD_TEST_DAMAGE");
  const int trials = wanted != nullptr ? std::atoi(wanted) : 400;
  std::mt19937_64 random(20261124);
  int flips = 0, truncations = 0, found = 0;
  for (int trial = 0; trial < trials; ++trial) {
    std::string damaged = whole;
    const std::size_t at = random() % whole.size();
    if (trial % 4 == 0) {
      damaged.resize(at);
      ++truncations;
    } else {
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
      ++flips;
    }
    write_bytes(folder / "b.h5", damaged);
    try {
      const Results read = read_results(folder / "b.h5");
      BOOST_TEST_CONTEXT("trial " << trial << ", byte " << at) { check_equal(results, read); }
    } catch (const IoError& error) {
      ++found;
      if (std::string(error.what()).find("b.h5") == std::string::npos) BOOST_ERROR(error.what());
    }
  }
  BOOST_TEST_MESSAGE(flips << " flips and " << truncations << " truncations, " << found
                           << " of them found, the others harmless");
  BOOST_TEST(found > trials / 2);
}

BOOST_AUTO_TEST_CASE(files_in_the_way_are_kept) {
  const Folder folder;
  const Results results = sample_results(1);
  write_bytes(folder / "a.xdmf", "of the user's");
  BOOST_CHECK_EXCEPTION(write_results(results, folder / "a.h5"), io::FileExistsError,
                        says("a.xdmf': the file exists already"));
  BOOST_CHECK_THROW(check_destination(folder / "a.h5"), io::FileExistsError);
  BOOST_TEST(folder.names().size() == 1U);
  BOOST_TEST(bytes_of(folder / "a.xdmf") == "of the user's");
  write_results(results, folder / "a.h5", {.xdmf = false});
  BOOST_CHECK_THROW(check_destination(folder / "a.h5", {.xdmf = false}), io::FileExistsError);
  check_destination(folder / "a.h5", {.overwrite = true});
  check_destination(folder / "b.h5");
  BOOST_CHECK_THROW(check_destination(folder / "none/b.h5"), IoError);
  BOOST_TEST(folder.names().size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_sidecar_that_cannot_be_written_costs_no_results) {
  const Folder folder;
  std::filesystem::create_directory(folder / "a.xdmf");
  BOOST_CHECK_THROW(check_destination(folder / "a.h5"), IoError);
  const std::string warning = write_results(sample_results(1), folder / "a.h5");
  BOOST_TEST(warning.find("a.xdmf': it is a folder") != std::string::npos, warning);
  BOOST_TEST(read_results(folder / "a.h5").title == sample_results(1).title);
}

BOOST_AUTO_TEST_CASE(a_link_to_no_file_yet_says_where_the_results_go) {
  const Folder folder;
  std::filesystem::create_symlink("there.h5", folder / "a.h5");
  check_destination(folder / "a.h5");
  BOOST_TEST(write_results(sample_results(1), folder / "a.h5") == "");
  BOOST_TEST(std::filesystem::is_symlink(folder / "a.h5"));
  BOOST_TEST(read_results(folder / "there.h5").title == sample_results(1).title);
  BOOST_CHECK_THROW(check_destination(folder / "a.h5"), io::FileExistsError);
}

BOOST_AUTO_TEST_CASE(names_that_cannot_be_given_are_refused_before_anything_is_written) {
  const Folder folder;
  for (const std::string& name : {std::string(300, 'a') + ".h5", std::string(251, 'a') + ".h5"})
    BOOST_CHECK_EXCEPTION(check_destination(folder / name), IoError, says("File name too long"));
  std::filesystem::create_symlink("a.h5", folder / "a.h5");
  BOOST_CHECK_THROW(check_destination(folder / "a.h5"), IoError);
  BOOST_TEST(folder.names().size() == 1U);
}

BOOST_AUTO_TEST_CASE(sidecar_has_the_name_of_its_file) {
  BOOST_TEST(xdmf_path("out/two_rooms.h5") == "out/two_rooms.xdmf");
  BOOST_TEST(xdmf_path("two.rooms") == "two.rooms.xdmf");
  BOOST_TEST(xdmf_path("a.hdf5") == "a.xdmf");
}

BOOST_AUTO_TEST_CASE(each_failing_call_leaves_whole_results) {
  const Folder folder;
  const auto path = folder / "a.h5";
  Results results = sample_results(1);
  results.title = "first";
  write_results(results, path);
  const std::string old = bytes_of(path);
  results.title = "second";
  fault_arm(folder.path().c_str(), 0, FAULT_NONE, 0);
  write_results(results, path, {.overwrite = true});
  const long calls = fault_disarm();
  int failed = 0, warned = 0;
  for (long k = 1; k <= calls; ++k) {
    write_bytes(path, old);
    std::string error, warning;
    fault_arm(folder.path().c_str(), k, FAULT_ENOSPC, 1);
    try {
      warning = write_results(results, path, {.overwrite = true});
    } catch (const IoError& caught) {
      error = caught.what();
    }
    fault_disarm();
    BOOST_TEST_CONTEXT("call " << k << " (" << fault_victim() << "): " << error << warning) {
      BOOST_TEST(read_results(path).title == (error.empty() ? "second" : "first"));
      BOOST_TEST(folder.names().size() == 2U);
    }
    failed += error.empty() ? 0 : 1;
    warned += warning.empty() ? 0 : 1;
  }
  BOOST_TEST_MESSAGE(failed << " failures and " << warned << " warnings of " << calls << " calls");
  BOOST_TEST(failed > 20);
  BOOST_TEST(warned > 0);
}

BOOST_AUTO_TEST_CASE(files_that_are_no_results_are_refused) {
  const Folder folder;
  write_sample(folder / "a.h5", 1, io::Existing::refuse);
  BOOST_CHECK_EXCEPTION(read_results(folder / "a.h5"), IoError, says("not a result file"));
  BOOST_CHECK_EXCEPTION(read_results(folder / "none.h5"), IoError, says("No such file"));
  write_results(sample_results(1), folder / "b.h5");
  std::string bytes = bytes_of(folder / "b.h5");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  write_bytes(folder / "b.h5", bytes);
  BOOST_CHECK_EXCEPTION(read_results(folder / "b.h5"), IoError,
                        says("damaged, cut short or changed"));
}
