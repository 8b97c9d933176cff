"""Learning-rate schedules of a run that resumes with other batches in an epoch, or other epochs."""

import logging
from collections import Counter
from typing import Any

from mmengine.logging import print_log

# Values of a schedule's state that count steps.
_COUNTS = ('begin', 'end', 'last_step', '_global_step', 'T_max', 'total_iters', 'step_size')
_LISTS = ('periods', 'cumulative_periods')
# mmengine's `end` of a schedule without one.
_NEVER = 10**9


def continue_schedules(states: Any, configs: Any, built: Any, ratio: float) -> None:
    """Adapts the state of a checkpoint's schedules, in place, to the run that resumes from it.

    - A schedule in epochs that mmengine counts in iterations (``convert_to_iter_based``) stays at its epoch,
      whatever the number of batches in an epoch.
    - A schedule without ``end`` in the config ended with the epochs of the checkpoint's run. If this run has
      more, a warning says that the last value stays.

    Args:
        states (list[dict]): ``param_schedulers`` of a checkpoint.
        configs (list[dict] | dict): ``param_scheduler`` of the config.
        built (list): The schedules of this run, as new.
        ratio (float): Iterations in an epoch now over those then.
    """
    configs = [configs] if isinstance(configs, dict) else configs
    if not states:
        return
    if not all(
        isinstance(part, (list, tuple)) and len(part) == len(states) for part in (states, configs, built)
    ):
        if ratio != 1:
            print_log(
                'The number of batches in an epoch has changed; the schedules of the checkpoint, other in '
                'number than those of the config, are loaded as they are.',
                logger='current',
                level=logging.WARNING,
            )
        return
    for state, config, new in zip(states, configs, built):
        if ratio != 1 and config.get('convert_to_iter_based'):
            _stretch(state, config, ratio)
        end = getattr(new, 'end', None)
        if config.get('end') is None and isinstance(end, int) and state.get('end', end) < end:
            print_log(
                f'{config.get("type")} ended with the epochs of the checkpoint, at step {state["end"]}, and '
                f'this run goes on to {end}: its last value stays. A longer schedule needs a new run '
                '(load_from without --resume), or `end` in the config from the start.',
                logger='current',
                level=logging.WARNING,
            )


def _stretch(state: dict, config: dict, ratio: float) -> None:
    if 'total_steps' in state:
        print_log(
            f'{config["type"]} goes on by the old number of batches in an epoch.',
            logger='current',
            level=logging.WARNING,
        )
        return
    for key in _COUNTS:
        if isinstance(state.get(key), (int, float)) and 0 <= state[key] < _NEVER:
            state[key] = round(state[key] * ratio)
    for key in _LISTS:
        if key in state:
            state[key] = [round(value * ratio) for value in state[key]]
    if 'milestones' in state:
        state['milestones'] = Counter(
            {round(step * ratio): times for step, times in state['milestones'].items()}
        )
