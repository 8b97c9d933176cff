"""The command that a config prints where its data are absent makes that store, and runs."""

import shlex

import pytest

from signbert_mm.engine.runner import load_config
from signbert_mm.engine.runner.config import read_variants
from signbert_mm.experiments import find_table, load_setting
from signbert_mm.experiments.run import resolve

OF_VIDEOS = ('wlasl', 'msasl', 'nmfs_csl', 'slr500', 'autsl', 'asl_citizen')


def datasets(node):
    """Every data set below a node."""
    if isinstance(node, dict):
        if node.get('type') == 'PoseDataset':
            yield node
        node = list(node.values())
    for value in node if isinstance(node, (list, tuple)) else ():
        yield from datasets(value)


def check(content):
    for dataset in datasets(content):
        if '_to_store.py' in dataset.get('prepare', ''):
            words = shlex.split(dataset['prepare'].split('  (')[0])
            assert words[0] == 'python' and words[3] == dataset['store'], dataset
            name = words[1].rpartition('/')[2].replace('_to_store.py', '')
            assert name not in OF_VIDEOS or '--videos' in words or '--poses' in words, dataset


def test_configs(root):
    found = [
        path
        for path in sorted((root / 'configs').glob('*/*.py'))
        if path.parent.name not in ('_base_', 'demo', 'words33', 'ablation')
    ]
    found += [root / 'configs' / f'{name}.py' for name in read_variants(str(root)) if 'words33' not in name]
    found.append(root / 'configs' / 'pretrain_all.py')
    assert len(found) > 50
    for path in found:
        check(load_config(str(path)).to_dict())


@pytest.mark.parametrize('method', ['signbert', 'st_consistency'])
@pytest.mark.parametrize('name', ['msasl', 'wlasl'])
def test_subsets_of_tables(root, monkeypatch, method, name):
    monkeypatch.chdir(root)
    places = 0
    setting = load_setting(find_table('table4' if method == 'signbert' else 'objectives'), name)
    for base in setting.bases.values():
        for variant in (base.get('variants') or {'': {}}).values():
            config = variant.get('config') or base['config']
            changes = [part for part in (base, variant) if part.get('options')]
            content = resolve(config, [dict(options=part['options']) for part in changes], 0).to_dict()
            check(content)
            places += sum('prepare' in dataset for dataset in datasets(content))
    assert places > 20
