#pragma once

// Everything of the array library but the opt-in interop headers.
#include <isofield/activations.hpp>
#include <isofield/array.hpp>
#include <isofield/backend.hpp>
#include <isofield/compat.hpp>
#include <isofield/data_types.hpp>
#include <isofield/differentiation.hpp>
#include <isofield/error.hpp>
#include <isofield/features.hpp>
#include <isofield/fft.hpp>
#include <isofield/indexing.hpp>
#include <isofield/linalg.hpp>
#include <isofield/manipulation.hpp>
#include <isofield/numerical.hpp>
#include <isofield/ops.hpp>
#include <isofield/precision.hpp>
#include <isofield/profile.hpp>
#include <isofield/random.hpp>
#include <isofield/registry.hpp>
#include <isofield/searching.hpp>
#include <isofield/sets.hpp>
#include <isofield/sorting.hpp>
#include <isofield/statistics.hpp>
#include <isofield/transforms.hpp>
#include <isofield/version.hpp>
#include <isofield/vmap.hpp>
