"""The hand-model-aware decoder (SignBERT section 3.1, eqs. 2 to 5)."""

from typing import Dict, Optional

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...errors import UserValueError
from ...hand_models import rotation_6d_to_matrix, svd_orthogonalize, weak_perspective_project
from ...registry import MODELS

# Share of the crop that the first output spans: the reciprocal of HandCrop's padding.
_CROP_FILL = 1 / 2.2
# The network outputs that mean "no rotation".
_IDENTITY = {
    '6d': (1.0, 0, 0, 0, 1, 0),
    'svd': (1.0, 0, 0, 0, 1, 0, 0, 0, 1),
    'none': (1.0, 0, 0, 0, 1, 0, 0, 0, 1),
}


@MODELS.register_module()
class HandModelDecoder(BaseModule):
    """One fully connected layer to hand-model parameters and a camera. The hand model computes the joints.

    eq. 2: token -> theta (PCA pose), beta (10, shape), c_r (rotation), c_o (2), c_s (1). eqs. 3, 4: the hand
    model. eq. 5: J2D = c_s orthographic(c_r J3D) + c_o. Everything here runs in float32, outside autocast.
    The hand model's own root orientation stays 0.

    Args:
        in_channels (int): Token width.
        hand_model (dict): A config of ``MODELS``; ``num_pca`` is the size of theta, 25 in the paper.
        rotation (str): '6d' (default; orthonormal by Gram-Schmidt), 'svd' (3 x 3 projected to the nearest
            rotation; on GPUs the decomposition waits for the device), 'none' (the raw 3 x 3). How c_r becomes
            a rotation is not given in the paper. A raw matrix may also stretch the hand, and be a reflection:
            eq. 5 reads its first two rows, so the third, which gives the depth of ``joints3d`` and
            ``vertices``, learns nothing and may turn a right hand into a left one. Use it for 2-D alone.
        init_std (float): Standard deviation of the initial weights. The initial biases give a rest hand that
            fills the crop (not given in the paper).

    Raises:
        ValueError: ``rotation`` is unknown.
    """

    def __init__(
        self,
        in_channels: int = 512,
        hand_model: Optional[dict] = None,
        rotation: str = '6d',
        init_std: float = 0.001,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        if rotation not in _IDENTITY:
            raise UserValueError(
                f'HandModelDecoder: rotation must be one of {sorted(_IDENTITY)}, got {rotation!r}'
            )
        self.hand_model = MODELS.build(hand_model or dict(type='HandModel'))
        self.in_channels, self.rotation = in_channels, rotation
        # theta, beta, c_r, c_o, c_s
        self.sizes = [self.hand_model.num_pca, 10, len(_IDENTITY[rotation]), 2, 1]
        self.fc = nn.Linear(in_channels, sum(self.sizes))
        with torch.no_grad():
            # Scale and offset of the bias put the rest hand's bounding box into the middle of the crop.
            rest = self.hand_model.joints(torch.zeros(self.sizes[0]), torch.zeros(10))[:, :2]
            low, high = rest.amin(0), rest.amax(0)
            scale = _CROP_FILL / (high - low).max()
            offset = 0.5 - scale * (low + high) / 2
            bias = [
                torch.zeros(self.sizes[0] + 10),
                torch.as_tensor(_IDENTITY[rotation]),
                offset,
                scale[None],
            ]
            self.fc.bias.copy_(torch.cat(bias))
            nn.init.normal_(self.fc.weight, std=init_std)

    def parameters_of(self, tokens: Tensor) -> Dict[str, Tensor]:
        """Hand-model and camera parameters of tokens (eq. 2).

        Shapes: ``theta`` (..., P), ``beta`` (..., 10), ``rotation`` (..., 3, 3), ``offset`` (..., 2),
        ``scale`` (..., 1).
        """
        theta, beta, rotation, offset, scale = self.fc(tokens).split(self.sizes, dim=-1)
        if self.rotation == '6d':
            rotation = rotation_6d_to_matrix(rotation)
        else:
            rotation = rotation.unflatten(-1, (3, 3))
            rotation = svd_orthogonalize(rotation) if self.rotation == 'svd' else rotation
        return dict(theta=theta, beta=beta, rotation=rotation, offset=offset, scale=scale)

    def forward(self, tokens: Tensor, mesh: bool = False) -> Dict[str, Tensor]:
        """Joints of every token.

        Args:
            tokens (Tensor): Shape (..., C).
            mesh (bool): Also return the surface, for pictures.

        Returns:
            dict: ``joints2d`` (..., 21, 2), fractions of the (mirrored) crop; ``joints3d`` (..., 21, 3),
                metres, camera axes; ``theta`` (..., P); ``beta`` (..., 10); ``rotation``, ``offset``,
                ``scale``; with ``mesh``, ``vertices`` (..., 778, 3), metres, camera axes. All float32.
        """
        with torch.autocast(tokens.device.type, enabled=False):
            out = self.parameters_of(tokens.float())
            if mesh:
                vertices, joints = self.hand_model.mesh(out['theta'], out['beta'])
                out['vertices'] = vertices @ out['rotation'].transpose(-1, -2)
            else:
                joints = self.hand_model.joints(out['theta'], out['beta'])
            out['joints2d'] = weak_perspective_project(joints, out['rotation'], out['offset'], out['scale'])
            out['joints3d'] = joints @ out['rotation'].transpose(-1, -2)
        return out
