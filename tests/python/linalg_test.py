"""isofield.linalg and isofield.fft, against NumPy."""

import numpy as np
import pytest

import isofield as xp

A = np.array([[[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 5.0]], [[2.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 3.0]]])
B = np.array([[[1.0, 2.0], [0.0, 1.0], [3.0, -1.0]]])


def check(ours, theirs, rtol=1e-12, atol=1e-13):
    theirs = np.asarray(theirs)
    assert ours.shape == theirs.shape and ours.dtype.name == theirs.dtype.name
    np.testing.assert_allclose(np.asarray(ours), theirs, rtol=rtol, atol=atol)


def test_products_agree_with_numpy():
    a, b = xp.asarray(A), xp.asarray(B)
    check(xp.matmul(a, b), A @ B)
    check(xp.linalg.matmul(a, b), A @ B)
    check(xp.vecdot(a, a, axis=1), np.vecdot(A, A, axis=1))
    check(xp.tensordot(a, b, axes=((2,), (1,))), np.tensordot(A, B, axes=((2,), (1,))))
    check(xp.linalg.outer(a[0, 0], a[0, 1]), np.outer(A[0, 0], A[0, 1]))
    check(xp.linalg.cross(a, a[:, ::-1]), np.cross(A, A[:, ::-1]))
    check(xp.linalg.matrix_power(a, 3), np.linalg.matrix_power(A, 3))
    check(xp.einsum("kij,kij->k", a, a), np.einsum("kij,kij->k", A, A))
    check(xp.linalg.diagonal(a, offset=1), np.linalg.diagonal(A, offset=1))
    check(xp.linalg.trace(a), np.linalg.trace(A))
    assert xp.linalg.matrix_transpose is xp.matrix_transpose


def test_systems_agree_with_numpy():
    a, b = xp.asarray(A), xp.asarray(B)
    check(xp.linalg.solve(a, b), np.linalg.solve(A, B))
    check(xp.linalg.inv(a), np.linalg.inv(A))
    check(xp.linalg.det(a), np.linalg.det(A))
    sign, logabsdet = xp.linalg.slogdet(a)
    check(logabsdet, np.linalg.slogdet(A).logabsdet)
    check(xp.linalg.pinv(b), np.linalg.pinv(B))
    check(xp.linalg.matrix_rank(b), np.linalg.matrix_rank(B))
    with pytest.raises(xp.LinAlgError, match="singular"):
        xp.linalg.inv(xp.zeros((2, 2)))
    with pytest.raises(xp.ShapeError):
        xp.linalg.solve(b, b)


def test_decompositions_give_the_matrix_back():
    a = xp.asarray(A)
    low = xp.linalg.cholesky(a)
    check(low @ low.mT, A)
    q, r = xp.linalg.qr(a)
    check(q @ r, A)
    result = xp.linalg.svd(a, full_matrices=False)
    check(result.S, np.linalg.svd(A).S)
    check((result.U * result.S[:, None, :]) @ result.Vh, A)
    values, vectors = xp.linalg.eigh(a)
    check(values, np.linalg.eigh(A).eigenvalues)
    check((vectors * values[:, None, :]) @ vectors.mT, A)
    check(xp.linalg.eigvalsh(a), np.linalg.eigvalsh(A))
    assert xp.linalg.eig(a).eigenvalues.dtype is xp.complex128


def test_norms_agree_with_numpy():
    a = xp.asarray(A)
    for order in ("fro", "nuc", 1, -2, float("inf")):
        check(xp.linalg.matrix_norm(a, ord=order), np.linalg.matrix_norm(A, ord=order))
    check(xp.linalg.vector_norm(a, axis=(0, 2), ord=3), np.linalg.vector_norm(A, axis=(0, 2), ord=3))
    check(xp.linalg.vector_norm(a, keepdims=True), np.linalg.vector_norm(A, keepdims=True))


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_transforms_of_lines_agree_with_numpy(name):
    ours, theirs = getattr(xp.fft, name), getattr(np.fft, name)
    x = A if name in ("rfft", "ihfft") else A + 1j * A[::-1]
    for options in ({}, {"n": 5}, {"axis": 1}, {"norm": "ortho"}):
        check(ours(xp.asarray(x), **options), theirs(x, **options))


@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn"])
def test_transforms_of_planes_agree_with_numpy(name):
    ours, theirs = getattr(xp.fft, name), getattr(np.fft, name)
    x = A if name == "rfftn" else A + 1j * A[::-1]
    for options in ({}, {"axes": (0, 2)}, {"s": (4, 2), "axes": (1, 2)}, {"norm": "forward"}):
        check(ours(xp.asarray(x), **options), theirs(x, **options))


def test_frequencies_and_shifts_agree_with_numpy():
    check(xp.fft.fftfreq(5, d=0.5), np.fft.fftfreq(5, d=0.5))
    check(xp.fft.rfftfreq(6), np.fft.rfftfreq(6))
    check(xp.fft.fftshift(xp.asarray(A)), np.fft.fftshift(A))
    check(xp.fft.ifftshift(xp.asarray(A), axes=1), np.fft.ifftshift(A, axes=1))
    with pytest.raises(ValueError, match="norm"):
        xp.fft.fft(xp.asarray(A), norm="half")
