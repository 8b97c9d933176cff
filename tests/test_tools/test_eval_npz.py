"""tools/analysis_tools/eval_npz.py on a file and a model that the test makes."""

import json

import numpy as np
import pytest
import torch
from mmengine.config import Config

from signbert_mm.prepare.importers import NpzClips
from signbert_mm.registry import MODELS

GLOSSES = ['tea', 'milk', 'coffee']


@pytest.fixture
def run(run_file):
    return run_file('tools/analysis_tools')


@pytest.fixture
def files(tmp_path):
    """A config, a checkpoint that knows three glosses, and a file of 12 clips of four glosses, in another
    order.
    """
    crop = [dict(type='HandCrop', layout='hands_42'), dict(type='MirrorLeftHand'), dict(type='ZeroMissing')]
    gesture = dict(type='GestureGCN', joint_channels=(4,), part_channels=(8,))
    model = dict(
        type='SignRecognizer',
        embedder=dict(type='HandTokenEmbedder', gesture=gesture, max_frames=16),
        backbone=dict(
            type='HandTransformer',
            embed_dims=8,
            num_layers=1,
            num_heads=2,
            feedforward_channels=8,
            dropout=0.0,
        ),
        head=dict(type='SignHead', num_classes=3, in_channels=8),
        data_preprocessor=dict(type='SignDataPreprocessor', train_pipeline=crop, test_pipeline=crop),
    )
    dataset = dict(
        type='PoseDataset',
        store='nowhere',
        split='val',
        layout='hands_42',
        test_mode=True,
        pipeline=[dict(type='UniformTemporalSample', clip_len=6, test_mode=True)],
    )
    loader = dict(batch_size=5, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False))
    cfg = Config(
        dict(
            model=model,
            default_scope='signbert_mm',
            test_dataloader=dict(loader, dataset=dataset, collate_fn=dict(type='collate_poses')),
        )
    )
    cfg.dump(tmp_path / 'config.py')
    torch.manual_seed(0)
    torch.save(
        dict(state_dict=MODELS.build(cfg.model).state_dict(), meta=dict(glosses=GLOSSES)),
        tmp_path / 'model.pth',
    )
    random = np.random.RandomState(0)
    fields = dict(
        hands=random.uniform(0.1, 0.9, (12, 7, 2, 21, 2)).astype(np.float16),
        length=np.full(12, 7),
        label=np.arange(12) % 4,
        classes=np.asarray(['milk', 'water', 'tea', 'coffee']),
        seq_id=np.arange(12).astype(str),
        split=np.asarray(['test', 'val'] * 6),
        twin=np.asarray([-1] * 10 + [4, 4]),
    )
    np.savez(tmp_path / 'clips.npz', **fields)
    return tmp_path


def expected(files, split=''):
    """Ranks of the right gloss, one clip at a time."""
    cfg = Config.fromfile(files / 'config.py')
    model = MODELS.build(cfg.model)
    model.load_state_dict(torch.load(files / 'model.pth', weights_only=True)['state_dict'])
    model.eval()
    ranks = []
    for place, clip in enumerate(NpzClips(str(files / 'clips.npz'), protocol='recorded')):
        gloss = ['milk', 'water', 'tea', 'coffee'][clip.label]
        if gloss == 'water' or (split and clip.split != split):
            continue
        frames = (2 * np.arange(6) + 1) * 7 // 12
        points = torch.from_numpy(clip.keypoints[frames])[None]
        inputs = dict(
            keypoints=points[..., :2],
            scores=points[..., 2],
            length=torch.tensor([6]),
            image_size=torch.tensor([[640.0, 480.0]]),
            index=torch.tensor([0]),
            epoch=torch.tensor([0]),
        )
        with torch.no_grad():
            scores = model(model.data_preprocessor(dict(inputs=inputs))['inputs'])[0]
        label = GLOSSES.index(gloss)
        ranks.append((label, int((scores > scores[label]).sum()), place >= 10))
    return np.array(ranks)


@pytest.mark.parametrize('split', ['', 'val'])
def test_figures_are_those_of_one_clip_at_a_time(run, files, split):
    more = ['--split', split] if split else []
    out = files / 'figures.json'
    printed = run(
        'eval_npz', files / 'config.py', files / 'model.pth', files / 'clips.npz', '--out', out, *more
    )
    metrics, ranks = json.loads(out.read_text()), expected(files, split)
    label, right, twin = ranks[:, 0], ranks[:, 1] == 0, ranks[:, 2] > 0
    assert metrics['clips'] == len(ranks) and metrics['p_i/top1'] == pytest.approx(100 * right.mean())
    per_class = [right[label == gloss].mean() for gloss in np.unique(label)]
    assert metrics['p_c/top1'] == pytest.approx(100 * np.mean(per_class))
    assert metrics['without_twins/clips'] == (~twin).sum()
    assert metrics['without_twins/p_i/top1'] == pytest.approx(100 * right[~twin].mean())
    left_out = 0 if split == 'test' else 3
    assert f'{left_out} left out, whose gloss the checkpoint does not know' in printed
    assert f'{len(ranks)} clips: P-I Top-1' in printed


def test_no_clip_of_the_file_is_lost_by_the_config(run, files):
    """Its test data may drop clips without a hand, and its loader the last batch."""
    fields = dict(np.load(files / 'clips.npz'))
    fields['hands'][:2] = 0
    np.savez(files / 'clips.npz', **fields)
    options = ['test_dataloader.dataset.empty_clip=drop', 'test_dataloader.drop_last=True']
    options += ['test_dataloader.batch_size=5', '--out', files / 'figures.json']
    run('eval_npz', files / 'config.py', files / 'model.pth', files / 'clips.npz', '--cfg-options', *options)
    assert json.loads((files / 'figures.json').read_text())['clips'] == len(expected(files))


def test_a_file_of_twins_alone_has_one_line_of_figures(run, files):
    fields = dict(np.load(files / 'clips.npz'), twin=np.zeros(12, dtype=int))
    np.savez(files / 'clips.npz', **fields)
    out = files / 'figures.json'
    printed = run('eval_npz', files / 'config.py', files / 'model.pth', files / 'clips.npz', '--out', out)
    assert 'every clip has a twin' in printed and 'clips without twins:' not in printed
    assert not any(key.startswith('without_twins') for key in json.loads(out.read_text()))


def test_a_split_that_is_not_there(run, files):
    with pytest.raises(ValueError, match=r"no clip of split 'train'; splits there: \['test', 'val'\]"):
        run('eval_npz', files / 'config.py', files / 'model.pth', files / 'clips.npz', '--split', 'train')


def test_a_checkpoint_without_glosses(run, files):
    content = torch.load(files / 'model.pth', weights_only=True)
    torch.save(dict(content, meta={}), files / 'model.pth')
    with pytest.raises(Exception, match='names no glosses'):
        run('eval_npz', files / 'config.py', files / 'model.pth', files / 'clips.npz')
