// Eigen's own reductions, compiled once for each instruction set. The namespace is renamed so that
// the linker does not take one set's templates for another's.

#define RIVALS_JOIN(a, b) a##b
#define RIVALS_EIGEN(isa) RIVALS_JOIN(Eigen_, isa)
#define Eigen RIVALS_EIGEN(RIVALS_ISA)
#include <Eigen/Core>

#include "rivals/rivals.hpp"

namespace rivals::RIVALS_ISA {
namespace {

using Map = Eigen::Map<const Eigen::ArrayXd>;

double sum(const double* x, std::int64_t n) { return Map(x, n).sum(); }

double max_abs_difference(const double* x, const double* y, std::int64_t n) {
  return (Map(x, n) - Map(y, n)).abs().maxCoeff();
}

}  // namespace

extern const EigenReductions eigen_table;
const EigenReductions eigen_table = {sum, max_abs_difference};

}  // namespace rivals::RIVALS_ISA
