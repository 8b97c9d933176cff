"""Loading executes nothing: no call in the tree that could, and files with a payload are refused by every
tool that reads them.
"""

import ast
import os
import pickle
from pathlib import Path

import pytest
import torch

TREES = ('signbert_mm', 'tools', 'demo', 'benchmarks', 'configs', 'projects')
READERS = {'signbert_mm/files/unpickle.py': '_Unpickler'}  # the one unpickler, with an exact list of names
LOADERS = (
    'mmengine.load',
    'mmengine.fileio.load',
    'mmcv.load',
    'joblib.load',
    'pandas.read_pickle',
    'pd.read_pickle',
    'dill.load',
    'yaml.load',
)
PICKLES = (
    'pickle.load',
    'pickle.loads',
    'cPickle.load',
    'pkl.load',
    'pickle.Unpickler',
    'torch.jit.load',
    'torch.hub.load',
    'load_from_http',
)


def calls(path):
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Call):
            yield (
                node,
                ast.unparse(node.func),
                {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords},
            )


def dangers(path, name):
    for node, function, given in calls(path):
        bad = (
            function == 'torch.load' and given.get('weights_only') != 'True',
            function in ('np.load', 'numpy.load') and given.get('allow_pickle') != 'False',
            function in (*PICKLES, *LOADERS, 'eval', 'exec', 'os.system'),
            function.endswith(('_load_checkpoint', '.load_url')),
        )
        if any(bad):
            yield f'{name}:{node.lineno}: {ast.unparse(node)}'


def test_no_call_in_the_tree_could_execute_a_file(root):
    paths = [
        path for tree in TREES for path in sorted((root / tree).rglob('*.py')) if '.mim' not in path.parts
    ]
    assert len(paths) > 100
    assert [danger for path in paths for danger in dangers(path, path.relative_to(root).as_posix())] == []


def test_the_search_finds_what_it_looks_for(tmp_path):
    bad = [
        'torch.load(f)',
        'torch.load(f, weights_only=False)',
        'np.load(f)',
        'np.load(f, allow_pickle=True)',
        'pickle.load(f)',
    ]
    bad += ['pickle.Unpickler(f)', 'mmengine.load(f)', 'eval(text)']
    lines = [*bad, 'torch.load(f, weights_only=True)', 'np.load(f, allow_pickle=False)']
    (tmp_path / 'x.py').write_text('\n'.join(lines))
    assert len(list(dangers(tmp_path / 'x.py', 'x.py'))) == len(bad)


def test_every_unpickler_looks_names_up_in_a_list(root):
    """Each overrides ``find_class``; there are no others."""
    found = {}
    for path in sorted((root / 'signbert_mm').rglob('*.py')):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.ClassDef) and any(
                'Unpickler' in ast.unparse(base) for base in node.bases
            ):
                assert 'find_class' in [
                    part.name for part in node.body if isinstance(part, ast.FunctionDef)
                ], node.name
                found[path.relative_to(root).as_posix()] = node.name
    assert found == READERS


class Payload:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.fixture
def witness(tmp_path):
    """The folder that a payload would make."""
    yield tmp_path / 'witness'
    assert not (tmp_path / 'witness').exists()


@pytest.mark.parametrize(
    'tool, arguments', [('train.py', ['--resume', 'evil.pth']), ('train.py', []), ('test.py', ['evil.pth'])]
)
def test_checkpoint_with_a_payload(make_store, make_config, expect, tmp_path, witness, tool, arguments):
    torch.save(dict(state_dict=dict(w=torch.ones(2)), meta=Payload(witness)), tmp_path / 'evil.pth')
    load_from = [] if arguments else ['--cfg-options', 'load_from=evil.pth']
    message = (
        r'checkpoint evil\.pth is refused: its pickle asks for .*mkdir.*Nothing was executed\. Take '
        r'the checkpoint from a source you trust'
    )
    expect(message, tool, make_config('recognise', make_store(train=8, test=4)), *arguments, *load_from)


def test_resuming_from_a_folder_with_a_payload(make_store, make_config, expect, tmp_path, witness):
    (tmp_path / 'w').mkdir()
    torch.save(dict(meta=Payload(witness)), tmp_path / 'w' / 'epoch_1.pth')
    (tmp_path / 'w' / 'last_checkpoint').write_text(str(tmp_path / 'w' / 'epoch_1.pth'))
    expect(
        r'epoch_1\.pth is refused',
        'train.py',
        make_config('recognise', make_store(train=8, test=4)),
        '--work-dir',
        'w',
        '--resume',
    )


@pytest.mark.parametrize(
    'text, arguments',
    [
        ('', ['--resume', 'w/epoch_1.pth']),
        ('', ['--resume']),
        ("runner_type = 'FlexibleRunner'\n", ['--resume']),
    ],
    ids=['named', 'last', 'strategy'],
)
def test_config_text_in_a_checkpoint_is_not_executed(
    make_store, make_config, run_tool, tmp_path, witness, text, arguments
):
    """mmengine gives ``meta['config']`` to ``Config.fromstring``, which executes it."""
    config = make_config('recognise', make_store(train=8, test=4), text)
    run_tool('train.py', config, '--work-dir', 'w', '--cfg-options', 'train_cfg.max_epochs=1')
    path = tmp_path / 'w' / 'epoch_1.pth'
    content = torch.load(path, weights_only=True)
    content['meta']['config'] = f'import os\nos.mkdir({str(witness)!r})\ngpu_ids = [0, 1]\n'
    torch.save(content, path)
    run_tool('train.py', config, '--work-dir', 'w', *arguments, '--cfg-options', 'train_cfg.max_epochs=2')
    assert (tmp_path / 'w' / 'epoch_2.pth').is_file()


def test_mano_with_a_payload_or_that_is_none(make_store, make_config, expect, tmp_path, witness):
    text = "model['decoder']['hand_model'] = dict(asset='mano', path='MANO_RIGHT.pkl')\n"
    config = make_config('pretrain', make_store(train=8, test=4), text)
    expect(r'MANO_RIGHT\.pkl', 'train.py', config)  # absent
    Path(tmp_path, 'MANO_RIGHT.pkl').write_bytes(pickle.dumps(dict(v_template=Payload(witness)), protocol=2))
    expect(r'MANO_RIGHT\.pkl: refused, nothing was run: it asks for .*mkdir', 'train.py', config)
    Path(tmp_path, 'MANO_RIGHT.pkl').write_bytes(b'version https://git-lfs.github.com/spec/v1')
    expect(r'MANO_RIGHT\.pkl: \d+ bytes that are not a whole MANO pickle', 'train.py', config)
    Path(tmp_path, 'MANO_RIGHT.pkl').write_bytes(pickle.dumps(dict(names='x'), protocol=2))
    expect(r"MANO_RIGHT\.pkl: fields .*'v_template'.* are missing; found .*'names'", 'train.py', config)
