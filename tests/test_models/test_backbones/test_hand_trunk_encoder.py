"""The encoder of hands and trunk: what it sees, what it never sees, and that nothing in it is idle."""

import itertools

import pytest
import torch
from st_consistency_parts import encoder_config, make_view

from signbert_mm.models.token_batch_norm import TokenBatchNorm
from signbert_mm.registry import MODELS

NAMES = ('hand_valid', 'frame_valid', 'trunk_valid')


def build(**options):
    torch.manual_seed(0)
    model = MODELS.build(encoder_config(**options)).train()
    for name, parameter in model.named_parameters():
        if 'norm' in name:  # away from 1 and 0, so that they are seen
            torch.nn.init.normal_(parameter, mean=0.5, std=0.3)
    return model


def run(model, view, **options):
    return model(view['joint']['hands'], view['joint']['trunk'], *(view[name] for name in NAMES), **options)


def close(found, expected, rows=slice(None)):
    assert found.keys() == expected.keys()
    for part in expected:
        torch.testing.assert_close(found[part], expected[part][rows], rtol=1e-4, atol=1e-5)


def padded(view, frames):
    def longer(value):
        return torch.cat([value, value.new_zeros(len(value), frames, *value.shape[2:])], 1)

    return {
        key: longer(value) if key in NAMES else {part: longer(points) for part, points in value.items()}
        for key, value in view.items()
    }


OPTIONS = [
    dict(hand_layout=layout, masked=masked, attend_missing=attend)
    for layout, masked, attend in itertools.product(('channel', 'sequence'), (True, False), (False, True))
]


@pytest.mark.parametrize(
    'options',
    [*OPTIONS, dict(parts=('hand',)), dict(parts=('trunk',)), dict(parts=('hand',), hand_layout='sequence')],
    ids=str,
)
def test_every_parameter_gets_a_gradient(options):
    model = build(**options)
    out = run(model, make_view(empty=[1], no_trunk=[2]))
    assert set(out) == set(options.get('parts', ('hand', 'trunk'))) and all(
        value.shape == (4, 8) for value in out.values()
    )
    sum((value * torch.randn_like(value)).sum() for value in out.values()).backward()
    assert not [
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]


@pytest.mark.parametrize('training', [True, False])
@pytest.mark.parametrize('options', [options for options in OPTIONS if options['masked']], ids=str)
def test_what_stands_at_missing_hands_and_trunks_never_matters(options, training):
    model, view = build(**options).train(training), make_view(empty=[1], no_trunk=[2])
    nan = dict(
        hands=view['joint']['hands'].masked_fill(~view['hand_valid'][..., None, None], float('nan')),
        trunk=view['joint']['trunk'].masked_fill(~view['trunk_valid'][..., None, None], float('nan')),
    )
    close(run(model, dict(view, joint=nan), attention=True), run(model, view, attention=True))


@pytest.mark.parametrize('options', [options for options in OPTIONS if not options['masked']], ids=str)
def test_what_stands_at_missing_hands_and_trunks_counts_without_masks(options):
    """As the motion to a hand that is not there; the pooling still goes by what was found."""
    model, view = build(**options), make_view(empty=[1], no_trunk=[2])
    jump = dict(
        hands=torch.where(view['hand_valid'][..., None, None], view['joint']['hands'], -0.5),
        trunk=torch.where(view['trunk_valid'][..., None, None], view['joint']['trunk'], -0.5),
    )
    found, still = (run(model, dict(view, joint=joint), attention=True) for joint in (jump, view['joint']))
    for part, empty in (('hand', 1), ('trunk', 2)):
        assert (found[part][0] - still[part][0]).abs().max() > 1e-3
        assert not found[part][empty].any()
        assert torch.equal(found[f'{part}_attention'] == 0, still[f'{part}_attention'] == 0)


@pytest.mark.parametrize('training', [True, False])
@pytest.mark.parametrize('options', OPTIONS, ids=str)
def test_padding_changes_nothing(options, training):
    model, view = build(**options).train(training), make_view(empty=[1])
    close(run(model, padded(view, 5)), run(model, view))


@pytest.mark.parametrize('options', OPTIONS, ids=str)
def test_frames_without_a_hand_are_attended_by_config_only(options):
    """No temporal block: then attention is all that ties frames."""
    model, view = build(num_blocks=0, **options).eval(), make_view(2)
    more = padded(view, 3)
    more['frame_valid'] = torch.ones_like(more['frame_valid'])  # real frames, but no hand is found in them
    same = torch.allclose(run(model, more)['hand'], run(model, view)['hand'], atol=1e-5)
    # a hand of zeros is a token of 0 when masked, which attention still sees
    assert same == (not options['attend_missing'])


@pytest.mark.parametrize('layout', ['channel', 'sequence'])
@pytest.mark.parametrize(
    'count, frames, empty', [(1, 6, []), (1, 1, []), (3, 1, [1]), (1, 1, [0]), (2, 5, [0, 1])]
)
def test_small_and_empty_batches(layout, count, frames, empty):
    model, view = build(hand_layout=layout), make_view(count, frames, empty=empty, no_trunk=empty)
    out = run(model, view, attention=True)
    sum(value.square().sum() for value in out.values()).backward()
    assert all(value.isfinite().all() for value in out.values())
    assert all(parameter.grad is None or parameter.grad.isfinite().all() for parameter in model.parameters())
    assert all(buffer.isfinite().all() for buffer in model.buffers() if buffer.is_floating_point())
    for part in ('hand', 'trunk'):
        assert out[part].shape == (count, 8)
        for clip in range(count):
            assert bool(out[part][clip].any()) == (clip not in empty)
            torch.testing.assert_close(
                out[f'{part}_attention'][clip].sum(), torch.tensor(float(clip not in empty))
            )


@pytest.mark.parametrize('layout', ['channel', 'sequence'])
def test_clips_do_not_see_each_other(layout):
    model, view = build(hand_layout=layout).eval(), make_view(4, empty=[0])
    one = {
        key: value[2:3] if key in NAMES else {part: points[2:3] for part, points in value.items()}
        for key, value in view.items()
    }
    close(run(model, one), run(model, view), slice(2, 3))


@pytest.mark.parametrize('layout', ['channel', 'sequence'])
def test_the_parts_one_after_the_other(layout):
    """GCN and blocks a hand, attention over frames or tokens, softmax over valid tokens by a loop over
    clips.
    """
    model, view = build(hand_layout=layout).eval(), make_view(3)
    hands, valid = view['joint']['hands'], view['hand_valid']
    tokens = torch.stack(
        [model.embedders['hand'](hands[:, :, hand], valid[:, :, hand]) for hand in (0, 1)], dim=2
    )
    if layout == 'channel':
        side_by_side = torch.cat([tokens[:, :, 0], tokens[:, :, 1]], -1)[:, :, None]
        tokens = model.backbones['hand'](side_by_side, valid.any(-1, keepdim=True)).reshape(3, 6, 2, 8)
    else:
        tokens = model.backbones['hand'](tokens + model.chirality, valid)
    out = run(model, view, attention=True)
    for clip in range(3):
        kept = [(time, hand) for time in range(6) for hand in (0, 1) if valid[clip, time, hand]]
        scores = torch.stack(
            [tokens[clip, time, hand] @ model.scorers['hand'].weight[0] for time, hand in kept]
        ).double()
        weights = scores.exp() / scores.exp().sum()
        expected = sum(
            weight * tokens[clip, time, hand].double() for weight, (time, hand) in zip(weights, kept)
        )
        torch.testing.assert_close(out['hand'][clip].double(), expected, rtol=1e-4, atol=1e-5)
        for weight, (time, hand) in zip(weights, kept):
            torch.testing.assert_close(
                out['hand_attention'][clip, time, hand].double(), weight, rtol=1e-4, atol=1e-5
            )
    trunk = model.embedders['trunk'](view['joint']['trunk'], view['trunk_valid'])[:, :, None]
    trunk = model.backbones['trunk'](trunk, view['trunk_valid'][..., None])[:, :, 0]
    weights = (
        (trunk @ model.scorers['trunk'].weight[0]).masked_fill(~view['trunk_valid'], float('-inf')).softmax(1)
    )
    torch.testing.assert_close(out['trunk'], torch.einsum('bt,btc->bc', weights, trunk), rtol=1e-4, atol=1e-5)


def test_hands_and_trunk_do_not_see_each_other():
    model, view = build().eval(), make_view()
    other = dict(view, joint=dict(view['joint'], trunk=torch.rand(4, 6, 7, 2)))
    assert torch.equal(run(model, other)['hand'], run(model, view)['hand']) and not torch.equal(
        run(model, other)['trunk'], run(model, view)['trunk']
    )


def test_left_and_right_are_told_apart():
    for layout in ('channel', 'sequence'):
        model, view = build(hand_layout=layout).eval(), make_view()
        turned = dict(
            view,
            hand_valid=view['hand_valid'].flip(2),
            joint=dict(view['joint'], hands=view['joint']['hands'].flip(2)),
        )
        assert (run(model, turned)['hand'] - run(model, view)['hand']).abs().max() > 1e-3


def test_without_trunk_valid_the_trunk_is_in_every_frame():
    model, view = build().eval(), make_view()
    full = dict(view, trunk_valid=torch.ones(4, 6, dtype=torch.bool))
    args = view['joint']['hands'], view['joint']['trunk'], view['hand_valid'], view['frame_valid']
    close(model(*args), run(model, full))


def test_runs_under_autocast():
    model, view = build(), make_view(8, empty=[1])
    with torch.autocast('cpu', dtype=torch.bfloat16):
        out = run(model, view)
    for part, expected in run(model, view).items():
        torch.testing.assert_close(out[part].float(), expected, rtol=0.2, atol=0.2)
    sum(value.float().sum() for value in out.values()).backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_sync_norm_reaches_every_norm():
    for sync in (False, True):
        norms = [module for module in build(sync_norm=sync).modules() if isinstance(module, TokenBatchNorm)]
        assert len(norms) == 2 * 13 and all(norm.sync == sync for norm in norms)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(parts=('hands',)), r"parts must be some of \('hand', 'trunk'\), each once, got \('hands',\)"),
        (dict(parts=()), 'parts must be some of'),
        (dict(hand_layout='both'), "hand_layout must be one of .*'both'"),
        (dict(trunk_backbone=None), "parts names 'trunk', so trunk_embedder and trunk_backbone are needed"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build({**encoder_config(), **options})


def test_widths_that_do_not_fit():
    config = encoder_config('channel')
    with pytest.raises(
        ValueError, match=r"hand_layout='sequence' hand_backbone\.embed_dims must be 8, got 16"
    ):
        MODELS.build(dict(config, hand_layout='sequence'))
    with pytest.raises(ValueError, match=r'trunk_backbone\.embed_dims must be 8, got 16'):
        MODELS.build(dict(config, trunk_backbone=config['hand_backbone']))
    wide = dict(config['trunk_embedder'], channels=16)
    with pytest.raises(ValueError, match="of one width, got {'hand': 8, 'trunk': 16}"):
        MODELS.build(dict(config, trunk_embedder=wide, trunk_backbone=config['hand_backbone']))
