#pragma once

#include <span>
#include <string>
#include <string_view>

namespace isofield::mfg {

/// Find the candidate that a misspelt `name` most likely meant; empty where none is near.
///
/// Distance is the number of letters inserted, dropped, changed or swapped with a neighbour
/// (Damerau-Levenshtein), case ignored; at most a third of the longer name may differ, at least
/// one.
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

}  // namespace isofield::mfg
