"""How far two routes of floating point may lie apart: from the type's epsilon and the length of the sums.

Libraries add the same products in other orders on other processors (AVX2, AVX-512, AMX), so results differ by
rounding.
"""

import math
from typing import Callable, Sequence

import torch
from torch import Tensor

# odds of 1 in 1,500 that one sum of random rounding errors is outside (Higham and Mary, A New Approach to
# Probabilistic Rounding Error Analysis, SIAM J. Sci. Comput. 41(5), 2019); in practice errors are far
# smaller, as operands differ in sign
_CONFIDENCE = 4.0


def tolerance(terms: int, size: float = 1.0, dtype: torch.dtype = torch.float32) -> float:
    """What a sum may differ by from the exact one.

    Args:
        terms (int): How many products are added, all sums that feed one another together.
        size (float): Sum of the products' absolute values.
        dtype (torch.dtype): Of the sum.

    Returns:
        float: ``4 sqrt(terms) u size``, u the unit roundoff: half of epsilon.
    """
    if terms < 1 or size < 0:
        raise ValueError(
            f'tolerance of {terms} terms of size {size}: at least one term, and no negative size'
        )
    return _CONFIDENCE * math.sqrt(terms) * torch.finfo(dtype).eps / 2 * size


def assert_is_sum(got: Tensor, function: Callable[..., Tensor], *factors: Tensor) -> None:
    """``got`` is ``function(*factors)`` but for the rounding of its type.

    Args:
        got (Tensor): Any shape, any floating type.
        function (Callable): Of float64 factors; a sum of products of one number of each factor (einsum), with
            no minus sign.
        factors (Tensor): Of the type of ``got``; constants of the sum, as an adjacency, count as one.

    Raises:
        AssertionError: Other shapes, or a number is further from the sum in float64 than the sum's length and
            size allow.
    """
    exact = function(*(factor.double() for factor in factors))
    size = function(*(factor.double().abs() for factor in factors))
    terms = function(*((factor != 0).double() for factor in factors))
    allowed = _CONFIDENCE * (terms + len(factors)).sqrt() * torch.finfo(got.dtype).eps / 2 * size
    assert got.shape == exact.shape, f'shape {tuple(got.shape)}, the sums are of shape {tuple(exact.shape)}'
    error = (got.double() - exact).abs()
    wrong = ~(error <= allowed)  # NaN too
    assert not wrong.any(), (
        f'{int(wrong.sum())} of {got.numel()} sums differ by up to {float(error.max()):.2e} from float64; '
        f'{float(allowed.max()):.2e} is allowed for up to {int(terms.max())} terms'
    )


def gradient_sums(function: Callable[..., Tensor], count: int) -> Sequence[Callable[..., Tensor]]:
    """For each of the first ``count`` factors: the gradient of ``function`` towards it, a function of the
    factors and what comes from above.

    The gradient of a sum of products is one itself, so :func:`assert_is_sum` can judge it.
    """

    def towards(place: int) -> Callable[..., Tensor]:
        def gradient(*factors: Tensor) -> Tensor:
            *inputs, upstream = (factor.detach() for factor in factors)
            inputs[place].requires_grad_()
            return torch.autograd.grad(function(*inputs), inputs[place], upstream)[0]

        return gradient

    return [towards(place) for place in range(count)]
