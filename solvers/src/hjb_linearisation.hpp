#pragma once

#include <isofield/mfg/discrete_problem.hpp>
#include <utility>

namespace isofield::mfg {

/// dt times the HJB equation's residual at u, and the matrix I + dt K(u) of its linearisation, from
/// the same slopes; at one level or many.
std::pair<UnifiedArray, Stencil> hjb_linearisation(const DiscreteProblem& problem,
                                                   const UnifiedArray& u,
                                                   const UnifiedArray& u_next,
                                                   const UnifiedArray& cost);

/// The largest of G(u + x) - G(u) - G_q D x, or more: for a quadratic Hamiltonian the residual that
/// an exact update x leaves.
UnifiedArray hjb_remainder(const DiscreteProblem& problem, const UnifiedArray& x);

}  // namespace isofield::mfg
