"""Which item of a folder or file belongs to which clip, and what a name tells."""

import re
from typing import (
    Callable,
    Dict,
    Generic,
    Iterable,
    List,
    NamedTuple,
    Optional,
    Pattern,
    Sequence,
    Tuple,
    TypeVar,
)

from ..errors import UserValueError
from .text import clean_path, clean_text

Item = TypeVar('Item')


def plain_name(name: str) -> str:
    """A name as it is compared: '/' between the parts, each as :func:`~.text.clean_text` gives it."""
    name = clean_path(name.replace('\\', '/'))
    return name[2:] if name.startswith('./') else name


def signer_pattern(text: str) -> Pattern[str]:
    """The regular expression of an option ``--signer``.

    Raises:
        ValueError: It is none.
    """
    try:
        return re.compile(text)
    except re.error as error:
        raise UserValueError(f'--signer {text!r} is no regular expression ({error}); correct it') from error


def find_signer(pattern: Pattern[str], name: str) -> str:
    """The signer in a name: the pattern's first group, or else the match; '' = it finds none."""
    match = pattern.search(name)
    return clean_text((match[1] if pattern.groups else match[0]) or '') if match else ''


class NameIndex(Generic[Item]):
    """Finds an item by name: the path below a folder, without suffix and with '/' between the parts.

    An equal name comes first. Otherwise one of two names must end in the other, as 'train/a' and 'a', and
    only one item may fit. :func:`match_names` does this for many names at once, and uses no item twice.

    Args:
        items (Iterable[tuple[str, Item]]): Names and their items.
        where (str): Their folder or file, for messages.
        shown (Callable): How messages call an item.
        remedy (str): What to do if two items have one name.

    Raises:
        ValueError: Two items have one name, as a.mp4 and a.avi; the message names both.
    """

    def __init__(
        self,
        items: Iterable[Tuple[str, Item]],
        where: str,
        shown: Callable[[Item], str] = str,
        remedy: str = 'remove one of them',
    ) -> None:
        self.where = where
        self._items: Dict[str, Item] = {}
        self._by_base: Dict[str, List[str]] = {}
        for name, item in items:
            name = plain_name(name)
            if name in self._items:
                raise UserValueError(
                    f'{where}: {name!r} is there twice: {shown(self._items[name])} and {shown(item)}; '
                    f'{remedy}'
                )
            self._items[name] = item
            self._by_base.setdefault(name.rsplit('/', 1)[-1], []).append(name)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: str) -> bool:
        return plain_name(name) in self._items

    def names(self) -> List[str]:
        return list(self._items)

    def alike(self, name: str) -> List[str]:
        """The names that end in ``name``, or in which it ends; an equal name alone if there is one."""
        name = plain_name(name)
        if name in self._items:
            return [name]
        near = self._by_base.get(name.rsplit('/', 1)[-1], [])
        return [other for other in near if other.endswith(f'/{name}') or name.endswith(f'/{other}')]

    def key(self, name: str) -> Optional[str]:
        """The name of the item for ``name``, or None.

        Raises:
            ValueError: Several fit.
        """
        fits = self.alike(name)
        if len(fits) > 1:
            raise UserValueError(f'{self.where}: {name!r} fits several: {fits[:5]}; keep one of them')
        return fits[0] if fits else None

    def __getitem__(self, key: str) -> Item:
        return self._items[plain_name(key)]


class Match(NamedTuple):
    """A clip's item.

    Attributes:
        index (int): Which of the indexes has it.
        key (str): Its name there.
        name (str): Which of the clip's names fits.
        exact (bool): The two are equal.
    """

    index: int
    key: str
    name: str
    exact: bool


def match_names(clips: Sequence[Sequence[str]], indexes: Sequence[NameIndex]) -> List[Optional[Match]]:
    """Finds one item for each clip, and no item for two clips.

    Equal names come first: the first index that has one of the clip's names, in the order of the names. For
    the other clips one name may end in the other (see :class:`NameIndex`). There must then be only one such
    item in all indexes, and no other clip may have it.

    Args:
        clips (Sequence[Sequence[str]]): The names of each clip, in order of preference; '' is ignored. Clips
            may share a name, such as that of the video that they are cut from.
        indexes (Sequence[NameIndex]): Where to look, in order of preference.

    Raises:
        ValueError: A clip fits several items, or an item several clips; the message names both.
    """
    found: List[Optional[Match]] = [None] * len(clips)
    owners: Dict[Tuple[int, str], str] = {}
    for place, names in enumerate(clips):
        for number, index in enumerate(indexes):
            name = next((name for name in names if name and name in index), None)
            if name is not None:
                found[place] = Match(number, plain_name(name), name, True)
                owners[number, plain_name(name)] = plain_name(name)
                break
    # Items found by a part of a name, and the name that found them.
    claims: Dict[Tuple[int, str], str] = {}
    for place, names in enumerate(clips):
        for name in names if found[place] is None else ():
            fits = [
                (number, key)
                for number, index in enumerate(indexes)
                for key in (index.alike(name) if name else ())
            ]
            fits = [fit for fit in fits if fit not in owners]
            if not fits:
                continue
            if len(fits) > 1:
                raise UserValueError(_several_items(name, fits, indexes))
            other = claims.setdefault(fits[0], name)
            if other != name:
                raise UserValueError(_several_clips(other, name, fits[0], indexes))
            found[place] = Match(*fits[0], name, False)
            break
    return found


def _several_items(name: str, fits: Sequence[Tuple[int, str]], indexes: Sequence[NameIndex]) -> str:
    (first, one), (second, two) = fits[:2]
    more = f' and {len(fits) - 2} more' if len(fits) > 2 else ''
    return (
        f'{name!r} fits several: {one!r} of {indexes[first].where} and {two!r} of '
        f'{indexes[second].where}{more}; keep one of them, or give them the whole path below the folder as '
        'name'
    )


def _several_clips(one: str, two: str, fit: Tuple[int, str], indexes: Sequence[NameIndex]) -> str:
    return (
        f'{fit[1]!r} of {indexes[fit[0]].where} fits several clips: {one!r} and {two!r}; names must be '
        'whole paths below the folder there: extract that folder at once, or rename'
    )
