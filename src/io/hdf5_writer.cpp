#include <hdf5.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <map>
#include <set>

#include "io/crc64.hpp"
#include "io/hdf5_driver.hpp"
#include "io/hdf5_handle.hpp"
#include "io/manifest.hpp"
#include "io/posix_io.hpp"
#include "io/seal.hpp"
#include "isofield/io/hdf5.hpp"

namespace isofield::io {
namespace {

constexpr std::uint64_t small_chunk = 256 * 1024;   // bytes: several short rows share a chunk
constexpr std::uint64_t most_rows = 1024;           // a chunk, where the final number is unknown
constexpr std::uint64_t large_chunk = 1024 * 1024;  // bytes: HDF5's chunk cache holds one

// Chunks of whole rows, of some rows where they are short, of a part of one where they are long.
Extents choose_chunk(Extents shape, std::uint64_t bytes_per_element) {
  for (auto& extent : shape) extent = std::max<std::uint64_t>(extent, 1);
  std::uint64_t row = bytes_per_element;
  for (std::size_t axis = 1; axis < shape.size(); ++axis) row *= shape[axis];
  shape[0] = std::clamp<std::uint64_t>(small_chunk / row, 1, shape[0]);
  for (std::size_t axis = 1; axis < shape.size() && row > large_chunk; ++axis) {
    const std::uint64_t rest = row / shape[axis];
    shape[axis] = std::max<std::uint64_t>(large_chunk / rest, 1);
    row = rest * shape[axis];
  }
  return shape;
}

bool is_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// "/a/b/c" -> {"/a", "/a/b"}, after a look at each name.
std::vector<std::string> parents(const std::string& path) {
  if (!path.starts_with('/')) throw IoError("'" + path + "' is not an absolute HDF5 path");
  std::vector<std::string> result;
  for (std::size_t from = 1;;) {
    const std::size_t end = path.find('/', from);
    if (!is_name(std::string_view(path).substr(from, end - from))) {
      throw IoError("'" + path +
                    "' is not an HDF5 path: a name is empty, '.', '..' or unprintable");
    }
    if (end == std::string::npos) return result;
    result.push_back(path.substr(0, end));
    from = end + 1;
  }
}

struct Growing {
  Handle dataset;
  DType type;
  DatasetOptions options;
  Extents extents;
  Crc64 crc;
};

}  // namespace

// In the order of construction: what is below is closed before what is above.
struct FileWriter::Impl {
  SafeFile safe;
  std::shared_ptr<IoFailure> failure = std::make_shared<IoFailure>();
  Handle file;
  std::set<std::string> groups;
  std::map<std::string, Growing> growing;
  Manifest manifest;

  Impl(const std::filesystem::path& destination, Existing existing);
  // HDF5 does not see a full disk; the driver does.
  void check_system() const {
    if (failure->error != 0) safe.fail(error_text(failure->error));
  }
  [[noreturn]] void fail(const std::string& what) const {
    check_system();
    safe.fail(what + ": " + take_hdf5_error());
  }
  void check(bool good, const std::string& what) const {
    if (!good) fail(what);
    check_system();
  }
  hid_t check(hid_t id, const std::string& what) const {
    check(id >= 0, what);
    return id;
  }
  void close(Handle& handle, const std::string& what) const {
    check(handle.close(), "closing " + what);
  }
  void make_parents(const std::string& path);
  Handle create(const std::string& path, DType type, const Extents& extents, bool grows,
                const DatasetOptions& options);
  void set_attribute(const std::string& object, const std::string& name, const std::string& kind,
                     hid_t type, const void* value, std::string_view bytes);
  Handle open_dataset(const std::string& path) const {
    return {check(H5Dopen2(file.get(), path.c_str(), H5P_DEFAULT), "opening " + path), H5Dclose};
  }
  void finish_growing();
  void write_manifest();
};

FileWriter::Impl::Impl(const std::filesystem::path& destination, Existing existing)
    : safe(destination, existing) {
  const QuietErrors quiet;
  const Handle access(make_file_access(failure, safe.descriptor()), H5Pclose);
  const Handle creation(check(H5Pcreate(H5P_FILE_CREATE), "preparing the file"), H5Pclose);
  check(access.valid() && H5Pset_obj_track_times(creation.get(), false) >= 0 &&
            H5Pset_userblock(creation.get(), seal::block) >= 0,
        "preparing the file");
  file = Handle(H5Fcreate(safe.temporary().c_str(), H5F_ACC_TRUNC, creation.get(), access.get()),
                H5Fclose);
  check(file.valid(), "creating the file");
}

void FileWriter::Impl::make_parents(const std::string& path) {
  for (const std::string& parent : parents(path)) {
    if (!groups.insert(parent).second) continue;
    Handle group(
        check(H5Gcreate2(file.get(), parent.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
              "creating " + parent),
        H5Gclose);
    close(group, parent);
    manifest.add({"group", parent});
  }
}

Handle FileWriter::Impl::create(const std::string& path, DType type, const Extents& extents,
                                bool grows, const DatasetOptions& options) {
  make_parents(path);
  const std::string what = "creating " + path;
  const int rank = static_cast<int>(extents.size());
  const std::vector<hsize_t> sizes(extents.begin(), extents.end());
  std::vector<hsize_t> limits = sizes;
  if (grows) limits[0] = H5S_UNLIMITED;
  const Handle space(
      rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, sizes.data(), limits.data()),
      H5Sclose);
  const Handle list(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  check(space.valid() && list.valid() && H5Pset_obj_track_times(list.get(), false) >= 0, what);
  if (grows || (rank > 0 && count(extents) > 0)) {
    Extents shape = extents;
    if (grows) shape[0] = most_rows;
    const Extents chosen = choose_chunk(shape, element_size(type));
    const std::vector<hsize_t> chunk(chosen.begin(), chosen.end());
    check(H5Pset_chunk(list.get(), rank, chunk.data()) >= 0, what);
    if (options.compression > 0) {
      check(H5Pset_shuffle(list.get()) >= 0 &&
                H5Pset_deflate(list.get(), static_cast<unsigned>(options.compression)) >= 0,
            what);
    }
    if (options.checksum) check(H5Pset_fletcher32(list.get()) >= 0, what);
  }
  return {check(H5Dcreate2(file.get(), path.c_str(), hdf5_type(type), space.get(), H5P_DEFAULT,
                           list.get(), H5P_DEFAULT),
                what),
          H5Dclose};
}

void FileWriter::Impl::set_attribute(const std::string& object, const std::string& name,
                                     const std::string& kind, hid_t type, const void* value,
                                     std::string_view bytes) {
  const QuietErrors quiet;
  const std::string what = "attribute " + name + " of " + object;
  if (!is_name(name)) safe.fail(what + ": the name is empty or unprintable");
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  Handle attribute(check(H5Acreate_by_name(file.get(), object.c_str(), name.c_str(), type,
                                           space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                         what),
                   H5Aclose);
  check(H5Awrite(attribute.get(), type, value) >= 0, what);
  close(attribute, what);
  if (name != Manifest::attribute) {
    manifest.add({"attribute", object, name, kind, crc64(bytes.data(), bytes.size())});
  }
}

void FileWriter::Impl::finish_growing() {
  for (auto& [path, data] : growing) {
    close(data.dataset, path);
    manifest.add(
        {"dataset", path, type_name(data.type), extents_text(data.extents), data.crc.text()});
  }
  growing.clear();
}

FileWriter::FileWriter(const std::filesystem::path& destination, Existing existing)
    : impl_(std::make_unique<Impl>(destination, existing)) {}
FileWriter::FileWriter(FileWriter&&) noexcept = default;

FileWriter::~FileWriter() {
  const QuietErrors quiet;
  impl_.reset();
}

const std::filesystem::path& FileWriter::destination() const noexcept {
  return impl_->safe.destination();
}

void FileWriter::create_group(const std::string& path) {
  const QuietErrors quiet;
  impl_->make_parents(path + "/x");
}

namespace {

// Values as they are stored: the caller's, or doubles narrowed to float.
struct Stored {
  DType type;
  const void* bytes;
  std::vector<float> narrowed;
};

Stored stored(DType type, const void* values, std::uint64_t size, bool narrow) {
  if (!narrow || type != DType::float64) return {type, values, {}};
  const auto* from = static_cast<const double*>(values);
  Stored result{DType::float32, nullptr, std::vector<float>(size)};
  std::transform(from, from + size, result.narrowed.begin(),
                 [](double value) { return static_cast<float>(value); });
  result.bytes = result.narrowed.data();
  return result;
}

}  // namespace

void FileWriter::write_bytes(const std::string& path, DType type, const void* values,
                             std::uint64_t size, const Extents& extents,
                             const DatasetOptions& options) {
  const QuietErrors quiet;
  if (size != count(extents)) {
    impl_->safe.fail(path + ": " + std::to_string(size) + " values do not fill the shape (" +
                     extents_text(extents) + ")");
  }
  const Stored data = stored(type, values, size, options.narrow);
  Handle dataset = impl_->create(path, data.type, extents, false, options);
  Crc64 crc;
  if (size > 0) {
    impl_->check(H5Dwrite(dataset.get(), hdf5_type(data.type), H5S_ALL, H5S_ALL, H5P_DEFAULT,
                          data.bytes) >= 0,
                 "writing " + path);
    crc.update(data.bytes, size * element_size(data.type));
  }
  impl_->close(dataset, path);
  impl_->manifest.add({"dataset", path, type_name(data.type), extents_text(extents), crc.text()});
}

void FileWriter::create_dataset(const std::string& path, DType type, const Extents& row,
                                const DatasetOptions& options) {
  const QuietErrors quiet;
  Extents extents{0};
  extents.insert(extents.end(), row.begin(), row.end());
  if (count(row) == 0) impl_->safe.fail(path + ": rows of no elements");
  const DType kept = options.narrow && type == DType::float64 ? DType::float32 : type;
  Handle dataset = impl_->create(path, kept, extents, true, options);
  impl_->growing.emplace(path, Growing{std::move(dataset), kept, options, std::move(extents), {}});
}

void FileWriter::append_bytes(const std::string& path, DType type, const void* rows,
                              std::uint64_t size) {
  const QuietErrors quiet;
  const auto found = impl_->growing.find(path);
  if (found == impl_->growing.end()) {
    impl_->safe.fail(path + ": no dataset of create_dataset() has this name");
  }
  Growing& target = found->second;
  Extents block = target.extents;
  block[0] = 1;
  const std::uint64_t row = count(block);
  const Stored data = stored(type, rows, size, target.type == DType::float32);
  if (data.type != target.type) {
    impl_->safe.fail(path + ": " + type_name(type) + " values cannot be appended to " +
                     type_name(target.type));
  }
  if (size % row != 0) {
    impl_->safe.fail(path + ": " + std::to_string(size) + " values are not whole rows of " +
                     std::to_string(row));
  }
  if (size == 0) return;
  std::vector<hsize_t> start(block.size(), 0), sizes(block.begin(), block.end());
  start[0] = target.extents[0];
  sizes[0] = size / row;
  std::vector<hsize_t> whole = sizes;
  whole[0] += start[0];
  const std::string what = "writing " + path;
  const hid_t dataset = target.dataset.get();
  impl_->check(H5Dset_extent(dataset, whole.data()) >= 0, what);
  const Handle space(impl_->check(H5Dget_space(dataset), what), H5Sclose);
  const Handle memory(H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr),
                      H5Sclose);
  impl_->check(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, sizes.data(),
                                   nullptr) >= 0,
               what);
  impl_->check(H5Dwrite(dataset, hdf5_type(data.type), memory.get(), space.get(), H5P_DEFAULT,
                        data.bytes) >= 0,
               what);
  target.extents[0] = whole[0];
  target.crc.update(data.bytes, size * element_size(data.type));
}

void FileWriter::set_attribute(const std::string& object, const std::string& name,
                               std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    impl_->safe.fail("attribute " + name + " of " + object + ": the text contains a NUL");
  }
  const std::string terminated(text);
  const char* pointer = terminated.c_str();
  const Handle type = make_text_type();
  impl_->set_attribute(object, name, "text", type.get(), &pointer, text);
}

void FileWriter::set_attribute(const std::string& object, const std::string& name, double value) {
  impl_->set_attribute(object, name, "real", H5T_IEEE_F64LE, &value,
                       {reinterpret_cast<const char*>(&value), sizeof value});
}

void FileWriter::set_attribute(const std::string& object, const std::string& name,
                               std::int64_t value) {
  impl_->set_attribute(object, name, "integer", H5T_STD_I64LE, &value,
                       {reinterpret_cast<const char*>(&value), sizeof value});
}

void FileWriter::make_scale(const std::string& path, const std::string& name) {
  const QuietErrors quiet;
  Handle dataset = impl_->open_dataset(path);
  impl_->check(H5DSset_scale(dataset.get(), name.c_str()) >= 0, "making a scale of " + path);
  impl_->close(dataset, path);
}

void FileWriter::attach_scale(const std::string& path, unsigned axis, const std::string& scale) {
  const QuietErrors quiet;
  Handle dataset = impl_->open_dataset(path);
  Handle axis_scale = impl_->open_dataset(scale);
  impl_->check(H5DSattach_scale(dataset.get(), axis_scale.get(), axis) >= 0,
               "attaching " + scale + " to " + path);
  impl_->close(axis_scale, scale);
  impl_->close(dataset, path);
  impl_->manifest.add({"scale", path, std::to_string(axis), scale});
}

void FileWriter::hard_link(const std::string& path, const std::string& existing) {
  const QuietErrors quiet;
  impl_->make_parents(path);
  impl_->check(H5Lcreate_hard(impl_->file.get(), existing.c_str(), H5L_SAME_LOC, path.c_str(),
                              H5P_DEFAULT, H5P_DEFAULT) >= 0,
               "linking " + path);
  impl_->manifest.add({"link", path, "hard", existing});
}

void FileWriter::soft_link(const std::string& path, const std::string& target) {
  const QuietErrors quiet;
  impl_->make_parents(path);
  impl_->check(H5Lcreate_soft(target.c_str(), impl_->file.get(), path.c_str(), H5P_DEFAULT,
                              H5P_DEFAULT) >= 0,
               "linking " + path);
  impl_->manifest.add({"link", path, "soft", target});
}

Published FileWriter::commit() {
  const QuietErrors quiet;
  Impl& impl = *impl_;
  if (!impl.file.valid()) impl.safe.fail("it was committed already");
  impl.finish_growing();
  const std::string text = impl.manifest.text();
  set_attribute("/", Manifest::attribute, text);
  impl.close(impl.file, "the file");
  if (const int error = seal::put(impl.safe.descriptor())) impl.safe.fail(error_text(error));
  impl.safe.synchronize();
  try {
    const FileReader written(impl.safe.temporary());
    written.verify();
    if (written.text_attribute("/", Manifest::attribute) != text) {
      throw IoError("the manifest reads back differently");
    }
  } catch (const IoError& error) {
    impl.safe.fail(std::string("what was written does not read back: ") + error.what());
  }
  return impl.safe.publish();
}

}  // namespace isofield::io
