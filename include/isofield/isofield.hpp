#pragma once

// Everything of the array library but the opt-in interop headers.
#include <isofield/activations.hpp>
#include <isofield/array.hpp>
#include <isofield/backend.hpp>
#include <isofield/compat.hpp>
#include <isofield/data_types.hpp>
#include <isofield/differentiation.hpp>
#include <isofield/error.hpp>
#include <isofield/fft.hpp>
#include <isofield/linalg.hpp>
#include <isofield/ops.hpp>
#include <isofield/profile.hpp>
#include <isofield/random.hpp>
#include <isofield/registry.hpp>
#include <isofield/transforms.hpp>
#include <isofield/version.hpp>
#include <isofield/vmap.hpp>
