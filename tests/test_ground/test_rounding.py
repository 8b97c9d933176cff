"""The tests' own measure of rounding."""

import pytest
import torch
from rounding import assert_is_sum, gradient_sums, tolerance


def product(a, b):
    return a @ b


def test_tolerance_by_hand():
    assert tolerance(1) == pytest.approx(4 * 2**-24)
    assert tolerance(100, 3.0) == pytest.approx(4 * 10 * 2**-24 * 3)
    assert tolerance(4, 1.0, torch.bfloat16) == pytest.approx(4 * 2 * 2**-8)


@pytest.mark.parametrize('terms, size', [(0, 1.0), (-1, 1.0), (3, -1.0)])
def test_no_terms_or_a_negative_size_are_refused(terms, size):
    with pytest.raises(ValueError, match='at least one term'):
        tolerance(terms, size)


@pytest.mark.parametrize('seed', range(5))
def test_sums_in_any_order_pass(seed):
    generator = torch.Generator().manual_seed(seed)
    a, b = torch.randn(7, 300, generator=generator), torch.randn(300, 5, generator=generator)
    assert_is_sum(a @ b, product, a, b)
    order = torch.randperm(300, generator=generator)
    assert_is_sum(a[:, order] @ b[order], product, a, b)
    one_by_one = torch.zeros(7, 5)
    for k in order:
        one_by_one += a[:, k, None] * b[k]
    assert_is_sum(one_by_one, product, a, b)


@pytest.mark.parametrize(
    'change', [lambda y: y + 1e-3, lambda y: y.half().float(), lambda y: y * float('nan'), lambda y: y[1:]]
)
def test_a_wrong_sum_fails(change):
    a, b = torch.randn(7, 30), torch.randn(30, 5)
    with pytest.raises(AssertionError, match='sums differ by up to|the sums are of shape'):
        assert_is_sum(change(a @ b), product, a, b)


def test_gradients_are_sums_of_their_own():
    a, b, upstream = torch.randn(4, 6), torch.randn(6, 3), torch.randn(4, 3)
    towards_a, towards_b = gradient_sums(product, 2)
    assert_is_sum(upstream @ b.T, towards_a, a, b, upstream)
    assert_is_sum(a.T @ upstream, towards_b, a, b, upstream)
    with pytest.raises(AssertionError):
        assert_is_sum(1.001 * a.T @ upstream, towards_b, a, b, upstream)
