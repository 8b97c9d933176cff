"""Sphinx: `make docs`.

The source folder is the repository, so that READMEs stay where they are and links between files work here as
on any host.
"""

import html
import re
import sys
from pathlib import Path
from typing import Any, List, Optional
from xml.etree import ElementTree

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util.nodes import make_refnode

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from signbert_mm.version import __version__  # noqa: E402

project = 'signbert_mm'
author = 'The signbert_mm contributors'
project_copyright = author
release = __version__

extensions = ['myst_parser', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon', 'sphinx.ext.viewcode']
root_doc = 'docs/index'
include_patterns = [
    'docs/**/*.md',
    'docs/*.md',
    'README.md',
    'CONTRIBUTING.md',
    'benchmarks/*.md',
    'configs/**/*.md',
    'projects/**/*.md',
]
exclude_patterns = [
    '.*',
    'build',
    'dist',
    'data',
    'work_dirs',
    'checkpoints',
    'signbert_mm',
    'tests',
    'tools',
    '*.egg-info',
]

myst_enable_extensions = ['dollarmath']
myst_heading_anchors = 3
highlight_language = 'none'

autodoc_member_order = 'bysource'
autodoc_typehints = 'none'  # docstrings give the types
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes of a NamedTuple are documented once
napoleon_use_rtype = False

html_theme = 'furo'
html_title = f'signbert_mm {release}'
html_static_path = ['static']
html_css_files = ['wide.css']
html_extra_path = ['html_root']  # the first page's address leads to docs/index.html
html_copy_source = False
html_show_sphinx = False
html_math_renderer = 'mathml'

ACCENTS = ('~', '^', '\u00af')
_LITERAL = re.compile(r'(``.+?``|:\w+:`[^`]+`|`[^`]+`)', re.DOTALL)


def mathml(tex: str, as_block: bool = False) -> str:
    """An equation as MathML, which browsers draw by themselves: sphinx.ext.mathjax would fetch a script when
    the page is read.
    """
    markup = re.sub(
        r'&(?!lt;|gt;|amp;)\w+;', lambda entity: html.unescape(entity[0]), tex2mathml(tex, as_block=as_block)
    )
    tree = ElementTree.fromstring(markup)
    space = tree.tag[: tree.tag.index('}') + 1]
    ElementTree.register_namespace('', space[1:-1])
    for node in tree.iter(f'{space}munderover'):  # docutils sets the index of an accented letter below it
        letter, index, accent = node
        if accent.text in ACCENTS:
            above = ElementTree.Element(f'{space}mover', accent='true')
            above.extend([letter, accent])
            node.tag, node[:] = f'{space}msub', [above, index]
    return ElementTree.tostring(tree, encoding='unicode')


def inline_math(translator: Any, node: nodes.math) -> None:
    translator.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def block_math(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def plain_text(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: List[str]) -> None:
    """Docstrings are prose: what means something to reStructuredText, and is neither literal nor a role, is
    escaped.
    """
    text, arrow, example = '\n'.join(lines).partition('>>>')
    parts = _LITERAL.split(text)
    parts[::2] = [
        re.sub(r'[|*\\]|(?<=\w)_(?=\W|$)', lambda found: '\\' + found[0], part) for part in parts[::2]
    ]
    lines[:] = (''.join(parts) + arrow + example).split('\n')


def by_last_name(
    app: Sphinx, env: Any, node: nodes.Element, content: nodes.Element
) -> Optional[nodes.Element]:
    """A role such as :class:`SignBERT`, from anywhere: the one object whose last name that is."""
    if node.get('refdomain') != 'py':
        return None
    wanted = node['reftarget'].lstrip('~.').split('.')
    objects = env.get_domain('py').objects
    found = [name for name in objects if name.split('.')[-len(wanted) :] == wanted]
    if len(found) != 1:
        return None
    entry = objects[found[0]]
    return make_refnode(app.builder, node['refdoc'], entry.docname, entry.node_id, content, found[0])


def setup(app: Sphinx) -> None:
    app.add_html_math_renderer('mathml', (inline_math, None), (block_math, None))
    app.connect('autodoc-process-docstring', plain_text, priority=400)  # before napoleon
    app.connect('missing-reference', by_last_name)
