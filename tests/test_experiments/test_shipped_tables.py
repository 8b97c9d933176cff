"""The tables under configs/, on the settings beside them."""

import numpy as np
import pytest

from signbert_mm.datasets.synthetic import SyntheticSigns
from signbert_mm.experiments import (
    find_table,
    list_tables,
    load_setting,
    load_table,
    make_plan,
    table_markdown,
)


def test_rgb_of_the_papers_tables_says_what_it_starts_from(tmp_path):
    for name in ('9', 'II'):
        table = find_table(name)
        plan = make_plan(table, load_setting(table, table.on), [0])
        assert 'Base i3d: trained from random weights (--start i3d=CHECKPOINT' in table_markdown(
            plan, tmp_path
        )


def test_every_table_of_signbert_has_its_runs():
    """All tables on the settings that have their bases resolve; those of one reference configuration share
    it.
    """
    names = {}
    for name, path in list_tables().items():
        if not name.startswith('signbert/'):
            continue
        table = load_table(path)
        plan = make_plan(table, load_setting(table, table.on), [0])
        assert plan.cells and set(plan.tests) <= set(plan.runs)
        names[table.name] = {run.name for run in plan.runs}
    for table in ('table5', 'table6', 'table7'):
        assert len(names['table4'] & names[table]) >= 3, table
    plan = make_plan(find_table('9'), load_setting(find_table('9'), 'wlasl'), [0])
    assert {place for place, _ in plan.cells} == set(range(len(plan.table.rows)))
    for name, setting in (
        ('1', 'stb'),
        ('2', 'hands17'),
        ('4', 'msasl'),
        ('5', 'wlasl'),
        ('7', 'msasl'),
        ('7', 'words33'),
    ):
        assert make_plan(find_table(name), load_setting(find_table(name), setting), [0]).cells


SIGNBERT = [*(f'table{number}' for number in range(1, 11)), 'figure3']
ST_CONSISTENCY = [
    *(f'st_table_{number}' for number in 'i ii iii iv v vi vii viii ix x xi'.split()),
    *(f'st_figure{number}' for number in (3, 4, 5, 6)),
]
TABLES = ('3', '8', '9', '10')


def test_dry_run_of_every_table_and_figure_on_synthetic_signs(run_tool, tmp_path, monkeypatch, capsys):
    """By the papers' names; rows and columns are listed, and only the stores and videos are missing."""
    monkeypatch.chdir(tmp_path)
    run_tool('analysis_tools/run_table.py', *SIGNBERT, *ST_CONSISTENCY, '--on', 'synthetic', '--dry-run')
    said = capsys.readouterr().out
    titles = {find_table(name).title for name in (*SIGNBERT, *ST_CONSISTENCY)}
    assert len(titles) == 26 and all(f'{title}; on synthetic signs' in said for title in titles)
    assert 'rows (7): ST-GCN; ST-GCN, 133 keypoints; I3D; H; H + P; H + P, 133 keypoints; H + R' in said
    assert 'columns (2): Synthetic30 P-I; Synthetic100 P-I' in said
    assert "columns the paper's alone (1): SLR500 P-I" in said and 'figure: class_errors' in said
    missing = said[said.index('Missing') :]
    assert missing.startswith('Missing (3)') and 'drawn of the poses by run_table.py' in missing
    assert not list(tmp_path.iterdir())


def test_roman_numbers_and_the_other_names_are_of_the_same_tables():
    for number, name in zip('I II III IV V VI VII VIII IX X XI'.split(), ST_CONSISTENCY):
        assert find_table(number).title == find_table(name).title
    assert find_table('figure4').name == 'num_anchors' and find_table('3').name == 'nmfs_csl'


@pytest.mark.parametrize('name', TABLES)
def test_comparisons_have_all_methods(name):
    """R alone, ST-GCN over 49 and 133 joints, and their sums; every row is measured on its own data."""
    table = find_table(name)
    plan = make_plan(table, load_setting(table, table.on), [0])
    names = [row['name'] for row in table.rows]
    network = 'I3D' if name in ('8', '9') else '3D-R50'
    others = ['I3D', 'TSM', 'SlowFast'] if name == '3' else []
    hands = ['H', 'H + P', 'H + P, 133 keypoints', 'H + R']
    assert names == ['ST-GCN', 'ST-GCN, 133 keypoints', network, *others, *hands]
    assert {place for place, _ in plan.cells} == set(range(len(names)))
    assert set(table.paper) <= set(plan.columns)
    joints = [plan.cells[place, plan.columns[0]][0].run.cfg.model.layout for place in (0, 1)]
    assert joints == ['sign_49', 'coco_wholebody_133']
    summed = plan.cells[names.index('H + P, 133 keypoints'), plan.columns[0]][0].run
    assert summed.parts[1].cfg.model.layout == 'coco_wholebody_133'


@pytest.mark.parametrize('name', [*TABLES, 'I', 'II', 'III', 'IV'])
def test_a_row_named_by_a_network_trains_that_network(name):
    table = find_table(name)
    configs = {'3D-R50': 'r3d', 'I3D': 'i3d', 'TSM': 'tsm', 'SlowFast': 'slowfast'}
    for on in (table.on, 'synthetic'):
        plan = make_plan(table, load_setting(table, on), [0])
        places = [place for place, row in enumerate(table.rows) if row['name'] in configs]
        assert places
        for place in places:
            trained = plan.cells[place, plan.columns[0]][0].run.name
            assert trained.startswith(configs[table.rows[place]['name']]), (on, trained)
        summed = next(row['fuse'] for row in table.rows if row['name'].endswith('+ R'))
        assert summed[1] == table.rows[places[0]]['name']


@pytest.mark.parametrize('name', ['3', 'III'])
def test_columns_of_nmfs_csl_have_keys_in_every_test(name):
    for on in ('nmfs_csl', 'synthetic'):
        plan = make_plan(find_table(name), load_setting(find_table(name), on), [0])
        assert all(run.cfg.test_evaluator.topk == (1, 2, 5) for run in plan.tests)
        assert all(set(run.cfg.test_evaluator.subsets) == {'confusing', 'normal'} for run in plan.tests)


def test_normal_synthetic_glosses_are_half_of_no_minimal_pair():
    table = find_table('3')
    setting = load_setting(table, 'synthetic')
    store = dict(setting.make['data/synthetic_tables'])
    signs = SyntheticSigns(**{key: store[key] for key in ('num_glosses', 'num_signers', 'seed')})
    glosses = signs.vocabulary.glosses
    parts = [
        {'shapes', 'swing'},
        {'orientations', 'swing'},
        {'place'},
        {'move', 'size', 'direction', 'plane', 'turn'},
    ]

    def is_pair(one, other):
        differ = {name for name in one.__dataclass_fields__ if getattr(one, name) != getattr(other, name)}
        return any(differ <= part for part in parts)

    for name, number in (('Synthetic30', 30), ('Synthetic100', 100)):
        subsets = setting.bases['finetune']['variants'][name]['options']['test_evaluator.subsets']
        paired = [
            any(is_pair(glosses[one], glosses[other]) for other in range(number) if other != one)
            for one in range(number)
        ]
        assert np.flatnonzero(paired).tolist() == list(subsets['confusing'])
        assert sorted([*subsets['confusing'], *subsets['normal']]) == list(range(number))
