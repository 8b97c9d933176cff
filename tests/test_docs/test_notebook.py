"""demo/recognise_your_own_signs.ipynb: its cells run on synthetic signs, in small, and it checks its inputs
first.
"""

import json

import matplotlib
import numpy as np
import pytest
from doc_blocks import ROOT

from signbert_mm.apis import SignInferencer

SMALL = dict(SOURCE='synthetic', CHECKPOINT='', EPOCHS=1, CLIPS_PER_GLOSS=12, TAKES=3, EXAMPLES=2)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """``run(stop='', **settings)`` runs the cells in an empty folder, up to the one of this id; gives the
    names.
    """
    matplotlib.use('Agg')
    monkeypatch.chdir(tmp_path)

    def cells(stop='', **settings):
        notebook = json.loads((ROOT / 'demo' / 'recognise_your_own_signs.ipynb').read_text(encoding='utf-8'))
        assert notebook['nbformat'] == 4 and len({cell['id'] for cell in notebook['cells']}) == len(
            notebook['cells']
        )
        names = {'__name__': '__main__'}
        for cell in notebook['cells']:
            if cell['cell_type'] != 'code':
                continue
            exec(compile(''.join(cell['source']), cell['id'], 'exec'), names)
            if 'parameters' in cell['metadata'].get('tags', ()):
                assert set(SMALL) < set(names)
                names.update({**SMALL, **settings, 'FOLDER': str(tmp_path / 'signs')})
            if cell['id'] == stop:
                break
        return names

    return cells


@pytest.mark.parametrize('examples', [2, 3])
def test_cells_run(run, tmp_path, capsys, examples):
    names = run(EXAMPLES=examples)  # of three takes: with three examples none would be left to ask
    shown = capsys.readouterr().out
    assert '2 examples a sign:' in shown and '20 clips asked, 20 signs, chance 5.0 %' in shown
    assert ('EXAMPLES is 2 now' in shown) == (examples == 3)
    assert len(names['signs']) == 20 and np.isfinite(names['cosine']).all()
    assert (tmp_path / 'signs' / 'dictionary' / 'dictionary.json').is_file()


def test_the_encoder_of_the_package(run, tmp_path):
    names = run('c04', CHECKPOINT='zoo://signbert_d128')
    assert (
        names['inferencer'].embedder.fingerprint == SignInferencer('zoo://signbert_d128').embedder.fingerprint
    )
    # Nothing was trained.
    assert not (tmp_path / 'signs').exists()


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(SOURCE='camera'), "SOURCE is 'camera'; choose"),
        (dict(EXAMPLES=0), 'EXAMPLES is 0; give a whole number'),
        (dict(TAKES=1), 'TAKES is 1; a sign needs at least 2'),
        (dict(CHECKPOINT='absent.pth'), 'absent.pth is not there'),
        (dict(SOURCE='videos', VIDEOS='absent'), 'absent is not there; it should hold a folder'),
        (dict(SOURCE='webcam', SIGNS=['hello']), 'give a list of two or more signs'),
    ],
)
def test_inputs_are_checked_before_anything_takes_time(run, tmp_path, settings, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        run('check', **settings)
    assert not (tmp_path / 'signs').exists()


def test_folders_of_videos_are_counted(run, tmp_path):
    for name in ('hello/1.mp4', 'hello/2.mp4', 'thanks/1.mp4', 'empty/notes.txt'):
        (tmp_path / 'videos' / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / 'videos' / name).touch()
    with pytest.raises(
        ValueError,
        match=r'3 signs; two or more are needed, with two videos each. Too few: '
        r"\['empty \(0\)', 'thanks \(1\)'\]",
    ):
        run('check', SOURCE='videos', VIDEOS='videos')
