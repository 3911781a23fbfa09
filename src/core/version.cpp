#include "isofield/version.hpp"

namespace isofield {

const char* version() noexcept { return ISOFIELD_VERSION; }

}  // namespace isofield
