#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "isofield/dtype.hpp"
#include "isofield/error.hpp"
#include "isofield/io/safe_file.hpp"

// HDF5 files that are whole or absent. HDF5 itself is seen by the sources alone. As that library,
// these classes are for one thread at a time.
namespace isofield::io {

/// The element types that files hold, little-endian.
template <class T>
concept Element = std::same_as<T, float> || std::same_as<T, double> ||
    std::same_as<T, std::uint8_t> || std::same_as<T, std::int64_t>;

template <Element T>
inline constexpr DType element_type = std::same_as<T, float>          ? DType::float32
                                      : std::same_as<T, double>       ? DType::float64
                                      : std::same_as<T, std::uint8_t> ? DType::uint8
                                                                      : DType::int64;

/// Sizes of each axis, the last one contiguous.
using Extents = std::vector<std::uint64_t>;

/// Multiply the extents; throws IoError where the product does not fit.
std::uint64_t count(const Extents& extents);

/// Say how a dataset is stored.
struct DatasetOptions {
  int compression = 4;   ///< deflate level, 0 (none) to 9
  bool checksum = true;  ///< Fletcher32 of every chunk, so that each reader notices damage
  bool narrow = false;   ///< store double values as float32
};

/// Write an HDF5 file that appears under its name only when it is whole and verified.
///
/// Objects are named by absolute paths ("/grid/x"); groups are made as needed. Every value that is
/// written also goes into a manifest of CRC-64 checksums, kept in the attribute "manifest" of "/",
/// and a checksum of the whole file goes into the 512 bytes before its HDF5 part. commit() closes
/// the file, synchronizes it, reads everything back against the manifest and only then renames it.
/// Without commit() nothing is left. The first failed system call (disk full, I/O error) makes the
/// member that meets it throw, and every later one. All members throw IoError.
class FileWriter {
 public:
  explicit FileWriter(const std::filesystem::path& destination,
                      Existing existing = Existing::refuse);
  FileWriter(FileWriter&&) noexcept;
  FileWriter& operator=(FileWriter&&) = delete;
  ~FileWriter();

  void create_group(const std::string& path);

  /// Write a whole dataset; `values` has count(extents) elements, extents {} are a scalar.
  template <Element T>
  void write(const std::string& path, std::span<const T> values, const Extents& extents,
             const DatasetOptions& options = {}) {
    write_bytes(path, element_type<T>, values.data(), values.size(), extents, options);
  }
  template <Element T>
  void write(const std::string& path, const std::vector<T>& values) {
    write<T>(path, std::span<const T>(values), Extents{values.size()});
  }

  /// Make an empty dataset of shape (0, row...), which append() lets grow along its first axis.
  void create_dataset(const std::string& path, DType type, const Extents& row,
                      const DatasetOptions& options = {});

  /// Append whole rows (time levels) to a dataset of create_dataset().
  template <Element T>
  void append(const std::string& path, std::span<const T> rows) {
    append_bytes(path, element_type<T>, rows.data(), rows.size());
  }

  /// Attach an attribute to a group or dataset. Text is UTF-8 without NUL.
  void set_attribute(const std::string& object, const std::string& name, std::string_view text);
  void set_attribute(const std::string& object, const std::string& name, double value);
  void set_attribute(const std::string& object, const std::string& name, std::int64_t value);

  /// Declare a 1-D dataset as a dimension scale.
  void make_scale(const std::string& path, const std::string& name);
  /// Attach a scale to an axis of a dataset.
  void attach_scale(const std::string& path, unsigned axis, const std::string& scale);

  /// Make a second name for an object.
  void hard_link(const std::string& path, const std::string& existing);
  void soft_link(const std::string& path, const std::string& target);

  /// Finish: close, synchronize, verify, rename.
  Published commit();

  const std::filesystem::path& destination() const noexcept;

 private:
  struct Impl;
  void write_bytes(const std::string& path, DType type, const void* values, std::uint64_t size,
                   const Extents& extents, const DatasetOptions& options);
  void append_bytes(const std::string& path, DType type, const void* rows, std::uint64_t size);
  std::unique_ptr<Impl> impl_;
};

/// Read an HDF5 file, one of ours or any other. All members throw IoError naming the file.
class FileReader {
 public:
  explicit FileReader(const std::filesystem::path& path);
  /// Open a file of FileWriter and verify() it; its checksum comes before anything that HDF5 reads,
  /// and a file without one is refused.
  static FileReader verified(const std::filesystem::path& path);
  FileReader(FileReader&&) noexcept;
  FileReader& operator=(FileReader&&) = delete;
  ~FileReader();

  bool exists(const std::string& path) const;
  /// Names of what a group holds, in order.
  std::vector<std::string> list(const std::string& group) const;
  Extents extents(const std::string& path) const;
  DType type(const std::string& path) const;

  /// Read a dataset, converted to T.
  template <Element T>
  std::vector<T> read(const std::string& path) const try {
    std::vector<T> values(checked_count(path));
    read_bytes(path, element_type<T>, values.data());
    return values;
  } catch (const std::bad_alloc&) {  // a damaged or hostile file may claim any shape
    throw_too_large(path);
  }

  /// Read rows [first, first + number) along the first axis, converted to T, into `values`.
  template <Element T>
  void read_rows(const std::string& path, std::uint64_t first, std::uint64_t number,
                 std::span<T> values) const {
    read_rows_bytes(path, element_type<T>, first, number, values.data(), values.size());
  }

  bool has_attribute(const std::string& object, const std::string& name) const;
  std::string text_attribute(const std::string& object, const std::string& name) const;
  double real_attribute(const std::string& object, const std::string& name) const;
  std::int64_t integer_attribute(const std::string& object, const std::string& name) const;

  /// Whether the file carries a manifest, as those of FileWriter do.
  bool has_manifest() const;

  /// Compare the file with its checksum, then everything its manifest lists (datasets, attributes,
  /// scales, links) with what it holds; throws IoError that names the first difference.
  void verify() const;

 private:
  friend class FileWriter;
  struct Impl;
  void verify_contents() const;
  std::uint64_t checked_count(const std::string& path) const;
  [[noreturn]] void throw_too_large(const std::string& path) const;
  void read_bytes(const std::string& path, DType type, void* values) const;
  void read_rows_bytes(const std::string& path, DType type, std::uint64_t first,
                       std::uint64_t number, void* values, std::uint64_t size) const;
  std::unique_ptr<Impl> impl_;
};

}  // namespace isofield::io
