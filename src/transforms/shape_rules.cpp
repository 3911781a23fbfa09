// How transforms see operations that move elements: views, parts, joins, copies.

#include "transforms/rules.hpp"

namespace isofield::detail {
namespace {

/// Another shape, by `reshape`, `expand_dims` or `squeeze`.
class Reshape final : public LinearPrimitive {
 public:
  Reshape(const Shape& from, const Shape& to) : from_(from), to_(to) {}
  std::string_view name() const noexcept override { return "reshape"; }
  Arrays apply(std::span<Operand> in) const override { return {reshape(std::move(in[0]), to_)}; }
  UnifiedArray transpose(UnifiedArray ct) const override { return reshape(ct, from_); }
  Arrays batch(std::span<Operand> in, const std::vector<bool>&, std::int64_t n) const override {
    return {reshape(std::move(in[0]), batch_shape(n, to_))};
  }

 private:
  Shape from_, to_;
};

class PermuteDims final : public LinearPrimitive {
 public:
  explicit PermuteDims(const std::vector<int>& axes) : axes_(axes) {}
  std::string_view name() const noexcept override { return "permute_dims"; }
  Arrays apply(std::span<Operand> in) const override {
    return {permute_dims(std::move(in[0]), axes_)};
  }
  UnifiedArray transpose(UnifiedArray ct) const override {
    std::vector<int> inverse(axes_.size());
    for (std::size_t k = 0; k < axes_.size(); ++k)
      inverse[static_cast<std::size_t>(axes_[k])] = static_cast<int>(k);
    return permute_dims(ct, inverse);
  }
  Arrays batch(std::span<Operand> in, const std::vector<bool>&, std::int64_t) const override {
    std::vector<int> axes{0};
    for (const int axis : axes_) axes.push_back(axis + 1);
    return {permute_dims(std::move(in[0]), axes)};
  }

 private:
  std::vector<int> axes_;
};

class Flip final : public LinearPrimitive {
 public:
  explicit Flip(int axis) : axis_(axis) {}
  std::string_view name() const noexcept override { return "flip"; }
  Arrays apply(std::span<Operand> in) const override { return {flip(std::move(in[0]), axis_)}; }
  UnifiedArray transpose(UnifiedArray ct) const override { return flip(ct, axis_); }
  Arrays batch(std::span<Operand> in, const std::vector<bool>&, std::int64_t) const override {
    return {flip(std::move(in[0]), axis_ + 1)};
  }

 private:
  int axis_;
};

class BroadcastTo final : public LinearPrimitive {
 public:
  BroadcastTo(const Shape& from, const Shape& to) : from_(from), to_(to) {}
  std::string_view name() const noexcept override { return "broadcast_to"; }
  Arrays apply(std::span<Operand> in) const override {
    return {broadcast_to(std::move(in[0]), to_)};
  }
  UnifiedArray transpose(UnifiedArray ct) const override { return summed_to(ct, from_); }
  Arrays batch(std::span<Operand> in, const std::vector<bool>&, std::int64_t n) const override {
    Shape wider{n};
    for (int k = from_.size(); k < to_.size(); ++k) wider.push_back(1);
    for (const auto length : from_) wider.push_back(length);
    return {broadcast_to(reshape(std::move(in[0]), wider), batch_shape(n, to_))};
  }

 private:
  Shape from_, to_;
};

class Cast final : public LinearPrimitive {
 public:
  Cast(DType from, DType to) : from_(from), to_(to) {}
  std::string_view name() const noexcept override { return "astype"; }
  Arrays apply(std::span<Operand> in) const override { return {in[0].array().astype(to_)}; }
  bool depends_on(std::size_t) const noexcept override { return is_inexact(to_); }
  UnifiedArray transpose(UnifiedArray ct) const override { return fitted(ct, ct.shape(), from_); }
  Arrays batch(std::span<Operand> in, const std::vector<bool>&, std::int64_t) const override {
    return apply(in);
  }

 private:
  DType from_, to_;
};

class Copy final : public LinearPrimitive {
 public:
  std::string_view name() const noexcept override { return "copy"; }
  Arrays apply(std::span<Operand> in) const override { return {in[0].array().copy()}; }
  UnifiedArray transpose(UnifiedArray ct) const override { return ct; }
  Arrays batch(std::span<Operand> in, const std::vector<bool>&, std::int64_t) const override {
    return apply(in);
  }
};

class ToBackend final : public LinearPrimitive {
 public:
  ToBackend(BaseBackend& from, BaseBackend& to) : from_(from), to_(to) {}
  std::string_view name() const noexcept override { return "to_backend"; }
  Arrays apply(std::span<Operand> in) const override { return {in[0].array().to_backend(to_)}; }
  UnifiedArray transpose(UnifiedArray ct) const override { return ct.to_backend(from_); }
  Arrays batch(std::span<Operand> in, const std::vector<bool>&, std::int64_t) const override {
    return apply(in);
  }

 private:
  BaseBackend &from_, &to_;
};

/// The indices that leave a batch axis before them alone.
std::vector<Index> behind_batch(std::span<const Index> indices) {
  std::vector<Index> result{all_of};
  result.insert(result.end(), indices.begin(), indices.end());
  return result;
}

/// A part of an array, by integers, slices and new axes.
class Part final : public Primitive {
 public:
  explicit Part(std::span<const Index> indices) : indices_(indices.begin(), indices.end()) {}
  std::string_view name() const noexcept override { return "index"; }
  bool reads(std::size_t) const noexcept override { return false; }
  bool reads_results() const noexcept override { return false; }
  Arrays apply(std::span<Operand> in) const override { return {in[0].array().index(indices_)}; }
  void pull(Pull& pull) const override { pull.add_at(0, indices_, std::move(pull.cotangents[0])); }
  std::vector<Maybe> push(const Application&, std::span<const Maybe> in) const override {
    return {in[0]->index(indices_)};
  }
  Arrays batch(std::span<Operand> in, const std::vector<bool>&, std::int64_t) const override {
    return {in[0].array().index(behind_batch(indices_))};
  }

 private:
  std::vector<Index> indices_;
};

/// An array with a part replaced: operands are the array and the new part.
class Assign final : public Primitive {
 public:
  Assign(std::span<const Index> indices, DType dtype)
      : indices_(indices.begin(), indices.end()), dtype_(dtype) {}
  std::string_view name() const noexcept override { return "assign"; }
  bool reads(std::size_t) const noexcept override { return false; }
  bool reads_results() const noexcept override { return false; }

  Arrays apply(std::span<Operand> in) const override {
    const auto where = in[0].where();
    UnifiedArray target(in[0].take());
    target.assign(indices_, in[1]);
    return {Operand(std::move(target), where).array()};
  }
  void pull(Pull& pull) const override {
    UnifiedArray ct = std::move(pull.cotangents[0]);
    pull.cotangents.clear();
    if (pull.wants(1)) pull.add(1, ct.index(indices_).copy());
    if (!pull.wants(0)) return;
    ct.assign(indices_, Scalar(0));
    pull.add(0, std::move(ct));
  }
  std::vector<Maybe> push(const Application& call, std::span<const Maybe> in) const override {
    UnifiedArray tangent = in[0] ? *in[0] : zeros_like(call.out[0]);
    tangent.assign(indices_, in[1] ? Operand(*in[1]) : Operand(Scalar(0)));
    return {std::move(tangent)};
  }
  Arrays batch(std::span<Operand> in, const std::vector<bool>& batched,
               std::int64_t n) const override {
    UnifiedArray target =
        batched[0] ? UnifiedArray(in[0].take()) : with_batch(in[0], false, n, dtype_).copy();
    const std::vector<Index> indices = behind_batch(indices_);
    if (batched[1]) {  // its axes meet the part's from the last on, the batch's comes first
      const int rank = target.index(indices).ndim();
      Shape wider = in[1].node()->shape;
      while (wider.size() < rank) wider.insert(1, 1);
      in[1] = reshape(std::move(in[1]), wider);
    }
    target.assign(indices, in[1]);
    return {std::move(target)};
  }

 private:
  std::vector<Index> indices_;
  DType dtype_;
};

class Concat final : public Primitive {
 public:
  Concat(int axis, std::vector<std::int64_t> lengths) : axis_(axis), lengths_(std::move(lengths)) {}
  std::string_view name() const noexcept override { return "concat"; }
  bool reads(std::size_t) const noexcept override { return false; }
  bool reads_results() const noexcept override { return false; }

  Arrays apply(std::span<Operand> in) const override { return {joined(in, axis_)}; }
  void pull(Pull& pull) const override {
    std::int64_t start = 0;
    for (std::size_t k = 0; k < lengths_.size(); start += lengths_[k++]) {
      if (!pull.wants(k)) continue;
      std::vector<Index> part(static_cast<std::size_t>(axis_), Index(all_of));
      part.emplace_back(slice(start, start + lengths_[k]));
      pull.add(k, pull.cotangents[0].index(part));
    }
  }
  std::vector<Maybe> push(const Application& call, std::span<const Maybe> in) const override {
    std::vector<Operand> tangents;
    for (std::size_t k = 0; k < in.size(); ++k)
      tangents.emplace_back(in[k] ? *in[k] : zeros_like(call.in[k]));
    return {joined(tangents, axis_)};
  }
  Arrays batch(std::span<Operand> in, const std::vector<bool>& batched,
               std::int64_t n) const override {
    std::vector<Operand> all;
    for (std::size_t k = 0; k < in.size(); ++k)
      all.emplace_back(with_batch(in[k], batched[k], n, DType::float64));
    return {joined(all, axis_ + 1)};
  }

 private:
  static UnifiedArray joined(std::span<const Operand> in, int axis) {
    Arrays arrays;
    for (const auto& x : in) arrays.push_back(x.array());
    return concat(arrays, axis, in[0].where());
  }
  int axis_;
  std::vector<std::int64_t> lengths_;
};

}  // namespace

UnifiedArray transformed_reshape(Operand x, const Shape& to) {
  return transformed(std::make_shared<Reshape>(x.node()->shape, to), std::move(x));
}
UnifiedArray transformed_permute(Operand x, const std::vector<int>& axes) {
  return transformed(std::make_shared<PermuteDims>(axes), std::move(x));
}
UnifiedArray transformed_flip(Operand x, int axis) {
  return transformed(std::make_shared<Flip>(axis), std::move(x));
}
UnifiedArray transformed_broadcast(Operand x, const Shape& to) {
  return transformed(std::make_shared<BroadcastTo>(x.node()->shape, to), std::move(x));
}
UnifiedArray transformed_cast(Operand x, DType to) {
  return transformed(std::make_shared<Cast>(x.node()->dtype, to), std::move(x));
}
UnifiedArray transformed_copy(Operand x) {
  return transformed(std::make_shared<Copy>(), std::move(x));
}
UnifiedArray transformed_to_backend(Operand x, BaseBackend& to) {
  return transformed(std::make_shared<ToBackend>(*x.node()->backend, to), std::move(x));
}
UnifiedArray transformed_index(Operand x, std::span<const Index> indices) {
  return transformed(std::make_shared<Part>(indices), std::move(x));
}
UnifiedArray transformed_assign(Operand x, std::span<const Index> indices, const Operand& value) {
  const DType dtype = x.node()->dtype;
  Operand operands[] = {std::move(x), value};
  return std::move(transformed(std::make_shared<Assign>(indices, dtype), operands)[0]);
}
UnifiedArray transformed_concat(std::span<Operand> in, int axis) {
  std::vector<std::int64_t> lengths;
  for (const auto& x : in) lengths.push_back(x.node()->shape[axis]);
  return std::move(transformed(std::make_shared<Concat>(axis, std::move(lengths)), in)[0]);
}

}  // namespace isofield::detail
