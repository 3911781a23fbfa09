#include "interrupt.hpp"

#include <csignal>

namespace isofield::mfg_solve {
namespace {

volatile std::sig_atomic_t asked_to_stop = 0;

extern "C" void note_signal(int) { asked_to_stop = 1; }

}  // namespace

void watch_for_interrupts() {
  struct sigaction action = {};
  action.sa_handler = note_signal;
  // Once: the system's own reaction is back for the second time.
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A file beyond the limit (ulimit -f) is a failed write with a message, not the end of the
  // process.
  action.sa_handler = SIG_IGN;
  sigaction(SIGXFSZ, &action, nullptr);
}

bool interrupted() noexcept { return asked_to_stop != 0; }

}  // namespace isofield::mfg_solve
