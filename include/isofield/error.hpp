#pragma once

#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>

namespace isofield {

/// Base of every error this library throws.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}
};

/// Shapes that do not fit together, or a shape that an operation cannot take.
class ShapeError : public Error {
  using Error::Error;
};

/// Data types that do not promote, or that an operation is not defined for.
class DTypeError : public Error {
  using Error::Error;
};

/// An index, axis or slice outside its array.
class IndexError : public Error {
  using Error::Error;
};

/// An argument, other than an array or a dtype, with a value that an operation does not take.
class ArgumentError : public Error {
  using Error::Error;
};

/// Arrays of two backends in one operation, or a backend that failed.
class BackendError : public Error {
  using Error::Error;
};

/// Memory that a backend could not get.
class OutOfMemory : public BackendError {
  using BackendError::BackendError;
};

/// A backend, a device or a feature that this build or this machine does not have.
class NotAvailable : public Error {
  using Error::Error;
};

/// Arrays of two devices in one operation, or a device that cannot do what was asked.
class DeviceError : public Error {
  using Error::Error;
};

/// A configuration that is wrong: file, line, key and what was expected are in the text.
class ConfigError : public Error {
  using Error::Error;
};

/// A numerical method that broke down.
class SolverError : public Error {
  using Error::Error;
};

/// A matrix that has no such decomposition or inverse.
class LinAlgError : public Error {
  using Error::Error;
};

/// A file that cannot be read or written.
class IoError : public Error {
  using Error::Error;
};

/// Format " at file.cpp:88" from a caller's place, without the folder.
std::string at(const std::source_location& where);

}  // namespace isofield
