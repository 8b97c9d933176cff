#!/usr/bin/env python
"""SignBERT's pre-training (ICCV 2021) in about a hundred lines of plain PyTorch, to be read in five minutes.

The package reads, crops and mirrors the clips. All else is here: masks, encoder, hand model, losses and the
training loop. A test checks that its loss equals the package's.

Example:
    python demo/plain_signbert.py data/synthetic_demo --passes 4
"""

import argparse
import math

import torch
from torch import nn
from torch.utils.data import DataLoader

from signbert_mm.datasets import PoseDataset, collate_poses
from signbert_mm.hand_models.asset import PARENTS, TO_COCO
from signbert_mm.hand_models.load import load_hand_asset
from signbert_mm.layouts import get_layout
from signbert_mm.layouts.graph import joint_graph, part_graph, role_adjacency
from signbert_mm.models import SignDataPreprocessor

# B clips of T frames with H = 2 hands of 21 joints. A token is one hand in one frame, with C channels.


def mask(hands, valid, ratio=0.5, max_joints=7, offset=0.25):
    """Section 3.2: half of a clip's tokens are chosen, and some, all or none of their joints disturbed."""
    # Sorting random numbers twice gives each valid token a random rank. Invalid ones come last.
    rank = torch.rand(valid.shape).masked_fill(~valid, 2).flatten(1).argsort(1).argsort(1).view_as(valid)
    chosen = rank < (valid.flatten(1).sum(1) * ratio + 0.5).floor().view(-1, 1, 1)
    # Kind 0: some joints are moved or zeroed. Kind 1: the hand is zeroed. Kind 2: nothing changes.
    kind = torch.randint(3, valid.shape)
    number = torch.randint(1, max_joints + 1, valid.shape)
    selected = torch.rand(hands.shape[:-1]).argsort(-1).argsort(-1) < number[..., None]
    selected &= (chosen & (kind == 0))[..., None]
    moved = selected & (torch.rand(selected.shape) < 0.5)
    zeroed = (selected & ~moved) | (chosen & (kind == 1))[..., None]
    disturbed = hands + moved[..., None] * (2 * torch.rand(hands.shape) - 1) * offset
    return disturbed * ~zeroed[..., None], chosen


class GraphConv(nn.Module):
    """x_i' = relu(norm(sum over roles r and neighbours j of A[r, i, j] x_j W_r))."""

    def __init__(self, graph, width, out):
        super().__init__()
        self.register_buffer('graph', graph, persistent=False)
        self.weight = nn.Parameter(
            (torch.rand(len(graph), width, out) * 2 - 1) * (len(graph) * width) ** -0.5
        )
        self.norm = nn.BatchNorm1d(out)

    def forward(self, x):
        x = torch.einsum('rij,njc,rcd->nid', self.graph, x, self.weight)
        return self.norm(x.flatten(0, 1)).view_as(x).relu()


class Gesture(nn.Module):
    """Section 3.1: the joints of a hand are pooled to its fingers and palm, and these to one vector."""

    def __init__(self, joint_widths=(2, 32, 32, 64), part_widths=(64, 64, 128)):
        super().__init__()
        layout = get_layout('hand_21')
        self.parts, edges, symmetric = part_graph(layout)
        graphs = joint_graph(layout), role_adjacency(len(self.parts), edges, symmetric)
        self.input_norm, self.output_norm = nn.BatchNorm1d(42), nn.BatchNorm1d(part_widths[-1])
        self.joint_layers, self.part_layers = (
            nn.Sequential(*(GraphConv(graph, *pair) for pair in zip(widths, widths[1:])))
            for graph, widths in zip(graphs, (joint_widths, part_widths))
        )

    def forward(self, hands):
        # (N, 21, C)
        x = self.joint_layers(self.input_norm(hands.flatten(1)).view_as(hands))
        # (N, 6, C)
        x = self.part_layers(torch.stack([x[:, part].amax(1) for part in self.parts], 1))
        # (N, C)
        return self.output_norm(x.amax(1))


def hand_joints(asset, theta, beta):
    """Eqs. 3 and 4, MANO: pose (N, 25) and shape (N, 10) -> joints (N, 21, 3) in metres."""
    arrays = ('mean', 'pca', 'template', 'shape_basis', 'pose_basis', 'joint_regressor', 'skinning')
    mean, pca, template, shapes, poses, regressor, skinning = (
        torch.tensor(getattr(asset, name), dtype=theta.dtype) for name in arrays
    )
    x, y, z = (mean + theta @ pca[: theta.shape[1]]).view(-1, 15, 3).unbind(-1)
    o, eye = torch.zeros_like(x), torch.eye(3, dtype=theta.dtype)
    # Axis-angle to rotation: the exponential of the cross-product matrix.
    turn = torch.matrix_exp(torch.stack([o, -z, y, z, o, -x, -y, x, o], -1).unflatten(-1, (3, 3)))
    shaped = template + torch.einsum('vck,nk->nvc', shapes, beta)
    rest = torch.einsum('jv,nvc->njc', regressor, shaped)
    # The asset lists the thumb's tip first, TO_COCO expects it last.
    tip_ids = [*asset.tip_ids[1:], asset.tip_ids[0]]
    tips = shaped[:, tip_ids] + torch.einsum('tck,nk->ntc', poses[tip_ids], (turn - eye).flatten(1))
    # Each joint's global rotation and position follow from its parent's.
    world, place = [eye.expand(len(theta), 3, 3)], [rest[:, 0]]
    for joint, parent in list(enumerate(PARENTS))[1:]:
        bone = (rest[:, joint] - rest[:, parent])[..., None]
        place.append(place[parent] + (world[parent] @ bone)[..., 0])
        world.append(world[parent] @ turn[:, joint - 1])
    world, place = torch.stack(world, 1), torch.stack(place, 1)
    # Linear blend skinning of the five fingertips alone.
    moved = torch.einsum('njab,njtb->ntja', world, tips[:, None] - rest[:, :, None]) + place[:, None]
    tips = torch.einsum('tj,ntja->nta', skinning[tip_ids], moved)
    return torch.cat([place, tips], 1)[:, list(TO_COCO)]


class PlainSignBERT(nn.Module):
    """Embedder, Transformer (eq. 1) and the hand-model-aware decoder (eqs. 2 to 5)."""

    def __init__(self, width=128, heads=4, layers=3):
        super().__init__()
        self.gesture, self.location = Gesture(part_widths=(64, 64, width)), nn.Linear(3, width)
        self.chirality = nn.Parameter(torch.randn(2, width) * 0.02)
        layer = nn.TransformerEncoderLayer(width, heads, 2 * width, 0.0, 'gelu', batch_first=True)
        self.transformer = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.fc, self.asset = nn.Linear(width, 25 + 10 + 6 + 2 + 1), load_hand_asset('free')
        nn.init.normal_(self.fc.weight, std=0.001)
        # The first output is a rest hand in the middle of the crop, without rotation, about half a crop wide.
        self.fc.bias.data = torch.tensor([0.0] * 35 + [1, 0, 0, 0, 1, 0, 0.5, 0.5, 2.5])

    def forward(self, hands, valid, location):
        known = valid & (hands != 0).flatten(-2).any(-1)
        # A hand whose joints are all zeroed has no gesture; its state stays 0.
        states = hands.new_zeros(*valid.shape, self.chirality.shape[1])
        states[known] = self.gesture(hands[known])
        # Sinusoidal encoding of the frame's number.
        angle = torch.arange(hands.shape[1])[:, None] * torch.exp(
            torch.arange(0, states.shape[-1], 2) * (-math.log(10000) / states.shape[-1])
        )
        time = torch.stack([angle.sin(), angle.cos()], -1).flatten(1)
        tokens = states + self.location(location - 0.5) + time[:, None] + self.chirality
        tokens = self.transformer(tokens.flatten(1, 2), src_key_padding_mask=~valid.flatten(1)).view_as(
            tokens
        )
        theta, beta, six, offset, scale = self.fc(tokens).split([25, 10, 6, 2, 1], -1)
        # Gram-Schmidt turns six numbers into a rotation.
        first = nn.functional.normalize(six[..., :3], dim=-1)
        second = six[..., 3:] - (first * six[..., 3:]).sum(-1, keepdim=True) * first
        second = nn.functional.normalize(second, dim=-1)
        rotation = torch.stack([first, second, torch.linalg.cross(first, second)], -1)
        joints = hand_joints(self.asset, theta.flatten(0, 2), beta.flatten(0, 2)).view(*valid.shape, 21, 3)
        return (joints @ rotation.mT)[..., :2] * scale[..., None] + offset[..., None, :], theta, beta


def loss(joints, theta, beta, target, scores, valid, chosen):
    """Eqs. 6 to 8; the mean over the chosen tokens of a clip, then over clips."""
    weight = scores * (scores >= 0.5)
    reconstruction = (weight[..., None] * (joints - target).abs()).sum((-1, -2))
    # Eq. 8: a hand's shape must not change from frame to frame.
    change = (beta[:, 1:] - beta[:, :-1]).square().sum(-1) * valid[:, :-1]
    change = torch.cat([torch.zeros_like(change[:, :1]), change], 1)
    regularization = theta.square().sum(-1) + 10 * beta.square().sum(-1) + 100 * change
    per_token = (reconstruction + 0.01 * regularization) * chosen
    return (per_token.flatten(1).sum(1) / chosen.flatten(1).sum(1).clamp(min=1)).mean()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('store', help='a folder of poses, as tools/dataset_converters write it')
    parser.add_argument('--passes', type=int, default=4)
    args = parser.parse_args()
    dataset = PoseDataset(args.store, 'train', pipeline=[dict(type='UniformTemporalSample', clip_len=16)])
    crop = [dict(type='HandCrop', layout=dataset.layout.name), dict(type='MirrorLeftHand')]
    prepare = SignDataPreprocessor(train_pipeline=[*crop, dict(type='ZeroMissing')])
    model = PlainSignBERT()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(args.passes):
        dataset.set_epoch(epoch)
        for data in DataLoader(dataset, batch_size=64, shuffle=True, collate_fn=collate_poses):
            batch = prepare(data, training=True)['inputs']
            # Attention needs at least one hand in a clip, so clips without any are left out.
            some = batch['hand_valid'].flatten(1).any(1)
            target, valid, location, scores = (
                batch[name][some] for name in ('hands', 'hand_valid', 'location', 'hand_scores')
            )
            hands, chosen = mask(target, valid)
            value = loss(
                *model(hands * (scores > 0)[..., None], valid, location), target, scores, valid, chosen
            )
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
        print(f'pass {epoch + 1}: loss {value.item():.3f}')


if __name__ == '__main__':
    main()
