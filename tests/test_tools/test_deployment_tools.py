"""publish_model and build_dictionary from the command line."""

import hashlib
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from signbert_mm.apis import SignDictionary, init_model
from signbert_mm.datasets import PoseStoreWriter
from signbert_mm.extraction import PoseExtractor
from signbert_mm.files.checkpoints import load_checkpoint_file

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
_base_ = ['{root}/configs/_base_/models/signbert_recognizer.py', '{root}/configs/_base_/default_runtime.py']
model = dict(
    embedder=dict(gesture=dict(joint_channels=(4, 8), part_channels=(8, 16))),
    backbone=dict(embed_dims=16, num_layers=1, num_heads=2, feedforward_channels=16),
    head=dict(in_channels=16, num_classes=2),
)
test_dataloader = dict(dataset=dict(type='PoseDataset', store='{store}', split='test',
    pipeline=[dict(type='CenterTemporalSample', clip_len=4)]))
"""


@pytest.fixture
def run(monkeypatch, capsys):
    """``run('misc/publish_model.py', *arguments)`` runs a tool in this process and gives what it printed;
    SystemExit for an error.
    """
    import runpy

    def call(name, *arguments):
        monkeypatch.setattr(sys, 'argv', [name, *map(str, arguments)])
        runpy.run_path(str(ROOT / 'tools' / name), run_name='__main__')
        return capsys.readouterr().out

    return call


@pytest.fixture
def house(tmp_path):
    """Config and checkpoint of a narrow recogniser, and its store."""
    with PoseStoreWriter(tmp_path / 'store', 'sign_49', ['yes', 'no']) as writer:
        for index in range(8):
            clip = np.ones((5, 49, 3), np.float32)
            clip[..., :2] = np.random.RandomState(index).uniform(100, 300, (5, 49, 2))
            writer.add(clip, index % 2, 'test' if index < 4 else 'train', f'v{index}', width=400, height=400)
        writer.close()
    config = tmp_path / 'narrow.py'
    config.write_text(CONFIG.format(root=ROOT, store=tmp_path / 'store'))
    torch.manual_seed(0)
    model = init_model(str(config))
    meta = dict(
        glosses=['yes', 'no'], layout='sign_49', extractor=['toy'], experiment_name='here', time='now'
    )
    torch.save(
        dict(
            meta=meta,
            state_dict=model.state_dict(),
            optimizer=dict(state={0: torch.zeros(9)}),
            message_hub={},
        ),
        tmp_path / 'epoch_1.pth',
    )
    return config, tmp_path / 'epoch_1.pth', tmp_path / 'store'


def test_publish_model(run, house, tmp_path, capsys):
    config, checkpoint, _ = house
    for flags in ((), ('--half',)):
        out = run('misc/publish_model.py', checkpoint, tmp_path / f'model{len(flags)}.pth', *flags)
        again = run('misc/publish_model.py', checkpoint, tmp_path / f'model{len(flags)}.pth', *flags)
        assert out == again
        path = out.split(': ')[0]
        assert hashlib.sha256(Path(path).read_bytes()).hexdigest()[:8] == path[-12:-4]
        content = load_checkpoint_file(path)
        assert set(content) == {'meta', 'state_dict'} and content['meta'] == dict(
            glosses=['yes', 'no'], layout='sign_49', extractor=['toy']
        )
        first, second = init_model(str(config), checkpoint), init_model(str(config), path)
        assert second.dataset_meta['glosses'] == ['yes', 'no']
        for a, b in zip(first.parameters(), second.parameters()):
            assert b.dtype == torch.float32 and torch.allclose(a, b, atol=1e-3 if flags else 0)
    with pytest.raises(SystemExit):
        run('misc/publish_model.py', checkpoint, tmp_path / 'model')
    assert 'must end in .pth' in capsys.readouterr().err
    torch.save(dict(state_dict=dict(weight=torch.tensor([1e6]))), tmp_path / 'large.pth')
    with pytest.raises(SystemExit, match='weight is not finite in half precision'):
        # mmengine's name for it
        run('misc/publish_model.py', tmp_path / 'large.pth', tmp_path / 'x.pth', '--fp16')


def test_build_dictionary(run, house, tmp_path, capsys):
    config, checkpoint, store = house
    base = ('build_dictionary.py', config, checkpoint, tmp_path / 'signs')
    with pytest.raises(SystemExit, match='no such dictionary'):
        run(*base, '--remove', 'yes')
    assert '2 signs, 2 examples' in run(*base, '--store', store, '--split', 'train', '--shots', '1')
    assert '2 signs, 6 examples' in run(*base, '--store', store, '--split', 'test')
    assert '1 signs, 3 examples' in run(*base, '--remove', ' yes')
    found = run(*base, '--search', store)
    assert found.count('"no"') == 8
    assert SignDictionary.load(tmp_path / 'signs').examples('no') == ['v5', 'v1', 'v3']
    with pytest.raises(SystemExit):
        run(*base, '--add', 'yes')
    assert 'at least one video' in capsys.readouterr().err
    for arguments, message in (
        (('--remove', 'yes'), 'has no sign'),
        (('--store', store, '--split', 'x'), 'has no clips'),
        (('--videos', tmp_path / 'empty'), 'no folders of glosses'),
        (('--cfg-options', 'test_dataloader.dataset.pipeline.0.clip_len=3'), 'another encoder'),
    ):
        with pytest.raises(SystemExit, match=message):
            run(*base, *arguments)


class Toy(PoseExtractor):
    """One pose for every image."""

    name = 'toy'

    def predict(self, items):
        pose = np.random.RandomState(0).uniform(20, 60, (133, 3))
        pose[:, 2] = 1
        return np.stack([pose + [image.mean() / 20, 0, 0] for image in items])


def test_a_sign_without_readable_videos_is_left_out_of_a_dictionary(run, house, tmp_path):
    config, checkpoint, _ = house
    videos = tmp_path / 'videos'
    for name in ('hello/a/0.png', 'hello/a/1.png', 'hello/b.mp4', 'bye/c.mp4', 'odd/l0.png', 'odd/r1.png'):
        (videos / name).parent.mkdir(parents=True, exist_ok=True)
        (videos / name).write_bytes(b'no video')
    (videos / 'nothing').mkdir()
    for number in range(2):
        cv2.imwrite(
            str(videos / 'hello' / 'a' / f'{number}.png'), np.full((80, 80, 3), 90 * number, np.uint8)
        )
    base = (
        'build_dictionary.py',
        config,
        checkpoint,
        tmp_path / 'signs',
        '--extractor',
        'test_deployment_tools.Toy',
    )
    out = run(*base, '--videos', videos)
    assert (
        '1 signs, 1 examples' in out
        and '3 of 4 signs are left out: bye (none of the inputs could be read' in out
    )
    assert 'nothing (no video in it)' in out and SignDictionary.load(tmp_path / 'signs').examples(
        'hello'
    ) == ['a']
    shutil.rmtree(videos / 'hello')
    with pytest.raises(SystemExit, match='no video of any sign could be read'):
        run(*base, '--videos', videos)
