"""The plain SignBERT of demo/ is the package's: loss, gradients, hand and the kinds of masks."""

import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from signbert_mm.datasets.synthetic import write_synthetic_store
from signbert_mm.hand_models import HandModel
from signbert_mm.models import SignBERT
from signbert_mm.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'demo'))
import plain_signbert  # noqa: E402

NAMES = {
    'gesture.': 'embedder.gesture.',
    'location.': 'embedder.location.',
    'chirality': 'embedder.chirality',
    'transformer.': 'backbone.encoder.',
    'fc.': 'decoder.fc.',
}


def both():
    """The package's narrow pre-trainer, and the plain one with its weights."""
    torch.manual_seed(0)
    config = Config.fromfile(ROOT / 'configs/_base_/models/signbert_d128_pretrain.py').model
    package = MODELS.build(config)
    assert isinstance(package, SignBERT)
    torch.nn.init.normal_(package.decoder.fc.weight, std=0.02)
    weights = package.state_dict()
    plain = plain_signbert.PlainSignBERT()
    state = plain.state_dict()
    for name in state:
        prefix = next(prefix for prefix in NAMES if name.startswith(prefix))
        if not name.endswith('num_batches_tracked'):
            state[name] = weights[NAMES[prefix] + name[len(prefix) :]]
    plain.load_state_dict(state)
    return package, plain


def masked_batch():
    generator = torch.Generator().manual_seed(1)
    target = torch.rand(3, 6, 2, 21, 2, generator=generator)
    valid = torch.rand(3, 6, 2, generator=generator) < 0.8
    scores = torch.rand(3, 6, 2, 21, generator=generator) * valid[..., None]
    torch.manual_seed(2)
    hands, chosen = plain_signbert.mask(target, valid)
    return dict(
        hands=hands * (scores > 0)[..., None],
        target=target,
        hand_valid=valid,
        hand_scores=scores,
        location=torch.rand(3, 6, 2, 3, generator=generator),
        chosen=chosen,
    )


def test_loss_and_gradients():
    package, plain = both()
    batch = masked_batch()
    expected = sum(package(batch, mode='loss').values())
    out = plain(batch['hands'], batch['hand_valid'], batch['location'])
    got = plain_signbert.loss(
        *out, batch['target'], batch['hand_scores'], batch['hand_valid'], batch['chosen']
    )
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=0)
    expected.backward()
    got.backward()
    for mine, theirs in (
        (plain.fc.weight, package.decoder.fc.weight),
        (plain.chirality, package.embedder.chirality),
        (plain.gesture.joint_layers[0].weight, package.embedder.gesture.joint_layers[0].weight),
    ):
        # of the largest gradient: each is a long sum through the whole model, in another order
        scale = theirs.grad.abs().max()
        torch.testing.assert_close(mine.grad / scale, theirs.grad / scale, rtol=0, atol=1e-3)


def test_the_hand():
    generator = torch.Generator().manual_seed(3)
    theta = torch.randn(5, 25, generator=generator, dtype=torch.float64)
    beta = torch.randn(5, 10, generator=generator, dtype=torch.float64)
    model = HandModel().double()
    got = plain_signbert.hand_joints(model.asset, theta, beta)
    # the package keeps the hand's numbers in single precision
    torch.testing.assert_close(got, model.joints(theta, beta), rtol=0, atol=1e-6)


def test_masks():
    torch.manual_seed(4)
    hands, valid = 0.1 + torch.rand(200, 5, 2, 21, 2), torch.rand(200, 5, 2) < 0.7
    disturbed, chosen = plain_signbert.mask(hands, valid)
    assert torch.equal(chosen.flatten(1).sum(1), (valid.flatten(1).sum(1) * 0.5 + 0.5).floor().long())
    assert not (chosen & ~valid).any()
    assert torch.equal(disturbed[~chosen], hands[~chosen])
    changed = (disturbed != hands).any(-1).sum(-1)[chosen]
    frame, identity = (changed == 21).float().mean(), (changed == 0).float().mean()
    # a third each of some thousand tokens: within four standard errors
    error = 4 * (2 / 9 / len(changed)) ** 0.5
    assert frame.item() == pytest.approx(1 / 3, abs=error)
    assert identity.item() == pytest.approx(1 / 3, abs=error)
    assert changed[changed < 21].max() == 7


def test_a_run(tmp_path, monkeypatch, capsys):
    write_synthetic_store(str(tmp_path / 'signs'), num_glosses=3, num_signers=4, clips_per_gloss=4, seed=0)
    monkeypatch.setattr(sys, 'argv', ['plain_signbert.py', str(tmp_path / 'signs'), '--passes', '2'])
    plain_signbert.main()
    assert capsys.readouterr().out.count('loss') == 2
