"""RoleGraphConv against its definition as one einsum; pooling against amax."""

import pytest
import torch
from rounding import assert_is_sum, gradient_sums

from signbert_mm.layouts import get_layout
from signbert_mm.layouts.graph import hand_part_graph, role_adjacency
from signbert_mm.models.embedders import GestureGCN, RoleGraphConv
from signbert_mm.models.ops import fast_role_graph_conv, max_over_first, role_graph_conv

HAND = get_layout('hand_21')
PARTS, PART_EDGES, PART_SYMMETRIC = hand_part_graph(HAND)


def random_graph():
    """Roles with all kinds of edges: one-to-one, repeated, averaged, mixed with each other, none."""
    adjacency = torch.zeros(5, 6, 6)
    adjacency[0, [0, 1, 2, 4], [1, 2, 3, 0]] = 1  # two runs and an edge against the order
    adjacency[1, [0, 2, 5], [3, 3, 3]] = 1
    adjacency[2, 1, [0, 4, 5]] = 1 / 3
    adjacency[3] = torch.rand(6, 6, generator=torch.Generator().manual_seed(0))
    adjacency[3, 2], adjacency[3, :, 4] = 0, 0
    adjacency[3, 2, 4] = 1  # a copy in the midst of a mixture
    return adjacency


GRAPHS = dict(
    joints=role_adjacency(21, HAND.edges, HAND.symmetric_edges),
    ordered=GestureGCN(joint_channels=(4,), part_channels=(4,)).joint_layers[0].adjacency,
    parts=role_adjacency(len(PARTS), PART_EDGES, PART_SYMMETRIC),
    random=random_graph(),
    none=torch.zeros(2, 3, 3),
    single=torch.ones(1, 1, 1),
)


def make(graph, channels, dtype=torch.float32):
    """A layer without norm and ReLU, its input, and its definition."""
    torch.manual_seed(0)
    layer = RoleGraphConv(*channels, GRAPHS[graph], act=False, bias=True).to(dtype)
    layer.norm = torch.nn.Identity()
    x = torch.randn(GRAPHS[graph].shape[-1], 9, channels[0], dtype=dtype)
    return layer, x, lambda x, weight, bias: role_graph_conv(x, weight, bias, layer.adjacency)


@pytest.mark.parametrize('graph', GRAPHS)
@pytest.mark.parametrize('channels', [(2, 32), (6, 6), (8, 3)])
def test_is_its_definition(monkeypatch, graph, channels):
    layer, x, _ = make(graph, channels)
    x.requires_grad_()
    inputs = (x, layer.weight, layer.bias)
    factors = (*(value.detach() for value in inputs), layer.adjacency)
    got = layer(x)
    assert_is_sum(got.detach(), role_graph_conv, *factors)
    with monkeypatch.context() as patch:
        patch.setattr(torch.compiler, 'is_dynamo_compiling', lambda: True)  # the route that is compiled
        assert_is_sum(layer(x).detach(), role_graph_conv, *factors)
    with torch.no_grad():
        assert_is_sum(layer(x), role_graph_conv, *factors)
    upstream = torch.randn_like(got)
    gradients = torch.autograd.grad(got, inputs, upstream)
    for gradient, definition in zip(gradients, gradient_sums(role_graph_conv, 3)):
        assert_is_sum(gradient, definition, *factors, upstream)


@pytest.mark.parametrize('graph', GRAPHS)
@pytest.mark.parametrize('channels', [(1, 10), (2, 3), (3, 2)])
def test_gradient(graph, channels):
    layer, x, definition = make(graph, channels, torch.float64)
    x = x[:, :2].clone().requires_grad_()
    torch.testing.assert_close(layer(x), definition(x, layer.weight, layer.bias), atol=1e-12, rtol=0)

    def run(x, weight, bias):
        return torch.func.functional_call(layer, dict(weight=weight, bias=bias), (x,))

    assert torch.autograd.gradcheck(run, (x, layer.weight, layer.bias))


def test_gradient_of_weights_alone():
    layer, x, _ = make('ordered', (6, 6))
    upstream = torch.randn(len(x), 9, 6)
    (got,) = torch.autograd.grad(layer(x), layer.weight, upstream)
    factors = (x, layer.weight.detach(), layer.bias.detach(), layer.adjacency)
    assert_is_sum(got, gradient_sums(role_graph_conv, 3)[1], *factors, upstream)


def test_the_hand_takes_few_products():
    """In the order that GestureGCN gives the joints, no role falls apart."""
    blocks = RoleGraphConv(6, 6, GRAPHS['ordered']).blocks
    assert len(blocks) == 6
    assert sum(1 for block in blocks if block.copy) == 3


def test_parameters_keep_their_names_and_shapes():
    state = RoleGraphConv(3, 5, GRAPHS['parts'], norm='LN').state_dict()
    assert {name: tuple(value.shape) for name, value in state.items()} == {
        'weight': (4, 3, 5),
        'bias': (5,),
        'norm.weight': (5,),
        'norm.bias': (5,),
    }


def test_bfloat16_under_autocast():
    layer, x, definition = make('ordered', (8, 8))
    with torch.autocast('cpu', torch.bfloat16):
        got = layer(x)
        assert got.dtype == torch.bfloat16
        got.float().sum().backward()
    assert layer.weight.grad.dtype == torch.float32
    torch.testing.assert_close(got.float(), definition(x, layer.weight, layer.bias), atol=0.05, rtol=0.05)


@pytest.mark.parametrize('graph, hands', [('parts', 9), ('single', 1)])
def test_result_is_fresh(graph, hands):
    layer, x, _ = make(graph, (6, 6))
    x = x[:, :hands]
    before = layer.bias.detach().clone()
    with torch.no_grad():
        first = fast_role_graph_conv(x, layer.weight, layer.bias, layer.adjacency, layer.blocks)
        first.zero_()
    assert torch.equal(layer.bias, before)


@pytest.mark.parametrize('shape', [(4, 5, 7, 3), (6, 7, 3), (1, 2, 1)])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_maximum(shape, dtype):
    torch.manual_seed(0)
    x = torch.randn(shape, dtype=dtype, requires_grad=True)
    got, expected = max_over_first(x), x.amax(0)
    assert torch.equal(got, expected)
    upstream = torch.randn_like(got)
    assert torch.equal(*(torch.autograd.grad(y, x, upstream)[0] for y in (got, expected)))


def test_maximum_takes_one_of_equal_values():
    x = torch.ones(3, 2, 4, requires_grad=True)
    max_over_first(x).sum().backward()
    assert torch.equal(x.grad.sum(0), torch.ones(2, 4))
