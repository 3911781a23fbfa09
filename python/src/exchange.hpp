#pragma once

#include <memory>

#include "binding.hpp"

namespace isofield::python {

/// A shared reference to a Python object or buffer that may be dropped on any thread, with the
/// interpreter's lock or without: `drop(what)` runs when the lock is next held by somebody who may
/// wait for it.
std::shared_ptr<void> deferred(void* what, void (*drop)(void*));

/// An array over the memory of an object with the buffer protocol, cast and moved as asked.
UnifiedArray from_buffer(nb::handle object, std::optional<DType> dtype, BaseBackend* backend,
                         std::optional<bool> copy);

/// An array over the memory of an object with `__dlpack__`, on `backend` or one of its device.
UnifiedArray from_producer(nb::handle object, BaseBackend* backend, std::optional<bool> copy);

}  // namespace isofield::python
