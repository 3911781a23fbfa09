// Memory shared with the standard library's spans; shown in docs/user/backend_selection.md.
#include <isofield/interop/span.hpp>

#include "expect.hpp"

int main() {
  // [share]
  std::vector<double> values{1.0, 2.0, 3.0};
  const std::span<double> span(values);
  const isofield::UnifiedArray a = isofield::from_span(span, nullptr);  // values outlives it
  const isofield::UnifiedArray b = a * a;
  const std::span<const double> squares = isofield::std_span<double>(b);      // looked at in place
  const isofield::UnifiedArray c = isofield::from_vector(std::move(values));  // taken over
  // [end]
  expect(squares[2] == 9.0 && a.view().bytes() == c.view().bytes());
}
