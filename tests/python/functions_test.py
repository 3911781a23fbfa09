"""The functions of the namespace, against NumPy."""

import inspect
import pickle

import numpy as np
import pytest

import isofield as xp

X = np.array([[0.25, -0.5, 0.75], [0.9, -0.1, 0.3]])
Y = np.array([[2.0, 0.5, -1.0], [3.0, 1.0, 4.0]])
UNARY = ["abs", "acos", "asin", "atan", "ceil", "cos", "cosh", "exp", "expm1", "floor", "isfinite",
         "isinf", "isnan", "negative", "reciprocal", "round", "sign", "sin", "sinh", "square",
         "tan", "tanh", "trunc"]  # fmt: skip
BINARY = ["add", "atan2", "divide", "equal", "floor_divide", "greater", "greater_equal", "hypot",
          "less", "less_equal", "maximum", "minimum", "multiply", "not_equal", "remainder",
          "subtract"]  # fmt: skip


def check(ours, theirs, rtol=1e-14):
    theirs = np.asarray(theirs)
    assert isinstance(ours, xp.UnifiedArray)
    assert ours.shape == theirs.shape and ours.dtype.name == theirs.dtype.name
    np.testing.assert_allclose(np.asarray(ours), theirs, rtol=rtol)


@pytest.mark.parametrize("name", UNARY)
def test_pointwise_functions_of_one_array(name):
    check(getattr(xp, name)(xp.asarray(X)), getattr(np, name)(X))


@pytest.mark.parametrize("name", ["log", "log1p", "sqrt"])
def test_pointwise_functions_of_positive_numbers(name):
    check(getattr(xp, name)(xp.asarray(abs(X))), getattr(np, name)(abs(X)))


@pytest.mark.parametrize("name", BINARY)
def test_pointwise_functions_of_two_arrays(name):
    ours, theirs = getattr(xp, name), getattr(np, name)
    check(ours(xp.asarray(X), xp.asarray(Y)), theirs(X, Y))
    check(ours(xp.asarray(X), xp.asarray(Y[0])), theirs(X, Y[0]))
    check(ours(xp.asarray(X), 0.5), theirs(X, 0.5))
    check(ours(0.5, xp.asarray(X)), theirs(0.5, X))


def test_every_function_says_what_it_does_and_takes():
    for name in dir(xp):
        function = getattr(xp, name)
        if name.startswith("_") or type(function) is not type(xp.add):
            continue
        assert function.__doc__ and len(function.__doc__.splitlines()) >= 3, name
        assert inspect.signature(function) is not None, name


def test_creation_agrees_with_numpy():
    check(xp.zeros((2, 3)), np.zeros((2, 3)))
    check(xp.ones(3, dtype=xp.float32), np.ones(3, np.float32))
    check(xp.full((2,), 7), np.full((2,), 7))
    check(xp.full((2,), True), np.full((2,), True))
    check(xp.arange(5), np.arange(5))
    check(xp.arange(1.0, 2.0, 0.25), np.arange(1.0, 2.0, 0.25))
    check(xp.arange(5, 1, -2), np.arange(5, 1, -2))
    check(xp.linspace(0, 1, 5), np.linspace(0, 1, 5))
    check(xp.linspace(0, 1, 5, endpoint=False), np.linspace(0, 1, 5, endpoint=False))
    check(xp.eye(3), np.eye(3))
    x = xp.asarray(X)
    check(xp.zeros_like(x), np.zeros_like(X))
    check(xp.ones_like(x, dtype=xp.int64), np.ones_like(X, dtype=np.int64))
    check(xp.full_like(x, 2), np.full_like(X, 2))
    assert xp.empty((2, 0)).shape == (2, 0) and xp.empty_like(x).shape == X.shape


def test_shapes_change_as_numpys_do():
    x = xp.asarray(X)
    check(xp.reshape(x, (3, 2)), X.reshape(3, 2))
    check(xp.reshape(x, (-1,)), X.reshape(-1))
    check(xp.permute_dims(x, (1, 0)), X.T)
    check(xp.permute_dims(x, (-1, 0)), X.T)
    check(xp.matrix_transpose(x), X.T)
    check(xp.broadcast_to(x, (4, 2, 3)), np.broadcast_to(X, (4, 2, 3)))
    check(xp.expand_dims(x, axis=1), np.expand_dims(X, 1))
    check(xp.squeeze(xp.expand_dims(x, axis=0), 0), X)
    check(xp.flip(x), np.flip(X))
    check(xp.flip(x, axis=-1), np.flip(X, -1))
    check(xp.concat([x, x], axis=1), np.concatenate([X, X], axis=1))
    check(xp.concat((x, x), axis=None), np.concatenate([X, X], axis=None))
    check(xp.stack([x, x], axis=1), np.stack([X, X], axis=1))
    a, b = xp.broadcast_arrays(x, xp.asarray(Y[0]))
    check(b, np.broadcast_to(Y[0], X.shape))
    with pytest.raises(xp.ShapeError):
        xp.reshape(x, (4, 2))
    with pytest.raises(ValueError, match="copy=False"):
        xp.reshape(x.T, (6,), copy=False)


@pytest.mark.parametrize("name", ["sum", "prod", "min", "max", "mean"])
def test_reductions_agree_with_numpy(name):
    ours, theirs = getattr(xp, name), getattr(np, name)
    x = xp.asarray(X)
    check(ours(x), theirs(X))
    check(ours(x, axis=0), theirs(X, axis=0))
    check(ours(x, axis=(0, 1), keepdims=True), theirs(X, axis=(0, 1), keepdims=True))
    check(ours(x, axis=-1, keepdims=True), theirs(X, axis=-1, keepdims=True))
    with pytest.raises(xp.IndexError, match="axis 2"):
        ours(x, axis=2)


def test_truth_is_reduced():
    x = xp.asarray(X) > 0
    check(xp.any(x, axis=0), np.any(X > 0, axis=0))
    check(xp.all(x), np.all(X > 0))


def test_selection_and_limits():
    x = xp.asarray(X)
    check(xp.where(x > 0, x, 0.0), np.where(X > 0, X, 0.0))
    check(xp.clip(x, -0.2, 0.5), np.clip(X, -0.2, 0.5))
    check(xp.clip(x, max=0.5), np.clip(X, None, 0.5))
    check(xp.clip(x, min=0.1), np.clip(X, 0.1, None))


def test_functions_take_what_the_standard_lets_them_take():
    with pytest.raises(TypeError):
        xp.add(x1=xp.ones(1), x2=xp.ones(1))
    with pytest.raises(TypeError):
        xp.sum(xp.ones(1), 0)
    with pytest.raises(TypeError):
        xp.add(xp.ones(1), "a")
    with pytest.raises(TypeError):
        xp.zeros(2, xp.float32)


def test_constants_are_pythons():
    assert (xp.e, xp.pi, xp.inf) == (np.e, np.pi, np.inf) and xp.nan != xp.nan
    assert xp.newaxis is None


N = np.array([[3, 1, 2], [1, 3, 3]])


def test_rearranging_agrees_with_numpy():
    x = xp.asarray(X)
    check(xp.moveaxis(x, 0, 1), np.moveaxis(X, 0, 1))
    check(xp.roll(x, 1), np.roll(X, 1))
    check(xp.roll(x, (1, -2), axis=(0, 1)), np.roll(X, (1, -2), axis=(0, 1)))
    check(xp.roll(x, 1, axis=(0, 1)), np.roll(X, 1, axis=(0, 1)))
    check(xp.repeat(x, 2), np.repeat(X, 2))
    check(xp.repeat(x, xp.asarray([1, 0, 2]), axis=1), np.repeat(X, [1, 0, 2], axis=1))
    check(xp.tile(x, (2, 1, 2)), np.tile(X, (2, 1, 2)))
    for ours, theirs in zip(xp.unstack(x, axis=1), np.unstack(X, axis=1)):
        check(ours, theirs)
    for ours, theirs in zip(xp.meshgrid(x[0], x[1]), np.meshgrid(X[0], X[1])):
        check(ours, theirs)
    check(xp.tril(x, k=-1), np.tril(X, k=-1))
    check(xp.triu(x, k=1), np.triu(X, k=1))
    check(xp.eye(3, 4, k=1), np.eye(3, 4, k=1))
    check(xp.expand_dims(x, (0, 2)), np.expand_dims(X, (0, 2)))
    check(xp.pad(x, ((1, 0), (2, 1)), mode="edge"), np.pad(X, ((1, 0), (2, 1)), mode="edge"))
    check(xp.pad(x, 1, value=7.0), np.pad(X, 1, constant_values=7.0))
    assert xp.broadcast_shapes((2, 1), (3,), ()) == (2, 3)


def test_searching_and_sorting_agree_with_numpy():
    x, n = xp.asarray(X), xp.asarray(N)
    check(xp.argmax(x), np.argmax(X))
    check(xp.argmin(x, axis=1, keepdims=True), np.argmin(X, axis=1, keepdims=True))
    check(xp.count_nonzero(n - 1, axis=0), np.count_nonzero(N - 1, axis=0))
    for ours, theirs in zip(xp.nonzero(n == 3), np.nonzero(N == 3)):
        check(ours, theirs)
    check(xp.sort(x, axis=0, descending=True), -np.sort(-X, axis=0))
    check(xp.argsort(n), np.argsort(N, stable=True))
    check(xp.searchsorted(xp.asarray([1, 2, 3]), n, side="right"), np.searchsorted([1, 2, 3], N, side="right"))
    check(xp.take(x, xp.asarray([2, 0]), axis=1), np.take(X, [2, 0], axis=1))
    check(xp.take_along_axis(x, xp.argsort(x), axis=-1), np.sort(X))
    check(xp.scatter(xp.zeros(3), xp.asarray([0, 2, 2]), xp.asarray([1.0, 2.0, 3.0]), how="add"), [1.0, 0.0, 5.0])
    check(xp.one_hot(xp.asarray([2, 0]), 3), np.eye(3)[[2, 0]])


def test_sets_agree_with_numpy():
    n = xp.asarray(N)
    ours, theirs = xp.unique_all(n), np.unique_all(N)
    for name in ("values", "indices", "inverse_indices", "counts"):
        check(getattr(ours, name), getattr(theirs, name))
    values, counts = xp.unique_counts(n)
    check(counts, np.unique_counts(N).counts)
    check(xp.unique_inverse(n).inverse_indices, np.unique_inverse(N).inverse_indices)
    check(xp.unique_values(n), np.unique(N))
    check(xp.isin(n, xp.asarray([1, 2]), invert=True), np.isin(N, [1, 2], invert=True))


def test_statistics_agree_with_numpy():
    x = xp.asarray(X)
    check(xp.var(x, axis=1, correction=1), np.var(X, axis=1, ddof=1))
    check(xp.std(x, keepdims=True), np.std(X, keepdims=True))
    check(xp.cumulative_sum(x, axis=1, include_initial=True), np.cumulative_sum(X, axis=1, include_initial=True))
    check(xp.cumulative_prod(x, axis=0), np.cumprod(X, axis=0))
    check(xp.diff(x, n=2), np.diff(X, n=2), rtol=1e-13)
    check(xp.diff(x, axis=0, prepend=x[:1]), np.diff(X, axis=0, prepend=X[:1]))
    check(xp.gradient(x, 0.5), np.gradient(X, 0.5, axis=-1))
    check(xp.trapezoid(x, dx=0.5), np.trapezoid(X, dx=0.5))
    check(xp.interp(xp.asarray([0.5, 1.5]), xp.asarray([0.0, 1.0, 2.0]), xp.asarray([0.0, 2.0, 3.0])),
          np.interp([0.5, 1.5], [0.0, 1.0, 2.0], [0.0, 2.0, 3.0]))  # fmt: skip
    check(xp.median(x, axis=0), np.median(X, axis=0))
    check(xp.quantile(x, 0.3), np.quantile(X, 0.3))
    check(xp.percentile(x, 30.0, axis=1), np.percentile(X, 30.0, axis=1))
    counts, edges = xp.histogram(x, bins=4, range=(-1.0, 1.0))
    check(counts, np.histogram(X, bins=4, range=(-1.0, 1.0))[0])
    check(xp.bincount(xp.asarray(N[0]), minlength=6), np.bincount(N[0], minlength=6))
    check(xp.cumulative_min(x, axis=1), np.minimum.accumulate(X, axis=1))
    check(xp.cumulative_max(x, axis=0), np.maximum.accumulate(X, axis=0))
    check(xp.average(x, xp.asarray([1.0, 2.0, 0.5]), axis=1), np.average(X, axis=1, weights=[1.0, 2.0, 0.5]))
    check(xp.cov(x), np.cov(X))
    check(xp.cov(x, ddof=0), np.cov(X, ddof=0))
    check(xp.corrcoef(x), np.corrcoef(X))
    check(xp.gaussian(x, 0.5, 2.0), np.exp(-((X - 0.5) ** 2) / 8.0) / np.sqrt(8.0 * np.pi))


def test_random_numbers_are_decided_by_their_seed():
    g = xp.random.Generator(7)
    first, second = g.normal((3, 4)), g.normal((3, 4))
    assert xp.random.Generator(7).normal((3, 4)).tolist() == first.tolist() != second.tolist()
    xp.random.seed(3)
    values = xp.random.uniform(1000, low=2.0, high=3.0)
    assert bool(xp.all((values >= 2.0) & (values < 3.0)))
    assert sorted(xp.random.permutation(10).tolist()) == list(range(10))
    assert xp.random.integers(0, 5, (2, 2), dtype=xp.int8).dtype is xp.int8
    assert xp.random.uniform().shape == ()


def test_activations_are_their_formulas():
    x = xp.asarray(X)
    check(xp.softplus(x), np.log1p(np.exp(X)))
    check(xp.softmax(x, axis=1), np.exp(X) / np.exp(X).sum(axis=1, keepdims=True))
    check(xp.logsumexp(x), np.log(np.exp(X).sum()))
    check(xp.silu(x), X / (1.0 + np.exp(-X)))
    check(xp.leaky_relu(x, slope=0.1), np.where(X > 0, X, 0.1 * X))
    check(xp.elu(x), np.where(X > 0, X, np.expm1(X)))


def test_features_are_fitted_and_applied():
    data = np.random.default_rng(5).normal(size=(20, 3)) @ np.diag([1.0, 3.0, 0.5]) + 2.0
    x = xp.asarray(data)
    standard = xp.features.standardize_features(x)
    check(standard.transform(x), (data - data.mean(axis=0)) / data.std(axis=0), rtol=1e-12)
    check(standard.inverse_transform(standard.transform(x)), data, rtol=1e-13)
    normal = xp.features.normalize_features(x, -1.0, 1.0)
    assert float(xp.min(normal.transform(x))) == -1.0 and float(xp.max(normal.transform(x))) == 1.0
    check(normal.minimum, data.min(axis=0))
    pca = xp.features.pca(x, 2)
    assert pca.components.shape == (2, 3)
    variances = np.sort(np.linalg.eigvalsh(np.cov(data.T)))[::-1]
    check(pca.explained_variance, variances[:2], rtol=1e-12)
    check(pca.explained_variance_ratio, variances[:2] / variances.sum(), rtol=1e-12)
    assert xp.features.one_hot is xp.one_hot
    with pytest.raises(xp.ShapeError):
        standard.transform(xp.ones((2, 4)))


def test_less_exact_products_are_allowed_for_a_block_alone():
    a = xp.astype(xp.asarray(X), xp.float32)
    block = xp.matmul_precision("bfloat16")
    with block, block:
        xp.matmul(a, a.T)
    check(xp.matmul(a, a.T), np.asarray(a) @ np.asarray(a).T, rtol=1e-6)
    with pytest.raises(ValueError, match="tf32"):
        xp.matmul_precision("half")


def test_complex_numbers_at_infinity_and_over_zero_follow_numpy():
    values = np.array([complex(np.inf, 1), complex(1, -np.inf), complex(np.inf, np.inf), complex(np.nan, np.inf),
                       complex(-np.inf, 0), 3 + 4j, 0j, complex(np.nan, 1)])  # fmt: skip
    expected = np.array([1, -1j, complex(np.nan, np.nan), 1j, -1, 0.6 + 0.8j, 0, complex(np.nan, np.nan)])
    for dtype in (np.complex64, np.complex128):
        got = np.asarray(xp.sign(xp.asarray(values.astype(dtype))))
        np.testing.assert_allclose(got.real, expected.real, rtol=1e-6)
        np.testing.assert_allclose(got.imag, expected.imag, rtol=1e-6)
        x = np.array([1 + 1j, 1, -1j, 0, complex(np.inf, 1)], dtype)
        with np.errstate(all="ignore"):
            theirs = x / np.zeros(5, dtype)
        for ours in (xp.asarray(x) / xp.zeros(5, dtype=dtype), xp.asarray(x) / 0j):
            np.testing.assert_array_equal(np.asarray(ours).real, theirs.real)
            np.testing.assert_array_equal(np.asarray(ours).imag, theirs.imag)


def test_running_products_of_complex_numbers_are_those_of_multiply():
    x = xp.asarray([complex(np.nan, -np.inf), 2 + 1j])
    last, product = complex(xp.cumulative_prod(x)[1]), complex(x[0] * x[1])
    assert np.isnan([last.real, last.imag, product.real, product.imag]).all()
    y = xp.asarray([1 + 2j, 3 - 1j, 0.5j])
    np.testing.assert_allclose(np.asarray(xp.cumulative_prod(y)), np.cumprod(np.asarray(y)), rtol=1e-15)


def test_truth_values_are_padded_with_false():
    assert xp.pad(xp.ones(2, dtype=xp.bool), 1).tolist() == [False, True, True, False]
    assert xp.pad(xp.ones(1, dtype=xp.bool), 1, value=1).tolist() == [True] * 3
    with pytest.raises(xp.DTypeError, match="pad"):
        xp.pad(xp.ones(2, dtype=xp.bool), 1, value=2)


def test_lists_are_taken_where_an_array_of_parameters_is():
    x = xp.asarray([3.0, 1.0, 2.0])
    assert xp.repeat(x, [1, 2, 0]).tolist() == [3.0, 1.0, 1.0]
    assert xp.quantile(x, [0.0, 0.5]).tolist() == [1.0, 2.0]
    assert xp.percentile(x, [0.0, 50.0]).tolist() == xp.percentile(x, np.array([0.0, 50.0])).tolist() == [1.0, 2.0]
    assert xp.histogram(x, bins=[0, 2, 4]).counts.tolist() == [1, 2]


def test_closeness_is_numpys():
    cases = [
        (np.array([1.0, 1.0 + 1e-9, 1.1]), np.array([1.0, 1.0, 1.0])),
        (np.array([np.nan, np.inf, -np.inf, np.inf]), np.array([np.nan, np.inf, np.inf, 1.0])),
        (np.array([1 + 1e-9j, 2j]), np.array([1.0, 2.1j])),
        (np.array([1, 2]), np.array([1, 3])),
        (np.array([True, False]), np.array([True, True])),
        (np.array([[1e-9], [1.0]]), np.array([0.0, 1.0])),
    ]
    for x, y in cases:
        for equal_nan in (False, True):
            ours = xp.isclose(xp.asarray(x), xp.asarray(y), equal_nan=equal_nan)
            assert ours.tolist() == np.isclose(x, y, equal_nan=equal_nan).tolist()
            assert xp.allclose(xp.asarray(x), xp.asarray(y), equal_nan=equal_nan) is np.allclose(x, y, equal_nan=equal_nan)
    assert xp.allclose(xp.ones(2, dtype=xp.float32), 1.0)
    assert xp.isclose(xp.ones(2), 1.1, rtol=0.2).tolist() == [True, True]


def test_functions_that_the_library_has_are_there():
    a = np.array([[4.0, 1.0], [2.0, 3.0]])
    x = xp.asarray(a)
    check(xp.linalg.norm(x), np.linalg.norm(a))
    check(xp.linalg.norm(x, 2), np.linalg.norm(a, 2))
    check(xp.linalg.norm(x, np.inf, axis=1), np.linalg.norm(a, np.inf, axis=1))
    check(xp.linalg.diag(xp.asarray([1.0, 2.0]), offset=1), np.diag([1.0, 2.0], 1))
    lower = xp.linalg.solve_triangular(x, xp.asarray([4.0, 8.0]))
    check(lower, np.linalg.solve(np.tril(a), [4.0, 8.0]))
    unit = xp.linalg.solve_triangular(x, xp.asarray([4.0, 8.0]), upper=True, unit_diagonal=True)
    check(unit, np.linalg.solve(np.array([[1.0, 1.0], [0.0, 1.0]]), [4.0, 8.0]))
    line = np.array([1.0, 2.0, 4.0])
    spectrum = np.fft.fft(line)
    check(xp.fft.hartley(xp.asarray(line)), spectrum.real - spectrum.imag)
    check(xp.shift(xp.asarray(line), 1), [2.0, 4.0, 0.0])
    check(xp.shift(xp.asarray(line), -1, boundary="periodic"), [4.0, 1.0, 2.0])
    check(xp.shift(x, 1, axis=0, boundary="clamp"), a[[1, 1]])
    check(xp.shift(xp.asarray(line), 2, boundary="reflect"), [4.0, 4.0, 2.0])
    put = xp.scatter_along_axis(x, xp.asarray([[1], [0]]), 9.0, how="add")
    check(put, [[4.0, 10.0], [11.0, 3.0]])
    assert xp.average(x).item() == a.mean() and xp.average(x, axis=0).tolist() == a.mean(0).tolist()
    check(xp.average(x, weights=xp.asarray([1.0, 3.0]), axis=0), np.average(a, axis=0, weights=[1.0, 3.0]))


def test_capabilities_and_devices_are_named():
    c = xp.capabilities()
    assert xp.float64 in c["dtypes"] and c["threads"] >= 1 and isinstance(c["details"], dict)
    assert xp.capabilities("eigen")["delegated"] == dict(xp.capabilities(device="eigen")["delegated"])
    assert xp.get_available_devices()[0] == "cpu"
    assert isinstance(xp.__version__, str) and xp.mfg.Problem


def test_slices_of_an_array_are_permuted_and_chosen():
    g = xp.random.Generator(3)
    rows = xp.reshape(xp.arange(12), (4, 3))
    mixed = g.permutation(rows)
    assert sorted(mixed.tolist()) == rows.tolist()
    again = xp.random.Generator(3)
    assert mixed.tolist() == xp.take(rows, again.permutation(4), axis=0).tolist()
    assert g.choice(rows, (2, 5)).shape == (2, 5, 3)
    assert sorted(g.choice(xp.asarray([5.0, 6.0, 7.0]), 3, replace=False).tolist()) == [5.0, 6.0, 7.0]
    assert sorted(g.permutation([5, 6, 7]).tolist()) == sorted(g.permutation(np.array([5, 6, 7])).tolist()) == [5, 6, 7]
    with pytest.raises(xp.ShapeError, match="rank 0"):
        g.choice(xp.asarray(1.0))


def test_generators_go_on_where_their_pickles_were_made():
    g = xp.random.Generator(11)
    g.uniform(5)
    again = pickle.loads(pickle.dumps(g))
    assert again.uniform(4).tolist() == g.uniform(4).tolist()


def test_integers_reach_the_ends_of_their_dtypes():
    g = xp.random.Generator(5)
    for dtype in ("int8", "int64", "uint8", "uint64"):
        limits = np.iinfo(dtype)
        low, high = int(limits.min), int(limits.max)
        x = np.asarray(g.integers(low, high, 4000, dtype=dtype, endpoint=True))
        assert x.dtype == dtype and abs(np.mean(x > (high + low) // 2) - 0.5) < 0.05
        assert set(g.integers(high - 1, high, 50, dtype=dtype, endpoint=True).tolist()) == {high - 1, high}
    assert g.integers(2**63 - 2, 2**63, 20).tolist() != [2**63 - 2] * 20
    same = xp.random.Generator(9), xp.random.Generator(9)
    assert same[0].integers(-5, 6, 9).tolist() == same[1].integers(-5, 5, 9, endpoint=True).tolist()
    with pytest.raises(xp.DTypeError, match="does not fit"):
        g.integers(-1, 5, 2, dtype=xp.uint64)
