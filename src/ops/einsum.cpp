// Sums of products by a formula. Operands are brought to the form (axes kept) by what each has
// alone: diagonals for a letter that it has twice, sums for one that nobody else has. Then twos are
// contracted as products of stacks of matrices.
#include <algorithm>
#include <isofield/linalg.hpp>
#include <limits>
#include <map>

#include "ops/matrices.hpp"

namespace isofield::linalg {
namespace {

using Where = std::source_location;
/// Letters, one an axis. What "..." stands for is written as characters that no letter has.
using Letters = std::string;
constexpr char first_unnamed = 1;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

struct Term {
  Letters letters;
  UnifiedArray array;
};

struct Formula {
  std::vector<Letters> inputs;
  Letters output;
};

[[noreturn]] void refuse(std::string_view subscripts, const std::string& why, const Where& where) {
  throw ShapeError("einsum: '" + std::string(subscripts) + "': " + why + at(where));
}

/// Letters of one operand of `rank` axes; as many unnamed ones as "..." stands for.
Letters letters_of(std::string_view text, int rank, int& unnamed, std::string_view subscripts,
                   const Where& where) {
  Letters before, after;
  bool dots = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    if (text.substr(i, 3) == "..." && !dots) {
      dots = true;
      i += 2;
    } else if (is_letter(text[i])) {
      (dots ? after : before) += text[i];
    } else {
      refuse(subscripts, "'" + std::string(text.substr(i, 1)) + "' is no letter", where);
    }
  }
  const int named = static_cast<int>(before.size() + after.size());
  if (rank < named || (!dots && rank != named))
    refuse(subscripts,
           "'" + std::string(text) + "' names " + std::to_string(named) +
               " axes of an operand that has " + std::to_string(rank),
           where);
  const int here = rank - named;
  unnamed = std::max(unnamed, here);
  // The last of those that "..." stands for is the last for all operands.
  for (int k = here; k > 0; --k) before += static_cast<char>(first_unnamed + k - 1);
  return before + after;
}

Formula parse(std::string_view subscripts, const std::vector<UnifiedArray>& operands,
              const Where& where) {
  Formula formula;
  const std::size_t arrow = subscripts.find("->");
  const std::string_view left = subscripts.substr(0, arrow);
  int unnamed = 0;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t comma = left.find(',', begin);
    const std::size_t i = formula.inputs.size();
    if (i == operands.size())
      refuse(subscripts, "there are " + std::to_string(operands.size()) + " operands", where);
    formula.inputs.push_back(letters_of(left.substr(begin, comma - begin), operands[i].ndim(),
                                        unnamed, subscripts, where));
    if (comma == std::string_view::npos) break;
    begin = comma + 1;
  }
  if (formula.inputs.size() != operands.size())
    refuse(subscripts, "there are " + std::to_string(operands.size()) + " operands", where);
  std::map<char, int> count;
  for (const auto& input : formula.inputs)
    for (const char c : input) ++count[c];
  if (arrow == std::string_view::npos) {
    for (int k = unnamed; k > 0; --k) formula.output += static_cast<char>(first_unnamed + k - 1);
    for (const auto& [c, n] : count)
      if (is_letter(c) && n == 1) formula.output += c;
    return formula;
  }
  const std::string_view right = subscripts.substr(arrow + 2);
  const bool dots = right.find("...") != std::string_view::npos;
  const auto named = static_cast<int>(std::count_if(right.begin(), right.end(), is_letter));
  int ignored = 0;
  formula.output = letters_of(right, named + (dots ? unnamed : 0), ignored, subscripts, where);
  for (const char c : formula.output) {
    if (!count.contains(c)) refuse(subscripts, std::string("no operand has '") + c + "'", where);
    if (std::count(formula.output.begin(), formula.output.end(), c) > 1)
      refuse(subscripts, std::string("'") + c + "' appears twice behind the arrow", where);
  }
  return formula;
}

/// How long the axis of each letter is; a length of 1 broadcasts.
std::map<char, std::int64_t> lengths_of(const Formula& formula,
                                        const std::vector<UnifiedArray>& operands,
                                        std::string_view subscripts, const Where& where) {
  std::map<char, std::int64_t> lengths;
  for (std::size_t i = 0; i < operands.size(); ++i)
    for (std::size_t k = 0; k < formula.inputs[i].size(); ++k) {
      const char c = formula.inputs[i][k];
      const std::int64_t n = operands[i].shape()[static_cast<int>(k)];
      auto& length = lengths.emplace(c, n).first->second;
      if (length != n && length != 1 && n != 1)
        refuse(subscripts,
               (is_letter(c) ? std::string("'") + c + "'" : std::string("an axis of '...'")) +
                   " is " + std::to_string(length) + " and " + std::to_string(n) + " long",
               where);
      if (length == 1) length = n;
    }
  return lengths;
}

/// Keep one axis of a letter that is there twice, of which the diagonal is meant.
Term without_repeats(Term term, const Where& where) {
  for (std::size_t i = 0; i < term.letters.size(); ++i) {
    const std::size_t j = term.letters.find(term.letters[i], i + 1);
    if (j == std::string::npos) continue;
    const int rank = term.array.ndim();
    std::vector<int> order;
    Letters rest;
    for (int k = 0; k < rank; ++k) {
      if (k == static_cast<int>(i) || k == static_cast<int>(j)) continue;
      order.push_back(k);
      rest += term.letters[static_cast<std::size_t>(k)];
    }
    order.push_back(static_cast<int>(i));
    order.push_back(static_cast<int>(j));
    rest += term.letters[i];
    term = {rest, diagonal({permute_dims({term.array, where}, order), where})};
    return without_repeats(std::move(term), where);
  }
  return term;
}

/// Sums in the array's own dtype: those of short integers wrap around as products do.
UnifiedArray summed(const UnifiedArray& x, const std::vector<int>& axes, const Where& where) {
  return sum({x, where}, axes, false, x.dtype());
}

/// Sum over letters that nobody needs.
Term without_unneeded(Term term, const Letters& needed, const Where& where) {
  std::vector<int> axes;
  Letters rest;
  for (std::size_t k = 0; k < term.letters.size(); ++k)
    if (needed.find(term.letters[k]) == std::string::npos)
      axes.push_back(static_cast<int>(k));
    else
      rest += term.letters[k];
  if (axes.empty()) return term;
  return {rest, summed(term.array, axes, where)};
}

UnifiedArray in_order(const Term& term, const Letters& order, const Where& where) {
  std::vector<int> axes;
  for (const char c : order) axes.push_back(static_cast<int>(term.letters.find(c)));
  return permute_dims({term.array, where}, axes);
}

/// Broadcast axes of length 1 to the letters' lengths.
Term stretched(Term term, const std::map<char, std::int64_t>& lengths, const Where& where) {
  Shape shape;
  for (const char c : term.letters) shape.push_back(lengths.at(c));
  if (shape == term.array.shape()) return term;
  return {term.letters, broadcast_to({term.array, where}, shape)};
}

std::int64_t product_of(const Letters& letters, const std::map<char, std::int64_t>& lengths) {
  std::int64_t n = 1;
  for (const char c : letters) n *= lengths.at(c);
  return n;
}

/// The product of two terms, summed over the letters that are not needed.
Term contracted(const Term& a, const Term& b, const Letters& needed,
                const std::map<char, std::int64_t>& lengths, const Where& where) {
  Letters batch, left, right, inner;
  for (const char c : a.letters) {
    const bool both = b.letters.find(c) != std::string::npos;
    const bool kept = needed.find(c) != std::string::npos;
    (both ? (kept ? batch : inner) : left) += c;
  }
  for (const char c : b.letters)
    if (a.letters.find(c) == std::string::npos) right += c;
  const Letters letters = batch + left + right;
  Shape shape;
  for (const char c : letters) shape.push_back(lengths.at(c));
  const std::int64_t s = product_of(batch, lengths), n = product_of(left, lengths),
                     m = product_of(right, lengths), k = product_of(inner, lengths);
  const UnifiedArray x = in_order(stretched(a, lengths, where), batch + left + inner, where);
  const UnifiedArray y = in_order(stretched(b, lengths, where), batch + inner + right, where);
  const auto product = [&] {
    if (inner.empty())
      return multiply({reshape({x, where}, {s, n, 1}), where},
                      {reshape({y, where}, {s, 1, m}), where});
    if (n == 1 && m == 1)
      return summed(
          multiply({reshape({x, where}, {s, k}), where}, {reshape({y, where}, {s, k}), where}),
          {-1}, where);
    return matmul({reshape({x, where}, {s, n, k}), where}, {reshape({y, where}, {s, k, m}), where});
  };
  return {letters, reshape({product(), where}, shape)};
}

/// Letters of the output and of all terms but two.
Letters needed_without(const std::vector<Term>& terms, std::size_t i, std::size_t j,
                       const Letters& output) {
  Letters needed = output;
  for (std::size_t k = 0; k < terms.size(); ++k)
    if (k != i && k != j) needed += terms[k].letters;
  return needed;
}

/// The two terms to contract next: those whose product has fewest elements more than they have
/// themselves, and of these the ones with least work.
std::pair<std::size_t, std::size_t> next_pair(const std::vector<Term>& terms, const Letters& output,
                                              const std::map<char, std::int64_t>& lengths) {
  std::pair<std::size_t, std::size_t> best{0, 1};
  std::pair<double, double> least{std::numeric_limits<double>::infinity(), 0};
  const auto size = [&](const Letters& letters) {
    double n = 1;
    for (const char c : letters) n *= static_cast<double>(lengths.at(c));
    return n;
  };
  for (std::size_t i = 0; i < terms.size(); ++i)
    for (std::size_t j = i + 1; j < terms.size(); ++j) {
      const Letters needed = needed_without(terms, i, j, output);
      Letters all = terms[i].letters, kept;
      for (const char c : terms[j].letters)
        if (all.find(c) == std::string::npos) all += c;
      for (const char c : all)
        if (needed.find(c) != std::string::npos) kept += c;
      const std::pair<double, double> cost{
          size(kept) - size(terms[i].letters) - size(terms[j].letters), size(all)};
      if (cost < least) {
        least = cost;
        best = {i, j};
      }
    }
  return best;
}

}  // namespace

UnifiedArray einsum(std::string_view subscripts, const std::vector<UnifiedArray>& operands,
                    std::source_location where) {
  if (operands.empty()) throw ShapeError("einsum: no operands" + at(where));
  std::vector<Operand> checked;
  for (const auto& x : operands) checked.emplace_back(x, where);
  (void)detail::common_backend("einsum", checked);
  const DType dtype = detail::numeric_type("einsum", checked);
  const Formula formula = parse(subscripts, operands, where);
  const auto lengths = lengths_of(formula, operands, subscripts, where);
  std::vector<Term> terms;
  for (std::size_t i = 0; i < operands.size(); ++i)
    terms.push_back({formula.inputs[i], UnifiedArray(detail::cast(operands[i].node(), dtype))});
  for (std::size_t i = 0; i < terms.size(); ++i) {
    terms[i] = without_repeats(stretched(std::move(terms[i]), lengths, where), where);
    terms[i] =
        without_unneeded(std::move(terms[i]), needed_without(terms, i, i, formula.output), where);
  }
  while (terms.size() > 1) {
    const auto [i, j] = next_pair(terms, formula.output, lengths);
    const Letters needed = needed_without(terms, i, j, formula.output);
    Term term = contracted(terms[i], terms[j], needed, lengths, where);
    terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(j));
    terms[i] = std::move(term);
  }
  return in_order(terms[0], formula.output, where);
}

}  // namespace isofield::linalg
