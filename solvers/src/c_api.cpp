// The library as programs in C see it; what goes in and out is checked, and nothing is thrown.

#include "isofield/mfg/c_api.h"

#include <exception>
#include <isofield/registry.hpp>
#include <isofield/version.hpp>
#include <new>

#include "c_callbacks.hpp"
#include "c_handles.hpp"

namespace isofield::c_api {
namespace {

thread_local std::string last_error;

}  // namespace

isofield_status failed(isofield_status status, const char* text) noexcept {
  try {
    last_error = text;
  } catch (...) {
    last_error.clear();
  }
  return status;
}

isofield_status failed() noexcept {
  try {
    throw;
  } catch (const mfg::CallbackFailed& e) {
    return failed(ISOFIELD_CALLBACK_FAILED, e.what());
  } catch (const IoError& e) {
    return failed(ISOFIELD_IO, e.what());
  } catch (const NotAvailable& e) {
    return failed(ISOFIELD_NOT_AVAILABLE, e.what());
  } catch (const DeviceError& e) {
    return failed(ISOFIELD_NOT_AVAILABLE, e.what());
  } catch (const OutOfMemory& e) {
    return failed(ISOFIELD_OUT_OF_MEMORY, e.what());
  } catch (const BackendError& e) {
    return failed(ISOFIELD_ERROR, e.what());
  } catch (const Error& e) {  // shapes, dtypes, configurations, data
    return failed(ISOFIELD_INVALID, e.what());
  } catch (const std::bad_alloc&) {
    return failed(ISOFIELD_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& e) {
    return failed(ISOFIELD_ERROR, e.what());
  } catch (...) {
    return failed(ISOFIELD_ERROR, "an exception of an unknown type");
  }
}

void write_shape(std::size_t populations_count, const Shape& shape, std::int32_t* populations,
                 std::int64_t* levels, std::int32_t* axes, std::int64_t* cells) {
  const int axis_count = shape.size() - 1;
  if (populations) *populations = static_cast<std::int32_t>(populations_count);
  if (levels) *levels = shape[0];
  if (axes) *axes = axis_count;
  for (int k = 0; cells && k < 3; ++k) cells[k] = k < axis_count ? shape[k + 1] : 1;
}

}  // namespace isofield::c_api

using namespace isofield;
using namespace isofield::c_api;

extern "C" {

int32_t isofield_mfg_c_api(void) { return ISOFIELD_MFG_C_API; }

const char* isofield_version(void) { return isofield::version(); }

const char* isofield_last_error(void) { return last_error.c_str(); }

isofield_status isofield_set_backend(const char* spelling) {
  return guarded([&] { set_backend(&given(spelling, "spelling")); });
}

const char* isofield_backend(void) {
  thread_local std::string name;
  return guarded([] { name = default_backend().spelling(); }) == ISOFIELD_OK ? name.c_str()
                                                                             : nullptr;
}

}  // extern "C"
