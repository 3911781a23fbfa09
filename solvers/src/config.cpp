#include "isofield/mfg/config.hpp"

namespace isofield::mfg {

std::string to_string(Boundary boundary) {
  switch (boundary) {
    case Boundary::periodic: return "periodic";
    case Boundary::reflecting: return "reflecting";
    case Boundary::exit: return "exit";
  }
  return {};
}

std::string to_string(Scheme scheme) {
  switch (scheme) {
    case Scheme::implicit: return "implicit";
    case Scheme::centred: return "centred";
    case Scheme::exponential: return "exponential";
    case Scheme::semi_lagrangian: return "semi_lagrangian";
    case Scheme::splitting: return "splitting";
    case Scheme::neural: return "neural";
  }
  return {};
}

std::string to_string(Coupling coupling) {
  switch (coupling) {
    case Coupling::automatic: return "auto";
    case Coupling::picard: return "picard";
    case Coupling::fictitious_play: return "fictitious_play";
    case Coupling::anderson: return "anderson";
    case Coupling::policy: return "policy";
    case Coupling::newton: return "newton";
    case Coupling::primal_dual: return "primal_dual";
  }
  return {};
}

}  // namespace isofield::mfg
