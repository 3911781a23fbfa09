#pragma once

#include <hdf5.h>

#include <memory>
#include <string>

#include "io/hdf5_driver.hpp"
#include "io/hdf5_handle.hpp"
#include "io/posix_io.hpp"
#include "isofield/io/hdf5.hpp"

namespace isofield::io {

struct FileReader::Impl {
  std::filesystem::path path;
  std::shared_ptr<IoFailure> failure = std::make_shared<IoFailure>();
  Handle file;

  explicit Impl(const std::filesystem::path& name);
  [[noreturn]] void fail(const std::string& reason) const {
    throw IoError("cannot read '" + path.string() + "': " + reason);
  }
  void check(bool good, const std::string& what) const {
    if (good) return;
    const std::string reason = take_hdf5_error();
    fail(what + ": " + (failure->error != 0 ? error_text(failure->error) : reason));
  }
  hid_t check(hid_t id, const std::string& what) const {
    check(id >= 0, what);
    return id;
  }
  Handle open_dataset(const std::string& name) const {
    return {check(H5Dopen2(file.get(), name.c_str(), H5P_DEFAULT), name), H5Dclose};
  }
  Handle open_attribute(const std::string& object, const std::string& name) const {
    return {
        check(H5Aopen_by_name(file.get(), object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT),
              attribute_name(object, name)),
        H5Aclose};
  }
  static std::string attribute_name(const std::string& object, const std::string& name) {
    return "attribute " + name + " of " + object;
  }
  void read_number(const std::string& object, const std::string& name, hid_t type,
                   void* value) const;
  void read_rows(hid_t dataset, const std::string& name, DType type, std::uint64_t first,
                 std::uint64_t number, void* values) const;
  Extents extents(hid_t dataset, const std::string& name) const;
};

}  // namespace isofield::io
