#include <isofield/features.hpp>

#include "binding.hpp"

namespace isofield::python {
namespace {

std::int64_t features_of(const features::Standardizer& f) { return f.mean.size(); }
std::int64_t features_of(const features::Normalizer& f) { return f.minimum.size(); }
std::int64_t features_of(const features::PCA& f) { return f.mean.size(); }

/// What every fitted transform has.
template <class Fitted>
nb::class_<Fitted> fitted(nb::module_& m, const char* name, const char* doc) {
  nb::class_<Fitted> c(m, name, doc);
  c.def(
       "transform",
       [](const Fitted& f, Operand data) {
         return unlocked([&] { return f.transform(std::move(data)).eval(); });
       },
       nb::sig("def transform(self, data: UnifiedArray, /) -> UnifiedArray"), nb::arg(),
       "Data (samples, features) as the fitted ones become.")
      .def(
          "inverse_transform",
          [](const Fitted& f, Operand data) {
            return unlocked([&] { return f.inverse_transform(std::move(data)).eval(); });
          },
          nb::sig("def inverse_transform(self, data: UnifiedArray, /) -> UnifiedArray"), nb::arg(),
          "The data that transformed ones stand for.")
      .def("__repr__", [name](const Fitted& f) {
        return std::string(name) + "(features=" + std::to_string(features_of(f)) + ")";
      });
  return c;
}

template <class Fitted>
void member(nb::class_<Fitted>& c, const char* name, UnifiedArray Fitted::*array, const char* doc) {
  const std::string sig = std::string("def ") + name + "(self) -> UnifiedArray";
  c.def_prop_ro(
      name, [array](const Fitted& f) { return f.*array; }, nb::sig(sig.c_str()), doc);
}

void bind_standardizer(nb::module_& m) {
  using features::Standardizer;
  auto c =
      fitted<Standardizer>(m, "Standardizer", "Features less their mean, over their deviation.");
  member(c, "mean", &Standardizer::mean, "Of each feature.");
  member(c, "scale", &Standardizer::scale, "The standard deviations, or 1 where they are 0.");
  m.def(
      "standardize_features",
      [](Operand data) {
        return unlocked([&] { return features::standardize_features(std::move(data)); });
      },
      nb::sig("def standardize_features(data: UnifiedArray, /) -> Standardizer"), nb::arg(),
      "Fit a Standardizer to data (samples, features).");
}

void bind_normalizer(nb::module_& m) {
  using features::Normalizer;
  auto c = fitted<Normalizer>(m, "Normalizer", "Features moved and scaled to fill [low, high].");
  member(c, "minimum", &Normalizer::minimum, "Of each feature.");
  member(c, "range", &Normalizer::range, "Largest less smallest, or 1 where they are equal.");
  m.def(
      "normalize_features",
      [](Operand data, double low, double high) {
        return unlocked([&] { return features::normalize_features(std::move(data), low, high); });
      },
      nb::sig("def normalize_features(data: UnifiedArray, /, low: float = 0.0, high: float = 1.0)"
              " -> Normalizer"),
      nb::arg(), nb::arg("low") = 0.0, nb::arg("high") = 1.0,
      "Fit a Normalizer to data (samples, features).");
}

void bind_pca(nb::module_& m) {
  using features::PCA;
  auto c = fitted<PCA>(m, "PCA", "The directions along which centred data vary most.");
  member(c, "mean", &PCA::mean, "Of each feature.");
  member(c, "components", &PCA::components, "Orthonormal rows (count, features).");
  member(c, "explained_variance", &PCA::explained_variance, "Along each component.");
  member(c, "explained_variance_ratio", &PCA::explained_variance_ratio,
         "Of the sum over all components.");
  m.def(
      "pca",
      [](Operand data, std::optional<std::int64_t> count) {
        return unlocked([&] { return features::pca(std::move(data), count); });
      },
      nb::sig("def pca(data: UnifiedArray, /, count: int | None = None) -> PCA"), nb::arg(),
      nb::arg("count") = nb::none(),
      "Fit `count` principal components to data (samples, features).");
}

}  // namespace

void bind_features(nb::module_& main) {
  nb::module_ m = main.def_submodule(
      "features", "Transforms that are fitted to one data set and applied to others.");
  bind_standardizer(m);
  bind_normalizer(m);
  bind_pca(m);
  for (const char* name : {"one_hot", "scatter"}) m.attr(name) = main.attr(name);
}

}  // namespace isofield::python
