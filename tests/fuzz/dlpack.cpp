// A tensor that another library hands over, with anything wrong that can be: it is refused with a
// typed error, or its elements are read and written as they lie in memory. Its deleter is called
// once, whatever happens.
#include <isofield/interop/dlpack.hpp>
#include <memory>
#include <vector>

#include "bytes.hpp"

namespace isofield::fuzz {
namespace {

using namespace isofield::interop;
using Wide = __int128;

int deleted = 0;

/// A tensor over memory of its own, which ends where the memory ends.
template <class Managed>
struct Case {
  std::vector<std::int64_t> shape, strides;
  std::unique_ptr<std::uint8_t[]> memory;
  std::size_t bytes = 0;
  Managed managed;
  bool versioned = false;

  DLTensor& tensor() { return managed.dl_tensor; }
  std::uint8_t* first() { return memory.get() + tensor().byte_offset; }
};

DLDataType element_type(Bytes& in, DType& dtype) {
  dtype = in.dtype();
  DLDataType type = dl_type(dtype);
  switch (in.pick(16)) {
    case 0: type.code = in.byte(); break;
    case 1: type.bits = in.byte(); break;
    case 2: type.lanes = in.byte(); break;
    default: break;
  }
  return type;
}

template <class Managed>
void fill(Case<Managed>& c, Bytes& in) {
  DType dtype;
  DLTensor& t = c.tensor();
  t.dtype = element_type(in, dtype);
  const auto width = static_cast<std::int64_t>(itemsize(dtype));
  const int rank = in.pick(8) == 0 ? in.pick(40) : in.pick(4);
  for (int k = 0; k < rank; ++k) c.shape.push_back(in.pick(16) ? in.pick(6) : in.integer(6));
  double low = 0, high = 0;  // what strides of that shape would take of memory
  std::int64_t step = 1;
  for (int k = rank - 1; k >= 0; --k) {
    const std::int64_t n = c.shape[static_cast<std::size_t>(k)];
    std::int64_t stride = step;
    switch (in.pick(8)) {
      case 0: stride = in.integer(6); break;
      case 1: stride = -step; break;
      case 2: stride = 0; break;
      case 3: stride = 2 * step; break;
      default: break;
    }
    c.strides.insert(c.strides.begin(), stride);
    if (n > 0 && n < 1000 && step < 1000) step *= n;
    const double reach = (static_cast<double>(n) - 1) * static_cast<double>(stride);
    (reach < 0 ? low : high) += reach;
  }
  const bool small = low > -4096 && high < 4096;
  const auto place = small ? static_cast<std::int64_t>(-low) : 0;
  const auto past = small ? static_cast<std::int64_t>(high) + 1 : 0;
  const std::size_t offset = static_cast<std::size_t>(in.pick(4) ? 0 : in.pick(64));
  c.bytes = offset + (small ? static_cast<std::size_t>((place + past) * width) : 64);
  if (in.pick(8) == 0) c.bytes = in.byte();
  c.memory.reset(new std::uint8_t[c.bytes]);
  for (std::size_t i = 0; i < c.bytes; ++i)
    c.memory[i] = dtype == DType::bool_ ? in.flag() : in.byte();
  t.data = c.memory.get();
  t.byte_offset = offset + (small ? static_cast<std::size_t>(place * width) : 0);
  t.ndim = rank;
  t.shape = c.shape.data();
  t.strides = in.pick(4) ? c.strides.data() : nullptr;
  switch (in.pick(32)) {
    case 0: t.ndim = in.bits<std::int32_t>() | INT32_MIN; break;
    case 1: t.ndim = 33 + in.byte(); break;
    case 2: t.shape = nullptr; break;
    case 3: t.data = nullptr; break;
    case 4: t.byte_offset = in.bits<std::uint64_t>(); break;
    case 5: t.device = {in.byte(), in.pick(3)}; break;
    case 6: t.device.type = in.bits<std::int32_t>(); break;
    case 7: t.byte_offset += in.byte(); break;
    default: break;
  }
}

/// Whether the tensor says what it may, and all its elements lie in its memory and are not too many
/// to be read.
template <class Managed>
bool is_whole(Case<Managed>& c) {
  const DLTensor& t = c.tensor();
  if (t.device.type != dl_cpu && t.device.type != dl_cuda_host) return false;
  if (t.ndim < 0 || t.ndim > Dims::max_rank || (t.ndim > 0 && !t.shape)) return false;
  std::size_t width = 0;
  for (const DType d : all_dtypes) {
    const DLDataType own = dl_type(d);
    if (own.code == t.dtype.code && own.bits == t.dtype.bits && t.dtype.lanes == 1)
      width = itemsize(d);
  }
  if (!width) return false;
  bool none = false;
  for (int k = 0; k < t.ndim; ++k) {
    if (t.shape[k] < 0) return false;
    none |= t.shape[k] == 0;
  }
  if (none || !t.data || t.byte_offset > c.bytes) return false;
  Wide low = 0, high = 0, count = 1;
  for (int k = t.ndim - 1; k >= 0; --k) {
    const Wide stride = t.strides ? t.strides[k] : count;
    count *= t.shape[k];
    if (count > 10000) return false;
    const Wide reach = (static_cast<Wide>(t.shape[k]) - 1) * stride;
    (reach < 0 ? low : high) += reach;
  }
  const auto at = static_cast<Wide>(t.byte_offset);
  const auto size = static_cast<Wide>(width);
  if (at + low * size < 0 || at + (high + 1) * size > static_cast<Wide>(c.bytes)) return false;
  return (reinterpret_cast<std::uintptr_t>(c.memory.get()) + t.byte_offset) %
             std::min<std::size_t>(width, 8) ==
         0;
}

/// The elements' bytes in C order, as one reads them by hand.
template <class Managed>
std::vector<std::uint8_t> elements(Case<Managed>& c, std::size_t width) {
  const DLTensor& t = c.tensor();
  std::vector<std::int64_t> at(static_cast<std::size_t>(t.ndim), 0), strides(at.size());
  std::int64_t step = 1;
  for (int k = t.ndim - 1; k >= 0; --k) {
    strides[static_cast<std::size_t>(k)] = t.strides ? t.strides[k] : step;
    step *= t.shape[k];
  }
  std::vector<std::uint8_t> result;
  while (true) {
    std::int64_t place = 0;
    for (std::size_t k = 0; k < at.size(); ++k) place += at[k] * strides[k];
    const std::uint8_t* element = c.first() + place * static_cast<std::int64_t>(width);
    result.insert(result.end(), element, element + width);
    int k = t.ndim - 1;
    for (; k >= 0; --k) {
      if (++at[static_cast<std::size_t>(k)] < t.shape[k]) break;
      at[static_cast<std::size_t>(k)] = 0;
    }
    if (k < 0) return result;
  }
}

std::vector<std::uint8_t> read(const UnifiedArray& x) {
  std::vector<std::uint8_t> result(static_cast<std::size_t>(x.size()) * itemsize(x.dtype()));
  x.copy_to(result.data(), result.size(), x.dtype());
  return result;
}

/// What holds of an array that was taken over.
template <class Managed>
void use(Case<Managed>& c, UnifiedArray x) {
  const std::vector<std::uint8_t> before(c.memory.get(), c.memory.get() + c.bytes);
  const std::vector<std::uint8_t> expected = elements(c, itemsize(x.dtype()));
  require(read(x) == expected, "other elements than those in memory");
  require(read(x.copy()) == expected, "a copy with other elements");
  Managed* again = to_dlpack<Managed>(x);
  require(read(from_dlpack(again)) == expected, "handed on and back, other elements");
  require(deleted == 0, "deleted before its last user has gone");
  const UnifiedArray whole = x;
  x(ellipsis) = zeros({}, x.dtype());
  for (const auto b : read(x)) require(b == 0, "an element that was not written to");
  require(read(whole) == expected, "another array saw a write");
  require(std::equal(before.begin(), before.end(), c.memory.get()), "somebody else's memory");
}

template <class Managed>
void run(Bytes in) {
  deleted = 0;
  auto c = std::make_unique<Case<Managed>>();
  c->managed.manager_ctx = c.get();
  c->managed.deleter = [](Managed* m) {
    ++deleted;
    auto* own = static_cast<Case<Managed>*>(m->manager_ctx);
    own->memory.reset();  // whoever reads on is found out
  };
  bool major = true;
  if constexpr (requires(Managed m) { m.flags; }) {
    c->managed.flags = in.pick(4) ? in.byte() : in.bits<std::uint64_t>();
    if (in.pick(16) == 0) c->managed.version = {in.byte(), in.byte()};
    major = c->managed.version.major == 1;
  }
  fill(*c, in);
  const bool whole = major && is_whole(*c);
  const std::string error = error_of([&] {
    UnifiedArray x = from_dlpack(&c->managed);
    require(deleted == 0 || x.size() == 0, "deleted while an array uses it");
    if (whole) use(*c, std::move(x));
  });
  require(error.empty() || !whole, "refused, but nothing is wrong: " + error);
  require(deleted == 1, "deleted " + std::to_string(deleted) + " times");
}

}  // namespace
}  // namespace isofield::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace isofield;
  fuzz::Bytes in(data, size);
  if (in.flag())
    fuzz::run<interop::DLManagedTensor>(in);
  else
    fuzz::run<interop::DLManagedTensorVersioned>(in);
  return 0;
}
