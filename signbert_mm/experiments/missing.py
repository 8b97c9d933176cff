"""Finds stores, videos and checkpoints that tables need and that are missing, with the commands for them."""

import os
import re
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np
from mmengine.config import Config

from ..datasets.pose_store import PoseStore
from ..datasets.store_format import META
from ..datasets.video_folder import VideoFolder
from ..engine.runner.config import config_roots, read_variants
from .plan import Plan
from .run import Run


@dataclass
class Missing:
    """A file or folder that trainings or tests need.

    Attributes:
        kind (str): 'store', 'videos' or 'checkpoint'.
        path (str): Its expected path.
        remedy (str): The command that makes it, or what to do.
        runs (set[str]): Names of the runs that need it.
        note (str): A remark; '' = none.
    """

    kind: str
    path: str
    remedy: str
    runs: Set[str] = field(default_factory=set)
    note: str = ''


def _data_sets(node: Any, optional: bool = False) -> Iterator[Tuple[dict, bool]]:
    """Each part of a config that names a store, and whether the store is optional."""
    if isinstance(node, dict):
        optional = optional or bool(node.get('allow_missing'))
        if node.get('store'):
            yield node, optional
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for value in node:
            yield from _data_sets(value, optional)


def _pending_parts(run: Run, tested: bool, work_dir: Path) -> List[Any]:
    """The parts of a run's config that its remaining training and test read."""
    parts = [] if run.trained(work_dir) else [run.cfg.get('train_dataloader')]
    if tested and not run.is_tested(work_dir):
        parts += [run.cfg.get('test_dataloader'), run.cfg.get('test_cfg')]
    return parts


def _prepare_commands(plans: Sequence[Plan]) -> Dict[str, str]:
    """Store folder -> the command that prepares it, from these tables and all shipped data configs."""
    configs = [run.cfg.to_dict() for plan in plans for run in plan.runs]
    for root in config_roots()[:1]:
        configs += [
            Config.fromfile(path).to_dict()
            for path in sorted(glob(os.path.join(root, 'configs', '_base_', 'datasets', '*.py')))
        ]
        configs += [
            dict(store=options[key[: -len('prepare')] + 'store'], prepare=command)
            for _, options in read_variants(root).values()
            for key, command in options.items()
            if key.endswith('.prepare')
        ]
    commands: Dict[str, str] = {}
    for part, _ in _data_sets(configs):
        if part.get('prepare'):
            commands.setdefault(str(part['store']), str(part['prepare']))
    return commands


def missing_data(plans: Sequence[Plan], work_dir: Path) -> List[Missing]:
    """Finds what is missing for the remaining trainings and tests, in the order in which they need it.

    Args:
        plans (Sequence[Plan]): The tables.
        work_dir (Path): Folder of their runs. A run that is trained and tested needs nothing more.
    """
    commands = _prepare_commands(plans)
    made = {folder for plan in plans for folder in plan.setting.make}
    drawn = {folder for plan in plans for folder in plan.setting.videos}
    missing: Dict[Tuple[str, str], Missing] = {}

    def add(run: Run, item: Optional[Missing]) -> None:
        if item is not None:
            known = missing.setdefault((item.kind, item.path), item)
            known.runs.add(run.name)
            # An item is optional only if it is so for every run.
            known.note = known.note if item.note else ''

    for plan in plans:
        for run in plan.runs:
            for part, optional in _data_sets(_pending_parts(run, run in plan.tests, work_dir)):
                add(run, _store(str(part['store']), optional, commands, made))
                if part.get('videos'):
                    add(run, _videos(part, commands, made, drawn))
            start = run.cfg.get('load_from')
            needs_start = start and run.parent is None and not run.trained(work_dir)
            if needs_start and '://' not in str(start) and not os.path.isfile(start):
                add(run, Missing('checkpoint', str(start), 'train it, or name another checkpoint'))
    return list(missing.values())


def _store(folder: str, optional: bool, commands: Mapping[str, str], made: Set[str]) -> Optional[Missing]:
    if (Path(folder) / META).is_file():
        return None
    remedy = (
        'made by run_table.py when it trains: synthetic signs'
        if folder in made
        else commands.get(folder, 'one of tools/dataset_converters')
    )
    return Missing(
        'store', folder, remedy, note='one of these stores is enough, more are better' if optional else ''
    )


def _videos(part: Mapping, commands: Mapping[str, str], made: Set[str], drawn: Set[str]) -> Optional[Missing]:
    folder, store = str(part['videos']), str(part['store'])
    if folder in drawn:
        remedy = 'drawn of the poses by run_table.py when it trains: the clips that it needs'
        return None if os.path.isdir(folder) else Missing('videos', folder, remedy)
    suffixes = part.get('suffixes')
    note = ''
    if os.path.isdir(folder):
        if not (Path(store) / META).is_file():
            # Only the store says which videos are needed.
            return None
        absent, clips = _clips_without_video(folder, PoseStore(store), part.get('split'), suffixes)
        if not absent:
            return None
        note = f'{absent} of {clips} clips have no video there' + (
            ' and are left out' if part.get('missing') == 'drop' else ''
        )
    if store in made:
        remedy = f'python tools/dataset_converters/store_to_videos.py {store} {folder}'
    else:
        source = re.search(r'--videos (\S+)', commands.get(store, ''))
        remedy = f'put the video of each clip there: {folder}/<video_id>{suffixes[0] if suffixes else ".mp4"}'
        remedy += (
            f' (the originals: {source[1]}; docs/dataset_zoo says how they are named and cut)'
            if source
            else ''
        )
    return Missing('videos', folder, remedy, note=note)


def _clips_without_video(
    folder: str, store: PoseStore, split: Any, suffixes: Optional[Sequence[str]]
) -> Tuple[int, int]:
    """The number of clips of a split without a video, and the number of all its clips."""
    splits = [split] if isinstance(split, str) else split
    rows = np.arange(len(store)) if splits is None else np.flatnonzero(np.isin(store.split, list(splits)))
    names = store.video_ids(rows)
    videos = VideoFolder(folder, suffixes)
    return sum(videos.find(name) is None for name in names), len(names)


def missing_text(items: Sequence[Missing]) -> str:
    """Formats a list of what is missing, each item with its command; '' where nothing is missing."""
    lines = []
    for item in items:
        about = f'{len(item.runs)} training{"s" * (len(item.runs) > 1)}' + (
            f'; {item.note}' if item.note else ''
        )
        lines += [f'{item.kind:10}  {item.path}  ({about})', f'              {item.remedy}']
    return '\n'.join(['', f'Missing ({len(items)}), and what makes it:', *lines]) if lines else ''
