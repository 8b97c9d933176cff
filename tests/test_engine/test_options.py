"""``--cfg-options``: dicts, places of lists, and the visualizer's backends."""

import argparse
import json

import pytest
from mmengine.config import Config

from signbert_mm.engine.runner import OptionsAction, load_config, options, prepare_launch
from signbert_mm.engine.runner.options import check_vis_backends, merge_options, parse_dicts
from signbert_mm.errors import ConfigError

LOCAL, BOARD = dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')


def parsed(*words):
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=OptionsAction)
    return parser.parse_args(['--cfg-options', *words]).cfg_options


def backends(toy_file, *words):
    found = load_config(toy_file, parsed(*words)).visualizer.vis_backends
    return [dict(entry) for entry in found]


def test_values():
    found = parsed(
        'a=1',
        'b=[x,2.5,None]',
        "c=dict(type='A', n=-1, on=True, s=[x, 'y z'])",
        'd=[{"type": "A", "k": (1, 2)}, dict(b=1)]',
        'e=x{1}',
    )
    assert found == dict(
        a=1,
        b=['x', 2.5, None],
        c=dict(type='A', n=-1, on=True, s=['x', 'y z']),
        d=[dict(type='A', k=(1, 2)), dict(b=1)],
        e='x{1}',
    )
    assert parse_dicts('dict(a=1), dict(b=2)') == [dict(a=1), dict(b=2)]
    for wrong in (
        'dict(a=open("x"))',
        'dict(**x)',
        'dict(1)',
        'dict(a=',
        "[dict(a=__import__('os').getcwd())]",
        '{**{}}',
        'dict(a=1+x)',
    ):
        with pytest.raises(ConfigError, match='cannot be read'):
            parse_dicts(wrong)


@pytest.mark.parametrize(
    'words, expected',
    [
        (['visualizer.vis_backends=TensorboardVisBackend'], [BOARD]),
        (['visualizer.vis_backends=[LocalVisBackend,TensorboardVisBackend]'], [LOCAL, BOARD]),
        (['visualizer.vis_backends=local,tensorboard'], [LOCAL, BOARD]),
        (
            ["visualizer.vis_backends=[dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]"],
            [LOCAL, BOARD],
        ),
        (["visualizer.vis_backends=dict(type='tensorboard')"], [BOARD]),
        (['visualizer.vis_backends.1.type=TensorboardVisBackend'], [LOCAL, BOARD]),
        (['visualizer.vis_backends.1=TensorboardVisBackend'], [LOCAL, BOARD]),
        (["visualizer.vis_backends.1=dict(type='TensorboardVisBackend')"], [LOCAL, BOARD]),
        (['visualizer.vis_backends.0.type=TensorboardVisBackend'], [BOARD]),
        (['visualizer.vis_backends.0=tensorboard'], [BOARD]),
        (
            ['visualizer.vis_backends.1=wandb', 'visualizer.vis_backends.2.type=tensorboard'],
            [LOCAL, dict(type='WandbVisBackend'), BOARD],
        ),
        (
            [
                'visualizer.vis_backends.1.type=WandbVisBackend',
                'visualizer.vis_backends.1.init_kwargs.project=signs',
            ],
            [LOCAL, dict(type='WandbVisBackend', init_kwargs=dict(project='signs'))],
        ),
        (
            [
                "visualizer.vis_backends=[LocalVisBackend, dict(type='WandbVisBackend', "
                "init_kwargs=dict(project='signs', mode='offline'))]"
            ],
            [LOCAL, dict(type='WandbVisBackend', init_kwargs=dict(project='signs', mode='offline'))],
        ),
    ],
)
def test_backends_by_name_list_and_place(toy_file, words, expected):
    assert backends(toy_file, *words) == expected


@pytest.mark.parametrize(
    'word, message',
    [
        (
            'visualizer.vis_backends=TensorboardVisBackends',
            "no backend 'TensorboardVisBackends'. Did you mean 'TensorboardVisBackend'",
        ),
        ('visualizer.vis_backends=3', '3 is no backend; give its name'),
        ("visualizer.vis_backends=[dict(name='x')]", 'is no backend; give its name'),
        (
            'visualizer.vis_backends.2=tensorboard',
            "'2' is no place in a list of 1; 0 to 1 are, and 1 adds an entry",
        ),
        ('visualizer.vis_backends.x=tensorboard', "'x' is no place in a list of 1"),
        ('visualizer.vis_backends.0.type.x=1', "'x' names a part of 'LocalVisBackend', which has none"),
    ],
)
def test_wrong_backends(toy_file, word, message):
    with pytest.raises(ConfigError, match=message):
        backends(toy_file, word)


def test_places_of_any_list():
    shared = [dict(n=1), dict(n=2)]
    cfg = Config(dict(a=dict(steps=shared), b=dict(steps=shared), numbers=(1, 2), deep=[[1], [2]]))
    merge_options(
        cfg,
        {
            'a.steps.0.n': 5,
            'a.steps.2': dict(n=3),
            'numbers.1': 7,
            'deep.1.1': 4,
            'compile.key': 1,
            'b.steps': dict(n=9),
        },
    )
    assert (
        cfg.a.steps == [dict(n=5), dict(n=2), dict(n=3)]
        and cfg.b.steps == dict(n=9)
        and shared == [dict(n=1), dict(n=2)]
    )
    merge_options(cfg, {'a.steps.0': dict(n=1), 'env_cfg': dict(x=1), 'compile': dict(more=2)})
    assert cfg.a.steps[0] == dict(n=1) and cfg.env_cfg == dict(x=1) and cfg.compile == dict(key=1, more=2)
    assert list(cfg.numbers) == [1, 7] and cfg.deep == [[1], [2, 4]] and cfg.compile.key == 1


def test_a_dict_replaces_what_is_no_dict():
    def merged(**options):
        cfg = Config(dict(a=None, b=dict(c=None, d='x'), e=[dict(f=None)]))
        merge_options(cfg, {key.replace('__', '.'): value for key, value in options.items()})
        return cfg.to_dict()

    new = dict(type='A')
    assert merged(a=new)['a'] == merged(a__type='A')['a'] == merged(a=dict(new, _delete_=True))['a'] == new
    assert merged(b=dict(c=new))['b'] == merged(b__c=new)['b'] == dict(c=new, d='x')
    assert merged(b=dict(d=new, c=dict(g=1)))['b'] == dict(c=dict(g=1), d=new)
    assert merged(e__0=dict(f=new))['e'] == merged(e__0__f=new)['e'] == [dict(f=new)]
    assert merged(b=dict(_delete_=True, d=new))['b'] == dict(d=new)
    with pytest.raises(ConfigError, match="--cfg-options b.d.g: 'g' names a part of 'x', which has none"):
        merged(b__d__g=1)


def test_packages_and_names(monkeypatch):
    monkeypatch.setattr(options.importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(
        ConfigError,
        match='WandbVisBackend needs the package wandb, which is not installed: pip install wandb',
    ):
        check_vis_backends(Config(dict(visualizer=dict(vis_backends=[LOCAL, dict(type='WandbVisBackend')]))))
    for fine in (
        dict(),
        dict(visualizer=None),
        dict(visualizer=dict(vis_backends=None)),
        dict(visualizer=dict(vis_backends=[LOCAL])),
    ):
        check_vis_backends(Config(fine))
    with pytest.raises(ConfigError, match='LocalVisBackend is there twice'):
        prepare_launch(Config(dict(visualizer=dict(vis_backends=[LOCAL, LOCAL]))), 'none')
    check_vis_backends(Config(dict(visualizer=dict(vis_backends=[LOCAL, dict(LOCAL, name='second')]))))


@pytest.mark.parametrize(
    'word',
    ['visualizer.vis_backends=[local,tensorboard]', 'visualizer.vis_backends.1.type=TensorboardVisBackend'],
)
def test_tensorboard_writes(run_tool, toy_file, tmp_path, word):
    event_accumulator = pytest.importorskip(
        'tensorboard.backend.event_processing.event_accumulator', reason='TensorBoard is not installed'
    )
    run_tool(
        'train.py',
        toy_file,
        '--work-dir',
        tmp_path / 'w',
        '--cfg-options',
        word,
        'default_hooks.logger.interval=1',
        'train_cfg.max_epochs=1',
    )
    (events,) = (tmp_path / 'w').glob('*/vis_data/events.out.tfevents.*')
    board = event_accumulator.EventAccumulator(str(events.parent)).Reload()
    losses = [event.value for event in board.Scalars('loss')]
    written = [
        json.loads(line)
        for path in (tmp_path / 'w').glob('*/vis_data/scalars.json')
        for line in path.read_text().splitlines()
    ]
    assert losses == pytest.approx([line['loss'] for line in written if 'loss' in line]) and len(losses) > 1
