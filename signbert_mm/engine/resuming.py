"""What a run resumes from: a whole state, of an optimizer and schedules such as its own."""

from typing import Any, List

from mmengine.config import ConfigDict
from mmengine.hooks import EMAHook

from ..files.checkpoints import CheckpointError
from .config_difference import saved_config, setting_differences, some_differences


def refuse_partial(runner: Any, checkpoint: dict, save_optimizer: bool) -> None:
    """Refuses to resume from a part of the state, with which the rest would silently start anew.

    Args:
        runner (Runner): The run.
        checkpoint (dict): What it resumes from.
        save_optimizer (bool): Whether its own checkpoints hold the optimizer.

    Raises:
        CheckpointError: Weights alone, or averaged weights where the run has no ``EMAHook``.
    """
    meta = checkpoint.get('meta') if isinstance(checkpoint.get('meta'), dict) else {}
    required = ['message_hub'] + ['optimizer'] * save_optimizer
    missing = [f'meta.{key}' for key in ('epoch', 'iter') if not isinstance(meta.get(key), int)]
    missing += [key for key in required if key not in checkpoint]
    if missing:
        raise CheckpointError(
            f'checkpoint {runner._load_from} cannot be resumed from: it holds no {", ".join(missing)}, '
            f'as a published file or one saved without its optimizer. {_new_run(runner)}'
        )
    if 'ema_state_dict' in checkpoint and not any(isinstance(hook, EMAHook) for hook in runner.hooks):
        raise CheckpointError(
            f'checkpoint {runner._load_from} cannot be resumed from: its weights are the average of an '
            'EMAHook, which this run has not. Give it the custom_hooks of the config that the checkpoint '
            f'keeps (meta["cfg"]). {_new_run(runner)}'
        )
    if 'optimizer' not in checkpoint:
        runner.logger.warning(
            'The checkpoint holds no optimizer state (save_optimizer=False): the optimizer starts anew.'
        )
    if 'param_schedulers' not in checkpoint and getattr(runner, 'param_schedulers', None):
        runner.logger.warning('The checkpoint holds no state of schedules: param_scheduler starts anew.')


def keep_settings(runner: Any, checkpoint: dict) -> None:
    """Puts the optimizer's and the schedules' settings into the run's config that hold: the checkpoint's.

    Their state holds learning rates, decay, steps and lengths, and overrides those of the config. A warning
    names what differs. So the config that later checkpoints keep is true.

    Raises:
        CheckpointError: Another optimizer, or other schedules: the state would not fit.
    """
    name = f'checkpoint {runner._load_from}'
    saved = saved_config(checkpoint['meta'], name)
    if not saved:
        return
    there, here = saved.get('optim_wrapper') or {}, runner.cfg.get('optim_wrapper') or {}
    differences: List[str] = []
    # Several optimizers have no such key.
    if 'optimizer' in checkpoint and 'optimizer' in there and 'optimizer' in here:
        _refuse_others(runner, 'optimizer', _types([there['optimizer']]), _types([here['optimizer']]))
        # With it each parameter is a group of its own, without it all are one.
        grouped = (['given'] if config.get('paramwise_cfg') else [] for config in (there, here))
        _refuse_others(runner, 'optim_wrapper.paramwise_cfg', *grouped)
        for key in ('optimizer', 'paramwise_cfg'):
            found = setting_differences(there.get(key), here.get(key), f'optim_wrapper.{key}')
            if found:
                here[key] = there.get(key)
            differences += found
    there, here = (_listed(config.get('param_scheduler')) for config in (saved, runner.cfg))
    if 'param_schedulers' in checkpoint or len(there) != len(here):
        _refuse_others(runner, 'param_scheduler', _types(there), _types(here))
        found = setting_differences(there, here, 'param_scheduler')
        if found:
            runner.cfg.param_scheduler = [ConfigDict(schedule) for schedule in there]
        differences += found
    if differences:
        runner.logger.warning(
            f'{name} has other settings than the config: {some_differences(differences)}. Those there hold, '
            'since optimizer and schedules go on from their state, and the config of the next checkpoints '
            f'says so. {_new_run(runner)}'
        )


def _listed(schedules: Any) -> List[dict]:
    return [schedules] if isinstance(schedules, dict) else list(schedules or ())


def _types(configs: List[dict]) -> List[str]:
    return [str(config.get('type')).rpartition('.')[2] for config in configs]


def _refuse_others(runner: Any, part: str, saved: List[str], current: List[str]) -> None:
    if saved != current:
        raise CheckpointError(
            f'checkpoint {runner._load_from} cannot be resumed from: its {part} is '
            f'{", ".join(saved) or "absent"}, and that of this run is {", ".join(current) or "absent"}. '
            f'Resume with the same. {_new_run(runner)}'
        )


def _new_run(runner: Any) -> str:
    return (
        f'To start a new run from its weights: --cfg-options load_from={runner._load_from} (without --resume)'
    )
