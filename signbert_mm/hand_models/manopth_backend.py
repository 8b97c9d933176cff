"""manopth (https://github.com/hassony2/manopth, GPL-3.0) behind the native layer's interface, for those who
have it installed.
"""

import sys
from pathlib import Path
from typing import Optional, Tuple, Union

import torch
from torch import Tensor, nn

from ..errors import UserModuleNotFoundError
from .asset import HandAsset, HandAssetError
from .mano import FILE_NAME, find_mano

_INSTALL = (
    "backend 'manopth' needs the package manopth, which is not on PyPI: pip install "
    'git+https://github.com/hassony2/manopth '
    "(GPL-3.0; it needs chumpy, which does not build on Python 3.11 and later). backend='native' gives the "
    'same joints without it'
)
_MILLIMETRES = 1000.0
_COCO_TIPS = (4, 8, 12, 16, 20)


class ManopthBackend(nn.Module):
    """``manopth.manolayer.ManoLayer`` with this project's units, joint order and fingertips.

    manopth takes the global orientation before the pose coefficients, works in millimetres and has fingertip
    vertices of its own (745, 317, 444, 556, 673), so tips are taken from its vertices by the asset's ids. It
    reads MANO_RIGHT.pkl itself, with chumpy, after the asset's reader has found the file whole. Where every
    beta of a batch is exactly 0, manopth gives beta no gradient.

    Args:
        asset (HandAsset): The asset read from the same file.
        path (str | Path): MANO_RIGHT.pkl or its folder.
        num_pca (int): Number of pose coefficients.

    Raises:
        HandAssetError: The asset is not MANO's, or the file has another name than manopth looks for.
        ImportError: manopth or one of its needs is missing.
    """

    def __init__(self, asset: HandAsset, path: Optional[Union[str, Path]], num_pca: int) -> None:
        super().__init__()
        if asset.name != 'mano':
            raise HandAssetError(
                f"backend 'manopth' runs asset 'mano' only, but asset {asset.name!r} was "
                "given; use backend='native'"
            )
        file = find_mano(path)
        if file.name != FILE_NAME:
            raise HandAssetError(f'manopth reads only a file named {FILE_NAME}, found {file}; rename it')
        try:
            from manopth.manolayer import ManoLayer
        except ImportError as error:
            raise UserModuleNotFoundError(
                f'{_INSTALL}. Python {sys.version_info.major}.{sys.version_info.minor} said: {error}'
            ) from error
        self.layer = ManoLayer(
            center_idx=None,
            flat_hand_mean=False,
            ncomps=num_pca,
            side='right',
            mano_root=str(file.parent),
            use_pca=True,
            root_rot_mode='axisang',
            joint_rot_mode='axisang',
        )
        # manopth saves MANO's arrays with every checkpoint; its licence forbids that
        for module in self.layer.modules():
            module._non_persistent_buffers_set.update(module._buffers)
        self.layer.requires_grad_(False)
        self.tip_ids = list(asset.tip_ids)

    def forward(self, theta: Tensor, beta: Tensor) -> Tuple[Tensor, Tensor]:
        """Vertices (N, 778, 3) and joints (N, 21, 3) in metres, from theta (N, num_pca) and beta (N, 10)."""
        dtype = next(
            (buffer.dtype for buffer in self.layer.buffers() if buffer.is_floating_point()), theta.dtype
        )
        theta, beta = theta.to(dtype), beta.to(dtype)
        orientation = theta.new_zeros(len(theta), 3)
        vertices, joints = self.layer(torch.cat((orientation, theta), 1), beta)
        joints = joints.index_copy(
            1, torch.tensor(_COCO_TIPS, device=joints.device), vertices[:, self.tip_ids]
        )
        return vertices / _MILLIMETRES, joints / _MILLIMETRES
