import math

import pytest
import torch

from signbert_mm.models import HandTokenEmbedder
from signbert_mm.models.embedders import sinusoidal_embedding

GESTURE = dict(type='GestureGCN', joint_channels=(6,), part_channels=(8, 12))


def embedder(**changes):
    torch.manual_seed(0)
    return HandTokenEmbedder(**{**dict(gesture=GESTURE, max_frames=32), **changes})


@pytest.mark.parametrize('channels', [12, 7])
def test_sinusoids(channels):
    code = sinusoidal_embedding(9, channels)
    for t in range(9):
        for c in range(channels):
            angle = t / 10000 ** ((c - c % 2) / channels)
            assert float(code[t, c]) == pytest.approx(
                math.sin(angle) if c % 2 == 0 else math.cos(angle), abs=1e-5
            )


@pytest.mark.parametrize('location', [False, True])
def test_a_token_is_gesture_plus_time_plus_chirality(make_batch, location):
    model, batch = embedder(location=location), make_batch(3, 5)
    model(batch)  # moves the running statistics, which evaluation then uses
    tokens, visible = model.eval()(batch)
    assert tokens.shape == (3, 5, 2, 12) and torch.equal(visible, batch['hand_valid'])
    code = sinusoidal_embedding(5, 12)
    for clip in range(3):
        for t in range(5):
            for hand in range(2):
                found = batch['hand_valid'][clip, t, hand]
                gesture = model.gesture(batch['hands'][clip, t, hand]) if found else torch.zeros(12)
                expected = gesture + code[t] + model.chirality[hand]
                if location:
                    expected = (
                        expected
                        + (batch['location'][clip, t, hand] - 0.5) @ model.location.weight.T
                        + model.location.bias
                    )
                torch.testing.assert_close(tokens[clip, t, hand], expected, rtol=1e-5, atol=1e-5)


def test_time_is_the_same_for_both_hands_and_chirality_for_all_times(make_batch):
    model, batch = embedder(), make_batch(1, 6)
    batch['hands'] = torch.rand(21, 2).expand(1, 6, 2, 21, 2)
    batch['hand_valid'][:] = True
    tokens = model(batch)[0][0]  # (T, 2, C)
    torch.testing.assert_close(
        tokens[:, 0] - tokens[:, 1],
        (model.chirality[0] - model.chirality[1]).expand(6, 12),
        rtol=1e-4,
        atol=1e-5,
    )
    assert model.chirality[0].ne(model.chirality[1]).all()
    torch.testing.assert_close(
        tokens[3] - tokens[0], (model.time[3] - model.time[0]).expand(2, 12), rtol=1e-4, atol=1e-5
    )


def test_a_clip_without_a_hand_gets_the_null_token(make_batch):
    model, batch = embedder(), make_batch(4, 5, empty=[1, 3])
    tokens, visible = model(batch)
    for clip in (1, 3):
        assert torch.equal(tokens[clip, 0, 0], model.null)
        assert visible[clip].flatten().tolist() == [True] + [False] * 9
    for clip in (0, 2):
        assert torch.equal(visible[clip], batch['hand_valid'][clip])
        assert not (tokens[clip] == model.null).all(-1).any()
    assert visible.flatten(1).any(1).all()


def test_the_null_token_learns_from_empty_clips_alone(make_batch):
    model = embedder()
    for empty in ([], [2]):
        model.zero_grad()
        tokens, visible = model(make_batch(3, 4, empty=empty))
        (tokens * visible[..., None]).sum().backward()
        assert model.null.grad is not None and torch.equal(
            model.null.grad, torch.full((12,), float(len(empty)))
        )


def test_a_missing_hand_says_nothing_about_the_others(make_batch):
    model, batch = embedder(location=True), make_batch(3, 5)
    invalid = ~batch['hand_valid']
    assert invalid.any()
    other = dict(batch)
    other['hands'] = torch.where(invalid[..., None, None], torch.rand(3, 5, 2, 21, 2), batch['hands'])
    other['location'] = torch.where(invalid[..., None], torch.rand(3, 5, 2, 3), batch['location'])
    torch.testing.assert_close(model(other)[0][~invalid], model(batch)[0][~invalid], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('norm', ['BN', 'LN'])
def test_which_hands_count_in_the_statistics(make_batch, norm):
    """Those that are found and of which a joint is known: what stands elsewhere changes no token of theirs,
    in training too.
    """
    model, batch = (
        embedder(gesture=dict(GESTURE, norm=norm, input_norm=norm == 'BN', output_norm=norm == 'BN')),
        make_batch(3, 5),
    )
    masked = torch.zeros(3, 5, 2, dtype=torch.bool)
    masked[:, 2] = batch['hand_valid'][:, 2]
    hands = batch['hands'].masked_fill(masked[..., None, None], 0.0)
    counted = batch['hand_valid'] & ~masked
    tokens = model(dict(batch, hands=hands))[0]
    if norm == 'BN':
        gesture = tokens - model.time[:5, None] - model.chirality
        torch.testing.assert_close(gesture[~counted], torch.zeros_like(gesture[~counted]), rtol=0, atol=1e-6)
        statistics = model.gesture.input_norm.running_mean / model.gesture.input_norm.momentum
        torch.testing.assert_close(statistics, hands[counted].flatten(1).mean(0), rtol=1e-4, atol=1e-5)
    alone = model.gesture(hands[counted])
    expected = alone + (model.time[:5, None] + model.chirality).expand(3, 5, 2, 12)[counted]
    torch.testing.assert_close(tokens[counted], expected, rtol=1e-4, atol=1e-5)


def test_one_clip_alone_gives_the_tokens_that_it_gives_in_a_batch(make_batch):
    model, batch = embedder(), make_batch(4, 5)
    model(batch)
    tokens, visible = model.eval()(batch)
    for clip in range(4):
        alone, _ = model(
            {key: value[clip : clip + 1] for key, value in batch.items() if isinstance(value, torch.Tensor)}
        )
        seen = visible[clip]
        torch.testing.assert_close(alone[0][seen], tokens[clip][seen], rtol=1e-5, atol=1e-6)


def test_longest_clip(make_batch):
    assert embedder()(make_batch(1, 32))[0].shape == (1, 32, 2, 12)
    with pytest.raises(ValueError, match='clips of 33 frames, but max_frames is 32'):
        embedder()(make_batch(1, 33))


def test_under_autocast(make_batch):
    model, batch = embedder(location=True), make_batch(3, 4, empty=[0])
    with torch.autocast('cpu', dtype=torch.bfloat16):
        tokens, _ = model(batch)
    torch.testing.assert_close(tokens.float(), model(batch)[0], rtol=0.1, atol=0.1)


def test_location_is_off_by_default():
    assert not any(name.startswith('location') for name, _ in embedder().named_parameters())
    assert set(dict(embedder(location=True).named_parameters())) - set(
        dict(embedder().named_parameters())
    ) == {'location.weight', 'location.bias'}
