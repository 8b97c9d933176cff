"""Segments as files of ELAN and as subtitles."""

import numpy as np
import pytest

from signbert_mm.apis.subtitles import read_eaf, segment_rows, sign_segments, write_eaf, write_vtt

SEGMENTS = [
    dict(start=3600.5, end=3601.2504, gloss='A --> <B> & C', score=0.914),
    dict(start=0, end=1, gloss='YES'),
]


def test_vtt(tmp_path):
    write_vtt(tmp_path / 'a.vtt', SEGMENTS)
    assert (tmp_path / 'a.vtt').read_text(encoding='utf-8').split('\n') == [
        'WEBVTT',
        '',
        '00:00:00.000 --> 00:00:01.000',
        'YES',
        '',
        '01:00:00.500 --> 01:00:01.250',
        'A --&gt; &lt;B&gt; &amp; C (0.91)',
        '',
    ]


@pytest.mark.parametrize(
    'segment', [(0, 0.0001, 'A', None), (-1, 1, 'A', None), (0, 1, ' \n', None), (0, np.inf, 'A', None)]
)
def test_cues_that_are_none(tmp_path, segment):
    with pytest.raises(ValueError, match='a.vtt: segment .* a cue needs text, and an end after its start'):
        write_vtt(tmp_path / 'a.vtt', [segment])


def test_segments_of_predictions(tmp_path):
    rows = [(0, 1, 'YES', None), (2.0, 3.0, 'NO', 0.5)]
    assert segment_rows(rows) == rows
    prediction = dict(segments=[dict(start=2.0, end=3.0, gloss='NO', score=0.5)])
    assert sign_segments(prediction, 9.0) == rows[1:]
    one = dict(glosses=['YES', 'NO'], scores=[0.75, 0.5])
    assert sign_segments(one, 3.0, start=2.0) == [(2.0, 5.0, 'YES', 0.75)]
    assert sign_segments(dict(glosses=['A', 'B'], scores=[0.7, 0.1]), 1.5) == [(0.0, 1.5, 'A', 0.7)]
    assert sign_segments(dict(glosses=[], scores=[]), 1.5) == []
    write_eaf(tmp_path / 'a.eaf', 'a.mp4', {'signer': prediction['segments']})
    assert read_eaf(tmp_path / 'a.eaf').scored('signer') == rows[1:]
