"""Fenced blocks of the pages.

`<!-- not run: why -->` above a block says that it cannot run here; `# file: NAME` as its first line, that it
is a file.
"""

import re
import shlex
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / 'docs'
GUIDES = [DOCS / f'{name}.md' for name in ('index', 'get_started', 'design', 'papers')] + sorted(
    (DOCS / 'user_guides').glob('*.md')
)
PAGES = sorted(
    {
        *DOCS.rglob('*.md'),
        *ROOT.glob('*.md'),
        *(ROOT / 'configs').rglob('*.md'),
        *(ROOT / 'projects').rglob('*.md'),
        *(ROOT / 'benchmarks').glob('*.md'),
    }
)
_FENCE = re.compile(
    r'^(?:<!-- not run: (?P<reason>[^\n]+?) -->\n)?```(?P<language>\w+)\n(?P<code>.*?)^```$',
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    language: str
    code: str
    line: int
    reason: str
    file: str


def blocks(page: Path, *languages: str) -> List[Block]:
    """The blocks of a page in these languages."""
    text = page.read_text(encoding='utf-8')
    found = []
    for match in _FENCE.finditer(text):
        if match['language'] in languages:
            file = re.match(r'# file: (\S+)\n', match['code'])
            line = text[: match.start('code')].count('\n')
            found.append(
                Block(match['language'], match['code'], line, match['reason'] or '', file[1] if file else '')
            )
    return found


def commands(code: str) -> Iterator[List[str]]:
    """The commands of a shell block, as words; comments, settings of variables, and brackets around options
    are left out.
    """
    variables: Dict[str, str] = {}
    for line in code.replace('\\\n', ' ').splitlines():
        words: List[str] = []
        for word in [*shlex.split(line.replace('[--', '--'), comments=True), ';']:
            if word in (';', '&&', '|', '>'):
                if words:
                    yield words
                words = []
            elif not words and re.match(r'\w+=', word):
                name, _, value = word.partition('=')
                variables[f'${name}'] = value
            else:
                words.append(
                    variables.get(word, word[:-1] if word.endswith(']') and '[' not in word else word)
                )
