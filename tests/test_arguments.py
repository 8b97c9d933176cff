"""Types of arguments: what they take, and how a parser words what they refuse."""

import argparse

import pytest

from signbert_mm.arguments import positive, seed, whole


@pytest.mark.parametrize(
    'kind, text, value',
    [(whole(0), '0', 0), (whole(1, 3), '3', 3), (positive, '1e-3', 0.001), (seed, '4294967295', 2**32 - 1)],
)
def test_numbers(kind, text, value):
    assert kind(text) == value and type(kind(text)) is type(value)


@pytest.mark.parametrize(
    'kind, text, message',
    [
        (whole(1), '0', 'must be at least 1, got 0'),
        (whole(1), '1.5', "'1.5' is no whole number"),
        (whole(1, 3), '4', 'must be from 1 to 3, got 4'),
        (positive, '0', 'must be a number above 0, got 0'),
        (positive, 'nan', 'must be a number above 0, got nan'),
        (positive, 'inf', 'must be a number above 0, got inf'),
        (positive, 'x', "'x' is no number"),
        (seed, '-1', 'must be from 0 to 4294967295, got -1'),
    ],
)
def test_what_is_refused_is_one_line(kind, text, message, capsys):
    parser = argparse.ArgumentParser()
    parser.add_argument('--n', type=kind)
    with pytest.raises(SystemExit):
        parser.parse_args(['--n', text])
    assert capsys.readouterr().err.splitlines()[-1].endswith(f'argument --n: {message}')
