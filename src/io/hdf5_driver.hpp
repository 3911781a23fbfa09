#pragma once

#include <hdf5.h>

#include <memory>
#include <string>

namespace isofield::io {

/// The first system call on a file that failed; `error` is its errno, 0 while all went well.
struct IoFailure {
  int error = 0;
  bool while_writing = false;
};

/// Whether a read failed in this process. HDF5 1.10 then leaks some of its state and, if its error
/// printing is on, ends the process with a complaint about an "infinite loop closing library".
bool a_read_failed() noexcept;

/// Make a file access list whose files go through our own driver.
///
/// HDF5's own driver reports a full disk late (only H5Dclose fails, after a write, a flush and even
/// H5Fclose that succeed) and leaves objects behind that cannot be closed. Ours notes the first
/// failure in `failure`, tells HDF5 that a failed write went well, so that everything still closes,
/// and leaves it to the caller to look at `failure` before the file is trusted.
/// With a descriptor >= 0 that open file is used, whatever name HDF5 is given; it is duplicated.
hid_t make_file_access(std::shared_ptr<IoFailure> failure, int descriptor);

}  // namespace isofield::io
