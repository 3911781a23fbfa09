#pragma once

#include <hdf5.h>

#include <string>
#include <utility>

#include "isofield/dtype.hpp"
#include "isofield/io/hdf5.hpp"

// The parts of HDF5's C interface that reader and writer share.
namespace isofield::io {

/// Own an HDF5 identifier.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Close closer) noexcept : id_(id), close_(closer) {}
  Handle(Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() { close(); }

  /// Close now; false where HDF5 reports a failure.
  bool close() noexcept { return id_ < 0 || close_(std::exchange(id_, H5I_INVALID_HID)) >= 0; }
  bool valid() const noexcept { return id_ >= 0; }
  hid_t get() const noexcept { return id_; }

 private:
  hid_t id_ = H5I_INVALID_HID;
  Close close_ = nullptr;
};

/// Keep HDF5 from printing its errors for as long as this object lives (longer once a read failed).
class QuietErrors {
 public:
  QuietErrors();
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
  ~QuietErrors();

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

/// The innermost message on HDF5's error stack, and empty the stack.
std::string take_hdf5_error();

/// The type of elements in a file, also used in memory (both little-endian).
hid_t hdf5_type(DType type);
std::size_t element_size(DType type);
std::string type_name(DType type);

/// "101,64"; "" for a scalar.
std::string extents_text(const Extents& extents);

/// A text type of variable length, UTF-8: what h5py reads as str.
Handle make_text_type();

/// Whether two paths lead to one object.
bool same_object(hid_t file, const std::string& a, const std::string& b);

}  // namespace isofield::io
