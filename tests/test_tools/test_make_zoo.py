"""make_zoo: release files of trainings that are there, what it refuses, and what it would run."""

import json

import mmengine
import pytest
import torch
from source_files import load_file

from signbert_mm.apis import init_model, zoo
from signbert_mm.errors import ConfigError
from signbert_mm.files.checkpoints import CheckpointError, load_checkpoint_file

NAME = 'toy_config'


@pytest.fixture
def tool(monkeypatch, tmp_path):
    """The tool in an empty folder, with a zoo folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(zoo.ZOO_ENV, 'zoo')
    return load_file('tools/misc/make_zoo.py')


@pytest.fixture
def entry(toy_file):
    """An entry of a metafile, as :func:`zoo_models` gives it."""
    metadata = {
        'Training Data': ['toy, 8 clips of train; this test, Apache-2.0'],
        'Training Time': '1 s',
        'Training Memory (GB)': 0.1,
        'Epochs': 2,
        'Batch Size': 2,
        'Seed': 0,
        'Frames': 4,
        'FLOPs': 1,
        'Parameters': 1,
    }
    return {
        'Name': NAME,
        'In Collection': 'Toys',
        'Config': toy_file,
        'Metadata': metadata,
        'Results': [dict(Task='T', Dataset='toy, test (2 clips)', Metrics={'P-I top-1': 50.0})],
        'Training Command': f'python tools/train.py {toy_file} --work-dir work',
        'Weights': f'zoo/{NAME}-00000000.pth',
    }


@pytest.fixture
def trained(tool, entry):
    """The recipe with its last checkpoint and its log there."""
    recipe = tool.Recipe(entry)
    model = init_model(recipe.cfg)
    recipe.work_dir.mkdir()
    scalars = recipe.work_dir / '20260101_000000' / 'vis_data' / 'scalars.json'
    scalars.parent.mkdir(parents=True)
    scalars.write_text('{"loss": 1.0}\n')
    data = dict(coverage=[dict(name='toy', folder='/secret')])
    cfg = f"work_dir = '/secret/work'\n{recipe.cfg.pretty_text}"
    meta = dict(cfg=cfg, seed=0, epoch=4, iter=8, dataset_meta=data)
    torch.save(dict(meta=meta, state_dict=model.state_dict(), optimizer={}), recipe.checkpoint)
    return recipe


def test_a_release_file_with_card_and_log(tool, trained, tmp_path):
    (tmp_path / 'zoo').mkdir()
    (tmp_path / 'zoo' / f'{NAME}-deadbeef.pth').write_bytes(b'older')
    path = tool.build(trained, train_missing=False, test_files=False)
    assert sorted(file.name for file in path.parent.iterdir()) == sorted(
        path.stem + end for end in ('.pth', '.md', '.log.json')
    )
    content = load_checkpoint_file(path)
    assert (
        'secret' not in str(content['meta'])
        and content['meta']['dataset_meta']['coverage'] == [dict(name='toy')]
        and 'optimizer' not in content
    )
    card = path.with_suffix('.md').read_text()
    for part in (
        path.name,
        trained.entry['Training Command'],
        'this test, Apache-2.0',
        'not measured, it was built with --no-test',
        'Licence',
    ):
        assert part in card, part
    assert '50.0' not in card  # the metafile's figures are those of another file
    trained.entry['Weights'] = f'zoo/{path.name}'
    (trained.work_dir / tool.RESOURCES).write_text(
        json.dumps(dict(wall=3.0, cpu=2.0, memory=0.25, resumed=False))
    )
    assert tool.build(trained, train_missing=False, test_files=False) == path
    card = path.with_suffix('.md').read_text()
    assert 'P-I top-1 50.0' in card and '2 s of CPU, 3 s of wall time, largest resident set 0.25 GB' in card
    assert init_model(trained.cfg, path).state_dict().keys() == init_model(trained.cfg).state_dict().keys()


def test_the_result_of_the_file_itself(tool, trained, monkeypatch, tmp_path):
    commands = []

    def run(command):
        commands.append(command)
        mmengine.dump({'p_i/top1': 12.5}, command[-1])

    monkeypatch.setattr(tool, 'run', run)
    monkeypatch.setattr(tool, 'missing_stores', lambda node: [])
    trained.entry['Test Command'] = 'python tools/test.py config.py {weights}'
    path = tool.build(trained, train_missing=False, test_files=True)
    assert commands[0][:4] == ['python', 'tools/test.py', 'config.py', f'zoo/{path.name}']
    assert '"p_i/top1": 12.5' in path.with_suffix('.md').read_text()


def test_what_it_refuses(tool, trained, monkeypatch, entry, capsys):
    monkeypatch.setattr(tool, 'LARGEST', 10)
    with pytest.raises(CheckpointError, match='release files are under'):
        tool.build(trained, train_missing=False, test_files=False)
    assert not list(zoo.zoo_folder().glob('*'))
    trained.cfg.optim_wrapper.optimizer.lr = 12.0
    with pytest.raises(
        CheckpointError,
        match=r'trained by another config, which differs in '
        r'optim_wrapper\.optimizer\.lr: move work away',
    ):
        tool.build(trained, train_missing=False, test_files=False)
    trained.checkpoint.unlink()
    with pytest.raises(FileNotFoundError, match='--no-train was given'):
        tool.build(trained, train_missing=False, test_files=False)
    for command in ('', 'python tools/test.py x', f'python tools/train.py {entry["Config"]}'):
        with pytest.raises(ConfigError, match='Training Command must be'):
            tool.Recipe({**entry, 'Training Command': command})


def test_it_trains_what_is_missing_and_resumes(tool, trained, monkeypatch):
    commands = []
    monkeypatch.setattr(
        tool, 'run', lambda command: commands.append(command) or dict(wall=2.0, cpu=1.0, memory=0.5)
    )
    monkeypatch.setattr(tool, 'missing_stores', lambda node: [])
    tool.train(trained)
    assert (
        commands[-1][-1] == '--resume'
        and json.loads((trained.work_dir / tool.RESOURCES).read_text())['resumed']
    )
    trained.checkpoint.unlink()
    tool.train(trained)
    assert (
        commands[-1] == trained.command
        and not json.loads((trained.work_dir / tool.RESOURCES).read_text())['resumed']
    )
    parts = [dict(store='data/none', prepare='python demo/run_demo.py --only data')]
    monkeypatch.setattr(tool, 'missing_stores', lambda node: parts)
    tool.train(trained)
    assert commands[-2] == ['python', 'demo/run_demo.py', '--only', 'data']
    parts = [dict(store='data/none')]
    with pytest.raises(FileNotFoundError, match='data/none is not there; docs/results.md'):
        tool.train(trained)


@pytest.fixture
def encoder(tool, trained, toy_file, monkeypatch):
    """The trained recipe as an encoder in the metafiles, and a recipe that starts from it and is not
    trained.
    """
    command = f'python tools/train.py {toy_file} --work-dir fine --cfg-options load_from=work/epoch_4.pth'
    second = {
        **trained.entry,
        'Name': 'fine',
        'Training Command': command,
        'Weights': 'zoo/fine-00000000.pth',
    }
    monkeypatch.setattr(
        tool, 'zoo_models', lambda: {NAME: trained.entry, 'fine': second, 'results': dict(Name='results')}
    )
    return trained, tool.Recipe(second)


def test_the_encoder_is_trained_first(tool, encoder, monkeypatch, capsys):
    first, second = encoder
    content = first.checkpoint.read_bytes()
    trainings = []

    def train(recipe):
        assert recipe is not second or first.checkpoint.is_file()
        trainings.append(recipe.name)
        recipe.work_dir.mkdir(exist_ok=True)
        recipe.checkpoint.write_bytes(content)

    monkeypatch.setattr(tool, 'train', train)
    assert tool.starts_from(second).name == NAME and tool.starts_from(first) is None
    first.checkpoint.unlink()
    with pytest.raises(FileNotFoundError, match=r'epoch_4\.pth is not there, and --no-train was given'):
        tool.trained(second, train_missing=False)
    tool.trained(second, train_missing=True)
    assert (
        trainings == [NAME, 'fine']
        and f'fine starts from {NAME}, which is trained first' in capsys.readouterr().out
    )
    second.checkpoint.unlink()
    tool.trained(second, train_missing=True)
    assert trainings == [NAME, 'fine', 'fine']  # what is trained stays


def test_an_encoder_that_is_not_the_right_one(tool, encoder, monkeypatch):
    first, second = encoder
    content = torch.load(first.checkpoint, weights_only=False)
    content['meta']['cfg'] = content['meta']['cfg'].replace('max_epochs=4', 'max_epochs=3')
    torch.save(content, first.checkpoint)
    with pytest.raises(
        CheckpointError,
        match=r'trained by another config, which differs in '
        r'train_cfg\.max_epochs: move work away',
    ):
        tool.trained(second, train_missing=True)
    second.cfg.load_from = 'elsewhere/epoch_9.pth'
    with pytest.raises(
        FileNotFoundError,
        match='elsewhere/epoch_9.pth, from which fine starts, is not there, and no entry '
        'of the metafiles makes it',
    ):
        tool.trained(second, train_missing=True)


def test_what_a_recogniser_knows_is_on_its_card(tool, trained):
    trained.entry['Metadata'].update(Glosses='two words of a toy', Limits=['Toys only.'])
    card = tool.build(trained, train_missing=False, test_files=False).with_suffix('.md').read_text()
    assert '| answers | two words of a toy |' in card and '## Limits\n\n- Toys only.' in card
    assert f"SignInferencer('{NAME}', zoo_checkpoint('{NAME}'))" in card


def test_commands_are_run_and_measured(tool, tmp_path):
    script = tmp_path / 'script.py'
    script.write_text('import sys; sys.exit(int(sys.argv[1]))')
    used = tool.run(['python', str(script), '0'])
    assert set(used) == {'wall', 'cpu', 'memory'} and 0.001 < used['memory'] < 1
    with pytest.raises(RuntimeError, match=r'failed \(exit status 3\)'):
        tool.run(['python', str(script), '3'])


def test_from_the_command_line(tool, trained, monkeypatch, capsys, tmp_path):
    def call(*arguments):
        monkeypatch.setattr(tool.sys, 'argv', ['make_zoo.py', *arguments])
        tool.main()
        return capsys.readouterr().out

    other = {
        **trained.entry,
        'Name': 'other',
        'Training Command': f'python tools/train.py {trained.entry["Config"]} --work-dir elsewhere',
    }
    monkeypatch.setattr(tool, 'zoo_models', lambda: {NAME: trained.entry, 'other': other})
    listed = call('--list')
    assert f'{NAME}: trained' in listed and 'other: to be trained: python tools/train.py' in listed
    with pytest.raises(SystemExit, match='1 of 2 models were not built: other'):
        call('--no-train', '--no-test')
    said = capsys.readouterr().out
    assert (
        f'the figures of the metafile are of {NAME}-00000000.pth' in said and '--no-train was given' in said
    )
    with pytest.raises(ConfigError, match="no 'resnet' in the zoo; there are toy_config, other"):
        call('resnet')
    page = tmp_path / 'page.md'
    page.write_text('# Page\n')
    with pytest.raises(ValueError, match='has no lines'):
        call('--table', str(page))
    from zoo_pages import END, START

    page.write_text(f'# Page\n{START}\nold\n{END}\nend\n')
    call('--table', str(page))
    text = page.read_text()
    assert '\nold\n' not in text and text.endswith(f'{END}\nend\n')
    assert 'toy, test (2 clips): P-I top-1 50.0' in text and 'toy, 8 clips of train |' in text
