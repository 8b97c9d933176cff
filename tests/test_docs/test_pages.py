"""Pages are in the table of contents, and what they link to is there."""

import fnmatch
import re

import pytest
from doc_blocks import DOCS, PAGES, ROOT

_LINK = re.compile(r'(?<!`)\[[^\]]*\]\(([^)\s]+)\)')
_TOCTREE = re.compile(r'^```\{toctree\}\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def entries():
    for block in _TOCTREE.findall((DOCS / 'index.md').read_text(encoding='utf-8')):
        yield from (
            re.sub(r'^.*<(.*)>$', r'\1', line)
            for line in block.splitlines()
            if line and not line.startswith(':')
        )


@pytest.mark.parametrize(
    'page',
    [page for page in PAGES if page != DOCS / 'index.md'],
    ids=lambda page: f'{page.parent.name}-{page.stem}',
)
def test_page(page):
    name = (
        page.relative_to(DOCS).with_suffix('').as_posix()
        if DOCS in page.parents
        else f'/{page.relative_to(ROOT).with_suffix("").as_posix()}'
    )
    assert any(fnmatch.fnmatch(name, entry) and name.count('/') == entry.count('/') for entry in entries()), (
        f'{name} is not in docs/index.md'
    )
    for link in _LINK.findall(re.sub(r'```.*?```', '', page.read_text(encoding='utf-8'), flags=re.DOTALL)):
        if '://' not in link and not link.startswith(('#', 'mailto:')):
            assert (page.parent / link.split('#')[0]).exists(), f'{page}: {link} is not there'


def test_entries_exist():
    for entry in entries():
        place = f'{entry[1:]}.md' if entry.startswith('/') else f'docs/{entry}.md'
        assert list(ROOT.glob(place)), f'docs/index.md names {entry}, which is not there'


def test_nothing_is_fetched_when_a_page_is_read():
    for file in ('conf.py', 'html_root/index.html'):
        assert '://' not in (DOCS / file).read_text(encoding='utf-8')
