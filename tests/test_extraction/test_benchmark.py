import json

import numpy as np
from made_videos import make_video
from source_files import load_file

from signbert_mm.extraction import open_video

benchmark = load_file('benchmarks/extraction.py')


def test_a_looped_video_goes_on_in_time_and_is_read_whole(tmp_path, capsys):
    count = benchmark.loop_video(make_video(tmp_path / 'a.mp4', 10, rate=10), str(tmp_path / 'long.mp4'), 0.1)
    times = [time for _, time in open_video(tmp_path / 'long.mp4')]
    assert count == len(times) == 60 and np.allclose(np.diff(times), 0.1)
    benchmark.peak(str(tmp_path / 'long.mp4'), 'none', str(tmp_path))
    frames, seconds, reading, merging = json.loads(capsys.readouterr().out)
    assert frames == 60 and seconds > 0 and 20 < reading <= merging + 8  # the kernel counts pages in batches


def test_speed_names_every_extractor(tmp_path):
    figures = benchmark.speed(make_video(tmp_path / 'a.mp4', 4), ['none'], 3, 1)
    assert sorted(figures) == ['frames_per_s_none', 'frames_per_s_reading'] and min(figures.values()) > 0


def test_a_thinned_video(tmp_path):
    assert (
        benchmark.thin_video(make_video(tmp_path / 'a.mp4', 20, rate=10), str(tmp_path / 'thin.mp4'), 2) == 5
    )
    assert [time for _, time in open_video(tmp_path / 'thin.mp4')] == [0, 0.5, 1, 1.5, 2]


def test_signs_of_a_long_video(tmp_path):
    inference = load_file('benchmarks/inference.py')
    told = inference.peak('signbert_d128_finetune', make_video(tmp_path / 'a.mp4', 12, rate=2), 'none')
    assert told['frames'] == 12 and told['windows'] == 9 and told['peak_mb'] > 20
