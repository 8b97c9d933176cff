import pytest
import torch

from signbert_mm.structures import SignDataSample

NUM_CLASSES = 5


# the paper's parts, and those that are not in it
BOTH = dict(embedder=dict(motion=True), backbone=dict(conv_kernel=3))
BEYOND = pytest.mark.parametrize('parts', [{}, BOTH])


def gradients(model, batch):
    model.zero_grad()
    loss = model(batch, mode='loss')['loss_cls']
    loss.backward()
    return loss, {name: parameter.grad for name, parameter in model.named_parameters()}


def test_every_parameter_gets_a_gradient(recognizer, make_batch):
    model = recognizer()
    for empty in ([], [1]):
        _, grads = gradients(model, make_batch(6, empty=empty))
        assert all(grad is not None and grad.isfinite().all() for grad in grads.values())
        # softmax does not see a common bias
        assert {name for name, grad in grads.items() if not grad.any()} <= {
            'embedder.null',
            'head.scorer.bias',
        }


def test_the_parts_one_after_the_other(recognizer, make_batch):
    model, batch = recognizer(), make_batch()
    tokens, valid = model.embedder(batch)
    logits, _ = model.head(model.backbone(tokens, valid), valid)
    torch.testing.assert_close(model(batch), logits)
    torch.testing.assert_close(
        model(batch, mode='loss')['loss_cls'], torch.nn.functional.cross_entropy(logits, batch['label'])
    )


def test_a_batch_of_eight_is_the_mean_of_its_halves(recognizer, make_batch, rows):
    model, batch = recognizer(), make_batch(8, empty=[2])
    model.embedder.eval()  # with running statistics, since those of half a batch are others
    whole, grads = gradients(model, batch)
    halves = [gradients(model, rows(batch, half)) for half in (slice(0, 4), slice(4, 8))]
    torch.testing.assert_close(whole, (halves[0][0] + halves[1][0]) / 2, rtol=1e-5, atol=1e-6)
    for name, grad in grads.items():
        torch.testing.assert_close(grad, (halves[0][1][name] + halves[1][1][name]) / 2, rtol=1e-3, atol=1e-5)


@BEYOND
@pytest.mark.parametrize('grad', [True, False])
def test_padding_changes_nothing(recognizer, make_batch, pad, grad, parts):
    model, batch = recognizer(**parts).eval(), make_batch(4, 6, empty=[3])
    with torch.set_grad_enabled(grad):
        torch.testing.assert_close(model(pad(batch, 7)), model(batch), rtol=1e-4, atol=1e-5)


@BEYOND
def test_missing_hands_are_never_seen(recognizer, make_batch, parts):
    model, batch = recognizer(**parts), make_batch(4, 6, empty=[2])
    missing = ~batch['hand_valid']
    other = dict(
        batch, hands=torch.where(missing[..., None, None], torch.rand(4, 6, 2, 21, 2), batch['hands'])
    )
    torch.testing.assert_close(model(other), model(batch), rtol=1e-4, atol=1e-5)


@BEYOND
def test_clips_do_not_see_each_other(recognizer, make_batch, rows, parts):
    model, batch = recognizer(**parts), make_batch(5)
    model(batch)
    model.eval()
    torch.testing.assert_close(model(rows(batch, slice(2, 3))), model(batch)[2:3], rtol=1e-4, atol=1e-5)


def test_the_order_of_frames_matters(recognizer, make_batch):
    model, batch = recognizer(), make_batch(2)
    backwards = {key: value.flip(1) if value.ndim > 1 else value for key, value in batch.items()}
    assert (model(backwards) - model(batch)).abs().max() > 1e-4


@pytest.mark.parametrize(
    'count, frames, empty', [(1, 6, []), (1, 1, []), (3, 1, [1]), (1, 1, [0]), (2, 5, [0, 1])]
)
def test_small_and_empty_batches_are_finite(recognizer, make_batch, count, frames, empty):
    model, batch = recognizer(), make_batch(count, frames, empty=empty)
    loss, grads = gradients(model, batch)
    assert loss.isfinite() and all(grad is not None and grad.isfinite().all() for grad in grads.values())
    for sample in model.eval()(batch, mode='predict'):
        assert sample.pred_scores.isfinite().all() and sample.attention.isfinite().all()
    if len(empty) > 1:  # nothing but the null token: one answer for all
        torch.testing.assert_close(*model(batch).unbind(0))


def test_prediction_samples(recognizer, make_batch):
    model, batch = recognizer().eval(), make_batch(3, 6)
    batch['length'] = torch.tensor([6, 2, 1])
    batch['hand_valid'][0, ::3] = False
    batch['video_id'] = ['a', 'b', 'c']
    logits = model(batch)
    for row, sample in enumerate(model(batch, mode='predict')):
        assert (
            isinstance(sample, SignDataSample)
            and sample.video_id == 'abc'[row]
            and sample.sample_idx == 10 + row
        )
        assert int(sample.gt_label) == int(batch['label'][row])
        torch.testing.assert_close(sample.pred_scores, logits[row].softmax(-1).detach())
        assert float(sample.pred_scores.sum()) == pytest.approx(1, abs=1e-5)
        assert int(sample.pred_label) == int(logits[row].argmax()) and sample.attention.shape == (
            int(batch['length'][row]),
            2,
        )
        assert not sample.pred_scores.requires_grad


@pytest.mark.parametrize('frozen', [('embedder',), 'backbone', ('embedder', 'backbone')])
def test_frozen_parts_learn_nothing_and_drop_nothing(recognizer, make_batch, frozen):
    model = recognizer(frozen=frozen, backbone=dict(dropout=0.5))
    frozen = (frozen,) if isinstance(frozen, str) else frozen
    assert model.frozen == frozen
    for name, parameter in model.named_parameters():
        assert parameter.requires_grad == (name.split('.')[0] not in frozen)
    for part in ('embedder', 'backbone'):
        assert all(module.training == (part not in frozen) for module in getattr(model, part).modules())
    assert model.training and model.head.training
    _, grads = gradients(model, make_batch())
    assert all((grads[name] is None) == (name.split('.')[0] in frozen) for name in grads)
    assert not model.eval().head.training and model.train().head.training


def test_pretrained_weights_have_the_same_names(recognizer, pretrainer, make_batch):
    before, after = pretrainer(), recognizer()
    state = {name: value for name, value in before.state_dict().items() if not name.startswith('decoder')}
    missing, unexpected = after.load_state_dict(state, strict=False)
    assert not unexpected and all(name.startswith('head.') for name in missing)
    batch = make_batch()
    torch.testing.assert_close(after.extract_tokens(batch)[0], before.backbone(*before.embedder(batch)))


def test_another_number_of_classes_does_not_load(recognizer):
    other = recognizer(head=dict(num_classes=7))
    with pytest.raises(RuntimeError, match='head.classifier.weight'):
        recognizer().load_state_dict(other.state_dict())


def test_runs_under_autocast(recognizer, make_batch):
    model, batch = recognizer(), make_batch(4, empty=[1])
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = model(batch, mode='loss')['loss_cls']
        samples = model(batch, mode='predict')
    assert loss.dtype == torch.float32 and samples[0].pred_scores.dtype == torch.float32
    torch.testing.assert_close(loss, model(batch, mode='loss')['loss_cls'], rtol=0.1, atol=0.1)
    loss.backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_it_learns(recognizer, make_batch):
    model, batch = recognizer(), make_batch(10)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(60):
        optimizer.zero_grad()
        model(batch, mode='loss')['loss_cls'].backward()
        optimizer.step()
    assert (model.eval()(batch).argmax(1) == batch['label']).all()


def test_an_unknown_mode(recognizer, make_batch):
    with pytest.raises(
        ValueError, match="SignRecognizer: mode must be 'tensor', 'loss' or 'predict', got 'test'"
    ):
        recognizer()(make_batch(1, 1), mode='test')


def test_an_unknown_part_to_freeze(recognizer):
    with pytest.raises(ValueError, match=r"frozen may name 'embedder' and 'backbone', got \['head'\]"):
        recognizer(frozen=('head',))


def test_views_are_clips_of_their_own(recognizer, make_batch, rows):
    model, batch = recognizer(**BOTH).eval(), make_batch(3, 12, empty=[1])
    batch['hand_valid'][0, ::3] = False
    batch['video_id'] = ['a', 'b', 'c']
    views = [
        {key: value[:, start::3] if getattr(value, 'ndim', 0) > 2 else value for key, value in batch.items()}
        for start in range(3)
    ]
    parts = [model.extract_tokens(view) for view in views]
    model.test_views = 3
    tokens, valid = model.extract_tokens(batch)
    for start, (part, seen) in enumerate(parts):
        torch.testing.assert_close(tokens[:, start::3], part, rtol=1e-4, atol=1e-5)
        assert torch.equal(valid[1:, start::3], seen[1:])
    # the first view of the first clip shows no hand, and its null token does not count
    assert parts[0][1][0, 0, 0] and torch.equal(valid[0], batch['hand_valid'][0])
    samples = model(batch, mode='predict')
    assert [sample.attention.shape for sample in samples] == [(12, 2)] * 3
    assert sum(float(sample.attention.sum()) for sample in samples) == pytest.approx(3, abs=1e-4)
    torch.testing.assert_close(model(rows(batch, slice(2, 3))), model(batch)[2:3], rtol=1e-4, atol=1e-5)
    # training sees one clip
    model.train()
    assert torch.equal(model.extract_tokens(batch)[1][0], batch['hand_valid'][0])


def test_views_of_clips_that_do_not_divide(recognizer, make_batch, pad):
    model, batch = recognizer(test_views=4, **BOTH).eval(), make_batch(2, 6)
    tokens, valid = model.extract_tokens(batch)
    whole, seen = model.extract_tokens(pad(batch, 2))
    assert tokens.shape[:2] == (2, 6) and torch.equal(seen[:, :6], valid)
    torch.testing.assert_close(whole[:, :6][valid], tokens[valid], rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match='test_views must be at least 1, got 0'):
        recognizer(test_views=0)
