"""mmengine's runner with strategies, in the order that hooks expect."""

from typing import Any, Union

from mmengine.config import Config, ConfigDict
from mmengine.runner import FlexibleRunner, Runner

from ...errors import ConfigError
from ...files.checkpoints import drop_config_text
from ...registry import RUNNERS, SCOPE

UNSHARDED = ('KNNHook', 'EMAHook')  # they look into the model outside of its forward


@RUNNERS.register_module(name=['SignFlexibleRunner', 'FlexibleRunner'])
class SignFlexibleRunner(FlexibleRunner):
    """mmengine's ``FlexibleRunner``, repaired (see :mod:`signbert_mm.compat`); within this project's scope it
    takes its name as well.

    ``before_run`` comes before a checkpoint is loaded, as in ``Runner``; ``after_load_checkpoint`` sees the
    model as it was before it was sharded, names and shapes without numbers; ``compile`` of the config counts;
    strategies of this project are found.

    Raises:
        ConfigError: A hook that needs the whole model outside of a forward pass: kNN or an average of the
            weights.
    """

    _begun = False

    @classmethod
    def from_cfg(cls, cfg: Union[Config, ConfigDict, dict]) -> 'SignFlexibleRunner':
        runner = super().from_cfg(cfg)
        runner._compile = cfg.get('compile', False)
        return runner

    def build_strategy(self, strategy: Any = None, **kwargs: Any) -> Any:
        if isinstance(strategy, dict):
            strategy = dict(strategy, _scope_=SCOPE)  # the default scope is not set yet
        return super().build_strategy(strategy, **kwargs)

    def train(self) -> Any:
        found = [type(hook).__name__ for hook in self.hooks if type(hook).__name__ in UNSHARDED]
        if found and hasattr(self.strategy, 'activation_checkpointing'):
            raise ConfigError(
                f'config: {", ".join(found)} reads the whole model, of which FSDPStrategy gives each '
                'process a part: leave it out'
            )
        return super().train()

    def load_or_resume(self) -> None:
        self.call_hook('before_run')
        super().load_or_resume()

    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        if fn_name == 'before_run':
            if self._begun:
                return
            self._begun = True
        elif fn_name == 'after_run':
            self._begun = False
        elif fn_name == 'after_load_checkpoint':  # of strategies that read their files by themselves
            drop_config_text(kwargs.get('checkpoint'))
        whole = getattr(self.strategy, 'skeleton', None) if fn_name == 'after_load_checkpoint' else None
        if whole is None:
            super().call_hook(fn_name, **kwargs)
            return
        sharded, self.model = self.model, whole
        try:
            super().call_hook(fn_name, **kwargs)
        finally:
            self.model = sharded


def build_runner(cfg: Config, training: bool = True) -> Union[Runner, FlexibleRunner]:
    """The config's runner: mmengine's ``Runner``, or that of ``runner_type``.

    Testing in one process needs no strategy, so it has ``Runner``, whose model the checkpoints of all
    strategies fit.
    """
    if 'runner_type' not in cfg or (not training and cfg.get('launcher', 'none') == 'none'):
        return Runner.from_cfg(cfg)
    return RUNNERS.build(cfg)
