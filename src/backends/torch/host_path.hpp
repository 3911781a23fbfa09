#pragma once

#include <isofield/host.hpp>
#include <string>

/// How programs and products run on LibTorch's cpu tensors.
namespace isofield::torch_backend {

/// Runs pieces of work with at::parallel_for.
class TorchExecutor final : public host::Executor {
 public:
  void set_threads(int threads);
  /// LibTorch's threads are one setting of the process, which builds with OpenMP may have dropped
  /// to one: say it before work begins.
  void apply_threads() const;
  int concurrency() const override { return threads_; }
  void parallel_for(std::int64_t n, void (*body)(void* context, std::int64_t i),
                    void* context) override;

 private:
  int threads_ = 1;
};

/// Whether a product is large enough, and no matrix-vector product, for LibTorch's BLAS to win over
/// the host kernels.
bool blas_pays(const View& a, const View& out);
/// Multiply with LibTorch's BLAS, split over the executor's threads.
void blas_matmul(const View& a, const View& b, const View& out, TorchExecutor& executor);

/// The BLAS that LibTorch calls, for people: "OpenBLAS 0.3.21 ...", "MKL", a file name.
std::string blas_name();

/// OpenBLAS' number of threads in this process, or 0 where LibTorch uses another BLAS.
int openblas_threads();

}  // namespace isofield::torch_backend
