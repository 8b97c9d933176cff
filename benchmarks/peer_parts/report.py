"""Interleaved timing, ratios, and what is printed of them."""

import importlib.metadata
import math
import platform
import statistics
import subprocess
import time
from typing import Callable, Dict, List, Optional, Sequence

import torch
from hand_model import cpu_name

Call = Callable[[], object]
LIBRARIES = ('smplx', 'mmaction2', 'mmengine', 'numpy')


def interleaved(calls: Dict[str, Call], repeats: int, least: float = 0.05) -> Dict[str, List[float]]:
    """CPU seconds of this process in one call, for each round.

    The order rotates from round to round. The first round warms up and says how often a short call is made in
    its turn: ``least`` seconds long.
    """
    names, number = list(calls), dict.fromkeys(calls, 1)
    times: Dict[str, List[float]] = {name: [] for name in calls}
    for repeat in range(1 + repeats):
        first = repeat % len(names)
        for name in names[first:] + names[:first]:
            start = time.process_time()
            for _ in range(number[name]):
                calls[name]()
            taken = (time.process_time() - start) / number[name]
            if repeat:
                times[name].append(taken)
            else:
                number[name] = max(1, math.ceil(least / max(taken, 1e-6)))
    return times


def commit(folder: Optional[str]) -> str:
    """The commit id of a checkout."""
    if not folder:
        return 'absent'
    try:
        return subprocess.check_output(
            ['git', '-C', folder, 'rev-parse', 'HEAD'], text=True, stderr=subprocess.DEVNULL
        ).strip()
    except (OSError, subprocess.CalledProcessError):
        return 'not a git checkout'


def version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return 'absent'


class Report:
    """What was measured; ``content`` is the JSON file.

    Args:
        repeats (int): Rounds of each comparison, after one that warms up.
        checkouts (dict): Folder, or None, of each peer that is a checkout.
        arguments (dict): The command's, for the record.
    """

    def __init__(self, repeats: int, checkouts: Dict[str, Optional[str]], arguments: dict) -> None:
        self.repeats = repeats
        about = {
            'processor': cpu_name(),
            'threads': torch.get_num_threads(),
            'Python': platform.python_version(),
            'torch': torch.__version__,
        }
        about.update(
            {name: version(name) for name in LIBRARIES},
            **{name: commit(folder) for name, folder in checkouts.items()},
        )
        self.content = dict(
            rows=[], models={}, agreement={}, left_out=[], cpu_seconds={}, about=about, arguments=arguments
        )

    def compare(
        self, part: str, case: str, calls: Dict[str, Call], ours: Sequence[str]
    ) -> Dict[str, List[float]]:
        """Times the calls; adds a row for each of ours and each peer. Gives the CPU seconds."""
        times = interleaved(calls, self.repeats)
        self.add(part, case, times, ours)
        return times

    def add(self, part: str, case: str, times: Dict[str, List[float]], ours: Sequence[str]) -> None:
        """Peer over ours within each round: the median and the range over the rounds."""
        self.content['cpu_seconds'][f'{part}: {case}'] = times
        for peer in (name for name in times if name not in ours):
            for name in ours:
                each = [theirs / own for theirs, own in zip(times[peer], times[name])]
                row = dict(
                    part=part,
                    case=case,
                    ours=name,
                    peer=peer,
                    ratio=statistics.median(each),
                    low=min(each),
                    high=max(each),
                )
                self.content['rows'].append(row)

    def agree(self, what: str, apart: float) -> None:
        self.content['agreement'][what] = apart

    def leave_out(self, what: str) -> None:
        if what not in self.content['left_out']:
            self.content['left_out'].append(what)

    def show(self) -> None:
        content = self.content
        print(', '.join(f'{name} {value}' for name, value in content['about'].items()))
        print('\n| part | case | ours | peer | peer / ours | range |\n|---|---|---|---|---|---|')
        for row in content['rows']:
            figures = f'{row["ratio"]:.3g} | {row["low"]:.3g} to {row["high"]:.3g}'
            print(f'| {row["part"]} | {row["case"]} | {row["ours"]} | {row["peer"]} | {figures} |')
        if content['models']:
            print(
                '\n| model | parameters | GFLOP a clip, training step | GFLOP a CPU second, over the first '
                "row's |\n|---|---|---|---|"
            )
        for name, size in content['models'].items():
            print(f'| {name} | {size["parameters"]:,} | {size["gflop_step_clip"]:.3g} | {size["rate"]:.2f} |')
        print()
        for what, apart in content['agreement'].items():
            print(f'{what}: {apart:.2g}')
        for what in content['left_out']:
            print(f'left out: {what}')
