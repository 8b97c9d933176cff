"""The differentiable hand: pose and shape coefficients to joints, or to a mesh."""

from pathlib import Path
from typing import Optional, Tuple, Union

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from signbert_mm.registry import MODELS

from ..errors import UserValueError
from .asset import FREE_HASH, NUM_BETAS, NUM_POSE, NUM_VERTICES, OLDER_FREE_HASHES, HandAsset
from .load import load_hand_asset

BACKENDS = ('native', 'manopth')
# First joint in MANO's order of thumb, index, middle, ring, little. Chains stand in COCO's order, so that the
# joints need no sorting at the end.
CHAINS = (13, 1, 4, 10, 7)
_IDENTITY = (0, 4, 8)
# Squared angles in radians are clamped to this, so that the square root has a gradient at angle 0.
_TINY = 1e-12


@MODELS.register_module()
class HandModel(nn.Module):
    """MANO's function on a hand asset (SignBERT section 3.1, eqs. 3 and 4), right hand, global orientation 0.

    ``pose = mean + theta @ pca[:num_pca]``: the axis-angle of 15 joints. Two routes with equal joints:
    :meth:`mesh` skins all 778 vertices; :meth:`joints` skins five fingertips only and is what training uses.
    Both run in the buffers' dtype, outside autocast.

    No buffer is saved. A checkpoint holds the asset's name and hash alone, and loading it into a model with
    another asset is refused. An older build of the free hand is accepted with a line in the log
    (``OLDER_FREE_HASHES`` in :mod:`.asset`).

    Args:
        asset (str | HandAsset): 'free', 'mano', or an asset already loaded.
        path (str, optional): MANO_RIGHT.pkl or its folder, for 'mano'.
        num_pca (int): Number of pose coefficients, 1..45. Default 25, as in the paper.
        backend (str): 'native', or 'manopth' to run the package of that name (needs ``asset='mano'``).
            Default 'native'.

    Raises:
        ValueError: Unknown backend, or ``num_pca`` outside 1..45.
        HandAssetError: The asset is missing or not complete.

    Example:
        >>> model = HandModel()
        >>> model.joints(torch.zeros(4, 25), torch.zeros(4, 10)).shape
        torch.Size([4, 21, 3])
    """

    def __init__(
        self,
        asset: Union[str, HandAsset] = 'free',
        path: Optional[Union[str, Path]] = None,
        num_pca: int = 25,
        backend: str = 'native',
    ) -> None:
        super().__init__()
        if backend not in BACKENDS:
            raise UserValueError(f'unknown hand model backend {backend!r}; known: {", ".join(BACKENDS)}')
        if not 1 <= num_pca <= NUM_POSE:
            raise UserValueError(f'num_pca must be in 1..{NUM_POSE}, got {num_pca}')
        self.asset = asset if isinstance(asset, HandAsset) else load_hand_asset(asset, path)
        self.num_pca = num_pca
        self.manopth = None
        if backend == 'manopth':
            from .manopth_backend import ManopthBackend

            self.manopth = ManopthBackend(self.asset, path, num_pca)
        else:
            self._build()
        self._add_buffer('faces', self.asset.faces)

    def _add_buffer(self, name: str, array: np.ndarray) -> None:
        tensor = torch.tensor(np.ascontiguousarray(array))
        self.register_buffer(name, tensor.float() if tensor.is_floating_point() else tensor, persistent=False)

    def _build(self) -> None:
        """Rearranges the asset so that every step runs on all fingers of a level at once.

        The batch is the last axis. A level is a joint's place in its finger, a chain is a finger.
        """
        asset = self.asset
        # The joint of each level and chain in MANO's order: (level, chain).
        joint_ids = np.array([[first + level for first in CHAINS] for level in range(3)])
        tips = list(asset.tip_ids)

        # Pose: rows (xyz, level, chain).
        rows = ((joint_ids - 1)[None] * 3 + np.arange(3)[:, None, None]).reshape(-1)
        self._add_buffer('pose_mean', asset.mean[rows, None])
        self._add_buffer('pose_axes', asset.pca[: self.num_pca, rows].T)

        # A rotation's nine numbers are rows (3 x 3, level, chain). The layer multiplies the correctives by R.
        # The template takes in the constant of (R - I).
        rows = ((joint_ids - 1)[None] * 9 + np.arange(9)[:, None, None]).reshape(-1)
        # (778, 3, 135)
        corrective = asset.pose_basis[:, :, rows]
        rest = asset.template - corrective.reshape(NUM_VERTICES, 3, 9, 15)[:, :, _IDENTITY].sum((2, 3))
        # Rows (xyz, vertex).
        self._add_buffer('corrective', corrective.transpose(1, 0, 2).reshape(3 * NUM_VERTICES, -1))
        self._add_buffer('rest', rest.T.reshape(-1, 1))
        self._add_buffer('shape_basis', asset.shape_basis.transpose(1, 0, 2).reshape(3 * NUM_VERTICES, -1))
        self._add_buffer('tip_corrective', corrective[tips].transpose(1, 0, 2).reshape(15, -1))

        # Wrist, joints and tips before the pose are linear in beta: rows (xyz, 1 + 3 * 5 + 5).
        points = np.concatenate([[0], joint_ids.reshape(-1)])
        mean = np.concatenate([asset.joints[points], rest[tips]])
        basis = np.concatenate(
            [
                np.einsum('jv,vcb->jcb', asset.joint_regressor[points], asset.shape_basis),
                asset.shape_basis[tips],
            ]
        )
        self._add_buffer('skeleton', mean.T.reshape(-1, 1))
        self._add_buffer('skeleton_basis', basis.transpose(1, 0, 2).reshape(-1, NUM_BETAS))

        # Weights: columns (wrist, level x chain). For a tip, those of its own chain and the wrist are enough
        # unless other fingers move it too.
        weights = asset.skinning[:, points]
        # (level, chain)
        own = np.stack([weights[tips, 1 + 5 * level + np.arange(5)] for level in range(3)])
        self._add_buffer('weights', weights)
        self._add_buffer('tip_skinning', weights[tips])
        self._add_buffer('tip_ids', np.array(tips))
        self._add_buffer('tip_weights', np.concatenate([weights[tips, 0][None], own])[:, :, None])
        self.tips_follow_own_finger = bool(
            np.abs(weights[tips].sum(1) - weights[tips, 0] - own.sum(0)).max() < 1e-9
        )

    def joints(self, theta: Tensor, beta: Tensor) -> Tensor:
        """The joints-only route.

        Args:
            theta (Tensor): Shape (..., num_pca), pose coefficients in radians; 0 is the asset's mean pose.
            beta (Tensor): Shape (..., 10), shape coefficients, about N(0, 1) over people; 0 is the mean hand.

        Returns:
            Tensor: Shape (..., 21, 3), metres, COCO hand order.
        """
        theta, beta, lead = self._flatten(theta, beta)
        # bfloat16 would round joints by up to half a millimetre.
        with torch.autocast(theta.device.type, enabled=False):
            if self.manopth is not None:
                return self.manopth(theta, beta)[1].reshape(*lead, 21, 3)
            rotation = self._rotations(theta)
            wrist, joint, tip = self._skeleton(beta)
            # The five tip vertices alone get their pose correctives.
            tip = tip + (self.tip_corrective @ rotation.reshape(135, -1)).reshape(tip.shape)
            # General skinning, for an asset whose tips other fingers move.
            if not self.tips_follow_own_finger:
                place, turn = self._chain(rotation, joint)
                tip = self._skin(tip, self.tip_skinning, turn, place, joint)
                return self._ordered(wrist, place, tip).reshape(*lead, 21, 3)
            place, tip = self._tips_inwards(rotation, joint, tip)
            return self._ordered(wrist, place, tip).reshape(*lead, 21, 3)

    def mesh(self, theta: Tensor, beta: Tensor) -> Tuple[Tensor, Tensor]:
        """The mesh route.

        Args:
            theta (Tensor): Shape (..., num_pca), as in :meth:`joints`.
            beta (Tensor): Shape (..., 10).

        Returns:
            tuple[Tensor, Tensor]: Vertices of shape (..., 778, 3) and joints of shape (..., 21, 3), metres.
        """
        theta, beta, lead = self._flatten(theta, beta)
        with torch.autocast(theta.device.type, enabled=False):
            if self.manopth is not None:
                vertices, joints = self.manopth(theta, beta)
            else:
                rotation = self._rotations(theta)
                wrist, joint, _ = self._skeleton(beta)
                place, turn = self._chain(rotation, joint)
                # rest + shape_basis @ beta + corrective @ R: the skin before it is posed.
                vertices = torch.addmm(
                    torch.addmm(self.rest, self.shape_basis, beta.mT),
                    self.corrective,
                    rotation.reshape(135, -1),
                )
                # (3, 778, N)
                vertices = self._skin(vertices.reshape(3, NUM_VERTICES, -1), self.weights, turn, place, joint)
                joints = self._ordered(wrist, place, vertices[:, self.tip_ids])
                vertices = vertices.permute(2, 1, 0)
            return vertices.reshape(*lead, NUM_VERTICES, 3), joints.reshape(*lead, 21, 3)

    def _flatten(self, theta: Tensor, beta: Tensor) -> Tuple[Tensor, Tensor, torch.Size]:
        for name, tensor, size in (('theta', theta, self.num_pca), ('beta', beta, NUM_BETAS)):
            if tensor.shape[-1] != size:
                raise UserValueError(
                    f'{name} has {tensor.shape[-1]} coefficients, but this hand model takes {size}'
                )
        if theta.shape[:-1] != beta.shape[:-1]:
            raise UserValueError(
                f'theta is of shape {tuple(theta.shape)} and beta of {tuple(beta.shape)}: all '
                'axes but the last must be equal'
            )
        lead, theta, beta = theta.shape[:-1], theta.reshape(-1, self.num_pca), beta.reshape(-1, NUM_BETAS)
        if self.manopth is None:
            theta, beta = theta.to(self.rest.dtype), beta.to(self.rest.dtype)
        return theta, beta, lead

    def _rotations(self, theta: Tensor) -> Tensor:
        """Rodrigues' formula by unit quaternions: shape (3, 3, level, chain, N).

        It loses no digits to cancellation and has no 0/0 at angle 0.
        """
        pose = torch.addmm(self.pose_mean, self.pose_axes, theta.mT)
        # (xyz, level, chain, N)
        pose = pose.reshape(3, 3, 5, -1)
        half = 0.5 * (pose * pose).sum(0).clamp(min=_TINY).sqrt()
        # Quaternion (w, q); the nine entries of the matrix are products of its parts.
        w = half.cos()
        q = pose * (0.5 * half.sin() / half)
        q2 = q + q
        x, y, z = q.unbind(0)
        x2, y2, z2 = q2.unbind(0)
        xx, yy, zz = (q * q2).unbind(0)
        wx, wy, wz = (w * q2).unbind(0)
        xy, xz, yz = x * y2, x * z2, y * z2
        one = 1 - xx
        matrix = torch.stack(
            (1 - yy - zz, xy - wz, xz + wy, xy + wz, one - zz, yz - wx, xz - wy, yz + wx, one - yy)
        )
        return matrix.reshape(3, 3, 3, 5, -1)

    def _skeleton(self, beta: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        """Wrist (3, 1, N), joints (3, level, chain, N) and tips (3, chain, N) before the pose.

        The tips lack their pose correctives.
        """
        points = torch.addmm(self.skeleton, self.skeleton_basis, beta.mT).reshape(3, 21, -1)
        wrist, joints, tips = points.split((1, 15, 5), 1)
        return wrist, joints.reshape(3, 3, 5, -1), tips

    def _tips_inwards(self, rotation: Tensor, joint: Tensor, tip: Tensor) -> Tuple[Tensor, Tensor]:
        """Posed joints (3, level, chain, N) and tips (3, chain, N), computed from the tip inwards."""
        # Each rotation turns vectors, and no two are multiplied. That saves two 3 x 3 products a finger.
        # (3, 3, chain, N) each
        one, two, three = rotation.unbind(2)
        # (3, chain, N) each
        root, middle, last = joint.unbind(1)
        bone1, bone2 = middle - root, last - middle
        # A tip's weights on the wrist (w0) and its finger's joints (w1, w2, w3) join the sum level by level.
        w0, w1, w2, w3 = self.tip_weights.unbind(0)
        reach = w3 * (_turn(three, (tip - last)[:, None]).squeeze(1) + bone2) + w2 * (tip - middle)
        turned, reach = _turn(two, torch.stack((bone2, reach), 1)).unbind(1)
        reach = reach + (w2 + w3) * bone1 + w1 * (tip - root)
        bone1, bone2, reach = _turn(one, torch.stack((bone1, turned, reach), 1)).unbind(1)
        second = root + bone1
        return torch.stack((root, second, second + bone2), 1), reach + (w1 + w2 + w3) * root + w0 * tip

    @staticmethod
    def _chain(rotation: Tensor, joint: Tensor) -> Tuple[Tensor, Tensor]:
        """Posed joints (3, level, chain, N) and global rotations (3, 3, level, chain, N), level by level."""
        one, two, three = rotation.unbind(2)
        root, middle, last = joint.unbind(1)
        # One call turns the bone and the three columns of the next rotation.
        moved, two = _turn(one, torch.cat(((middle - root)[:, None], two), 1)).split((1, 3), 1)
        second = root + moved.squeeze(1)
        moved, three = _turn(two, torch.cat(((last - middle)[:, None], three), 1)).split((1, 3), 1)
        return torch.stack((root, second, second + moved.squeeze(1)), 1), torch.stack((one, two, three), 2)

    @staticmethod
    def _skin(points: Tensor, weights: Tensor, turn: Tensor, place: Tensor, joint: Tensor) -> Tensor:
        """Linear blend skinning of points (3, P, N) with weights (P, 16), the wrist's first.

        Returns shape (3, P, N).
        """
        n = points.shape[-1]
        # Affine map of each joint: x -> turn @ x + shift. Its columns are blended, then applied.
        shift = place - (turn * joint).sum(1)
        affine = (
            torch.cat((turn, shift[:, None]), 1)
            .reshape(3, 4, 15, n)
            .permute(1, 2, 0, 3)
            .reshape(4, 15, 3 * n)
        )
        # (P, 3, N) each
        *columns, out = (weights[:, 1:] @ affine).reshape(4, len(weights), 3, n).unbind(0)
        for column, part in zip(columns, points.unbind(0)):
            out = torch.addcmul(out, column, part[:, None])
        # The wrist does not move, so its share is the point itself.
        return torch.addcmul(out.transpose(0, 1), weights[:, :1], points)

    @staticmethod
    def _ordered(wrist: Tensor, place: Tensor, tip: Tensor) -> Tensor:
        """Wrist (3, 1, N), joints (3, level, chain, N) and tips (3, chain, N) in COCO's order: (N, 21, 3)."""
        fingers = torch.cat((place, tip[:, None]), 1).transpose(1, 2).reshape(3, 20, -1)
        return torch.cat((wrist, fingers), 1).permute(2, 1, 0)

    def get_extra_state(self) -> Tensor:
        """Name and hash of the asset, as the bytes of 'name:hash'.

        A tensor, because mmengine broadcasts every value of a state dict.
        """
        return torch.tensor(list(f'{self.asset.name}:{self.asset.hash}'.encode()), dtype=torch.uint8)

    def set_extra_state(self, state: Tensor) -> None:
        """Checks that a checkpoint was made with this asset, or with an older build of the same free hand.

        Raises:
            ValueError: It was made with another.
        """
        saved = bytes(state.tolist()).decode(errors='replace')
        here = f'{self.asset.name}:{self.asset.hash}'
        if saved == here:
            return
        name, _, digest = saved.partition(':')
        if here == f'free:{FREE_HASH}' and name == 'free' and digest in OLDER_FREE_HASHES:
            print_log(
                f'this checkpoint was trained with an older build of the free hand ({digest}; here '
                f'{FREE_HASH}): the same hand but for '
                'the skin at three vertices',
                logger='current',
            )
            return
        remedy = f'set asset={name!r} (and path, for mano) in the hand model, or train anew'
        if name == self.asset.name:
            advice = 'give the MANO_RIGHT.pkl' if name == 'mano' else 'use the signbert_mm'
            remedy = f'they are two different {name!r} hands: {advice} of that training, or train anew'
        raise UserValueError(
            f'this checkpoint was trained with hand asset {saved!r}, but the config builds {here!r}; {remedy}'
        )

    def extra_repr(self) -> str:
        return (
            f'asset={self.asset.name}, num_pca={self.num_pca}, '
            f'backend={"native" if self.manopth is None else "manopth"}'
        )


def _turn(rotation: Tensor, vectors: Tensor) -> Tensor:
    """Rotations (3, 3, chain, N) on vectors (3, K, chain, N)."""
    # Three fused multiply-adds are faster here than a batched product of small matrices.
    columns = rotation[:, :, None].unbind(1)
    x, y, z = vectors.unbind(0)
    return torch.addcmul(torch.addcmul(columns[0] * x, columns[1], y), columns[2], z)
