"""The clips of a data set by its annotation: labels, splits and places in the videos."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Tuple

from ...errors import UserValueError

UNITS = ('seconds', 'frames')
REPEATED = ('error', 'first')


@dataclass(frozen=True)
class ClipRecord:
    """One clip of an annotation.

    Args:
        video_id (str): The clip's name in the store, unique in the index. Poses or a video of this name are
            the clip itself, already cut.
        label (int): Official index of its gloss; -1 = none.
        split (str): For instance 'train'.
        video (str): Name of the video that the clip is a piece of, below the videos' folder and without
            suffix; '' = the same as ``video_id``. Used if nothing has the name ``video_id``; then ``start``
            and ``end`` cut the clip out.
        signer (str): '' = unknown.
        start, end (float, optional): The piece of ``video``, in ``unit``; half open, 0 = the first frame.
            None = from its begin, to its end.
        unit (str): Of ``start`` and ``end``: 'seconds', or 'frames' of the original video.
        media_time (bool): Seconds count from the video's time 0, as in players and ELAN; else from its first
            frame. The two differ where sound or an edit list begins before the picture.
        fps (float): Frames a second by the annotation, for poses without a rate; 0 = unknown.
        size (tuple[int, int], optional): Width and height of the image in pixels, for poses without them.
        box (tuple[float, float, float, float], optional): Left, top, right and bottom of the signer as
            fractions of the image.
        where (str): Place in the annotation, for messages: 'train.csv line 7'.
        no_frames (str): Why the annotation is wrong, so that the clip cannot be cut out; '' = it can.
    """

    video_id: str
    label: int
    split: str
    video: str = ''
    signer: str = ''
    start: Optional[float] = None
    end: Optional[float] = None
    unit: str = 'seconds'
    media_time: bool = False
    fps: float = 0.0
    size: Optional[Tuple[int, int]] = None
    box: Optional[Tuple[float, float, float, float]] = None
    where: str = ''
    no_frames: str = ''

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise UserValueError(
                f'{self.where or self.video_id}: unit is {self.unit!r}; choose one of {", ".join(UNITS)}'
            )
        start = 0 if self.start is None else self.start
        if start < 0 or (self.end is not None and self.end <= start):
            raise UserValueError(
                f'{self.where or self.video_id}: start {self.start} and end {self.end} ({self.unit}) leave '
                'no frames; correct the annotation'
            )

    @classmethod
    def of_span(
        cls, *args: Any, start: Optional[float] = None, end: Optional[float] = None, **kwargs: Any
    ) -> 'ClipRecord':
        """A record whose piece of the video may be wrong, since clips that are cut already do not need it.

        A start before the video counts as its begin. A piece without frames is noted in ``no_frames``: the
        clip is missing if it is to be cut out.
        """
        start = None if start is None else max(0.0, start)
        if end is None or end > (start or 0):
            return cls(*args, start=start, end=end, **kwargs)
        unit = kwargs.get('unit', 'seconds')
        reason = f'start {start or 0:g} and end {end:g} ({unit}) leave no frames; correct the annotation'
        return cls(*args, no_frames=reason, **kwargs)


@dataclass
class SourceIndex:
    """All clips of a data set.

    Args:
        name (str): For instance 'wlasl2000'.
        glosses (list[str]): The vocabulary in the official order.
        records (list[ClipRecord]): The clips, in the annotation's order.
        source, licence (str): Where the data set comes from and on what terms.
        official (dict[str, int]): Clips of each split in the lists that the owners ship.
        paper (dict[str, int]): The same in the paper of the data set where it differs; the key 'total' if it
            gives the sum alone.
        notes (dict): Anything else that belongs in the store's meta.
        annotation (str): File or folder of the records, for messages.
        repeated (str): What to do if a video_id is listed again: 'error', or 'first' = keep the first;
            ``notes['repeated']`` lists the rest.

    Raises:
        ValueError: There are no clips; a video_id is listed twice (both places are named); a label is outside
            the vocabulary.
    """

    name: str
    glosses: List[str]
    records: List[ClipRecord]
    source: str = ''
    licence: str = ''
    official: Dict[str, int] = field(default_factory=dict)
    paper: Dict[str, int] = field(default_factory=dict)
    notes: dict = field(default_factory=dict)
    annotation: str = ''
    repeated: str = 'error'

    def __post_init__(self) -> None:
        where = self.annotation or self.name
        if self.repeated not in REPEATED:
            raise UserValueError(
                f'{where}: repeated is {self.repeated!r}; choose one of {", ".join(REPEATED)}'
            )
        if not self.records:
            raise UserValueError(
                f'{where}: no clips are listed; check that this is the annotation of {self.name} and that '
                'the file is whole'
            )
        seen: Dict[str, ClipRecord] = {}
        dropped: List[str] = []
        for record in self.records:
            if not record.video_id or not record.split:
                raise UserValueError(
                    f'{where}: {record.where}: video_id is {record.video_id!r}, split is {record.split!r}; '
                    'neither may be empty'
                )
            if record.video_id in seen:
                if self.repeated == 'first':
                    dropped.append(f'{record.video_id}: {record.where}')
                    continue
                raise UserValueError(
                    f'{where}: video {record.video_id!r} is listed twice: {seen[record.video_id].where} '
                    f'({seen[record.video_id].split}) and {record.where} ({record.split}); remove one of '
                    'them, or keep the first (--repeated first)'
                )
            if not -1 <= record.label < len(self.glosses):
                raise UserValueError(
                    f'{where}: {record.where}: video {record.video_id!r} has label {record.label}, outside '
                    f'0 .. {len(self.glosses) - 1} ({len(self.glosses)} glosses); use the class list that '
                    'belongs to this annotation'
                )
            seen[record.video_id] = record
        if dropped:
            self.records, self.notes = list(seen.values()), dict(self.notes, repeated=dropped)

    def __len__(self) -> int:
        return len(self.records)

    def counts(self) -> Dict[str, int]:
        """Listed clips of each split, in the order of their first clip."""
        return split_counts(self.records)

    def deviations(self) -> List[str]:
        """One line for each split whose number of listed clips is not the official one, if that is known."""
        listed, official = Counter(self.counts()), Counter(self.official)
        return [
            f'{name}: {listed[name]:,} clips listed, {official[name]:,} in the official list'
            for name in dict.fromkeys([*official, *listed])
            if official and listed[name] != official[name]
        ]


def split_counts(records: Sequence[ClipRecord]) -> Dict[str, int]:
    """Clips of each split, in the order of their first clip."""
    return dict(Counter(record.split for record in records))
