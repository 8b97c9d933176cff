"""A graph convolution with one weight for each role of a neighbour."""

from typing import NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


def role_graph_conv(x: Tensor, weight: Tensor, bias: Tensor, adjacency: Tensor) -> Tensor:
    """The definition: y_i = b + sum over roles r and nodes j of A[r, i, j] x_j W_r.

    Args:
        x (Tensor): Shape (V, N, C): V nodes of N graphs.
        weight (Tensor): Shape (R, C, C').
        bias (Tensor): Shape (C',).
        adjacency (Tensor): Shape (R, V, V).

    Returns:
        Tensor: Shape (V, N, C').
    """
    return torch.einsum('rij,jnc,rcd->ind', adjacency, x, weight) + bias


class Block(NamedTuple):
    """The edges of one role from the nodes ``src`` to the nodes ``dst``, each a range (first, last + 1).

    ``copy``: node by node with weight 1. Otherwise the weights are that part of the adjacency.
    """

    role: int
    dst: Tuple[int, int]
    src: Tuple[int, int]
    copy: bool


def split_into_blocks(adjacency: Tensor) -> Tuple[Block, ...]:
    """Splits an adjacency (R, V, V) into few blocks.

    Nodes come first in memory. So where edges run one to one between consecutive nodes, these nodes are a
    matrix as they lie, and nothing is gathered.
    """
    blocks = []
    for role, matrix in enumerate(adjacency):
        edges = matrix != 0
        single = (matrix == 1) & (edges.sum(1, keepdim=True) == 1) & (edges.sum(0) == 1)
        runs = []
        for dst, src in single.nonzero().tolist():
            if runs and runs[-1][0][1] == dst and runs[-1][1][1] == src:
                runs[-1] = ((runs[-1][0][0], dst + 1), (runs[-1][1][0], src + 1))
            else:
                runs.append(((dst, dst + 1), (src, src + 1)))
        rest = (edges & ~single).nonzero()
        if len(rest):
            (dst, src), (last_dst, last_src) = rest.amin(0).tolist(), rest.amax(0).tolist()
            if single[dst : last_dst + 1, src : last_src + 1].any():
                # the rest would count a run twice: the whole role is one block
                runs, dst, src, last_dst, last_src = [], 0, 0, len(matrix) - 1, len(matrix) - 1
            blocks.append(Block(role, (dst, last_dst + 1), (src, last_src + 1), False))
        blocks += [Block(role, dst, src, True) for dst, src in runs]
    return tuple(blocks)


def fast_role_graph_conv(
    x: Tensor, weight: Tensor, bias: Tensor, adjacency: Tensor, blocks: Sequence[Block]
) -> Tensor:
    """:func:`role_graph_conv` with fewer multiplications and copies.

    Args:
        x, weight, bias, adjacency: As there.
        blocks (Sequence[Block]): ``split_into_blocks(adjacency)``.
    """
    few_in = weight[:, :, 0].numel() <= weight.shape[-1]
    if few_in or torch.compiler.is_dynamo_compiling():
        # The neighbours of all roles side by side: with few channels in, the wide result is written once.
        # torch.compile, too, is better at few large products than at writing into slices.
        roles, nodes = adjacency.shape[:2]
        taken = torch.matmul(adjacency.flatten(0, 1), x.flatten(1)).view(roles, nodes, *x.shape[1:])
        return F.linear(taken.permute(1, 2, 0, 3).flatten(2), weight.flatten(0, 1).t(), bias)
    if torch.is_grad_enabled():
        return _ByBlocks.apply(x, weight, bias, adjacency, blocks)
    return _by_blocks(x, weight, bias, adjacency, blocks)


def _rows(x: Tensor, nodes: Tuple[int, int]) -> Tensor:
    """Some nodes of (V, N, C) as (nodes * N, C), a view."""
    return x[nodes[0] : nodes[1]].flatten(0, 1)


def _mixed(matrix: Tensor, x: Tensor) -> Tensor:
    """``matrix`` (I, J) over the nodes of ``x`` (J, N, C), as (I * N, C)."""
    return torch.mm(matrix, x.flatten(1)).view(-1, x.shape[-1])


def _part(adjacency: Tensor, block: Block) -> Tensor:
    """The block's weights, (nodes of dst, nodes of src)."""
    return adjacency[block.role, slice(*block.dst), slice(*block.src)]


def _by_blocks(x: Tensor, weight: Tensor, bias: Tensor, adjacency: Tensor, blocks: Sequence[Block]) -> Tensor:
    out = bias.expand(*x.shape[:2], -1).clone(memory_format=torch.contiguous_format)
    for block in blocks:
        into, nodes, matrix = _rows(out, block.dst), x[slice(*block.src)], _part(adjacency, block)
        if block.copy:
            into.addmm_(nodes.flatten(0, 1), weight[block.role])
        elif len(matrix) <= len(nodes):
            # neighbours are summed before the weight where that leaves fewer nodes, and behind it elsewhere
            into.addmm_(_mixed(matrix, nodes), weight[block.role])
        else:
            projected = torch.mm(nodes.flatten(0, 1), weight[block.role]).view(len(nodes), -1)
            out[slice(*block.dst)].flatten(1).addmm_(matrix, projected)
    return out


class _ByBlocks(torch.autograd.Function):
    """:func:`_by_blocks` with a gradient that gathers nothing either, and keeps only what goes in."""

    @staticmethod
    def forward(
        ctx, x: Tensor, weight: Tensor, bias: Tensor, adjacency: Tensor, blocks: Sequence[Block]
    ) -> Tensor:
        ctx.save_for_backward(x, weight, adjacency)
        ctx.blocks = blocks
        return _by_blocks(x, weight, bias, adjacency, blocks)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> Tuple[Optional[Tensor], ...]:
        x, weight, adjacency = ctx.saved_tensors
        grad = grad.contiguous()
        grad_x = torch.zeros_like(x) if ctx.needs_input_grad[0] else None
        grad_weight = torch.zeros_like(weight)
        for block in ctx.blocks:
            above, nodes = grad[slice(*block.dst)], x[slice(*block.src)]
            matrix, role = _part(adjacency, block), block.role
            if not block.copy and len(matrix) < len(nodes):
                above = above.flatten(0, 1)
                grad_weight[role].addmm_(_mixed(matrix, nodes).t(), above)
                if grad_x is not None:
                    into = grad_x[slice(*block.src)].flatten(1)
                    into.addmm_(matrix.t(), torch.mm(above, weight[role].t()).view(len(matrix), -1))
                continue
            above = above.flatten(0, 1) if block.copy else _mixed(matrix.t(), above)
            grad_weight[role].addmm_(nodes.flatten(0, 1).t(), above)
            if grad_x is not None:
                _rows(grad_x, block.src).addmm_(above, weight[role].t())
        return grad_x, grad_weight, grad.flatten(0, 1).sum(0), None, None
