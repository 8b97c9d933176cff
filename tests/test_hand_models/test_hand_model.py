"""Against MANO's function written out for one hand at a time, in float64."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from signbert_mm.hand_models import TO_COCO, HandModel
from signbert_mm.hand_models.asset import OLDER_FREE_HASHES
from signbert_mm.registry import MODELS

# index, middle, ring, little, thumb, out of thumb, index, middle, ring, little
TIPS_IN_MANO_ORDER = (1, 2, 3, 4, 0)


def rodrigues(vector):
    angle = np.linalg.norm(vector)
    if angle == 0:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def plain_mano(asset, theta, beta):
    """Vertices (778, 3) and joints (21, 3) of one hand."""
    pose = (asset.mean + theta @ asset.pca[: len(theta)]).reshape(15, 3)
    rotations = [np.eye(3)] + [rodrigues(vector) for vector in pose]
    shaped = asset.template + asset.shape_basis @ beta
    joints = asset.joint_regressor @ shaped
    corrected = shaped + asset.pose_basis @ np.concatenate(
        [(rotation - np.eye(3)).reshape(-1) for rotation in rotations[1:]]
    )
    world = []
    for joint, parent in enumerate(asset.parents):
        local = np.eye(4)
        local[:3, :3] = rotations[joint]
        local[:3, 3] = joints[joint] - (joints[parent] if parent >= 0 else 0)
        world.append(local if parent < 0 else world[parent] @ local)
    vertices = np.zeros_like(corrected)
    for joint in range(16):
        moved = (corrected - joints[joint]) @ world[joint][:3, :3].T + world[joint][:3, 3]
        vertices += asset.skinning[:, joint, None] * moved
    posed = np.concatenate(
        [
            np.stack([transform[:3, 3] for transform in world]),
            vertices[[asset.tip_ids[i] for i in TIPS_IN_MANO_ORDER]],
        ]
    )
    return vertices, posed[list(TO_COCO)]


def exact(asset, num_pca):
    """A model whose buffers are the asset's float64 numbers, not rounded to float32 first."""
    default = torch.get_default_dtype()
    model = HandModel(asset, num_pca=num_pca)
    for name, buffer in list(model._buffers.items()):
        if buffer.is_floating_point():
            model._buffers[name] = buffer.double()
    assert torch.get_default_dtype() == default
    return model


def random_asset(free, outside):
    """The free hand with random axes and correctives, its tips pulled by their whole finger, the wrist and,
    with ``outside``, by every joint.
    """
    rng = np.random.RandomState(0)
    skinning = free.skinning.copy()
    for first, tip in zip((13, 1, 4, 10, 7), free.tip_ids):
        row = np.zeros(16)
        row[[0, first, first + 1, first + 2]] = rng.rand(4)
        row = row + outside * rng.rand(16)
        skinning[tip] = row / row.sum()
    pca = np.linalg.qr(rng.randn(45, 45))[0]
    return replace(
        free,
        skinning=skinning,
        pca=pca,
        pose_basis=free.pose_basis + 2e-4 * rng.randn(778, 3, 135),
        mean=0.2 * rng.randn(45),
    )


@pytest.fixture(params=['free', 'own finger', 'every joint'])
def asset(request, free):
    return free if request.param == 'free' else random_asset(free, request.param == 'every joint')


def coefficients(*lead, num_pca=25, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (
        0.7 * torch.randn(*lead, num_pca, generator=generator, dtype=torch.float64).to(dtype),
        torch.randn(*lead, 10, generator=generator, dtype=torch.float64).to(dtype),
    )


@pytest.mark.parametrize('num_pca', [1, 25, 45])
def test_both_routes_equal_the_plain_function(asset, num_pca):
    model = exact(asset, num_pca)
    theta, beta = coefficients(3, num_pca=num_pca)
    vertices, joints = model.mesh(theta, beta)
    short = model.joints(theta, beta)
    for i in range(3):
        plain_vertices, plain_joints = plain_mano(asset, theta[i].numpy(), beta[i].numpy())
        np.testing.assert_allclose(vertices[i], plain_vertices, atol=2e-6)
        np.testing.assert_allclose(joints[i], plain_joints, atol=2e-6)
        np.testing.assert_allclose(short[i], plain_joints, atol=2e-6)
    torch.testing.assert_close(short, joints, atol=1e-9, rtol=0)
    assert model.tips_follow_own_finger == (asset.skinning[asset.tip_ids[0], 1] == 0)


def test_equals_smplx(free):
    smplx = pytest.importorskip('smplx')
    from smplx.utils import Struct

    data = Struct(
        v_template=free.template,
        f=free.faces,
        J_regressor=free.joint_regressor,
        weights=free.skinning,
        shapedirs=free.shape_basis,
        posedirs=free.pose_basis,
        hands_components=free.pca,
        hands_mean=free.mean,
        kintree_table=np.array([free.parents, range(16)]),
    )
    layer = smplx.MANO(
        '',
        data_struct=data,
        is_rhand=True,
        use_pca=True,
        num_pca_comps=25,
        flat_hand_mean=False,
        batch_size=6,
    )
    theta, beta = coefficients(6, dtype=torch.float32)
    theirs = layer(betas=beta, hand_pose=theta, global_orient=torch.zeros(6, 3))
    vertices, joints = HandModel(free).mesh(theta, beta)
    torch.testing.assert_close(vertices, theirs.vertices, atol=1e-6, rtol=0)
    tips = theirs.vertices[:, [free.tip_ids[i] for i in TIPS_IN_MANO_ORDER]]
    torch.testing.assert_close(
        joints, torch.cat((theirs.joints[:, :16], tips), 1)[:, list(TO_COCO)], atol=1e-6, rtol=0
    )


@pytest.mark.parametrize('lead', [(), (1,), (4,), (2, 3), (2, 3, 2), (0,)])
def test_any_leading_shape(free, lead):
    model = HandModel(free)
    theta, beta = coefficients(*lead, dtype=torch.float32)
    joints = model.joints(theta, beta)
    vertices, same = model.mesh(theta, beta)
    assert joints.shape == same.shape == (*lead, 21, 3) and vertices.shape == (*lead, 778, 3)
    torch.testing.assert_close(joints, same, atol=1e-6, rtol=0)
    if lead == (2, 3):
        torch.testing.assert_close(joints[1, 2], model.joints(theta[1, 2], beta[1, 2]), atol=1e-7, rtol=0)


def test_gradients(asset):
    model = exact(asset, 6)
    theta, beta = (part.requires_grad_() for part in coefficients(2, num_pca=6))
    assert gradcheck(model.joints, (theta, beta))
    assert gradcheck(lambda t, b: model.mesh(t, b)[0][:, ::97], (theta, beta))


def test_gradient_at_angle_zero_is_the_numeric_one(free):
    model = exact(free, 45)
    zero_pose = torch.tensor(-free.mean @ free.pca.T)[None]
    pose = (model.pose_mean + model.pose_axes @ zero_pose.T).abs().max()
    assert pose < 1e-6
    assert gradcheck(lambda t: model.joints(t, torch.zeros(1, 10)), zero_pose.requires_grad_(), atol=1e-5)
    flat = HandModel(replace(free, mean=np.zeros(45)))
    theta = torch.zeros(3, 25, requires_grad=True)
    flat.joints(theta, torch.zeros(3, 10)).square().sum().backward()
    assert torch.isfinite(theta.grad).all() and theta.grad.abs().max() > 0


@pytest.mark.parametrize('scale', [1e-9, 1e-6, 1e-4, 1e-3, 3.14159, 6.4])
def test_every_size_of_angle_in_float32(free, scale):
    asset = replace(free, mean=np.zeros(45))
    theta = torch.full((1, 1), scale, requires_grad=True)
    joints = HandModel(asset, num_pca=1).joints(theta, torch.zeros(1, 10))
    np.testing.assert_allclose(
        joints[0].detach(), plain_mano(asset, np.array([scale]), np.zeros(10))[1], atol=1e-6
    )
    joints.sum().backward()
    assert torch.isfinite(theta.grad).all()


def test_autocast_changes_nothing(free):
    model = HandModel(free)
    theta, beta = coefficients(5, dtype=torch.float32)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        inside, (vertices, joints) = model.joints(theta, beta), model.mesh(theta, beta)
    assert inside.dtype == vertices.dtype == joints.dtype == torch.float32
    torch.testing.assert_close(inside, model.joints(theta, beta), atol=0, rtol=0)
    assert model.joints(theta.bfloat16(), beta.bfloat16()).dtype == torch.float32


def test_compiles_in_one_graph(free):
    model = HandModel(free)
    compiled = torch.compile(model.joints, backend='eager', fullgraph=True)
    theta, beta = coefficients(4, dtype=torch.float32)
    torch.testing.assert_close(compiled(theta, beta), model.joints(theta, beta))


def test_checkpoint_holds_name_and_hash_only(free, tmp_path):
    model = HandModel(free)
    state = model.state_dict()
    assert list(state) == ['_extra_state'] and not list(model.parameters())
    assert all(isinstance(value, torch.Tensor) for value in state.values())  # mmengine broadcasts each value
    torch.save(state, tmp_path / 'model.pth')
    assert (tmp_path / 'model.pth').stat().st_size < 4096
    loaded = torch.load(tmp_path / 'model.pth', weights_only=True)
    assert bytes(loaded['_extra_state'].tolist()).decode() == f'free:{free.hash}'
    HandModel(free, num_pca=10).load_state_dict(loaded)


def test_checkpoint_of_another_asset_is_refused(free, write_mano):
    saved = HandModel('mano', write_mano()).state_dict()
    with pytest.raises(
        ValueError,
        match=f"trained with hand asset 'mano:.*but the config builds 'free:{free.hash}'.*set asset='mano'",
    ):
        HandModel(free).load_state_dict(saved, strict=False)


@pytest.fixture
def printed(monkeypatch):
    lines = []
    monkeypatch.setattr(
        'signbert_mm.hand_models.hand_model.print_log', lambda line, **rest: lines.append(line)
    )
    return lines


def saved_as(name: str) -> dict:
    return {'_extra_state': torch.tensor(list(name.encode()), dtype=torch.uint8)}


@pytest.mark.parametrize('digest', OLDER_FREE_HASHES)
def test_older_build_of_the_free_hand_loads_with_one_line(free, printed, digest):
    HandModel(free).load_state_dict(saved_as(f'free:{digest}'))
    assert len(printed) == 1
    assert 'older build of the free hand' in printed[0] and digest in printed[0] and free.hash in printed[0]


def test_same_build_says_nothing(free, printed):
    HandModel(free).load_state_dict(saved_as(f'free:{free.hash}'))
    assert printed == []


@pytest.mark.parametrize(
    'name', ['free:0123456789abcdef', f'mano:{OLDER_FREE_HASHES[0]}', OLDER_FREE_HASHES[0], 'free:']
)
def test_unknown_hash_is_refused(free, name):
    with pytest.raises(
        ValueError, match=f"trained with hand asset '{name}', but the config builds 'free:{free.hash}'"
    ):
        HandModel(free).load_state_dict(saved_as(name))


def test_older_hash_is_no_pass_for_a_changed_hand(free):
    other = HandModel(replace(free, template=free.template * 1.01))
    with pytest.raises(ValueError, match="two different 'free' hands: use the signbert_mm of that training"):
        other.load_state_dict(saved_as(f'free:{OLDER_FREE_HASHES[0]}'))


def test_two_mano_files_ask_for_the_file(write_mano):
    model = HandModel('mano', write_mano())
    with pytest.raises(ValueError, match='give the MANO_RIGHT.pkl of that training'):
        model.load_state_dict(saved_as('mano:0123456789abcdef'))


def test_built_from_a_config():
    model = MODELS.build(dict(type='HandModel', num_pca=12))
    assert model.asset.name == 'free' and model.joints(torch.zeros(1, 12), torch.zeros(1, 10)).shape == (
        1,
        21,
        3,
    )
    assert model.faces.shape == (1538, 3)
    assert 'asset=free, num_pca=12, backend=native' in repr(model)


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(num_pca=0), 'num_pca must be in 1..45, got 0'),
        (dict(num_pca=46), '46'),
        (dict(backend='mano'), 'known: native, manopth'),
    ],
)
def test_wrong_arguments(changes, message):
    with pytest.raises(ValueError, match=message):
        HandModel(**changes)


@pytest.mark.parametrize(
    'theta, beta, message',
    [
        ((2, 45), (2, 10), 'theta has 45 coefficients, but this hand model takes 25'),
        ((2, 25), (2, 16), 'beta has 16 coefficients, but this hand model takes 10'),
        ((2, 25), (3, 10), r'theta is of shape \(2, 25\) and beta of \(3, 10\)'),
    ],
)
def test_wrong_coefficients(free, theta, beta, message):
    with pytest.raises(ValueError, match=message):
        HandModel(free).joints(torch.zeros(theta), torch.zeros(beta))
