"""Equation 7 in plain loops."""

import pytest
import torch

from signbert_mm.models import ReconstructionLoss
from signbert_mm.models.losses import mean_over_chosen


def pose(count=3, frames=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = (count, frames, 2, 21)
    predicted, target = (torch.randn(*shape, 2, generator=generator, dtype=torch.float64) for _ in range(2))
    scores = torch.rand(shape, generator=generator, dtype=torch.float64)
    scores[0, 0, 0, 0], scores[0, 0, 0, 1] = 0.5, 0.4999  # on and just under eps
    chosen = torch.rand(shape[:3], generator=generator) < 0.5
    chosen[0, 0, 0] = True
    return predicted, target, scores, chosen


def reference(predicted, target, scores, chosen, eps=0.5):
    clips = []
    for b in range(len(chosen)):
        tokens = []
        for t in range(chosen.shape[1]):
            for h in range(2):
                if chosen[b, t, h]:
                    total = 0.0
                    for j in range(21):
                        confidence = float(scores[b, t, h, j])
                        if confidence >= eps:
                            difference = predicted[b, t, h, j] - target[b, t, h, j]
                            total += confidence * (abs(float(difference[0])) + abs(float(difference[1])))
                    tokens.append(total)
        clips.append(sum(tokens) / len(tokens) if tokens else 0.0)
    return sum(clips) / len(clips)


@pytest.mark.parametrize('eps', [0.5, 0.0, 0.9])
def test_against_plain_loops(eps):
    fields = pose()
    assert float(ReconstructionLoss(eps=eps)(*fields)) == pytest.approx(
        reference(*fields, eps=eps), rel=1e-10
    )
    assert float(ReconstructionLoss(eps=eps, loss_weight=3.0)(*fields)) == pytest.approx(
        3 * reference(*fields, eps=eps), rel=1e-10
    )


def test_default_eps_is_the_papers():
    assert ReconstructionLoss().eps == 0.5


def test_by_hand():
    predicted, target = torch.zeros(1, 1, 2, 21, 2), torch.zeros(1, 1, 2, 21, 2)
    scores, chosen = torch.zeros(1, 1, 2, 21), torch.tensor([[[True, False]]])
    predicted[0, 0, 0, 3], scores[0, 0, 0, 3] = torch.tensor([0.2, -0.1]), 0.8
    predicted[0, 0, 0, 4], scores[0, 0, 0, 4] = torch.tensor([9.0, 9.0]), 0.4  # under eps
    predicted[0, 0, 1, 3], scores[0, 0, 1, 3] = torch.tensor([9.0, 9.0]), 1.0  # not chosen
    assert float(ReconstructionLoss()(predicted, target, scores, chosen)) == pytest.approx(0.8 * 0.3)


def test_only_chosen_tokens_get_a_gradient():
    predicted, target, scores, chosen = pose()
    predicted.requires_grad_()
    ReconstructionLoss()(predicted, target, scores, chosen).backward()
    touched = predicted.grad.abs().sum(-1) > 0
    assert torch.equal(touched, chosen[..., None] & (scores >= 0.5))


def test_clips_without_chosen_tokens_count_as_zero():
    predicted, target, scores, chosen = pose()
    chosen[1] = False
    assert float(ReconstructionLoss()(predicted, target, scores, chosen)) == pytest.approx(
        reference(predicted, target, scores, chosen), rel=1e-10
    )
    chosen[:] = False
    predicted.requires_grad_()
    loss = ReconstructionLoss()(predicted, target, scores, chosen)
    loss.backward()
    assert not loss.detach().any() and not predicted.grad.any()


def test_mean_over_chosen_is_over_a_clip_then_over_clips():
    per_token = torch.tensor([[[1.0, 2.0], [3.0, 100.0]], [[10.0, 100.0], [100.0, 100.0]]])
    chosen = torch.tensor([[[True, True], [True, False]], [[True, False], [False, False]]])
    assert float(mean_over_chosen(per_token, chosen)) == pytest.approx((2 + 10) / 2)


def test_what_is_not_chosen_may_be_anything():
    per_token = torch.tensor([[[1.0, float('nan')], [float('inf'), 2.0]]])
    chosen = torch.tensor([[[True, False], [False, True]]])
    assert float(mean_over_chosen(per_token, chosen)) == 1.5
