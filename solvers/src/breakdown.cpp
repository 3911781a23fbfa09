#include "isofield/mfg/breakdown.hpp"

#include <fmt/format.h>

namespace isofield::mfg {

Breakdown::Breakdown(std::string equation, std::int64_t level, double time, const std::string& what)
    : SolverError(fmt::format("{} equation at time level {} (t = {:.6g}): {}", equation, level,
                              time, what)),
      equation_(std::move(equation)),
      level_(level),
      time_(time) {}

}  // namespace isofield::mfg
