"""The residual graph blocks against plain loops over hands, nodes, roles and neighbours, in float64."""

import pytest
import torch
from torch.nn import functional as F

from signbert_mm.models import ResidualGestureGCN
from signbert_mm.models.embedders import base_gesture_gcn
from signbert_mm.models.token_batch_norm import TokenBatchNorm

_FINGERS = [[1 + 4 * finger + joint for joint in range(4)] for finger in range(5)]
_HAND_EDGES = [edge for finger in _FINGERS for edge in zip([0, *finger], finger)]
_HAND_SYMMETRIC = [pair for a, b in zip(_FINGERS, _FINGERS[1:]) for pair in zip(a, b)]
GRAPHS = dict(
    # finger parts without their roots, which lie in the palm
    hand_21=dict(
        joints=(_HAND_EDGES, _HAND_SYMMETRIC, []),
        parts=[*(finger[1:] for finger in _FINGERS), [0, 1, 5, 9, 13, 17]],
        part_graph=([(5, finger) for finger in range(5)], [(finger, finger + 1) for finger in range(4)], []),
    ),
    # nose 0, left arm, right arm; the nose's edge to the left arm counts as a neighbour and has no role
    trunk_7=dict(
        joints=([(0, 1), (0, 4), (1, 2), (2, 3), (4, 5), (5, 6)], [(1, 4), (2, 5), (3, 6)], []),
        parts=[[1, 2, 3], [4, 5, 6], [0]],
        part_graph=(None, [(0, 1)], [(0, 2)]),
    ),
)


def norm(rows, layer):
    """Batch norm over a list of vectors."""
    rows = torch.stack(rows)
    mean, variance = rows.mean(0), rows.var(0, unbiased=False)
    return list((rows - mean) / (variance + layer.eps).sqrt() * layer.weight + layer.bias)


def run_block(hands, block, edges, symmetric, no_role):
    """``hands``: a list of nodes' vectors for each hand."""
    count = len(hands[0])
    taken = []
    for nodes in hands:
        for node in range(count):
            by_role = [
                [node],
                [a for a, b in edges or () if b == node],
                [b for a, b in edges or () if a == node],
                [b for a, b in symmetric if a == node] + [a for a, b in symmetric if b == node],
            ]
            neighbours = sum(map(len, by_role)) + sum(node in edge for edge in no_role)
            roles = by_role if edges is not None else [by_role[0], by_role[3]]
            total = 0
            for role, others in enumerate(roles):
                for other in others:
                    total = (
                        total + (nodes[other] @ block.conv.weight[role] + block.conv.bias[role]) / neighbours
                    )
            taken.append(total)
    rows = [F.relu(row) @ block.project.weight.t() for row in norm(taken, block.conv.norm)]
    rows = norm(rows, block.norm)
    if block.residual:
        came = [node for nodes in hands for node in nodes]
        if block.shortcut is not None:
            came = norm([row @ block.shortcut.weight.t() for row in came], block.shortcut_norm)
        rows = [row + other for row, other in zip(rows, came)]
    rows = [F.relu(row) for row in rows]
    return [rows[hand * count : (hand + 1) * count] for hand in range(len(hands))]


def reference(model, x, layout):
    """(N, V, 2) -> (N, C)."""
    graph = GRAPHS[layout]
    rows = torch.stack(norm(list(x.flatten(1)), model.input_norm)).view_as(x)
    hands = [list(hand) for hand in rows]
    for block in model.joint_blocks:
        hands = run_block(hands, block, *graph['joints'])
    hands = [
        [torch.stack([nodes[joint] for joint in part]).amax(0) for part in graph['parts']] for nodes in hands
    ]
    for block in model.part_blocks:
        hands = run_block(hands, block, *graph['part_graph'])
    return torch.stack([torch.stack(nodes).amax(0) for nodes in hands])


def narrow(layout='hand_21', **changes):
    torch.manual_seed(0)
    options = dict(joint_channels=(4, 4, 6), part_channels=(8, 8), dropout=0.0, layout=layout)
    model = ResidualGestureGCN(**{**options, **changes}).double()
    for name, parameter in model.named_parameters():
        if 'norm' in name:
            torch.nn.init.normal_(parameter, mean=0.5, std=0.3)
    return model


@pytest.mark.parametrize('layout', GRAPHS)
def test_equals_loops(layout):
    model, x = narrow(layout), torch.rand(3, 21 if layout == 'hand_21' else 7, 2, dtype=torch.float64)
    torch.testing.assert_close(model(x), reference(model, x, layout))


@pytest.mark.parametrize('layout', GRAPHS)
@pytest.mark.parametrize('selects', [True, False])
def test_what_is_not_valid_is_left_out(monkeypatch, layout, selects):
    monkeypatch.setattr(base_gesture_gcn, 'can_select_rows', lambda x: selects)
    model, x = narrow(layout), torch.rand(2, 3, 21 if layout == 'hand_21' else 7, 2, dtype=torch.float64)
    valid = torch.tensor([[1, 0, 1], [0, 1, 1]], dtype=torch.bool)
    found = model(x.masked_fill(~valid[..., None, None], 9.0), valid)
    torch.testing.assert_close(found[valid], reference(model, x[valid], layout))
    assert not found[~valid].any() and (found >= 0).all()


@pytest.mark.parametrize('layout', GRAPHS)
def test_every_parameter_gets_a_gradient(layout):
    model = narrow(layout)
    model(torch.rand(9, model.num_joints, 2, dtype=torch.float64)).square().sum().backward()
    assert all(parameter.grad.any() for parameter in model.parameters())


def test_dropout_is_in_each_block_twice_and_off_in_evaluation():
    model, x = narrow(dropout=0.5), torch.rand(4, 21, 2, dtype=torch.float64)
    assert not torch.equal(model(x), model(x))
    torch.testing.assert_close(model.eval()(x), model(x))
    assert all(block.dropout.p == 0.5 for block in [*model.joint_blocks, *model.part_blocks])


def test_the_first_block_has_no_residual_and_the_input_norm_the_authors_eps():
    model = narrow()
    assert [block.residual for block in model.joint_blocks] == [False, True, True]
    assert model.input_norm.eps == 0.1
    norms = [module for module in narrow(sync_norm=False).modules() if isinstance(module, TokenBatchNorm)]
    assert len(norms) == 1 + 5 * 2 + 2 and not any(module.sync for module in norms)


def test_wrong_joints():
    with pytest.raises(ValueError, match='ResidualGestureGCN: 7 joints found, but the layout has 21'):
        narrow()(torch.rand(1, 7, 2, dtype=torch.float64))
    with pytest.raises(KeyError):
        ResidualGestureGCN(layout='coco_wholebody_133')
