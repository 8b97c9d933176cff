"""The tools that draw ST-Consistency's figures, each once from the command line."""

import json
import pickle
from pathlib import Path

import pytest
import torch
from source_files import load_file
from torch import nn

from signbert_mm.datasets.synthetic import write_synthetic_store
from signbert_mm.errors import ConfigError
from signbert_mm.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]

CONFIG = """
default_scope = 'signbert_mm'
model = dict(type='ToyPoseFeatures')
test_dataloader = dict(
    batch_size=8, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='collate_poses'),
    dataset=dict(type='PoseDataset', store='{store}', split='test',
        pipeline=[dict(type='UniformTemporalSample', clip_len=4, test_mode=True)]),
)
"""


@MODELS.register_module(force=True)
class ToyPoseFeatures(nn.Module):
    """The joints of the first frame."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(98, 5)
        self.data_preprocessor = lambda data, training: data

    def extract_features(self, inputs):
        return self.layer(inputs['keypoints'][:, 0].flatten(1) / 400)


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """A config of test clips, and the store's labels and signers of them."""
    from signbert_mm.datasets import PoseDataset

    folder = tmp_path_factory.mktemp('figures')
    write_synthetic_store(
        str(folder / 'store'), num_glosses=3, num_signers=8, clips_per_gloss=24, layout='sign_49', seed=0
    )
    path = folder / 'config.py'
    path.write_text(CONFIG.format(store=folder / 'store'))
    return path, PoseDataset(str(folder / 'store'), split='test')


def dump(path, labels, shift=0, names=()):
    """Predictions of which the first ``shift`` are wrong."""
    clips = []
    for place, label in enumerate(labels.tolist()):
        scores = torch.zeros(3)
        scores[(label + (place < shift)) % 3] = 1.0
        name = dict(video_id=names[place]) if names else {}
        clips.append(dict(name, sample_idx=place, gt_label=torch.tensor(label), pred_scores=scores))
    path.write_bytes(pickle.dumps(clips, protocol=2))
    return path


@pytest.fixture
def run(run_file):
    return run_file('tools/visualization')


def test_errors_and_signers(run, data, tmp_path):
    config, clips = data
    hand, trunk = (
        dump(tmp_path / 'hand.pkl', clips.labels),
        dump(tmp_path / 'trunk.pkl', clips.labels, shift=3),
    )
    run('class_errors', hand, trunk, '--config', config, '--out', tmp_path / 'errors.png')
    rows = (tmp_path / 'errors.csv').read_text().splitlines()
    assert (
        rows[0] == 'class,clips,"hand, wrong in %","trunk, wrong in %"'
        and len(rows) == 4
        and all(',0.00,' in row for row in rows[1:])
    )
    assert (tmp_path / 'errors.png').stat().st_size > 1000
    said = run(
        'signers', config, hand, trunk, '--names', 'joint', 'motion', '--out', tmp_path / 'signers.png'
    )
    assert (
        all(f'{signer}  ' in said for signer in set(clips.store.signer[clips.clips]))
        and 'joint 100.0 %' in said
    )
    assert (tmp_path / 'signers.png').is_file()
    dump(tmp_path / 'other.pkl', clips.labels[:-1])
    names = clips.store.video_ids(clips.clips)
    named = dump(tmp_path / 'named.pkl', clips.labels, names=names)
    run('signers', config, named, '--out', tmp_path / 'signers.png')
    two = ('--names', 'a', 'b')
    # Equal labels, of clips in another order.
    turned = dump(tmp_path / 'turned.pkl', clips.labels, names=names[::-1])
    for arguments, message in (
        (('class_errors', hand, tmp_path / 'other.pkl'), 'not of the same test clips'),
        (('class_errors', hand, hand), 'both models are named'),
        (('signers', config, tmp_path / 'other.pkl'), 'not the predictions of the'),
        (('class_errors', named, turned), 'not of the same test clips'),
        (('class_errors', turned, turned, *two, '--config', config), 'clips have other labels'),
        (('signers', config, turned), 'not the predictions of the'),
        (('signers', config, hand, trunk, '--names', 'a', 'a'), '2 different names'),
    ):
        with pytest.raises(ValueError, match=message):
            run(*arguments)


def test_tsne(run, data, tmp_path):
    pytest.importorskip('sklearn')
    config, clips = data
    arguments = ('--classes', 2, '--perplexity', 1.5, '--out', tmp_path / 'tsne.png')
    said = run('tsne', config, 'none', *arguments)
    assert (
        f'random weights: {(clips.labels < 2).sum()} clips of 2 glosses' in said
        and (tmp_path / 'tsne.png').stat().st_size > 1000
    )
    with pytest.raises(ConfigError, match='has no val_dataloader'):
        run('tsne', config, 'none', '--split', 'val', *arguments)


@pytest.mark.parametrize(
    'checkpoint, name',
    [
        ('none', 'random weights'),
        ('work_dirs/signbert/epoch_60.pth', 'signbert'),
        ('work_dirs/signbert/best_p_i_top1_epoch_3.pth', 'signbert'),
        ('work_dirs/signbert/iter_400.pth', 'signbert'),
        ('zoo/signbert_d128_pretrain-4196f72a.pth', 'signbert_d128_pretrain'),
    ],
)
def test_names_of_tsne_panels(checkpoint, name):
    assert load_file('tools/visualization/tsne.py').panel_name(checkpoint) == name


def test_pretraining_curve(run, tmp_path, capsys):
    log = tmp_path / 'run' / '1' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    lines = [
        dict(loss=10.0 - step, loss_transfer=1.0, epoch=1 + (step - 1) // 3, iter=step, step=step)
        for step in range(1, 7)
    ]
    log.write_text('\n'.join(map(json.dumps, lines)) + '\n')
    out = ('--out', tmp_path / 'curve.png')
    with pytest.raises(ValueError, match='no kNN accuracy was logged'):
        run('pretraining_curve', tmp_path / 'run', *out)
    for name, text, message in (
        ('empty', '', 'no losses were logged'),
        ('metrics', '{"p_i/top1": 40.0}', 'line 1 has no `step`'),
        (
            'no_epochs',
            '{"loss": 1.0, "iter": 3, "step": 3}\n{"knn/top1": 1.0, "step": 1}',
            'no_epochs.json: the losses were logged without epochs',
        ),
    ):
        (tmp_path / f'{name}.json').write_text(text)
        with pytest.raises(ValueError, match=message):
            run('pretraining_curve', tmp_path / f'{name}.json', *out)
    with log.open('a') as file:
        file.writelines(
            json.dumps({'knn/top1': value, 'knn/top5': 90.0, 'step': epoch}) + '\n'
            for epoch, value in ((0, 20.0), (2, 50.0))
        )
    said = run('pretraining_curve', tmp_path / 'run', '--smooth', 2, *out)
    assert (
        'loss: 9.00 at epoch 0.3, 4.50 at epoch 2.0' in said
        and ('kNN top-1: 20.00 at epoch 0.0, 50.00 at epoch 2.0') in said
    )
    assert (tmp_path / 'curve.png').stat().st_size > 1000
    with pytest.raises(SystemExit):
        run('pretraining_curve', tmp_path / 'run', '--smooth', 0, *out)
    assert '--smooth: must be at least 1, got 0' in capsys.readouterr().err
