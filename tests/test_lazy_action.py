"""An option whose action is imported when it is used."""

import argparse

from signbert_mm.lazy_action import LazyAction


def test_it_acts_as_the_action_that_it_names():
    parser = argparse.ArgumentParser()
    options = dict(action=LazyAction, source='signbert_mm.engine.runner.OptionsAction')
    parser.add_argument('--cfg-options', nargs='+', metavar='KEY=VALUE', **options)
    assert parser.parse_args([]).cfg_options is None
    args = parser.parse_args(['--cfg-options', 'a.b=1', "c=[dict(type='A'), 2]"])
    assert args.cfg_options == {'a.b': 1, 'c': [dict(type='A'), 2]}
