"""manopth needs chumpy, which Python 3.11 cannot build: a stand-in with its documented interface takes its
place here.
"""

import pickle
import sys
import types

import numpy as np
import pytest
import torch
from torch import nn

from signbert_mm.hand_models import HandAssetError, HandModel, load_hand_asset

MANOPTH_TIPS = [745, 317, 444, 556, 673]  # thumb, index, middle, ring, little
MANOPTH_ORDER = [0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20]


class FakeManoLayer(nn.Module):
    """(theta with 3 numbers of orientation before it, beta) -> vertices (N, 778, 3) and joints (N, 21, 3),
    millimetres.
    """

    def __init__(
        self, center_idx, flat_hand_mean, ncomps, side, mano_root, use_pca, root_rot_mode, joint_rot_mode
    ):
        super().__init__()
        assert (center_idx, flat_hand_mean, side, use_pca, root_rot_mode, joint_rot_mode) == (
            None,
            False,
            'right',
            True,
            'axisang',
            'axisang',
        )
        self.native = HandModel('mano', mano_root, num_pca=ncomps)
        # manopth's buffers are saved with a checkpoint
        self.register_buffer('th_v_template', torch.zeros(1, 778, 3))

    def forward(self, th_pose_coeffs, th_betas):
        assert (th_pose_coeffs[:, :3] == 0).all()
        vertices, joints = self.native.mesh(th_pose_coeffs[:, 3:], th_betas)
        mano = torch.cat(
            (joints[:, [0, 5, 6, 7, 9, 10, 11, 17, 18, 19, 13, 14, 15, 1, 2, 3]], vertices[:, MANOPTH_TIPS]),
            1,
        )
        return 1000 * vertices, 1000 * mano[:, MANOPTH_ORDER]


@pytest.fixture
def manopth(monkeypatch):
    package, module = types.ModuleType('manopth'), types.ModuleType('manopth.manolayer')
    module.ManoLayer = FakeManoLayer
    monkeypatch.setitem(sys.modules, 'manopth', package)
    monkeypatch.setitem(sys.modules, 'manopth.manolayer', module)


def test_same_outputs_as_native(manopth, write_mano):
    path = write_mano()
    theirs, ours = (HandModel('mano', path, num_pca=9, backend=backend) for backend in ('manopth', 'native'))
    theta, beta = torch.randn(2, 3, 9, requires_grad=True), torch.randn(2, 3, 10, requires_grad=True)
    for found, wanted in zip(
        (*theirs.mesh(theta, beta), theirs.joints(theta, beta)),
        (*ours.mesh(theta, beta), ours.joints(theta, beta)),
    ):
        torch.testing.assert_close(found, wanted, atol=1e-6, rtol=0)
    theirs.joints(theta, beta).sum().backward()
    assert theta.grad.abs().max() > 0 and beta.grad.abs().max() > 0
    assert theirs.faces.shape == (1538, 3)


def test_checkpoint_holds_no_mano_data(manopth, write_mano):
    path = write_mano()
    model = HandModel('mano', path, backend='manopth')
    assert not any(value.numel() > 100 for value in model.state_dict().values())
    assert '_extra_state' in model.state_dict() and not [p for p in model.parameters() if p.requires_grad]
    ours = HandModel('mano', path)
    ours.load_state_dict({'_extra_state': model.state_dict()['_extra_state']})


def test_absent_package_says_how_to_install_it(monkeypatch, write_mano):
    monkeypatch.setitem(sys.modules, 'manopth', None)
    with pytest.raises(
        ImportError,
        match=r'pip install git\+https://github.com/hassony2/manopth '
        r".*backend='native'",
    ):
        HandModel('mano', write_mano(), backend='manopth')


def test_only_with_manos_own_asset_and_name(manopth, free, write_mano, tmp_path):
    with pytest.raises(HandAssetError, match="runs asset 'mano' only, but asset 'free'"):
        HandModel('free', backend='manopth')
    with pytest.raises(HandAssetError, match='only a file named MANO_RIGHT.pkl'):
        HandModel('mano', write_mano(tmp_path / 'right.pkl'), backend='manopth')


def test_a_file_that_is_refused_never_reaches_manopth(manopth, tmp_path):
    path = tmp_path / 'MANO_RIGHT.pkl'
    path.write_bytes(pickle.dumps(np.load, protocol=2))
    with pytest.raises(HandAssetError, match='refused'):
        HandModel(load_hand_asset('mano', path), path, backend='manopth')
