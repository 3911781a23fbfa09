#include <isofield/host.hpp>

namespace isofield::host {

HostBackend::HostBackend(std::string name, std::unique_ptr<Executor> executor)
    : name_(std::move(name)) {
  capabilities_.dtypes.assign(all_dtypes.begin(), all_dtypes.end());
  capabilities_.details = {{"instruction set", std::string(instruction_set())},
                           {"programs", program_form()}};
  use(std::move(executor));
}

void HostBackend::use(std::unique_ptr<Executor> executor) {
  executor_ = std::move(executor);
  capabilities_.threads = executor_->concurrency();
}

StoragePtr HostBackend::allocate(std::size_t bytes) { return host::allocate(*this, bytes); }

StoragePtr HostBackend::wrap(void* data, std::size_t bytes, std::shared_ptr<void> owner) {
  return host::wrap(*this, data, bytes, std::move(owner));
}

void HostBackend::copy_bytes(Storage& to, std::size_t to_offset, const Storage& from,
                             std::size_t from_offset, std::size_t bytes) {
  host::copy_bytes(to, to_offset, from, from_offset, bytes);
}

void HostBackend::run(const Launch& launch) { host::run(launch, *executor_); }

void HostBackend::matmul(const View& a, const View& b, const View& out) {
  host::matmul(a, b, out, *executor_);
}

std::optional<std::int64_t> HostBackend::tridiagonal_solve(const LineSystems& systems) {
  return host::tridiagonal_solve(systems, *executor_);
}

void HostBackend::fourier_transform(const View& in, const View& out,
                                    const FourierTransform& transform,
                                    std::shared_ptr<void>* plan) {
  host::fourier_transform(in, out, transform, plan, *executor_);
}

std::optional<BadIndex> HostBackend::arrange(const Arrangement& arrangement,
                                             std::span<const View> in, std::span<const View> out) {
  return host::arrange(arrangement, in, out, *executor_);
}

std::optional<std::int64_t> HostBackend::factorize(const Factorization& factorization,
                                                   std::span<const View> in,
                                                   std::span<const View> out) {
  return host::factorize(factorization, in, out, *executor_);
}

}  // namespace isofield::host
