"""Hand models: the asset (MANO's file or the free hand), the differentiable layer, the camera."""

from .. import needs_train  # noqa: F401
from .asset import TO_COCO, HandAsset, HandAssetError
from .camera import rotation_6d_identity, rotation_6d_to_matrix, svd_orthogonalize, weak_perspective_project
from .hand_model import HandModel
from .load import load_hand_asset

__all__ = [
    'TO_COCO',
    'HandAsset',
    'HandAssetError',
    'HandModel',
    'load_hand_asset',
    'rotation_6d_identity',
    'rotation_6d_to_matrix',
    'svd_orthogonalize',
    'weak_perspective_project',
]
