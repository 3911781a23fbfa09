// Memory shared with LibTorch; shown in docs/user/backend_selection.md.
#include <isofield/interop/torch.hpp>
#include <vector>

#include "expect.hpp"

int main() {
  // [share]
  std::vector<double> ones(12, 1.0);
  const at::Tensor tensor = at::from_blob(ones.data(), {3, 4}, at::kDouble);
  const isofield::UnifiedArray a = isofield::from_torch(tensor);  // keeps the tensor
  const isofield::UnifiedArray b = 2.0 * a;
  const at::Tensor doubled = isofield::torch_tensor(b);  // keeps the array
  // [end]
  expect(a.view().bytes() == tensor.data_ptr() && doubled.sum().item<double>() == 24.0);
}
