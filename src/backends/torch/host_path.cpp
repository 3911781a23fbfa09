#include "backends/torch/host_path.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/mm.h>
#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "backends/torch/tensors.hpp"

namespace isofield::torch_backend {
namespace {

/// OpenBLAS' own switches, looked up where this module's libraries are: it may be another BLAS.
struct OpenBlas {
  using Set = void (*)(int);
  using Get = int (*)();
  Set set = reinterpret_cast<Set>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
  Get get = reinterpret_cast<Get>(dlsym(RTLD_DEFAULT, "openblas_get_num_threads"));
  explicit operator bool() const { return set && get; }
};

const OpenBlas& openblas() {
  static const OpenBlas functions;
  return functions;
}

/// Keeps OpenBLAS on the caller's thread: its own threads fight ours for the cores (a factor of 12
/// on a small solve). Scopes of several threads may overlap; the last one restores.
class SerialBlas {
 public:
  SerialBlas() {
    if (!openblas()) return;
    const std::lock_guard lock(mutex());
    if (users()++ == 0) {
      saved() = openblas().get();
      openblas().set(1);
    }
  }
  ~SerialBlas() {
    if (!openblas()) return;
    const std::lock_guard lock(mutex());
    if (--users() == 0) openblas().set(saved());
  }
  SerialBlas(const SerialBlas&) = delete;
  SerialBlas& operator=(const SerialBlas&) = delete;

 private:
  static std::mutex& mutex() {
    static std::mutex m;
    return m;
  }
  static int& users() {
    static int n = 0;
    return n;
  }
  static int& saved() {
    static int n = 1;
    return n;
  }
};

/// Below this many multiplications the calls into LibTorch cost more than the product.
constexpr std::int64_t least_product = 64 * 64 * 64;

}  // namespace

void TorchExecutor::set_threads(int threads) {
  threads_ = threads > 0 ? threads : host::default_threads();
}

void TorchExecutor::apply_threads() const {
  if (at::get_num_threads() != threads_) at::set_num_threads(threads_);
}

void TorchExecutor::parallel_for(std::int64_t n, void (*body)(void*, std::int64_t), void* context) {
  const std::int64_t workers = std::min<std::int64_t>(n, threads_);
  if (workers < 2 || at::in_parallel_region()) {
    for (std::int64_t i = 0; i < n; ++i) body(context, i);
    return;
  }
  apply_threads();
  // at::parallel_for cuts evenly; pieces are drawn instead, since cores are rarely equally free.
  std::atomic<std::int64_t> next = 0;
  at::parallel_for(0, workers, 1, [&](std::int64_t, std::int64_t) {
    for (std::int64_t i = next++; i < n; i = next++) body(context, i);
  });
}

bool blas_pays(const View& a, const View& out) {
  const Shape& shape = out.layout.shape;
  const int rank = shape.size();
  return !is_integer(out.dtype) && std::min(shape[rank - 2], shape[rank - 1]) >= 4 &&
         element_count(shape) * a.layout.shape.back() >= least_product;
}

void blas_matmul(const View& a, const View& b, const View& out, TorchExecutor& executor) {
  const at::AutoDispatchBelowADInplaceOrView no_autograd;
  const SerialBlas serial;
  executor.apply_threads();
  const ViewTensor destination = share(out);
  const auto stacked = [](const at::Tensor& t) {
    return t.dim() == 3 ? t : t.dim() == 2 ? t.unsqueeze(0) : t.flatten(0, -3);
  };
  const at::Tensor x = stacked(read(a)), y = stacked(read(b));
  at::Tensor z = stacked(destination.tensor);
  const bool in_place = destination.flipped.empty() && z.is_alias_of(destination.tensor);
  if (!in_place) z = z.clone();
  const int threads = executor.concurrency();
  if (!openblas() || threads < 2) {
    at::bmm_out(z, x, y);
  } else {
    const std::int64_t batch = z.size(0), rows = z.size(1);
    const std::int64_t cuts = batch >= 2 * threads ? 1 : std::min<std::int64_t>(rows, threads);
    struct Pieces {
      const at::Tensor &x, &y, &z;
      std::int64_t cuts, rows;
    } pieces{x, y, z, cuts, rows};
    executor.parallel_for(
        batch * cuts,
        [](void* context, std::int64_t i) {
          const at::AutoDispatchBelowADInplaceOrView no_autograd_here;
          const auto& p = *static_cast<Pieces*>(context);
          const std::int64_t k = i / p.cuts, from = i % p.cuts * p.rows / p.cuts;
          const std::int64_t count = (i % p.cuts + 1) * p.rows / p.cuts - from;
          at::Tensor part = p.z.select(0, k).narrow(0, from, count);
          at::mm_out(part, p.x.select(0, k).narrow(0, from, count), p.y.select(0, k));
        },
        &pieces);
  }
  if (!in_place) write(out, z.view(sizes_of(out.layout.shape)));
}

std::string blas_name() {
  if (auto* config = reinterpret_cast<char* (*)()>(dlsym(RTLD_DEFAULT, "openblas_get_config")))
    return config();
  if (at::hasMKL()) return "MKL";
  Dl_info where;
  if (void* gemm = dlsym(RTLD_DEFAULT, "dgemm_"); gemm && dladdr(gemm, &where))
    return std::string(where.dli_fname) +
           " (if this is the reference BLAS, OpenBLAS is 20x faster)";
  return "inside LibTorch";
}

int openblas_threads() { return openblas() ? openblas().get() : 0; }

}  // namespace isofield::torch_backend
