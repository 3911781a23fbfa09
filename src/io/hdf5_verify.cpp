#include <hdf5.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "io/crc64.hpp"
#include "io/hdf5_reader.hpp"
#include "io/manifest.hpp"
#include "io/seal.hpp"

namespace isofield::io {
namespace {

constexpr std::uint64_t slab_bytes = 8 << 20;  // what is read at a time

template <Element T>
std::string checksum_as(const FileReader& file, const std::string& path, const Extents& shape) {
  Crc64 crc;
  if (shape.empty()) {
    const std::vector<T> value = file.read<T>(path);
    crc.update(value.data(), value.size() * sizeof(T));
    return crc.text();
  }
  const std::uint64_t total = count(shape);
  if (total == 0) return crc.text();
  const std::uint64_t row = total / shape[0];
  const std::uint64_t step = std::max<std::uint64_t>(slab_bytes / (row * sizeof(T)), 1);
  std::vector<T> values;
  for (std::uint64_t first = 0; first < shape[0]; first += step) {
    const std::uint64_t number = std::min(step, shape[0] - first);
    values.resize(number * row);
    file.read_rows<T>(path, first, number, values);
    crc.update(values.data(), values.size() * sizeof(T));
  }
  return crc.text();
}

std::string checksum_of_rows(const FileReader& file, const std::string& path, const Extents& shape,
                             DType type) {
  switch (type) {
    case DType::float32: return checksum_as<float>(file, path, shape);
    case DType::float64: return checksum_as<double>(file, path, shape);
    case DType::uint8: return checksum_as<std::uint8_t>(file, path, shape);
    default: return checksum_as<std::int64_t>(file, path, shape);
  }
}

std::string checksum_of_attribute(const FileReader& file, const Record& record) {
  const std::string &object = record[1], &name = record[2], &kind = record[3];
  if (kind == "text") {
    const std::string text = file.text_attribute(object, name);
    return crc64(text.data(), text.size());
  }
  if (kind == "real") {
    const double value = file.real_attribute(object, name);
    return crc64(&value, sizeof value);
  }
  const std::int64_t value = file.integer_attribute(object, name);
  return crc64(&value, sizeof value);
}

// The fields of a record of each kind, itself included.
std::size_t expected_fields(const std::string& kind) {
  if (kind == "group") return 2;
  if (kind == "dataset" || kind == "attribute") return 5;
  return kind == "scale" || kind == "link" ? 4 : 0;
}

// The target of a soft link; empty where it cannot be read.
std::string soft_target(hid_t file, const std::string& path) {
  H5L_info_t info;
  if (H5Lget_info(file, path.c_str(), &info, H5P_DEFAULT) < 0 || info.type != H5L_TYPE_SOFT) {
    return {};
  }
  std::string target(info.u.val_size, '\0');
  if (H5Lget_val(file, path.c_str(), target.data(), target.size(), H5P_DEFAULT) < 0) return {};
  return target.substr(0, target.find('\0'));
}

bool is_group(hid_t file, const std::string& path) {
  Handle group(H5Gopen2(file, path.c_str(), H5P_DEFAULT), H5Gclose);
  return group.valid();
}

bool is_attached(hid_t file, const Record& record) {
  const Handle dataset(H5Dopen2(file, record[1].c_str(), H5P_DEFAULT), H5Dclose);
  const Handle scale(H5Dopen2(file, record[3].c_str(), H5P_DEFAULT), H5Dclose);
  unsigned axis = 0;
  const char* const end = record[2].data() + record[2].size();
  const auto [stop, failed] = std::from_chars(record[2].data(), end, axis);
  return failed == std::errc{} && stop == end && dataset.valid() && scale.valid() &&
         H5DSis_scale(scale.get()) > 0 && H5DSis_attached(dataset.get(), scale.get(), axis) > 0;
}

}  // namespace

FileReader FileReader::verified(const std::filesystem::path& path) {
  // HDF5 may crash on what is damaged: it sees what its seal vouches for.
  const seal::Finding finding = seal::check(path.string());
  const std::string& reason =
      finding.sealed || !finding.reason.empty()
          ? finding.reason
          : "it bears no seal of Isofield: none of its files, or one that was damaged or repacked";
  if (!reason.empty()) throw IoError("cannot read '" + path.string() + "': " + reason);
  FileReader file(path);
  file.verify_contents();
  return file;
}

void FileReader::verify() const {
  const seal::Finding finding = seal::check(impl_->path.string());
  if (!finding.reason.empty()) impl_->fail(finding.reason);
  verify_contents();
}

void FileReader::verify_contents() const {
  const QuietErrors quiet;
  const hid_t file = impl_->file.get();
  const auto demand = [&](bool good, const std::string& what) {
    if (good) return;
    if (impl_->failure->error != 0) impl_->fail(what + ": " + error_text(impl_->failure->error));
    impl_->fail(what + " is not what was written: the file is damaged or was changed");
  };
  if (!has_manifest()) impl_->fail("it has no manifest of checksums");
  const std::string text = text_attribute("/", Manifest::attribute);
  Manifest manifest;
  try {
    manifest = Manifest::parse(text);
  } catch (const IoError& error) {
    impl_->fail(error.what());
  }
  for (const Record& record : manifest.records()) {
    const std::string& kind = record[0];
    if (record.size() != expected_fields(kind)) impl_->fail("the manifest has an unknown record");
    const std::string& path = record[1];
    if (kind == "group") {
      demand(is_group(file, path), path);
    } else if (kind == "dataset") {
      // Shape and type first, so that no more is read than was written.
      const Extents shape = extents(path);
      demand(type_name(type(path)) == record[2] && extents_text(shape) == record[3], path);
      demand(checksum_of_rows(*this, path, shape, type(path)) == record[4], path);
    } else if (kind == "attribute") {
      demand(checksum_of_attribute(*this, record) == record[4],
             Impl::attribute_name(path, record[2]));
    } else if (kind == "scale") {
      demand(is_attached(file, record), "the scale of axis " + record[2] + " of " + path);
    } else if (record[2] == "soft") {
      demand(soft_target(file, path) == record[3], path);
    } else {
      demand(same_object(file, path, record[3]), path);
    }
  }
}

}  // namespace isofield::io
