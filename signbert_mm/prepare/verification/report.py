"""The result of the verification of a store."""

from dataclasses import asdict, dataclass, field
from typing import Any, Dict, List, Sequence

SEVERITIES = ('error', 'warning', 'note')
# Of a problem, in a message.
EXAMPLES = 5


@dataclass
class Problem:
    """One kind of problem.

    Args:
        severity (str): 'error': do not use the store as it is; 'warning': look at it; 'note': a fact.
        kind (str): A short name, for programs.
        message (str): What is wrong, and what to do.
        count (int): How many clips, classes or signers it concerns; 0 = the store itself.
        examples (list[str]): Some of them.
    """

    severity: str
    kind: str
    message: str
    count: int = 0
    examples: List[str] = field(default_factory=list)


@dataclass
class StoreReport:
    """The result of :func:`verify_store`.

    Attributes:
        folder (str): The store.
        facts (dict): Layout, extractors, counts, and other single values; {} where the store does not open.
        splits (dict[str, dict]): Split -> clips, listed, official, glosses, signers, frames, hand rates,
            lengths.
        lengths (dict): ``edges`` of the bins in frames, first included and last not, and ``counts``: split ->
            clips in each.
        classes (list[dict]): For each gloss its clips in each split, and the listed ones where known.
        problems (list[Problem]): Errors first.
    """

    folder: str
    facts: Dict[str, Any] = field(default_factory=dict)
    splits: Dict[str, Dict[str, Any]] = field(default_factory=dict)
    lengths: Dict[str, Any] = field(default_factory=dict)
    classes: List[Dict[str, Any]] = field(default_factory=list)
    problems: List[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """No problem is an error."""
        return all(problem.severity != 'error' for problem in self.problems)

    def kinds(self, severity: str = '') -> List[str]:
        """The kinds of the problems, of one severity or of all."""
        return [problem.kind for problem in self.problems if severity in ('', problem.severity)]

    def to_dict(self) -> dict:
        """Plain values, for JSON."""
        return dict(asdict(self), ok=self.ok)

    def text(self, per_class: bool = False) -> str:
        """The report as text.

        Args:
            per_class (bool): With a line for each gloss.
        """
        lines = [self.folder]
        lines += [
            f'  {name.replace("_", " ")}: {_plain(value)}'
            for name, value in self.facts.items()
            if value not in ('', [], None)
        ]
        if self.splits:
            lines += ['', *_table(_SPLIT_HEAD, [_split_row(name, row) for name, row in self.splits.items()])]
            lines += ['', *_table(_HAND_HEAD, [_hand_row(name, row) for name, row in self.splits.items()])]
            lines += ['', 'clip length in frames', *_histogram(self.lengths)]
        if self.classes:
            # The last row is 'all'.
            splits = list(self.splits)[:-1]
            lines += [
                '',
                *_table(
                    ('clips of a gloss', 'least', 'median', 'most', 'glosses without'),
                    [_class_row(name, self.classes) for name in splits],
                ),
            ]
            if per_class:
                rows = [[row['gloss'], *(_of(row, name) for name in splits)] for row in self.classes]
                lines += ['', *_table(('gloss', *splits), rows)]
        lines += ['']
        for problem in self.problems:
            examples = (
                f' ({", ".join(problem.examples)}{", ..." if problem.count > len(problem.examples) else ""})'
                if problem.examples
                else ''
            )
            lines.append(f'{problem.severity.upper()} {problem.kind}: {problem.message}{examples}')
        errors, warnings = self.kinds('error'), self.kinds('warning')
        lines.append(
            f'{_number(errors, "error")}, {_number(warnings, "warning")}'
            if errors or warnings
            else 'no problems found'
        )
        return '\n'.join(lines)


_SPLIT_HEAD = (
    'split',
    'clips',
    'listed',
    'official',
    'missing',
    'glosses',
    'signers',
    'frames',
    'length: least',
    'median',
    'most',
)
_HAND_HEAD = ('hands found, % of frames', 'any', 'left', 'right', 'both', 'clips without any')


def _number(kinds: Sequence[str], name: str) -> str:
    return f'{len(kinds)} {name}{"" if len(kinds) == 1 else "s"}'


def _plain(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ', '.join(str(part) for part in value)
    return f'{value:,}' if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _split_row(name: str, row: dict) -> List[str]:
    counts = [row['listed'], row['official']]
    missing = '' if row['listed'] is None else f'{row["listed"] - row["clips"]:,}'
    length = row['length']
    return [
        name,
        f'{row["clips"]:,}',
        *('' if count is None else f'{count:,}' for count in counts),
        missing,
        *(f'{row[key]:,}' for key in ('glosses', 'signers', 'frames')),
        *(f'{length[key]:g}' if length else '' for key in ('min', 'median', 'max')),
    ]


def _hand_row(name: str, row: dict) -> List[str]:
    rates = row['hands']
    shown = (f'{100 * rates[key]:.1f}' if key in rates else '' for key in ('any', 'left', 'right', 'both'))
    return [name, *shown, f'{row["clips_without_hand"]:,}']


def _class_row(split: str, classes: Sequence[dict]) -> List[str]:
    counts = sorted(row['clips'].get(split, 0) for row in classes)
    return [split, str(counts[0]), str(counts[len(counts) // 2]), str(counts[-1]), str(counts.count(0))]


def _of(row: dict, split: str) -> str:
    listed = row.get('listed', {}).get(split)
    return str(row['clips'].get(split, 0)) + ('' if listed is None else f' of {listed}')


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> List[str]:
    # Columns without a value are left out.
    kept = [column for column in range(len(head)) if column == 0 or any(row[column] for row in rows)]
    cells = [[line[column] for column in kept] for line in (head, *rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(kept))]
    lines = [
        '  '.join(
            cell.ljust(w) if column == 0 else cell.rjust(w)
            for column, (cell, w) in enumerate(zip(line, widths))
        ).rstrip()
        for line in cells
    ]
    return [lines[0], '-' * max(map(len, lines)), *lines[1:]]


def _histogram(lengths: dict, width: int = 50) -> List[str]:
    edges = lengths['edges']
    totals = [sum(counts) for counts in zip(*lengths['counts'].values())]
    most = max(totals)
    names = [str(a) if b - a == 1 else f'{a}..{b - 1}' for a, b in zip(edges, edges[1:])]
    name_width = max(map(len, names))
    # A bin that is not empty has one mark or more.
    bars = ['#' * max(round(width * total / most), total > 0) for total in totals]
    return [
        f'  {name.rjust(name_width)}  {bar:<{width}}  {total:,}'
        for name, bar, total in zip(names, bars, totals)
    ]
