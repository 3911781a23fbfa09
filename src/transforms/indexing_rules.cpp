// How transforms see operations that name elements by their places: gathering and scattering are
// each other's transposes; places themselves have no derivatives.

#include <isofield/indexing.hpp>
#include <isofield/manipulation.hpp>

#include "transforms/indexing_rules.hpp"
#include "transforms/rules.hpp"

namespace isofield::detail {
namespace {

UnifiedArray places_from(std::int64_t n, const Shape& shape, BaseBackend& backend) {
  return reshape(arange(0.0, static_cast<double>(n), 1.0, int64, &backend), shape);
}

/// Zeros of a shape, beside an array.
UnifiedArray zeros_beside(const UnifiedArray& x, const Shape& shape) {
  return zeros(shape, x.dtype(), &x.backend());
}

/// Of writes to the places `at`, those that are not written over later.
template <class Take, class Put>
UnifiedArray lasting(const UnifiedArray& at, const Shape& target, Take take, Put put) {
  const UnifiedArray turn = places_from(at.size(), at.shape(), at.backend());
  return take(put(full(target, -1, int64, &at.backend()), turn)) == turn;
}

/// A batch of lines with places in each: one long line. `x` is (n, m, ...), `at` (n, ...).
struct LongLine {
  LongLine(const UnifiedArray& x, const UnifiedArray& at) {
    const std::int64_t n = x.shape()[0], m = x.shape()[1];
    Shape joined = x.shape();
    joined.erase(0);
    joined[0] = n * m;
    line = reshape(x, joined);
    Shape first(at.ndim(), 1);
    first[0] = n;
    places = where(at < 0, at + m, at) + places_from(n, first, at.backend()) * m;
  }
  UnifiedArray line, places;
};

class Take final : public Primitive {
 public:
  Take(int axis, const Shape& shape) : axis_(axis), shape_(shape) {}
  std::string_view name() const noexcept override { return "take"; }
  bool depends_on(std::size_t k) const noexcept override { return k == 0; }
  bool reads(std::size_t k) const noexcept override { return k == 1; }
  bool reads_results() const noexcept override { return false; }
  Arrays apply(std::span<Operand> in) const override {
    return {take(std::move(in[0]), std::move(in[1]), axis_)};
  }
  void pull(Pull& pull) const override {
    const UnifiedArray& ct = pull.cotangents[0];
    pull.add(0, scatter(zeros_beside(ct, shape_), pull.call.in[1], ct, axis_, Scatter::add));
  }
  std::vector<Maybe> push(const Application& call, std::span<const Maybe> in) const override {
    return {take(*in[0], call.in[1], axis_)};
  }
  Arrays batch(std::span<Operand> in, const std::vector<bool>& batched,
               std::int64_t) const override {
    if (!batched[1]) return {take(std::move(in[0]), std::move(in[1]), axis_ + 1)};
    if (!batched[0]) return {moveaxis(take(std::move(in[0]), std::move(in[1]), axis_), axis_, 0)};
    const int rank = in[1].node()->shape.size() - 1;
    const LongLine all(moveaxis(std::move(in[0]), axis_ + 1, 1), in[1].array());
    UnifiedArray taken = take(all.line, all.places, 0);
    for (int k = 0; k < rank; ++k) taken = moveaxis(taken, 1, axis_ + rank);
    return {std::move(taken)};
  }

 private:
  int axis_;
  Shape shape_;
};

class TakeAlongAxis final : public Primitive {
 public:
  TakeAlongAxis(int axis, std::int64_t length) : axis_(axis), length_(length) {}
  std::string_view name() const noexcept override { return "take_along_axis"; }
  bool depends_on(std::size_t k) const noexcept override { return k == 0; }
  bool reads(std::size_t k) const noexcept override { return k == 1; }
  bool reads_results() const noexcept override { return false; }
  Arrays apply(std::span<Operand> in) const override {
    return {take_along_axis(std::move(in[0]), std::move(in[1]), axis_)};
  }
  void pull(Pull& pull) const override {
    const UnifiedArray& ct = pull.cotangents[0];
    Shape lines = ct.shape();
    lines[axis_] = length_;
    pull.add(0,
             scatter_along_axis(zeros_beside(ct, lines), pull.call.in[1], ct, axis_, Scatter::add));
  }
  std::vector<Maybe> push(const Application& call, std::span<const Maybe> in) const override {
    return {take_along_axis(*in[0], call.in[1], axis_)};
  }
  Arrays batch(std::span<Operand> in, const std::vector<bool>& batched,
               std::int64_t) const override {
    const auto all = [&](std::size_t k) {
      return batched[k] ? in[k].array() : expand_dims(in[k], 0);
    };
    return {take_along_axis(all(0), all(1), axis_ + 1)};
  }

 private:
  int axis_;
  std::int64_t length_;
};

/// Writes values to places, by `scatter` or, along lines, by `scatter_along_axis`.
class Scattered final : public Primitive {
 public:
  Scattered(int axis, bool along, Scatter how, const Shape& shape)
      : axis_(axis), along_(along), how_(how), shape_(shape) {}
  std::string_view name() const noexcept override {
    return along_ ? "scatter_along_axis" : "scatter";
  }
  bool depends_on(std::size_t k) const noexcept override { return k != 1; }
  bool reads(std::size_t k) const noexcept override { return k == 1; }
  bool reads_results() const noexcept override { return false; }
  Arrays apply(std::span<Operand> in) const override {
    return {put(std::move(in[0]), in[1], std::move(in[2]), how_)};
  }

  void pull(Pull& pull) const override {
    check();
    const UnifiedArray& ct = pull.cotangents[0];
    const Operand& at = pull.call.in[1];
    if (how_ == Scatter::add) {
      if (pull.wants(0)) pull.add(0, ct);
      if (pull.wants(2)) pull.add(2, taken(ct, at));
      return;
    }
    if (pull.wants(0)) pull.add(0, put(ct, at, 0, Scatter::set));
    if (pull.wants(2)) pull.add(2, where(lasting_places(at), taken(ct, at), 0));
  }
  std::vector<Maybe> push(const Application& call, std::span<const Maybe> in) const override {
    check();
    const UnifiedArray before = in[0] ? *in[0] : zeros_like(call.out[0]);
    return {put(before, call.in[1], in[2] ? Operand(*in[2]) : Operand(0), how_)};
  }

  Arrays batch(std::span<Operand> in, const std::vector<bool>& batched,
               std::int64_t n) const override {
    const UnifiedArray x = with_batch(in[0], batched[0], n, DType::float64);
    const UnifiedArray at = with_batch(in[1], batched[1], n, int64);
    Operand values = in[2];
    if (batched[2]) {  // their axes meet those of what is taken from the last on
      const int rank = along_ ? at.ndim() : x.ndim() + at.ndim() - 2;
      Shape wider = values.node()->shape;
      while (wider.size() < rank) wider.insert(1, 1);
      values = reshape(std::move(values), wider);
    }
    if (along_) return {scatter_along_axis(x, at, values, axis_ + 1, how_)};
    const LongLine all(moveaxis(x, axis_ + 1, 1), at);
    if (!values.is_scalar()) {
      // (n, before..., places..., after...) to (n, places..., before..., after...).
      Shape whole = batch_shape(n, taken_shape(at.shape(), 1));
      UnifiedArray given = broadcast_to(values, whole);
      for (int k = 1; k < at.ndim(); ++k) given = moveaxis(given, axis_ + k, k);
      values = given;
    }
    const UnifiedArray line = scatter(all.line, all.places, values, 0, how_);
    return {moveaxis(reshape(line, moveaxis(x, axis_ + 1, 1).shape()), 1, axis_ + 1)};
  }

 private:
  void check() const {
    if (how_ != Scatter::set && how_ != Scatter::add)
      throw NotAvailable(std::string(name()) +
                         ": only setting and adding have derivatives, not products and extremes");
  }
  UnifiedArray put(Operand x, const Operand& at, Operand values, Scatter how) const {
    return along_ ? scatter_along_axis(std::move(x), at, std::move(values), axis_, how)
                  : scatter(std::move(x), at, std::move(values), axis_, how);
  }
  UnifiedArray taken(Operand x, const Operand& at) const {
    return along_ ? take_along_axis(std::move(x), at, axis_) : take(std::move(x), at, axis_);
  }
  /// The shape of what is taken at places of a shape, without its first `skip` axes.
  Shape taken_shape(const Shape& at, int skip) const {
    Shape result;
    for (int k = 0; k < axis_; ++k) result.push_back(shape_[k]);
    for (int k = skip; k < at.size(); ++k) result.push_back(at[k]);
    for (int k = axis_ + 1; k < shape_.size(); ++k) result.push_back(shape_[k]);
    return result;
  }
  /// Which writes stay, in a shape that broadcasts to that of what is taken.
  UnifiedArray lasting_places(const Operand& operand) const {
    const UnifiedArray at = operand.array();
    if (along_) {
      Shape full_shape = shape_;
      full_shape[axis_] = at.shape()[axis_];
      const UnifiedArray all = broadcast_to(at, full_shape);
      return lasting(
          all, shape_, [&](const UnifiedArray& x) { return take_along_axis(x, all, axis_); },
          [&](const UnifiedArray& x, const UnifiedArray& turn) {
            return scatter_along_axis(x, all, turn, axis_);
          });
    }
    const UnifiedArray last = lasting(
        at, {shape_[axis_]}, [&](const UnifiedArray& x) { return take(x, at, 0); },
        [&](const UnifiedArray& x, const UnifiedArray& turn) { return scatter(x, at, turn); });
    Shape shape = last.shape();
    for (int k = axis_ + 1; k < shape_.size(); ++k) shape.push_back(1);
    return reshape(last, shape);
  }

  int axis_;
  bool along_;
  Scatter how_;
  Shape shape_;
};

/// An operation whose results, places or counts, have no derivatives.
class Places final : public Primitive {
 public:
  Places(std::string_view name, PlacesFunction one, PlacesFunction all)
      : name_(name), one_(std::move(one)), all_(std::move(all)) {}
  std::string_view name() const noexcept override { return name_; }
  bool depends_on(std::size_t) const noexcept override { return false; }
  Arrays apply(std::span<Operand> in) const override { return {one_(in)}; }
  void pull(Pull&) const override {}
  std::vector<Maybe> push(const Application&, std::span<const Maybe>) const override { return {}; }
  Arrays batch(std::span<Operand> in, const std::vector<bool>& batched,
               std::int64_t n) const override {
    if (!all_)
      throw NotAvailable(std::string(name_) + ": has no rule for vmap" + at(in[0].where()));
    for (std::size_t k = 0; k < in.size(); ++k)
      in[k] = with_batch(in[k], batched[k], n, DType::float64);
    return {all_(in)};
  }

 private:
  std::string_view name_;
  PlacesFunction one_, all_;
};

/// Where in C order the elements lie that an index expression with arrays selects.
UnifiedArray chosen_places(const UnifiedArray& x, std::span<const Index> indices) {
  for (const auto& index : indices)
    if (index.array() && wrapped(index.array()))
      throw NotAvailable(
          "index: arrays of indices that differ within a batch are not supported; "
          "use take or take_along_axis" +
          at(index.where()));
  return places_from(x.size(), x.shape(), x.backend()).index(indices);
}

}  // namespace

UnifiedArray transformed_take(Operand x, Operand indices, int axis) {
  const auto rule = std::make_shared<Take>(axis, x.node()->shape);
  Operand operands[] = {std::move(x), std::move(indices)};
  return std::move(transformed(rule, operands)[0]);
}

UnifiedArray transformed_take_along(Operand x, Operand indices, int axis) {
  const auto rule = std::make_shared<TakeAlongAxis>(axis, x.node()->shape[axis]);
  Operand operands[] = {std::move(x), std::move(indices)};
  return std::move(transformed(rule, operands)[0]);
}

UnifiedArray transformed_scatter(std::span<Operand> in, int axis, bool along, Scatter how) {
  const auto rule = std::make_shared<Scattered>(axis, along, how, in[0].node()->shape);
  return std::move(transformed(rule, in)[0]);
}

UnifiedArray transformed_places(std::string_view name, std::span<Operand> in, PlacesFunction one,
                                PlacesFunction all) {
  const auto rule = std::make_shared<Places>(name, std::move(one), std::move(all));
  return std::move(transformed(rule, in)[0]);
}

UnifiedArray chosen_part(const UnifiedArray& x, std::span<const Index> indices) {
  const UnifiedArray at = chosen_places(x, indices);
  return reshape(take(reshape(x, {-1}), reshape(at, {-1}), 0), at.shape());
}

UnifiedArray chosen_assigned(const UnifiedArray& x, std::span<const Index> indices,
                             const Operand& value) {
  const UnifiedArray at = chosen_places(x, indices);
  const auto where = value.where();
  Operand values = value;
  if (!value.is_scalar()) values = reshape({broadcast_to(value, at.shape()), where}, {-1});
  return reshape(scatter(reshape(x, {-1}), reshape(at, {-1}), values), x.shape());
}

}  // namespace isofield::detail
