// How much memory the way back keeps, counted by a backend of our own.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <isofield/host.hpp>
#include <isofield/isofield.hpp>
#include <optional>

#include "transforms/differences.hpp"

namespace isofield::testing {
namespace {

class InOrder final : public host::Executor {
 public:
  int concurrency() const override { return 1; }
  void parallel_for(std::int64_t n, void (*body)(void*, std::int64_t), void* context) override {
    for (std::int64_t i = 0; i < n; ++i) body(context, i);
  }
};

/// Memory of the host that is counted while it is held.
class CountingBackend final : public host::HostBackend {
 public:
  CountingBackend() : HostBackend("counting", std::make_unique<InOrder>()) {}

  StoragePtr allocate(std::size_t bytes) override {
    StoragePtr inner = HostBackend::allocate(bytes);
    inner->backend = this;
    return StoragePtr(new Counted(*this, std::move(inner), bytes));
  }
  /// The most bytes that were held at once while `f` ran, beside those that were there before.
  template <class F>
  std::size_t peak_of(F f) {
    const std::size_t before = live_;
    peak_ = before;
    f();
    return peak_ - before;
  }

 private:
  struct Counted final : Storage {
    Counted(CountingBackend& counter, StoragePtr memory, std::size_t size)
        : counter_(counter), memory_(std::move(memory)) {
      backend = &counter;
      data = memory_->data;
      bytes = size;
      counter_.live_ += size;
      counter_.peak_ = std::max(counter_.peak_, counter_.live_);
    }
    ~Counted() override { counter_.live_ -= bytes; }
    CountingBackend& counter_;
    StoragePtr memory_;
  };
  std::size_t live_ = 0, peak_ = 0;
};

CountingBackend& counting() {
  static auto* backend = new CountingBackend;  // arrays may outlive what is destroyed at the end
  return *backend;
}

/// The counting backend as the default one.
struct Counting {
  Counting() {
    static const BackendModule module{.abi = BackendModule::current_abi,
                                      .name = "counting",
                                      .devices = [] { return std::vector<Device>{Device{}}; },
                                      .open = [](Device) -> BaseBackend* { return &counting(); }};
    [[maybe_unused]] static const bool once = (register_backend(module), true);
    scope.emplace("counting");
  }
  std::optional<ScopedBackend> scope;
};

constexpr std::int64_t n = 10000, steps = 64, in_block = 8;
constexpr double array_bytes = n * sizeof(double);

/// Implicit steps of heat conduction that depends on the temperature.
UnifiedArray step(const UnifiedArray& u) {
  const UnifiedArray k = 0.1 + square(u);
  return linalg::tridiagonal_solve(-k, 1.0 + 2.0 * k, -k, u, 0);
}

template <class Block>
UnifiedArray misfit(const UnifiedArray& start, const Block& block) {
  UnifiedArray u = start;
  for (int i = 0; i < steps / in_block; ++i) u = block(u);
  return sum(square(u));
}

/// The most arrays of n numbers that a gradient holds, and the gradient.
template <class Block>
std::pair<double, UnifiedArray> arrays_of_gradient(const Block& block) {
  const UnifiedArray start = sin(linspace(0.0, 3.0, n)).eval();
  UnifiedArray by;
  const std::size_t peak = counting().peak_of(
      [&] { by = grad([&](const UnifiedArray& u) { return misfit(u, block); })(start).eval(); });
  return {static_cast<double>(peak) / array_bytes, by};
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(memory, Counting)

BOOST_AUTO_TEST_CASE(checkpoints_keep_the_ends_of_blocks_and_the_inside_of_one) {
  const auto block = [](const UnifiedArray& start) {
    UnifiedArray u = start;
    for (int i = 0; i < in_block; ++i) u = step(u).eval();
    return u;
  };
  const auto [plain, by] = arrays_of_gradient(block);
  const auto [kept, again] = arrays_of_gradient(checkpoint(block));
  BOOST_TEST_MESSAGE("a gradient through " << steps << " implicit steps holds " << plain
                                           << " arrays, " << kept << " with a checkpoint every "
                                           << in_block);
  BOOST_TEST(near(again, by, 1e-14));
  BOOST_TEST(plain >= steps);  // the solutions, at least
  // Ends of 8 blocks, two arrays a step of one block, and what is being computed.
  BOOST_TEST(kept <= 32);
}

BOOST_AUTO_TEST_CASE(what_is_pointwise_is_not_kept) {
  const auto chain = [](const UnifiedArray& x) {
    UnifiedArray y = x;
    for (int i = 0; i < 20; ++i) y = tanh(y) * 0.9 + 0.1;
    return sum(y);
  };
  const UnifiedArray x = sin(linspace(0.0, 3.0, n)).eval();
  const std::size_t peak = counting().peak_of([&] { grad(chain)(x).eval(); });
  BOOST_TEST_MESSAGE("a gradient of 60 pointwise operations holds "
                     << static_cast<double>(peak) / array_bytes << " arrays");
  // The gradient, and what 200 pending operations are cut by.
  BOOST_TEST(static_cast<double>(peak) <= 3.1 * array_bytes);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace isofield::testing
