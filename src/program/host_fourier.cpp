#include <algorithm>
#include <cstdlib>
#include <isofield/host.hpp>
#include <mutex>
#include <new>
#include <vector>

#include "program/fourier/fourier_kernels.hpp"
#include "program/host_pieces.hpp"
#include "program/scratch.hpp"
#include "program/thresholds.hpp"

namespace isofield::host {
namespace {

using Kind = FourierTransform::Kind;

/// Elements that one piece of work takes side by side: they are to stay in the second-level cache.
constexpr std::int64_t piece = 1 << 14;
/// Bytes of neighbouring lines that are worth taking together however long they are.
constexpr std::int64_t cache_line = 64;

/// Plans of the lengths used last.
class Plans {
 public:
  FourierPlan find(const FourierKernels& kernels, DType dtype, Kind kind, std::int64_t n) {
    const Key key{dtype, plan_kind(kind), n};
    {
      const std::lock_guard lock(mutex_);
      if (FourierPlan plan = take(key)) return plan;
    }
    FourierPlan made = kernels.plan(kind, n);  // others need not wait
    const std::lock_guard lock(mutex_);
    if (FourierPlan plan = take(key)) return plan;
    plans_.insert(plans_.begin(), {key, made});
    std::int64_t elements = 0;
    for (std::size_t i = 0; i < plans_.size(); ++i) {
      elements += plans_[i].key.n;
      if (i > 0 && (i == most_plans || elements > most_elements)) plans_.resize(i);
    }
    return made;
  }

 private:
  static constexpr std::size_t most_plans = 32;
  static constexpr std::int64_t most_elements = 1 << 23;

  struct Key {
    DType dtype;
    Kind kind;
    std::int64_t n;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Entry {
    Key key;
    FourierPlan plan;
  };

  /// One kind for all that share a plan.
  static Kind plan_kind(Kind kind) {
    switch (kind) {
      case Kind::dct3:
      case Kind::dst2:
      case Kind::dst3: return Kind::dct2;
      case Kind::dst4: return Kind::dct4;
      case Kind::ifft: return Kind::fft;
      case Kind::rfft:
      case Kind::ihfft:
      case Kind::hfft:
      case Kind::irfft: return Kind::hartley;
      default: return kind;
    }
  }
  /// The plan, moved to the front; null where there is none.
  FourierPlan take(const Key& key) {
    const auto found =
        std::find_if(plans_.begin(), plans_.end(), [&](const Entry& e) { return e.key == key; });
    if (found == plans_.end()) return nullptr;
    std::rotate(plans_.begin(), found, found + 1);
    return plans_.front().plan;
  }

  std::mutex mutex_;
  std::vector<Entry> plans_;
};

Plans& plans() {
  static auto* made = new Plans;  // never destroyed: arrays in static objects may compute
  return *made;
}

/// An axis of the lines, not along them.
struct Across {
  std::int64_t length, in, out;
};

/// The axes of two layouts but one, those joined that step on evenly in both; the last steps least.
struct AcrossAll {
  Across axes[Dims::max_rank + 1];
  int count = 0;

  AcrossAll(const Layout& in, const Layout& out, int axis) {
    for (int k = 0; k < out.rank(); ++k) {
      const std::int64_t length = out.shape[k];
      if (k == axis || length == 1) continue;
      const Across next{length, in.strides[k], out.strides[k]};
      Across* const last = count > 0 ? &axes[count - 1] : nullptr;
      if (last && last->in == next.in * length && last->out == next.out * length)
        *last = {last->length * length, next.in, next.out};
      else
        axes[count++] = next;
    }
    if (count == 0) axes[count++] = {1, 0, 0};
  }

  /// Take out the axis along which lines go side by side: the last one, unless it is too short.
  Across take_side(std::int64_t width) {
    Across* const last = &axes[count - 1];
    if (last->length < width)
      std::iter_swap(last, std::max_element(axes, axes + count, [](const auto& a, const auto& b) {
                       return a.length < b.length;
                     }));
    --count;
    return *last;
  }
};

/// One axis of a transform.
struct Along {
  const View& in;
  const View& out;
  int axis;
  std::int64_t n;
  double factor;
  const void* plan;
};

/// Real numbers that a line needs for each of its elements.
std::int64_t numbers_an_element(Kind kind) {
  return kind == Kind::hartley || kind == Kind::fft || kind == Kind::ifft ? 2 : 1;
}

void run(const Along& a, const FourierTransform& transform, const FourierKernels& kernels,
         Executor& executor) {
  const auto in_size = static_cast<std::int64_t>(itemsize(a.in.dtype));
  const auto out_size = static_cast<std::int64_t>(itemsize(a.out.dtype));
  const std::int64_t n = a.n;
  AcrossAll across(a.in.layout, a.out.layout, a.axis);
  const Across side = across.take_side(kernels.width);
  std::int64_t outer = 1;
  for (int k = 0; k < across.count; ++k) outer *= across.axes[k].length;
  const std::int64_t least =
      std::max<std::int64_t>(kernels.width, cache_line / std::max(in_size, out_size));
  const bool parallel = element_count(a.out.layout.shape) >= threshold::fourier;
  // Lines do not see each other: pieces may depend on the number of threads.
  const std::int64_t threads = parallel ? executor.concurrency() : 1;
  const std::int64_t wanted =
      threads > 1 ? std::min(piece / n, outer * side.length / (4 * threads)) : piece / n;
  const std::int64_t each = std::max(least, wanted / least * least);
  const std::int64_t parts = (side.length + each - 1) / each;
  for_pieces(outer * parts, parallel, executor, [&](std::int64_t p) {
    const std::int64_t from = p % parts * each;
    std::int64_t rest = p / parts, in_start = from * side.in, out_start = from * side.out;
    for (int k = across.count; k-- > 0;) {
      const Across& c = across.axes[k];
      in_start += rest % c.length * c.in;
      out_start += rest % c.length * c.out;
      rest /= c.length;
    }
    const std::int64_t lines = std::min(each, side.length - from);
    const std::int64_t places =
        lines == 1 ? 1 : (lines + kernels.width - 1) / kernels.width * kernels.width;
    const std::size_t elements =
        static_cast<std::size_t>(places * n * numbers_an_element(transform.kind));
    constinit thread_local Scratch memory;
    kernels.run(transform, a.plan, n,
                {a.in.bytes() + in_start * in_size, a.in.layout.strides[a.axis], side.in,
                 a.in.layout.shape[a.axis], a.out.bytes() + out_start * out_size,
                 a.out.layout.strides[a.axis], side.out, lines, a.factor},
                memory.need(elements * itemsize(real_dtype(a.out.dtype))));
  });
}

/// What transforms under way on this thread have taken.
struct ThreadMemory {
  static constexpr std::size_t most_bytes = 1 << 20;  ///< more is not worth keeping
  static constexpr std::size_t most_blocks = 4;       ///< as many as pocketfft takes at a time
  Scratch blocks[most_blocks];
  std::size_t taken = 0;
};
constinit thread_local ThreadMemory thread_memory;

}  // namespace

void* take_fourier_memory(std::size_t bytes) {
  ThreadMemory& m = thread_memory;
  const bool kept = bytes <= ThreadMemory::most_bytes && m.taken < ThreadMemory::most_blocks;
  void* const memory =
      kept ? m.blocks[m.taken].need(bytes) : std::aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (!memory && bytes > 0) throw std::bad_alloc();
  ++m.taken;
  return memory;
}

void give_fourier_memory(void* memory, std::size_t bytes) noexcept {
  ThreadMemory& m = thread_memory;
  --m.taken;
  if (bytes > ThreadMemory::most_bytes || m.taken >= ThreadMemory::most_blocks) std::free(memory);
}

void fourier_transform(const View& in, const View& out, const FourierTransform& transform,
                       std::shared_ptr<void>* kept, Executor& executor) {
  const DType real = real_dtype(out.dtype);
  const FourierKernels& kernels = fourier_kernels(real);
  using Steps = std::vector<FourierPlan>;  // a plan for each axis
  std::shared_ptr<Steps> steps;
  if (kept && *kept) {
    steps = std::static_pointer_cast<Steps>(*kept);
  } else {
    steps = std::make_shared<Steps>();
    for (const std::int64_t n : transform.lengths)
      steps->push_back(plans().find(kernels, real, transform.kind, n));
    if (kept) *kept = steps;
  }
  for (std::size_t k = 0; k < transform.axes.size(); ++k)
    run({k == 0 ? in : out, out, transform.axes[k], transform.lengths[k],
         k == 0 ? transform.factor : 1.0, (*steps)[k].get()},
        transform, kernels, executor);
}

}  // namespace isofield::host
