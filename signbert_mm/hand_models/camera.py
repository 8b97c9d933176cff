"""Rotations from network outputs, and the weak-perspective camera of SignBERT's decoder (eq. 5)."""

import torch
from torch import Tensor
from torch.nn import functional as F

_SINGULAR_GAP = 1e-4


def rotation_6d_identity(dtype: torch.dtype = torch.float32) -> Tensor:
    """The six numbers of the identity: shape (6,).

    Set as a layer's bias, they start its rotation at identity.
    """
    return torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0], dtype=dtype)


def rotation_6d_to_matrix(six: Tensor) -> Tensor:
    """Rotation by Gram-Schmidt from two columns (Zhou et al., On the Continuity of Rotation Representations,
    CVPR 2019).

    Args:
        six (Tensor): Shape (..., 6), any scale: the first column, then the second.

    Returns:
        Tensor: Shape (..., 3, 3), orthonormal with determinant +1 unless the two columns are parallel or
            zero.
    """
    first, second = six[..., :3], six[..., 3:]
    first = F.normalize(first, dim=-1)
    second = F.normalize(second - (first * second).sum(-1, keepdim=True) * first, dim=-1)
    return torch.stack((first, second, torch.linalg.cross(first, second)), dim=-1)


class _NearestRotation(torch.autograd.Function):
    """R = U diag(1, 1, det(U V^T)) V^T.

    torch's own gradient of the SVD divides by differences of singular values, which are 0 at the identity;
    the gradient of R itself divides by their sums.
    """

    @staticmethod
    def forward(ctx, matrix: Tensor) -> Tensor:
        u, s, vh = torch.linalg.svd(matrix)
        sign = torch.ones_like(s)
        sign[..., 2] = torch.linalg.det(u @ vh).sign()
        u = u * sign[..., None, :]
        ctx.save_for_backward(u, s * sign, vh)
        return u @ vh

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        u, s, vh = ctx.saved_tensors
        inner = u.mT @ grad @ vh.mT
        # the smallest two cancel only where the nearest rotation jumps; bounded there
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
