"""Lists the videos, image sequences and other files of a folder, and what it leaves out and why."""

import logging
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Collection, Dict, Iterable, Iterator, List, NamedTuple, Sequence, Tuple, Union

from ..logs import print_log
from .text import clean_path, is_utf8, shown_name

VIDEO_SUFFIXES = frozenset(
    (
        '.3g2 .3gp .3gpp .asf .avi .divx .dv .f4v .flv .gif .h264 .h265 .hevc .ivf .m1v .m2t .m2ts .m2v '
        '.m4v .mjpeg .mjpg .mk3d .mkv .mod .mov .mp4 .mpe .mpeg .mpg .mpv .mts .mxf .nut .ogv .qt .rm .rmvb '
        '.swf .tod .tp .trp .ts .vob .webm .wmv .wtv .y4m'
    ).split()
)
IMAGE_SUFFIXES = frozenset('.bmp .jpe .jpeg .jpg .pgm .png .pnm .ppm .tif .tiff .webp'.split())

HIDDEN = 'hidden: the name starts with a dot'
NOT_UTF8 = 'the name is not UTF-8: rename it'
ONE_IMAGE = 'one image; a clip has two or more'
# Names in a message.
_NAMED = 5
_RUNS = re.compile(r'(\d+)')

PathLike = Union[str, 'os.PathLike[str]']


class LeftOut(NamedTuple):
    """Something in a folder that is not taken: its printable path, and the reason."""

    path: str
    reason: str


@dataclass
class Listing:
    """What lies below a folder.

    Attributes:
        taken (list[tuple[str, str]]): Name and path. A name is the path below the folder, see
            :func:`name_below`.
        unclear (list[tuple[str, str]]): Name and path of folders of images that are not one sequence. These
            clips cannot be read; :func:`image_sequence` says why.
        left_out (list[LeftOut]): The rest.
    """

    taken: List[Tuple[str, str]] = field(default_factory=list)
    unclear: List[Tuple[str, str]] = field(default_factory=list)
    left_out: List[LeftOut] = field(default_factory=list)


class Folder(NamedTuple):
    """One folder of a walk: its path, its folders and files by name, and what is left out of it."""

    path: str
    folders: List[str]
    files: List[str]
    left_out: List[LeftOut]


def walk(root: PathLike) -> Iterator[Folder]:
    """All folders at any depth, ``root`` first, sorted by name.

    Links are followed, except to a folder that contains them. Hidden files and folders, names that are not
    UTF-8, broken links and unreadable folders are left out.

    Args:
        root (str | Path): A folder.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    root = os.fspath(root)
    if not os.path.isdir(root):
        raise FileNotFoundError(f'{os.path.abspath(root)}: no such folder')
    yield from _walk(root, (os.path.realpath(root),))


def _walk(path: str, around: Tuple[str, ...]) -> Iterator[Folder]:
    folders: List[str] = []
    files: List[str] = []
    left_out: List[LeftOut] = []
    try:
        with os.scandir(path) as entries:
            items = sorted((entry.name, *_kind(entry)) for entry in entries)
    except OSError as error:
        yield Folder(path, [], [], [LeftOut(shown_name(path), f'cannot be read ({error.strerror})')])
        return
    for name, is_folder, is_file in items:
        full = os.path.join(path, name)
        if name.startswith('.'):
            left_out.append(LeftOut(shown_name(full), HIDDEN))
        elif not is_utf8(name):
            left_out.append(LeftOut(shown_name(full), NOT_UTF8))
        elif is_folder and os.path.realpath(full) in around:
            left_out.append(LeftOut(full, 'a link to a folder around it'))
        elif is_folder:
            folders.append(name)
        elif is_file:
            files.append(name)
        else:
            left_out.append(LeftOut(full, 'a broken link' if os.path.islink(full) else 'no file'))
    yield Folder(path, folders, files, left_out)
    for name in folders:
        full = os.path.join(path, name)
        yield from _walk(full, (*around, os.path.realpath(full)))


def _kind(entry: 'os.DirEntry[str]') -> Tuple[bool, bool]:
    """Whether it is a folder, and a file, or a link to one."""
    try:
        return entry.is_dir(), entry.is_file()
    except OSError:
        # A link to itself.
        return False, False


def name_below(root: PathLike, path: str) -> str:
    """The path below a folder as :func:`clean_path` gives it; for the folder itself its name."""
    relative = os.path.relpath(path, root)
    name = os.path.basename(os.path.abspath(path)) if relative == os.curdir else relative.replace(os.sep, '/')
    return clean_path(name)


def suffix_of(name: str) -> str:
    """The suffix in small letters: '.mp4' of 'A.MP4'."""
    return os.path.splitext(name)[1].lower()


def without_suffix(name: str, suffixes: Collection[str] = VIDEO_SUFFIXES) -> str:
    """``name`` without one of these suffixes; other dots are part of a name."""
    return os.path.splitext(name)[0] if suffix_of(name) in suffixes else name


def list_files(root: PathLike, suffixes: Collection[str], what: str) -> Listing:
    """The files with such suffixes at any depth; names keep their suffix.

    Args:
        root (str | Path): A folder.
        suffixes (Collection[str]): In small letters; capitals in file names do not matter.
        what (str): What such a file is, for the reasons: 'a .pose file'.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    listing = Listing()
    for folder in walk(root):
        listing.left_out += folder.left_out
        for file in folder.files:
            path = os.path.join(folder.path, file)
            if suffix_of(file) in suffixes:
                listing.taken.append((name_below(root, path), path))
            else:
                listing.left_out.append(LeftOut(path, f'not {what}, by its suffix'))
    return listing


def list_videos(root: PathLike) -> Listing:
    """The videos at any depth: files by their suffix (names keep it), and folders of numbered images.

    A folder that holds a video is not a clip of images. A folder that holds clips is one only if its images
    are one sequence.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    listing = Listing()
    images: List[Tuple[str, List[str], bool]] = []
    for folder in walk(root):
        listing.left_out += folder.left_out
        pictures, videos = [], False
        for file in folder.files:
            path = os.path.join(folder.path, file)
            if suffix_of(file) in VIDEO_SUFFIXES:
                listing.taken.append((name_below(root, path), path))
                videos = True
            elif suffix_of(file) in IMAGE_SUFFIXES:
                pictures.append(file)
            else:
                listing.left_out.append(LeftOut(path, 'neither a video nor an image, by its suffix'))
        if pictures:
            images.append((folder.path, pictures, videos))
    _sort_images(root, images, listing)
    listing.taken.sort(key=lambda item: item[1])
    return listing


def _sort_images(root: PathLike, images: Sequence[Tuple[str, List[str], bool]], listing: Listing) -> None:
    """Sorts folders of images into clips, others, and those that are no readable clip."""
    holds_clips = {os.path.dirname(path) for _, path in listing.taken}
    for path, _, _ in images:
        holds_clips.add(os.path.dirname(path))
    # Folders with a clip somewhere below them.
    around = {parent for path in holds_clips for parent in _parents(path, os.fspath(root))}
    for path, names, beside_video in images:
        sequence = image_sequence(names)
        files = [os.path.join(path, name) for name in names]
        if beside_video:
            listing.left_out += [LeftOut(file, 'an image beside a video') for file in files]
        elif sequence.names:
            listing.taken.append((name_below(root, path), path))
            listing.left_out += [
                LeftOut(os.path.join(path, name), reason) for name, reason in sequence.left_out
            ]
        elif path in around or os.path.samefile(path, root):
            listing.left_out += [
                LeftOut(file, f'an image of no sequence ({sequence.reason})') for file in files
            ]
        else:
            listing.unclear.append((name_below(root, path), path))


def _parents(path: str, root: str) -> Iterator[str]:
    while path != root and path != os.path.dirname(path):
        yield path
        path = os.path.dirname(path)


@dataclass
class ImageSequence:
    """The frames of one clip among the images of a folder.

    Attributes:
        names (list[str]): In order of their numbers; [] if the images are not one sequence.
        numbers (list[int]): Their numbers.
        reason (str): Why they are not one sequence; '' if they are.
        left_out (list[LeftOut]): Images that do not belong to the sequence.
    """

    names: List[str] = field(default_factory=list)
    numbers: List[int] = field(default_factory=list)
    reason: str = ''
    left_out: List[LeftOut] = field(default_factory=list)


def image_sequence(names: Iterable[str]) -> ImageSequence:
    """Two or more images whose names differ in one number only.

    Examples are 0001.jpg, 0002.png, .. and frame (1)_rgb.jpg, .. Single other images, such as preview.jpg,
    are left out. Two sequences in one folder count as none.

    Args:
        names (Iterable[str]): The files of a folder; hidden files and other files are ignored.
    """
    images = sorted(name for name in names if not name.startswith('.') and suffix_of(name) in IMAGE_SUFFIXES)
    if not images:
        return ImageSequence(reason='no images')
    if len(images) == 1:
        return ImageSequence(reason=ONE_IMAGE)
    groups = _alike(images)
    large = [group for group in groups if len(group) > 1]
    if not large:
        return ImageSequence(
            reason=f'{len(images)} images, no two named alike but for one number: {_some(images)}'
        )
    if len(large) > 1:
        shown = ' and '.join(f'{group[0][1]} to {group[-1][1]}' for group in large[:3])
        return ImageSequence(
            reason=f'{len(large)} sequences in one folder, {shown}; give each a folder of its own'
        )
    (group,) = large
    single = [
        LeftOut(name, 'an image that is not of the sequence')
        for other in groups
        if other is not group
        for _, name in other
    ]
    return ImageSequence([name for _, name in group], [number for number, _ in group], '', sorted(single))


def _alike(images: Sequence[str]) -> List[List[Tuple[int, str]]]:
    """Images that differ in one number alone, as ``(number, name)`` in order of the numbers."""
    alike: Dict[Tuple[str, ...], List[Tuple[List[str], str]]] = {}
    for name in images:
        # Text, number, text, ..
        parts = _RUNS.split(os.path.splitext(name)[0])
        alike.setdefault(tuple(parts[::2]), []).append((parts[1::2], name))
    groups: List[List[Tuple[int, str]]] = []
    for rows in alike.values():
        # Names without a number are groups of one.
        if not rows[0][0]:
            groups += [[(-1, name)] for _, name in rows]
            continue
        moving = [
            place for place in range(len(rows[0][0])) if len({numbers[place] for numbers, _ in rows}) > 1
        ]
        # Where several numbers change, the last one is the frame's.
        last = moving[-1] if moving else -1
        by_rest: Dict[Tuple[str, ...], List[Tuple[int, str]]] = {}
        for numbers, name in rows:
            rest = tuple(number for place, number in enumerate(numbers) if place != last % len(numbers))
            by_rest.setdefault(rest, []).append((int(numbers[last]), name))
        groups += [sorted(group) for group in by_rest.values()]
    return groups


def describe_left_out(left_out: Sequence[LeftOut], root: PathLike = '') -> List[str]:
    """Lines for people: how many, why, and the first names of each reason; [] where there is nothing."""
    lines = []
    for reason, count in Counter(item.reason for item in left_out).most_common():
        paths = [item.path for item in left_out if item.reason == reason]
        names = [os.path.relpath(path, root) if root else path for path in paths]
        suffixes = sorted({suffix_of(name) or 'none' for name in names}) if 'suffix' in reason else []
        kinds = f' ({" ".join(suffixes[:8])})' if suffixes else ''
        number = f'{count:,} {"file or folder is" if count == 1 else "files or folders are"}'
        lines.append(f'{number} not taken, {reason}{kinds}: {_some(names)}')
    return lines


def report_left_out(left_out: Sequence[LeftOut], folder: PathLike = '') -> None:
    """Logs what was not taken, a line for each reason."""
    for line in describe_left_out(left_out, folder):
        print_log(f'{folder}: {line}' if folder else line, logger='current', level=logging.WARNING)


def _some(names: Sequence[str]) -> str:
    return ', '.join(names[:_NAMED]) + (', ...' if len(names) > _NAMED else '')
