import pytest
import torch
from torch.autograd import gradcheck

from signbert_mm.hand_models import (
    rotation_6d_identity,
    rotation_6d_to_matrix,
    svd_orthogonalize,
    weak_perspective_project,
)


def _random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def _assert_rotation(matrix):
    torch.testing.assert_close(matrix @ matrix.mT, torch.eye(3, dtype=matrix.dtype).expand_as(matrix))
    torch.testing.assert_close(torch.linalg.det(matrix), torch.ones(matrix.shape[:-2], dtype=matrix.dtype))


def test_6d_gives_rotations_and_keeps_directions():
    six = 3 * _random(4, 5, 6)
    matrix = rotation_6d_to_matrix(six)
    _assert_rotation(matrix)
    torch.testing.assert_close(matrix[..., 0], six[..., :3] / six[..., :3].norm(dim=-1, keepdim=True))
    assert ((matrix[..., 1] * six[..., 3:]).sum(-1) > 0).all()


def test_6d_identity_bias():
    torch.testing.assert_close(rotation_6d_to_matrix(rotation_6d_identity()), torch.eye(3))


def test_6d_gradient():
    assert gradcheck(rotation_6d_to_matrix, _random(3, 6).requires_grad_())
    zero = torch.zeros(2, 6, requires_grad=True)
    rotation_6d_to_matrix(zero).sum().backward()
    assert torch.isfinite(zero.grad).all()


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('scale', [1e-3, 1.0, 1e3])
@pytest.mark.parametrize('off', [0.0, 1e-7, 1e-5])
def test_6d_of_parallel_columns(dtype, scale, off):
    """A rotation with a gradient that is bounded, where Gram-Schmidt alone divides by what is rounded."""
    first = torch.cat([torch.eye(3), _random(20, 3).float()]).to(dtype)
    for factor in (1.0, -2.0, 0.0):
        second = factor * first + off * first.roll(1, -1)
        six = (scale * torch.cat([first, second], -1)).requires_grad_()
        matrix = rotation_6d_to_matrix(six)
        _assert_rotation(matrix.detach())
        matrix.square().sum().add(matrix.sum()).backward()
        assert six.grad.abs().max() < 5e4


def test_6d_of_no_first_column():
    six = torch.tensor([[0.0, 0, 0, 1, 2, 3], [0, 0, 0, 0, 0, 0], [0, 0, 0, 5, 0, 0]])
    _assert_rotation(rotation_6d_to_matrix(six))


def test_svd_is_the_nearest_rotation():
    matrix = _random(6, 3, 3)
    found = svd_orthogonalize(matrix)
    _assert_rotation(found)
    others = rotation_6d_to_matrix(_random(200, 1, 6, seed=1))
    assert ((found - matrix).norm(dim=(-2, -1)) <= (others - matrix).norm(dim=(-2, -1)).min(0).values).all()
    torch.testing.assert_close(svd_orthogonalize(found), found)


@pytest.mark.parametrize('sign', [1, -1])
def test_svd_gradient(sign):
    matrix = _random(8, 3, 3)
    matrix = sign * matrix[torch.linalg.det(matrix) > 0]
    assert gradcheck(svd_orthogonalize, matrix.requires_grad_())


def test_svd_gradient_at_identity_equals_numeric():
    assert gradcheck(svd_orthogonalize, torch.eye(3, dtype=torch.float64, requires_grad=True))


@pytest.mark.parametrize(
    'matrix',
    [
        torch.zeros(3, 3),
        -torch.eye(3),
        torch.diag(torch.tensor([1.0, 0.0, 0.0])),
        torch.diag(torch.tensor([1.0, 1.0, -1.0])),
    ],
)
def test_svd_stays_finite_where_it_is_not_unique(matrix):
    matrix = matrix.clone().requires_grad_()
    found = svd_orthogonalize(matrix)
    _assert_rotation(found.detach())
    (found * torch.arange(9.0).reshape(3, 3)).sum().backward()
    assert torch.isfinite(matrix.grad).all()


def test_weak_perspective_by_hand():
    # a quarter turn about z: (x, y) -> (-y, x)
    turn = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    joints = torch.tensor([[1.0, 2.0, 9.0], [0.0, 0.5, -9.0]])
    out = weak_perspective_project(joints, turn, torch.tensor([10.0, 20.0]), torch.tensor([2.0]))
    torch.testing.assert_close(out, torch.tensor([[6.0, 22.0], [9.0, 20.0]]))


def test_weak_perspective_batched_gradient():
    joints, rotation, offset, scale = (
        _random(2, 3, 21, 3),
        _random(2, 3, 3, 3),
        _random(2, 3, 2),
        _random(2, 3, 1),
    )
    out = weak_perspective_project(joints, rotation, offset, scale)
    assert out.shape == (2, 3, 21, 2)
    one = scale[1, 2] * (rotation[1, 2] @ joints[1, 2, 7])[:2] + offset[1, 2]
    torch.testing.assert_close(out[1, 2, 7], one)
    few = [
        part.requires_grad_()
        for part in (
            joints[0, :1, :2].clone(),
            rotation[0, :1].clone(),
            offset[0, :1].clone(),
            scale[0, :1].clone(),
        )
    ]
    assert gradcheck(weak_perspective_project, few)
