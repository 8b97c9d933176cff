"""SignBERT as a whole: what it sees, what it learns from, what it gives."""

import copy

import pytest
import torch

from signbert_mm.models import HandRegularization, ReconstructionLoss
from signbert_mm.structures import SignDataSample

ALL_DECODERS = ['hand', 'svd', 'raw', 'fc1', 'fc2']


def total(losses):
    return sum(losses.values())


def gradients(model, batch):
    model.zero_grad()
    loss = total(model(batch, mode='loss'))
    loss.backward()
    return loss, {name: parameter.grad for name, parameter in model.named_parameters()}


@pytest.mark.parametrize('decoder', ALL_DECODERS)
def test_every_parameter_gets_a_gradient(pretrainer, make_batch, decoder):
    """No parameter is left out of the graph (DDP without find_unused_parameters); the null token's gradient
    is 0 where each clip shows a hand.
    """
    model = pretrainer(decoder)
    for empty in ([], [1]):
        _, grads = gradients(model, make_batch(6, empty=empty))
        assert all(grad is not None and grad.isfinite().all() for grad in grads.values())
        still = {name for name, grad in grads.items() if not grad.any()}
        assert still <= {'embedder.null'}


def test_the_losses_are_equations_6_to_8(pretrainer, make_batch):
    model, batch = pretrainer(), make_batch()
    losses, out = model(batch, mode='loss'), model(batch)
    assert set(losses) == {'loss_rec', 'loss_reg'}
    torch.testing.assert_close(
        losses['loss_rec'],
        ReconstructionLoss()(out['joints2d'], batch['target'], batch['hand_scores'], batch['chosen']),
    )
    torch.testing.assert_close(
        losses['loss_reg'],
        HandRegularization()(out['theta'], out['beta'], batch['hand_valid'], batch['chosen']),
    )
    assert losses['loss_rec'] > 0 and losses['loss_reg'] > 0


def test_a_decoder_without_a_hand_model_has_no_regularization(pretrainer, make_batch):
    assert set(pretrainer('fc1')(make_batch(), mode='loss')) == {'loss_rec'}


def test_regularization_without_a_hand_model_says_what_to_do(pretrainer, make_batch):
    model = pretrainer('fc1')
    model.loss_reg = HandRegularization()
    with pytest.raises(ValueError, match='FCDecoder gives none; set model.loss_reg=None'):
        model(make_batch(), mode='loss')


def test_the_loss_uses_the_original_confidence_and_the_unmasked_pose(pretrainer, make_batch):
    model, batch = pretrainer(), make_batch()
    loss = model(batch, mode='loss')['loss_rec']
    zeroed = (batch['disturbed'] > 0) & (batch['hand_scores'] >= 0.5)
    assert zeroed.any()
    less_sure = dict(batch, hand_scores=torch.where(zeroed, torch.zeros(()), batch['hand_scores']))
    assert model(less_sure, mode='loss')['loss_rec'] < loss
    moved = dict(batch, target=batch['target'] + 10 * zeroed[..., None])
    assert model(moved, mode='loss')['loss_rec'] > loss + 1


def test_a_batch_of_eight_is_the_mean_of_its_halves(pretrainer, make_batch, rows):
    """So that two ranks with half the batch each give the gradient of the whole."""
    model, batch = pretrainer(), make_batch(8, empty=[2])
    model.embedder.eval()  # with running statistics, since those of half a batch are others
    batch['chosen'][5] = False  # a clip without chosen tokens counts too
    whole, grads = gradients(model, batch)
    halves = [gradients(model, rows(batch, half)) for half in (slice(0, 4), slice(4, 8))]
    torch.testing.assert_close(whole, (halves[0][0] + halves[1][0]) / 2, rtol=1e-5, atol=1e-6)
    for name, grad in grads.items():
        torch.testing.assert_close(grad, (halves[0][1][name] + halves[1][1][name]) / 2, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize('training', [True, False])
def test_padding_changes_nothing(pretrainer, make_batch, pad, training):
    model, batch = pretrainer().train(training), make_batch(4, 6, empty=[3])
    longer = pad(batch, 5)
    with torch.set_grad_enabled(training):
        short, long = model(batch), model(longer)
        seen = batch['hand_valid']
        for key in ('joints2d', 'theta', 'beta', 'joints3d', 'scale'):
            torch.testing.assert_close(long[key][:, :6][seen], short[key][seen], rtol=1e-4, atol=1e-5)
        for name, value in model(batch, mode='loss').items():
            torch.testing.assert_close(model(longer, mode='loss')[name], value, rtol=1e-4, atol=1e-5)


def test_missing_hands_are_never_seen(pretrainer, make_batch):
    model, batch = pretrainer(), make_batch(4, 6)
    missing = ~batch['hand_valid']
    other = dict(
        batch, hands=torch.where(missing[..., None, None], torch.rand(4, 6, 2, 21, 2), batch['hands'])
    )
    other['location'] = torch.where(missing[..., None], torch.rand(4, 6, 2, 3), batch['location'])
    torch.testing.assert_close(
        model(other)['joints2d'][~missing], model(batch)['joints2d'][~missing], rtol=1e-4, atol=1e-5
    )


def test_masked_hands_are_seen(pretrainer, make_batch):
    model, batch = pretrainer().eval(), make_batch(2, 4)
    batch['hand_valid'][:], batch['chosen'][:] = True, False
    batch['chosen'][0, 1, 0] = True
    other = copy.deepcopy(batch)
    other['hands'][0, 1, 0] = 0
    change = (model(other)['joints2d'] - model(batch)['joints2d']).abs().amax((-1, -2))
    assert (change[0] > 1e-6).all() and not change[1].any()


@pytest.mark.parametrize('decoder', ['hand', 'fc1'])
@pytest.mark.parametrize(
    'count, frames, empty', [(1, 6, []), (1, 1, []), (3, 1, [1]), (1, 1, [0]), (2, 5, [0, 1])]
)
def test_small_and_empty_batches_are_finite(pretrainer, make_batch, decoder, count, frames, empty):
    model, batch = pretrainer(decoder), make_batch(count, frames, empty=empty)
    loss, grads = gradients(model, batch)
    assert loss.shape == () and loss.isfinite() and (len(empty) == count) == (not loss.detach().any())
    assert all(grad is not None and grad.isfinite().all() for grad in grads.values())
    samples = model.eval()(batch, mode='predict')
    assert len(samples) == count and all(
        sample.pred_hands.isfinite().all() and len(sample.pred_hands) == frames for sample in samples
    )


@pytest.mark.parametrize('decoder', ['hand', 'fc2'])
def test_prediction_samples(pretrainer, make_batch, decoder):
    model, batch = pretrainer(decoder).eval(), make_batch(3, 6)
    batch['length'] = torch.tensor([6, 2, 1])
    batch['video_id'] = ['a', 'b', 'c']
    with torch.no_grad():
        samples, out = model(batch, mode='predict'), model(batch)
    for row, sample in enumerate(samples):
        frames = int(batch['length'][row])
        assert (
            isinstance(sample, SignDataSample)
            and sample.video_id == 'abc'[row]
            and sample.sample_idx == 10 + row
        )
        assert int(sample.gt_label) == int(batch['label'][row]) and sample.num_frames == frames
        given = dict(
            target_hands='target',
            input_hands='hands',
            hand_scores='hand_scores',
            hand_valid='hand_valid',
            chosen='chosen',
        )
        for field, key in dict(given, operation='operation', disturbed='disturbed', boxes='boxes').items():
            assert torch.equal(sample.get(field), batch[key][row, :frames]), field
        assert torch.equal(sample.pred_hands, out['joints2d'][row, :frames])
        for key in ('theta', 'beta', 'rotation', 'offset', 'scale', 'joints3d'):
            assert (key in sample) == (decoder == 'hand')
            if key in sample:
                assert torch.equal(sample.get(key), out[key][row, :frames])


def test_runs_under_autocast(pretrainer, make_batch):
    model, batch = pretrainer(), make_batch(4, empty=[1])
    exact = model(batch, mode='loss')
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model(batch, mode='loss')
    total(losses).backward()
    for name, loss in losses.items():
        assert loss.dtype == torch.float32
        torch.testing.assert_close(loss, exact[name], rtol=0.1, atol=0.1)
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert model(batch, mode='predict')[0].pred_hands.dtype == torch.float32


def test_it_learns_to_rebuild_what_is_masked(pretrainer, make_batch):
    model, batch = pretrainer('hand'), make_batch(8)
    batch['target'] = torch.rand(8, 1, 2, 21, 2, generator=torch.Generator().manual_seed(1)).expand_as(
        batch['target']
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    before = model(batch, mode='loss')['loss_rec'].detach()
    for _ in range(60):
        optimizer.zero_grad()
        total(model(batch, mode='loss')).backward()
        optimizer.step()
    assert model(batch, mode='loss')['loss_rec'] < 0.8 * before


def test_an_unknown_mode(pretrainer, make_batch):
    with pytest.raises(ValueError, match="SignBERT: mode must be 'tensor', 'loss' or 'predict', got 'test'"):
        pretrainer()(make_batch(1, 1), mode='test')


def test_a_mask_of_ones_own_needs_hands_target_and_chosen_alone(pretrainer, make_batch):
    model, batch = pretrainer().eval(), make_batch()
    full = model(batch, mode='predict')
    for key in ('operation', 'disturbed'):
        batch.pop(key)
    samples = model(batch, mode='predict')
    assert 'operation' in full[0] and 'operation' not in samples[0] and 'disturbed' not in samples[0]
    assert torch.equal(samples[0].pred_hands, full[0].pred_hands)
    assert model(batch, mode='loss')['loss_rec'] > 0
