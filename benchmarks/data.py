"""Speed of the data path: clips a second on one worker, inline, and from clips held whole
(``preload='device'``: on the GPU where there is one, else
in memory); and opening a store of 200,000 clips.

Example:
    python benchmarks/data.py --out work_dirs/data.json
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from typing import Dict

import numpy as np
import torch
from torch.utils.data import DataLoader

from signbert_mm.datasets import PoseDataset, PoseStore, PoseStoreWriter, collate_poses
from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file
from signbert_mm.layouts import Layout, register_layout

# opening reads the index of 200,000 clips of 60 frames and no keypoints, so one joint will do: 72 MB on disk
# instead of 19 GB
ONE_JOINT = register_layout(Layout('benchmark_1', ('right_hand_root',)))
FLOORS = dict(clips_per_s_worker=('>=', 4000.0), open_200k_s=('<', 1.0), open_200k_mb=('<', 100.0))


def make_store(folder: str, clips: int, frames: int, layout: str, dtype: str) -> PoseStore:
    """Random keypoints; one block of frames serves every clip, since only the amount of data matters here."""
    random = np.random.RandomState(0)
    with PoseStoreWriter(folder, layout, [f'gloss {label}' for label in range(2000)], dtype) as writer:
        joints = writer.layout.num_joints
        keypoints = random.uniform(0, 1, (frames, joints, 3)).astype(np.float32) * np.asarray(
            [1920, 1080, 1], dtype=np.float32
        )
        for index in range(clips):
            video_id, signer = f'signer{index % 100:03d}/recording_{index:07d}', f'signer{index % 100}'
            writer.add(keypoints, index % 2000, 'train', video_id, signer, width=1920, height=1080)
        return writer.close()


def clips_per_second(
    store: str, batch: int, layout: str, workers: int, seconds: float, preload: str = 'none'
) -> float:
    """Read, sample 32 of 60 frames, collate; measured at the loader's end, after one epoch to warm up."""
    dataset = PoseDataset(
        store, layout=layout, pipeline=[dict(type='RandomTemporalSample', clip_len=32)], preload=preload
    )
    loader = DataLoader(
        dataset,
        batch,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        collate_fn=collate_poses,
        persistent_workers=workers > 0,
    )
    for _ in loader:  # start the workers, fill the page cache
        pass
    seen, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        for item in loader:
            seen += len(item['inputs']['label'])
    return seen / (time.perf_counter() - start)


def resident_mb() -> float:
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def open_once(folder: str) -> None:
    """Opens a store in this fresh process and prints seconds and MB."""
    before, start = resident_mb(), time.perf_counter()
    store = PoseStore(folder)
    seconds = time.perf_counter() - start
    assert len(store)
    print(json.dumps([seconds, resident_mb() - before]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--out', type=output_file, help='also write the figures to this JSON file')
    parser.add_argument('--batch', type=int, default=512)
    parser.add_argument(
        '--clips',
        type=int,
        default=2560,
        help='clips of 60 frames and 133 joints in the store that is read (default: 2560, 245 MB)',
    )
    parser.add_argument(
        '--open-clips', type=int, default=200_000, help='clips in the store that is opened (default: 200,000)'
    )
    parser.add_argument('--seconds', type=float, default=5.0, help='how long each loader runs (default: 5)')
    parser.add_argument('--open', metavar='STORE', help='only open this store, and print seconds and MB')
    args = parser.parse_args()
    if args.open:
        open_once(args.open)
        return
    torch.set_num_threads(1)
    figures: Dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for dtype in ('float32', 'int16'):
            store = make_store(
                os.path.join(folder, dtype), args.clips, 60, 'coco_wholebody_133', dtype
            ).folder
            for layout in ('sign_49', 'coco_wholebody_133'):
                for workers in (0, 1):
                    name = f'clips_per_s_{"worker" if workers else "inline"}_{dtype}_{layout}'
                    figures[name] = clips_per_second(store, args.batch, layout, workers, args.seconds)
                figures[f'clips_per_s_preloaded_{dtype}_{layout}'] = clips_per_second(
                    store, args.batch, layout, 0, args.seconds, 'device'
                )
        figures['clips_per_s_worker'] = figures['clips_per_s_worker_float32_sign_49']
        large = make_store(os.path.join(folder, 'large'), args.open_clips, 60, ONE_JOINT.name, 'int16').folder
        # a fresh process each time, the median of three
        runs = [
            json.loads(subprocess.check_output([sys.executable, __file__, '--open', large])) for _ in range(3)
        ]
        figures['open_200k_s'], figures['open_200k_mb'] = (sorted(column)[1] for column in zip(*runs))

    for name, figure in figures.items():
        sign, floor = FLOORS.get(name, ('', 0.0))
        met = (
            ''
            if not sign
            else (
                f'   floor {sign} {floor:g}: '
                f'{"met" if (figure >= floor if sign == ">=" else figure < floor) else "MISSED"}'
            )
        )
        print(f'{name:45s} {figure:12.3f}{met}')
    if args.out:
        about = dict(
            python=platform.python_version(),
            torch=torch.__version__,
            numpy=np.__version__,
            cpus=os.cpu_count(),
            batch=args.batch,
            open_clips=args.open_clips,
        )
        write_json(dict(**figures, about=about), args.out, indent=1)


if __name__ == '__main__':
    main()
