"""The videos to learn from: folders of glosses, or a CSV."""

import hashlib
import os
from collections import defaultdict
from typing import Dict, Iterable, List, NamedTuple, Sequence, Tuple, Union

from ..errors import UserValueError
from ..extraction.find_videos import name_clips
from ..files.folders import Listing, list_videos, walk
from ..files.matching import find_signer, signer_pattern
from ..files.paths import check_name, check_text
from ..files.text import clean_text, shown_name, table_rows

PathLike = Union[str, 'os.PathLike[str]']
# <signer>_<take>, as in anna_1.mp4
SIGNER = r'^([^_]+)_[^/]+$'
_PIECE = 1 << 20


class TaughtVideo(NamedTuple):
    """A video of one sign.

    Attributes:
        video_id (str): Its path below the folder, without suffix.
        path (str): The file, or a folder of numbered images.
        gloss (str): The sign.
        signer (str): '' = unknown.
    """

    video_id: str
    path: str
    gloss: str
    signer: str = ''


class Problem(NamedTuple):
    """A video, a folder or a sign with which something is wrong.

    Attributes:
        name (str): What it is about.
        reason (str): What is wrong, and what to do.
        left_out (bool): Whether it is not learned from; else it is a warning.
    """

    name: str
    reason: str
    left_out: bool = True

    def __str__(self) -> str:
        return f'{self.name}: {self.reason}'


def read_videos(source: PathLike, signer: str = '') -> Tuple[List[TaughtVideo], List[Problem]]:
    """The labelled videos of a folder or of a CSV file, and what was left out.

    Args:
        source (str | Path): A folder with ``<gloss>/<anything>.mp4``, at any depth below the gloss, or a file
            with the columns ``video``, ``gloss`` and, if wanted, ``signer``, whose paths are relative to it.
        signer (str): A regular expression that finds the signer in the path below the gloss's folder, without
            suffix; of a CSV, in the file's name. '' = :data:`SIGNER`, if it says anything, see
            :func:`known_signers`.

    Raises:
        FileNotFoundError: There is no such folder or file.
        ValueError: The CSV is damaged, the expression is none, or it finds nothing in a name.
    """
    source = os.fspath(source)
    signer_pattern(signer)
    videos, problems = _of_csv(source) if os.path.isfile(source) else _of_folder(source)
    videos, repeated = _without_copies(videos)
    videos, unnamed = _with_signers(videos, signer)
    return videos, problems + repeated + unnamed


def _of_folder(root: str) -> Tuple[List[TaughtVideo], List[Problem]]:
    listing: Listing = list_videos(root)
    problems = [Problem(os.path.relpath(path, root), reason) for path, reason in listing.left_out]
    found, loose = [], []
    for name, path in [*listing.taken, *listing.unclear]:
        (found if '/' in name else loose).append((name, path))
    for name, _ in loose:
        problems.append(Problem(name, 'lies in no folder of a sign; move it to <sign>/<signer>_<take>'))
    videos = []
    for video_id, path in name_clips(found):
        problem = _bad_name(video_id)
        if problem:
            problems.append(Problem(shown_name(path), problem))
        else:
            videos.append(TaughtVideo(video_id, path, video_id.split('/', 1)[0]))
    used = {video.gloss for video in videos} | {name for name, _ in loose}
    problems += [
        Problem(name, 'no video in this folder, so the sign is not learned')
        for name in next(walk(root)).folders
        if clean_text(name) not in used
    ]
    return videos, problems


def _bad_name(video_id: str) -> str:
    try:
        check_name(video_id, 'the name')
    except ValueError as error:
        return str(error)
    return ''


def _of_csv(path: str) -> Tuple[List[TaughtVideo], List[Problem]]:
    folder = os.path.dirname(os.path.abspath(path))
    videos: List[TaughtVideo] = []
    problems: List[Problem] = []
    used: Dict[str, str] = {}
    for number, row in table_rows(path, ('video', 'gloss'), ('signer',)):
        where = f'{os.path.basename(path)} line {number}'
        for name in ('gloss', 'signer'):
            check_text(row[name], f'{where}: {name}', empty=name == 'signer')
        file = os.path.join(folder, os.path.expanduser(row['video']))
        if not os.path.exists(file):
            problems.append(Problem(row['video'], f'no such file ({where}); correct the path'))
            continue
        # A path that leaves the folder, as ../clips/a.mp4, is no id.
        below = os.path.relpath(os.path.realpath(file), os.path.realpath(folder)).replace(os.sep, '/')
        name = clean_text(os.path.basename(file) if below.startswith('../') else below)
        stem = name if os.path.isdir(file) else os.path.splitext(name)[0]
        video_id = next(text for text in _free_names(stem, name) if used.setdefault(text, file) == file)
        problem = _bad_name(video_id)
        if problem:
            problems.append(Problem(row['video'], f'{problem} ({where})'))
        else:
            videos.append(TaughtVideo(video_id, file, row['gloss'], row['signer']))
    return videos, problems


def _free_names(stem: str, name: str) -> Iterable[str]:
    yield from (stem, name)
    number = 2
    while True:
        yield f'{name} ({number})'
        number += 1


def _without_copies(videos: Sequence[TaughtVideo]) -> Tuple[List[TaughtVideo], List[Problem]]:
    """Each video once. One that stands under two signs says nothing, so that neither is kept."""
    alike: Dict[Tuple[int, str], List[TaughtVideo]] = defaultdict(list)
    sizes: Dict[int, List[TaughtVideo]] = defaultdict(list)
    for video in videos:
        sizes[_size(video.path)].append(video)
    for size, group in sizes.items():
        for video in group:
            # Files of different sizes are no copies, so their content need not be read.
            alike[size, digest_of(video.path) if len(group) > 1 else video.video_id].append(video)
    problems, dropped = [], set()
    for group in alike.values():
        first, glosses = group[0], sorted({video.gloss for video in group})
        if len(glosses) > 1:
            names = ', '.join(video.video_id for video in group)
            reason = f'the same video under {" and ".join(glosses)}: {names}; keep it under the right sign'
            problems.append(Problem(first.video_id, reason))
            dropped.update(map(id, group))
            continue
        for video in group[1:]:
            problems.append(Problem(video.video_id, f'the same video as {first.video_id}, taken once'))
            dropped.add(id(video))
    return [video for video in videos if id(video) not in dropped], problems


def _files(path: str) -> List[str]:
    if not os.path.isdir(path):
        return [path]
    return sorted(entry.path for entry in os.scandir(path) if entry.is_file())


def _size(path: str) -> int:
    return sum(os.path.getsize(file) for file in _files(path))


def digest_of(path: str) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name in _files(path):
        with open(name, 'rb') as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    return digest.hexdigest()


def _with_signers(videos: Sequence[TaughtVideo], pattern: str) -> Tuple[List[TaughtVideo], List[Problem]]:
    """The videos with the signers that their names tell, and names that tell none; a CSV's column stays."""
    if any(video.signer for video in videos) and not pattern:
        return list(videos), []
    named = []
    for video in videos:
        below = video.video_id.split('/', 1)[1] if video.video_id.startswith(f'{video.gloss}/') else ''
        # Of a CSV the folders are anything.
        text = below or video.video_id.rsplit('/', 1)[-1]
        signer = find_signer(signer_pattern(pattern or SIGNER), text if pattern else text.rsplit('/', 1)[-1])
        if pattern and not signer:
            raise UserValueError(
                f'{video.video_id}: --signer {pattern!r} finds no signer in {text!r}; correct the '
                'expression, or rename the file'
            )
        named.append(video._replace(signer=signer))
    told = [video for video in named if video.signer]
    problems = []
    if known_signers([video.gloss for video in told], [video.signer for video in told]):
        without = [video.video_id for video in named if not video.signer]
        if not without:
            return named, []
        reason = (
            f'the names of {len(without)} of {len(named)} videos tell no signer, this one first, so that '
            'none are known; rename them to <signer>_<take>, or give --signer'
        )
        # Of few names that tell one, it may be something else.
        problems = [Problem(without[0], reason, left_out=False)] * (len(without) < len(told))
    if pattern:
        return named, []
    return [video._replace(signer='') for video in named], problems


def known_signers(glosses: Sequence[str], signers: Sequence[str]) -> bool:
    """Whether these can be signers: each video has one, and most signs have two or more.

    So it is not with hello_1.mp4 and IMG_0001.mp4, where the first part is the sign or the camera.
    """
    if not all(signers):
        return False
    by_gloss: Dict[str, set] = defaultdict(set)
    for gloss, signer in zip(glosses, signers):
        by_gloss[gloss].add(signer)
    return 2 * sum(len(names) > 1 for names in by_gloss.values()) > len(by_gloss)
