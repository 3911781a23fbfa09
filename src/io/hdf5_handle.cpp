#include "io/hdf5_handle.hpp"

#include <limits>

#include "io/hdf5_driver.hpp"

namespace isofield::io {
namespace {

herr_t keep_last(unsigned, const H5E_error2_t* error, void* text) {
  if (error->desc != nullptr) *static_cast<std::string*>(text) = error->desc;
  return 0;
}

}  // namespace

QuietErrors::QuietErrors() {
  H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

QuietErrors::~QuietErrors() {
  if (!a_read_failed()) H5Eset_auto2(H5E_DEFAULT, function_, data_);
}

std::string take_hdf5_error() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, keep_last, &text);
  H5Eclear2(H5E_DEFAULT);
  return text.empty() ? "HDF5 gives no reason" : text;
}

hid_t hdf5_type(DType type) {
  switch (type) {
    case DType::float32: return H5T_IEEE_F32LE;
    case DType::float64: return H5T_IEEE_F64LE;
    case DType::uint8: return H5T_STD_U8LE;
    case DType::int64: return H5T_STD_I64LE;
    default: throw DTypeError("an HDF5 file of ours holds float32, float64, uint8 and int64 only");
  }
}

std::size_t element_size(DType type) { return H5Tget_size(hdf5_type(type)); }

std::string type_name(DType type) {
  switch (type) {
    case DType::float32: return "float32";
    case DType::float64: return "float64";
    case DType::uint8: return "uint8";
    case DType::int64: return "int64";
    default: return "another type";
  }
}

std::uint64_t count(const Extents& extents) {
  std::uint64_t product = 1;
  for (const std::uint64_t extent : extents) {
    if (extent != 0 && product > std::numeric_limits<std::uint64_t>::max() / extent) {
      throw IoError("a dataset of shape (" + extents_text(extents) + ") is too large");
    }
    product *= extent;
  }
  return product;
}

std::string extents_text(const Extents& extents) {
  std::string text;
  for (const std::uint64_t extent : extents) {
    if (!text.empty()) text += ',';
    text += std::to_string(extent);
  }
  return text;
}

Handle make_text_type() {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return type;
}

bool same_object(hid_t file, const std::string& a, const std::string& b) {
#if H5_VERSION_GE(1, 12, 0)
  H5O_info2_t first, second;
  int order = 1;
  return H5Oget_info_by_name3(file, a.c_str(), &first, H5O_INFO_BASIC, H5P_DEFAULT) >= 0 &&
         H5Oget_info_by_name3(file, b.c_str(), &second, H5O_INFO_BASIC, H5P_DEFAULT) >= 0 &&
         H5Otoken_cmp(file, &first.token, &second.token, &order) >= 0 && order == 0;
#else
  H5O_info_t first, second;
  return H5Oget_info_by_name2(file, a.c_str(), &first, H5O_INFO_BASIC, H5P_DEFAULT) >= 0 &&
         H5Oget_info_by_name2(file, b.c_str(), &second, H5O_INFO_BASIC, H5P_DEFAULT) >= 0 &&
         first.addr == second.addr;
#endif
}

}  // namespace isofield::io
