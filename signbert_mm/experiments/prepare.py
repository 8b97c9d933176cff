"""Makes the synthetic stores of a setting, and the videos drawn of them."""

import json
import time
from pathlib import Path
from typing import Callable, Dict, List, Mapping

import numpy as np

from ..datasets import PoseDataset, PoseStore
from ..datasets.store_format import META
from ..datasets.synthetic import write_synthetic_store
from ..engine.runner.config import ConfigError
from ..visualization import draw_clips
from .definition import Setting
from .execute import hold, in_words
from .plan import Plan

# Options of a SignVideoDataset that do not select clips.
_VIDEO_OPTIONS = ('type', 'videos', 'pipeline', 'missing', 'suffixes')
# Seconds between two lines about the progress.
_EVERY = 30.0


def prepare_stores(setting: Setting, report: Callable[[str], None] = print) -> None:
    """Makes the missing stores of ``setting.make``. Several processes make each store once.

    Raises:
        ConfigError: A store exists that was made with other arguments.
    """
    for folder, arguments in setting.make.items():
        meta = Path(folder) / META
        while not meta.is_file():
            with hold(Path(f'{folder}.lock')) as locked:
                if locked and not meta.is_file():
                    report(f'Making {folder}: synthetic signs, {arguments}')
                    write_synthetic_store(folder, progress=True, **arguments)
            if not locked:
                time.sleep(1)
        notes = json.loads(meta.read_text(encoding='utf-8')).get('notes') or {}
        made = dict(notes.get('arguments') or {}, clips_per_gloss=notes.get('clips_per_gloss'))
        differ = {
            key: (value, made[key]) for key, value in arguments.items() if key in made and made[key] != value
        }
        if differ:
            what = ', '.join(
                f'{key} {actual} there, {asked} asked for' for key, (asked, actual) in differ.items()
            )
            raise ConfigError(
                f'{folder} is not the store that setting {setting.name!r} asks for ({what}). '
                'Move it away; it is then made anew'
            )


def prepare_videos(plan: Plan, report: Callable[[str], None] = print) -> None:
    """Draws the missing videos of ``setting.videos`` that the plan's trainings and tests read.

    Several processes draw each folder once. The stores must exist.

    Raises:
        ModuleNotFoundError: PyAV is not installed.
    """
    selected: Dict[str, List[PoseDataset]] = {}
    for run in plan.runs:
        for part in ('train', 'test'):
            dataset = (run.cfg.get(f'{part}_dataloader') or {}).get('dataset') or {}
            if dataset.get('videos') in plan.setting.videos:
                options = {key: value for key, value in dataset.items() if key not in _VIDEO_OPTIONS}
                poses = PoseDataset(**options, drop_empty_frames=False)
                selected.setdefault(dataset['videos'], []).append(poses)
    for folder, parts in selected.items():
        clips = np.unique(np.concatenate([part.clips for part in parts]))
        done = False
        while not done:
            with hold(Path(f'{folder}.lock')) as done:
                if done:
                    _draw(folder, parts[0].store, clips, plan.setting.videos[folder], report)
            if not done:
                time.sleep(1)


def _draw(
    folder: str, store: PoseStore, clips: np.ndarray, options: Mapping, report: Callable[[str], None]
) -> None:
    start = said = time.time()
    drawn = 0
    for number, new in enumerate(draw_clips(store, clips, folder, **options), 1):
        drawn += new
        if time.time() > said + _EVERY:
            said = time.time()
            left = in_words((said - start) / number * (len(clips) - number))
            report(f'    {number} of {len(clips)} videos, {left} left')
    if drawn:
        report(f'{folder}: {drawn} videos drawn of the poses ({in_words(time.time() - start)})')
