// Which backend is in force, and what is said when one cannot be had. Cases that need a process of
// their own run this program again with an environment.
#include <dlfcn.h>
#include <sys/wait.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <isofield/host.hpp>
#include <isofield/isofield.hpp>

using namespace isofield;

namespace {

template <class F>
std::string error_text(F&& f) {
  try {
    f();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "";
}

struct Answer {
  std::string text;
  int status;
};

/// What `test_conformance_registry --run_test=report` prints in an environment.
Answer in_process(const std::string& environment) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  const std::string command = "env " + environment + " ISOFIELD_REPORT=1 " + program +
                              " --run_test=report --log_level=nothing --report_level=no 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  Answer answer{"", -1};
  for (int c; (c = std::fgetc(pipe)) != EOF;) answer.text += static_cast<char>(c);
  answer.status = pclose(pipe);
  return answer;
}

/// A folder for XDG_CONFIG_HOME whose preference file holds `text`.
std::string configuration(const std::string& text) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("isofield_registry_" + std::to_string(getpid()));
  std::filesystem::create_directories(folder / "isofield");
  std::ofstream(folder / "isofield" / "backend") << text;
  return folder;
}

bool available(const std::string& spelling) {
  for (const auto& s : list_backends())
    if (s.spelling == spelling) return s.available;
  return false;
}

class InOrder final : public host::Executor {
  int concurrency() const override { return 1; }
  void parallel_for(std::int64_t n, void (*body)(void*, std::int64_t), void* context) override {
    for (std::int64_t i = 0; i < n; ++i) body(context, i);
  }
};

/// Host memory and the shared kernels, in one thread; matrix products are the eigen backend's.
class Tiny final : public host::HostBackend {
 public:
  Tiny() : HostBackend("tiny", std::make_unique<InOrder>()), eigen_(get_backend("eigen")) {}
  void run(const Launch& launch) override {
    ++launches;
    HostBackend::run(launch);
  }
  void matmul(const View& a, const View& b, const View& out) override { eigen_.matmul(a, b, out); }
  int launches = 0;

 private:
  BaseBackend& eigen_;
};

std::vector<Device> one_device() { return {Device{}}; }
BaseBackend* open_tiny(Device) {
  static auto* backend = new Tiny;  // while the registry opens it, it asks for another
  return backend;
}
BaseBackend* open_broken(Device) { throw std::runtime_error("its library is too old"); }

constexpr BackendModule tiny{BackendModule::current_abi, "tiny", one_device, open_tiny};
constexpr BackendModule broken{BackendModule::current_abi, "broken", one_device, open_broken};
std::vector<Device> no_driver() { throw NotAvailable("its driver is too old"); }
BaseBackend* open_nothing(Device) { return nullptr; }
BaseBackend* open_oddly(Device) { throw 42; }
constexpr BackendModule blind{BackendModule::current_abi, "blind", no_driver, open_tiny};
constexpr BackendModule hollow{BackendModule::current_abi, "hollow", one_device, open_nothing};
constexpr BackendModule odd{BackendModule::current_abi, "odd", one_device, open_oddly};
constexpr BackendModule nameless{BackendModule::current_abi, nullptr, one_device, open_tiny};
constexpr BackendModule other_abi{BackendModule::current_abi + 1, "future", one_device, open_tiny};
constexpr BackendModule two_words{BackendModule::current_abi, "tiny:two", one_device, open_tiny};

}  // namespace

BOOST_AUTO_TEST_CASE(report) {
  if (!std::getenv("ISOFIELD_REPORT")) return;  // only as another case's process
  try {
    const std::string spelling = default_backend().spelling();
    std::printf("%s by %s\n", spelling.c_str(), default_backend_origin().c_str());
    if (std::getenv("ISOFIELD_COMPUTE")) (ones({3}) * 2.0).eval();
  } catch (const std::exception& e) {
    std::printf("%s\n", e.what());
  }
}

BOOST_AUTO_TEST_CASE(scope_beats_set_backend_beats_the_rest) {
  const std::string automatic = default_backend().spelling();
  BOOST_TEST(default_backend_origin() == "automatic");
  BOOST_TEST(&default_backend() == &automatic_backend());
  set_backend("eigen");
  BOOST_TEST(default_backend().spelling() == "eigen");
  BOOST_TEST(default_backend_origin() == "set_backend");
  {
    const ScopedBackend outer(automatic);
    BOOST_TEST(default_backend().spelling() == automatic);
    BOOST_TEST(default_backend_origin() == "scope");
    {
      const ScopedBackend inner("eigen");
      BOOST_TEST(zeros({1}).backend().spelling() == "eigen");
      BOOST_TEST(zeros({1}, float64, &get_backend(automatic)).backend().spelling() ==
                 automatic);  // explicit wins
    }
    BOOST_TEST(default_backend().spelling() == automatic);
  }
  BOOST_TEST(default_backend_origin() == "set_backend");
  set_backend("auto");
  BOOST_TEST(default_backend_origin() == "automatic");
  BOOST_CHECK_THROW(set_backend("nonsense"), NotAvailable);
  BOOST_TEST(default_backend_origin() == "automatic");
  BOOST_TEST(&get_backend("auto") == &automatic_backend());
  BOOST_TEST(&get_backend("eigen:cpu") == &get_backend("eigen"));
}

BOOST_AUTO_TEST_CASE(environment_beats_the_preference_file_beats_automatic) {
  const std::string none = "XDG_CONFIG_HOME=/nonexistent",
                    automatic = automatic_backend().spelling();
  const std::string prefers = "XDG_CONFIG_HOME=" + configuration(" eigen \r\n");
  BOOST_TEST(in_process(none).text == automatic + " by automatic\n");
  BOOST_TEST(in_process(prefers).text == "eigen by preference file\n");
  BOOST_TEST(in_process(none + " ISOFIELD_BACKEND=eigen").text == "eigen by environment\n");
  BOOST_TEST(in_process(prefers + " ISOFIELD_BACKEND=" + automatic).text ==
             automatic + " by environment\n");
  BOOST_TEST(in_process(prefers + " ISOFIELD_BACKEND=auto").text ==
             automatic + " by environment\n");
  BOOST_TEST(in_process(prefers + " ISOFIELD_BACKEND=").text == "eigen by preference file\n");
  configuration("\n");
  BOOST_TEST(in_process(prefers).text == automatic + " by automatic\n");
  BOOST_TEST(in_process("-u XDG_CONFIG_HOME HOME=/nonexistent").text ==
             automatic + " by automatic\n");
}

BOOST_AUTO_TEST_CASE(wrong_preferences_tell_where_they_come_from) {
  const std::string none = "XDG_CONFIG_HOME=/nonexistent";
  const std::string by_environment = in_process(none + " ISOFIELD_BACKEND=nonsense").text;
  BOOST_TEST(by_environment.starts_with("unknown backend 'nonsense'; available: "));
  BOOST_TEST(
      by_environment.ends_with("(asked for by the environment variable ISOFIELD_BACKEND)\n"));
  const std::string by_device = in_process(none + " ISOFIELD_BACKEND=eigen:gpu").text;
  BOOST_TEST(by_device ==
             "unknown device 'gpu'; known are cpu, cuda, cuda:N, mps\n  (asked for by the "
             "environment variable ISOFIELD_BACKEND)\n");
  const std::string folder = configuration("nonsense");
  const std::string by_file = in_process("XDG_CONFIG_HOME=" + folder).text;
  BOOST_TEST(
      by_file.ends_with("(asked for by the preference file " + folder + "/isofield/backend)\n"));
  std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_CASE(unknown_backends_list_what_there_is_and_why_the_rest_is_not) {
  const std::string text = error_text([] { get_backend("nonsense"); });
  std::string listed, rest;
  for (const auto& s : list_backends()) {
    if (s.available)
      listed += (listed.empty() ? "" : ", ") + s.spelling;
    else
      rest += "\n  " + s.spelling + ": " + s.reason;
    BOOST_TEST(s.reason.empty() == s.available);
  }
  BOOST_TEST(text == "unknown backend 'nonsense'; available: " + listed +
                         (rest.empty() ? "" : "; not available:" + rest));
  BOOST_TEST(error_text([] { get_backend(""); }).starts_with("unknown backend ''; available: "));
  BOOST_TEST(error_text([] {
               get_backend("eigen:cuda:0");
             }).starts_with("backend 'eigen' has no device cuda:0 here; available: "));
  if (!available("kokkos"))
    BOOST_TEST(error_text([] { get_backend("kokkos"); }).find("-DISOFIELD_KOKKOS=ON") !=
               std::string::npos);
  if (!available("torch:cpu"))
    BOOST_TEST(error_text([] { get_backend("torch"); }).find("-DISOFIELD_TORCH=ON") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(backends_of_ones_own_register_and_compute) {
  register_backend(tiny);
  BOOST_TEST(error_text([] { register_backend(tiny); }) ==
             "register_backend: the name 'tiny' is already taken");
  BOOST_TEST(error_text([] { register_backend(other_abi); }) ==
             "register_backend: 'future' was built for another version of Isofield");
  BOOST_TEST(error_text([] { register_backend(two_words); }) ==
             "register_backend: 'tiny:two' is no name; letters, digits, '_' and '-' make one");
  const ScopedBackend scope("tiny");
  auto& backend = static_cast<Tiny&>(default_backend());
  const UnifiedArray x = linspace(0.0, 1.0, 11);
  const int before = backend.launches;
  BOOST_TEST(sum(x * 2.0 + 1.0).item<double>() == 22.0);
  BOOST_TEST(backend.launches == before + 1);
  BOOST_TEST(linalg::matmul(reshape(x(slice(0, 9)), {3, 3}), eye(3)).shape() == (Shape{3, 3}));
  BOOST_TEST(linalg::tridiagonal_solve(-1.0, 4.0, -1.0, x, 0, true).size() == 11);
  BOOST_TEST(x.to_backend("eigen").view().bytes() == x.view().bytes());
  BOOST_TEST(available("tiny"));
}

BOOST_AUTO_TEST_CASE(modules_that_misbehave_are_listed_with_the_reason) {
  const auto reason = [](const std::string& spelling) -> std::string {
    for (const auto& s : list_backends())
      if (s.spelling == spelling) return s.available ? "available" : s.reason;
    return "not listed";
  };
  register_backend(blind);
  BOOST_TEST(reason("blind") == "its driver is too old");
  BOOST_TEST(error_text([] { get_backend("blind"); })
                 .starts_with("backend 'blind' cannot look for devices: its driver is too old; "
                              "available: "));
  register_backend(hollow);
  BOOST_TEST(reason("hollow") == "backend 'hollow' opened nothing");
  BOOST_TEST(error_text([] { get_backend("hollow"); }) == "backend 'hollow' opened nothing");
  register_backend(odd);
  BOOST_TEST(reason("odd") == "backend 'odd': an error that is no std::exception");
  BOOST_TEST(error_text([] { register_backend(nameless); }) ==
             "register_backend: a module has a name, devices and open");
}

BOOST_AUTO_TEST_CASE(modules_that_cannot_be_loaded_are_listed_with_the_reason) {
  // Our library, the registry's test and a folder of modules that is not ours.
  namespace fs = std::filesystem;
  Dl_info library;
  BOOST_REQUIRE(dladdr(reinterpret_cast<const void*>(&host::default_threads), &library) != 0);
  if (fs::path(library.dli_fname).extension() == "") {
    BOOST_TEST_MESSAGE("skipped: the library is linked in");
    return;
  }
  const fs::path ours = fs::canonical(library.dli_fname);
  const fs::path folder =
      fs::temp_directory_path() / ("isofield_modules_" + std::to_string(getpid()));
  fs::create_directories(folder / "isofield");
  fs::copy_file(ours, folder / fs::path(library.dli_fname).filename());
  const fs::path module = folder / "isofield" / "libisofield_kokkos.so";
  const auto said = [&] {
    return in_process("LD_LIBRARY_PATH=" + folder.string() +
                      " XDG_CONFIG_HOME=/nonexistent ISOFIELD_BACKEND=kokkos")
        .text;
  };
  const auto says = [&](const std::string& part) { return said().find(part) != std::string::npos; };
  BOOST_TEST(says("this build has no kokkos backend"));
  // Any library that is none of ours, and does not mind to be there twice.
  Dl_info other;
  BOOST_REQUIRE(dladdr(dlsym(RTLD_DEFAULT, "cbrt"), &other) != 0);
  fs::copy_file(fs::canonical(other.dli_fname), module);
  BOOST_TEST(says("libisofield_kokkos.so was built for another version of Isofield"));
  fs::resize_file(module, fs::file_size(module) / 2);
  BOOST_TEST(says("its module was cut short: " + module.string()));
  fs::resize_file(module, 3000);
  BOOST_TEST(says("its module was cut short: " + module.string()));
  fs::resize_file(module, 0);
  BOOST_TEST(says("its module cannot be loaded: " + module.string() + ": file too short"));
  std::ofstream(module) << "no library";
  BOOST_TEST(says("its module cannot be loaded: " + module.string()));
  fs::remove_all(folder);
}

BOOST_AUTO_TEST_CASE(environment_variables_that_mean_nothing_are_refused) {
  const std::string eigen = "XDG_CONFIG_HOME=/nonexistent ISOFIELD_BACKEND=eigen ";
  for (const char* threads : {"many", "-3", "2x", "' 4'", "99999999999", "4097"})
    BOOST_TEST(
        in_process(eigen + "ISOFIELD_THREADS=" + threads)
            .text.starts_with("ISOFIELD_THREADS: expected an integer from 0 to 4096, got '"));
  for (const char* threads : {"''", "0", "3", "4096"})
    BOOST_TEST(in_process(eigen + "ISOFIELD_THREADS=" + threads).text == "eigen by environment\n");
  BOOST_TEST(in_process(eigen + "ISOFIELD_ISA=sse9").text ==
             "ISOFIELD_ISA: expected avx512, avx2 or baseline, got 'sse9'\n");
  BOOST_TEST(in_process(eigen + "ISOFIELD_ISA=''").text == "eigen by environment\n");
}

BOOST_AUTO_TEST_CASE(the_log_says_what_was_chosen_and_why) {
  const std::string eigen = "XDG_CONFIG_HOME=/nonexistent ISOFIELD_BACKEND=eigen ";
  const auto of = [&](const std::string& level) {
    return in_process(eigen + "ISOFIELD_LOG=" + level).text;
  };
  const std::string info = of("info");
  BOOST_TEST(info.starts_with("isofield: opened eigen, "));
  BOOST_TEST(info.find("instruction set ") != std::string::npos);
  BOOST_TEST(info.find("isofield: the default backend is eigen, by environment\n") !=
             std::string::npos);
  BOOST_TEST(of("off") == "eigen by environment\n");
  BOOST_TEST(of("loud") ==
             "isofield: ISOFIELD_LOG: expected off, info or debug, got 'loud'\neigen by "
             "environment\n");
  const std::string debug = in_process(eigen + "ISOFIELD_LOG=debug ISOFIELD_COMPUTE=1").text;
  BOOST_TEST(debug.find("isofield: a new program\nr0 = multiply.float64 in0, #0\n") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(backends_that_fail_to_open_are_listed_with_the_reason) {
  register_backend(broken);
  bool listed = false;
  for (const auto& s : list_backends())
    if (s.spelling == "broken") listed = !s.available && s.reason == "its library is too old";
  BOOST_TEST(listed);
  BOOST_TEST(error_text([] { get_backend("broken"); }) == "its library is too old");
  BOOST_TEST(error_text([] { get_backend("nonsense"); }).find("broken: its library is too old") !=
             std::string::npos);
}
