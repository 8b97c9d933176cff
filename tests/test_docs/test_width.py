"""No built page scrolls sideways, in Debian's Chromium; skipped where the pages are not built (`make docs`)
or a browser is missing.
"""

import shutil

import pytest
from doc_blocks import ROOT

CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser')
BUILT = ROOT / 'build' / 'docs'


@pytest.mark.parametrize('width', [390, 1280, 1440])
def test_no_page_scrolls_sideways(width):
    browsers = pytest.importorskip('playwright.sync_api', reason='playwright is not installed')
    pages = [
        page
        for page in sorted(BUILT.rglob('*.html'))
        if page != BUILT / 'index.html' and '_modules' not in page.parts
    ]
    if CHROMIUM is None or not pages:
        pytest.skip(
            'Chromium is not installed' if CHROMIUM is None else 'the pages are not built (make docs)'
        )
    wide = []
    with browsers.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=['--no-sandbox'])
        tab = browser.new_page(viewport=dict(width=width, height=900))
        for page in pages:
            tab.goto(page.as_uri())
            if tab.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth'):
                wide.append(page.relative_to(BUILT).as_posix())
        browser.close()
    assert not wide


def test_the_style_lets_columns_shrink():
    assert '.main,\n.content {\n  min-width: 0;\n}' in (ROOT / 'docs' / 'static' / 'wide.css').read_text(
        encoding='utf-8'
    )
