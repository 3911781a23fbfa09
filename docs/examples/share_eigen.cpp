// Memory shared with Eigen; shown in docs/user/backend_selection.md.
#include <isofield/interop/eigen.hpp>

#include "expect.hpp"

int main() {
  // [share]
  Eigen::MatrixXd matrix = Eigen::MatrixXd::Identity(3, 3);
  const double* elements = matrix.data();
  const isofield::UnifiedArray a = isofield::from_eigen(std::move(matrix));  // taken over
  const isofield::UnifiedArray b = 2.0 * a;
  const double trace = isofield::eigen_map<double>(b).trace();  // looked at in place
  // [end]
  expect(a.view().bytes() == static_cast<const void*>(elements) && trace == 6.0);
}
