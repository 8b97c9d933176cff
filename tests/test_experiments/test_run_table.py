"""The runner of tables, on a toy table of seconds."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from signbert_mm.datasets import PoseStore, PoseStoreWriter
from signbert_mm.datasets.synthetic import SYNTHETIC_NOTE
from signbert_mm.engine.checkpoint_io import load_checkpoint_file
from signbert_mm.engine.runner import ConfigError
from signbert_mm.evaluation import fusion
from signbert_mm.experiments import (
    Setting,
    choose_rows,
    execute,
    find_table,
    load_setting,
    load_table,
    make_plan,
    missing_data,
    prepare_stores,
    replace_block,
    table_markdown,
)
from signbert_mm.experiments.execute import hold
from signbert_mm.experiments.fused_run import FusedRun, common_coverage
from signbert_mm.experiments.printing import draw_figure
from signbert_mm.experiments.run import Run, data_fingerprints, fingerprint

TABLE = """
title = 'Toy table'
also = ('toy',)
corner = 'width'
order = True
against = 'none'
columns = [dict(base='finetune', metrics={'acc': 'acc'})]
rows = [
    dict(name='none', steps=[dict(base='finetune')]),
    dict(name='dropout 0', steps=[dict(base='pretrain', options={'model.dropout': 0.0}),
        dict(base='finetune')]),
    dict(name='dropout 0.1', steps=[dict(base='pretrain'), dict(base='finetune')]),
    dict(name='never'),
]
paper = {'A acc': [1.0, 2.0, 3.0, 4.0], 'C acc': [1.5, None, 0.5, None]}
figure = dict(xlabel='dropout', x=[0, 1, 2, 3])
note = 'A note.'
"""
SETTING = """
title = 'toys'
bases = dict(
    pretrain=dict(config='{toy}', options={{'model.type': 'ToyPretrainer', 'model.num_classes': None}}),
    finetune=dict(
        config='{toy}',
        by_type={{'train_dataloader:ToyDataset': dict(size=12)}},
        variants=dict(A=dict(), B=dict(options={{'model.num_classes': 2}},
            by_type=dict(ToyDataset=dict(num_classes=2)))),
    ),
)
"""


@pytest.fixture
def toy_table(tmp_path, toy_file):
    """The definition's file; its setting is named 'toys'."""
    (tmp_path / 'on').mkdir()
    (tmp_path / 'on' / 'toys.py').write_text(SETTING.format(toy=toy_file))
    path = tmp_path / 'toy_table.py'
    path.write_text(TABLE)
    return str(path)


def plan_of(path, seeds=(0,), **changes):
    table = load_table(path)
    return make_plan(table, load_setting(table, 'toys'), seeds, **changes)


def lines_of(text):
    return [
        [cell.strip() for cell in line.strip('|').split('|')]
        for line in text.splitlines()
        if line.startswith('|')
    ]


def test_plan_shares_trainings_and_keys_them_by_their_config(toy_table):
    plan = plan_of(toy_table, seeds=(0, 1))
    assert len(plan.runs) == 2 * (2 + 3 * 2) and len({run.name for run in plan.runs}) == len(plan.runs)
    assert plan.columns == ['A acc', 'B acc'] and [cell.run.seed for cell in plan.cells[1, 'B acc']] == [0, 1]
    pretrain, finetune = plan.cells[1, 'A acc'][0].run.lineage()
    assert pretrain.cfg.model.dropout == 0 and finetune.cfg.train_dataloader.dataset.size == 12
    assert (
        'size' not in finetune.cfg.test_dataloader.dataset
        and 'dropout-0' in pretrain.name
        and pretrain.key in finetune.name
    )

    same = plan_of(
        toy_table,
        options={'log_level': 'ERROR', 'train_dataloader.num_workers': 3, 'default_hooks.logger.interval': 7},
    )
    assert [run.name for run in same.runs] == [run.name for run in plan.runs if run.seed == 0]
    other = plan_of(toy_table, options={'optim_wrapper.optimizer.lr': 0.02})
    assert not {run.name for run in other.runs} & {run.name for run in plan.runs}
    retested = plan_of(toy_table, options={'test_dataloader.batch_size': 5})
    pairs = list(zip(retested.runs, (run for run in plan.runs if run.seed == 0)))
    assert all(a.name == b.name and a.test_key != b.test_key for a, b in pairs)

    made = {}
    table = load_table(toy_table)
    first, second = (make_plan(table, load_setting(table, 'toys'), [0], made=made) for _ in range(2))
    assert first.runs == second.runs and len(made) == len(first.runs)


def test_seed_and_values_of_the_config_stand_in(toy_table, tmp_path):
    setting = tmp_path / 'on' / 'toys.py'
    setting.write_text(
        setting.read_text()
        .replace('dict(size=12)', "dict(size='$seed')")
        .replace('A=dict()', "A=dict(options={'model.other': '$model.width'})")
    )
    Path(toy_table).write_text(TABLE.replace("options={'model.dropout': 0.0}", "options={'model.width': 24}"))
    plan = plan_of(toy_table, seeds=(11,), options={'model.width': 24})
    run = plan.cells[1, 'A acc'][0].run
    assert (
        run.cfg.train_dataloader.dataset.size == 11
        and run.cfg.model.other == 24
        and run.cfg.randomness.seed == 11
    )
    with pytest.raises(
        ConfigError, match="'[$]model.width' stands for a value that the config does not have"
    ):
        plan_of(toy_table)


def test_trains_what_is_missing_resumes_and_prints(toy_table, tmp_path, root, monkeypatch, run_tool, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = [toy_table, '--on', 'toys', '--seeds', '2', '--work-dir', 'work']
    environment = dict(os.environ, PYTHONPATH=f'{root}{os.pathsep}{root / "tests" / "toys"}', TOY_KILL_AT='9')
    tool = [sys.executable, str(root / 'tools' / 'analysis_tools' / 'run_table.py')]
    killed = subprocess.run([*tool, *arguments], env=environment, capture_output=True, text=True)
    assert killed.returncode == -9, killed.stderr
    plan, work = plan_of(toy_table, seeds=(0, 1)), tmp_path / 'work'
    first = plan.runs[0]
    assert (first.folder(work) / 'last_checkpoint').is_file() and first.trained(work) is None

    run_tool('analysis_tools/run_table.py', *arguments, '--out', 'page.md')
    said = capsys.readouterr().out
    assert 'goes on from epoch_2.pth' in said and '[1/16] toy_config' in said and '[16/16, about' in said
    assert all(run.trained(work)['seconds'] > 0 for run in plan.runs) and first.trained(work)['resumed']
    steps = [int(line.split()[0]) for line in (first.folder(work) / 'losses.txt').read_text().splitlines()]
    assert steps == [*range(9), *range(6, 12)]  # the epoch that was cut off is done again

    values = [cell.run.tested(work)['metrics']['acc'] for cell in plan.cells[2, 'B acc']]
    mean = sum(values) / 2
    rows = lines_of((tmp_path / 'page.md').read_text())
    assert rows[0] == ['width', 'A acc', 'A acc, paper', 'B acc', 'C acc, paper']
    assert rows[4][3] == f'{mean:.1f} +- {abs(values[0] - mean) * 2**0.5:.1f}'
    assert rows[5] == ['never', 'not measured', '4.00', 'not measured', ''] and rows[3][4] == ''
    assert 'Order in the paper, C acc: none > dropout 0.1' in said and 'A note.' in said
    first_of_all = [cell.run.tested(work)['metrics']['acc'] for cell in plan.cells[0, 'B acc']]
    differences = [value - base for value, base in zip(values, first_of_all)]
    half = abs(differences[0] - differences[1]) / 2
    assert (
        'seed by seed, B acc: dropout 0 ' in said
        and (f'dropout 0.1 {sum(differences) / 2:+.1f} +- {half * 2**0.5:.1f}') in said
    )
    assert (work / 'toy_table_toys.png').stat().st_size > 1000

    run_tool('analysis_tools/run_table.py', *arguments, '--dry-run')
    assert '16 trainings, 16 of them there' in capsys.readouterr().out


@pytest.fixture
def trained(toy_table, tmp_path, monkeypatch):
    """The toy table's plan with its first column measured, and its work folder."""
    monkeypatch.chdir(tmp_path)
    plan = plan_of(toy_table)
    said = []
    execute(plan.runs[:1], plan.tests, tmp_path / 'work', said.append)
    assert said == [f'[1/8] {plan.runs[0].name}'] or said == [f'[1/1] {plan.runs[0].name}']
    return plan, tmp_path / 'work'


def test_a_run_of_another_process_is_left_to_it_and_waited_for(trained, monkeypatch):
    plan, work = trained
    run, said = plan.runs[1], []
    monkeypatch.setattr(sys.modules['signbert_mm.experiments.execute'], '_POLL', 0.05)
    ready = threading.Event()

    def other():
        with hold(run.folder(work) / '.lock'):
            ready.set()
            while not any('Waiting' in line for line in said):
                ready.wait(0.01)
            for source, name in (
                ('trained.json', 'trained.json'),
                (f'test_{plan.runs[0].test_key}.json', f'test_{run.test_key}.json'),
            ):
                (run.folder(work) / name).write_text((plan.runs[0].folder(work) / source).read_text())

    thread = threading.Thread(target=other)
    thread.start()
    ready.wait()
    execute([run], plan.tests, work, said.append)
    thread.join()
    assert said == [f'Waiting for 1 runs of another process, among them {run.name}']
    assert not list(run.folder(work).glob('*.pth'))


def test_figures_of_few_seeds_and_other_data(trained, tmp_path):
    plan, work = trained
    text = table_markdown(plan, work)
    assert lines_of(text)[2][3] == 'not measured' and 'Seed 0.' in text
    two = plan_of(str(tmp_path / 'toy_table.py'), seeds=(0, 1))
    assert '(1 of 2 seeds)' in lines_of(table_markdown(two, work))[2][1]

    tested = plan.runs[0].folder(work) / f'test_{plan.runs[0].test_key}.json'
    content = json.loads(tested.read_text())
    row = dict(name='w', split='test', clips=6)
    tested.write_text(json.dumps(dict(content, coverage=[dict(row, expected=9, present=7)])))
    assert 'Coverage of w, test: 6 of 9 published clips.' in table_markdown(plan, work)
    tested.write_text(json.dumps(dict(content, coverage=[dict(row, split_expected=9, split_present=8)])))
    assert (
        'Coverage of w, test: 6 clips of some glosses; of all glosses 8 of 9 published clips are there.'
        in table_markdown(plan, work)
    )

    record = plan.runs[0].folder(work) / 'trained.json'
    meta = tmp_path / 'data' / 'meta.json'
    meta.parent.mkdir()
    meta.write_text(json.dumps(dict(files=dict(a=1))))
    plan.runs[0].cfg.train_dataloader.dataset.store = str(meta.parent)
    with pytest.raises(ConfigError, match='made with other data than is now in'):
        plan.runs[0].trained(work)
    assert json.loads(record.read_text())['stores'] == {}
    # A logistic regression is trained by its test.
    run = Run(plan.runs[0].cfg, plan.runs[0].config, 0, fit={})
    tested = run.folder(work) / f'test_{run.test_key}.json'
    tested.parent.mkdir()
    tested.write_text(json.dumps(dict(content, stores=run.stores('train', 'test'))))
    assert run.tested(work)
    meta.write_text(json.dumps(dict(files=dict(a=2))))
    with pytest.raises(ConfigError, match='test_.*json: made with other data than is now in'):
        run.tested(work)
    with pytest.raises(ConfigError, match="has no 'accuracy'. Known: acc"):
        cells = {
            key: [type(cell)(cell.run, 'accuracy', cell.seed) for cell in value]
            for key, value in plan.cells.items()
        }
        plan.cells = cells
        plan.runs[0].cfg.train_dataloader.dataset.pop('store')
        table_markdown(plan, work)


def synthetic_meta(**changes):
    """``meta.json`` of a store of synthetic signs, as far as its data is known by it."""
    notes = dict(note=SYNTHETIC_NOTE, arguments=dict(num_glosses=2, seed=0), clips_per_gloss=5)
    notes.update(changes.pop('notes', {}))
    files = {'keypoints.npy': dict(bytes=8, blake2b='0a')}
    return {
        **dict(
            layout='sign_49',
            dtype='float32',
            hand_rule='any',
            clips=10,
            frames=99,
            splits={},
            files=files,
            notes=notes,
        ),
        **changes,
    }


def test_synthetic_signs_made_on_another_machine_are_the_same_data():
    """Their last bits, and so the digests of their files, follow the processor."""
    here, there = synthetic_meta(), synthetic_meta(files={'keypoints.npy': dict(bytes=8, blake2b='1b')})
    assert data_fingerprints(here)[0] == data_fingerprints(there)[0]
    # of an older record
    assert data_fingerprints(here)[1] == fingerprint(here['files']) != data_fingerprints(there)[1]
    assert data_fingerprints(synthetic_meta(notes=dict(generator=1))) == data_fingerprints(here)


@pytest.mark.parametrize(
    'changes',
    [
        dict(notes=dict(arguments=dict(num_glosses=2, seed=1))),
        dict(notes=dict(generator=2)),
        dict(frames=98),
        dict(dtype='int16'),
    ],
    ids=['arguments', 'generator', 'frames', 'dtype'],
)
def test_other_synthetic_signs_are_other_data(changes):
    assert not set(data_fingerprints(synthetic_meta())[:1]) & set(
        data_fingerprints(synthetic_meta(**changes))[:1]
    )


@pytest.mark.parametrize('notes', [{}, None, 'synthetic', dict(note='mine', arguments={})])
def test_a_store_of_signers_is_known_by_its_files(notes):
    meta = dict(synthetic_meta(), notes=notes)
    assert data_fingerprints(meta) == [fingerprint(meta['files'])]
    assert data_fingerprints(dict(meta, files={})) != data_fingerprints(meta)


def test_a_table_goes_on_where_its_synthetic_store_was_made_anew(trained, tmp_path):
    plan, work = trained
    run = plan.runs[0]
    path, meta = run.folder(work) / 'trained.json', tmp_path / 'signs' / 'meta.json'
    meta.parent.mkdir()
    meta.write_text(json.dumps(synthetic_meta()))
    run.cfg.train_dataloader.dataset.store = str(meta.parent)
    old = json.loads(path.read_text())
    path.write_text(json.dumps(dict(old, stores=run.stores('train'))))
    meta.write_text(json.dumps(synthetic_meta(files={'keypoints.npy': dict(bytes=8, blake2b='1b')})))
    assert run.trained(work)['checkpoint'] == old['checkpoint']
    path.write_text(
        json.dumps(
            dict(old, stores={str(meta.parent): fingerprint({'keypoints.npy': dict(bytes=8, blake2b='1b')})})
        )
    )
    assert run.trained(work)['checkpoint'] == old['checkpoint']  # a record by the files
    meta.write_text(json.dumps(synthetic_meta(frames=98)))
    with pytest.raises(ConfigError, match='made with other data than is now in'):
        run.trained(work)


def test_stores_are_made_once_and_of_the_asked_kind(tmp_path):
    store, said = tmp_path / 'signs', []
    arguments = dict(
        num_glosses=2, num_signers=5, clips_per_gloss=5, layout='sign_49', truth=False, detector=0.0
    )
    setting = Setting('toys', '', {}, make={str(store): arguments})
    prepare_stores(setting, said.append)
    prepare_stores(setting, said.append)
    assert len(said) == 1 and len(PoseStore(store)) == 10
    setting.make[str(store)] = dict(arguments, detector=0.5)
    with pytest.raises(
        ConfigError,
        match=r'is not the store that .* asks for \(detector 0.0 there, 0.5 '
        r'asked for\)',
    ):
        prepare_stores(setting, said.append)


def test_page_keeps_what_stands_around_a_table(tmp_path):
    page = tmp_path / 'page.md'
    page.write_text('# Tables\n\nText.\n')
    replace_block(page, 'a', 'one\n')
    replace_block(page, 'b', 'two')
    page.write_text(page.read_text() + '\nMore text.\n')
    replace_block(page, 'a', r'three \1')
    assert page.read_text() == (
        '# Tables\n\nText.\n\n<!-- a -->\nthree \\1\n<!-- end of a -->\n\n<!-- b '
        '-->\ntwo\n<!-- end of b -->\n\nMore text.\n'
    )


def test_a_row_that_sums_the_scores_of_others(toy_table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    setting = tmp_path / 'on' / 'toys.py'
    setting.write_text(
        setting.read_text()
        + """
_score = {'test_evaluator': dict(_delete_=True, type='SignAccuracy', topk=(1, 2), exclude=['gloss0'])}
bases['finetune']['options'] = _score
bases['other'] = dict(bases['finetune'], options=dict(_score, **{'model.width': 8}))
"""
    )
    Path(toy_table).write_text("""
title = 'Sums'
corner = 'row'
columns = [dict(base=['finetune', 'other'], metrics={'top 1': 'p_i/top1',
    'rest': 'p_c/without_excluded/top1'})]
rows = [
    dict(name='H + P', fuse=['H', 'P']),
    dict(name='P', steps=[dict(base='other')]),
    dict(name='H', steps=[dict(base='pretrain'), dict(base='finetune')]),
    dict(name='H + R', fuse=['H', [dict(base='other', options={'model.dropout': 0.0})]]),
]
""")
    plan = plan_of(toy_table)
    work, columns = tmp_path / 'work', ['A top 1', 'A rest', 'B top 1', 'B rest']
    assert len(plan.runs) == 2 + 1 + 2 + 2 and plan.columns == columns
    assert set(plan.cells) == {(row, title) for row in range(4) for title in columns}
    execute(plan.runs[:1], plan.tests, work, print)
    assert lines_of(table_markdown(plan, work))[2] == ['H + P', *['not measured'] * 4]
    execute(plan.runs, plan.tests, work, print)
    h, p = plan.cells[2, 'A top 1'][0].run, plan.cells[1, 'A top 1'][0].run
    parts = [fusion.load_scores(run.scores(work), run.name) for run in (h, p)]
    assert parts[0].video_ids == [f'clip{index}' for index in range(24)] and not list(work.rglob('*.pkl'))
    right = (parts[0].scores + parts[1].scores).argmax(1) == parts[0].labels
    per_class = [right[parts[0].labels == label].mean() for label in (1, 2, 3)]
    shown = lines_of(table_markdown(plan, work))
    assert shown[2][1:3] == [f'{100 * right.mean():.1f}', f'{100 * sum(per_class) / 3:.1f}']
    assert all(cell != 'not measured' for line in shown[2:] for cell in line)

    h.scores(work).unlink()  # as where the test was done before a row asked for the scores
    again = lines_of(table_markdown(plan_of(toy_table), work))
    assert again[2][1] == 'not measured' and again[3:5] == shown[3:5]
    execute(plan.runs, plan.tests, work, print)
    assert lines_of(table_markdown(plan_of(toy_table), work)) == shown

    for run, clips in ((h, 24), (p, 20)):  # P lacks four clips, two more are in neither
        path = run.folder(work) / f'test_{run.test_key}.json'
        record = json.loads(path.read_text())
        path.write_text(
            json.dumps(
                dict(record, coverage=[dict(name='w', split='test', clips=clips, expected=26, present=clips)])
            )
        )
    scores = fusion.load_scores(p.scores(work), 'P')
    fusion.save_scores(
        p.scores(work), type(scores)('P', scores.video_ids[:20], scores.scores[:20], scores.labels[:20])
    )
    said = []
    monkeypatch.setattr(
        'signbert_mm.evaluation.metrics.per_clip_metric.print_log',
        lambda text, logger=None: said.append(text),
    )
    again = plan_of(toy_table)
    text = table_markdown(again, work)
    assert again.cells[0, 'A top 1'][0].run.tested(work)['coverage'] == [
        dict(name='w', split='test', clips=20, expected=26, present=20)
    ]
    assert (
        'Coverage of w, test: 20 of 26 published clips (H + P, P).' in text
        and 'Coverage of w, test: 24 of 26 published clips (H, H + R).' in text
    )
    assert any('on 20 of 26 test clips (76.9 %) of w' in line for line in said)

    text = Path(toy_table).read_text()
    for new in ("['H', 'Q']", "['H']", "['H', 'H + R']"):
        Path(toy_table).write_text(text.replace("['H', 'P']", new))
        with pytest.raises(
            ConfigError,
            match=r"row 'H [+] P': fuse takes two or more rows with steps, by "
            r'name \(P, H\)',
        ):
            load_table(toy_table)


def test_rows_of_other_label_maps_are_not_summed(tmp_path):
    """Both tests have clips of the first gloss alone, so that their labels are equal."""
    parts = []
    for name, glosses in (('h', ['a', 'b', 'c']), ('r', ['a', 'c', 'b'])):
        path = tmp_path / f'{name}.npz'
        scores = np.full((2, 3), 1 / 3)
        fusion.save_scores(path, fusion.ClipScores(name, ['v', 'w'], scores, np.zeros(2, np.int64)))
        part = SimpleNamespace(
            name=name,
            cfg=SimpleNamespace(test_evaluator=dict(type='signbert_mm.SignAccuracy', topk=1)),
            scores=lambda work, path=path: path,
            tested=lambda work, glosses=glosses: dict(glosses=glosses),
            is_tested=lambda work: True,
        )
        parts.append(part)
    assert FusedRun([parts[0], parts[0]]).tested(tmp_path)['metrics']['p_i/top1'] == 100
    with pytest.raises(ValueError, match=r'h \+ r: the parts have other label maps'):
        FusedRun(parts).tested(tmp_path)


def test_coverage_of_common_clips():
    row = dict(name='w', split='test', clips=6, expected=9, present=7)
    other = dict(name='v', split='test', clips=2, expected=4, present=4)
    assert common_coverage([[row], []], 6) == [row] and common_coverage([[], []], 6) == []
    assert common_coverage([[row], [dict(row, clips=5)]], 5) == [dict(row, clips=5)]
    assert common_coverage([[row], [dict(row, clips=5)]], 4) == [dict(row, clips=4)]
    merged = dict(name='w+v', split='test', clips=7, expected=13, present=11)
    assert common_coverage([[row, other]], 7) == [merged] and common_coverage([[row, other]], 8) == [
        row,
        other,
    ]


def test_a_variant_needs_one_run_to_start_from(toy_table, tmp_path):
    setting = tmp_path / 'on' / 'toys.py'
    several = setting.read_text() + "bases['pretrain']['variants'] = dict(C=dict(), D=dict())\n"
    setting.write_text(several)
    with pytest.raises(
        ConfigError,
        match="row 'dropout 0': variant 'A' of 'finetune' has nothing to start "
        "from: .* the variants 'C', 'D'",
    ):
        plan_of(toy_table)
    setting.write_text(several.replace('C=dict(), D=dict()', 'C=dict()'))
    assert all(cells[0].run.parent for (row, _), cells in plan_of(toy_table).cells.items() if row)
    setting.write_text(several.replace('C=dict(), D=dict()', 'B=dict(), A=dict(), C=dict()'))
    assert plan_of(toy_table).cells[1, 'A acc'][0].run.parent


def test_weights_that_a_base_starts_from(toy_table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    setting = tmp_path / 'on' / 'toys.py'
    setting.write_text(setting.read_text() + "bases['r'] = dict(bases['finetune'], start='')\n")
    Path(toy_table).write_text(
        "title = 'T'\ncorner = 'row'\ncolumns = [dict(base=['finetune', 'r'], metrics={'acc': 'acc'})]\n"
        "rows = [dict(name='R', steps=[dict(base='r')]), dict(name='H', steps=[dict(base='pretrain'), "
        "dict(base='finetune')])]\n"
    )
    table = load_table(toy_table)
    plan = make_plan(table, load_setting(table, 'toys'), [0])
    run, work = plan.cells[0, 'B acc'][0].run, tmp_path / 'work'
    assert run.cfg.get('load_from') is None
    assert 'Base r: trained from random weights (--start r=CHECKPOINT takes others' in table_markdown(
        plan, work
    )
    with pytest.raises(FileNotFoundError, match=r'checkpoint k\.pth does not exist'):
        load_setting(table, 'toys', dict(r='k.pth'))
    execute(plan.runs[2:3], set(), work, print)  # four classes, as Kinetics has others than the data
    torch.save(dict(state_dict=load_checkpoint_file(plan.runs[2].checkpoint(work))['state_dict']), 'k.pth')
    for start, message in (
        (dict(R='k.pth'), "no base 'R' that starts from given weights. Did you mean 'r'"),
        (dict(finetune='k.pth'), 'Known: r'),
    ):
        with pytest.raises(ConfigError, match=message):
            load_setting(table, 'toys', start)
    plan = make_plan(table, load_setting(table, 'toys', dict(r='k.pth')), [0])
    started = plan.cells[0, 'B acc'][0].run
    assert (
        started.key != run.key
        and started.cfg.load_from == 'k.pth'
        and 'Base r: trained from k.pth.' in table_markdown(plan, work)
    )
    assert plan.cells[1, 'B acc'][0].run.cfg.get('load_from') is None
    execute([started], {started}, work, print)  # two classes: a new head
    assert any('From checkpoint k.pth' in log.read_text() for log in started.folder(work).rglob('*.log'))
    assert started.tested(work) and list(started.files('train')) == ['k.pth']
    content = Path('k.pth').read_bytes()
    Path('k.pth').write_bytes(content + b' ')
    for record in (started.trained, started.tested):
        with pytest.raises(ConfigError, match=r'trained.json: made with other data than is now in k\.pth'):
            record(work)
    # A record of before, and one of a file that is no longer there, stay valid.
    path = started.folder(work) / 'trained.json'
    record = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in record.items() if key != 'files'}))
    assert started.trained(work)
    path.write_text(json.dumps(record))
    Path('k.pth').unlink()
    assert started.trained(work)
    Path('k.pth').write_bytes(content)
    assert started.trained(work)

    Path(toy_table).write_text(Path(toy_table).read_text().replace("dict(base='finetune')", "dict(base='r')"))
    table = load_table(toy_table)
    with pytest.raises(
        ConfigError, match="row 'H': 'r' starts from the step before and, by `start`, from 'k.pth'"
    ):
        make_plan(table, load_setting(table, 'toys', dict(r='k.pth')), [0])


@pytest.mark.parametrize(
    'old, new, message',
    [
        ('corner =', 'cornr =', "'cornr' is no field of a table. Did you mean 'corner'"),
        ("title = 'Toy table'", '', 'the field title is absent'),
        ("steps=[dict(base='finetune')]", "steps=[dict(bas='finetune')]", "row 'none'.*must have 'base'"),
        ('[1.0, 2.0, 3.0, 4.0]', '[1.0, 2.0]', "'A acc' has 2 figures, and the table 4 rows"),
        ("against = 'none'", "against = 'nine'", "against: there is no row 'nine'"),
        ('x=[0, 1, 2, 3]', 'x=[0]', 'x has 1 numbers, and the table 4 rows'),
        (
            "{'model.dropout': 0.0}",
            "{'train_dataloader.batch_siz': 2}",
            "Did you mean 'train_dataloader.batch_size'",
        ),
        ("base='pretrain', options", "base='pretran', options", "no base 'pretran'.*Did you mean 'pretrain'"),
        (
            "options={'model.dropout': 0.0}",
            'by_type=dict(Mask=dict())',
            "names 'Mask', and there is no Mask in the config",
        ),
    ],
)
def test_mistakes_in_a_definition(toy_table, old, new, message):
    path = Path(toy_table)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ConfigError, match=message):
        plan_of(toy_table)


def test_mistakes_in_a_setting_and_a_name(toy_table, tmp_path):
    table = load_table(toy_table)
    with pytest.raises(ConfigError, match="how to measure on 'toy'. Did you mean 'toys'"):
        load_setting(table, 'toy')
    (tmp_path / 'on' / 'bad.py').write_text("title = ''\nbases = dict(pretrain=dict(options={}))\n")
    with pytest.raises(ConfigError, match="base 'pretrain' must have a config"):
        load_setting(table, 'bad')
    with pytest.raises(ConfigError, match="no table 'tabel4'. Did you mean 'table4'"):
        find_table('tabel4')
    with pytest.raises(ConfigError, match='nothing has been measured yet'):
        draw_figure(plan_of(toy_table), tmp_path / 'nowhere')


# some rows and columns, and what is missing


def test_rows_and_columns_are_chosen_by_name_or_pattern(toy_table):
    table = load_table(toy_table)
    some = choose_rows(table, ['DROPOUT*', 'none'])
    assert [row['name'] for row in some.rows] == [
        'none',
        'dropout 0',
        'dropout 0.1',
    ] and some.against == 'none'
    assert some.paper == {'A acc': [1.0, 2.0, 3.0], 'C acc': [1.5, None, 0.5]} and some.figure['x'] == [
        0,
        1,
        2,
    ]
    one = choose_rows(table, ['dropout 0'])  # a name stands for itself, not for what begins with it
    assert [row['name'] for row in one.rows] == ['dropout 0'] and one.against == '' and len(table.rows) == 4
    with pytest.raises(ConfigError, match="toy_table: there is no row 'dropuot 0'. Did you mean 'dropout 0'"):
        choose_rows(table, ['dropuot 0'])

    setting = load_setting(table, 'toys')
    whole, plan = make_plan(table, setting, [0]), make_plan(one, setting, [0], columns=['b *'])
    assert plan.columns == ['B acc'] and set(plan.cells) == {(0, 'B acc')}
    assert len(plan.runs) == 2 and plan.tests == {plan.runs[1]} and plan.runs[0] is plan.runs[1].parent
    # the same trainings as of the whole table
    assert {run.name for run in plan.runs} < {run.name for run in whole.runs}
    assert lines_of(table_markdown(plan, Path('nothing')))[0] == ['width', 'B acc']
    every = make_plan(one, setting, [0], columns=['*acc'])
    assert lines_of(table_markdown(every, Path('nothing')))[0] == [
        'width',
        'A acc',
        'A acc, paper',
        'B acc',
        'C acc, paper',
    ]
    with pytest.raises(ConfigError, match="there is no column 'D acc'. Did you mean"):
        make_plan(table, setting, [0], columns=['D acc'])


def test_a_row_that_sums_rows_that_are_not_chosen(toy_table):
    Path(toy_table).write_text(
        TABLE.replace("dict(name='never')", "dict(name='sum', fuse=['none', 'dropout 0'])")
    )
    table = choose_rows(load_table(toy_table), ['sum'])
    plan = make_plan(table, load_setting(table, 'toys'), [0], columns=['A acc'])
    (cell,) = plan.cells[0, 'A acc']
    # the pre-training of one of them
    assert len(cell.run.parts) == 2 and plan.tests == set(cell.run.parts) and len(plan.runs) == 3


DATA = "by_type={{'train_dataloader:ToyDataset': dict(size=12)}},"
NEEDS = (
    "options={{'train_dataloader.dataset': dict(type='ToyDataset', store='data/a', prepare='python make_a.py "
    "--videos A/videos'),"
    " 'test_dataloader.dataset': dict(type='SignVideoDataset', store='data/a', videos='data/a_videos', "
    "missing='drop'),"
    " 'test_cfg.gallery': dict(allow_missing=True, datasets=[dict(store='data/b'), "
    "dict(store='data/wlasl100')])}},"
)


def test_what_is_missing_is_listed_with_its_command(toy_table, tmp_path, monkeypatch, run_tool, capsys):
    setting = tmp_path / 'on' / 'toys.py'
    setting.write_text(
        SETTING.replace(DATA, NEEDS)
        .replace("title = 'toys'", "title = 'toys'\nmake = {{'data/b': dict(num_glosses=2)}}")
        .format(toy='TOY')
    )
    setting.write_text(
        setting.read_text().replace(
            'TOY', str(Path(__file__).resolve().parents[1] / 'toys' / 'toy_config.py')
        )
    )
    setting.write_text(setting.read_text().replace(', by_type=dict(ToyDataset=dict(num_classes=2))', ''))
    monkeypatch.chdir(tmp_path)
    plan = plan_of(toy_table)
    found = {(item.kind, item.path): item for item in missing_data([plan], Path('work'))}
    assert set(found) == {
        ('store', 'data/a'),
        ('videos', 'data/a_videos'),
        ('store', 'data/b'),
        ('store', 'data/wlasl100'),
    }
    assert (
        found['store', 'data/a'].remedy == 'python make_a.py --videos A/videos'
        and len(found['store', 'data/a'].runs) == 6
    )
    assert 'data/a_videos/<video_id>.mp4 (the originals: A/videos;' in found['videos', 'data/a_videos'].remedy
    assert (
        'made by run_table.py' in found['store', 'data/b'].remedy
        and 'is enough' in found['store', 'data/b'].note
    )
    # from the data configs
    assert found['store', 'data/wlasl100'].remedy.startswith(
        'python tools/dataset_converters/wlasl_to_store.py'
    )

    with PoseStoreWriter('data/a', 'hand_21', ['x']) as writer:
        for name in 'pq':
            writer.add(np.ones((2, 21, 3), np.float32), 0, 'test', name, width=64, height=48)
        writer.close()
    (tmp_path / 'data' / 'a_videos').mkdir()
    (tmp_path / 'data' / 'a_videos' / 'p.mp4').touch()
    found = {item.path: item for item in missing_data([plan], Path('work'))}
    assert 'data/a' not in found and found['data/a_videos'].note == (
        '1 of 2 clips have no video there and are left out'
    )
    (tmp_path / 'data' / 'a_videos' / 'q.avi').touch()
    assert 'data/a_videos' not in {item.path for item in missing_data([plan], Path('work'))}

    run_tool(
        'analysis_tools/run_table.py',
        toy_table,
        '--on',
        'toys',
        '--work-dir',
        'work',
        '--dry-run',
        '--rows',
        'none',
        '--columns',
        'A acc',
    )
    said = capsys.readouterr().out
    assert (
        '1 trainings, 0 of them there' in said
        and 'Missing (2), and what makes it:' in said
        and 'wlasl_to_store.py' in said
    )


def test_time_that_is_left_is_that_of_trainings_alike(tmp_path):
    """A pre-training says nothing about what starts from it, and what is trained costs nothing more."""
    from types import SimpleNamespace

    from signbert_mm.experiments.execute import _cost, _seconds_of

    def run(stem, parent=None, seconds=None):
        record = None if seconds is None else dict(seconds=seconds, resumed=False)
        return SimpleNamespace(stem=stem, parent=parent, trained=lambda work_dir: record)

    first = run('pretrain', seconds=8000.0)
    runs = [first, run('finetune', first)]
    assert [_cost(each, _seconds_of(runs, tmp_path), tmp_path) for each in runs] == [0.0, None]
    runs += [run('linear', first, 20.0), run('finetune', first, 60.0), run('pretrain'), run('semi', first)]
    costs = [_cost(each, _seconds_of(runs, tmp_path), tmp_path) for each in runs]
    assert costs == [0.0, 60.0, 0.0, 0.0, 8000.0, 40.0]
