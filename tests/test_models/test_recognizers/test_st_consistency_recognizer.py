import copy

import pytest
import torch
from st_consistency_parts import encoder_config, make_inputs
from torch.nn import functional as F

from signbert_mm.engine.hooks import LoadReportHook
from signbert_mm.engine.runner import load_config
from signbert_mm.registry import MODELS
from signbert_mm.structures import SignDataSample


def build(encoder=(), head=(), **changes):
    torch.manual_seed(0)
    config = dict(
        type='STConsistencyRecognizer',
        encoder=encoder_config(**dict(encoder)),
        head={**dict(type='LinearFusionHead', num_classes=5, in_channels=8), **dict(head)},
        **changes,
    )
    return MODELS.build(copy.deepcopy(config)).train()


def gradients(model, inputs):
    model.zero_grad()
    loss = model(inputs, mode='loss')['loss_cls']
    loss.backward()
    return loss, {name: parameter.grad for name, parameter in model.named_parameters()}


@pytest.mark.parametrize('modalities', [('joint', 'motion'), ('joint',), ('motion',)])
@pytest.mark.parametrize('parts', [('hand', 'trunk'), ('hand',), ('trunk',)])
@pytest.mark.parametrize('fusion', ['sum', 'mean'])
def test_logits_are_the_fused_linear_layers_of_the_sums(modalities, parts, fusion):
    model, inputs = (
        build(dict(parts=parts), dict(fusion=fusion), modalities=modalities),
        make_inputs(empty=[1]),
    )
    model.eval()
    view, logits = inputs['views'][0], 0
    for modality in modalities:
        out = model.encoders[modality](
            view[modality]['hands'],
            view[modality]['trunk'],
            view['hand_valid'],
            view['frame_valid'],
            view['trunk_valid'],
        )
        assert set(out) == set(parts)
        logits = logits + model.head.classifiers[modality](sum(out[part] for part in parts))
    logits = logits / (len(modalities) if fusion == 'mean' else 1)
    torch.testing.assert_close(model(inputs), logits)
    torch.testing.assert_close(
        model(inputs, mode='loss')['loss_cls'], F.cross_entropy(logits, inputs['label'])
    )


@pytest.mark.parametrize('layout', ['channel', 'sequence'])
def test_every_parameter_gets_a_gradient(layout):
    _, grads = gradients(build(dict(hand_layout=layout)), make_inputs(6, empty=[1], no_trunk=[2]))
    assert all(grad is not None and grad.isfinite().all() and grad.any() for grad in grads.values())


@pytest.mark.parametrize(
    'count, frames, empty', [(1, 6, []), (1, 1, []), (3, 1, [1]), (1, 1, [0]), (2, 5, [0, 1])]
)
def test_small_and_empty_batches_are_finite(count, frames, empty):
    model, inputs = build(), make_inputs(count, frames, empty=empty, no_trunk=empty)
    loss, grads = gradients(model, inputs)
    assert loss.isfinite() and all(grad is None or grad.isfinite().all() for grad in grads.values())
    for sample in model.eval()(inputs, mode='predict'):
        assert sample.pred_scores.isfinite().all() and sample.attention.isfinite().all()


def test_prediction_samples():
    model, inputs = build().eval(), dict(make_inputs(3), video_id=['a', 'b', 'c'])
    logits = model(inputs)
    for row, sample in enumerate(model(inputs, mode='predict')):
        assert (
            isinstance(sample, SignDataSample)
            and sample.video_id == 'abc'[row]
            and sample.sample_idx == 10 + row
        )
        assert int(sample.gt_label) == row and int(sample.pred_label) == int(logits[row].argmax())
        torch.testing.assert_close(sample.pred_scores, logits[row].softmax(-1).detach())
        assert sample.attention.shape == (6, 2) and abs(float(sample.attention.sum()) - 1) < 1e-5
    assert 'attention' not in build(dict(parts=('trunk',))).eval()(inputs, mode='predict')[0]


def test_what_neighbours_are_looked_for_by():
    model, inputs = build().eval(), make_inputs(3)
    features = model.extract_features(inputs)
    assert features.shape == (3, 16)
    torch.testing.assert_close(features.unflatten(1, (2, 8)).norm(dim=-1), torch.ones(3, 2))
    torch.testing.assert_close(
        features[:, :8], F.normalize(model.add_up(model.encode(inputs))['joint'], dim=-1)
    )


def test_frozen_encoders_learn_nothing_and_drop_nothing():
    model, inputs = build(dict(dropout=0.5), frozen=True), make_inputs()
    assert (
        model.training
        and model.head.training
        and not any(module.training for module in model.encoders.modules())
    )
    before = copy.deepcopy(model.encoders.state_dict())
    _, grads = gradients(model, inputs)
    assert all((grad is None) == name.startswith('encoders.') for name, grad in grads.items())
    # running statistics too
    assert all(torch.equal(value, before[name]) for name, value in model.encoders.state_dict().items())
    torch.testing.assert_close(model(inputs), model(inputs))
    assert not any(parameter.requires_grad for parameter in model.encoders.parameters())


@pytest.mark.parametrize('modalities', [('joint', 'motion'), ('motion',)])
def test_a_pretraining_checkpoint_gives_the_query_encoders_and_says_so(modalities):
    torch.manual_seed(1)
    pretrainer = MODELS.build(
        dict(
            type='STConsistency',
            encoder=encoder_config(),
            projector=dict(type='ProjectionHead', in_channels=8, out_channels=4),
            bank=dict(size=8),
            loss_contrast=dict(type='InfoNCELoss'),
        )
    )
    model = build(modalities=modalities)
    weights, report = LoadReportHook().compare(
        model, dict(state_dict=pretrainer.state_dict()), 'checkpoint x', 'train'
    )
    for modality in modalities:
        count = len(model.encoders[modality].state_dict())
        assert f'encoders.{modality} ({count} of {count} tensors)' in report.split('newly')[0]
    unused = report.split('left out of the checkpoint: ')[1]
    assert 'key_encoders' in unused and 'bank' in unused and 'newly initialised: head' in report
    assert ('encoders.joint (' in unused.replace('key_encoders', '')) == ('joint' not in modalities)
    model.load_state_dict(weights, strict=False)
    for name, value in model.encoders.state_dict().items():
        assert torch.equal(value, pretrainer.encoders.state_dict()[name])


def test_it_learns():
    model, inputs = build(), make_inputs(5)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)
    for _ in range(20):
        optimizer.zero_grad()
        loss = model(inputs, mode='loss')['loss_cls']
        loss.backward()
        optimizer.step()
    assert loss < 0.2


def test_runs_under_autocast():
    model, inputs = build(), make_inputs(6, empty=[1])
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = model(inputs, mode='loss')['loss_cls']
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, model(inputs, mode='loss')['loss_cls'], rtol=0.1, atol=0.1)


@pytest.mark.parametrize(
    'options, message',
    [
        (
            dict(modalities=('joints',)),
            r"modalities must be some of \('joint', 'motion'\), each once, got "
            r"\('joints',\)",
        ),
        (dict(modalities=()), 'modalities must be some of'),
        (dict(head=dict(fusion='max')), "fusion must be one of .*'max'"),
        (
            dict(head=dict(in_channels=16)),
            r'model\.encoder gives vectors of width 8 \(joint\), but '
            r'model\.head\.in_channels is 16',
        ),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)


def test_wrong_batches():
    model, inputs = build(), make_inputs()
    with pytest.raises(ValueError, match=r'the batch has no `views`.*MakeViews'):
        model(dict(inputs, views=[]))
    with pytest.raises(ValueError, match=r"the view has no \['motion'\].*Motion"):
        model(
            dict(inputs, views=[{key: value for key, value in inputs['views'][0].items() if key != 'motion'}])
        )
    with pytest.raises(ValueError, match="mode must be 'tensor', 'loss' or 'predict', got 'test'"):
        model(inputs, mode='test')


@pytest.mark.parametrize(
    'pretrained, fine_tuned',
    [
        ('st_consistency_d512_b64-150e_pretrain-all', 'st_consistency_d512_b64-60e_msasl1000'),
        ('st_consistency_d512_b64-150e_pretrain-all', 'st_consistency_d512_b64-linear-70e_msasl1000'),
        ('st_consistency_d512_b64-150e-code_pretrain-all', 'st_consistency_d512_b64-80e-code_msasl1000'),
    ],
)
def test_what_is_fine_tuned_sees_what_was_pre_trained(root, pretrained, fine_tuned):
    """The same clip gives an encoder the same input in both: one test pipeline, one output of the training
    pipelines, one encoder.
    """
    one, other = (
        load_config(str(root / 'configs' / 'st_consistency' / f'{name}.py')).model
        for name in (pretrained, fine_tuned)
    )
    assert one.data_preprocessor.test_pipeline == other.data_preprocessor.test_pipeline
    assert one.encoder == other.encoder and one.modalities == other.modalities
    outputs = [model.data_preprocessor.train_pipeline[0].transforms[-3:] for model in (one, other)]
    assert outputs[0] == outputs[1] and outputs[0][-1].type == 'Motion'
    assert outputs[0][-1].get('zero', 'first') == ('last' if '-code' in pretrained else 'first')
