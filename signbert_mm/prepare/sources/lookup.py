"""Which poses belong to a clip, and whether they fit together."""

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
        whole (bool): They are those of the whole video, from which the clip is to be cut.
        exact (bool): The clip or its video has that very name; else one name ends in the other.
    """

    source: PoseSource
    key: str
    whole: bool
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
    """Where the poses of each clip lie, or else those of its video: in the first source that has them under
    that very name,
    or else under a name that ends in it.

    Raises:
        ValueError: A clip fits several poses, or poses several clips; the message names both.
    """
    clips = [(record.video_id, record.video) for record in records]
    matches = match_names(clips, [source.index for source in sources])
    return [
        match and Place(sources[match.index], match.key, match.name != record.video_id, match.exact)
        for match, record in zip(matches, records)
    ]


def check_mixture(
    places: Sequence[Place], allow_mixed: bool, coming: Optional[Tuple[str, str]] = None
) -> List[str]:
    """The extractors whose poses are used.

    Args:
        places (Sequence[Place]): Of all clips that have poses.
        allow_mixed (bool): Allow several.
        coming (tuple[str, str], optional): Layout and extractor of poses that are to join them.

    Raises:
        ValueError: There are several layouts, or several extractors and ``allow_mixed`` is False.
    """
    used = list(dict.fromkeys(place.source for place in places))
    extractors = [name for source in used for name in source.extractors] + ([coming[1]] if coming else [])
    layouts = [source.layout for source in used] + ([coming[0]] if coming else [])
    clips = Counter(place.source.path for place in places)
    told = [
        f'{source.path}: {clips[source.path]:,} clips, {source.layout}, {", ".join(source.extractors)}'
        for source in used
    ]
    told += [f'now: {coming[0]}, {coming[1]}'] if coming else []
    if len(set(layouts)) > 1:
        raise UserValueError(
            f'poses of several layouts do not fit into one store: {"; ".join(told)}; extract all with one '
            'extractor'
        )
    if len(set(extractors)) > 1 and not allow_mixed:
        raise UserValueError(
            f'poses of several extractors would mix in one store: {"; ".join(told)}; a model can tell them '
            'apart, so extract all with one, or allow it (--allow-mixed), which the store then says'
        )
    return list(dict.fromkeys(extractors))
