"""The hand layer: our two routes, smplx's MANO and manopth, all on the free hand's arrays."""

import importlib
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Dict, Optional, Sequence, Tuple

import torch
from hand_model import Route, mesh_route, smplx_route
from torch import Tensor

from benchmarks.peer_parts.report import Report
from signbert_mm.hand_models import HandAsset, HandModel, load_hand_asset

# the 16 joints of MANO and the tips of thumb, index, middle, ring, little, in COCO-WholeBody's order
SMPLX_TO_COCO = [0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20]
COCO_TIPS = [4, 8, 12, 16, 20]


def mano_dict(asset: HandAsset) -> dict:
    """The asset as manopth's ``ready_arguments`` gives MANO's file: a chumpy array has its numbers in ``r``,
    the sparse regressor has ``toarray``.
    """
    arrays = dict(
        shapedirs=asset.shape_basis,
        posedirs=asset.pose_basis,
        v_template=asset.template,
        weights=asset.skinning,
    )
    return dict(
        {name: SimpleNamespace(r=array.copy()) for name, array in arrays.items()},
        betas=SimpleNamespace(r=[0.0] * asset.shape_basis.shape[-1]),
        J_regressor=SimpleNamespace(toarray=lambda: asset.joint_regressor),
        f=asset.faces.copy(),
        hands_components=asset.pca.copy(),
        hands_mean=asset.mean.copy(),
        kintree_table=torch.tensor([asset.parents, range(16)]).numpy(),
    )


def manopth_route(folder: str, asset: HandAsset, num_pca: int) -> Route:
    """manopth's layer on the asset, giving 21 joints in COCO's order and metres, with the asset's fingertip
    vertices.

    Only its reader of MANO's file, which needs chumpy, is replaced.
    """
    sys.path.insert(0, str(Path(folder).resolve()))
    try:
        manolayer = importlib.import_module('manopth.manolayer')
    finally:
        sys.path.pop(0)
    manolayer.ready_arguments = lambda path: mano_dict(asset)
    layer = manolayer.ManoLayer(
        center_idx=None,
        flat_hand_mean=False,
        ncomps=num_pca,
        side='right',
        use_pca=True,
        root_rot_mode='axisang',
        joint_rot_mode='axisang',
    )
    tips, places = list(asset.tip_ids), torch.tensor(COCO_TIPS)

    def route(theta: Tensor, beta: Tensor) -> Tensor:
        vertices, joints = layer(torch.cat((theta.new_zeros(len(theta), 3), theta), 1), beta)
        return joints.index_copy(1, places, vertices[:, tips]) / 1000

    return route


def gradient(route: Route, theta: Tensor, beta: Tensor, weight: Tensor) -> Tuple[Tensor, ...]:
    return torch.autograd.grad((route(theta, beta) * weight).sum(), (theta, beta))


def compare(report: Report, batches: Sequence[int], num_pca: int, manopth: Optional[str]) -> None:
    """Forward, and forward + backward to theta and beta, for each number of hands."""
    asset = load_hand_asset('free')
    model = HandModel(asset, num_pca=num_pca)
    for batch in batches:
        generator = torch.Generator().manual_seed(0)
        theta, beta = (0.5 * torch.randn(batch, n, generator=generator) for n in (num_pca, 10))
        weight = torch.randn(batch, 21, 3, generator=generator)
        routes: Dict[str, Route] = {'joints route': model.joints, 'mesh route': mesh_route(model)}
        ours = list(routes)
        try:
            routes['smplx'] = smplx_route(asset, num_pca, batch, torch.device('cpu'))
        except ImportError as error:
            report.leave_out(f'smplx ({error})')
        if manopth:
            routes['manopth'] = manopth_route(manopth, asset, num_pca)
        else:
            report.leave_out('manopth (no --manopth DIR)')
        with torch.no_grad():
            joints = {name: route(theta, beta) for name, route in routes.items()}
        if 'smplx' in joints:
            joints['smplx'] = joints['smplx'][:, SMPLX_TO_COCO]
        for name, given in joints.items():
            if name != 'joints route':
                apart = 1000 * float((given - joints['joints route']).norm(dim=-1).max())
                report.agree(
                    f'hand: {name}, {batch:,} hands: farthest joint from the joints route, mm', apart
                )
        calls = {name: partial(torch.no_grad()(route), theta, beta) for name, route in routes.items()}
        report.compare('hand', f'{batch:,} hands, forward', calls, ours)
        leaves = theta.clone().requires_grad_(), beta.clone().requires_grad_()
        calls = {name: partial(gradient, route, *leaves, weight) for name, route in routes.items()}
        report.compare('hand', f'{batch:,} hands, forward + backward', calls, ours)
