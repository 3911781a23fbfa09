// A backend that fails at its k-th call, for every k: what was there stays, and the next try works.
#include <isofield/host.hpp>

#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;

namespace {

class InOrder final : public host::Executor {
  int concurrency() const override { return 1; }
  void parallel_for(std::int64_t n, void (*body)(void*, std::int64_t), void* context) override {
    for (std::int64_t i = 0; i < n; ++i) body(context, i);
  }
};

class Faulty final : public host::HostBackend {
 public:
  Faulty() : HostBackend("faulty", std::make_unique<InOrder>()) {}
  /// Fail once, at the call after `calls` more.
  void fail_after(int calls) { left_ = calls; }
  bool failed() const { return left_ < 0; }

  StoragePtr allocate(std::size_t bytes) override {
    count();
    StoragePtr storage = HostBackend::allocate(bytes);
    std::fill_n(static_cast<unsigned char*>(storage->data), bytes, 0xcd);  // nothing looks computed
    return storage;
  }
  void run(const Launch& launch) override {
    count();
    HostBackend::run(launch);
  }

 private:
  void count() {
    if (left_ >= 0 && left_-- == 0) throw BackendError("faulty: failed as it was asked to");
  }
  int left_ = -1;
};

Faulty& faulty() {
  static auto* backend = new Faulty;
  return *backend;
}

/// A machine with memory for a hundred numbers at a time.
class Small final : public host::HostBackend {
 public:
  Small() : HostBackend("small", std::make_unique<InOrder>()) {}
  StoragePtr allocate(std::size_t bytes) override {
    if (bytes > 800) throw std::bad_alloc();
    return HostBackend::allocate(bytes);
  }
};

Small& small() {
  static auto* backend = new Small;
  return *backend;
}

UnifiedArray eight() { return arange(0, 8, 1, float64, &faulty()); }

/// Run `change` on an array of its own with the k-th call failing, for k = 0, 1, ... until it does
/// not fail; each time the array holds what it held, or what it is to hold.
template <class F>
void holds_old_or_new(F change, const Plain<double>& changed) {
  for (int k = 0;; ++k) {
    BOOST_TEST_CONTEXT("call " << k) {
      UnifiedArray a = eight();
      const UnifiedArray before = a;
      faulty().fail_after(k);
      try {
        change(a);
      } catch (const BackendError&) {
      }
      const bool done = !faulty().failed();
      faulty().fail_after(1 << 30);
      BOOST_TEST(same<double>(before, counting<double>({8})));
      BOOST_TEST((same<double>(a, counting<double>({8})) || same<double>(a, changed)));
      if (!done) continue;
      BOOST_TEST(same<double>(a, changed));
      return;
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(memory_that_is_not_there_is_told_with_its_shape) {
  const UnifiedArray column = ones({20, 1}, float64, &small()), row = ones({10}, float64, &small());
  const auto text = [](auto f) {
    try {
      f();
    } catch (const OutOfMemory& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  BOOST_TEST(text([] { empty({101}, float64, &small()); }) ==
             "no memory for shape (101,), 808 bytes [small, float64]");
  const UnifiedArray table = column + row;
  BOOST_TEST(text([&] { table.eval(); }) ==
             "no memory for shape (20, 10), 1600 bytes [small, float64]");
  BOOST_TEST(sum(column + row).item<double>() == 400.0);  // which is never stored
}

BOOST_AUTO_TEST_CASE(writes_that_fail_leave_the_array_as_it_was) {
  const Plain<double> doubled = counting<double>({8}, 0, 2);
  holds_old_or_new([](UnifiedArray& a) { a(all_of) = eight() * 2.0; }, doubled);
  holds_old_or_new([](UnifiedArray& a) { a(slice(0, 3)) = 5.0; }, {{8}, {5, 5, 5, 3, 4, 5, 6, 7}});
  holds_old_or_new([](UnifiedArray& a) { a(slice(1, 8)) += a(slice(0, 7)); },
                   {{8}, {0, 1, 3, 5, 7, 9, 11, 13}});
  holds_old_or_new([](UnifiedArray& a) { (a += a).eval(); }, doubled);
}

BOOST_AUTO_TEST_CASE(expressions_that_fail_stay_pending_and_can_be_computed_again) {
  for (const bool reduce : {false, true})
    for (int k = 0; k < 2; ++k) {
      const UnifiedArray x = eight(), y = shift(x, 0, 1, Boundary::clamp) * 2.0 + 1.0, z = y * y;
      faulty().fail_after(k);
      BOOST_CHECK_THROW(reduce ? (void)sum(z) : (void)z.eval(), BackendError);
      BOOST_TEST(z.pending());
      BOOST_TEST(sum(z).item<double>() == 904.0);
      BOOST_TEST(same<double>(y, {{8}, {3, 5, 7, 9, 11, 13, 15, 15}}));
    }
}

BOOST_AUTO_TEST_CASE(jitted_functions_that_fail_can_be_called_again) {
  for (int k = 0;; ++k) {
    const UnifiedArray x = eight();
    const auto f = jit([](const UnifiedArray& a) {
      const UnifiedArray b = shift(a, 0, 1, Boundary::periodic) + 1.0;
      return std::tuple(b, sum(b * b));
    });
    bool done = true;
    for (int call = 0; call < 2; ++call) {
      faulty().fail_after(k);
      try {
        f(x);
      } catch (const BackendError&) {
      }
      done = done && !faulty().failed();
      faulty().fail_after(1 << 30);
      const auto [b, total] = f(x);
      BOOST_TEST(same<double>(b, {{8}, {2, 3, 4, 5, 6, 7, 8, 1}}));
      BOOST_TEST(total.item<double>() == 204.0);
    }
    if (done) return;
  }
}
