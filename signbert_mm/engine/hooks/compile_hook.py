"""``torch.compile`` in training."""

from typing import Optional

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from ... import compat
from ...models.data_preprocessor import SignDataPreprocessor
from ...registry import HOOKS


@HOOKS.register_module()
class CompileHook(Hook):
    """Compiles the model's forward pass and its losses, as one graph, and crop, augmentation and masks as
    another, for training alone.

    mmengine's own ``compile=...`` takes all of ``train_step``, with copies to the device and the optimizer's
    bookkeeping, in which graphs break. Validation and testing run as they are: their batches have other
    sizes, and predictions are lists. Turn it on with ``--cfg-options
    default_hooks.compile.type=CompileHook``.

    Args:
        mode (str, optional): 'reduce-overhead' = CUDA graphs, 'max-autotune', ..; None = torch's default.
        backend (str): 'inductor'; it needs a C++ compiler on the CPU, Triton on a GPU.
        fullgraph (bool): A graph break is an error.
        dynamic (bool, optional): One graph for all batch sizes. False: one for each, so two where an epoch
            ends with a short batch, unless the loader has ``drop_last=True``.
        preprocess (bool): Crop, augmentation and masks too, hundreds of small operators otherwise: chosen
            tokens and masks stay the same, coordinates to rounding. Left as it is where the model's data
            preprocessor is not a :class:`SignDataPreprocessor`.
    """

    priority = 'VERY_LOW'

    def __init__(
        self,
        mode: Optional[str] = None,
        backend: str = 'inductor',
        fullgraph: bool = True,
        dynamic: Optional[bool] = False,
        preprocess: bool = True,
    ) -> None:
        self.options = dict(mode=mode, backend=backend, fullgraph=fullgraph, dynamic=dynamic)
        self.preprocess = preprocess
        self._compiled = None

    @staticmethod
    def _model(runner):
        return runner.model.module if is_model_wrapper(runner.model) else runner.model

    def before_train(self, runner) -> None:
        compat.patch_inductor_cache()
        model = self._model(runner)
        # what compiles is the call: parameters and their names stay, and copies of the model are plain
        model.compile(**self.options)
        self._compiled = model._compiled_call_impl
        if self.preprocess and isinstance(model.data_preprocessor, SignDataPreprocessor):
            model.data_preprocessor.compile(**self.options)
        runner.logger.info('The first steps of each batch size are slow: the model is compiled then.')

    def before_val(self, runner) -> None:
        self._model(runner)._compiled_call_impl = None

    def after_val(self, runner) -> None:
        self._model(runner)._compiled_call_impl = self._compiled

    def after_train(self, runner) -> None:
        model = self._model(runner)
        model._compiled_call_impl = None
        if isinstance(model.data_preprocessor, SignDataPreprocessor):
            model.data_preprocessor.uncompile()
