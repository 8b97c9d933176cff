"""Equations 2 to 5, each recomputed in float64."""

import pytest
import torch

from signbert_mm.models import HandModelDecoder

WIDTH = 8
ROTATIONS = ('6d', 'svd', 'none')


def decoder(rotation='6d', spread=0.3, **changes):
    torch.manual_seed(0)
    return HandModelDecoder(in_channels=WIDTH, rotation=rotation, init_std=spread, **changes)


def tokens(*shape, seed=1):
    return torch.randn(*shape, WIDTH, generator=torch.Generator().manual_seed(seed))


def rotation_of(raw, mode):
    """c_r of one token, float64."""
    if mode == '6d':
        a, b = raw[:3], raw[3:]
        first = a / a.norm()
        b = b - (b @ first) * first
        second = b / b.norm()
        return torch.stack([first, second, torch.linalg.cross(first, second)], dim=1)
    matrix = raw.view(3, 3)
    if mode == 'none':
        return matrix
    u, _, vh = torch.linalg.svd(matrix)
    return (
        u
        @ torch.diag(torch.tensor([1.0, 1.0, float(torch.linalg.det(u @ vh).detach())], dtype=raw.dtype))
        @ vh
    )


@pytest.mark.parametrize('mode', ROTATIONS)
def test_equations_2_to_5(mode):
    model = decoder(mode)
    x = tokens(5)
    out = model(x)
    size = 6 if mode == '6d' else 9
    for row in range(5):
        raw = model.fc.weight.double() @ x[row].double() + model.fc.bias.double()
        assert len(raw) == 25 + 10 + size + 2 + 1
        theta, beta, rotation, offset, scale = raw.split([25, 10, size, 2, 1])
        turn = rotation_of(rotation, mode)
        joints = model.hand_model.joints(theta.float(), beta.float()).double()
        for key, expected in dict(theta=theta, beta=beta, rotation=turn, offset=offset, scale=scale).items():
            torch.testing.assert_close(out[key][row].double(), expected, rtol=1e-4, atol=1e-5)
        for joint in range(21):
            turned = turn @ joints[joint]
            torch.testing.assert_close(out['joints3d'][row, joint].double(), turned, rtol=1e-4, atol=1e-6)
            torch.testing.assert_close(
                out['joints2d'][row, joint].double(), scale * turned[:2] + offset, rtol=1e-4, atol=1e-5
            )


@pytest.mark.parametrize('mode', ROTATIONS)
def test_one_fully_connected_layer_is_all_that_learns(mode):
    assert [name for name, _ in decoder(mode).named_parameters()] == ['fc.weight', 'fc.bias']


@pytest.mark.parametrize('mode', ROTATIONS)
def test_the_first_output_is_a_hand_that_fills_the_crop(mode):
    out = decoder(mode, spread=0.0)(tokens(2, 3))
    joints = out['joints2d'][0, 0]
    low, high = joints.amin(0), joints.amax(0)
    torch.testing.assert_close((low + high) / 2, torch.full((2,), 0.5))
    # as HandCrop leaves it: padding 2.2
    assert float((high - low).max().detach()) == pytest.approx(1 / 2.2, rel=1e-4)
    torch.testing.assert_close(out['rotation'], torch.eye(3).expand(2, 3, 3, 3))
    assert not out['theta'].any() and not out['beta'].any()
    # and with the first weights as they are in training, about so
    near = HandModelDecoder(in_channels=512, rotation=mode)(torch.randn(10, 512))['joints2d']
    assert (near - joints).abs().max() < 0.1


@pytest.mark.parametrize('mode', ['6d', 'svd'])
def test_rotations_are_rotations(mode):
    turn = decoder(mode, spread=1.0)(tokens(50))['rotation'].double()
    torch.testing.assert_close(turn @ turn.mT, torch.eye(3).double().expand(50, 3, 3), rtol=0, atol=1e-5)
    torch.testing.assert_close(torch.linalg.det(turn), torch.ones(50).double(), rtol=0, atol=1e-5)


def test_without_a_mode_the_matrix_stays_raw():
    turn = decoder('none', spread=1.0)(tokens(50))['rotation']
    assert (turn @ turn.mT - torch.eye(3)).abs().max() > 0.5


@pytest.mark.parametrize('mode', ROTATIONS)
def test_gradients_are_finite_from_the_first_step(mode):
    model = decoder(mode, spread=0.0)
    x = tokens(4).requires_grad_()
    (model(x)['joints2d'] - torch.rand(4, 21, 2)).square().sum().backward()
    assert (
        model.fc.weight.grad.isfinite().all()
        and model.fc.bias.grad.isfinite().all()
        and x.grad.isfinite().all()
    )
    theta, beta, rotation, offset, scale = model.fc.bias.grad.split(model.sizes)
    assert all(part.any() for part in (theta, beta, rotation, offset, scale))


@pytest.mark.parametrize('mode', ROTATIONS)
def test_float32_under_autocast(mode):
    model, x = decoder(mode), tokens(6).bfloat16()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        out = model(x, mesh=True)
    expected = model(x.float(), mesh=True)
    for key, value in out.items():
        assert value.dtype == torch.float32, key
        assert torch.equal(value, expected[key]), key


def test_mesh_and_joints_route_agree():
    model, x = decoder(), tokens(2, 3)
    joints, mesh = model(x), model(x, mesh=True)
    assert mesh['vertices'].shape == (2, 3, 778, 3) and 'vertices' not in joints
    for key, value in joints.items():
        torch.testing.assert_close(
            mesh[key], value, rtol=1e-4, atol=1e-6, msg=lambda message, key=key: f'{key}: {message}'
        )
    # vertices are in the camera's axes: the fingertips on them are the joints
    vertices, _ = model.hand_model.mesh(mesh['theta'], mesh['beta'])
    for vertex in (0, 333, 777):
        expected = (mesh['rotation'].double() @ vertices[..., vertex, :, None].double()).squeeze(-1)
        torch.testing.assert_close(mesh['vertices'][..., vertex, :].double(), expected, rtol=1e-4, atol=1e-6)


def test_another_number_of_pose_coefficients():
    model = decoder(hand_model=dict(type='HandModel', asset='free', num_pca=6))
    assert model(tokens(2))['theta'].shape == (2, 6) and model.fc.out_features == 6 + 10 + 6 + 2 + 1


def test_the_checkpoint_holds_no_hand():
    state = decoder().state_dict()
    assert (
        set(state) == {'fc.weight', 'fc.bias', 'hand_model._extra_state'}
        and state['hand_model._extra_state'].numel() < 200
    )
    decoder().load_state_dict(state)


def test_an_unknown_rotation():
    with pytest.raises(ValueError, match=r"HandModelDecoder: rotation must be one of .*'6d'.*got 'euler'"):
        HandModelDecoder(rotation='euler')


def test_a_raw_matrix_may_be_a_reflection_that_2d_does_not_see():
    torch.manual_seed(0)
    decoder = HandModelDecoder(in_channels=8, rotation='none', init_std=0.02)
    first = decoder.sizes[0] + 10
    tokens = torch.randn(4, 8)
    out = decoder(tokens)
    out['joints2d'].sum().backward()
    rows = decoder.fc.weight.grad[first : first + 9].view(3, 3, -1)
    assert rows[:2].any() and not rows[2].any()
    with torch.no_grad():
        decoder.fc.weight[first + 6 : first + 9] *= -1
        decoder.fc.bias[first + 6 : first + 9] *= -1
    mirrored = decoder(tokens)
    assert (torch.linalg.det(mirrored['rotation']) < 0).all()
    assert torch.equal(mirrored['joints2d'], out['joints2d'])
    torch.testing.assert_close(mirrored['joints3d'], out['joints3d'] * torch.tensor([1.0, 1.0, -1.0]))
