"""The values that a run logged, from mmengine's scalars.json files in its work directory."""

import json
import sys
from pathlib import Path
from typing import Dict, List, Tuple

import numpy as np

from ..errors import UserValueError

# Quantity -> step -> value.
Series = Dict[str, Dict[int, float]]


def find_logs(run: str) -> List[Path]:
    """A run's scalars.json files, oldest first: a resumed run has one for each start."""
    path = Path(run)
    if path.is_file():
        return [path]
    logs = sorted(path.glob('*/vis_data/scalars.json')) + sorted(path.glob('vis_data/scalars.json'))
    if not logs:
        raise FileNotFoundError(
            f'{run}: no <time>/vis_data/scalars.json in it; give the work directory of a run whose config '
            'has a visualizer with LocalVisBackend'
        )
    return logs


def read_run(run: str) -> Tuple[Series, Series]:
    """Values by iteration (training) and by epoch (validation).

    If a resumed run logged a step again, the later value counts.

    Raises:
        ValueError: A line other than the last is not JSON, or has no step.
    """
    train: Series = {}
    val: Series = {}
    for path in find_logs(run):
        try:
            lines = path.read_text(encoding='utf-8').splitlines()
        except UnicodeDecodeError:
            raise UserValueError(
                f'{path}: no text; give the work directory of a run, or a scalars.json of mmengine'
            ) from None
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
            except json.JSONDecodeError as error:
                # A kill may cut the last line short.
                if number == len(lines):
                    print(f'{path}: line {number} is cut short and left out', file=sys.stderr)
                    continue
                raise UserValueError(
                    f'{path}: line {number} is not JSON ({error}); is this a scalars.json of mmengine?'
                ) from None
            if not isinstance(entry, dict):
                raise UserValueError(
                    f'{path}: line {number} is no object of named values; is this a scalars.json of mmengine?'
                )
            step = entry.get('step')
            if isinstance(step, bool) or not isinstance(step, int):
                raise UserValueError(
                    f'{path}: line {number} has no `step`, a whole number; is this a scalars.json of '
                    'mmengine?'
                )
            group = train if 'iter' in entry else val
            for key, value in entry.items():
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    group.setdefault(key, {})[step] = float(value)
    return train, val


def smoothed(values: np.ndarray, window: int) -> np.ndarray:
    """Mean over the last ``window`` values, fewer at the start; a NaN or infinity stays in its windows."""
    # Not the difference of two running sums: these stay NaN after one NaN.
    sums = np.convolve(values, np.ones(min(window, len(values))))[: len(values)]
    return sums / np.minimum(np.arange(len(values)) + 1, window)
