#include <isofield/linalg.hpp>

#include "binding.hpp"

namespace isofield::python {

void bind_linalg(nb::module_& m) {
  nb::module_ linalg = m.def_submodule("linalg", "Linear algebra.");
  const auto matmul = [](const Operand& a, const Operand& b) {
    const Unlocked lock;
    return linalg::matmul(a, b);
  };
  const char* sig = "def matmul(x1: UnifiedArray, x2: UnifiedArray, /) -> UnifiedArray";
  const char* doc = "Multiply matrices, or stacks of them: (..., n, k) times (..., k, m).";
  m.def("matmul", matmul, nb::sig(sig), doc);
  linalg.attr("matmul") = m.attr("matmul");
}

}  // namespace isofield::python
