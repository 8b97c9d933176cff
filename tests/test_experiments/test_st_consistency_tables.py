"""ST-Consistency's tables: each definition resolves, each row's model builds, and the paper's figures stand
beside the right rows.
"""

import json
from pathlib import Path

import pytest
from mmengine.registry import init_default_scope

from signbert_mm.engine.runner import ConfigError
from signbert_mm.experiments import list_tables, load_setting, load_table, make_plan
from signbert_mm.registry import MODELS

NAMES = [name for name in list_tables() if name.startswith('st_consistency/')]
ABLATIONS = ('objectives', 'modality', 'transfer', 'granularity', 'weights', 'data_share', 'num_anchors')
FIGURES = ('embedding', 'sign_errors', 'signers')
DATA_SETS = ('msasl', 'wlasl', 'nmfs_csl', 'slr500')


def plan_of(name, on=None, seeds=(0,), **options):
    table = load_table(list_tables()[f'st_consistency/{name}'])
    return make_plan(table, load_setting(table, on or table.on), seeds, **options)


def narrow(model):
    """The config of a model at width 8."""
    model = json.loads(json.dumps(model))
    gesture = dict(joint_channels=[4, 4], part_channels=[4, 8])
    for part in ('hand', 'trunk'):
        model['encoder'][f'{part}_embedder'].update(channels=8, num_blocks=1)
        model['encoder'][f'{part}_embedder']['gesture'].update(gesture)
        model['encoder'][f'{part}_backbone'].update(
            embed_dims=16 if part == 'hand' else 8, num_layers=1, num_heads=2, feedforward_channels=8
        )
    model['projector' if 'projector' in model else 'head']['in_channels'] = 8
    return model


def model_of(run):
    return MODELS.build(narrow(run.cfg.model.to_dict()))


def test_all_tables_are_there():
    protocols = ('protocols', *(f'protocols_{name}' for name in DATA_SETS))
    all_tables = (*ABLATIONS, *protocols, *FIGURES, 'st_pretraining_gain')
    assert sorted(NAMES) == sorted(f'st_consistency/{name}' for name in all_tables)
    others = [load_table(path) for name, path in list_tables().items() if name not in NAMES]
    taken = {alias for table in others for alias in (table.name, *table.also)}
    mine = [
        alias
        for name in NAMES
        for alias in (load_table(list_tables()[name]).name, *load_table(list_tables()[name]).also)
    ]
    assert (
        not taken & set(mine)
        and len(set(mine)) == len(mine)
        and {'I', 'II', 'III', 'IV', 'figure4'} <= set(mine)
    )


@pytest.mark.parametrize('name', NAMES)
def test_rows_build_and_fit_the_weights_they_start_from(name):
    """On its own setting: what a training loads from the one before has the names and shapes of its own
    weights.
    """
    init_default_scope('signbert_mm')
    plan = plan_of(name.split('/')[1])
    built = {}
    for run in plan.runs:
        key = json.dumps(
            [run.cfg.model.to_dict(), run.parent.cfg.model.to_dict() if run.parent else None],
            sort_keys=True,
            default=str,
        )
        if key in built or run.cfg.model.type == 'MMActionRecognizer':  # R has no encoders
            continue
        own, parent = model_of(run).state_dict(), model_of(run.parent).state_dict() if run.parent else {}
        built[key] = own
        encoders = [part for part in own if part.startswith('encoders.')]
        assert encoders and all(
            part in parent and parent[part].shape == own[part].shape for part in encoders if run.parent
        )
    assert all(len(values) == len(plan.table.rows) for values in plan.table.paper.values())
    assert plan.table.paper or plan.table.figure
    assert plan.cells and plan.tests <= set(plan.runs)


@pytest.mark.parametrize('on', DATA_SETS)
def test_full_width_settings(on):
    plan = plan_of(f'protocols_{on}', seeds=(0,))
    assert set(plan.table.paper) <= set(plan.columns)
    names = [row['name'] for row in plan.table.rows]
    measured = {names[place] for place, _ in plan.cells}
    assert measured == set(names)
    # one pre-training for all
    assert len({run.name for run in plan.runs if run.parent is None and 'encoder' in run.cfg.model}) == 1
    frozen = {
        bool(cell.run.cfg.model.get('frozen'))
        for (place, _), cells in plan.cells.items()
        for cell in cells
        if names[place] == 'linear'
    }
    assert frozen == {True}


def test_ablations_on_the_papers_data():
    for name in ABLATIONS:
        plan = plan_of(name, 'msasl')
        assert set(plan.table.paper) <= set(plan.columns)
    plan = plan_of('objectives', 'msasl')
    assert len({run.name for run in plan.runs}) == 4 * (1 + 3 + 3)
    assert len(plan.runs) == 4 * (3 + 3 + 3)  # one pre-training, tested on three data sets


def test_rows_say_what_they_vary():
    plan = plan_of('objectives')
    assert plan.columns == ['P-I', 'P-C', 'linear P-I', 'linear P-C', 'kNN P-I'] and len(plan.runs) == 12
    losses = ('loss_contrast', 'loss_consistency', 'loss_transfer')
    switched = [
        tuple(plan.cells[place, 'kNN P-I'][0].run.cfg.model.get(loss) is not None for loss in losses)
        for place in range(4)
    ]
    assert switched == [(True, False, False), (True, True, False), (True, False, True), (True, True, True)]
    for place in range(4):
        fine, linear = (plan.cells[place, title][0].run for title in ('P-I', 'linear P-I'))
        assert fine.parent is linear.parent is plan.cells[place, 'kNN P-I'][0].run and linear.cfg.model.frozen

    pretrained = {name: {run.name for run in plan_of(name).runs if run.parent is None} for name in ABLATIONS}
    both = plan.cells[3, 'kNN P-I'][0].run.name
    shared = {name for name, runs in pretrained.items() if both in runs}
    assert shared == set(ABLATIONS)  # the reference configuration is trained once for all tables
    assert pretrained['transfer'] <= pretrained['objectives'] and len(pretrained['modality']) == 3

    # hands or trunk, joint or motion, of one pre-training; and, in rows of their own, each alone
    plan = plan_of('granularity')
    pretrainings = [plan.cells[place, 'P-I'][0].run.parent for place in range(5)]
    assert pretrainings[0] is pretrainings[1] is pretrainings[2] and pretrainings[2].name == both
    assert [run.cfg.model.parts for run in pretrainings[3:]] == [('hand',), ('trunk',)]
    plan = plan_of('modality')
    pretrainings = [plan.cells[place, 'P-I'][0].run.parent for place in range(5)]
    assert {run.name for run in pretrainings[:3]} == {both}
    for run, name in zip(pretrainings[3:], ('joint', 'motion')):
        # The scale of a modality's losses is that of the pre-training of both (eq. 8).
        assert run.cfg.model.modalities == (name,) and run.cfg.model.weights == {name: 0.5}
        assert run.cfg.model.loss_transfer is None

    plan = plan_of('num_anchors')
    size = plan.runs[0].cfg.model.bank['size']
    found = [plan.cells[place, 'kNN P-I'][0].run.cfg.model.loss_transfer.num_anchors for place in range(5)]
    assert found == [size // 16, size // 8, size // 4, size // 2, size]
    weights = [
        cells[0].run.cfg.model.get('weights')
        for (_, title), cells in plan_of('weights').cells.items()
        if title == 'kNN P-I'
    ]
    assert [tuple((value or dict(joint=0.5, motion=0.5)).values()) for value in weights] == [
        (0.3, 0.7),
        (0.4, 0.6),
        (0.5, 0.5),
        (0.6, 0.4),
        (0.7, 0.3),
    ]
    shares = [plan_of('data_share', seeds=(7,)).cells[place, 'P-I'][0].run for place in range(5)]
    assert shares[0].parent is None and shares[1].parent.cfg.train_dataloader.dataset.data_ratio == dict(
        ratio=0.25, seed=7
    )


def test_a_test_of_other_neighbours_is_another_test():
    plan, other = plan_of('granularity'), plan_of('granularity', options={'test_cfg.k': 5})
    pretrain, same = plan.cells[2, 'kNN P-I'][0].run, other.cells[2, 'kNN P-I'][0].run
    assert pretrain.name == same.name and pretrain.test_key != same.test_key


@pytest.mark.parametrize(
    'options, message',
    [
        ({'model.loss_transfer.num_anchors': '$model.bank.size/3'}, r"512 cannot be divided by '3'"),
        ({'model.loss_transfer.num_anchors': '$model.bank.siz/2'}, 'does not have'),
    ],
)
def test_shares_of_values(options, message):
    with pytest.raises(ConfigError, match=message):
        plan_of('modality', options=options)


def test_steps_and_columns_of_several_bases(tmp_path, toy_file):
    (tmp_path / 'on').mkdir()
    base = f"dict(config='{toy_file}', by_type=dict(ToyDataset=dict(size=%d)))"
    bases = (
        f'bases = dict(pretrain={base % 8}, finetune={base % 12}, linear={base % 16}, '
        f'odd=dict({(base % 20)[5:-1]}, variants=dict(X=dict())))\n'
    )
    (tmp_path / 'on' / 'toys.py').write_text(f"title = 'toys'\n{bases}")
    head = "title = 't'\ncolumns = [dict(base=['pretrain', 'finetune', 'linear'], metrics={'acc': 'acc'})]\n"
    steps = (
        "rows = [dict(name='a', steps=[dict(base='pretrain'), dict(base='finetune'), "
        "dict(base='linear', "
        "after='pretrain')])]\n"
    )
    path = Path(tmp_path) / 'toy.py'

    def plan(text):
        path.write_text(text)
        table = load_table(str(path))
        return make_plan(table, load_setting(table, 'toys'), [0])

    found = plan(head + steps)
    (run,) = [cell.run for cell in found.cells[0, 'acc']]  # the last step that the column names
    assert run.cfg.test_dataloader.dataset.size == 16 and run.parent.cfg.test_dataloader.dataset.size == 8
    with pytest.raises(ConfigError, match="no step before 'linear' has the base 'nothing'"):
        plan(head + steps.replace("after='pretrain'", "after='nothing'"))
    with pytest.raises(ConfigError, match='other variants than the first of them: X acc'):
        plan(head.replace("'linear']", "'odd']") + "rows = [dict(name='a', steps=[dict(base='odd')])]\n")


def test_table_five_on_all_data_sets():
    plan = plan_of('protocols', 'papers')
    assert set(plan.table.paper) <= set(plan.columns) and len(plan.columns) == 2 * 8
    # one pre-training; a linear classifier and three shares on each of eight vocabularies
    assert len({run.name for run in plan.runs}) == 1 + 8 * 4
    assert {row['name'] for row in plan.table.rows} == {
        'linear',
        *(f'semi-supervised, {share} %' for share in (20, 40, 60)),
    }
