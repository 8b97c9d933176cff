"""The bar: nothing for two seconds, then a line in place, or now and then in a log."""

import io

import pytest

from signbert_mm.cli import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, 'monotonic', lambda: now[0])
    return now


def test_a_terminal(clock):
    stream = Terminal()
    bar = progress.ProgressBar(stream)
    for done in range(5):
        bar('reading', done, 8)
        clock[0] += 1
    text = stream.getvalue()
    assert text.count('\r') == 3 and 'reading [######..................] 2/8, 6 s to go' in text
    bar('drawing', 1, 2)
    bar.close()
    assert stream.getvalue() == text + '\n'


def test_a_log(clock):
    stream = io.StringIO()
    bar = progress.ProgressBar(stream)
    for done in range(1, 91):
        bar('reading', done, 90)
        clock[0] += 1
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3 and lines[-1].endswith('90/90, 0 s to go')


def test_an_unknown_end(clock):
    bar = progress.ProgressBar(io.StringIO())
    bar('reading', 0, 0)
    assert bar.line(30, 0, 12.3) == 'reading: 30, 12 s'
