"""One model on all processes while it is validated."""

from mmengine.hooks import Hook
from mmengine.runner import Runner

from ...models.statistics import share_statistics
from ...registry import HOOKS


@HOOKS.register_module()
class NormStatisticsHook(Hook):
    """Gives all processes the first one's running statistics of norms before a validation or a test.

    So the figures are those of the checkpoint, which holds the first process's. Training does not read them.
    """

    # After EMAHook, which puts its average in place of the model.
    priority = 'LOWEST'

    def before_val_epoch(self, runner: Runner) -> None:
        share_statistics(runner.model)

    def before_test_epoch(self, runner: Runner) -> None:
        share_statistics(runner.model)
