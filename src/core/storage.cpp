#include <charconv>
#include <isofield/error.hpp>
#include <isofield/storage.hpp>

namespace isofield {

std::string to_string(const Device& device) {
  switch (device.kind) {
    case Device::Kind::cpu: return "cpu";
    case Device::Kind::cuda: return "cuda:" + std::to_string(device.index);
    case Device::Kind::mps: return "mps";
  }
  return "cpu";
}

Device device_from_name(std::string_view text) {
  const auto colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  Device device;
  if (kind == "cuda")
    device.kind = Device::Kind::cuda;
  else if (kind == "mps")
    device.kind = Device::Kind::mps;
  else if (kind != "cpu")
    throw DeviceError("unknown device '" + std::string(text) +
                      "'; known are cpu, cuda, cuda:N, mps");
  if (colon != std::string_view::npos) {
    const std::string_view digits = text.substr(colon + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), device.index);
    if (error != std::errc() || end != digits.data() + digits.size() || device.index < 0)
      throw DeviceError("bad device index in '" + std::string(text) + "'; expected e.g. cuda:1");
    if (device.kind != Device::Kind::cuda && device.index != 0)
      throw DeviceError("device '" + std::string(text) + "': only cuda has an index");
  }
  return device;
}

}  // namespace isofield
