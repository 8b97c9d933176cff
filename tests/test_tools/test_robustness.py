"""tools/analysis_tools/robustness.py on a store and a model that the test makes."""

import json

import pytest
import torch
from mmengine.config import Config
from pose_store_fixtures import write_store

from signbert_mm.datasets.filming import CHANGES
from signbert_mm.errors import ConfigError
from signbert_mm.registry import MODELS


@pytest.fixture
def run(run_file):
    return run_file('tools/analysis_tools')


@pytest.fixture
def files(tmp_path, root):
    store = write_store(tmp_path / 'clips', (12, 30, 9, 16, 20, 14))
    base = str(root / 'configs/wlasl_hands/signbert_d128_paper_wlasl300.py')
    cfg = Config.fromfile(base)
    cfg.merge_from_dict(
        {
            'model.head.num_classes': len(store.glosses),
            'test_dataloader.dataset.store': str(tmp_path / 'clips'),
            'test_dataloader.dataset.split': None,
        }
    )
    cfg.dump(tmp_path / 'config.py')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    torch.save(
        dict(state_dict=model.state_dict(), meta=dict(glosses=list(store.glosses))), tmp_path / 'model.pth'
    )
    return tmp_path


def test_a_row_for_each_change(run, files):
    out = files / 'new' / 'figures.txt'
    printed = run('robustness', files / 'config.py', files / 'model.pth', '--out', out)
    figures = json.loads(out.read_text())
    assert list(figures) == list(CHANGES)
    lines = printed.splitlines()
    assert lines[0] == '6 clips; P-I Top-1, difference, Top-5' and len(lines) == 1 + len(CHANGES)
    for line, (change, metrics) in zip(lines[1:], figures.items()):
        top1 = metrics['p_i/top1']
        assert line.startswith(change)
        assert [float(word) for word in line.split()[-3:]] == pytest.approx(
            [top1, top1 - figures['as filmed']['p_i/top1'], metrics['p_i/top5']], abs=0.051
        )


def test_a_config_without_test_clips(run, files):
    cfg = Config.fromfile(files / 'config.py')
    cfg.test_dataloader = None
    cfg.dump(files / 'none.py')
    with pytest.raises(ConfigError, match='none.py has no test_dataloader'):
        run('robustness', files / 'none.py', files / 'model.pth')


def test_a_checkpoint_of_other_labels(run, files):
    content = torch.load(files / 'model.pth', weights_only=True)
    content['meta']['glosses'].reverse()
    torch.save(content, files / 'model.pth')
    with pytest.raises(ConfigError, match='glosses in another order: label 0 is'):
        run('robustness', files / 'config.py', files / 'model.pth')
