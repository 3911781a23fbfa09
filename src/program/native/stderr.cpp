// What the copy of libasmjit.a that goes into libisofield calls `stderr`; see CMakeLists.txt.

#include <cstdio>

extern "C" {
extern __attribute__((visibility("hidden"))) std::FILE* isofield_asmjit_stderr;
std::FILE* isofield_asmjit_stderr = stderr;
}
