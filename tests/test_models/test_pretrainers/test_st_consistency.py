"""ST-Consistency as a whole, over a tiny encoder: what its losses are made of, where gradient goes, what the
key side does.
"""

import copy

import pytest
import torch
import torch._dynamo.testing
import torch.nn.functional as F
import toy_views  # noqa: F401
from mmengine.runner.checkpoint import load_state_dict

from signbert_mm.engine import CheckpointError, LoadReportHook
from signbert_mm.models import ConsistencyLoss, InfoNCELoss, KnowledgeTransferLoss
from signbert_mm.models.momentum import momentum_update
from signbert_mm.registry import MODELS
from signbert_mm.structures import SignDataSample

SIZE = 10
LOSSES = dict(
    loss_contrast=dict(type='InfoNCELoss'),
    loss_consistency=dict(type='ConsistencyLoss'),
    loss_transfer=dict(type='KnowledgeTransferLoss', num_anchors=6),
)


@pytest.fixture
def build():
    def make(seed=0, encoder=(), **changes):
        torch.manual_seed(seed)
        config = dict(
            type='STConsistency',
            encoder=dict(type='ToyHandTrunkEncoder', channels=12, **dict(encoder)),
            projector=dict(type='ProjectionHead', in_channels=12, out_channels=8),
            bank=dict(size=SIZE),
            momentum=0.9,
            **LOSSES,
        )
        return MODELS.build(copy.deepcopy({**config, **changes})).train()

    return make


def make_batch(count=4, frames=5, seed=0, no_hand=(), no_trunk=()):
    generator = torch.Generator().manual_seed(seed)

    def view():
        valid = torch.rand(count, frames, 2, generator=generator) < 0.8
        valid[:, 0, 0] = True
        valid[list(no_hand)] = False
        streams = {}
        for name in ('joint', 'motion'):
            trunk = 0.1 + torch.rand(count, frames, 7, 2, generator=generator)
            trunk[list(no_trunk)] = 0
            streams[name] = dict(
                hands=torch.rand(count, frames, 2, 21, 2, generator=generator) * valid[..., None, None],
                trunk=trunk,
            )
        trunk_valid = torch.ones(count, frames, dtype=torch.bool)
        trunk_valid[list(no_trunk)] = False
        return dict(
            streams,
            hand_valid=valid,
            frame_valid=torch.ones(count, frames, dtype=torch.bool),
            trunk_valid=trunk_valid,
        )

    index = torch.arange(count)
    return dict(views=[view(), view()], index=index, label=index % 2, length=torch.full((count,), frames))


def cut(batch, part):
    views = [
        {
            name: {key: x[part] for key, x in value.items()} if isinstance(value, dict) else value[part]
            for name, value in view.items()
        }
        for view in batch['views']
    ]
    return dict(views=views)


def filled(model, count=SIZE):
    """The model after one batch has gone to its banks, and equal keys and queries no longer."""
    with torch.no_grad():
        model(make_batch(count, seed=9), mode='loss')
        for parameter in [*model.encoders.parameters(), *model.projectors.parameters()]:
            parameter.add_(
                0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(parameter.numel()))
            )
    return model


def by_hand(model, modality, view, key=False):
    encoders, projectors = (
        (model.key_encoders, model.key_projectors) if key else (model.encoders, model.projectors)
    )
    pooled = encoders[modality](
        view[modality]['hands'],
        view[modality]['trunk'],
        view['hand_valid'],
        view['frame_valid'],
        view['trunk_valid'],
    )
    return {
        part: F.normalize(projectors[modality][part].layers(pooled[part]), dim=-1)
        for part in ('hand', 'trunk')
    }


def test_equation_8(build):
    """Every term from its own loss, of queries of the first view, keys of the second, and the bank as it was
    before.
    """
    model, batch = filled(build(weights=dict(joint=0.3, motion=0.7))).eval(), make_batch()
    losses, bank = model(batch, mode='loss'), model.bank.snapshot()
    q = {m: by_hand(model, m, batch['views'][0]) for m in ('joint', 'motion')}
    k = {m: by_hand(model, m, batch['views'][1], key=True) for m in ('joint', 'motion')}
    expected = {}
    for m, weight in (('joint', 0.3), ('motion', 0.7)):
        expected[f'loss_contrast_{m}'] = weight * sum(
            InfoNCELoss()(q[m][part], k[m][part], bank[f'{m}_{part}']) for part in ('hand', 'trunk')
        )
        expected[f'loss_consistency_{m}'] = weight * ConsistencyLoss()(
            (q[m]['hand'], q[m]['trunk']), (k[m]['hand'], k[m]['trunk'])
        )
    f, f_key = (tuple(side[m]['hand'] + side[m]['trunk'] for m in ('joint', 'motion')) for side in (q, k))
    anchors = tuple(bank[f'{m}_hand'] + bank[f'{m}_trunk'] for m in ('joint', 'motion'))  # eq. 4
    expected['loss_transfer'] = KnowledgeTransferLoss(6)(f, f_key, anchors)
    assert set(losses) == set(expected) and all(value > 0 for value in losses.values())
    for name, value in expected.items():
        torch.testing.assert_close(losses[name], value, msg=name)


def test_keys_go_to_the_bank_in_lockstep(build):
    """Training banks the keys of each part of each modality at one place, in the batch's order, round the end
    of the ring; evaluation banks none.
    """
    model, place = build(), 0
    expected = {name: torch.zeros(SIZE, 8) for name in model.bank.groups}
    for seed in range(4):
        batch = make_batch(4, seed=seed)
        model(batch, mode='loss')
        for m in ('joint', 'motion'):
            for part, keys in by_hand(model, m, batch['views'][1], key=True).items():
                for row, key in enumerate(keys.detach()):
                    expected[f'{m}_{part}'][(place + row) % SIZE] = key
        place += 4
    for name, ring in model.bank.snapshot().items():
        torch.testing.assert_close(ring, expected[name], msg=name)
    before = model.bank.state_dict()
    model.eval()(make_batch(4, seed=9), mode='loss')
    assert torch.equal(model.bank.keys, before['keys']) and int(model.bank.pointer) == 16 % SIZE


def test_gradient_goes_through_the_queries_alone(build):
    model = filled(build(encoder=dict(norm=True)))
    sum(model(make_batch(), mode='loss').values()).backward()
    for name, parameter in model.named_parameters():
        if name.startswith('key_'):
            assert parameter.grad is None and not parameter.requires_grad, name
        else:
            assert parameter.grad is not None and parameter.grad.isfinite().all(), name
            # batch norm takes a common shift of what it gets away again
            assert parameter.grad.any() or name.endswith(('hand.bias', 'trunk.bias')), name


@pytest.mark.parametrize(
    'changes, terms',
    [
        (dict(loss_consistency=None, loss_transfer=None), {'contrast'}),
        (dict(loss_transfer=None), {'contrast', 'consistency'}),
        (dict(loss_consistency=None), {'contrast', 'transfer'}),
        (dict(loss_contrast=None, loss_transfer=None), {'consistency'}),
        (dict(loss_contrast=None, loss_consistency=None), {'transfer'}),
        (dict(overall_bank=dict(size=12)), {'contrast', 'consistency', 'transfer'}),
        (
            dict(overall_bank=dict(size=12), loss_consistency=dict(type='ConsistencyLoss', num_anchors=4)),
            {'contrast', 'consistency', 'transfer'},
        ),
        (dict(modalities=('motion',), loss_transfer=None), {'contrast', 'consistency'}),
        (dict(parts=('hand',), loss_consistency=None), {'contrast', 'transfer'}),
    ],
)
def test_objectives_can_be_switched_off(build, changes, terms):
    """What is left has its losses only, and trains every parameter that is built: nothing is unused under
    DDP.
    """
    model = filled(build(**changes))
    losses = model(make_batch(), mode='loss')
    assert {name.split('_')[1] for name in losses} == terms
    sum(losses.values()).backward()
    unused = {
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and parameter.grad is None
    }
    # the toy encoder always has both parts; the real one builds what `parts` names
    assert unused == (
        {name for name in unused if '.trunk.' in name and name.startswith('encoders')}
        if 'parts' in changes
        else set()
    )


def test_the_overall_bank(build):
    """The authors' variant: the pooled sum has a projector, a bank and an InfoNCE of its own, and its bank
    holds the anchors.
    """
    model, batch = filled(build(overall_bank=dict(size=12), loss_consistency=None)).eval(), make_batch()
    losses, bank, overall = model(batch, mode='loss'), model.bank.snapshot(), model.overall_bank.snapshot()
    assert set(overall) == {'joint_overall', 'motion_overall'} and overall['joint_overall'].shape == (12, 8)

    def vectors(modality, view, key):
        encoders, projectors = (
            (model.key_encoders, model.key_projectors) if key else (model.encoders, model.projectors)
        )
        pooled = encoders[modality](
            view[modality]['hands'],
            view[modality]['trunk'],
            view['hand_valid'],
            view['frame_valid'],
            view['trunk_valid'],
        )
        return projectors[modality]['overall'](pooled['hand'] + pooled['trunk'])

    q, k = (
        [vectors(m, batch['views'][place], key) for m in ('joint', 'motion')]
        for place, key in ((0, False), (1, True))
    )
    torch.testing.assert_close(
        losses['loss_transfer'],
        KnowledgeTransferLoss(6)(q, k, (overall['joint_overall'], overall['motion_overall'])),
    )
    parts = [by_hand(model, 'motion', batch['views'][place], key) for place, key in ((0, False), (1, True))]
    contrast = [
        InfoNCELoss()(parts[0][part], parts[1][part], bank[f'motion_{part}']) for part in ('hand', 'trunk')
    ]
    contrast.append(InfoNCELoss()(q[1], k[1], overall['motion_overall']))
    torch.testing.assert_close(losses['loss_contrast_motion'], 0.5 * sum(contrast))


def test_momentum():
    """key = m key + (1 - m) query in float64; running statistics too, or they are left alone; counters are
    copied.
    """
    torch.manual_seed(0)
    query, key = (
        torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)).double() for _ in range(2)
    )
    query(torch.randn(5, 3, dtype=torch.float64))
    before = copy.deepcopy(key.state_dict())
    momentum_update(key, query, 0.9, buffers=False)
    for name, value in key.named_parameters():
        torch.testing.assert_close(
            value, 0.9 * before[name] + 0.1 * query.state_dict()[name], rtol=1e-12, atol=1e-12
        )
    assert not key[1].running_mean.any()
    momentum_update(key, query, 0.9)
    torch.testing.assert_close(key[1].running_mean, 0.1 * query[1].running_mean, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(key[1].running_var, 0.9 + 0.1 * query[1].running_var, rtol=1e-12, atol=1e-12)
    assert int(key[1].num_batches_tracked) == 1
    momentum_update(key, query, 0.0)
    assert all(torch.equal(value, query.state_dict()[name]) for name, value in key.state_dict().items())


def test_keys_follow_the_queries(build):
    """Copies at first (also after init_weights), then one step of momentum before each batch's keys; none in
    evaluation.
    """
    model = build()
    with torch.no_grad():
        for parameter in model.encoders.parameters():
            parameter.normal_()
    model.init_weights()
    query, key = model.encoders['motion'].hand.weight, model.key_encoders['motion'].hand.weight
    assert torch.equal(query, key)
    with torch.no_grad():
        query.add_(1.0)
    before = key.clone()
    model(make_batch(), mode='loss')
    torch.testing.assert_close(key, before + 0.1)
    model.eval()(make_batch(), mode='loss')
    torch.testing.assert_close(key, before + 0.1)


def test_batches_of_one_step(build):
    """Two batches whose gradients are added up: the keys move before the first alone, both see the banks of
    before, and the step's gradient is that
    of one batch of all clips; the rings end as after that batch."""
    batch, changes = make_batch(8, no_trunk=[5]), dict(overall_bank=dict(size=12), momentum=0.8)
    whole, model = (filled(build(**changes)) for _ in range(2))
    sum(whole(batch, mode='loss').values()).backward()
    for begins, half in ((True, slice(0, 4)), (False, slice(4, 8))):
        model.enter_batch(begins, not begins)
        sum(model(cut(batch, half), mode='loss').values()).div(2).backward()
    for (name, one), (_, other) in zip(whole.named_parameters(), model.named_parameters()):
        assert torch.equal(one, other), name
        if one.requires_grad:
            torch.testing.assert_close(other.grad, one.grad, msg=name)
    for one, other in zip(
        whole.buffers(), (value for name, value in model.named_buffers() if not name.endswith('held'))
    ):
        torch.testing.assert_close(one, other)
    # what is held needs no place in a checkpoint
    assert whole.state_dict().keys() == model.state_dict().keys()
    query, key = model.encoders['joint'].hand.weight, model.key_encoders['joint'].hand.weight
    before = key.clone()
    model.enter_batch(True, True)
    model(batch, mode='loss')
    torch.testing.assert_close(key, 0.8 * before + 0.2 * query)


def test_a_compiled_step_of_several_batches(build):
    """One graph for the batch that begins a step and one for the others; nothing breaks them."""
    counter = torch._dynamo.testing.CompileCounter()
    torch._dynamo.reset()
    models = [filled(build()) for _ in range(2)]
    models[0].compile(backend=counter, fullgraph=True, dynamic=False)
    for step in range(6):
        losses = []
        for model in models:
            model.enter_batch(step % 3 == 0, step % 3 == 2)
            losses.append(model(make_batch(4, seed=step), mode='loss'))
        for name, value in losses[1].items():
            torch.testing.assert_close(losses[0][name], value, msg=name)
    assert counter.frame_count == 2


@pytest.mark.parametrize('mode, same', [('eval', True), ('train', False)])
def test_whether_a_key_depends_on_its_batch(build, mode, same):
    model, batch = build(encoder=dict(norm=True, dropout=0.5), key_mode=mode), make_batch(6)
    assert model.encoders['joint'].training and model.key_encoders['joint'].training == (mode == 'train')
    for step in range(3):
        model(make_batch(6, seed=step), mode='loss')
    half = {name: value[:3] for name, value in batch['views'][1].items() if name.endswith('valid')}
    half.update(
        {m: {key: value[:3] for key, value in batch['views'][1][m].items()} for m in ('joint', 'motion')}
    )
    present = dict.fromkeys(('hand', 'trunk'), torch.ones(6, dtype=torch.bool))
    whole = model.embed(batch['views'][1], 'joint', present, key=True)['hand'][:3]
    alone = model.embed(half, 'joint', {part: value[:3] for part, value in present.items()}, key=True)['hand']
    assert torch.allclose(whole, alone, atol=1e-6) == same
    query_norm, key_norm = model.encoders['joint'].norms['hand'], model.key_encoders['joint'].norms['hand']
    before = key_norm.running_mean.clone()
    model.update_keys()
    followed = 0.9 * before + 0.1 * query_norm.running_mean if mode == 'eval' else before
    torch.testing.assert_close(key_norm.running_mean, followed)


def test_a_clip_without_a_part_takes_no_part_in_its_losses(build):
    """Clip 1 shows no trunk and clip 2 no hand: zeros in the bank, 0 of the part's losses, and a sum over
    what is there elsewhere.
    """
    model, batch = filled(build()).eval(), make_batch(no_trunk=[1], no_hand=[2])
    losses, bank = model(batch, mode='loss'), model.bank.snapshot()
    q, k = (by_hand(model, 'joint', batch['views'][place], key) for place, key in ((0, False), (1, True)))
    both, hand, trunk = torch.tensor([0, 3]), torch.tensor([0, 1, 3]), torch.tensor([0, 2, 3])
    contrast = sum(
        len(clips) / 4 * InfoNCELoss()(q[part][clips], k[part][clips], bank[f'joint_{part}'])
        for part, clips in (('hand', hand), ('trunk', trunk))
    )
    torch.testing.assert_close(losses['loss_contrast_joint'], 0.5 * contrast)
    consistency = ConsistencyLoss()((q['hand'][both], q['trunk'][both]), (k['hand'][both], k['trunk'][both]))
    torch.testing.assert_close(losses['loss_consistency_joint'], 0.5 * 0.5 * consistency)
    model.train()(batch, mode='loss')
    there = (model.bank.keys[:, :4] != 0).any(-1)
    names = {name: row.tolist() for name, row in zip(model.bank.groups, there)}
    assert names['motion_hand'] == [True, True, False, True] and names['joint_trunk'] == [
        True,
        False,
        True,
        True,
    ]
    sum(model(batch, mode='loss').values()).backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters() if parameter.requires_grad)
    nothing = make_batch(no_trunk=range(4), no_hand=range(4))
    assert all(value == 0 for value in model(nothing, mode='loss').values())


def test_a_batch_is_the_mean_of_its_halves(build):
    """So that two processes with half the batch each give the gradient of the whole."""
    model, batch = filled(build()).eval(), make_batch(8, no_trunk=[5])
    halves = []
    for half in (slice(0, 4), slice(4, 8)):
        halves.append(model(cut(batch, half), mode='loss'))
    for name, value in model(batch, mode='loss').items():
        torch.testing.assert_close(value, (halves[0][name] + halves[1][name]) / 2)


def test_features(build):
    model, batch = build().eval(), make_batch(no_trunk=[1])
    features = model(batch)
    assert features.shape == (4, 24) and torch.equal(
        features, model.extract_features(dict(batch, views=batch['views'][:1]))
    )
    view = batch['views'][0]
    for place, m in enumerate(('joint', 'motion')):
        pooled = model.encoders[m](
            view[m]['hands'], view[m]['trunk'], view['hand_valid'], view['frame_valid'], view['trunk_valid']
        )
        pooled['trunk'][1] = 0
        expected = F.normalize(pooled['hand'] + pooled['trunk'], dim=-1)
        torch.testing.assert_close(features[:, 12 * place : 12 * (place + 1)], expected)
    samples = model(batch, mode='predict')
    assert all(
        isinstance(sample, SignDataSample) and torch.equal(sample.features, row)
        for sample, row in zip(samples, features)
    )


def test_runs_under_autocast(build):
    model, batch = filled(build(), 8), make_batch()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model(batch, mode='loss')
    sum(losses.values()).backward()
    assert (
        all(value.dtype == torch.float32 and value.isfinite() for value in losses.values())
        and model.bank.keys.dtype == torch.float32
    )


def test_it_learns_to_tell_clips_apart(build):
    """24 clips in four batches: none is still in the ring when it comes again."""
    model = build(loss_consistency=None, loss_transfer=None)
    optimizer = torch.optim.SGD(
        [parameter for parameter in model.parameters() if parameter.requires_grad], lr=0.01, momentum=0.9
    )
    batches = [make_batch(6, seed=seed) for seed in range(4)]
    for batch in batches:
        view = batch['views'][0]
        for modality in ('joint', 'motion'):
            view[modality] = dict(
                hands=4 * view[modality]['hands'] - 2, trunk=4 * view[modality]['trunk'] - 2
            )
        batch['views'] = [view, view]
    history = []
    for step in range(160):
        optimizer.zero_grad()
        loss = sum(model(batches[step % 4], mode='loss').values())
        loss.backward()
        optimizer.step()
        history.append(float(loss.detach()))
    assert sum(history[-4:]) < 0.7 * sum(history[4:8]), history


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(loss_contrast=None, loss_consistency=None, loss_transfer=None), 'all objectives are off'),
        (dict(modalities=('joint',)), 'compares joint and motion, .* set loss_transfer=None'),
        (dict(modalities=('joint', 'bone')), "modalities must be one or both of \\('joint', 'motion'\\)"),
        (dict(modalities=()), 'modalities must be one or both'),
        (dict(parts=('hand',)), 'compares hand and trunk, .* set loss_consistency=None'),
        (
            dict(weights=dict(joint=1.0)),
            "weights are of \\['joint'\\], but the modalities are \\['joint', 'motion'\\]",
        ),
        (dict(momentum=1.0), 'momentum is from 0 up to'),
        (dict(key_mode='shuffle'), "key_mode is 'eval' or 'train'"),
        (
            dict(loss_transfer=dict(type='KnowledgeTransferLoss')),
            'loss_transfer.num_anchors is 8192, but its bank holds 10 keys.*at most 10',
        ),
        (
            dict(loss_consistency=dict(type='ConsistencyLoss', num_anchors=11)),
            'loss_consistency.num_anchors is 11, but its bank holds 10',
        ),
        (dict(overall_bank=dict(size=5)), 'num_anchors is 6, but its bank holds 5 .*model.overall_bank'),
        (
            dict(overall_bank=dict(size=9), loss_contrast=None, loss_transfer=None),
            'its projector would never be trained',
        ),
        (
            dict(overall_bank=dict(size=9), loss_contrast=None, loss_consistency=None),
            "the parts' projectors would never be trained",
        ),
        (
            dict(projector=dict(type='ProjectionHead', in_channels=16)),
            'encoder gives vectors of width 12, but model.projector.in_channels is 16',
        ),
    ],
)
def test_bad_options(build, changes, message):
    with pytest.raises(ValueError, match=message):
        build(**changes)


def test_bad_batches_and_modes(build):
    model, batch = build(), make_batch()
    with pytest.raises(ValueError, match='2 views of each clip needed, and the batch has 1'):
        model(dict(batch, views=batch['views'][:1]), mode='loss')
    with pytest.raises(
        ValueError, match='1 view of each clip needed, and the batch has 0.*st_consistency_pretrain'
    ):
        model(dict(index=batch['index']))
    with pytest.raises(ValueError, match="mode must be 'tensor', 'loss' or 'predict', got 'test'"):
        model(batch, mode='test')


def test_no_waiting(build):
    from test_no_waiting import Watch

    model = filled(
        build(overall_bank=dict(size=12), loss_consistency=dict(type='ConsistencyLoss', num_anchors=4))
    )
    batch = make_batch(no_trunk=[1])
    with Watch():
        sum(model(batch, mode='loss').values()).backward()


@pytest.mark.parametrize('load', [load_state_dict, torch.nn.Module.load_state_dict])
def test_encoders_of_a_recogniser_are_keys_too(build, load):
    """Its checkpoint holds encoders alone, and pre-training goes on from them."""
    weights = {
        name: value for name, value in build(seed=1).state_dict().items() if name.startswith('encoders.joint')
    }
    names = list(weights)
    model, other = build(seed=2), build(seed=2)
    load(model, weights, strict=False)
    assert list(weights) == names
    for name, value in model.state_dict().items():
        loaded = weights.get(name.replace('key_encoders', 'encoders'))
        assert torch.equal(value, other.state_dict()[name] if loaded is None else loaded), name
    # A later step moves the encoders, not their keys.
    with torch.no_grad():
        next(model.encoders.joint.parameters()).add_(1.0)
    assert not torch.equal(*(next(part.joint.parameters()) for part in (model.encoders, model.key_encoders)))
    report = LoadReportHook().compare(model, dict(state_dict=weights), 'x.pth', 'train')[1]
    count = len(names)
    assert f'loaded: encoders.joint ({count} of {count} tensors)\n' in report
    assert f'copied from these: key_encoders.joint ({count})\n' in report
    assert 'key_encoders.joint' not in report.partition('newly initialised')[2]
    with pytest.raises(CheckpointError, match='cannot be used to resume: it lacks'):
        LoadReportHook().compare(model, dict(state_dict=weights), 'x.pth', 'resume')


def test_keys_of_a_checkpoint_stay_its_own(build):
    source = filled(build(seed=1))
    model = build(seed=2)
    model.load_state_dict(source.state_dict())
    for name, value in model.state_dict().items():
        assert torch.equal(value, source.state_dict()[name]), name
