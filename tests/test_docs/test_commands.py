"""The shell commands of the README and of all pages: tools, flags, make targets and configs exist."""

import argparse
import re
import runpy
import sys

import pytest
from doc_blocks import PAGES, ROOT, blocks, commands

from signbert_mm.cli.main import make_parser
from signbert_mm.cli.scripts import SCRIPTS
from signbert_mm.engine.runner import load_config
from signbert_mm.engine.runner.config import find_config

MADE_BY_THE_READER = ('configs/mine/', 'configs/my_language/')
PLACEHOLDER = re.compile(r'\b(NAME|CONVERTER|TOOL)\b|NAME_')


class Parsed(BaseException):
    """Leaves a tool once its arguments are read."""


@pytest.fixture
def parse(monkeypatch, capsys):
    """``parse(script, arguments)``: the namespace that the tool's own parser makes of them."""
    original = argparse.ArgumentParser.parse_args

    def stop(self, args=None, namespace=None):
        raise Parsed(original(self, args, namespace))

    monkeypatch.setattr(argparse.ArgumentParser, 'parse_args', stop)

    def run(script, arguments):
        monkeypatch.setattr(sys, 'argv', [script, *arguments])
        path = list(sys.path)
        try:
            runpy.run_path(str(ROOT / script), run_name='__main__')
        except Parsed as parsed:
            return parsed.args[0]
        except ModuleNotFoundError as error:
            if error.name.startswith('signbert_mm'):
                raise
            return argparse.Namespace()  # an optional package, which the tool asks for
        except SystemExit:
            pytest.fail(
                f'{script} {" ".join(arguments)}: {capsys.readouterr().err.strip().splitlines()[-1:]}'
            )
        finally:
            sys.path[:] = path
        return pytest.fail(f'{script} reads no arguments')

    return run


def check_make(words):
    makefile = (ROOT / 'Makefile').read_text(encoding='utf-8')
    for word in words[1:]:
        assert '=' in word or re.search(rf'^{re.escape(word)}:', makefile, re.MULTILINE), (
            f'make {word}: no such target'
        )


def check_console(arguments, parse):
    if arguments[0] in SCRIPTS:
        check_tool([SCRIPTS[arguments[0]].path, *arguments[1:]], parse)
    else:
        with pytest.raises(Parsed):
            make_parser().parse_args(arguments)


def check_tool(words, parse):
    script, arguments = words[0], words[1:]
    assert (ROOT / script).is_file(), f'{script} is not there'
    if not script.endswith('.py'):
        return
    parsed = parse(script, arguments)
    for word in arguments:
        if word.startswith('configs/') and word.endswith('.py') and not word.startswith(MADE_BY_THE_READER):
            find_config(word)  # a file, or a name of configs/variants.py
    config, options = getattr(parsed, 'config', None), getattr(parsed, 'cfg_options', None)
    if (
        isinstance(config, str)
        and (ROOT / config).is_file()
        and options
        and not any('$' in key for key in options)
    ):
        load_config(str(ROOT / config), options)  # refuses a key that is close to another


@pytest.mark.parametrize(
    'page',
    [page for page in PAGES if blocks(page, 'shell')],
    ids=lambda page: f'{page.parent.name}-{page.stem}',
)
def test_commands_exist(page, parse, monkeypatch):
    monkeypatch.chdir(ROOT)
    seen = set()
    for block in blocks(page, 'shell'):
        for words in commands(block.code):
            if PLACEHOLDER.search(' '.join(words[:2])) or tuple(words) in seen:
                continue
            seen.add(tuple(words))
            if words[0] == 'make':
                check_make(words)
                continue
            if words[0] == 'signbert-mm':
                check_console(words[1:], parse)
                continue
            if words[0] in ('torchrun', 'srun'):
                words = words[
                    next(i for i, word in enumerate(words) if word.endswith('.py') or word == 'python') :
                ]
            if words[0] in ('python', 'bash', 'sh'):
                words = words[1:]
            if words[0].startswith(('tools/', 'demo/', 'benchmarks/')):
                check_tool(words, parse)


def test_a_wrong_flag_is_found(parse):
    with pytest.raises(pytest.fail.Exception, match='unrecognized arguments: --work-dirr'):
        check_tool(['tools/train.py', 'CONFIG', '--work-dirr', 'x'], parse)
    with pytest.raises(SystemExit):
        check_console(['teach', 'videos', '--outt', 'x'], parse)
    with pytest.raises(AssertionError, match='no such target'):
        check_make(['make', 'tset'])
    found = list(commands('A=1 B=b=2 python x.py [--window 2] $B \\\n  # no\nmake a && make b'))
    assert found == [['python', 'x.py', '--window', '2', 'b=2'], ['make', 'a'], ['make', 'b']]
