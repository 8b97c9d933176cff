import numpy as np
import pytest
from fake_extractors import FakeExtractor

from signbert_mm.extraction import (
    Frame,
    MediaPipeExtractor,
    PoseExtractor,
    build_extractor,
    extract_stream,
    find_videos,
)
from signbert_mm.registry import EXTRACTORS

IMAGES = [np.full((8, 6, 3), shade, dtype=np.uint8) for shade in (10, 20, 30, 40, 50)]


@pytest.mark.parametrize('batch_size', [1, 2, 5, 16])
def test_a_stream_gives_a_pose_for_each_frame_in_order(batch_size):
    poses = list(extract_stream(iter(IMAGES), FakeExtractor(batch_size=batch_size)))
    assert len(poses) == 5 and all(pose.shape == (133, 3) and pose.dtype == np.float32 for pose in poses)
    assert [pose[0].tolist() for pose in poses] == [
        [shade, index + 1, 0.5] for index, shade in enumerate((10, 20, 30, 40, 50))
    ]
    assert all(pose[1].tolist() == [6, 8, 1] and (pose[2:] == 0).all() for pose in poses)


def test_frames_with_times_are_taken_and_each_stream_begins_anew():
    extractor = FakeExtractor()
    first = list(extract_stream((Frame(image, 0.0) for image in IMAGES), extractor))
    again = list(extract_stream(IMAGES, extractor))
    np.testing.assert_array_equal(first, again)


def test_with_a_batch_of_one_the_answer_comes_before_the_next_frame():
    asked = []

    def camera():
        for index, image in enumerate(IMAGES):
            asked.append(index)
            yield image

    stream = extract_stream(camera(), FakeExtractor())
    next(stream)
    assert asked == [0]


def test_scores_are_clamped_and_missing_joints_are_zero():
    class Odd(PoseExtractor):
        def predict(self, items):
            poses = np.full((len(items), 133, 3), 5.0)
            poses[0, :4, 2] = 1.7, 0, -0.5, np.nan
            poses[0, 4] = np.nan, 3, 0.8
            poses[0, 5] = 1, np.inf, 0.8
            return poses

    (pose,) = extract_stream(IMAGES[:1], Odd())
    assert pose[0].tolist() == [5, 5, 1] and (pose[1:6] == 0).all() and pose[6].tolist() == [5, 5, 1]


def test_a_wrong_shape_is_named():
    class Odd(PoseExtractor):
        def predict(self, items):
            return np.zeros((1, 17, 3))

    with pytest.raises(ValueError, match=r'Odd.predict gave shape \(1, 17, 3\) for 1 frames'):
        list(extract_stream(IMAGES[:1], Odd()))


def test_extractors_are_built_by_name_dict_or_class_path():
    assert EXTRACTORS.get('mediapipe') is MediaPipeExtractor
    assert {'mediapipe', 'mmpose', 'rtmlib'} <= set(EXTRACTORS.module_dict)
    fake = build_extractor(dict(type='fake_extractors.FakeExtractor', batch_size=3))
    assert type(fake).__name__ == 'FakeExtractor' and fake.batch_size == 3 and build_extractor(fake) is fake
    with pytest.raises(KeyError, match='unknown pose extractor .openpose.; known: .*mediapipe'):
        build_extractor('openpose')


def test_the_fingerprint_tells_settings_and_versions_apart():
    one, same, other = FakeExtractor(), FakeExtractor(wait=1), FakeExtractor(flavour='sweet')
    assert one.fingerprint == same.fingerprint != other.fingerprint
    other.flavour, other.version = '', '2'
    assert other.fingerprint != one.fingerprint


def test_ids_are_paths_below_the_folder(tmp_path):
    for name in ('b/one.mp4', 'b/two.MOV', 'a.mp4', 'c.mp4', 'c.mkv', 'notes.txt', '.hidden.mp4'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_videos(tmp_path)
    assert [video_id for video_id, _ in found] == ['a', 'b/one', 'b/two', 'c.mkv', 'c.mp4']
    assert found[1][1] == str(tmp_path / 'b' / 'one.mp4')
    assert find_videos([tmp_path / 'b', tmp_path / 'a.mp4'])[0] == ('a', str(tmp_path / 'a.mp4'))
    assert find_videos(str(tmp_path / 'notes.txt')) == [('notes', str(tmp_path / 'notes.txt'))]
    with pytest.raises(FileNotFoundError, match='absent: no such file or folder'):
        find_videos(tmp_path / 'absent')
    (tmp_path / 'd').mkdir()
    with pytest.raises(FileNotFoundError, match='no videos; looked for files that end in .*mp4'):
        find_videos(tmp_path / 'd')
    with pytest.raises(ValueError, match='both would be video_id'):
        find_videos([tmp_path / 'a.mp4', tmp_path / 'a.mp4'])
    with pytest.raises(ValueError, match='has 300 bytes'):
        from signbert_mm.extraction.find_videos import check_ids

        check_ids([('x' * 300, 'x.mp4')])
