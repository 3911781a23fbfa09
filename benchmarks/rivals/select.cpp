// Which of the compiled sets of rivals this processor runs.

#include <string_view>

#include "rivals/games.hpp"
#include "rivals/rivals.hpp"

namespace rivals {

#define RIVALS_DECLARE(isa)                        \
  namespace isa {                                  \
  extern const Loops table;                        \
  extern const EigenReductions eigen_table;        \
  extern const Lines lines_table;                  \
  extern const ImplicitLines implicit_lines_table; \
  extern const Elementary elementary_table;        \
  extern const Games games_table;                  \
  }
RIVALS_DECLARE(baseline)
#if defined(RIVALS_X86)
RIVALS_DECLARE(avx2)
RIVALS_DECLARE(avx512)
#endif

namespace {

enum class Set { baseline, avx2, avx512 };

Set best_set() {
#if defined(RIVALS_X86)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
    return Set::avx512;
  if (avx2) return Set::avx2;
#endif
  return Set::baseline;
}

template <class T>
const T& choose([[maybe_unused]] const T& widest, [[maybe_unused]] const T& wide, const T& plain) {
  switch (best_set()) {
    case Set::avx512: return widest;
    case Set::avx2: return wide;
    case Set::baseline: break;
  }
  return plain;
}

}  // namespace

#if defined(RIVALS_X86)
#define RIVALS_CHOOSE(member) choose(avx512::member, avx2::member, baseline::member)
#else
#define RIVALS_CHOOSE(member) choose(baseline::member, baseline::member, baseline::member)
#endif

const Loops& loops() {
  static const Loops& chosen = RIVALS_CHOOSE(table);
  return chosen;
}

const Lines& lines() {
  static const Lines& chosen = RIVALS_CHOOSE(lines_table);
  return chosen;
}
const ImplicitLines& implicit_lines() {
  static const ImplicitLines& chosen = RIVALS_CHOOSE(implicit_lines_table);
  return chosen;
}

const Elementary& elementary() {
  static const Elementary& chosen = RIVALS_CHOOSE(elementary_table);
  return chosen;
}

const Games& games() {
  static const Games& chosen = RIVALS_CHOOSE(games_table);
  return chosen;
}

const EigenReductions& eigen_reductions() {
  static const EigenReductions& chosen = RIVALS_CHOOSE(eigen_table);
  return chosen;
}

}  // namespace rivals
