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
  // A terminal that closes asks so, too, unless nohup said that it is no matter.
  struct sigaction hangup = {};
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) {
    sigaction(SIGHUP, &action, nullptr);
  }
  // A file beyond the limit (ulimit -f) or a pipe that nobody reads is a failed write, not the end
  // of the process.
  action.sa_handler = SIG_IGN;
  sigaction(SIGXFSZ, &action, nullptr);
  sigaction(SIGPIPE, &action, nullptr);
}

bool interrupted() noexcept { return asked_to_stop != 0; }

}  // namespace isofield::mfg_solve
