"""mmengine's runner with strategies, in the order that hooks expect."""

from typing import Any, Union

from mmengine.config import Config, ConfigDict
from mmengine.runner import FlexibleRunner, Runner

from ...errors import ConfigError
from ...files.checkpoints import drop_config_text
from ...registry import RUNNERS, SCOPE

# Hooks that read the model outside of its forward pass.
UNSHARDED = ('KNNHook', 'EMAHook')
# mmengine takes all of a line or none.
_TOGETHER = (
    ('train_dataloader', 'train_cfg', 'optim_wrapper'),
    ('val_dataloader', 'val_cfg', 'val_evaluator'),
    ('test_dataloader', 'test_cfg', 'test_evaluator'),
)


@RUNNERS.register_module(name=['SignFlexibleRunner', 'FlexibleRunner'])
class SignFlexibleRunner(FlexibleRunner):
    """mmengine's ``FlexibleRunner``, repaired (see :mod:`signbert_mm.compat`).

    Within this project's scope it has the name ``FlexibleRunner`` too. ``before_run`` comes before a
    checkpoint is loaded, as in ``Runner``. ``after_load_checkpoint`` gets the model before sharding, names
    and shapes without numbers. The config's ``compile`` counts, and strategies of this project are found.

    Raises:
        ConfigError: A hook needs the whole model outside of a forward pass: kNN or an average of the weights.
    """

    _begun = False

    @classmethod
    def from_cfg(cls, cfg: Union[Config, ConfigDict, dict]) -> 'SignFlexibleRunner':
        runner = super().from_cfg(cfg)
        runner._compile = cfg.get('compile', False)
        return runner

    def build_strategy(self, strategy: Any = None, **kwargs: Any) -> Any:
        if isinstance(strategy, dict):
            # The default scope is not set yet.
            strategy = dict(strategy, _scope_=SCOPE)
        return super().build_strategy(strategy, **kwargs)

    def train(self) -> Any:
        refused = [type(hook).__name__ for hook in self.hooks if type(hook).__name__ in UNSHARDED]
        if refused and hasattr(self.strategy, 'activation_checkpointing'):
            raise ConfigError(
                f'config: {", ".join(refused)} reads the whole model, of which FSDPStrategy gives each '
                'process a part: leave it out'
            )
        return super().train()

    def load_or_resume(self) -> None:
        self.call_hook('before_run')
        super().load_or_resume()

    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        if fn_name == 'before_run':
            # load_or_resume has called it; mmengine calls it again afterwards.
            if self._begun:
                return
            self._begun = True
        elif fn_name == 'after_run':
            self._begun = False
        elif fn_name == 'after_load_checkpoint':
            # Some strategies read their files by themselves.
            drop_config_text(kwargs.get('checkpoint'))
        skeleton = getattr(self.strategy, 'skeleton', None) if fn_name == 'after_load_checkpoint' else None
        if skeleton is None:
            super().call_hook(fn_name, **kwargs)
            return
        sharded, self.model = self.model, skeleton
        try:
            super().call_hook(fn_name, **kwargs)
        finally:
            self.model = sharded


def _check_parts(cfg: Config, training: bool) -> None:
    """Refuses a config without a model, or with only some of the parts that training or testing need."""
    file = getattr(cfg, 'filename', None)
    name = f'config {file}' if file else 'config'
    if cfg.get('model') is None:
        raise ConfigError(f'{name} has no model')
    for keys in _TOGETHER:
        absent = [key for key in keys if cfg.get(key) is None]
        needed = training and keys[0] == 'train_dataloader'
        if absent and (needed or len(absent) < len(keys)):
            rest = '' if needed else '; or set none of the three (= None)'
            raise ConfigError(
                f'{name}: {", ".join(keys)} go together, and {", ".join(absent)} is not set{rest}'
            )


def build_runner(cfg: Config, training: bool = True) -> Union[Runner, FlexibleRunner]:
    """The config's runner: mmengine's ``Runner``, or that of ``runner_type``.

    Testing in one process needs no strategy, so it has ``Runner``, which loads the checkpoints of all
    strategies.

    Raises:
        ConfigError: It has no model, or only some of the keys that go together, such as ``val_dataloader``,
            ``val_cfg`` and ``val_evaluator``.
    """
    _check_parts(cfg, training)
    if 'runner_type' not in cfg or (not training and cfg.get('launcher', 'none') == 'none'):
        return Runner.from_cfg(cfg)
    return RUNNERS.build(cfg)
