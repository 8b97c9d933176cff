"""A recogniser on data of another label map, and on a store that is not whole; the real models, narrow."""

import json

import pytest

from signbert_mm.datasets import PoseStore


def rewrite(folder, **changes):
    path = folder / 'meta.json'
    path.write_text(json.dumps(dict(json.loads(path.read_text()), **changes)))


@pytest.fixture
def trained(run_tool, make_store, make_config):
    """Four glosses; five of eight test clips are there."""
    store = make_store(train=8, test=5)
    rewrite(
        store,
        coverage=dict(
            test=dict(expected=8, present=5, per_class=[2, 2, 2, 2]), train=dict(expected=8, present=8)
        ),
    )
    config = make_config('recognise', store)
    run_tool(
        'train.py', config, '--work-dir', 'w', '--no-validate', '--cfg-options', 'train_cfg.max_epochs=1'
    )
    return config


def test_fewer_glosses(trained, run_tool, make_store, make_config, expect, tmp_path, capsys):
    """A WLASL2000 model on WLASL100, in small: refused with what to do, and that works."""
    make_store(train=8, test=4, glosses=2, name='two')
    two = make_config('recognise', tmp_path / 'two', "model['head']['num_classes'] = 2\n")
    wide = make_config('recognise', tmp_path / 'two')
    more = (
        r'it was trained on 4 glosses and the data has 2, all of them among the 4\. To test it on these '
        r'2 '
        r'glosses alone, take '
    )
    expect(
        r'w/epoch_1\.pth has 4 classes and the model has 2 .*But ' + more,
        'test.py',
        two,
        'w/epoch_1.pth',
        '--work-dir',
        't',
    )
    expect(
        r'w/epoch_1\.pth has other labels than the data: ' + more,
        'test.py',
        wide,
        'w/epoch_1.pth',
        '--work-dir',
        't',
    )
    expect(
        r'on the data it was started with', 'train.py', wide, '--work-dir', 'r', '--resume', 'w/epoch_1.pth'
    )
    capsys.readouterr()
    run_tool(
        'test.py',
        trained,
        'w/epoch_1.pth',
        '--work-dir',
        't',
        '--out',
        'm.json',
        '--cfg-options',
        'test_dataloader.dataset.classes=two',
    )
    found = json.loads((tmp_path / 'm.json').read_text())
    assert found['clips'] == 3 and found['classes/absent'] == 2
    assert found['coverage'] == [
        dict(dataset='store', split='test', clips=3, expected=4, present=3, percent=75.0)
    ]
    assert 'accuracy on 3 of 4 test clips (75.0 %) of store: p_i/top1 ' in capsys.readouterr().out
    options = [
        'load_from=w/epoch_1.pth',
        'default_hooks.load_report.new_head=True',
        'model.head.num_classes=2',
        'train_cfg.max_epochs=1',
    ]
    run_tool('train.py', wide, '--work-dir', 'f', '--no-validate', '--cfg-options', *options)


def test_a_whole_store_and_one_that_tells_nothing(trained, run_tool, make_store, tmp_path, capsys):
    store = tmp_path / 'store'
    for coverage in (dict(test=dict(expected=5, present=5)), {}):
        rewrite(store, coverage=coverage)
        capsys.readouterr()
        run_tool('test.py', trained, 'w/epoch_1.pth', '--work-dir', 't', '--out', 'm.json')
        assert 'clips (' not in capsys.readouterr().out
        assert json.loads((tmp_path / 'm.json').read_text()).get('coverage', []) == (
            [dict(dataset='store', split='test', clips=5, expected=5, present=5, percent=100.0)]
            if coverage
            else []
        )


def test_as_many_glosses_but_others(trained, run_tool, make_store, make_config, expect, tmp_path):
    other = make_store(train=8, test=4, name='other')
    rewrite(other, glosses=['gloss1', 'gloss0', 'gloss2', 'gloss3'])
    config = make_config('recognise', other)
    order = (
        r"w/epoch_1\.pth has other labels than the data: it was trained on the data's 4 glosses in "
        r"another order: label 0 is 'gloss0' there"
    )
    expect(order, 'test.py', config, 'w/epoch_1.pth', '--work-dir', 't')
    expect(
        order + '.*new_head=True',
        'train.py',
        config,
        '--work-dir',
        'o',
        '--cfg-options',
        'load_from=w/epoch_1.pth',
    )
    mixed = make_config('recognise', tmp_path / 'store', f"val_dataloader['dataset']['store'] = '{other}'\n")
    expect(
        "val_dataloader has another label map than train_dataloader: label 0 is 'gloss0' in training and "
        "'gloss1'",
        'train.py',
        mixed,
    )
    assert PoseStore(other).coverage == {}
