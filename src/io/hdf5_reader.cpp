#include "io/hdf5_reader.hpp"

#include <limits>

#include "io/manifest.hpp"

namespace isofield::io {

FileReader::Impl::Impl(const std::filesystem::path& name) : path(name) {
  const QuietErrors quiet;
  const Handle access(make_file_access(failure, -1), H5Pclose);
  check(access.valid(), "preparing");
  file = Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
  if (!file.valid()) {
    const std::string reason = take_hdf5_error();
    if (failure->error != 0) fail(error_text(failure->error));
    fail("it is not a whole HDF5 file (" + reason + ")");
  }
}

Extents FileReader::Impl::extents(hid_t dataset, const std::string& name) const {
  const Handle space(check(H5Dget_space(dataset), name), H5Sclose);
  const int rank = H5Sget_simple_extent_ndims(space.get());
  check(rank >= 0, name);
  std::vector<hsize_t> sizes(static_cast<std::size_t>(rank));
  check(H5Sget_simple_extent_dims(space.get(), sizes.data(), nullptr) >= 0, name);
  return {sizes.begin(), sizes.end()};
}

void FileReader::Impl::read_rows(hid_t dataset, const std::string& name, DType type,
                                 std::uint64_t first, std::uint64_t number, void* values) const {
  const Extents shape = extents(dataset, name);
  std::vector<hsize_t> start(shape.size(), 0), sizes(shape.begin(), shape.end());
  start[0] = first;
  sizes[0] = number;
  const Handle space(check(H5Dget_space(dataset), name), H5Sclose);
  const Handle memory(H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr),
                      H5Sclose);
  check(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, sizes.data(),
                            nullptr) >= 0,
        name);
  check(H5Dread(dataset, hdf5_type(type), memory.get(), space.get(), H5P_DEFAULT, values) >= 0,
        name);
}

void FileReader::Impl::read_number(const std::string& object, const std::string& name, hid_t type,
                                   void* value) const {
  const QuietErrors quiet;
  const std::string what = attribute_name(object, name);
  const Handle attribute = open_attribute(object, name);
  const Handle space(check(H5Aget_space(attribute.get()), what), H5Sclose);
  if (H5Sget_simple_extent_npoints(space.get()) != 1) fail(what + " is not a single number");
  check(H5Aread(attribute.get(), type, value) >= 0, what);
}

FileReader::FileReader(const std::filesystem::path& path) : impl_(std::make_unique<Impl>(path)) {}
FileReader::FileReader(FileReader&&) noexcept = default;

FileReader::~FileReader() {
  const QuietErrors quiet;
  impl_.reset();
}

bool FileReader::exists(const std::string& path) const {
  const QuietErrors quiet;
  if (path == "/") return true;
  // H5Oexists_by_name fails, rather than denies, where a parent is missing.
  for (std::size_t end = path.find('/', 1); end != std::string::npos;
       end = path.find('/', end + 1)) {
    if (H5Lexists(impl_->file.get(), path.substr(0, end).c_str(), H5P_DEFAULT) <= 0) return false;
  }
  return H5Lexists(impl_->file.get(), path.c_str(), H5P_DEFAULT) > 0 &&
         H5Oexists_by_name(impl_->file.get(), path.c_str(), H5P_DEFAULT) > 0;
}

std::vector<std::string> FileReader::list(const std::string& group) const {
  const QuietErrors quiet;
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* name, const H5L_info_t*, void* list) -> herr_t {
    static_cast<std::vector<std::string>*>(list)->emplace_back(name);
    return 0;
  };
  impl_->check(H5Literate_by_name(impl_->file.get(), group.c_str(), H5_INDEX_NAME, H5_ITER_INC,
                                  nullptr, collect, &names, H5P_DEFAULT) >= 0,
               group);
  return names;
}

Extents FileReader::extents(const std::string& path) const {
  const QuietErrors quiet;
  return impl_->extents(impl_->open_dataset(path).get(), path);
}

DType FileReader::type(const std::string& path) const {
  const QuietErrors quiet;
  const Handle dataset = impl_->open_dataset(path);
  const Handle type(impl_->check(H5Dget_type(dataset.get()), path), H5Tclose);
  for (const DType known : {DType::float32, DType::float64, DType::uint8, DType::int64}) {
    if (H5Tequal(type.get(), hdf5_type(known)) > 0) return known;
  }
  impl_->fail(path + " is neither float32, float64, uint8 nor int64 (little-endian)");
}

std::uint64_t FileReader::checked_count(const std::string& path) const {
  const std::uint64_t number = count(extents(path));
  if (number > std::numeric_limits<std::ptrdiff_t>::max() / sizeof(double)) throw_too_large(path);
  return number;
}

void FileReader::throw_too_large(const std::string& path) const {
  impl_->fail(path + " of shape (" + extents_text(extents(path)) + ") does not fit into memory");
}

void FileReader::read_bytes(const std::string& path, DType type, void* values) const {
  const QuietErrors quiet;
  const Handle dataset = impl_->open_dataset(path);
  impl_->check(H5Dread(dataset.get(), hdf5_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0,
               path);
}

void FileReader::read_rows_bytes(const std::string& path, DType type, std::uint64_t first,
                                 std::uint64_t number, void* values, std::uint64_t size) const {
  const QuietErrors quiet;
  const Handle dataset = impl_->open_dataset(path);
  Extents shape = impl_->extents(dataset.get(), path);
  if (shape.empty() || first > shape[0] || number > shape[0] - first) {
    impl_->fail(path + " of shape (" + extents_text(shape) + ") has no rows " +
                std::to_string(first) + " to " + std::to_string(first + number));
  }
  shape[0] = number;
  if (size != count(shape)) {
    impl_->fail(path + ": room for " + std::to_string(size) + " values, not for the shape (" +
                extents_text(shape) + ")");
  }
  if (size > 0) impl_->read_rows(dataset.get(), path, type, first, number, values);
}

bool FileReader::has_attribute(const std::string& object, const std::string& name) const {
  const QuietErrors quiet;
  const htri_t found =
      H5Aexists_by_name(impl_->file.get(), object.c_str(), name.c_str(), H5P_DEFAULT);
  impl_->check(found >= 0, Impl::attribute_name(object, name));
  return found > 0;
}

std::string FileReader::text_attribute(const std::string& object, const std::string& name) const {
  const QuietErrors quiet;
  const std::string what = Impl::attribute_name(object, name);
  const Handle attribute = impl_->open_attribute(object, name);
  const Handle stored(impl_->check(H5Aget_type(attribute.get()), what), H5Tclose);
  const Handle space(impl_->check(H5Aget_space(attribute.get()), what), H5Sclose);
  if (H5Tget_class(stored.get()) != H5T_STRING || H5Sget_simple_extent_npoints(space.get()) != 1) {
    impl_->fail(what + " is not a text");
  }
  if (H5Tis_variable_str(stored.get()) <= 0) {
    std::string text(H5Tget_size(stored.get()), '\0');
    impl_->check(H5Aread(attribute.get(), stored.get(), text.data()) >= 0, what);
    return text.substr(0, text.find('\0'));
  }
  char* pointer = nullptr;
  impl_->check(H5Aread(attribute.get(), stored.get(), &pointer) >= 0, what);
  const std::string text = pointer != nullptr ? pointer : "";
  H5free_memory(pointer);
  return text;
}

double FileReader::real_attribute(const std::string& object, const std::string& name) const {
  double value = 0;
  impl_->read_number(object, name, H5T_NATIVE_DOUBLE, &value);
  return value;
}

std::int64_t FileReader::integer_attribute(const std::string& object,
                                           const std::string& name) const {
  std::int64_t value = 0;
  impl_->read_number(object, name, H5T_NATIVE_INT64, &value);
  return value;
}

bool FileReader::has_manifest() const { return has_attribute("/", Manifest::attribute); }

}  // namespace isofield::io
