import numpy as np
import pytest

from signbert_mm.visualization.sign_overlay import SignOverlay, attention_over_time
from signbert_mm.visualization.video_writer import VideoWriter


def test_attention_over_time():
    # frames 1 and 3 of five; the value between is their mean; frame 3 was shown twice
    curve = attention_over_time(5, [(np.array([1, 3, 3]), np.array([[0.2, 0.0], [0.2, 0.1], [0.4, 0.1]]))])
    assert curve.tolist() == [[0, 0], [0.2, 0], pytest.approx([0.4, 0.1]), pytest.approx([0.6, 0.2]), [0, 0]]
    both = attention_over_time(
        3, [(np.array([0, 1]), np.ones((2, 2))), (np.array([1, 2]), 3 * np.ones((2, 2)))]
    )
    assert both[:, 0].tolist() == [1, 2, 3]
    assert (attention_over_time(2, []) == 0).all()


@pytest.mark.parametrize('size', [(64, 48), (48, 64), (1920, 1080), (33, 501)])
def test_draw(size):
    image = np.full((size[1], size[0], 3), 90, np.uint8)
    pose = np.random.RandomState(0).uniform(0, min(size), (49, 3))
    pose[:, 2] /= min(size)
    pose[:21] = 0
    overlay = SignOverlay(
        *size, 'sign_49', 10, np.random.RandomState(1).uniform(size=(10, 2)), [(2, 7, 'hello')], 'a title'
    )
    bars = [
        ('hello', 0.9),
        ('water', 0.1),
        ('a gloss of a length that no panel can hold, whatever it means', 0.0),
    ]
    drawn, later = overlay.draw(image, pose, bars, 2), overlay.draw(image, pose, bars, 8)
    assert drawn.shape == (*overlay.shape, 3) and drawn.dtype == np.uint8
    height = overlay.shape[0] - overlay._strip_height
    # only the playhead moves
    assert (drawn[:height] == later[:height]).all() and (drawn[height:] != later[height:]).any()
    assert (overlay.draw(image, pose, bars, 2, quiet=True)[:height] != drawn[:height]).any()
    stream = SignOverlay(*size, 'sign_49')
    assert stream.draw(image, 0 * pose, []).shape == (*stream.shape, 3) and stream.shape[0] == height


def test_writer(tmp_path):
    av = pytest.importorskip('av', reason='PyAV is not installed')
    with VideoWriter(tmp_path / 'folder' / 'out.mp4', 12.5) as writer:
        for level in (0, 100, 200):
            writer.write(np.full((41, 63, 3), level, np.uint8))
    with av.open(str(tmp_path / 'folder' / 'out.mp4')) as container:
        frames = [frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)]
        assert float(container.streams.video[0].average_rate) == 12.5
    assert [frame.shape for frame in frames] == [(40, 62, 3)] * 3 and [
        round(float(frame.mean()), -1) for frame in frames
    ] == [0, 100, 200]
    with pytest.raises(ValueError, match='fps is 0'):
        VideoWriter(tmp_path / 'x.mp4', 0)
