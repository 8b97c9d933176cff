"""Stores for the verification's tests: a sound one, and what changes its files."""

import hashlib
import io
import json
from pathlib import Path

import numpy as np

from signbert_mm.datasets import PoseStore, PoseStoreWriter
from signbert_mm.datasets.store_format import file_digest
from signbert_mm.layouts import get_layout

LAYOUT = get_layout('sign_49')
WHERE = dict(
    nose=(320, 100),
    left_shoulder=(390, 180),
    right_shoulder=(250, 180),
    left_elbow=(420, 260),
    right_elbow=(220, 260),
    left_wrist=(400, 340),
    right_wrist=(240, 340),
)
LENGTHS = (4, 9, 6, 12, 5, 7, 8, 10)
SPLITS = ('train',) * 4 + ('test',) * 4


def signer(frames: int, seed: int) -> np.ndarray:
    """(T, 49, 3): someone who faces the camera, the hands at the wrists, all moving."""
    random = np.random.RandomState(seed)
    values = np.ones((frames, 49, 3), dtype=np.float32)
    for joint, name in enumerate(LAYOUT.joints):
        centre = WHERE.get(name) or np.add(
            WHERE['left_wrist' if name.startswith('left') else 'right_wrist'], random.uniform(-20, 20, 2)
        )
        centre = WHERE[name.replace('hand_root', 'wrist')] if name.endswith('hand_root') else centre
        values[:, joint, :2] = centre + np.cumsum(random.uniform(-1, 1, (frames, 2)), axis=0)
    return values


def write(folder, plant=None, coverage=None, names=None, **about) -> PoseStore:
    """Eight clips of two glosses and four signers, two in each split; ``plant(clip, values)`` changes the
    numbers before they are written.
    """
    about = dict(dict(extractor='rtmlib', extractor_version='0.0.13'), **about)
    with PoseStoreWriter(
        folder, LAYOUT, ['book', 'drink'], coverage=coverage or dict(train=4, test=4), **about
    ) as writer:
        for clip, (length, split) in enumerate(zip(LENGTHS, SPLITS)):
            values = signer(length, clip)
            values = values if plant is None else plant(clip, values)
            name = f'v{clip}' if names is None else names[clip]
            writer.add(values, clip % 2, split, name, f'{split}{clip // 2}', width=640, height=480, fps=25)
        return writer.close()


def alter(store: PoseStore, rows=None, columns=None, meta=None, checksum=True) -> None:
    """Changes the files of a store: ``rows(keypoints)``, ``columns(clips.npz as a dict)``, ``meta(dict)``;
    the checksums follow, if wanted.
    """
    folder = Path(store.folder)
    about = json.loads((folder / 'meta.json').read_text())
    if rows:
        data = np.load(f'{store.folder}/keypoints.npy', mmap_mode='r+')
        rows(data)
        data.flush()
    if columns:
        with np.load(f'{store.folder}/clips.npz') as archive:
            table = dict(archive)
        columns(table)
        packed = io.BytesIO()
        np.savez(packed, **table)
        (folder / 'clips.npz').write_bytes(packed.getvalue())
        about['files']['clips.npz']['bytes'] = len(packed.getvalue())
    if checksum:
        about['files']['clips.npz']['blake2b'] = file_digest(f'{store.folder}/clips.npz')
        header = np.load(folder / 'keypoints.npy', mmap_mode='r').offset
        numbers = (folder / 'keypoints.npy').read_bytes()[header:]
        about['files']['keypoints.npy']['blake2b'] = hashlib.blake2b(numbers, digest_size=32).hexdigest()
    if meta:
        meta(about)
    (folder / 'meta.json').write_text(json.dumps(about))


def found(report, kind):
    problems = [problem for problem in report.problems if problem.kind == kind]
    assert len(problems) == 1, (kind, report.text())
    return problems[0]
