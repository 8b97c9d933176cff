"""Files of one kind, a clip each, and the table of their glosses."""

import os
from typing import Dict, List, Optional, Sequence, Tuple, Union

from ...errors import UserValueError
from ...files.folders import LeftOut, list_files, name_below, report_left_out, without_suffix
from ...files.matching import NameIndex, match_names, plain_name
from ...files.text import table_rows
from .common import check_spelling, split_name

COLUMNS = ('file', 'gloss', 'split', 'signer')


class LabelledFiles:
    """The files of a folder, in order of file name, with what a csv file says of them.

    Args:
        source (str | Sequence[str]): A folder, searched to any depth, or files.
        suffix (str): Of the files: '.pose'.
        labels (str, optional): A csv file with a header: ``file`` (path below the folder, or a file name that
            only one file has; the suffix may be left out), ``gloss``, and perhaps ``split`` and ``signer``.
            If one line has a split, all must. Files that it does not list are left out, which is logged.
            None = no labels, all 'train'.

    Attributes:
        files (list[str]): Their paths.
        glosses (list[str]): Of the csv, in alphabetical order.

    Raises:
        FileNotFoundError: There are no such files.
        ValueError: The csv lacks a column, a gloss or some splits, lists a file twice, or names a
            file that does not exist or exists twice.
    """

    def __init__(self, source: Union[str, Sequence[str]], suffix: str, labels: Optional[str] = None) -> None:
        self.suffix = suffix
        if isinstance(source, str) and os.path.isdir(source):
            self.folder = source
            listing = list_files(source, (suffix,), f'a {suffix} file')
            report_left_out(listing.left_out, source)
            self.files = sorted(path for _, path in listing.taken)
        else:
            self.files = [source] if isinstance(source, str) else list(source)
            self.folder = os.path.dirname(self.files[0]) if self.files else ''
        missing = [path for path in self.files if not os.path.isfile(path)]
        if missing or not self.files:
            raise FileNotFoundError(f'{source if not missing else missing[:5]}: no such {suffix} files')
        self.glosses: List[str] = []
        self._facts: Dict[str, dict] = {}
        if labels is not None:
            self._read_labels(labels)
        self._places = {gloss: label for label, gloss in enumerate(self.glosses)}

    def __len__(self) -> int:
        return len(self.files)

    def video_id(self, path: str) -> str:
        """The path below the folder, without suffix."""
        return os.path.splitext(name_below(self.folder or os.curdir, path))[0]

    def about(self, path: str) -> dict:
        """Label, split, video id and signer of a file, as :class:`Clip` takes them."""
        row = self._facts.get(path, {})
        return dict(
            label=self._places.get(row.get('gloss', ''), -1),
            split=row.get('split') or 'train',
            video_id=self.video_id(path),
            signer=row.get('signer') or '',
        )

    def _read_labels(self, path: str) -> None:
        rows: Dict[str, Tuple[int, Dict[str, str]]] = {}
        for line, row in table_rows(path, COLUMNS[:2], COLUMNS[2:]):
            name = plain_name(row['file'])
            row = dict(row, file=name, split=split_name(row['split']))
            first, other = rows.setdefault(name, (line, row))
            if other != row:
                raise UserValueError(
                    f'{path}: {name!r} is listed twice: line {first} ({other["gloss"]}) and line {line} '
                    f'({row["gloss"]}); remove one of them'
                )
        check_spelling([row['split'] for _, row in rows.values()], path)
        without = [line for line, row in rows.values() if not row['split']]
        if 0 < len(without) < len(rows):
            raise UserValueError(
                f'{path}: line {without[0]}: no split, and other lines have one; write it there'
            )
        # A row may name the file with its suffix, or with that of the video.
        index = NameIndex([(self.video_id(file), file) for file in self.files], self.folder)
        names = [(without_suffix(name, (self.suffix,)), without_suffix(name)) for name in rows]
        try:
            matches = match_names(names, [index])
        except ValueError as error:
            raise UserValueError(f'{path}: {error}') from None
        missing = [name for name, match in zip(rows, matches) if match is None]
        if missing or not rows:
            raise UserValueError(
                f'{path}: rows that name no file in {self.folder}: {len(missing)}, the first: {missing[:5]}; '
                'correct the column `file`'
            )
        chosen: Dict[str, Dict[str, str]] = {}
        for match, (line, row) in zip(matches, rows.values()):
            file = index[match.key]
            if file in chosen:
                raise UserValueError(
                    f'{path}: line {line}: {file} is listed by another line too; remove one of them'
                )
            chosen[file] = row
        unlisted = [LeftOut(file, f'not listed in {path}') for file in self.files if file not in chosen]
        report_left_out(unlisted, self.folder)
        self.files = [file for file in self.files if file in chosen]
        self._facts = chosen
        self.glosses = sorted({row['gloss'] for row in chosen.values()})
