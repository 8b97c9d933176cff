"""Models as folders of the Hugging Face Hub."""

import json
import runpy
import sys

import numpy as np
import pytest
import torch
import yaml
from api_toys import GLOSSES, SCORES
from mmengine.config import Config

from signbert_mm.apis import SignInferencer, from_pretrained, init_model, load_pretrained, save_pretrained
from signbert_mm.errors import ConfigError
from signbert_mm.files.checkpoints import CheckpointError, load_checkpoint_file

safetensors = pytest.importorskip('safetensors.torch', reason='safetensors is not installed')


# It rejects nothing.
REJECTION = dict(method='max_probability', temperature=1.0, threshold=1.5, false_answers=0.05)


@pytest.fixture
def checkpoint(house, tmp_path):
    """A checkpoint that keeps its config, as training writes it."""
    config, path = house['recogniser']
    content = load_checkpoint_file(path)
    text = Config.fromfile(config).pretty_text + "\nwork_dir = '/home/me/run'\n"
    content['meta'].update(cfg=text, fps=25.0, layout='sign_49', rejection=REJECTION)
    torch.save(content, tmp_path / 'epoch_3.pth')
    return tmp_path / 'epoch_3.pth'


@pytest.fixture
def folder(checkpoint, tmp_path):
    return save_pretrained(tmp_path / 'my_model', checkpoint, licence='apache-2.0')


def test_round_trip(folder, house, inferencer):
    assert sorted(path.name for path in folder.iterdir()) == ['README.md', 'config.json', 'model.safetensors']
    model = load_pretrained(folder)
    weights = load_checkpoint_file(house['recogniser'][1])['state_dict']
    assert list(model.state_dict()) == list(weights)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert not model.training and model.dataset_meta['glosses'] == GLOSSES and model.dataset_meta['fps'] == 25
    again = from_pretrained(folder, 'cpu', extractor=inferencer.reader.extractor)
    assert isinstance(again, SignInferencer) and again.glosses == GLOSSES
    answers = [one(house['store'], split='test')['predictions'] for one in (inferencer, again)]
    for one, other in zip(*answers):
        assert one['glosses'] == other['glosses'] and one['reason'] == other['reason']
        np.testing.assert_allclose(one['all_scores'], other['all_scores'], atol=SCORES)


def test_what_the_files_say(folder):
    facts = json.loads((folder / 'config.json').read_text(encoding='utf-8'))
    assert (facts['library_name'], facts['model_type'], facts['format']) == (
        'signbert_mm',
        'SignRecognizer',
        1,
    )
    assert facts['meta']['glosses'] == GLOSSES and facts['meta']['rejection'] == REJECTION
    # Folders and settings of the training machine are left out.
    assert (
        '/home/me' not in facts['config'] and 'progress' not in facts['meta'] and 'time' not in facts['meta']
    )
    front, _, body = (folder / 'README.md').read_text(encoding='utf-8')[4:].partition('\n---\n')
    front = yaml.safe_load(front)
    assert front['library_name'] == 'signbert_mm' and front['license'] == 'apache-2.0'
    assert front['pipeline_tag'] == 'video-classification' and 'sign-language-recognition' in front['tags']
    assert '# my_model' in body and 'It knows: hello, water, tea, no.' in body and '| glosses | 4 |' in body


@pytest.mark.parametrize('kind', ['recogniser', 'pretrainer'])
def test_a_model_in_memory(house, tmp_path, kind):
    model = init_model(*house[kind])
    save_pretrained(tmp_path / 'm', model)
    again = load_pretrained(tmp_path / 'm')
    assert type(again) is type(model)
    for (name, value), (other, expected) in zip(again.state_dict().items(), model.state_dict().items()):
        assert name == other and torch.equal(value, expected)
    # And once more, from the model that was read.
    save_pretrained(tmp_path / 'n', again)
    assert (tmp_path / 'n' / 'model.safetensors').read_bytes() == (
        tmp_path / 'm' / 'model.safetensors'
    ).read_bytes()


def test_a_checkpoint_without_a_config(house, tmp_path):
    config, path = house['recogniser']
    with pytest.raises(ConfigError, match='there is no `model` in its config'):
        save_pretrained(tmp_path / 'm', path)
    save_pretrained(tmp_path / 'm', path, Config.fromfile(config))
    assert load_pretrained(tmp_path / 'm').dataset_meta['glosses'] == GLOSSES


def change(folder, **values):
    facts = json.loads((folder / 'config.json').read_text())
    (folder / 'config.json').write_text(json.dumps({**facts, **values}))


def test_nothing_is_executed(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (folder / 'modeling.py').write_text('open("ran", "w")')
    for text, message in (
        ("open('ran', 'w')", 'not made of plain values'),
        ("model = open('ran', 'w')", 'not made of plain values'),
        ("model = dict(type='SignRecognizer', x=__import__('os').system('touch ran'))", 'not made of plain'),
        ("import os\nmodel = dict(type='SignRecognizer')", 'not made of plain values'),
        (
            "model = dict(type='subprocess.Popen', args=['touch', 'ran'])",
            "type 'subprocess.Popen' is not registered",
        ),
        ("model = dict(type='modeling.Model')", "type 'modeling.Model' is not registered"),
        ('custom_imports = dict(imports=["modeling"])', 'there is no `model`'),
    ):
        change(folder, config=text)
        with pytest.raises(ConfigError, match=f'config.json: .*{message}'):
            load_pretrained(folder)
    assert not (tmp_path / 'ran').exists() and 'modeling' not in sys.modules


@pytest.mark.parametrize(
    'values, message',
    [
        (dict(library_name='transformers'), "library_name 'transformers', format 1"),
        (dict(format=2), 'format 2'),
        (dict(meta=[]), 'config and meta are to be text and an object'),
        (dict(config=3), 'config and meta'),
        (dict(meta=dict(glosses=[1])), 'glosses are to be a list of text'),
        (dict(meta=dict(fps='fast')), "fps is 'fast'"),
    ],
)
def test_configs_of_others(folder, values, message):
    change(folder, **values)
    with pytest.raises(ValueError, match=message):
        load_pretrained(folder)


def test_damaged_weights(folder):
    path = folder / 'model.safetensors'
    data = path.read_bytes()
    for wrong in (data[:-100], b'', b'\xff' * 64):
        path.write_bytes(wrong)
        with pytest.raises(CheckpointError, match='not a whole safetensors file'):
            load_pretrained(folder)
    weights = safetensors.load(data)
    safetensors.save_file({name: value * float('nan') for name, value in weights.items()}, path)
    with pytest.raises(CheckpointError, match='not finite'):
        load_pretrained(folder)
    for lost in weights:
        if lost.endswith('num_batches_tracked'):
            continue
        safetensors.save_file({name: value for name, value in weights.items() if name != lost}, path)
        with pytest.raises(CheckpointError, match=f'it lacks {lost}'):
            load_pretrained(folder)


def test_folders_and_ids(folder, tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match='no such folder, and no id of the form user/name'):
        load_pretrained(tmp_path / 'none')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, 'huggingface_hub', None)
    with pytest.raises(
        ImportError, match='no such folder; an id on the Hub needs the package huggingface_hub'
    ):
        load_pretrained('me/model')
    asked = []

    class Hub:
        @staticmethod
        def snapshot_download(name, revision, allow_patterns):
            asked.append((name, revision, sorted(allow_patterns)))
            if name == 'me/none':
                raise OSError('no such model\nand more')
            return str(folder)

    monkeypatch.setitem(sys.modules, 'huggingface_hub', Hub)
    assert load_pretrained('me/model', revision='v1').dataset_meta['glosses'] == GLOSSES
    assert asked == [('me/model', 'v1', ['README.md', 'config.json', 'model.safetensors'])]
    with pytest.raises(
        RuntimeError, match=r'me/none: neither a folder nor fetched .*OSError: no such model\)'
    ):
        load_pretrained('me/none')
    (folder / 'model.safetensors').unlink()
    with pytest.raises(FileNotFoundError, match='model.safetensors: no such file'):
        load_pretrained(folder)


def test_safetensors_absent(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, 'safetensors.torch', None)
    with pytest.raises(ImportError, match='pip install safetensors'):
        load_pretrained(folder)


def test_the_tool(checkpoint, root, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['x', str(checkpoint), str(tmp_path / 'm'), '--licence', 'mit'])
    runpy.run_path(str(root / 'tools' / 'misc' / 'save_pretrained.py'), run_name='__main__')
    assert (
        'model.safetensors' in capsys.readouterr().out
        and 'license: mit' in (tmp_path / 'm' / 'README.md').read_text()
    )
