"""Narrow models and device-side batches."""

import copy

import pytest
import torch

from signbert_mm.registry import MODELS

WIDTH = 16
EMBEDDER = dict(
    type='HandTokenEmbedder',
    gesture=dict(type='GestureGCN', joint_channels=(6, 8), part_channels=(12, WIDTH)),
    max_frames=40,
    location=True,
)
BACKBONE = dict(
    type='HandTransformer', embed_dims=WIDTH, num_layers=2, num_heads=2, feedforward_channels=24, dropout=0.0
)
DECODERS = dict(
    hand=dict(type='HandModelDecoder', in_channels=WIDTH, init_std=0.02),
    svd=dict(type='HandModelDecoder', in_channels=WIDTH, init_std=0.02, rotation='svd'),
    raw=dict(type='HandModelDecoder', in_channels=WIDTH, init_std=0.02, rotation='none'),
    fc1=dict(type='FCDecoder', in_channels=WIDTH, num_layers=1),
    fc2=dict(type='FCDecoder', in_channels=WIDTH, num_layers=2),
)
NUM_CLASSES = 5


def _build(config):
    torch.manual_seed(0)
    return MODELS.build(copy.deepcopy(config))


@pytest.fixture
def pretrainer():
    """``pretrainer(decoder='hand', embedder=dict(...), ...)``: a narrow SignBERT in training mode."""

    def make(decoder='hand', embedder=(), backbone=(), **changes):
        is_hand_model = DECODERS[decoder]['type'] == 'HandModelDecoder'
        config = dict(
            type='SignBERT',
            embedder=dict(EMBEDDER, **dict(embedder)),
            backbone=dict(BACKBONE, **dict(backbone)),
            decoder=DECODERS[decoder],
        )
        if is_hand_model:
            config['loss_reg'] = dict(type='HandRegularization')
        return _build({**config, **changes}).train()

    return make


@pytest.fixture
def recognizer():
    """``recognizer(head=dict(...), ...)``: a narrow SignRecognizer in training mode."""

    def make(head=(), embedder=(), backbone=(), **changes):
        head = dict(
            dict(type='SignHead', num_classes=NUM_CLASSES, in_channels=WIDTH, dropout=0.0), **dict(head)
        )
        return _build(
            {
                **dict(
                    type='SignRecognizer',
                    embedder=dict(EMBEDDER, **dict(embedder)),
                    backbone=dict(BACKBONE, **dict(backbone)),
                    head=head,
                ),
                **changes,
            }
        ).train()

    return make


@pytest.fixture
def make_batch():
    """``make_batch(count, frames, seed, empty=(clips without a hand))``: what a model reads, a fifth of the
    hands and joints missing, half masked.
    """

    def make(count=4, frames=6, seed=0, empty=()):
        generator = torch.Generator().manual_seed(seed)

        def rand(*shape):
            return torch.rand(count, *shape, generator=generator)

        valid = rand(frames, 2) < 0.8
        valid[:, 0, 0] = True
        valid[list(empty)] = False
        scores = (0.2 + 0.8 * rand(frames, 2, 21)) * (rand(frames, 2, 21) < 0.8) * valid[..., None]
        there = (scores > 0)[..., None]
        target = rand(frames, 2, 21, 2) * there
        chosen = (rand(frames, 2) < 0.5) & valid
        chosen[:, 0, 0] |= valid[:, 0, 0]
        disturbed = ((rand(frames, 2, 21) < 0.3) & chosen[..., None]).long()
        return dict(
            hands=target * (disturbed == 0)[..., None],
            target=target,
            hand_scores=scores,
            hand_valid=valid,
            location=rand(frames, 2, 3) * valid[..., None],
            boxes=100 * rand(frames, 2, 3),
            chosen=chosen,
            operation=chosen.long(),
            disturbed=disturbed,
            length=torch.full((count,), frames),
            label=torch.arange(count) % NUM_CLASSES,
            index=torch.arange(count) + 10,
            epoch=torch.zeros(count, dtype=torch.int64),
        )

    return make


@pytest.fixture
def pad():
    """``pad(batch, frames)``: the same clips with that many frames of padding behind them."""

    def make(batch, frames):
        timed = batch['hands'].shape[1]

        def longer(value):
            return torch.cat([value, value.new_zeros(len(value), frames, *value.shape[2:])], 1)

        return {
            key: longer(value) if value.ndim > 1 and value.shape[1] == timed else value
            for key, value in batch.items()
        }

    return make


@pytest.fixture
def rows():
    """``rows(batch, slice)``: some clips of a batch."""
    return lambda batch, which: {key: value[which] for key, value in batch.items()}
