"""tools/analysis_tools/eval_dictionary.py: its spread over seeds."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from source_files import load_file


def test_the_spread_is_the_sample_standard_deviation(monkeypatch, tmp_path, capsys):
    tool = load_file('tools/analysis_tools/eval_dictionary.py')
    monkeypatch.setattr(tool, 'PoseStore', lambda path: Clips())
    monkeypatch.setattr(tool, 'ClipEmbedder', lambda backend, segments: SimpleNamespace(backend=backend))
    monkeypatch.setattr(tool, 'SignInferencer', lambda config, checkpoint: Inferencer())
    values = {0: 80.0, 1: 90.0, 2: 88.0}
    keys = ('recall@1/all', 'recall@5/all', 'recall@1/without_rest', 'recall@5/without_rest')
    monkeypatch.setattr(
        tool,
        'recall',
        lambda store, vectors, pool, queries, shots, seed, compare: dict.fromkeys(keys, values[seed]),
    )
    monkeypatch.setattr(
        sys,
        'argv',
        ['eval_dictionary.py', 'c.py', 'c.pth', '--shots', '5', '--out', str(tmp_path / 'out.json')],
    )
    tool.main()
    expected = np.sqrt(((80 - 86) ** 2 + (90 - 86) ** 2 + (88 - 86) ** 2) / 2)
    said = capsys.readouterr().out
    assert f'| 86.0 (+-{expected:.1f}, 3 seeds) |' in said and 'sample standard deviation' in said
    assert json.loads((tmp_path / 'out.json').read_text())[0]['spread'] == pytest.approx(expected)
    monkeypatch.setattr(Clips, 'label', np.array([0, -1]))
    with pytest.raises(ValueError, match='data/words33: 1 of 1 clips have no label'):
        tool.main()


class Clips:
    split, label = np.array(['train', 'test']), np.array([-1, 0])

    def __len__(self):
        return len(self.split)


class Inferencer:
    embedder = SimpleNamespace(backend=None)
    reader = SimpleNamespace(store_clips=lambda store, used: used)

    def embed(self, clips):
        return np.zeros((len(clips), 4), np.float32), None
