#include "io/hdf5_driver.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <new>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#if H5_VERSION_GE(1, 13, 2)
#include <H5FDdevelop.h>
#endif

#include "io/posix_io.hpp"

namespace isofield::io {
namespace {

// What a file access list carries for our driver. HDF5 copies and frees it through the functions
// below.
struct Access {
  std::shared_ptr<IoFailure> failure;
  int descriptor = -1;
};

// HDF5 knows the first member only.
struct File {
  H5FD_t base;
  int descriptor;
  haddr_t allocated;  // HDF5's "end of allocation"
  haddr_t end;        // the file's size, as HDF5 is to believe it
  struct stat status;
  std::shared_ptr<IoFailure> failure;
};

File& own(H5FD_t* file) { return *reinterpret_cast<File*>(file); }
const File& own(const H5FD_t* file) { return *reinterpret_cast<const File*>(file); }

std::atomic<bool> read_failure{false};

void note(File& file, int error, bool while_writing) {
  if (error != 0 && file.failure->error == 0) *file.failure = {error, while_writing};
}

void* copy_access(const void* access) {
  return new (std::nothrow) Access(*static_cast<const Access*>(access));
}

herr_t free_access(void* access) {
  delete static_cast<Access*>(access);
  return 0;
}

int duplicate(int descriptor) { return ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0); }

int open_descriptor(const char* name, unsigned flags, const Access& access) {
  if (access.descriptor < 0) return open_file(name, O_RDONLY);
  const int descriptor = duplicate(access.descriptor);
  if (descriptor >= 0 && (flags & H5F_ACC_TRUNC) != 0) {
    if (const int error = io::truncate(descriptor, 0)) {
      ::close(descriptor);
      errno = error;
      return -1;
    }
  }
  return descriptor;
}

H5FD_t* open(const char* name, unsigned flags, hid_t list, haddr_t) {
  const auto* access = static_cast<const Access*>(H5Pget_driver_info(list));
  if (access == nullptr) return nullptr;
  std::unique_ptr<File> file(new (std::nothrow) File{});
  if (!file) return nullptr;
  file->failure = access->failure;
  file->descriptor = open_descriptor(name, flags, *access);
  if (file->descriptor < 0) {
    note(*file, errno, false);
    return nullptr;
  }
  if (::fstat(file->descriptor, &file->status) != 0) {
    note(*file, errno, false);
    ::close(file->descriptor);
    return nullptr;
  }
  file->end = static_cast<haddr_t>(file->status.st_size);
  return &file.release()->base;
}

herr_t close(H5FD_t* base) {
  const std::unique_ptr<File> file(&own(base));
  // Linux closes the descriptor even where it says EINTR.
  if (::close(file->descriptor) != 0 && errno != EINTR) note(*file, errno, true);
  return 0;
}

int compare(const H5FD_t* a, const H5FD_t* b) {
  const auto order = [](auto x, auto y) { return x < y ? -1 : x > y ? 1 : 0; };
  const int device = order(own(a).status.st_dev, own(b).status.st_dev);
  return device != 0 ? device : order(own(a).status.st_ino, own(b).status.st_ino);
}

herr_t query(const H5FD_t*, unsigned long* flags) {
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

haddr_t get_allocated(const H5FD_t* file, H5FD_mem_t) { return own(file).allocated; }

herr_t set_allocated(H5FD_t* file, H5FD_mem_t, haddr_t end) {
  own(file).allocated = end;
  return 0;
}

haddr_t get_end(const H5FD_t* file, H5FD_mem_t) { return own(file).end; }

herr_t read(H5FD_t* base, H5FD_mem_t, hid_t, haddr_t offset, size_t size, void* bytes) {
  const int error = read_fully(own(base).descriptor, bytes, size, offset);
  note(own(base), error, false);
  if (error != 0) read_failure = true;
  return error == 0 ? 0 : -1;
}

herr_t write(H5FD_t* base, H5FD_mem_t, hid_t, haddr_t offset, size_t size, const void* bytes) {
  File& file = own(base);
  note(file, write_fully(file.descriptor, bytes, size, offset), true);
  file.end = std::max<haddr_t>(file.end, offset + size);
  return 0;
}

herr_t truncate(H5FD_t* base, hid_t, hbool_t) {
  File& file = own(base);
  if (file.end == file.allocated) return 0;
  note(file, io::truncate(file.descriptor, file.allocated), true);
  file.end = file.allocated;
  return 0;
}

H5FD_class_t make_class() {
  H5FD_class_t driver{};
#if H5_VERSION_GE(1, 13, 2)
  driver.version = H5FD_CLASS_VERSION;
  driver.value = static_cast<H5FD_class_value_t>(611);  // any in the range left to applications
#endif
  driver.name = "isofield";
  driver.maxaddr = (haddr_t{1} << 63) - 1;
  driver.fc_degree = H5F_CLOSE_STRONG;
  driver.fapl_size = sizeof(Access);
  driver.fapl_copy = copy_access;
  driver.fapl_free = free_access;
  driver.open = open;
  driver.close = close;
  driver.cmp = compare;
  driver.query = query;
  driver.get_eoa = get_allocated;
  driver.set_eoa = set_allocated;
  driver.get_eof = get_end;
  driver.read = read;
  driver.write = write;
  driver.truncate = truncate;
  constexpr H5FD_mem_t free_lists[] = H5FD_FLMAP_DICHOTOMY;
  std::copy(std::begin(free_lists), std::end(free_lists), driver.fl_map);
  return driver;
}

hid_t driver_id() {
  static const H5FD_class_t driver = make_class();
  static hid_t id = H5I_INVALID_HID;
  // H5close() of the application ends every registration.
  if (id < 0 || H5Iget_type(id) != H5I_VFL) id = H5FDregister(&driver);
  return id;
}

}  // namespace

bool a_read_failed() noexcept { return read_failure; }

hid_t make_file_access(std::shared_ptr<IoFailure> failure, int descriptor) {
  const hid_t list = H5Pcreate(H5P_FILE_ACCESS);
  if (list < 0) return list;
  const Access access{std::move(failure), descriptor};
  // The newest format of 1.10 on purpose: it alone has checksums on all of its metadata.
  if (H5Pset_driver(list, driver_id(), &access) < 0 ||
      H5Pset_libver_bounds(list, H5F_LIBVER_V110, H5F_LIBVER_V110) < 0) {
    H5Pclose(list);
    return H5I_INVALID_HID;
  }
  return list;
}

}  // namespace isofield::io
