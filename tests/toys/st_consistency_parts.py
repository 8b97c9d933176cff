"""A narrow encoder of hands and trunk, and views of clips for it."""

import torch

GESTURE = dict(type='ResidualGestureGCN', joint_channels=(4, 6), part_channels=(8, 8), dropout=0.0)
EMBEDDER = dict(type='TemporalGCNEmbedder', channels=8, num_blocks=1, dropout=0.0)
BACKBONE = dict(
    type='HandTransformer', num_layers=1, num_heads=2, feedforward_channels=12, dropout=0.0, input_norm=True
)


def encoder_config(hand_layout='channel', dropout=0.0, num_blocks=1, **changes):
    """``HandTrunkEncoder`` of width 8."""
    embedder = dict(EMBEDDER, num_blocks=num_blocks, dropout=dropout)
    return dict(
        type='HandTrunkEncoder',
        hand_embedder=dict(embedder, gesture=dict(GESTURE, layout='hand_21')),
        trunk_embedder=dict(embedder, gesture=dict(GESTURE, layout='trunk_7')),
        hand_backbone=dict(BACKBONE, embed_dims=16 if hand_layout == 'channel' else 8, dropout=dropout),
        trunk_backbone=dict(BACKBONE, embed_dims=8, dropout=dropout),
        hand_layout=hand_layout,
        **changes,
    )


def make_view(count=4, frames=6, seed=0, empty=(), no_trunk=()):
    """A view, a fifth of the hands and of the trunks missing; clips ``empty`` show no hand, clips
    ``no_trunk`` no trunk.
    """
    generator = torch.Generator().manual_seed(seed)

    def rand(*shape):
        return torch.rand(count, frames, *shape, generator=generator)

    hand_valid, trunk_valid = rand(2) < 0.8, rand() < 0.8
    hand_valid[:, 0, 0] = trunk_valid[:, 0] = True
    hand_valid[list(empty)] = False
    trunk_valid[list(no_trunk)] = False
    view = dict(
        hand_valid=hand_valid,
        trunk_valid=trunk_valid,
        frame_valid=torch.ones(count, frames, dtype=torch.bool),
    )
    for modality in ('joint', 'motion'):
        view[modality] = dict(
            hands=rand(2, 21, 2) * hand_valid[..., None, None],
            trunk=rand(7, 2) * trunk_valid[..., None, None],
        )
    return view


def make_inputs(count=4, frames=6, num_classes=5, **options):
    """What the recogniser reads."""
    return dict(
        views=[make_view(count, frames, **options)],
        label=torch.arange(count) % num_classes,
        index=torch.arange(count) + 10,
        length=torch.full((count,), frames),
    )
