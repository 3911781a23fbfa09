#pragma once

namespace isofield::mfg_solve {

/// Note SIGINT, SIGTERM and SIGHUP instead of ending: the solver asks interrupted() between
/// iterations. A second signal of the same kind ends the process at once.
void watch_for_interrupts();

/// Tell whether somebody asked us to stop.
bool interrupted() noexcept;

}  // namespace isofield::mfg_solve
