#include "core/profile.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <isofield/profile.hpp>
#include <isofield/program.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <tuple>

namespace isofield {

namespace {

using detail::Step;
using Clock = std::chrono::steady_clock;

/// Characters of a kernel's expression in a table.
constexpr std::size_t expression_width = 60;

double bytes_of(const View& v) {
  double elements = 1.0;
  for (int k = 0; k < v.layout.rank(); ++k)
    if (v.layout.strides[k] != 0) elements *= static_cast<double>(v.layout.shape[k]);
  return elements * static_cast<double>(itemsize(v.dtype));
}

bool same_elements(const View& a, const View& b) {
  return a.storage == b.storage && a.layout.offset == b.layout.offset &&
         a.layout.strides == b.layout.strides && a.layout.shape == b.layout.shape;
}

double traffic(const Step& step) {
  double bytes = 0.0;
  for (std::size_t i = 0; i < step.in.size(); ++i) {
    const auto before = step.in.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::none_of(step.in.begin(), before,
                     [&](const View& v) { return same_elements(v, step.in[i]); }))
      bytes += bytes_of(step.in[i]);
  }
  for (const View& v : step.out) bytes += bytes_of(v);
  return bytes;
}

std::string model_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "";
}

/// The file that `scripts/bench` leaves: GB/s, and the processor they were measured on.
std::string bandwidth_file() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value ? value : "");
  };
  std::string folder = variable("ISOFIELD_CACHE");
  if (folder.empty() && !variable("XDG_CACHE_HOME").empty())
    folder = variable("XDG_CACHE_HOME") + "/isofield";
  if (folder.empty()) folder = variable("HOME") + "/.cache/isofield";
  return folder + "/bandwidth";
}

/// The memory's bandwidth in GB/s; 0 where nobody has measured it.
double memory_bandwidth() {
  if (const char* text = std::getenv("ISOFIELD_BANDWIDTH")) return std::atof(text);
  std::ifstream file(bandwidth_file());
  double measured = 0.0;
  std::string processor;
  if (!(file >> measured >> std::ws) || !std::getline(file, processor)) return 0.0;
  return processor == model_name() ? measured : 0.0;
}

void add(ProfileRow& to, const ProfileRow& row) {
  to.calls += row.calls;
  to.seconds += row.seconds;
  to.bytes += row.bytes;
}

template <class... A>
std::string format(const char* pattern, A... arguments) {
  char text[160];
  std::snprintf(text, sizeof text, pattern, arguments...);
  return text;
}

}  // namespace

class Profile::Recorder {
 public:
  void add(const Step& step, Clock::duration time) {
    const Shape& shape = step.kind == Step::Kind::program ? step.shape : step.out[0].layout.shape;
    const double bytes = traffic(step);
    const std::lock_guard lock(mutex_);
    auto& kernel = kernels_[{step.kind, step.program, step.backend, label(step)}];
    auto entry = std::find_if(kernel.begin(), kernel.end(),
                              [&](const Entry& e) { return e.shape == shape; });
    if (entry == kernel.end()) entry = kernel.insert(entry, Entry{shape});
    ++entry->calls;
    entry->time += time;
    entry->bytes += bytes;
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    wall_ = Clock::now() - start_;
  }
  double wall_seconds() const {
    const std::lock_guard lock(mutex_);
    return seconds(wall_ ? *wall_ : Clock::now() - start_);
  }

  std::vector<ProfileRow> rows() const {
    const std::lock_guard lock(mutex_);
    std::vector<ProfileRow> rows;
    for (const auto& [key, entries] : kernels_) {
      const auto& [kind, program, backend, labelled] = key;
      for (const Entry& e : entries)
        rows.push_back({name(kind, program.get(), labelled), backend->spelling(), e.shape, e.calls,
                        seconds(e.time), e.bytes});
    }
    std::stable_sort(rows.begin(), rows.end(),
                     [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
    return rows;
  }

 private:
  struct Entry {
    Shape shape;
    std::int64_t calls = 0;
    Clock::duration time{};
    double bytes = 0.0;
  };
  // Programs are kept, so that no other takes the address of one that is gone.
  using Key =
      std::tuple<Step::Kind, std::shared_ptr<const Program>, BaseBackend*, std::string_view>;

  static double seconds(Clock::duration time) {
    return std::chrono::duration<double>(time).count();
  }
  /// Which of a kind's kernels it is.
  static std::string_view label(const Step& step) {
    switch (step.kind) {
      case Step::Kind::fourier: return isofield::name(step.transform.kind);
      case Step::Kind::arrange: return isofield::name(step.arrangement.kind);
      case Step::Kind::factorization: return isofield::name(step.factorization.kind);
      default: return "";
    }
  }
  static std::string name(Step::Kind kind, const Program* program, std::string_view label) {
    switch (kind) {
      case Step::Kind::program: return program->expression(expression_width);
      case Step::Kind::matmul: return "matmul";
      case Step::Kind::fourier:
      case Step::Kind::arrange:
      case Step::Kind::factorization: return std::string(label);
      case Step::Kind::tridiagonal: break;
    }
    if (!program) return "tridiagonal_solve";
    return "tridiagonal_solve of " + program->expression(expression_width);
  }
  mutable std::mutex mutex_;
  std::map<Key, std::vector<Entry>> kernels_;
  const Clock::time_point start_ = Clock::now();
  std::optional<Clock::duration> wall_;
};

/// Profiles that are being made.
class Profile::Active {
 public:
  static Active& instance() {
    static auto* active = new Active;
    return *active;
  }
  void insert(std::shared_ptr<Recorder> recorder) {
    const std::lock_guard lock(mutex_);
    recorders_.push_back(std::move(recorder));
    ++detail::active_profiles;
  }
  bool erase(const std::shared_ptr<Recorder>& recorder) {
    const std::lock_guard lock(mutex_);
    const auto erased = std::erase(recorders_, recorder);
    detail::active_profiles -= static_cast<int>(erased);
    return erased > 0;
  }
  void add(const Step& step, Clock::duration time) {
    const std::lock_guard lock(mutex_);
    for (const auto& r : recorders_) r->add(step, time);
  }

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<Recorder>> recorders_;
};

Profile::Profile(std::ostream* out) : recorder_(std::make_shared<Recorder>()), out_(out) {
  Active::instance().insert(recorder_);
}

Profile::~Profile() {
  stop();
  if (out_) *out_ << table() << std::flush;
}

void Profile::stop() {
  if (Active::instance().erase(recorder_)) recorder_->stop();
}

std::vector<ProfileRow> Profile::rows() const { return recorder_->rows(); }

std::string Profile::table(std::size_t most) const {
  std::vector<ProfileRow> list = rows();
  const std::size_t kernels = list.size();
  ProfileRow total;
  for (const auto& r : list) add(total, r);
  if (kernels > most + 1) {  // a row for what is left is not shorter than the last kernel's
    ProfileRow rest;
    for (std::size_t i = most; i < kernels; ++i) add(rest, list[i]);
    rest.kernel = std::to_string(kernels - most) + " more kernels";
    list.resize(most);
    list.push_back(rest);
  }
  const double bandwidth = memory_bandwidth();
  std::string text =
      format("%.3g ms in %lld calls of %zu kernels, of %.3g ms in all\n", 1e3 * total.seconds,
             static_cast<long long>(total.calls), kernels, 1e3 * recorder_->wall_seconds());
  text +=
      "    time ms      %     calls  us a call    GB/s  of memory's  backend    kernel and shape\n";
  for (const auto& r : list) {
    const double rate = r.seconds > 0.0 ? 1e-9 * r.bytes / r.seconds : 0.0;
    text += format("%11.3f %6.1f %9lld %10.3f %7.1f ", 1e3 * r.seconds,
                   total.seconds > 0.0 ? 100.0 * r.seconds / total.seconds : 0.0,
                   static_cast<long long>(r.calls), 1e6 * r.seconds / static_cast<double>(r.calls),
                   rate);
    text += bandwidth > 0.0 ? format("%10.0f %%", 100.0 * rate / bandwidth) : format("%12s", "-");
    text += format("  %-9s  ", r.backend.c_str()) + r.kernel;
    text += r.shape.empty() ? "\n" : "  " + to_string(r.shape) + "\n";
  }
  if (bandwidth > 0.0)
    text += format("Memory's bandwidth is %.3g GB/s; what stays in the caches exceeds it.\n",
                   bandwidth);
  else
    text +=
        "Run scripts/bench once, or set ISOFIELD_BANDWIDTH in GB/s, to see the share of memory's "
        "bandwidth.\n";
  return text;
}

Profile profile() { return Profile(&std::cerr); }
Profile profile(std::ostream& out) { return Profile(&out); }

namespace detail {

std::atomic<int> active_profiles = 0;

void add_to_profiles(const Step& step, Clock::duration time) {
  Profile::Active::instance().add(step, time);
}

}  // namespace detail
}  // namespace isofield
