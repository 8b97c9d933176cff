"""Every Python block of the guides runs, in the order of the page, in an empty folder beside the project's
configs.
"""

import ast
import importlib

import pytest
from doc_blocks import DOCS, GUIDES, PAGES, ROOT, blocks


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty folder with the project's configs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / 'configs').mkdir()
    for entry in (ROOT / 'configs').iterdir():
        (tmp_path / 'configs' / entry.name).symlink_to(entry)
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


@pytest.mark.parametrize(
    'page',
    [page for page in PAGES if page not in GUIDES and blocks(page, 'python')],
    ids=lambda page: page.parent.name + page.stem,
)
def test_blocks_of_other_pages_compile_and_import_what_exists(page):
    for block in blocks(page, 'python'):
        compile('\n' * block.line + block.code, str(page), 'exec')
        check_imports(block.code)


def test_all_blocks_of_the_guides_run():
    assert not [block for page in GUIDES for block in blocks(page, 'python') if block.reason]


def test_the_page_for_people_without_code_has_none():
    assert not blocks(DOCS / 'user_guides' / 'small_language.md', 'python')
