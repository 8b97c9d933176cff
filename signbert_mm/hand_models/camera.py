"""Rotations from network outputs, and the weak-perspective camera of SignBERT's decoder (eq. 5)."""

import torch
from torch import Tensor
from torch.nn import functional as F

# The smallest sum of two singular values that the gradient below divides by.
_SINGULAR_GAP = 1e-4
# A column this short, or this near to the other's line, has no direction.
_SHORTEST = 1e-4


def rotation_6d_identity(dtype: torch.dtype = torch.float32) -> Tensor:
    """The six numbers of the identity: shape (6,).

    Set as a layer's bias, they start its rotation at identity.
    """
    return torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0], dtype=dtype)


def rotation_6d_to_matrix(six: Tensor) -> Tensor:
    """Rotation from two of its columns, by Gram-Schmidt.

    Zhou et al., On the Continuity of Rotation Representations, CVPR 2019.

    Args:
        six (Tensor): Shape (..., 6), any scale: the first column, then the second.

    Returns:
        Tensor: Shape (..., 3, 3), orthonormal with determinant +1. The x axis replaces a first column of
            zeros. An axis that is not parallel to the first column replaces a second one that is parallel to
            it, or zero. A replaced column gets no gradient.
    """
    first, second = six[..., :3], six[..., 3:]
    x_axis = F.pad(torch.ones_like(first[..., :1]), (0, 2))
    first = F.normalize(torch.where(_length(first) > _SHORTEST, first, x_axis), dim=-1)
    across = _reject(second, first)
    # The rounding error of ``across`` grows with the column's length, so the threshold does, too.
    apart = _length(across) > _SHORTEST * _length(second).clamp(min=1.0)
    # The x axis, or the y axis where the first column is close to x.
    axis = torch.where(first[..., :1].detach().abs() < 0.9, x_axis, x_axis.roll(1, -1))
    second = F.normalize(torch.where(apart, across, _reject(axis, first)), dim=-1)
    return torch.stack((first, second, torch.linalg.cross(first, second)), dim=-1)


def _length(column: Tensor) -> Tensor:
    """Norm of (..., 3) as (..., 1), without gradient."""
    return column.detach().norm(dim=-1, keepdim=True)


def _reject(column: Tensor, unit: Tensor) -> Tensor:
    """The part of a column that is at right angles to a unit vector."""
    return column - (unit * column).sum(-1, keepdim=True) * unit


class _NearestRotation(torch.autograd.Function):
    """R = U diag(1, 1, det(U V^T)) V^T.

    torch's own gradient of the SVD divides by differences of singular values, which are 0 at the identity;
    the gradient of R itself divides by their sums.
    """

    @staticmethod
    def forward(ctx, matrix: Tensor) -> Tensor:
        u, s, vh = torch.linalg.svd(matrix)
        sign = torch.ones_like(s)
        # A reflection becomes a rotation by turning the axis of the smallest singular value.
        sign[..., 2] = torch.linalg.det(u @ vh).sign()
        u = u * sign[..., None, :]
        ctx.save_for_backward(u, s * sign, vh)
        return u @ vh

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        u, s, vh = ctx.saved_tensors
        inner = u.mT @ grad @ vh.mT
        # The sum of the smallest two is 0 only where the nearest rotation jumps. This bounds the gradient.
        total = (s[..., :, None] + s[..., None, :]).clamp(min=_SINGULAR_GAP)
        return u @ ((inner - inner.mT) / total) @ vh


def svd_orthogonalize(matrix: Tensor) -> Tensor:
    """The rotation nearest to a matrix in the Frobenius norm, with a gradient that is finite everywhere.

    Args:
        matrix (Tensor): Shape (..., 3, 3), any values, the identity and zero among them.

    Returns:
        Tensor: Shape (..., 3, 3), orthonormal, determinant +1.
    """
    return _NearestRotation.apply(matrix)


def weak_perspective_project(joints: Tensor, rotation: Tensor, offset: Tensor, scale: Tensor) -> Tensor:
    """J2D = c_s * orthographic(c_r J3D) + c_o (SignBERT eq. 5).

    Args:
        joints (Tensor): Shape (..., J, 3), metres.
        rotation (Tensor): c_r, shape (..., 3, 3).
        offset (Tensor): c_o, shape (..., 2), in the unit of the result.
        scale (Tensor): c_s, shape (..., 1), that unit a metre.

    Returns:
        Tensor: Shape (..., J, 2), x and y.
    """
    flat = joints @ rotation[..., :2, :].mT  # (..., J, 2)
    return scale[..., None] * flat + offset[..., None, :]
