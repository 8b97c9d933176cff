"""docs/papers.md: the classes are where it says, the settings are those of the configs, and equations,
sections and figures are those of the papers.

The latter are compared with notes on both papers, signbert.md and st_consistency.md, in the folder that
SIGNBERT_MM_REFERENCE names; they are not in this repository.
"""

import ast
import importlib
import inspect
import os
import re
from pathlib import Path

import pytest
from doc_blocks import DOCS, ROOT
from mmengine.config import Config

from signbert_mm import registry
from signbert_mm.experiments import list_tables, load_table

PAGE = (DOCS / 'papers.md').read_text(encoding='utf-8')
_NAME = re.compile(r'\[(\w+)\]\(\.\./(signbert_mm/[\w/]+)\.py\)')
_SETTING = re.compile(r'`([A-Za-z_][\w.]*)=([^`]+)`')
_SECTION = re.compile(r'<!-- config: (\S+) -->')


def settings():
    """(config, key, value) of each setting on the page."""
    parts = _SECTION.split(PAGE)
    for config, text in zip(parts[1::2], parts[2::2]):
        for key, value in _SETTING.findall(text):
            if '.' in key:
                yield config, key, value


def literal(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def plain(value):
    return tuple(plain(item) for item in value) if isinstance(value, (list, tuple)) else value


def steps_of(config, name):
    """Every part of that type in a config."""
    if isinstance(config, dict):
        if config.get('type') == name:
            yield config
        config = list(config.values())
    if isinstance(config, (list, tuple)):
        for item in config:
            yield from steps_of(item, name)


def default_of(name, argument):
    for kind in (registry.MODELS, registry.TRANSFORMS, registry.METRICS):
        cls = kind.get(name)
        if cls is not None:
            return inspect.signature(cls.__init__).parameters[argument].default
    raise KeyError(name)


def in_config(cfg, key):
    head, _, argument = key.partition('.')
    if not head[0].isupper():
        value = cfg
        for part in key.split('.'):
            value = value[int(part)] if isinstance(value, (list, tuple)) else value[part]
        return [value]
    found = [step[argument] for step in steps_of(cfg._cfg_dict.to_dict(), head) if argument in step]
    return found or [default_of(head, argument)]


def test_there_are_many():
    assert len(list(settings())) > 60 and len(_NAME.findall(PAGE)) > 30


@pytest.mark.parametrize(
    ('config', 'key', 'value'), list(settings()), ids=lambda item: str(item).split('/')[-1]
)
def test_settings(config, key, value):
    found = in_config(Config.fromfile(ROOT / config), key)
    assert plain(literal(value)) in [plain(item) for item in found], f'{config}: {key} is {found}'


@pytest.mark.parametrize(('name', 'path'), sorted(set(_NAME.findall(PAGE))))
def test_names(name, path):
    module = importlib.import_module(path.replace('/', '.'))
    assert name == path.split('/')[-1] or getattr(module, name).__module__ == module.__name__


NOTES = os.environ.get('SIGNBERT_MM_REFERENCE')
with_notes = pytest.mark.skipif(NOTES is None, reason='SIGNBERT_MM_REFERENCE is not set')
METHODS = ('signbert', 'st_consistency')


def notes_of(method):
    return ' '.join((Path(NOTES) / f'{method}.md').read_text(encoding='utf-8').split())


def rows_of(method):
    """Cells of the rows of a method's table of equations."""
    title = dict(signbert='SignBERT', st_consistency='ST-Consistency')[method]
    text = PAGE.split(f'\n## {title}\n')[1].split('### Equations')[1].split('###')[0]
    rows = [[cell.strip() for cell in line.strip('|').split(' | ')] for line in text.splitlines()]
    return [row for row in rows if len(row) > 2]


def numbers_in(text):
    """The numbers of a text as values; 16,384 is one."""
    text = re.sub(r'(?<=\d),(?=\d{3}\b)', '', text)
    return {float(number) for number in re.findall(r'(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?(?![\w])', text)}


def test_equations_of_the_transfer():
    """Eq. 5 is p, eq. 6 one direction, eq. 7 the sum of both."""
    equations = {row[0]: row[1] for row in rows_of('st_consistency')}
    assert 'softmax' in equations['eq. 5'] and 'KL' not in equations['eq. 5']
    assert 'KL' in equations['eq. 6']
    assert equations['eq. 7'].count('\\to') == 2


@with_notes
def test_equations_are_those_of_the_notes():
    assert 'Eq. 5 is p, eq. 6 L(A->B), eq. 7 the sum of both directions' in notes_of('st_consistency')


@with_notes
def test_sections_are_those_of_the_notes():
    """The notes say what a section is about; a row that cites it is about that."""
    said = re.search(r'Sections: (.*?) Tables:', notes_of('signbert')).group(1)
    about = dict(re.findall(r'(\d\.\d) (.*?)(?=, \d\.\d |\.?$)', said))
    wanted = {
        'embedding': ('token =', 'gesture state'),
        'masking': ('masked joint',),
        'fusion': ('H+P',),
        'head': ('attention in time',),
        'metrics': ('P-I', 'PCK'),
    }
    cited = {row[1]: re.findall(r'\d\.\d', row[0]) for row in rows_of('signbert') if row[0].startswith('sec')}
    for topic, beginnings in wanted.items():
        sections = {number for number, text in about.items() if topic in text}
        for beginning in beginnings:
            (found,) = [numbers for text, numbers in cited.items() if text.startswith(beginning)]
            assert sections & set(found), (topic, sections, found)
    assert {number for numbers in cited.values() for number in numbers} <= set(about)


@with_notes
@pytest.mark.parametrize('method', METHODS)
def test_numbers_of_the_papers_are_in_the_notes(method):
    """Each number in the columns "paper" and "authors' code"."""
    title = dict(signbert='SignBERT', st_consistency='ST-Consistency')[method]
    text = PAGE.split(f'\n## {title}\n')[1].split('### Numbers')[1].split('### Open')[0]
    known, columns = numbers_in(notes_of(method)), 0
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip('|').split(' | ')]
        if line.startswith('| |'):
            columns = sum(head in ('paper', "authors' code") for head in cells)
        elif line.startswith('|') and columns:
            for cell in cells[1 : 1 + columns]:
                assert numbers_in(cell.replace('1/2', '')) <= known, line


@with_notes
@pytest.mark.parametrize('method', METHODS)
def test_figures_of_the_tables_are_in_the_notes(method):
    """Each figure that a table's definition gives as the paper's."""
    known = numbers_in(notes_of(method).replace('/', ' '))
    for name, path in list_tables().items():
        for column, values in load_table(path).paper.items() if name.startswith(f'{method}/') else ():
            absent = {value for value in values if value is not None} - known
            assert not absent, f'{name}: {column}: {absent}'
