#pragma once

#include <asmjit/x86.h>

#include <algorithm>
#include <array>
#include <bit>
#include <initializer_list>
#include <unordered_map>
#include <utility>

#include "program/native/body.hpp"

namespace isofield::host::native {

using Id = asmjit::x86::Inst::Id;

/// An instruction on packed doubles and its twin on packed floats.
struct Twin {
  Id float64, float32;
};
#define ISOFIELD_TWIN(name) \
  ::isofield::host::native::Twin { Id::kIdV##name##pd, Id::kIdV##name##ps }

/// Predicates of vcmppd: quiet, and false (true for `not_equal`) where one side is NaN.
enum Predicate : int {
  eq = 0x00,
  neq = 0x04,
  unordered = 0x03,
  lt = 0x11,
  le = 0x12,
  ge = 0x1d,
  gt = 0x1e
};
/// Rounding of vroundpd, without the inexact exception.
enum Rounding : int { nearest = 8, down = 9, up = 10, to_zero = 11 };

/// Writes instructions one after the other into a body; each gives the number of its result.
class Writer {
 public:
  explicit Writer(DType type) : type_(type) {}
  /// Whether truth values live in mask registers.
  static bool masks() { return machine().masks(); }

  int literal(std::uint64_t bits) {
    for (const auto& [known, vector] : literals_)
      if (known == bits) return vector;
    Vector vector;
    vector.home = Vector::Home::literal;
    vector.bits = bits;
    literals_.emplace_back(bits, add_vector(vector));
    return literals_.back().second;
  }
  bool doubles() const { return type_ == DType::float64; }
  /// A float's pattern twice, so that all literals are repeats of 64 bits.
  static std::uint64_t twice(std::uint32_t bits) { return (std::uint64_t{bits} << 32) | bits; }
  int number(double value) {
    return literal(doubles() ? std::bit_cast<std::uint64_t>(value)
                             : twice(std::bit_cast<std::uint32_t>(static_cast<float>(value))));
  }
  /// An integer of the numbers' width.
  int integer(std::uint64_t bits) {
    return literal(doubles() ? bits : twice(static_cast<std::uint32_t>(bits)));
  }
  std::uint64_t infinity() const {
    return doubles() ? std::uint64_t{0x7ff} << 52 : twice(std::uint32_t{0xff} << 23);
  }
  std::uint64_t sign() const {
    return doubles() ? std::uint64_t{1} << 63 : twice(std::uint32_t{1} << 31);
  }
  int sign_bit() { return literal(sign()); }
  int all_but_sign() { return literal(~sign()); }

  Id twin(Twin t) const { return doubles() ? t.float64 : t.float32; }
  int unary(Twin t, int a, int immediate = -1) { return plain(twin(t), {a}, immediate); }
  int binary(Twin t, int a, int b) { return plain(twin(t), {a, b}); }
  int commute(Twin t, int a, int b) {
    return adjusted(plain(twin(t), {std::min(a, b), std::max(a, b)}),
                    [](MachineOp& op) { op.commutative = true; });
  }
  int compare(Predicate p, int a, int b) { return truth(twin(ISOFIELD_TWIN(cmp)), a, b, p); }
  /// A truth value, by an instruction that compares.
  int truth(Id id, int a, int b, int immediate = -1) { return mask(plain(id, {a, b}, immediate)); }
  /// Where `mask`, then `yes`, else `no`.
  int blend(int no, int yes, int mask) {
    if (is_mask(no)) return either(both(mask, yes), both(opposite(mask), no));
    if (!masks())
      return adjusted(plain(twin(ISOFIELD_TWIN(blendv)), {no, yes, mask}),
                      [](MachineOp& op) { op.memory_operand = 1; });
    return adjusted(plain(twin(ISOFIELD_TWIN(blendm)), {no, yes, mask}), [](MachineOp& op) {
      op.memory_operand = 1;
      op.masked = true;
    });
  }
  /// Where `mask`, then `a`, else zeros.
  int only_where(int mask, int a) {
    if (!masks()) return commute(ISOFIELD_TWIN(and), a, mask);
    return adjusted(plain(twin(ISOFIELD_TWIN(movu)), {a, mask}), [](MachineOp& op) {
      op.memory_operand = 0;
      op.masked = op.zeroing = true;
    });
  }
  /// Truth values: both, at least one, exactly one, not.
  int both(int a, int b) { return logical(ISOFIELD_TWIN(and), Id::kIdKandw, a, b); }
  int either(int a, int b) { return logical(ISOFIELD_TWIN(or), Id::kIdKorw, a, b); }
  int exclusive(int a, int b) { return logical(ISOFIELD_TWIN(xor), Id::kIdKxorw, a, b); }
  int opposite(int a) {
    if (masks())
      return mask(
          adjusted(plain(Id::kIdKnotw, {a}), [](MachineOp& op) { op.memory_operand = -1; }));
    return commute(ISOFIELD_TWIN(xor), a, literal(~std::uint64_t{0}));
  }
  /// Shift integers; the instruction has no form that reads memory.
  int shift(Twin t, int a, int by) {
    return adjusted(plain(twin(t), {a}, by), [](MachineOp& op) { op.memory_operand = -1; });
  }

  /// The result of an instruction on vectors, which may have been written before.
  int plain(Id id, std::initializer_list<int> in, int immediate = -1) {
    MachineOp op;
    op.id = id;
    op.immediate = immediate;
    for (const int v : in) op.in[op.inputs++] = v;
    op.memory_operand = op.inputs - 1;
    const auto [known, is_new] =
        results_.try_emplace({static_cast<int>(id), immediate, op.in[0], op.in[1], op.in[2]}, -1);
    if (!is_new) return known->second;
    known->second = op.out = add_vector({});
    push(op);
    return op.out;
  }

  void push(MachineOp op) {
    op.step = step_;
    body_.ops.push_back(op);
  }
  int add_vector(Vector v) {
    body_.vectors.push_back(v);
    return static_cast<int>(body_.vectors.size()) - 1;
  }

 protected:
  DType type_;
  int step_ = 0;  ///< which vector of an unrolled body
  Body body_;

 private:
  bool is_mask(int v) const { return body_.vectors[static_cast<std::size_t>(v)].mask; }
  int mask(int v) {
    body_.vectors[static_cast<std::size_t>(v)].mask = masks();
    return v;
  }
  int logical(Twin vectors, Id on_masks, int a, int b) {
    if (!masks()) return commute(vectors, a, b);
    return mask(adjusted(plain(on_masks, {std::min(a, b), std::max(a, b)}),
                         [](MachineOp& op) { op.memory_operand = -1; }));
  }

  /// An instruction, its immediate and its operands.
  using Key = std::array<int, 5>;
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept {
      std::size_t hash = 0;
      for (const int part : key) hash = (hash ^ static_cast<unsigned>(part)) * 0x9e3779b97f4a7c15u;
      return hash ^ (hash >> 32);
    }
  };

  /// Change what was just written; what was there before is as it should be.
  template <class F>
  int adjusted(int out, F change) {
    if (!body_.ops.empty() && body_.ops.back().out == out) change(body_.ops.back());
    return out;
  }

  std::vector<std::pair<std::uint64_t, int>> literals_;
  std::unordered_map<Key, int, Hash> results_;
};

/// Write an elementary function of the table; whether there is such a one, `knows_elementary` says.
bool knows_elementary(Op op) noexcept;
int elementary(Writer& writer, Op op, const int* in);

/// The same for operations on int64, and casts from or to it.
bool knows_integers(Op op) noexcept;
int integers(Writer& writer, Op op, const int* in);
int cast_integers(Writer& writer, int a, DType from, DType to);

}  // namespace isofield::host::native
