"""Equation 8 in plain loops."""

import pytest
import torch

from signbert_mm.models import HandRegularization


def parameters(count=3, frames=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    theta = torch.randn(count, frames, 2, 25, generator=generator, dtype=torch.float64)
    beta = torch.randn(count, frames, 2, 10, generator=generator, dtype=torch.float64)
    valid = torch.rand(count, frames, 2, generator=generator) < 0.7
    chosen = (torch.rand(count, frames, 2, generator=generator) < 0.5) & valid
    return theta, beta, valid, chosen


def reference(theta, beta, valid, chosen, w_beta=10.0, w_delta=100.0, weight=0.01):
    clips = []
    for b in range(len(chosen)):
        tokens = []
        for t in range(chosen.shape[1]):
            for h in range(2):
                if not chosen[b, t, h]:
                    continue
                total = sum(float(x) ** 2 for x in theta[b, t, h]) + w_beta * sum(
                    float(x) ** 2 for x in beta[b, t, h]
                )
                if t > 0 and valid[b, t - 1, h]:
                    total += w_delta * sum(
                        float(x - y) ** 2 for x, y in zip(beta[b, t, h], beta[b, t - 1, h])
                    )
                tokens.append(total)
        clips.append(sum(tokens) / len(tokens) if tokens else 0.0)
    return weight * sum(clips) / len(clips)


@pytest.mark.parametrize('frames', [1, 2, 5])
def test_against_plain_loops(frames):
    fields = parameters(frames=frames)
    fields[2][0, 0, 0] = fields[3][0, 0, 0] = True
    assert float(HandRegularization()(*fields)) == pytest.approx(reference(*fields), rel=1e-10)


@pytest.mark.parametrize('w_beta, w_delta, weight', [(0.0, 1.0, 1.0), (1.0, 0.0, 2.0), (3.0, 5.0, 0.1)])
def test_weights(w_beta, w_delta, weight):
    fields = parameters()
    loss = HandRegularization(weight_beta=w_beta, weight_delta=w_delta, loss_weight=weight)(*fields)
    assert float(loss) == pytest.approx(reference(*fields, w_beta, w_delta, weight), rel=1e-10)


def test_default_weights_are_the_papers():
    loss = HandRegularization()
    assert (loss.weight_beta, loss.weight_delta, loss.loss_weight) == (10.0, 100.0, 0.01)


def one_change(beta_places, chosen_places, valid_places, frames=4):
    """The loss of the change alone, in units of |beta|^2 of one place: theta is 0 and w_beta too."""
    theta, beta = torch.zeros(1, frames, 2, 25), torch.zeros(1, frames, 2, 10)
    valid, chosen = torch.zeros(1, frames, 2, dtype=torch.bool), torch.zeros(1, frames, 2, dtype=torch.bool)
    for place in beta_places:
        beta[(0, *place)][0] = 1.0
    for place in valid_places:
        valid[(0, *place)] = True
    for place in chosen_places:
        chosen[(0, *place)] = valid[(0, *place)] = True
    return float(
        HandRegularization(weight_beta=0.0, weight_delta=1.0, loss_weight=1.0)(theta, beta, valid, chosen)
    )


def test_the_change_is_to_the_frame_before():
    assert one_change([(1, 0)], chosen_places=[(1, 0)], valid_places=[(0, 0)]) == 1
    assert one_change([(1, 0)], chosen_places=[(2, 0)], valid_places=[(1, 0)]) == 1
    assert one_change([(1, 0)], chosen_places=[(3, 0)], valid_places=[(2, 0)]) == 0
    # the frame after does not count
    assert one_change([(2, 0)], chosen_places=[(1, 0)], valid_places=[(0, 0), (2, 0)]) == 0


def test_the_frame_before_must_show_the_hand_but_need_not_be_chosen():
    assert one_change([(1, 0)], chosen_places=[(1, 0)], valid_places=[]) == 0
    assert one_change([(1, 0)], chosen_places=[(1, 0)], valid_places=[(0, 0)]) == 1


def test_it_never_wraps_round():
    assert one_change([(0, 0)], chosen_places=[(0, 0)], valid_places=[(3, 0), (1, 0)]) == 0
    assert one_change([(3, 0)], chosen_places=[(0, 0)], valid_places=[(3, 0)]) == 0


def test_it_never_crosses_hands():
    assert one_change([(1, 1)], chosen_places=[(1, 1)], valid_places=[(0, 0), (1, 0)]) == 0
    # the mean of 0 and 1
    assert one_change([(0, 1)], chosen_places=[(1, 0), (1, 1)], valid_places=[(0, 0), (0, 1)]) == 0.5
    assert one_change([(1, 1)], chosen_places=[(2, 0)], valid_places=[(1, 0), (1, 1)]) == 0


def test_a_chosen_token_pulls_at_the_one_before():
    theta, beta, valid, chosen = parameters(count=1, frames=2)
    valid[:], chosen[:] = True, False
    chosen[0, 1, 0] = True
    beta.requires_grad_()
    HandRegularization()(theta, beta, valid, chosen).backward()
    assert beta.grad[0, 0, 0].any() and beta.grad[0, 1, 0].any() and not beta.grad[0, :, 1].any()


def test_nothing_chosen_is_zero_and_has_a_gradient_of_zero():
    theta, beta, valid, chosen = parameters()
    theta.requires_grad_()
    loss = HandRegularization()(theta, beta, valid, torch.zeros_like(chosen))
    loss.backward()
    assert not loss.detach().any() and not theta.grad.any()
