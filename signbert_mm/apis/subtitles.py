"""Signs in time as files of other programs: annotations of ELAN, and subtitles."""

import os
from typing import Any, Iterable, List, Mapping, Sequence, Union

from ..errors import UserValueError
from ..files import eaf_writer
from ..files.atomic import write_atomic
from ..files.eaf import Scored, read_eaf

PathLike = Union[str, 'os.PathLike[str]']
# (start, end, gloss, score), or a dict of these as SignInferencer.segments gives it.
SegmentLike = Union[Scored, Mapping[str, Any]]

__all__ = ['read_eaf', 'segment_rows', 'sign_segments', 'write_eaf', 'write_vtt']


def segment_rows(segments: Iterable[SegmentLike]) -> List[Scored]:
    """``(start, end, gloss, score)`` of each segment: seconds, text, a number or None.

    Args:
        segments (Iterable): Such tuples, or dicts with these keys (``score`` may be left out).
    """
    return [
        (item['start'], item['end'], item['gloss'], item.get('score'))
        if isinstance(item, Mapping)
        else tuple(item)
        for item in segments
    ]


def sign_segments(prediction: Mapping[str, Any], seconds: float, start: float = 0.0) -> List[Scored]:
    """The signs of a prediction in time.

    Args:
        prediction (Mapping): Of :meth:`SignInferencer.segments`, or of a clip that is one sign: it lasts from
            ``start`` on. Without an answer there is none.
        seconds (float): Length of the clip.
        start (float): Seconds from the video's time 0 at its first frame: ``PoseClip.start``.
    """
    if 'segments' in prediction:
        return segment_rows(prediction['segments'])
    best = zip(prediction['glosses'][:1], prediction['scores'][:1])
    return [(start, start + seconds, gloss, score) for gloss, score in best]


def write_eaf(
    path: PathLike,
    media: Union[None, PathLike, Sequence[PathLike]],
    tiers: Mapping[str, Sequence[SegmentLike]],
) -> None:
    """Writes segments for ELAN, see :func:`signbert_mm.files.eaf_writer.write_eaf`.

    Args:
        path (str | Path): The .eaf file.
        media (str | Path | list, optional): Its video, or several.
        tiers (Mapping[str, Sequence]): Tier name -> segments, as :func:`segment_rows` takes them.

    Example:
        >>> (result,) = inferencer.segments('long.mp4')
        >>> write_eaf('long.eaf', 'long.mp4', {'signer': result['segments']})
    """
    eaf_writer.write_eaf(path, media, {name: segment_rows(segments) for name, segments in tiers.items()})


def write_vtt(path: PathLike, segments: Iterable[SegmentLike]) -> None:
    """Writes segments as WebVTT subtitles: a cue each, ``HELLO (0.91)``, or the gloss alone without a score.

    Args:
        path (str | Path): The .vtt file.
        segments (Iterable): As :func:`segment_rows` takes them; they may overlap.

    Raises:
        ValueError: A segment has no length to the millisecond, begins before 0, or has no gloss.
    """
    blocks = ['WEBVTT\n']
    for start, end, gloss, score in sorted(segment_rows(segments), key=lambda row: row[:2]):
        times = eaf_writer.whole_milliseconds(start, end)
        text = ' '.join(gloss.split())
        if times[0] < 0 or times[1] <= times[0] or not text:
            raise UserValueError(
                f'{path}: segment {gloss!r:.60} from {start:g} to {end:g} s: a cue needs text, and an '
                'end after its start; leave it out'
            )
        shown = _escaped(text) + ('' if score is None else f' ({score:.2f})')
        blocks.append(f'{_clock(times[0])} --> {_clock(times[1])}\n{shown}\n')
    write_atomic('\n'.join(blocks).encode(), path)


def _escaped(text: str) -> str:
    return text.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f'{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}'
