"""Every Python block of the guides runs, in the order of the page, in an empty folder beside the project's
configs.
"""

import ast
import importlib

import numpy as np
import pytest
from doc_blocks import GUIDES, PAGES, ROOT, blocks

from signbert_mm.datasets import PoseStoreWriter, SyntheticSigns
from signbert_mm.prepare.sources import convert
from signbert_mm.prepare.sources.video_folder import video_folder_index


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty folder with the project's configs, and what pages expect from videos: the store that
    folder_to_store.py makes.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / 'configs').mkdir()
    for entry in (ROOT / 'configs').iterdir():
        (tmp_path / 'configs' / entry.name).symlink_to(entry)
    signs = SyntheticSigns(num_glosses=20, num_signers=3, seed=1, length=(20, 24))
    batch = signs.generate(range(120))
    with PoseStoreWriter(
        tmp_path / 'data' / 'my_videos', signs.layout, [], extractor='mediapipe', extractor_version='0'
    ) as writer:
        for i in range(len(batch)):
            name = f'{signs.glosses[batch.label[i]]}/{("anna", "ben", "cem")[batch.signer[i]]}_{i // 60}'
            width, height = batch.image_size[i].tolist()
            writer.add(batch.keypoints[batch.rows(i)], -1, 'all', name, width=width, height=height, fps=25.0)
            video = tmp_path / 'my_videos' / f'{name}.mp4'
            video.parent.mkdir(parents=True, exist_ok=True)
            video.touch()  # its poses are there already
    index = video_folder_index(tmp_path / 'my_videos', signer='^[^_]+', test_signers=['cem'])
    convert(index, str(tmp_path / 'data' / 'my_language'), str(tmp_path / 'data' / 'my_videos'))
    return tmp_path


def imported_names(code):
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module, alias.name) for alias in node.names)


def check_imports(code):
    for module, name in imported_names(code):
        if module.split('.')[0] == 'signbert_mm':
            found = importlib.import_module(module)
            assert name is None or hasattr(found, name) or importlib.import_module(f'{module}.{name}'), (
                f'{module} has no {name}'
            )


@pytest.mark.parametrize(
    'page', [page for page in GUIDES if blocks(page, 'python')], ids=lambda page: page.stem
)
def test_blocks_run(page, workplace):
    names = {'__name__': '__main__'}
    for block in blocks(page, 'python'):
        code = compile('\n' * block.line + block.code, str(page), 'exec')
        if block.file:
            file = workplace / block.file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.code, encoding='utf-8')
        elif block.reason:
            check_imports(block.code)
        else:
            exec(code, names)
    if page.stem == 'small_language':
        assert list(names['store'].split_counts().values()) == [80, 40] and len(names['signs']) == 20
        assert np.isfinite(names['cosine']).all() and names['cosine'].shape == (40, 20)


@pytest.mark.parametrize(
    'page',
    [page for page in PAGES if page not in GUIDES and blocks(page, 'python')],
    ids=lambda page: page.parent.name + page.stem,
)
def test_blocks_of_other_pages_compile_and_import_what_exists(page):
    for block in blocks(page, 'python'):
        compile('\n' * block.line + block.code, str(page), 'exec')
        check_imports(block.code)


def test_what_is_not_run_says_so():
    assert [block.reason for page in GUIDES for block in blocks(page, 'python') if block.reason] == [
        'needs a camera and the trained checkpoint'
    ]
