#pragma once

#include <atomic>
#include <isofield/profile.hpp>

#include "core/step.hpp"

namespace isofield::detail {

/// How many profiles are being made; what a step took goes to each by `add_to_profiles`.
extern std::atomic<int> active_profiles;

}  // namespace isofield::detail
