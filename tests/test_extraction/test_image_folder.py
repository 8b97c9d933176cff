import cv2
import numpy as np
import pytest
from fake_extractors import FakeExtractor
from made_videos import make_video, picture, shades

from signbert_mm.extraction import (
    ImageFolderReader,
    VideoError,
    extract_folder,
    find_videos,
    image_clips,
    open_video,
)


def make_images(folder, names, width=64, height=48):
    """A video as :func:`make_video` makes it, as images."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, shade in zip(names, shades(len(names))):
        cv2.imwrite(str(folder / name), picture(width, height, shade)[..., ::-1])
    return folder


def test_images_come_as_rgb_in_order_of_their_numbers(tmp_path):
    folder = make_images(tmp_path / 'hello.1', [f'frame_{number}.png' for number in range(8, 12)])
    (folder / 'gloss.txt').write_text('hello')
    with open_video(folder, image_fps=10) as reader:
        assert isinstance(reader, ImageFolderReader)
        assert (reader.width, reader.height, reader.fps, reader.frames, reader.damaged) == (64, 48, 10, 4, 0)
        images, times = zip(*reader)
        assert times == (0, 0.1, 0.2, 0.3) and [int(image[-1, -1, 0]) for image in images] == shades(4)
        np.testing.assert_array_equal(images[2], picture(shade=shades(4)[2]))
        assert len(list(reader)) == 4 and 'hello.1' in repr(reader)
    assert open_video(folder).fps == 0 and [time for _, time in open_video(folder)][1] == 0.04
    assert len(list(open_video(folder, fps=20, image_fps=10))) == 7


def test_turned_and_other_sizes(tmp_path):
    folder = make_images(tmp_path / 'a', ['1.jpg', '2.jpg'])
    # orientation 6: turn right
    exif = b'Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0'
    data = (folder / '1.jpg').read_bytes()
    (folder / '1.jpg').write_bytes(
        data[:2] + b'\xff\xe1' + (len(exif) + 2).to_bytes(2, 'big') + exif + data[2:]
    )
    reader = open_video(folder)
    assert (reader.width, reader.height) == (48, 64)
    first, second = (image for image, _ in reader)
    assert first.shape == second.shape == (64, 48, 3)
    # blue at the upper left, then red, then green below
    assert first[5, 5, 2] > 200 and first[5, -5, 0] > 200 and first[-5, -5, 1] > 200


def test_what_is_missing(tmp_path):
    gap = make_images(tmp_path / 'gap', ['1.png', '2.png', '5.png', '6.png'])
    with pytest.raises(
        VideoError,
        match=r'gap: truncated: between 2.png and 5.png numbers are left out \(1 '
        r'such gaps\)',
    ):
        open_video(gap)
    assert len(list(open_video(gap, truncated='keep'))) == 4
    assert len(list(open_video(make_images(tmp_path / 'steps', ['0.png', '5.png', '10.png'])))) == 3
    assert len(list(open_video(make_images(tmp_path / 'times', ['1000.png', '1033.png', '1067.png'])))) == 3
    twice = make_images(tmp_path / 'twice', ['01.png', '1.png', '2.png'])
    with pytest.raises(VideoError, match='01.png and 1.png have the same number'):
        open_video(twice)
    damaged = make_images(tmp_path / 'damaged', ['1.png', '2.png', '3.png'])
    (damaged / '2.png').write_bytes(b'\x89PNG')
    reader = open_video(damaged)
    assert len(list(reader)) == 2 and reader.damaged == 1
    for name in ('1.png', '3.png'):
        (damaged / name).write_bytes(b'')
    with pytest.raises(VideoError, match='none of its 3 images can be read'):
        open_video(damaged)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(VideoError, match='a folder, and not one of numbered images'):
        open_video(tmp_path / 'empty')
    with pytest.raises(VideoError, match='cannot be resampled to 12 a second; give theirs'):
        open_video(tmp_path / 'steps', fps=12)
    with pytest.raises(ValueError, match='image_fps is -1'):
        open_video(tmp_path / 'steps', image_fps=-1)


def test_clips_of_a_folder(tmp_path):
    make_images(tmp_path / 'v' / 'hello' / 'take.1', [f'{number:04d}.jpg' for number in range(3)])
    make_images(tmp_path / 'v' / 'bye' / 'b', ['x0.png', 'x1.png', '.x2.png'])
    make_images(tmp_path / 'v' / 'pictures', ['a1.png', 'b1.png'])  # two series
    make_images(tmp_path / 'v' / 'logos', ['big.png', 'small.png'])
    make_images(tmp_path / 'v' / 'lone', ['1.png'])
    thumbnails = make_images(tmp_path / 'v' / 'videos', ['1.png', '2.png'])
    make_video(thumbnails / '1.mp4', 5)
    videos = find_videos(tmp_path / 'v')
    assert [name for name, _ in videos] == ['bye/b', 'hello/take.1', 'videos/1']
    assert sorted(name for name, _ in image_clips(str(tmp_path / 'v'))) == ['bye/b', 'hello/take.1']
    assert find_videos(tmp_path / 'v' / 'bye' / 'b') == [('b', str(tmp_path / 'v' / 'bye' / 'b'))]
    store = extract_folder(videos, tmp_path / 'out', FakeExtractor(), progress=False, image_fps=12.5)
    assert store.length.tolist() == [2, 3, 5] and store.fps.tolist() == [12.5, 12.5, 10]
    np.testing.assert_allclose(store.clip(0)[0][:, 0, 0], shades(3)[:2], atol=1)
    assert store.meta['notes']['extraction']['image_fps'] == 12.5
    failed = extract_folder(videos, tmp_path / 'even', FakeExtractor(), progress=False, fps=5)
    assert list(failed.video_id) == ['videos/1'] and failed.meta['notes']['failed'] == [
        'bye/b',
        'hello/take.1',
    ]
