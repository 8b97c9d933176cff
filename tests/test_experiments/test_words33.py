"""The words33 protocol as a table: its splits, shots and lengths, its baseline, and its command."""

import sys

import numpy as np
import pytest
from source_files import load_file

from signbert_mm.datasets.pose_store_writer import PoseStoreWriter
from signbert_mm.engine.runner import load_config
from signbert_mm.experiments import execute, find_table, load_setting, make_plan, table_markdown

SHOTS = {'1-shot': 1, '2-shot': 2, '5-shot': 5, '10-shot': 10, 'whole pool': None}
EPOCHS = {'1-shot': 500, '2-shot': 250, '5-shot': 100, '10-shot': 50, 'whole pool': 12}
NEIGHBOURS = {'1-shot': 1, '2-shot': 2, '5-shot': 5, '10-shot': 5, 'whole pool': 5}


def plan_of(setting='words33', seeds=(0, 2), **changes):
    table = find_table('words33')
    return make_plan(table, load_setting(table, setting), seeds, **changes)


def cells(plan, row):
    """(pool, cell) of the first metric of a row."""
    place = [row['name'] for row in plan.table.rows].index(row)
    return [(pool, cell) for pool in SHOTS for cell in plan.cells[place, f'{pool} P-I']]


@pytest.fixture(scope='module')
def store(tmp_path_factory):
    """Two glosses and rest: 10 clips each, five to train, one to develop on, four to test; the right hand
    tells the glosses apart.
    """
    folder = tmp_path_factory.mktemp('words') / 'store'
    random = np.random.RandomState(0)
    with PoseStoreWriter(folder, 'hands_42', ['-', 'fist', 'flat']) as writer:
        for label in range(3):
            for clip in range(10):
                keypoints = np.zeros((20, 42, 3), dtype=np.float32)
                turn = np.arange(21) * 0.1 * (1 + label)  # another arc for each gloss
                shape = 50 * np.stack([np.cos(turn), np.sin(turn)], -1)
                keypoints[:, 21:, :2] = 200 + shape + random.uniform(-1, 1, (20, 21, 2))
                keypoints[:, 21:, 2] = 1
                split = 'train' if clip < 5 else 'val' if clip < 6 else 'test'
                writer.add(keypoints, label, split, f'{label}_{clip}', width=640, height=480)
    return str(folder)


@pytest.mark.parametrize(
    ('setting', 'pool', 'tested'), [('words33', ['train', 'val'], 'test'), ('words33_dev', ['train'], 'val')]
)
def test_splits_shots_and_lengths(setting, pool, tested):
    plan = plan_of(setting)
    for row in plan.table.rows:
        if row.get('fuse'):
            continue
        for name, cell in cells(plan, row['name']):
            cfg, shots = cell.run.cfg, SHOTS[name]
            few_shot = None if shots is None else dict(shots=shots, seed=cell.seed)
            assert cfg.test_dataloader.dataset.split == tested
            assert cfg.test_evaluator['exclude'] == ['-']
            if row['name'].endswith('kNN'):
                gallery = cfg.test_cfg.gallery.dataset
                assert gallery.split == pool and gallery.few_shot == few_shot
                assert cfg.test_cfg.k == NEIGHBOURS[name] and cell.run.seed == 0
                continue
            assert cfg.train_dataloader.dataset.split == pool
            assert cfg.train_dataloader.dataset.few_shot == few_shot
            assert cfg.train_cfg.max_epochs == cfg.param_scheduler[1].T_max == EPOCHS[name]
            assert cfg.default_hooks.checkpoint.interval == EPOCHS[name]
            assert cfg.randomness.seed == cell.run.seed == cell.seed
    for run in plan.runs:
        assert 'test' not in str(run.cfg.train_dataloader.dataset.get('split'))
        for part in run.cfg.train_dataloader.dataset.get('datasets', ()):
            assert part.store != 'data/words33' or part.split == pool


def test_one_encoder_of_a_method_serves_all_seeds():
    plan = plan_of()
    pretrained = {run.name for run in plan.runs if 'pretrain' in run.stem}
    assert len(pretrained) == 2
    for method in ('SignBERT (H)', 'ST-Consistency'):
        starts = {cell.run.parent.name for _, cell in cells(plan, f'{method}, pre-trained')}
        assert starts == {cell.run.parent.name for _, cell in cells(plan, f'{method}, linear')}
        assert starts == {cell.run.name for _, cell in cells(plan, f'{method}, kNN')} and len(starts) == 1
        assert not any(cell.run.parent for _, cell in cells(plan, f'{method}, from scratch'))


def test_seeds_of_the_columns(tmp_path):
    plan = plan_of(seeds=range(10))
    counts = [len(plan.cells[0, f'{pool} P-I']) for pool in SHOTS]
    assert counts == [10, 10, 3, 3, 3] and len(plan.columns) == 15
    assert {run.seed for run in plan.runs if run.cfg.train_cfg.max_epochs == EPOCHS['whole pool']} == {
        0,
        1,
        2,
    }
    text = table_markdown(plan, tmp_path)
    assert 'seeds: 1-shot 10, 2-shot 10, 5-shot 3, 10-shot 3, whole pool 3' in text
    assert text.count('not measured') == 15 * len(plan.table.rows)


def test_h_and_p_are_those_of_the_rows():
    plan = plan_of(seeds=(0,))
    for (_, cell), (_, h), (_, p) in zip(
        cells(plan, 'H+P'), cells(plan, 'SignBERT (H), pre-trained'), cells(plan, 'ST-GCN (P)')
    ):
        assert cell.run.parts == [h.run, p.run] and h.run.keep_scores and p.run.keep_scores


def test_logistic_regression_uses_the_shots_and_leaves_rest_out(store, tmp_path, monkeypatch):
    table = find_table('words33')
    setting = load_setting(table, 'words33')
    paths = [f'{part}_dataloader.dataset.store' for part in ('train', 'test')]
    setting.bases['logreg']['options'].update(dict.fromkeys(paths, store))
    table.rows = [row for row in table.rows if row['name'] == 'logistic regression']
    table.against = ''
    plan = make_plan(table, setting, (0, 1), columns=['2-shot *', 'whole pool P-I'])
    execute(plan.runs, plan.tests, tmp_path, lambda line: None)
    for run in plan.runs:
        metrics = run.tested(tmp_path)['metrics']
        assert metrics['p_i/top1'] == metrics['p_c/top1'] == metrics['p_i/without_excluded/top1'] == 100.0
    assert '| logistic regression | 100.0 +- 0.0 |' in table_markdown(plan, tmp_path)
    assert not list(tmp_path.glob('*/trained.json'))
    # what is there is not computed again
    monkeypatch.setattr(sys.modules['signbert_mm.experiments.execute'], 'logistic_regression', None)
    execute(plan.runs, plan.tests, tmp_path, lambda line: None)


def test_the_command_by_short_names(monkeypatch, tmp_path, capsys):
    tool = load_file('tools/analysis_tools/run_words33.py')
    table = find_table('words33')
    assert list(tool.ROWS.values()) == [row['name'] for row in table.rows]
    seen = []
    monkeypatch.setitem(tool.main.__globals__, 'execute', lambda *arguments: seen.append(arguments))
    command = ['--dev', '--rows', 'signbert', 'logreg', '--shots', '1', 'all', '--work-dir', str(tmp_path)]
    options = [
        '--cfg-options',
        'optim_wrapper.optimizer.lr=5e-4',
        '--pretrain-options',
        'model.loss_rec.eps=1',
    ]
    monkeypatch.setattr(sys, 'argv', ['run_words33.py', *command, *options])
    tool.main()
    (runs, tests, folder) = seen[0]
    assert folder == tmp_path and (tmp_path / 'words33_dev.md').is_file()
    rates = {run.stem: run.cfg.optim_wrapper.optimizer.lr for run in runs}
    assert rates['signbert_d128_finetune'] == 5e-4 and rates['signbert_d128_pretrain'] == 1e-3
    assert next(run for run in runs if run.stem == 'signbert_d128_pretrain').cfg.model.loss_rec.eps == 1
    assert len(tests) == 2 * (10 + 3)
    out = capsys.readouterr().out
    assert '1-shot P-I' in out and '5-shot' not in out and 'not measured' in out
    monkeypatch.setattr(sys, 'argv', ['run_words33.py', '--rows', 'signbert_semi'])
    with pytest.raises(SystemExit):
        tool.main()
    assert 'projects/label_propagation/configs/words33.py' in capsys.readouterr().err


def test_tables_on_words33_follow_the_protocol():
    plans = {
        name: make_plan(find_table(name), load_setting(find_table(name), 'words33'), (0, 2))
        for name in ('table4', 'table5', 'table7')
    }
    assert all(
        plan.columns == ['1-shot P-I', '1-shot P-C', '5-shot P-I', '5-shot P-C'] for plan in plans.values()
    )
    runs = {run.name: run for plan in plans.values() for run in plan.runs}
    # joint + frame, the hand model and 100 % are one row, and no pre-training is another
    assert len(runs) == 2 * (8 + 9 * 2)
    ours = load_config('configs/words33/signbert_d128_pretrain.py')
    for run in runs.values():
        cfg, epochs, warm_up = run.cfg, run.cfg.train_cfg.max_epochs, run.cfg.param_scheduler[0].end
        assert cfg.randomness.seed == run.seed and cfg.param_scheduler[1].T_max == epochs
        if run.stem == 'words33_pretrain':
            assert ours.train_cfg.max_epochs / epochs == ours.param_scheduler[0].end / warm_up == 10
            stores = {part.store: part.get('split') for part in cfg.train_dataloader.dataset.datasets}
            assert stores == {
                part.store: part.get('split') for part in ours.train_dataloader.dataset.datasets
            }
            assert cfg.get('test_dataloader') is None
            continue
        assert cfg.default_hooks.checkpoint.interval == epochs
        few_shot = cfg.train_dataloader.dataset.few_shot
        assert few_shot.seed == run.seed and epochs == EPOCHS[f'{few_shot.shots}-shot']
        assert cfg.train_dataloader.dataset.split == ['train', 'val']
        assert cfg.test_dataloader.dataset.split == 'test'
    shares = [
        {
            part.get('data_ratio', dict(ratio=1.0))['ratio']
            for part in cells[0].run.parent.cfg.train_dataloader.dataset.datasets
        }
        for (row, title), cells in sorted(plans['table7'].cells.items())
        if row and title == '1-shot P-I'
    ]
    assert shares == [{0.25}, {0.5}, {0.75}, {1.0}]
