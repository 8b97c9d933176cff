"""demo/recognise_your_own_signs.ipynb: its cells run on synthetic signs, in small."""

import json

import matplotlib
import numpy as np
from doc_blocks import ROOT

SMALL = dict(SOURCE='synthetic', EPOCHS=1, CLIPS_PER_GLOSS=12, TAKES=3, EXAMPLES=2)


def test_cells_run(tmp_path, monkeypatch, capsys):
    matplotlib.use('Agg')
    monkeypatch.chdir(tmp_path)
    notebook = json.loads((ROOT / 'demo' / 'recognise_your_own_signs.ipynb').read_text(encoding='utf-8'))
    assert notebook['nbformat'] == 4 and len({cell['id'] for cell in notebook['cells']}) == len(notebook['cells'])
    names = {'__name__': '__main__'}
    for cell in notebook['cells']:
        if cell['cell_type'] != 'code':
            continue
        exec(compile(''.join(cell['source']), cell['id'], 'exec'), names)
        if 'parameters' in cell['metadata'].get('tags', ()):
            assert set(SMALL) < set(names)
            names.update(SMALL, FOLDER=str(tmp_path / 'signs'))
    shown = capsys.readouterr().out
    assert '2 examples a sign:' in shown and '20 clips asked, 20 signs, chance 5.0 %' in shown
    assert len(names['signs']) == 20 and np.isfinite(names['cosine']).all()
    assert (tmp_path / 'signs' / 'dictionary' / 'dictionary.json').is_file()
