from types import SimpleNamespace

import pytest

from signbert_mm.engine.runner import schedules
from signbert_mm.engine.runner.schedules import continue_schedules


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(schedules, 'print_log', lambda text, **_: lines.append(text))
    return lines


def converted(state, ratio=0.5, **config):
    built = SimpleNamespace(end=state.get('end', 0))
    continue_schedules([state], [dict(type='A', convert_to_iter_based=True, **config)], [built], ratio)
    return state


def test_steps_are_counted_anew():
    state = dict(T_max=24, begin=0, end=24, last_step=12, _global_step=12, eta_min=0.5, by_epoch=False)
    assert converted(dict(state), T_max=4) == dict(state, T_max=12, end=12, last_step=6, _global_step=6)
    assert converted(dict(milestones={6: 1, 12: 2}))['milestones'] == {3: 1, 6: 2}
    assert converted(dict(periods=[4, 8], cumulative_periods=[4, 12])) == dict(
        periods=[2, 4], cumulative_periods=[2, 6]
    )
    assert converted(dict(end=10**9, last_step=-1)) == dict(end=10**9, last_step=-1)


def test_what_the_config_counts_itself_stays():
    state = dict(begin=0, end=8, last_step=5, total_iters=7)
    continue_schedules([state], dict(type='LinearLR', by_epoch=False, end=8), [SimpleNamespace(end=8)], 0.5)
    assert state == dict(begin=0, end=8, last_step=5, total_iters=7)


def test_what_cannot_be_counted_anew_is_said(said):
    assert (
        converted(dict(total_steps=10)) == dict(total_steps=10)
        and 'A goes on by the old number' in said.pop()
    )
    for states, configs in (([{}], []), ([{}], None), (dict(a=[{}]), [{}])):
        continue_schedules(states, configs, [None], 2.0)
        assert 'are loaded as they are' in said.pop()
    continue_schedules(None, None, None, 2.0)
    continue_schedules([{}], None, None, 1.0)
    assert not said


def test_an_end_that_came_with_the_shorter_run_is_said(said):
    state = dict(end=10, milestones={5: 1})
    continue_schedules([state], [dict(type='MultiStepLR')], [SimpleNamespace(end=20)], 1.0)
    assert (
        state['end'] == 10
        and ('MultiStepLR ended with the epochs of the checkpoint, at step 10, and this run goes on to 20')
        in said.pop()
    )
    for config, end in ((dict(type='MultiStepLR', end=10), 20), (dict(type='MultiStepLR'), 10)):
        continue_schedules([state], [config], [SimpleNamespace(end=end)], 1.0)
    assert not said
