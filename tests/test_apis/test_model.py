import os
import shutil
import subprocess
import sys

import pytest
import torch
from mmengine.config import Config

from signbert_mm.apis import get_model, init_model, list_models
from signbert_mm.apis.model import _config
from signbert_mm.engine import CheckpointError
from signbert_mm.engine.runner.config import list_variants
from signbert_mm.errors import ConfigError
from signbert_mm.models import SignBERT, SignRecognizer, STConsistency, STConsistencyRecognizer

NARROW = dict(
    embedder=dict(gesture=dict(joint_channels=(4, 8), part_channels=(8, 16))),
    backbone=dict(embed_dims=16, num_layers=1, num_heads=2, feedforward_channels=24),
)
RECOGNISER = dict(NARROW, head=dict(in_channels=16, num_classes=3))
NAME = 'signbert_d512-n3_b64-60e_wlasl2000'


@pytest.fixture
def checkpoint(tmp_path):
    """A whole checkpoint of the narrow recogniser, with what training says in ``meta``."""
    torch.manual_seed(1)
    model = get_model(NAME, **RECOGNISER)
    path = tmp_path / 'epoch_1.pth'
    torch.save(
        dict(state_dict=model.state_dict(), meta=dict(glosses=['a', 'b', 'c'], layout='sign_49')), path
    )
    return path


def test_list_models(root):
    names = list_models()
    files = [
        path for path in (root / 'configs').rglob('*.py') if not {'_base_', 'ablation'} & set(path.parts)
    ]
    # also: no two configs share a name
    assert names == sorted([*(path.stem for path in files if path.stem != 'variants'), *list_variants()])
    assert 'signbert_d128_linear' in names and 'synthetic30' not in names
    assert list_models('signbert_d512*wlasl2') == list_models('SignBERT_D512*WLASL2000') == [NAME]
    assert 'pretrain_all' in names and list_models('default_runtime') == list_models('nothing like it') == []


def test_every_name_is_a_config_that_builds():
    for name in ['pretrain_all', *list_models('signbert_')]:
        pretrains = _config(name).model.type == 'SignBERT'
        model = get_model(name, **(dict(NARROW, decoder=dict(in_channels=16)) if pretrains else RECOGNISER))
        assert isinstance(model, SignBERT if pretrains else SignRecognizer) and not model.training


def test_every_name_of_st_consistency_is_a_config_that_builds():
    embedder = dict(gesture=dict(joint_channels=(4, 8), part_channels=(8, 16)), channels=16, num_blocks=1)
    backbone = dict(num_layers=1, num_heads=2, feedforward_channels=24)
    encoder = dict(
        hand_embedder=embedder,
        trunk_embedder=embedder,
        hand_backbone=dict(backbone, embed_dims=32),
        trunk_backbone=dict(backbone, embed_dims=16),
    )
    for name in list_models('st_consistency_'):
        last = dict(projector=dict(in_channels=16)) if 'pretrain' in name else dict(head=dict(in_channels=16))
        model = get_model(name, encoder=encoder, **last)
        assert isinstance(model, STConsistency if 'pretrain' in name else STConsistencyRecognizer) and set(
            model.encoders
        ) == {'joint', 'motion'}


def test_by_name_path_and_config(root):
    path = root / 'configs' / 'signbert' / f'{NAME}.py'
    for source in (NAME, path, str(path), f'signbert/{NAME}.py', Config.fromfile(path)):
        assert get_model(source, **RECOGNISER).head.num_classes == 3
    config = Config.fromfile(path)
    init_model(config, cfg_options={'model.head.num_classes': 7, 'model.backbone.num_layers': 2})
    assert config.model.head.num_classes == 2000  # the caller's config stays as it is


def test_weights_and_what_they_were_trained_on(checkpoint):
    one, other = get_model(NAME, checkpoint, **RECOGNISER), get_model(NAME, **RECOGNISER)
    saved = torch.load(checkpoint, weights_only=True)['state_dict']
    assert all(
        torch.equal(value, saved[key])
        for key, value in one.state_dict().items()
        if isinstance(value, torch.Tensor)
    )
    assert not torch.equal(one.head.classifier.weight, other.head.classifier.weight)
    assert one.dataset_meta == dict(glosses=['a', 'b', 'c'], layout='sign_49') and other.dataset_meta == {}
    assert one.cfg.model.head.num_classes == 3 and next(one.parameters()).device.type == 'cpu'


@pytest.mark.parametrize(
    'name, message',
    [
        (
            'signbert_d512-n3_b64-60e_wlasl200',
            f"no model 'signbert_d512-n3_b64-60e_wlasl200'. Did you mean .*'{NAME}'",
        ),
        ('resnet', r"no model 'resnet'\. Known: .*list_models\(\) gives all names"),
    ],
)
def test_wrong_names(name, message):
    with pytest.raises(ConfigError, match=message):
        get_model(name)


def test_wrong_paths(tmp_path):
    with pytest.raises(
        FileNotFoundError,
        match=r'configs/pretrain_al\.py does not exist.*Did you mean '
        r'.*pretrain_all\.py',
    ):
        get_model('configs/pretrain_al.py')
    with pytest.raises(FileNotFoundError, match=r'checkpoint .*absent\.pth does not exist'):
        get_model(NAME, tmp_path / 'absent.pth', **RECOGNISER)
    (tmp_path / 'empty.py').write_text('a = 1\n')
    with pytest.raises(ConfigError, match='there is no `model` in it'):
        get_model(tmp_path / 'empty.py')


def test_mistakes_in_the_config():
    with pytest.raises(
        ConfigError,
        match=r"SignHead has no argument 'num_clases'\. Did you mean "
        r"'num_classes'",
    ):
        get_model(NAME, head=dict(num_clases=3))
    with pytest.raises(ConfigError, match=f"no weights of '{NAME}' are published"):
        get_model(NAME, pretrained=True)


class Payload:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_checkpoints_that_do_not_fit(tmp_path, checkpoint):
    with pytest.raises(CheckpointError, match='has 3 classes and the model has 5'):
        get_model(NAME, checkpoint, **dict(RECOGNISER, head=dict(in_channels=16, num_classes=5)))
    with pytest.raises(CheckpointError, match='does not fit the model'):
        get_model(
            NAME, checkpoint, **dict(RECOGNISER, backbone=dict(NARROW['backbone'], feedforward_channels=20))
        )
    pretrainer = get_model('pretrain_all', **NARROW, decoder=dict(in_channels=16))
    torch.save(dict(state_dict=pretrainer.state_dict()), tmp_path / 'pretrained.pth')
    with pytest.raises(CheckpointError, match='cannot be used to test: it lacks head.*fine-tuned first'):
        get_model(NAME, tmp_path / 'pretrained.pth', **RECOGNISER)
    assert get_model('pretrain_all', tmp_path / 'pretrained.pth', **NARROW, decoder=dict(in_channels=16))
    torch.save(dict(state_dict={}, extra=Payload(tmp_path / 'witness')), tmp_path / 'evil.pth')
    with pytest.raises(CheckpointError, match='is refused'):
        get_model(NAME, tmp_path / 'evil.pth', **RECOGNISER)
    assert not (tmp_path / 'witness').exists()


def test_installed_package_has_configs_and_tools(root, tmp_path):
    """What ``pip install`` copies: the models are listed there as in a checkout, and the tools lie where
    ``mim`` looks for them.
    """
    source = tmp_path / 'source'
    shutil.copytree(
        root,
        source,
        ignore=lambda folder, names: (
            set(names) - {*KEPT} if folder == str(root) else {'__pycache__', '.mim'} & set(names)
        ),
    )
    command = [sys.executable, 'setup.py', '-q', 'build_py', '--build-lib', str(tmp_path / 'built')]
    out = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert out.returncode == 0, out.stderr[-2000:]
    mim = tmp_path / 'built' / 'signbert_mm' / '.mim'
    assert (mim / 'tools' / 'train.py').is_file() and (mim / 'configs' / '_base_').is_dir()
    code = (
        'import signbert_mm, signbert_mm.apis as apis; print(signbert_mm.__file__); '
        'print(*apis.list_models())'
    )
    env = dict(os.environ, PYTHONPATH=str(tmp_path / 'built'))
    out = subprocess.run([sys.executable, '-c', code], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert out.returncode == 0, out.stderr[-2000:]
    place, names = out.stdout.splitlines()[-2:]
    assert place.startswith(str(tmp_path)) and names.split() == list_models()


KEPT = (
    'signbert_mm',
    'configs',
    'tools',
    'projects',
    'requirements',
    'setup.py',
    'pyproject.toml',
    'README.md',
    'MANIFEST.in',
    'LICENSE',
    'model-index.yml',
)
