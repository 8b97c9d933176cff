"""Figures of the papers through the runner of tables, on made records of runs: nothing is trained."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from signbert_mm.datasets import PoseDataset
from signbert_mm.datasets.synthetic import write_synthetic_store
from signbert_mm.engine.runner import ConfigError
from signbert_mm.evaluation.fusion import ClipScores, save_scores
from signbert_mm.experiments import (
    Plan,
    Setting,
    draw_figures,
    find_table,
    load_setting,
    load_table,
    make_plan,
    prepare_videos,
)
from signbert_mm.registry import DATASETS, MODELS


@pytest.fixture(scope='module')
def signs(tmp_path_factory):
    """A folder with a small store under the name that the synthetic setting has."""
    folder = tmp_path_factory.mktemp('signs')
    write_synthetic_store(
        folder / 'data' / 'synthetic_tables',
        num_glosses=100,
        num_signers=5,
        clips_per_gloss=5,
        layout='sign_49',
        truth=False,
        detector=0.5,
    )
    return folder


def plan_of(name, on='synthetic'):
    table = find_table(name)
    return make_plan(table, load_setting(table, on), [0])


def record(run, work, checkpoint=False):
    """Writes what a finished training and test leave; predictions are right for even clips."""
    folder = run.folder(work)
    folder.mkdir(parents=True, exist_ok=True)
    init_default_scope('signbert_mm')
    dataset = DATASETS.build(run.cfg.test_dataloader.dataset)
    names, labels = dataset.store.video_ids(dataset.clips), dataset.labels
    scores = np.full((len(names), 30), 0.0)
    scores[np.arange(len(names)), (labels + np.arange(len(names)) % 2) % 30] = 1
    save_scores(run.scores(work), ClipScores(run.name, names, scores, labels))
    if checkpoint:
        torch.manual_seed(0)
        torch.save(dict(state_dict=MODELS.build(run.cfg.model).state_dict()), folder / 'epoch_1.pth')
    trained = dict(seconds=1, resumed=False, checkpoint='epoch_1.pth', stores=run.stores('train'))
    metrics = dict.fromkeys(('p_i/top1', 'p_c/top1', 'input/pck20', 'output/pck20'), 50.0)
    tested = dict(metrics=metrics, stores=run.stores('test'), glosses=dataset.metainfo['glosses'])
    (folder / 'trained.json').write_text(json.dumps(trained))
    (folder / f'test_{run.test_key}.json').write_text(json.dumps(tested))


@pytest.mark.parametrize('name', ['figure3', 'st_figure3', 'figure4', 'figure5', 'figure6'])
def test_nothing_measured_is_no_figure(name, tmp_path):
    with pytest.raises(ConfigError, match='nothing has been measured yet'):
        draw_figures(plan_of(name), tmp_path)


@pytest.mark.parametrize('name, stem', [('figure5', 'sign_errors'), ('figure6', 'signers')])
def test_figures_of_scores(name, stem, signs, monkeypatch, tmp_path):
    monkeypatch.chdir(signs)
    plan = plan_of(name)
    assert all(run.keep_scores for run in plan.tests)
    for run in plan.tests:
        record(run, tmp_path)
    (path,) = draw_figures(plan, tmp_path)
    assert path == tmp_path / f'{stem}_synthetic.png' and path.stat().st_size > 2000


def test_signers_must_be_known(signs, monkeypatch, tmp_path):
    monkeypatch.chdir(signs)
    plan = plan_of('figure6')
    for run in plan.tests:
        record(run, tmp_path)
    init = PoseDataset.__init__

    def without_signers(self, *args, **kwargs):
        init(self, *args, **kwargs)
        self.store.signer = np.full(len(self.store), '')

    monkeypatch.setattr(PoseDataset, '__init__', without_signers)
    with pytest.raises(ConfigError, match='no clip has a signer'):
        draw_figures(plan, tmp_path)


def test_embedding_beside_random_weights(signs, monkeypatch, tmp_path, capsys):
    pytest.importorskip('sklearn')
    monkeypatch.chdir(signs)
    plan = plan_of('st_figure3')
    (run,) = plan.tests
    record(run, tmp_path, checkpoint=True)
    (path,) = draw_figures(plan, tmp_path)
    assert path == tmp_path / 'embedding_synthetic.png' and path.stat().st_size > 2000


def test_reconstruction_is_a_picture_a_clip(signs, monkeypatch, tmp_path):
    monkeypatch.chdir(signs)
    plan = plan_of('figure3')
    (run,) = plan.tests
    record(run, tmp_path, checkpoint=True)
    paths = draw_figures(plan, tmp_path)
    assert len(paths) == 4 and all(path.stat().st_size > 2000 for path in paths)
    assert paths[0] == tmp_path / 'reconstruction_synthetic_clip0.png'


@pytest.mark.parametrize(
    'figure, message',
    [
        ("dict(kind='tsn')", "no figure of the kind 'tsn'. Did you mean 'tsne'"),
        ("dict(kind='class_errors')", 'class_errors compares two rows, got 1'),
        ('dict(x=[1, 2])', 'x has 2 numbers, and the table 1 rows'),
    ],
)
def test_mistakes_in_a_figure(figure, message, tmp_path):
    path = tmp_path / 'table.py'
    columns = "columns = [dict(base='a', metrics={'b': 'c'})]"
    path.write_text(f"title = 't'\n{columns}\nrows = [dict(name='r')]\nfigure = {figure}\n")
    with pytest.raises(ConfigError, match=message):
        load_table(str(path))


def test_only_the_videos_that_a_plan_reads_are_drawn(signs, tmp_path):
    pytest.importorskip('av')
    store, videos, said = str(signs / 'data' / 'synthetic_tables'), str(tmp_path / 'videos'), []
    clips = dict(type='SignVideoDataset', store=store, videos=videos, pipeline=[], missing='error')
    some = dict(clips, classes=['gloss_003'], relabel=True)
    cfg = Config(
        dict(
            model=dict(),
            train_dataloader=dict(dataset=dict(some, split='train', few_shot=dict(shots=1, seed=0))),
            test_dataloader=dict(dataset=dict(some, split='test')),
        )
    )
    other = Config(dict(cfg.to_dict(), train_dataloader=dict(dataset=dict(clips, videos='elsewhere'))))
    runs = [SimpleNamespace(cfg=config) for config in (cfg, other)]
    plan = Plan(None, Setting('toys', '', {}, videos={videos: dict(size=16)}), [0], runs=runs)
    prepare_videos(plan, said.append)
    test = PoseDataset(store, 'test', classes=['gloss_003'])
    drawn = sorted(path.stem for path in (tmp_path / 'videos').iterdir())
    assert len(drawn) == len(test) + 1 and set(test.store.video_ids(test.clips)) <= set(drawn)
    prepare_videos(plan, said.append)
    assert len(said) == 1 and f'{len(drawn)} videos drawn' in said[0]
