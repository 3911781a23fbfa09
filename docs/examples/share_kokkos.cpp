// Memory shared with Kokkos; shown in docs/user/backend_selection.md.
#include <isofield/interop/kokkos.hpp>

#include "expect.hpp"

int main() {
  const Kokkos::ScopeGuard kokkos;  // before the first use of the backend
  // [share]
  const Kokkos::View<double**> view("view", 3, 4);
  Kokkos::deep_copy(view, 1.0);
  const isofield::UnifiedArray a = isofield::from_kokkos(view);  // keeps the view
  const isofield::UnifiedArray b = 2.0 * a;
  const auto looked_at = isofield::kokkos_view<double**>(b);  // a view without a copy
  // [end]
  expect(a.view().bytes() == static_cast<const void*>(view.data()) && looked_at(2, 3) == 2.0);
}
