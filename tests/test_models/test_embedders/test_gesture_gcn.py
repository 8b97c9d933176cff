"""The gesture GCN against plain loops over hands, nodes, roles and neighbours, in float64."""

import copy

import pytest
import torch
from torch.nn import functional as F

from signbert_mm.layouts import get_layout
from signbert_mm.models import GestureGCN
from signbert_mm.models.embedders import base_gesture_gcn
from signbert_mm.models.token_batch_norm import TokenBatchNorm

HAND = get_layout('hand_21')
PARTS = [list(range(1 + 4 * finger, 5 + 4 * finger)) for finger in range(5)] + [[0, 1, 5, 9, 13, 17]]
PART_EDGES = [(5, finger) for finger in range(5)]
PART_SYMMETRIC = [(finger, finger + 1) for finger in range(4)]


def neighbours(node, edges, symmetric):
    """By role: itself, closer to the wrist, further from it, symmetric."""
    return [
        [node],
        [a for a, b in edges if b == node],
        [b for a, b in edges if a == node],
        [b for a, b in symmetric if a == node] + [a for a, b in symmetric if b == node],
    ]


def convolve(hands, layer, edges, symmetric):
    """``hands``: a list of nodes' vectors for each hand.

    Layer norm is a node's own; batch norm goes over all nodes of all hands.
    """
    out = []
    for nodes in hands:
        for node in range(len(nodes)):
            total = layer.bias
            for role, others in enumerate(neighbours(node, edges, symmetric)):
                for other in others:
                    total = total + nodes[other] @ layer.weight[role] / len(others)
            out.append(total)
    out = torch.stack(out)
    if isinstance(layer.norm, torch.nn.LayerNorm):
        mean, variance = out.mean(1, keepdim=True), out.var(1, unbiased=False, keepdim=True)
    else:
        mean, variance = out.mean(0), out.var(0, unbiased=False)
    out = (out - mean) / (variance + layer.norm.eps).sqrt() * layer.norm.weight + layer.norm.bias
    out = F.relu(out)
    count = len(hands[0])
    return [[out[hand * count + node] for node in range(count)] for hand in range(len(hands))]


GRAPHS = dict(
    hand_21=(HAND.edges, HAND.symmetric_edges, PARTS, PART_EDGES, PART_SYMMETRIC),
    # nose 0, left shoulder, elbow, wrist 1 2 3, right 4 5 6; like joints of both arms are symmetric; parts:
    # left arm, right arm, nose
    trunk_7=(
        [(0, 1), (0, 4), (1, 2), (2, 3), (4, 5), (5, 6)],
        [(1, 4), (2, 5), (3, 6)],
        [[1, 2, 3], [4, 5, 6], [0]],
        [(2, 0), (2, 1)],
        [(0, 1)],
    ),
)


def reference(model, x, layout='hand_21'):
    """(N, V, 2) -> (N, C)."""
    edges, symmetric, parts, part_edges, part_symmetric = GRAPHS[layout]
    hands = [list(hand) for hand in x]
    for layer in model.joint_layers:
        hands = convolve(hands, layer, edges, symmetric)
    hands = [[torch.stack([nodes[joint] for joint in part]).amax(0) for part in parts] for nodes in hands]
    for layer in model.part_layers:
        hands = convolve(hands, layer, part_edges, part_symmetric)
    return torch.stack([torch.stack(nodes).amax(0) for nodes in hands])


def narrow(norm='LN', **changes):
    torch.manual_seed(0)
    settings = dict(
        joint_channels=(5, 7), part_channels=(6, 8), norm=norm, input_norm=False, output_norm=False, bias=True
    )
    model = GestureGCN(**{**settings, **changes}).double()
    for name, parameter in model.named_parameters():
        if 'norm' in name:  # away from 1 and 0, so that they are seen
            torch.nn.init.normal_(parameter, mean=0.5, std=0.3)
    return model


# widths that grow little and much, one layer and several: layers may be computed in different ways
@pytest.mark.parametrize(
    'joint_channels, part_channels', [((5, 7), (6, 8)), ((12, 4, 20), (3, 16)), ((6,), (40,))]
)
@pytest.mark.parametrize('norm', ['LN', 'BN'])
def test_values_and_gradients_equal_plain_loops(norm, joint_channels, part_channels):
    model = narrow(norm, joint_channels=joint_channels, part_channels=part_channels)
    x = torch.rand(4, 21, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    x[0, 3:9] = 0  # missing or masked joints
    expected = reference(model, x)
    torch.testing.assert_close(model(x), expected, rtol=1e-6, atol=1e-6)  # the graph itself is float32
    direction = torch.rand(expected.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    parameters = list(model.parameters())
    by_loops = torch.autograd.grad((expected * direction).sum(), parameters)
    by_model = torch.autograd.grad((model(x) * direction).sum(), parameters)
    for (name, _), a, b in zip(model.named_parameters(), by_model, by_loops):
        torch.testing.assert_close(
            a, b, rtol=1e-6, atol=1e-6, msg=lambda message, name=name: f'{name}: {message}'
        )


def test_without_gradients_the_values_are_the_same():
    model = narrow()
    x = torch.rand(3, 21, 2, dtype=torch.float64)
    with torch.no_grad():
        silent = model(x)
    torch.testing.assert_close(silent, model(x), rtol=1e-9, atol=1e-10)


def test_gradient_of_the_input():
    model = narrow()
    x = torch.rand(
        1, 21, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(3), requires_grad=True
    )
    assert torch.autograd.gradcheck(model, x)


def test_any_leading_axes_and_no_hand_sees_another():
    model = narrow().float()
    hands = torch.rand(3, 4, 2, 21, 2)
    out = model(hands)
    assert out.shape == (3, 4, 2, 8) == (*hands.shape[:3], model.out_channels)
    for clip, frame, hand in ((0, 0, 0), (2, 3, 1), (1, 2, 0)):
        torch.testing.assert_close(
            out[clip, frame, hand], model(hands[clip, frame, hand]), rtol=1e-5, atol=1e-6
        )


def test_both_hands_share_weights():
    model = narrow()
    hand = torch.rand(21, 2, dtype=torch.float64)
    out = model(torch.stack([hand, hand]))
    torch.testing.assert_close(out[0], out[1])


def test_a_hand_of_zeros_is_finite():
    model = narrow().float()
    hands = torch.zeros(2, 21, 2, requires_grad=True)
    model(hands).sum().backward()
    assert (
        all(parameter.grad.isfinite().all() for parameter in model.parameters())
        and hands.grad.isfinite().all()
    )


def test_every_parameter_gets_a_gradient():
    model = GestureGCN(joint_channels=(8, 8, 16), part_channels=(16, 16))
    model(torch.rand(32, 21, 2)).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in model.parameters())


def test_default_widths_are_the_reference_ones():
    model = GestureGCN()
    assert model.out_channels == 512 and len(model.joint_layers) == 3 and len(model.part_layers) == 2
    assert model(torch.rand(1, 21, 2)).shape == (1, 512)


def test_the_graph_is_not_in_the_checkpoint():
    names = {name.split('.')[-1] for name in GestureGCN(joint_channels=(4,), part_channels=(4,)).state_dict()}
    assert names == {'weight', 'bias', 'running_mean', 'running_var'}


@pytest.mark.parametrize('bias', [True, False, None])
@pytest.mark.parametrize('input_norm', [True, False])
@pytest.mark.parametrize('norm', ['BN', 'LN'])
def test_settings_are_read_from_the_names_of_weights(norm, input_norm, bias):
    model = GestureGCN(joint_channels=(4,), part_channels=(4,), norm=norm, input_norm=input_norm, bias=bias)
    weights = {f'embedder.gesture.{name}': value for name, value in model.state_dict().items()}
    bias = norm == 'LN' if bias is None else bias
    expected = dict(norm=norm, input_norm=input_norm, output_norm=True, bias=bias)
    assert GestureGCN.settings_in(weights, 'embedder.gesture.') == expected
    assert GestureGCN.settings_in(weights, 'encoder.') is None


@pytest.mark.parametrize('sync', [True, False])
def test_statistics_of_all_processes(sync):
    model = GestureGCN(joint_channels=(4,), part_channels=(4,), sync_norm=sync)
    norms = [module.sync for module in model.modules() if isinstance(module, TokenBatchNorm)]
    assert norms == [sync] * 4


def test_runs_under_autocast():
    model = narrow().float()
    hands = torch.rand(6, 21, 2)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        out = model(hands)
    torch.testing.assert_close(out.float(), model(hands), rtol=0.1, atol=0.1)
    out.sum().backward()
    in_bfloat16 = {name: parameter.grad for name, parameter in model.named_parameters()}
    model.zero_grad()
    model(hands).sum().backward()
    for name, parameter in model.named_parameters():
        assert in_bfloat16[name].dtype == torch.float32
        assert (in_bfloat16[name] - parameter.grad).norm() < 0.15 * parameter.grad.norm(), name


def test_a_wrong_joint_count_names_both():
    with pytest.raises(ValueError, match='GestureGCN: 20 joints found, but the layout has 21'):
        narrow()(torch.rand(2, 20, 2, dtype=torch.float64))


def test_an_unknown_norm():
    with pytest.raises(ValueError, match="norm must be 'LN' or 'BN', got 'GN'"):
        GestureGCN(norm='GN')


@pytest.mark.parametrize('norm, bias', [('LN', True), ('BN', True), ('BN', False)])
def test_the_trunk_equals_plain_loops(norm, bias):
    model = narrow(norm, layout='trunk_7', bias=bias)
    x = torch.rand(5, 7, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(model(x), reference(model, x, 'trunk_7'), rtol=1e-6, atol=1e-6)
    assert any(name.endswith('layers.0.bias') for name, _ in model.named_parameters()) == bias


def test_batch_norm_of_the_input_is_a_coordinate_of_a_joint():
    model = narrow('BN', input_norm=True)
    x = torch.rand(6, 21, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    scale, shift = model.input_norm.weight.view(21, 2), model.input_norm.bias.view(21, 2)
    normed = (x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-5).sqrt() * scale + shift
    torch.testing.assert_close(model(x), reference(model, normed), rtol=1e-6, atol=1e-6)


def test_batch_norm_of_the_result_is_a_channel_of_a_hand():
    model = narrow('BN', output_norm=True)
    x = torch.rand(6, 21, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    hands = reference(model, x)
    normed = (hands - hands.mean(0)) / (hands.var(0, unbiased=False) + 1e-5).sqrt()
    expected = normed * model.output_norm.weight + model.output_norm.bias
    torch.testing.assert_close(model(x), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('layout, joints', [('hand_21', 21), ('trunk_7', 7)])
def test_what_is_not_valid_is_zero_and_not_in_the_statistics(layout, joints):
    model = narrow('BN', layout=layout, input_norm=True, output_norm=True, bias=False)
    x = torch.rand(2, 4, joints, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    valid = torch.tensor([[True, False, True, True], [False, True, True, False]])
    out = model(x * valid[..., None, None], valid)
    torch.testing.assert_close(out[valid], model(x[valid]))
    assert not out[~valid].any()


@pytest.mark.parametrize('training', [True, False])
@pytest.mark.parametrize('count', [0, 1, 7, 12])
def test_leaving_hands_out_before_equals_leaving_them_out_behind(count, training, monkeypatch):
    """On a CPU they are not computed; on a GPU they are, and made 0."""
    torch.manual_seed(3)
    model = narrow('BN').double().train(training)
    other = copy.deepcopy(model)
    hands, valid = torch.rand(3, 4, 21, 2).double(), (torch.randperm(12) < count).view(3, 4)
    weight = torch.rand(3, 4, model.out_channels).double()
    mine = hands.clone().requires_grad_()
    (model(mine, valid) * weight).sum().backward()
    monkeypatch.setattr(base_gesture_gcn, 'can_select_rows', lambda x: False)
    theirs = hands.clone().requires_grad_()
    (other(theirs, valid) * weight).sum().backward()
    torch.testing.assert_close(model(hands, valid), other(hands, valid))
    torch.testing.assert_close(mine.grad, theirs.grad)
    for (name, one), (_, two) in zip(model.named_parameters(), other.named_parameters()):
        torch.testing.assert_close(one.grad, two.grad, msg=name)
    for one, two in zip(model.buffers(), other.buffers()):
        torch.testing.assert_close(one, two)


def test_a_layout_that_is_neither():
    with pytest.raises(KeyError, match='thumb'):
        GestureGCN(layout='hands_42')
