#define _GNU_SOURCE
#include "fault_shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { most_descriptors = 4096 };

static char folder[4096];
static long wanted, counted;
static enum fault_kind kind;
static int always;
static const char* victim = "";
static char tracked[most_descriptors]; /* descriptors of files below the folder */

void fault_arm(const char* in_folder, long k, enum fault_kind what, int from_then_on) {
  snprintf(folder, sizeof folder, "%s", in_folder);
  wanted = k;
  counted = 0;
  kind = what;
  always = from_then_on;
  victim = "";
}

long fault_disarm(void) {
  folder[0] = 0;
  return counted;
}

const char* fault_victim(void) { return victim; }

__attribute__((constructor)) static void arm_from_environment(void) {
  static const char* const names[] = {"none", "ENOSPC", "EIO", "EINTR", "short"};
  const char* text = getenv("ISOFIELD_FAULT");
  if (text == NULL) return;
  char where[4096] = "", what[16] = "", mode[16] = "";
  long k = 0;
  if (sscanf(text, "%4095[^:]:%ld:%15[^:]:%15s", where, &k, what, mode) < 3) return;
  for (int i = 0; i < 5; ++i) {
    if (strcmp(what, names[i]) == 0) fault_arm(where, k, (enum fault_kind)i, mode[0] != 0);
  }
}

/* How many calls there were, for who wants to let each fail in turn. */
__attribute__((destructor)) static void tell_count(void) {
  const char* name = getenv("ISOFIELD_FAULT_COUNT");
  if (name == NULL) return;
  folder[0] = 0;
  FILE* file = fopen(name, "w");
  if (file == NULL) return;
  fprintf(file, "%ld\n", counted);
  fclose(file);
}

static int below(const char* path) {
  return folder[0] != 0 && path != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_tracked(int fd) {
  return folder[0] != 0 && fd >= 0 && fd < most_descriptors && tracked[fd];
}

static void track(int fd, int yes) {
  if (fd >= 0 && fd < most_descriptors) tracked[fd] = (char)yes;
}

/* What a call can do wrong: any may fail, slow ones may be interrupted, transfers may be short. */
enum { fast = 0, slow = 1, transfer = 2 };

/* 1 and errno: fail; 2: be short; 0: work. */
static int fault(const char* name, int nature) {
  ++counted;
  if (kind == FAULT_NONE || counted < wanted || (counted > wanted && !always)) return 0;
  if (kind == FAULT_EINTR && nature == fast) return 0;
  if (kind == FAULT_SHORT && nature != transfer) return 0;
  victim = name;
  if (kind == FAULT_SHORT) return 2;
  errno = kind == FAULT_ENOSPC ? ENOSPC : kind == FAULT_EIO ? EIO : EINTR;
  return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int opened(int fd, const char* path) {
  track(fd, below(path));
  return fd;
}

#define OPEN(name)                                      \
  int name(const char* path, int flags, ...) {          \
    va_list list;                                       \
    va_start(list, flags);                              \
    const mode_t mode = va_arg(list, mode_t);           \
    va_end(list);                                       \
    if (below(path) && fault(#name, slow)) return -1;   \
    return opened(REAL(name)(path, flags, mode), path); \
  }
OPEN(open)
OPEN(open64)

#define DUPLICATE(name)                                                  \
  int name(int fd, int command, ...) {                                   \
    va_list list;                                                        \
    va_start(list, command);                                             \
    void* argument = va_arg(list, void*);                                \
    va_end(list);                                                        \
    const int copies = command == F_DUPFD_CLOEXEC || command == F_DUPFD; \
    if (copies && is_tracked(fd) && fault(#name, fast)) return -1;       \
    const int result = REAL(name)(fd, command, argument);                \
    if (copies) track(result, is_tracked(fd));                           \
    return result;                                                       \
  }
DUPLICATE(fcntl)
DUPLICATE(fcntl64)

/* A file whose close() fails is closed all the same, as on Linux. */
int close(int fd) {
  const int failed = is_tracked(fd) ? fault("close", slow) : 0;
  const int error = errno;
  track(fd, 0);
  const int result = REAL(close)(fd);
  if (!failed) return result;
  errno = error;
  return -1;
}

#define TRANSFER(name, buffer)                                            \
  ssize_t name(int fd, buffer bytes, size_t size, off_t offset) {         \
    const int failed = is_tracked(fd) ? fault(#name, transfer) : 0;       \
    if (failed == 1) return -1;                                           \
    return REAL(name)(fd, bytes, failed ? (size + 1) / 2 : size, offset); \
  }
TRANSFER(pread, void*)
TRANSFER(pread64, void*)
TRANSFER(pwrite, const void*)
TRANSFER(pwrite64, const void*)

ssize_t read(int fd, void* bytes, size_t size) {
  const int failed = is_tracked(fd) ? fault("read", transfer) : 0;
  if (failed == 1) return -1;
  return REAL(read)(fd, bytes, failed ? (size + 1) / 2 : size);
}

/* C's own streams open and close files behind our back. */
#define STREAM(name)                                        \
  FILE* name(const char* path, const char* mode) {          \
    if (below(path) && fault(#name, fast)) return NULL;     \
    FILE* stream = REAL(name)(path, mode);                  \
    if (stream != NULL) track(fileno(stream), below(path)); \
    return stream;                                          \
  }
STREAM(fopen)
STREAM(fopen64)

int fclose(FILE* stream) {
  track(fileno(stream), 0);
  return REAL(fclose)(stream);
}

#define ON_DESCRIPTOR(name, nature, parameters, arguments) \
  int name parameters {                                    \
    if (is_tracked(fd) && fault(#name, nature)) return -1; \
    return REAL(name) arguments;                           \
  }
ON_DESCRIPTOR(ftruncate, slow, (int fd, off_t size), (fd, size))
ON_DESCRIPTOR(ftruncate64, slow, (int fd, off64_t size), (fd, size))
ON_DESCRIPTOR(fsync, slow, (int fd), (fd))
ON_DESCRIPTOR(fchmod, fast, (int fd, mode_t mode), (fd, mode))
ON_DESCRIPTOR(fstat, fast, (int fd, struct stat* status), (fd, status))

#define ON_PATHS(name, parameters, arguments)       \
  int name parameters {                             \
    if (below(to) && fault(#name, fast)) return -1; \
    return REAL(name) arguments;                    \
  }
ON_PATHS(rename, (const char* from, const char* to), (from, to))
ON_PATHS(link, (const char* from, const char* to), (from, to))
ON_PATHS(renameat2, (int in, const char* from, int out, const char* to, unsigned int flags),
         (in, from, out, to, flags))
