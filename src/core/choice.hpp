#pragma once

#include <isofield/array.hpp>
#include <span>
#include <vector>

#include "core/node.hpp"
#include "core/step.hpp"

namespace isofield::detail {

/// Whether an index expression has arrays.
bool has_arrays(std::span<const Index> indices) noexcept;

/// How many elements of a mask are true. Throws ShapeError, naming `operation`, where a trace
/// stands for them: a recorded function cannot have results of unknown shapes.
std::int64_t true_count(const NodePtr& mask, std::string_view operation,
                        const std::source_location& where);
/// The places of true elements, (n) int64 for each axis of the mask, which has one at least.
std::vector<NodePtr> true_places(const NodePtr& mask, std::string_view operation,
                                 const std::source_location& where);
/// Compute nodes as int64 leaves, broadcast to `shape` with `before` walked axes ahead of it.
std::vector<NodePtr> index_leaves(std::span<const NodePtr> indices, const Shape& before,
                                  const Shape& shape);

/// An index expression with arrays, by NumPy's rules: the layout of what it selects from, with the
/// axes that arrays index side by side, and these arrays. What they select stands in their place if
/// they are next to each other, ahead of everything else if not.
class Choice {
 public:
  /// Throws IndexError, BackendError. Unless `counted`, a mask alone is not looked at, and the
  /// length that it gives is -1.
  Choice(const Node& base, std::span<const Index> indices, bool counted = true);

  /// The base with the entries that are no arrays applied, before any axes change places.
  const std::vector<Index>& basic() const noexcept { return basic_; }
  /// The same, with axes where gather and scatter want them: (B..., N..., R...).
  Layout table(const Layout& base) const;
  /// The shape of what is selected; -1 for a length that nobody counted or that a trace does not
  /// know.
  const Shape& shape() const noexcept { return shape_; }
  /// The only array, a mask of the axes N...; null otherwise.
  const NodePtr& mask() const noexcept { return mask_; }
  /// Whether axes stayed in their order.
  bool in_order() const noexcept { return axes_.empty(); }
  int batch() const noexcept { return batch_; }
  /// How many axes R... there are.
  int inner_rank() const noexcept { return shape_.size() - batch_ - chosen_.size(); }

  /// Whether a trace stands for some of the arrays.
  bool symbolic() const noexcept;
  /// Read what is selected from a node.
  NodePtr read(const NodePtr& base) const;
  /// Write `values`, a leaf broadcast to `shape`, into a table of this expression.
  void write(const View& values, const View& table) const;

 private:
  struct Entry {
    NodePtr array;
    int axis;   ///< the first of its axes in the base with basic entries applied
    int count;  ///< how many axes it has there
    int from;   ///< the first of its axes in the base
  };
  /// The arrays as leaves, (B..., I...), masks as the places of their true elements.
  std::vector<NodePtr> indices() const;
  void walk(std::span<const Index> indices, int rank);
  void check(const Node& base);
  void order(int rank, bool counted);
  Step step(const std::vector<NodePtr>& indices) const;

  BaseBackend* backend_;
  DType dtype_;
  Shape base_;
  std::source_location where_;
  std::vector<Index> basic_;
  std::vector<Entry> entries_;
  std::vector<int> axes_;  ///< the order of axes in the table; empty: as they are
  int groups_ = 0, batch_ = 0;
  Shape shape_, chosen_, before_;  ///< of all; I...; B...
  NodePtr mask_;
};

/// What a `chosen` node holds.
struct PendingChoice {
  NodePtr base;
  Choice choice;
};

/// What an index expression with arrays selects, not gathered yet: a part that is only written to
/// never is.
NodePtr choose(const NodePtr& base, std::span<const Index> indices);

}  // namespace isofield::detail
