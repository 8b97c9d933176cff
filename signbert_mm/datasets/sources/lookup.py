"""Which poses belong to a clip, and whether they fit together."""

from collections import Counter
from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

from .annotation import ClipRecord
from .names import NameIndex
from .poses import PoseSource


@dataclass
class Place:
    """Where the poses of a clip lie.

    Args:
        source (PoseSource): The source.
        key (str): For its ``read``.
        whole (bool): They are those of the whole video, from which the clip is to be cut.
    """

    source: PoseSource
    key: str
    whole: bool


def find_name(record: ClipRecord, names: NameIndex) -> Optional[str]:
    """The name that ``names`` has for the clip, or else for its video; None where it has neither."""
    key = names.key(record.video_id)
    return names.key(record.video) if key is None and record.video else key


def find_clip(record: ClipRecord, sources: Sequence[PoseSource]) -> Optional[Place]:
    """The first source that has the clip, or else its video."""
    for source in sources:
        key = source.find(record.video_id)
        if key is not None:
            return Place(source, key, False)
        key = source.find(record.video) if record.video else None
        if key is not None:
            return Place(source, key, True)
    return None


def check_mixture(places: Sequence[Place], allow_mixed: bool, coming: Optional[Tuple[str, str]] = None) -> List[str]:
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
    told = [f'{source.path}: {clips[source.path]:,} clips, {source.layout}, {", ".join(source.extractors)}' for source in used]
    told += [f'now: {coming[0]}, {coming[1]}'] if coming else []
    if len(set(layouts)) > 1:
        raise ValueError(f'poses of several layouts do not fit into one store: {"; ".join(told)}; extract all with one extractor')
    if len(set(extractors)) > 1 and not allow_mixed:
        raise ValueError(
            f'poses of several extractors would mix in one store: {"; ".join(told)}; a model can tell them apart, so extract all with one, '
            'or allow it (--allow-mixed), which the store then says'
        )
    return list(dict.fromkeys(extractors))
