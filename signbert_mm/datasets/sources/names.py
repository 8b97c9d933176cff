"""Names of videos and pose files, found wherever they lie below a folder."""

import os
from typing import Dict, Generic, Iterable, List, Optional, Tuple, TypeVar

Item = TypeVar('Item')


class NameIndex(Generic[Item]):
    """Finds an item by name: the path below a folder, without suffix and with '/' between the parts.

    A name is found under itself, else under a path that ends in it or in which it ends ('train/a' and 'a' are one), unless several do.

    Args:
        items (Iterable[tuple[str, Item]]): Names and what goes by them.
        where (str): Folder or file they come from, for messages.

    Raises:
        ValueError: A name comes twice, as with a.mp4 and a.avi; the message names both.
    """

    def __init__(self, items: Iterable[Tuple[str, Item]], where: str) -> None:
        self.where = where
        self._items: Dict[str, Item] = {}
        self._by_base: Dict[str, List[str]] = {}
        for name, item in items:
            if name in self._items:
                raise ValueError(f'{where}: {name!r} is there twice: {self._items[name]} and {item}; remove one of them')
            self._items[name] = item
            self._by_base.setdefault(name.rsplit('/', 1)[-1], []).append(name)

    def __len__(self) -> int:
        return len(self._items)

    def names(self) -> List[str]:
        return list(self._items)

    def key(self, name: str) -> Optional[str]:
        """The name under which ``name`` is found, or None.

        Raises:
            ValueError: Several fit.
        """
        if name in self._items:
            return name
        near = self._by_base.get(name.rsplit('/', 1)[-1], [])
        fits = [other for other in near if other.endswith(f'/{name}') or name.endswith(f'/{other}')]
        if len(fits) > 1:
            raise ValueError(f'{self.where}: {name!r} fits several: {fits[:5]}; keep one of them')
        return fits[0] if fits else None

    def __getitem__(self, key: str) -> Item:
        return self._items[key]


VIDEO_SUFFIXES = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg', '.wmv', '.flv', '.3gp')


def without_suffix(name: str) -> str:
    """``name`` without the suffix of a video; other dots are part of a name."""
    return os.path.splitext(name)[0] if name.lower().endswith(VIDEO_SUFFIXES) else name


def files_below(folder: str, suffixes: Tuple[str, ...]) -> List[Tuple[str, str]]:
    """``(name, path)`` of the files with such suffixes at any depth, sorted by path; hidden files and folders are left out.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    if not os.path.isdir(folder):
        raise FileNotFoundError(f'{os.path.abspath(folder)}: no such folder')
    found = []
    for root, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith('.'))
        for file in sorted(files):
            if file.lower().endswith(suffixes) and not file.startswith('.'):
                path = os.path.join(root, file)
                found.append((os.path.splitext(os.path.relpath(path, folder))[0].replace(os.sep, '/'), path))
    return found
