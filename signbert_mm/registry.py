"""Child registries of scope ``signbert_mm``.

Each is a child of mmengine's root registry of the same kind, so a config of this project finds mmengine's own
parts (``SGD``, ``CheckpointHook``, ``CosineAnnealingLR``) and, with a scope prefix, those of its sister
projects (``mmaction.STGCN``). ``locations`` are imported on the first build, so a name is found without
importing the whole package.
"""

from . import needs_train  # noqa: F401, I001
from mmengine import registry as root
from mmengine.registry import Registry

SCOPE = 'signbert_mm'


def _child(parent: Registry, *rooms: str) -> Registry:
    return Registry(parent.name, parent=parent, scope=SCOPE, locations=[f'{SCOPE}.{room}' for room in rooms])


MODELS = _child(root.MODELS, 'models', 'hand_models')
DATASETS = _child(root.DATASETS, 'datasets.registered')
TRANSFORMS = _child(root.TRANSFORMS, 'datasets.registered')
DATA_SAMPLERS = _child(root.DATA_SAMPLERS, 'datasets.registered')
FUNCTIONS = _child(root.FUNCTIONS, 'datasets.registered')
METRICS = _child(root.METRICS, 'evaluation.metrics')
HOOKS = _child(root.HOOKS, 'engine')
LOOPS = _child(root.LOOPS, 'engine')
OPTIM_WRAPPERS = _child(root.OPTIM_WRAPPERS, 'engine')
VISUALIZERS = _child(root.VISUALIZERS, 'visualization')
INFERENCERS = _child(root.INFERENCERS, 'apis.registered')
# nothing of ours in these yet; that they exist keeps mmengine from warning that it fell back to its own
RUNNERS = _child(root.RUNNERS, 'engine')
RUNNER_CONSTRUCTORS = _child(root.RUNNER_CONSTRUCTORS, 'engine')
OPTIMIZERS = _child(root.OPTIMIZERS, 'engine')
OPTIM_WRAPPER_CONSTRUCTORS = _child(root.OPTIM_WRAPPER_CONSTRUCTORS, 'engine')
PARAM_SCHEDULERS = _child(root.PARAM_SCHEDULERS, 'engine')
LOG_PROCESSORS = _child(root.LOG_PROCESSORS, 'engine')
STRATEGIES = _child(root.STRATEGIES, 'engine')
MODEL_WRAPPERS = _child(root.MODEL_WRAPPERS, 'models')
WEIGHT_INITIALIZERS = _child(root.WEIGHT_INITIALIZERS, 'models')
EVALUATOR = _child(root.EVALUATOR, 'evaluation')
VISBACKENDS = _child(root.VISBACKENDS, 'visualization')
# mmengine has no registry of this kind
EXTRACTORS = Registry('pose extractor', scope=SCOPE, locations=[f'{SCOPE}.extraction.registered'])
