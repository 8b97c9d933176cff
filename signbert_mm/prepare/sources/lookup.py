"""Lookup of each clip's poses, and the check that poses of several sources may mix."""

from collections import Counter
from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

from ...errors import UserValueError
from ...files.matching import NameIndex, match_names
from .annotation import ClipRecord
from .poses import PoseSource


@dataclass
class Place:
    """Where the poses of a clip lie.

    Args:
        source (PoseSource): The source.
        key (str): For its ``read``.
        whole_video (bool): They are those of the whole video, from which the clip is to be cut.
        exact (bool): The clip or its video has that very name; else one name ends in the other.
    """

    source: PoseSource
    key: str
    whole_video: bool
    exact: bool = True


def find_names(records: Sequence[ClipRecord], names: NameIndex) -> List[Optional[str]]:
    """The name that ``names`` has for each clip, or else for its video; None where it has neither.

    Raises:
        ValueError: As :func:`~signbert_mm.files.matching.match_names`.
    """
    return [
        match and match.key
        for match in match_names([(record.video_id, record.video) for record in records], [names])
    ]


def find_clips(records: Sequence[ClipRecord], sources: Sequence[PoseSource]) -> List[Optional[Place]]:
    """Where the poses of each clip, or else of its video, lie: in the first source that has the name.

    Equal names go before names that end in the other, see :func:`~signbert_mm.files.matching.match_names`.

    Raises:
        ValueError: A clip matches several poses, or poses several clips; the message names both.
    """
    clips = [(record.video_id, record.video) for record in records]
    matches = match_names(clips, [source.index for source in sources])
    return [
        match and Place(sources[match.index], match.key, match.name != record.video_id, match.exact)
        for match, record in zip(matches, records)
    ]


def check_mixture(
    places: Sequence[Place], allow_mixed: bool, extra: Optional[Tuple[str, str]] = None
) -> List[str]:
    """The extractors whose poses are used.

    Args:
        places (Sequence[Place]): Of all clips that have poses.
        allow_mixed (bool): Allow several.
        extra (tuple[str, str], optional): Layout and extractor of poses that are to be added.

    Raises:
        ValueError: There are several layouts, or several extractors and ``allow_mixed`` is False.
    """
    used = list(dict.fromkeys(place.source for place in places))
    extractors = [name for source in used for name in source.extractors] + ([extra[1]] if extra else [])
    layouts = [source.layout for source in used] + ([extra[0]] if extra else [])
    clips = Counter(place.source.path for place in places)
    facts = [
        f'{source.path}: {clips[source.path]:,} clips, {source.layout}, {", ".join(source.extractors)}'
        for source in used
    ]
    facts += [f'now: {extra[0]}, {extra[1]}'] if extra else []
    if len(set(layouts)) > 1:
        raise UserValueError(
            f'poses of several layouts do not fit into one store: {"; ".join(facts)}; extract all with one '
            'extractor'
        )
    if len(set(extractors)) > 1 and not allow_mixed:
        raise UserValueError(
            f'poses of several extractors would mix in one store: {"; ".join(facts)}; a model can tell them '
            'apart, so extract all with one, or allow it (--allow-mixed), which the store then says'
        )
    return list(dict.fromkeys(extractors))
