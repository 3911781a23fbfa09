"""jit and derivatives of Python functions."""

import collections
import threading

import numpy as np
import pytest

import isofield as xp

X = np.array([0.3, -1.2, 2.0])


def test_a_traced_function_gives_what_the_function_gives():
    calls = []

    @xp.jit
    def step(x, y, *, factor):
        calls.append(1)
        return {"sum": x * factor + y, "parts": (x, [y * 2.0])}

    for k in range(4):
        x, y = X + k, X * k
        got = step(xp.asarray(x), xp.asarray(y), factor=3.0)
        assert got["sum"].tolist() == (x * 3.0 + y).tolist()
        assert got["parts"][1][0].tolist() == (y * 2.0).tolist()
    traced = len(calls)
    assert step.traces() == 1
    step(xp.asarray(X), xp.asarray(X), factor=3.0)
    assert len(calls) == traced
    assert step(xp.asarray(X), xp.asarray(X), factor=4.0)["sum"].tolist() == (X * 4.0 + X).tolist()
    assert step(xp.ones(2), xp.ones(2), factor=3.0)["sum"].tolist() == [4.0, 4.0]
    assert step.traces() == 3


def test_results_have_the_structure_that_belongs_to_their_shapes():
    Pair = collections.namedtuple("Pair", ["first", "rest"])

    @xp.jit
    def split(x):
        return Pair(x[0], [x[k] for k in range(1, x.shape[0])])

    for n in (2, 4, 2, 3):
        got = split(xp.arange(float(n)))
        assert isinstance(got, Pair) and float(got.first) == 0.0
        assert [float(v) for v in got.rest] == list(range(1, n))


def test_a_traced_function_may_not_read_elements():
    @xp.jit
    def reads(x):
        return x * float(x[0])

    with pytest.raises(xp.Error, match="while tracing"):
        reads(xp.asarray(X))


def test_errors_of_a_traced_function_are_its_own():
    @xp.jit
    def fails(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fails(xp.asarray(X))
    with pytest.raises(TypeError, match="hashed"):
        fails(xp.asarray(X), {1, 2})


def test_threads_may_share_a_traced_function():
    step = xp.jit(lambda x: xp.sin(x) * 2.0 + xp.sum(x))
    results = {}

    def work(k):
        x = np.linspace(0, k + 1, 1000)
        for _ in range(20):
            results[k] = (step(xp.asarray(x)), np.sin(x) * 2.0 + np.sum(x))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for ours, theirs in results.values():
        np.testing.assert_allclose(np.asarray(ours), theirs, rtol=1e-13)


def test_gradients_are_the_derivatives():
    def f(x, w):
        return xp.sum(xp.sin(x) * w["a"] + w["b"] ** 2)

    x, w = xp.asarray(X), {"a": xp.asarray(X * 2.0), "b": xp.asarray(X + 3.0)}
    np.testing.assert_allclose(np.asarray(xp.grad(f)(x, w)), np.cos(X) * X * 2.0, rtol=1e-14)
    value, (by_x, by_w) = xp.value_and_grad(f, argnums=(0, 1))(x, w)
    np.testing.assert_allclose(float(value), np.sum(np.sin(X) * X * 2.0 + (X + 3.0) ** 2), rtol=1e-14)
    np.testing.assert_allclose(np.asarray(by_x), np.cos(X) * X * 2.0, rtol=1e-14)
    np.testing.assert_allclose(np.asarray(by_w["a"]), np.sin(X), rtol=1e-14)
    np.testing.assert_allclose(np.asarray(by_w["b"]), 2.0 * (X + 3.0), rtol=1e-14)
    _, (by_w, by_x) = xp.value_and_grad(f, argnums=(-1, 0))(x, w)
    np.testing.assert_allclose(np.asarray(by_w["a"]), np.sin(X), rtol=1e-14)
    with pytest.raises(IndexError, match="argnums 2"):
        xp.grad(f, argnums=2)(x, w)


def test_a_gradient_can_be_differentiated_and_traced():
    second = xp.grad(lambda x: xp.sum(xp.grad(lambda y: xp.sum(y**3))(x)))
    np.testing.assert_allclose(np.asarray(second(xp.asarray(X))), 6.0 * X, rtol=1e-14)
    traced = xp.jit(xp.grad(lambda x: xp.sum(xp.exp(x))))
    for x in (X, X + 1.0):
        np.testing.assert_allclose(np.asarray(traced(xp.asarray(x))), np.exp(x), rtol=1e-14)


def test_products_with_jacobians_are_each_others_transpose():
    def f(x, y):
        return x * y, [xp.sin(x)]

    x, y, dx, dy = (xp.asarray(v) for v in (X, X + 1.0, X * 0.5, X - 2.0))
    value, pull = xp.vjp(f, x, y)
    same, tangent = xp.jvp(f, (x, y), (dx, dy))
    assert value[0].tolist() == same[0].tolist() == (X * (X + 1.0)).tolist()
    cotangent = (xp.asarray(X**2), [xp.asarray(X + 5.0)])
    by_x, by_y = pull(cotangent)
    left = float(xp.sum(by_x * dx + by_y * dy))
    right = float(xp.sum(tangent[0] * cotangent[0] + tangent[1][0] * cotangent[1][0]))
    assert abs(left - right) < 1e-12 * abs(right)
    with pytest.raises(TypeError, match="structure"):
        pull(cotangent[0])
    with pytest.raises(TypeError, match="structure"):
        xp.jvp(f, (x, y), (dx,))


def test_a_function_is_called_for_a_batch():
    def f(x, w):
        return xp.sum(x * w), {"square": x * x}

    rows = np.arange(12.0).reshape(4, 3)
    value, more = xp.vmap(f, in_axes=(0, None))(xp.asarray(rows), xp.asarray(X))
    np.testing.assert_allclose(np.asarray(value), rows @ X, rtol=1e-14)
    assert more["square"].tolist() == (rows * rows).tolist()
    turned = xp.vmap(lambda x: x * 2.0, in_axes=1, out_axes=1)(xp.asarray(rows))
    assert turned.tolist() == (rows * 2.0).tolist()
    slopes = xp.vmap(xp.grad(lambda x: xp.sum(xp.sin(x))))(xp.asarray(rows))
    np.testing.assert_allclose(np.asarray(slopes), np.cos(rows), rtol=1e-13)
    with pytest.raises(ValueError, match="2 axes for 1"):
        xp.vmap(f, in_axes=(0, 0))(xp.asarray(rows))


def test_jacobians_and_hessians_are_all_derivatives():
    x = xp.asarray(X)
    np.testing.assert_allclose(np.asarray(xp.jacobian(lambda v: v * v)(x)), np.diag(2.0 * X), rtol=1e-14)
    got = xp.jacobian(lambda w, v: xp.sum(v**3) * w, argnums=1)(xp.asarray(X), x)
    np.testing.assert_allclose(np.asarray(got), np.outer(X, 3.0 * X**2), rtol=1e-13)
    np.testing.assert_allclose(np.asarray(xp.hessian(lambda v: xp.sum(v**3))(x)), np.diag(6.0 * X), rtol=1e-13, atol=1e-13)


def test_derivatives_can_be_stopped_recomputed_and_given():
    x = xp.asarray(X)
    stopped = xp.grad(lambda v: xp.sum(v * xp.stop_gradient(v)))(x)
    np.testing.assert_allclose(np.asarray(stopped), X, rtol=1e-14)
    calls = []

    def counted(v):
        calls.append(1)
        return xp.sin(v)

    again = xp.grad(lambda v: xp.sum(xp.checkpoint(counted)(v)))(x)
    np.testing.assert_allclose(np.asarray(again), np.cos(X), rtol=1e-14)
    assert len(calls) == 2
    clipped = xp.custom_vjp(
        lambda v: v * v, lambda v: (v * v, {"v": v}), lambda kept, g: (xp.clip(2.0 * kept["v"] * g, -1.0, 1.0),)
    )
    got = xp.grad(lambda v: xp.sum(clipped(v)))(x)
    np.testing.assert_allclose(np.asarray(got), np.clip(2.0 * X, -1.0, 1.0), rtol=1e-14)
    assert clipped(x).tolist() == (X * X).tolist()


def test_constants_that_compare_equal_are_told_apart():
    x = xp.asarray([1.0, 2.0])
    which = xp.jit(lambda x, n: x * n if n is True else x + n)
    assert which(x, 1).tolist() == [2.0, 3.0]
    assert xp.jit(lambda x, n: x + 1.0 if n is True else x)(x, True).tolist() == [2.0, 3.0]
    kind = xp.jit(lambda x, n: x + (1.0 if n is True else 0.0))
    assert kind(x, 1).tolist() == [1.0, 2.0] and kind(x, True).tolist() == [2.0, 3.0]
    over = xp.jit(lambda x, n: x / n)
    assert over(x, 0.0).tolist() == [np.inf] * 2 and over(x, -0.0).tolist() == [-np.inf] * 2
    assert over(x, 0).tolist() == [np.inf] * 2
    times = xp.jit(lambda x, n: x * n)
    assert times(x, 2 + 0j).dtype is xp.complex128 and times(x, 2).dtype is xp.float64
    i = xp.asarray([1, 2])
    assert times(i, 2).tolist() == [2, 4]
    with pytest.raises(xp.DTypeError):
        times(i, 2.0)
    signs = xp.jit(lambda x, z: x / z.imag)
    assert signs(x, complex(0, 0.0)).tolist() == [np.inf] * 2
    assert signs(x, complex(0, -0.0)).tolist() == [-np.inf] * 2
    named = xp.jit(lambda options: [x * (3.0 if k is True else 1.0) for k, x in options.items()])
    assert named({1: x})[0].tolist() == [1.0, 2.0] and named({True: x})[0].tolist() == [3.0, 6.0]


def test_nan_is_one_constant():
    f = xp.jit(lambda x, n: x * n)
    for _ in range(5):
        f(xp.ones(2), float("nan"))
    assert f.traces() == 1


def test_the_traces_used_last_are_kept():
    calls = []

    @xp.jit
    def f(x, n):
        calls.append(n)
        return x * n

    x = xp.ones(2)
    for n in range(200):
        f(x, 0)
        assert f(x, n).tolist() == [n, n]
    assert calls.count(0) == 1 and f.traces() == 200
    f(x, 199), f(x, 150)
    assert f.traces() == 200
    f(x, 50)
    assert f.traces() == 201


def test_random_numbers_are_not_drawn_for_a_batch():
    draws = {
        "uniform": lambda: xp.random.uniform(2),
        "normal": lambda: xp.random.normal(2),
        "integers": lambda: xp.random.integers(0, 9, 2),
        "choice": lambda: xp.random.choice(9, 2),
    }
    for draw in draws.values():
        with pytest.raises(xp.Error, match="vmap.*draw them outside"):
            xp.vmap(lambda x: x + xp.astype(xp.sum(draw()), xp.float64))(xp.ones((3, 2)))
    random = xp.random.uniform
    assert xp.grad(lambda x: xp.sum(x * random(2) * 0.0))(xp.ones(2)).tolist() == [0.0, 0.0]
    assert xp.jacobian(lambda x: x + 0.0 * random(2))(xp.ones(2)).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    noise = random((3, 2))
    added = xp.vmap(lambda x, e: x + e)(xp.ones((3, 2)), noise)
    assert added.tolist() == (noise + 1.0).tolist()


def test_arguments_by_name_and_positions_from_the_end_are_known_everywhere():
    def f(x, y, *, scale=1.0):
        return x * y * y * scale

    x, y = xp.asarray(X), xp.asarray(X + 1.0)
    last = xp.jacobian(f, argnums=-1)(x, y, scale=2.0)
    np.testing.assert_allclose(np.asarray(last), np.diag(4.0 * X * (X + 1.0)), rtol=1e-14)
    both = xp.jacobian(f, argnums=(0, 1))(x, y)
    np.testing.assert_allclose(np.asarray(both[0]), np.diag((X + 1.0) ** 2), rtol=1e-14)
    np.testing.assert_allclose(np.asarray(both[1]), np.diag(2.0 * X * (X + 1.0)), rtol=1e-14)

    def total(x, y, *, scale=1.0):
        return xp.sum(f(x, y, scale=scale))

    def close(a, b):
        np.testing.assert_allclose(np.asarray(a), b, rtol=1e-13, atol=1e-14)

    close(xp.hessian(total, argnums=-1)(x, y, scale=2.0), np.diag(4.0 * X))
    blocks = xp.hessian(total, argnums=(0, 1))(x, y)
    close(blocks[0][1], np.diag(2.0 * (X + 1.0)))
    close(blocks[1][1], np.diag(2.0 * X))
    rows = np.arange(6.0).reshape(2, 3)
    shared = xp.vmap(lambda x, *, w: x * w)(xp.asarray(rows), w=x)
    assert shared.tolist() == (rows * X).tolist()
    assert xp.checkpoint(f)(x, y, scale=2.0).tolist() == (X * (X + 1.0) * (X + 1.0) * 2.0).tolist()
    with pytest.raises(IndexError, match="argnums 2, and there are 2 positional"):
        xp.jacobian(f, argnums=2)(x, y)
    with pytest.raises(IndexError, match="0 positional arguments; arguments passed by name"):
        xp.grad(total)(x=x, y=y)


def test_functions_that_do_not_fit_a_transform_are_told_what_they_gave():
    x = xp.asarray(X)
    with pytest.raises(TypeError, match="grad: the function must give one array, and gave a float"):
        xp.grad(lambda v: 3.0)(x)
    with pytest.raises(TypeError, match="tuple with 2 arrays"):
        xp.value_and_grad(lambda v: (xp.sum(v), v))(x)
    with pytest.raises(TypeError, match="jacobian: the function must give an array, and gave a tuple"):
        xp.jacobian(lambda v: (v, v))(x)
    with pytest.raises(TypeError, match="hessian: argument 0 must be an array, and is a float"):
        xp.hessian(lambda v: xp.sum(v))(2.0)
    square = xp.custom_vjp(lambda v: v * v, lambda v: (v * v, v), lambda v, g: 2.0 * v * g)
    with pytest.raises(TypeError, match="backward must give a tuple.*1 arguments, and gave a UnifiedArray"):
        xp.grad(lambda v: xp.sum(square(v)))(x)


def test_an_array_that_left_its_transform_is_told_what_it_came_from():
    left = []
    for transform in (xp.grad, xp.jit):
        transform(lambda v: left.append(v) or xp.sum(v))(xp.asarray(X))
        with pytest.raises(xp.Error, match="grad.*used outside of it"):
            xp.sum(left[-1] + 1.0)
