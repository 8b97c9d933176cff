"""How configs stand on each other: few levels, and names without files."""

import ast
import os

import pytest

from signbert_mm.engine.runner import load_config
from signbert_mm.engine.runner.config import find_config, list_variants, read_variants


def bases(path):
    """The files that a config's `_base_` names."""
    for node in ast.parse(path.read_text(encoding='utf-8')).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', '') == '_base_':
            names = ast.literal_eval(node.value)
            return [(path.parent / name).resolve() for name in ([names] if isinstance(names, str) else names)]
    return []


def levels(path):
    return max((1 + levels(base) for base in bases(path)), default=0)


def test_no_config_has_more_than_three_levels_of_bases(root):
    found = {path: levels(path) for path in [*root.glob('configs/**/*.py'), *root.glob('projects/**/*.py')]}
    assert len(found) > 100 and max(found.values()) == 3, [path for path, count in found.items() if count > 3]


def test_a_variant_is_a_config_of_this_file_with_these_options(root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = 'stgcn_sign49-joint-motion_b64-80e_slr500'
    cfg = load_config(f'configs/fusion/{name}.py', {'train_dataloader.batch_size': 7})
    whole = load_config('configs/fusion/stgcn_sign49-joint_b64-80e_slr500.py')
    preprocessor = cfg.model.data_preprocessor
    assert preprocessor.train_pipeline[0].stream == preprocessor.test_pipeline[0].stream == 'joint_motion'
    assert whole.model.data_preprocessor.test_pipeline[0].stream == 'joint'
    assert cfg.train_dataloader.batch_size == 7 and cfg.work_dir == f'work_dirs/{name}'
    for path in (f'fusion/{name}.py', str(root / 'configs' / 'fusion' / f'{name}.py')):
        assert load_config(path).model == cfg.model
    with pytest.raises(FileNotFoundError, match=f'Did you mean configs/fusion/{name}.py'):
        load_config(f'configs/fusion/{name}s.py')


def test_every_variant_loads_and_changes_something(root):
    names = read_variants(str(root))
    listed = [name for name in names if 'ablation' not in name.split('/')]
    assert len(listed) == len(list_variants()) > 50  # no two have one name
    for name, (config, options) in names.items():
        path = root / 'configs' / f'{name}.py'
        assert not path.is_file(), f'{name} is a file too'
        files, found = find_config(str(path))
        assert found == options and all((root / file).is_file() for file in files)
        assert len(files) == 1 if isinstance(config, str) else len(config) == len(files) > 1
        cfg = load_config(str(path))
        assert cfg.model is not None
        if len(files) == 1:
            plain = load_config(files[0])
            assert not options or cfg.to_dict() != dict(plain.to_dict(), work_dir=path.stem)
        else:
            assert cfg.filename == str(path) and options


def test_a_variant_of_parts_is_the_config_that_names_them(root, tmp_path):
    name = 'st_consistency_d512_b64-60e_slr500'
    cfg = load_config(f'configs/st_consistency/{name}.py')
    parts = ('models/st_consistency_recognizer', 'datasets/slr500', 'schedules/st_consistency_60e')
    bases = [str(root / 'configs' / '_base_' / f'{part}.py') for part in (*parts, 'default_runtime')]
    path = tmp_path / f'{name}.py'
    frames = (
        'train_dataloader = dict(dataset=dict(pipeline=_base_._frames))\ntest_dataloader = train_dataloader'
    )
    path.write_text(f'_base_ = {bases}\n{frames}\nval_cfg = None\nmodel = dict(head=dict(num_classes=500))\n')
    assert load_config(str(path)).to_dict() == cfg.to_dict()
    assert cfg.train_dataloader.dataset.pipeline[0].clip_len == 150 and cfg.val_dataloader is None


def test_a_base_that_is_a_variant_says_what_to_write(root, tmp_path):
    from signbert_mm.engine.runner import ConfigError

    folder = root / 'configs' / 'fusion'
    path = tmp_path / 'config.py'
    path.write_text(
        f"_base_ = '{os.path.relpath(folder, tmp_path)}/stgcn_sign49-bone_b64-80e_wlasl2000.py'\n"
    )
    with pytest.raises(ConfigError, match='is a row of configs/variants.py') as error:
        load_config(str(path))
    remedy = str(error.value)
    assert 'stgcn_sign49-joint_b64-80e_wlasl2000.py' in remedy and "train_pipeline.0.stream='bone'" in remedy


def test_a_project_that_is_not_on_the_path_is_explained(root, tmp_path, monkeypatch):
    from signbert_mm.engine.runner import ConfigError

    path = tmp_path / 'config.py'
    path.write_text("custom_imports = dict(imports=['projects.no_such_project'])\nmodel = dict()\n")
    with pytest.raises(ConfigError, match='projects/ is found with PYTHONPATH='):
        load_config(str(path))
