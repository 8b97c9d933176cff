import subprocess
import sys

import pytest
import torch
from mmengine import registry as root
from mmengine.registry import DefaultScope

from signbert_mm import registry
from signbert_mm.registry import DATASETS, HOOKS, METRICS, MODELS, SCOPE, TRANSFORMS

OWN = {'EXTRACTORS'}  # kinds that mmengine does not have
NAMES = [
    name for name in dir(registry) if isinstance(getattr(registry, name), root.Registry) and name not in OWN
]


@pytest.mark.parametrize('name', NAMES)
def test_every_registry_is_a_child_of_mmengines_own(name):
    child, parent = getattr(registry, name), getattr(root, name)
    assert (
        child.scope == SCOPE
        and child.parent is parent
        and parent.children[SCOPE] is child
        and child.name == parent.name
    )


def test_no_registry_of_mmengine_is_left_without_a_child():
    # those of mmengine that have no child make its builders warn that they fell back
    ours = {getattr(registry, name).name for name in NAMES}
    of_runner = {
        'hook',
        'model',
        'dataset',
        'data sampler',
        'transform',
        'metric',
        'loop',
        'optimizer',
        'parameter scheduler',
        'visualizer',
    }
    assert of_runner <= ours


@pytest.mark.parametrize(
    'registry_name, type_name',
    [
        ('MODELS', 'SignBERT'),
        ('MODELS', 'HandModel'),
        ('TRANSFORMS', 'HandCrop'),
        ('DATASETS', 'PoseDataset'),
        ('METRICS', 'SignAccuracy'),
    ],
)
def test_a_name_is_found_and_belongs_to_this_scope(registry_name, type_name):
    found = getattr(registry, registry_name).get(type_name)
    assert found.__name__ == type_name
    assert getattr(root, registry_name).get(f'{SCOPE}.{type_name}') is found


def test_mmengines_own_parts_are_found_from_here():
    assert HOOKS.get('CheckpointHook').__module__.startswith('mmengine')
    assert registry.PARAM_SCHEDULERS.get('CosineAnnealingLR').__module__.startswith('mmengine')
    weights = torch.nn.Parameter(torch.zeros(1))
    assert isinstance(registry.OPTIMIZERS.build(dict(type='SGD', lr=0.1, params=[weights])), torch.optim.SGD)


def test_the_scope_is_where_a_default_scope_looks_first():
    with DefaultScope.overwrite_default_scope(SCOPE):
        built = root.MODELS.build(dict(type='FCDecoder', in_channels=4))
    assert built.layers[0].in_features == 4


@pytest.mark.parametrize('child', [MODELS, DATASETS, TRANSFORMS, METRICS])
def test_a_typing_error_names_the_type(child):
    with pytest.raises(KeyError, match='HandCorp'):
        child.build(dict(type='HandCorp'))


def test_an_argument_with_a_typing_error_names_class_and_argument():
    with pytest.raises(TypeError, match=r'MaskHandTokens.*ration'):
        TRANSFORMS.build(dict(type='MaskHandTokens', ration=0.5))


def test_names_are_found_without_importing_the_package_first():
    """In a process of its own, where nothing but the registry has been imported; and building brings no
    optional package in.
    """
    code = (
        'import sys\n'
        'from signbert_mm.registry import MODELS, TRANSFORMS\n'
        'assert "signbert_mm.models" not in sys.modules\n'
        'assert MODELS.get("SignRecognizer") is not None and TRANSFORMS.get("MaskHandTokens") is not None\n'
        'optional = {"mmpose", "mmaction", "mediapipe", "manopth", "scipy", "smplx"} & set(sys.modules)\n'
        'assert not optional, optional\n'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
