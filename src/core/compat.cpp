#include <isofield/compat.hpp>

#include "core/emit.hpp"

namespace isofield {
namespace {

UnifiedArray brought(const Operand& array, BaseBackend* backend) {
  if (array.is_scalar()) return asarray(array.scalar(), backend);
  return backend ? array.array().to_backend(*backend) : array.array();
}

}  // namespace

UnifiedArray backend_aware_copy(Operand array, BaseBackend* backend) {
  return brought(array, backend).copy();
}

void backend_aware_assign(UnifiedArray& target, std::initializer_list<Index> indices, Operand value,
                          BaseBackend* backend) {
  if (backend && backend != &target.backend()) target = target.to_backend(*backend);
  if (value.is_scalar()) {
    target.assign({indices.begin(), indices.size()}, value);
    return;
  }
  const UnifiedArray here = value.array().to_backend(target.backend());
  target.assign({indices.begin(), indices.size()}, Operand(here, value.where()));
}

bool backend_aware_any(Operand array, BaseBackend* backend) {
  return any(brought(array, backend)).item<bool>();
}

UnifiedArray backend_aware_zeros_like(Operand array, BaseBackend* backend) {
  if (array.is_scalar()) return zeros({}, array.scalar().default_dtype(), backend);
  const UnifiedArray a = array.array();
  return zeros(a.shape(), a.dtype(), backend ? backend : &a.backend());
}

UnifiedArray to_device(Operand array, std::string_view device) {
  const Device wanted = device_from_name(device);
  const UnifiedArray here = brought(array, nullptr);
  if (here.device() == wanted) return here;
  const std::string spelling = std::string(here.backend().name()) + ":" + std::string(device);
  return here.to_backend(spelling, array.where());
}

BaseBackend& array_backend(std::initializer_list<Operand> operands) {
  return detail::common_backend("array_backend", {operands.begin(), operands.size()});
}

}  // namespace isofield
