"""What grows with the number of clips: memory and time of opening a store, of the data set, of an epoch of
its loader; and the writer's memory.

Example:
    python benchmarks/scale.py --clips 10000 100000 1000000 --out work_dirs/scale.json

Stores are files with a hole in place of the keypoints: a million clips take 100 MB of disk (their apparent
size is 2.9 GB at the defaults). The file is read once before, so the epoch finds it in the system's cache.
Clips are short, since their number matters here, not their length: benchmarks/data.py has the speed at 60
frames. Each size runs in a fresh process, and times are its CPU time (user and system), which other processes
disturb less. Memory is the process's anonymous memory (what no file backs); the mapped keypoints are pages of
the system's cache, shared by all processes and given back when memory is short.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, List

try:
    import signbert_mm  # noqa: F401
except ModuleNotFoundError:  # a checkout that is not installed
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from mmengine.dataset import DefaultSampler
from torch.utils.data import DataLoader

from signbert_mm.datasets import PoseDataset, PoseStoreWriter, collate_poses
from signbert_mm.datasets.store_format import (
    CLIPS,
    FORMAT,
    FORMAT_VERSION,
    KEYPOINTS,
    META,
    file_digest,
    npy_header,
)
from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file

GLOSSES, SIGNERS, LAYOUT, JOINTS = 2000, 100, 'sign_49', 49
WORKER_BATCHES = 8


def anonymous_mb(pid: str = 'self', field: str = 'Anonymous') -> float:
    """A process's memory that no file backs; Private_Dirty: what it does not share with the process it was
    forked from.
    """
    with open(f'/proc/{pid}/smaps_rollup') as file:
        return int(re.search(rf'^{field}:\s+(\d+) kB', file.read(), re.MULTILINE).group(1)) / 1024


def make_sparse_store(folder: Path, clips: int, frames: int) -> int:
    """A store whose keypoints are a hole, which reads as zeros; its checksums are empty, since nothing here
    verifies. Returns bytes on disk.
    """
    folder.mkdir()
    with open(folder / KEYPOINTS, 'wb') as file:
        file.write(npy_header('int16', (clips * frames, JOINTS, 3)))
        file.truncate(file.tell() + clips * frames * JOINTS * 3 * 2)
    number = np.arange(clips)
    index = dict(
        offset=number * frames,
        length=np.full(clips, frames, dtype=np.int32),
        label=(number % GLOSSES).astype(np.int32),
        split=np.zeros(clips, dtype=np.int16),
        split_names=np.asarray([b'train']),
        video_id=np.char.add(b'signer/recording_', number.astype('S')),
        signer=(number % SIGNERS).astype(np.int32),
        signer_names=np.asarray([f'signer{code}'.encode() for code in range(SIGNERS)]),
        width=np.full(clips, 1920, dtype=np.int32),
        height=np.full(clips, 1080, dtype=np.int32),
        fps=np.full(clips, 25, dtype=np.float32),
        # no hand was found in frames of zeros
        hands=np.zeros(clips * frames, dtype=np.uint8),
    )
    np.savez(folder / CLIPS, **index)
    meta = dict(
        format=FORMAT,
        format_version=FORMAT_VERSION,
        layout=LAYOUT,
        joints=JOINTS,
        dtype='int16',
        clips=clips,
        frames=clips * frames,
    )
    files = {name: dict(bytes=(folder / name).stat().st_size, blake2b='') for name in (KEYPOINTS, CLIPS)}
    files[CLIPS]['blake2b'] = file_digest(folder / CLIPS)
    glosses = [f'gloss {label}' for label in range(GLOSSES)]
    (folder / META).write_text(json.dumps(dict(meta, splits=dict(train=clips), files=files, glosses=glosses)))
    return sum(path.stat().st_blocks * 512 for path in folder.iterdir())


def read_store(folder: str, batch: int, clip_len: int) -> Dict[str, float]:
    """Figures of one store, in this fresh process."""
    torch.set_num_threads(1)
    before, start = anonymous_mb(), time.process_time()
    dataset = PoseDataset(
        folder, split='train', layout=LAYOUT, pipeline=[dict(type='RandomTemporalSample', clip_len=clip_len)]
    )
    figures = dict(open_s=time.process_time() - start, index_mb=anonymous_mb() - before)
    options = dict(
        batch_size=batch, sampler=DefaultSampler(dataset, seed=0), drop_last=True, collate_fn=collate_poses
    )

    with open(os.path.join(folder, KEYPOINTS), 'rb') as file:
        while file.read(1 << 24):
            pass
    loader, most, start = DataLoader(dataset, **options), 0.0, time.process_time()
    for number, _ in enumerate(loader):
        if number % 50 == 0:
            most = max(most, anonymous_mb())
    taken = time.process_time() - start
    figures.update(
        epoch_s=taken, us_per_clip=1e6 * taken / len(dataset), epoch_mb=most - before - figures['index_mb']
    )

    batches = iter(DataLoader(dataset, num_workers=1, **options))
    for _ in range(min(WORKER_BATCHES, len(dataset) // batch)):
        next(batches)
    (worker,) = batches._workers
    figures['worker_mb'] = anonymous_mb(str(worker.pid), 'Private_Dirty')
    return figures


def write_store(folder: str, clips: int) -> Dict[str, float]:
    """The writer's memory before it closes the store; two frames a clip, since frames go straight to the
    file.
    """
    keypoints = np.ones((2, JOINTS, 3), dtype=np.float32)
    before = anonymous_mb()
    with PoseStoreWriter(folder, LAYOUT, [f'gloss {label}' for label in range(GLOSSES)], 'int16') as writer:
        for index in range(clips):
            writer.add(
                keypoints,
                index % GLOSSES,
                'train',
                f'signer/recording_{index}',
                f'signer{index % SIGNERS}',
                width=1920,
                height=1080,
            )
        return dict(writer_bytes_per_clip=(anonymous_mb() - before) * 2**20 / clips)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--clips', type=int, nargs='+', default=[10_000, 100_000, 1_000_000])
    parser.add_argument('--frames', type=int, default=10, help='frames a clip (default: 10)')
    parser.add_argument('--clip-len', type=int, default=8, help='frames that are read of each (default: 8)')
    parser.add_argument('--batch', type=int, default=512)
    parser.add_argument(
        '--written', type=int, default=50_000, help='clips that the writer gets (default: 50,000)'
    )
    parser.add_argument('--folder', help='where the stores are made (default: a temporary folder)')
    parser.add_argument('--out', type=output_file, help='also write the figures to this JSON file')
    parser.add_argument('--read', metavar='STORE', help=argparse.SUPPRESS)
    parser.add_argument('--write', metavar='STORE', help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.read or args.write:
        print(
            json.dumps(
                read_store(args.read, args.batch, args.clip_len)
                if args.read
                else write_store(args.write, args.written)
            )
        )
        return

    def fresh(*arguments: str) -> Dict[str, float]:
        given = [
            f'--{name}={getattr(args, name.replace("-", "_"))}' for name in ('batch', 'clip-len', 'written')
        ]
        return json.loads(subprocess.check_output([sys.executable, __file__, *arguments, *given]))

    rows: List[Dict[str, float]] = []
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        for clips in args.clips:
            store = Path(folder) / str(clips)
            on_disk = make_sparse_store(store, clips, args.frames)
            rows.append(dict(clips=clips, disk_mb=on_disk / 2**20, **fresh('--read', str(store))))
            for path in store.iterdir():
                path.unlink()
        written = fresh('--write', os.path.join(folder, 'written'))
    names = list(rows[0])
    print('  '.join(f'{name:>12s}' for name in names))
    for row in rows:
        print('  '.join(f'{row[name]:12.3f}' if name != 'clips' else f'{row[name]:12,d}' for name in names))
    if len(rows) > 1:
        per_clip = {
            name: (rows[-1][name] - rows[0][name]) * 2**20 / (rows[-1]['clips'] - rows[0]['clips'])
            for name in names
            if name.endswith('_mb')
        }
        print(
            'bytes a clip, from the smallest to the largest: '
            + ', '.join(f'{name} {value:.0f}' for name, value in per_clip.items())
        )
    print(f'writer: {written["writer_bytes_per_clip"]:.0f} bytes a clip')
    if args.out:
        about = dict(
            python=platform.python_version(),
            torch=torch.__version__,
            numpy=np.__version__,
            frames=args.frames,
            batch=args.batch,
        )
        write_json(dict(sizes=rows, **written, about=about), args.out, indent=1)


if __name__ == '__main__':
    main()
