"""Published files by name, and half-precision files wherever a checkpoint is taken."""

import hashlib
import io

import pytest
import torch
from api_toys import GLOSSES, poses
from mmengine.config import Config
from mmengine.runner import Runner
from source_files import load_file

from signbert_mm.apis import SignInferencer, get_model, init_model, zoo, zoo_checkpoint
from signbert_mm.errors import ConfigError
from signbert_mm.files import shipped
from signbert_mm.files.checkpoints import CheckpointError, load_checkpoint_file


@pytest.fixture
def half(house, tmp_path):
    """The narrow recogniser's config and checkpoint, and the file that is published of it."""
    config, checkpoint = house['recogniser']
    return (
        config,
        checkpoint,
        load_file('tools/misc/publish_model.py').publish(
            checkpoint, tmp_path / 'zoo' / 'recogniser.pth', half=True
        ),
    )


@pytest.fixture
def entries(monkeypatch, half, tmp_path):
    """A zoo of one model, ``recogniser``, in an empty folder of files."""
    found = dict(
        recogniser=dict(Name='recogniser', Weights=f'zoo/{half[2].name}'),
        unpublished=dict(Name='unpublished'),
    )
    monkeypatch.setattr(zoo, 'zoo_models', lambda: found)
    monkeypatch.setenv(zoo.ZOO_ENV, str(tmp_path / 'zoo'))
    return found


def test_half_precision_files_load_as_float32(half):
    config, checkpoint, path = half
    assert {
        value.dtype
        for value in load_checkpoint_file(path)['state_dict'].values()
        if value.is_floating_point()
    } == {torch.float16}
    assert path.stat().st_size < 0.7 * len(_single(checkpoint))
    cfg = Config.fromfile(config)
    cfg.load_from, cfg.work_dir, cfg.experiment_name = str(path), str(path.parent / 'work'), 'half_precision'
    runner = Runner.from_cfg(cfg)
    runner.load_or_resume()
    models = [init_model(config, checkpoint), init_model(config, path), get_model(config, path), runner.model]
    for model in models[1:]:
        for name, value in model.named_parameters():
            assert value.dtype == torch.float32 and torch.equal(
                value, models[0].state_dict()[name].half().float()
            )
    about = dict(layout='sign_49', image_size=(640, 480))
    clips = [poses(9, seed) for seed in range(4)]
    answers = [
        SignInferencer(config, weights, device='cpu')(clips, **about)['predictions']
        for weights in (checkpoint, path)
    ]
    for one, other in zip(*answers):
        first, second = (dict(zip(item['glosses'], item['scores'])) for item in (one, other))
        assert set(first) == set(second) and all(abs(first[gloss] - second[gloss]) < 2e-3 for gloss in first)


def _single(checkpoint):
    buffer = io.BytesIO()
    torch.save(load_checkpoint_file(checkpoint)['state_dict'], buffer)
    return buffer.getvalue()


def test_pretrained_by_name(half, entries, tmp_path):
    config, _, path = half
    model = get_model(config, pretrained=True)
    assert (
        torch.equal(next(model.parameters()), next(init_model(config, path).parameters()))
        and model.dataset_meta['glosses']
    )
    assert zoo_checkpoint('recogniser') == str(path)
    assert get_model(config, pretrained=False).dataset_meta == {}
    with pytest.raises(ConfigError, match="no weights of 'unpublished' are published.*Known: recogniser"):
        zoo_checkpoint('unpublished')
    with pytest.raises(ConfigError, match='no weights of .a config without a file. are published'):
        get_model(Config(dict(model=dict())), pretrained=True)


def test_files_that_are_absent_built_here_or_damaged(half, entries, tmp_path, monkeypatch):
    path = half[2]
    published = tmp_path / 'zoo' / 'recogniser-00000000.pth'
    entries['recogniser']['Weights'] = f'zoo/{published.name}'
    assert zoo_checkpoint('recogniser') == str(path)  # its hash is another: built here
    digest = hashlib.sha256(b'not a checkpoint').hexdigest()[:8]
    second = path.with_name(f'recogniser-{digest}.pth')
    second.write_bytes(b'not a checkpoint')
    with pytest.raises(ConfigError, match=f'several files of recogniser: .*{digest}'):
        zoo_checkpoint('recogniser')
    published.write_bytes(b'not what its name says')
    with pytest.raises(CheckpointError, match='SHA-256 begins with'):
        zoo_checkpoint('recogniser')
    monkeypatch.delenv(zoo.ZOO_ENV)
    monkeypatch.chdir(tmp_path / 'zoo')
    with pytest.raises(
        FileNotFoundError,
        match=r'zoo/recogniser-00000000.pth is not there: `make zoo` '
        r'builds it.*SIGNBERT_MM_ZOO',
    ):
        zoo_checkpoint('recogniser')


def test_recognisers_of_real_signs_come_first(house, monkeypatch, tmp_path):
    publish = load_file('tools/misc/publish_model.py').publish
    found = {}
    for name, kind in (('made_up', 'recogniser'), ('encoder', 'pretrainer'), ('real', 'recogniser')):
        config, checkpoint = house[kind]
        content = load_checkpoint_file(checkpoint)
        if name == 'made_up':
            content['meta']['glosses'] = [f'gloss_{number:03d}' for number in range(4)]
        else:
            content['state_dict']['unused'] = torch.zeros(10_000)  # larger
        torch.save(content, tmp_path / f'{name}.pth')
        path = publish(tmp_path / f'{name}.pth', tmp_path / 'zoo' / f'{name}.pth', half=True)
        found[name] = dict(Name=name, Config=config, Weights=f'zoo/{path.name}')
    found['absent'] = dict(Name='absent', Config='none.py', Weights='zoo/absent-00000000.pth')
    monkeypatch.setattr(zoo, 'zoo_models', lambda: found)
    monkeypatch.setenv(zoo.ZOO_ENV, str(tmp_path / 'zoo'))
    monkeypatch.setattr(shipped, 'WEIGHTS', tmp_path / 'weights')
    models = zoo.released_recognisers()
    assert [one.name for one in models] == ['real', 'made_up'] and models[0].path == zoo_checkpoint('real')
    assert (
        models[0].glosses == GLOSSES
        and not zoo.are_synthetic(models[0].glosses)
        and zoo.are_synthetic(models[1].glosses)
    )
    assert not zoo.are_synthetic([]) and not zoo.are_synthetic(['gloss_000', 'tea'])
    monkeypatch.setenv(zoo.ZOO_ENV, str(tmp_path / 'none'))
    assert zoo.released_recognisers() == []


@pytest.fixture
def package(monkeypatch, half, tmp_path):
    """A package that comes with the half-precision recogniser."""
    folder = tmp_path / 'weights'
    folder.mkdir()
    content = torch.load(half[2], weights_only=True)
    content['meta']['cfg'] = Config.fromfile(half[0]).pretty_text
    torch.save(content, folder / 'signs.pth')
    monkeypatch.setattr(shipped, 'WEIGHTS', folder)
    return folder


def test_weights_of_the_package_bring_their_config(package, half):
    model = init_model('zoo://signs')
    reference = init_model(half[0], half[2])
    assert zoo_checkpoint('zoo://signs') == str(package / 'signs.pth')
    assert model.dataset_meta['glosses'] == GLOSSES
    for name, value in reference.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name
    inferencer = SignInferencer('zoo://signs')
    options = dict(layout='sign_49', image_size=(640, 480))
    answer = inferencer(poses(20, 0), **options)['predictions'][0]
    expected = SignInferencer(half[0], half[2])(poses(20, 0), **options)['predictions'][0]
    assert answer['glosses'] == expected['glosses']
    assert answer['all_scores'] == pytest.approx(expected['all_scores'])


def test_training_starts_from_weights_of_the_package(package, half):
    cfg = Config.fromfile(half[0])
    cfg.load_from, cfg.work_dir, cfg.experiment_name = 'zoo://signs', str(package / 'work'), 'from_package'
    runner = Runner.from_cfg(cfg)
    runner.load_or_resume()
    weights = load_checkpoint_file('zoo://signs')['state_dict']
    for name, value in runner.model.state_dict().items():
        assert torch.equal(value, weights[name].to(value.dtype)), name


def test_an_unknown_name_of_the_package(package):
    with pytest.raises(ConfigError, match="zoo://sign: no such weights.*Did you mean 'signs'"):
        SignInferencer('zoo://sign')


def test_the_recogniser_of_the_package_comes_first(package, monkeypatch, tmp_path):
    monkeypatch.setenv(zoo.ZOO_ENV, str(tmp_path / 'none'))
    models = zoo.released_recognisers()
    assert [one.name for one in models] == ['zoo://signs']
    assert models[0].path == str(package / 'signs.pth') and models[0].glosses == GLOSSES
