"""Coordinates in another unit than pixels are refused where poses enter."""

import numpy as np
import pytest
from verification_stores import alter

from signbert_mm.apis.clips import PoseClip
from signbert_mm.apis.input import InputReader
from signbert_mm.datasets import PoseDataset, PoseStoreWriter
from signbert_mm.datasets.pixel_check import PixelCheck, UnitError

SIZE = (640, 480)


def pixels(frames=4, joints=49, seed=0):
    """(T, V, 3): a person in the middle of the image."""
    random = np.random.RandomState(seed)
    points = random.uniform(0.2, 0.8, (frames, joints, 2)) * SIZE
    return np.concatenate([points, np.ones((frames, joints, 1))], axis=-1).astype(np.float32)


def scaled(factor=1.0, shift=0.0):
    values = pixels()
    values[..., :2] = values[..., :2] * factor + shift
    return values


UNITS = dict(
    fractions=(
        scaled(1 / np.asarray(SIZE)),
        'no coordinate is above 0.* in an image of 640 x 480 pixels, so these are not pixels; multiply x by',
    ),
    around_zero=(
        scaled(2 / np.asarray(SIZE), -1),
        r'run from -0\.\d+ to 0\.\d+ .*normalised, not pixels; '
        r'give the poses as they were',
    ),
    shoulders=(scaled(1 / 80, -4), r'run from -2\.\d+ to 2\.\d+ .*normalised'),
    multiplied=(
        scaled(np.asarray(SIZE)),
        '100% of the joints lie more than 16 images away.*were pixels multiplied by the image size',
    ),
    centre=(
        scaled(2, np.asarray(SIZE) * -1.0),
        'lie left of the image or above it; give pixels that count from the upper left corner',
    ),
)


@pytest.mark.parametrize('unit', UNITS)
def test_another_unit_is_refused_wherever_it_enters(tmp_path, unit):
    values, message = UNITS[unit]
    with pytest.raises(UnitError, match=message):
        PixelCheck(*SIZE).add(values[..., :2], values[..., 2]).refuse('clip')
    with pytest.raises(UnitError, match=f"clip 'mine': .*{message}"):
        PoseClip.make(values, 'sign_49', SIZE, name='mine')
    with PoseStoreWriter(tmp_path / 's', 'sign_49', ['a']) as writer:
        writer.add(pixels(), 0, 'train', 'good', width=640, height=480)
        with pytest.raises(UnitError, match=f"video_id 'bad'.*{message}"):
            writer.add(values, 0, 'train', 'bad', width=640, height=480)
        with pytest.raises(UnitError, match=message):  # a clip in pieces
            writer.add(iter([values[:1], values[1:]]), 0, 'train', 'bad', width=640, height=480)
        writer.add(pixels(seed=1), 0, 'train', 'other', width=640, height=480)
    store = PoseDataset(tmp_path / 's').store
    assert store.video_id.tolist() == ['good', 'other']
    store.verify()


@pytest.mark.parametrize(
    'values',
    [
        pixels(),
        scaled(0.1),  # a small person
        scaled(3.0),  # another image size than is told, which verify_dataset finds
        np.ones((3, 49, 3), np.float32),  # whole numbers
        np.zeros((3, 49, 3), np.float32),  # nobody
        pixels() * (np.arange(49) < 1)[:, None] * [1 / 640, 1 / 480, 1],  # too few joints to judge
    ],
)
def test_what_may_be_pixels_passes(values):
    PixelCheck(*SIZE).add(values[..., :2], values[..., 2]).refuse('clip')


def test_an_unknown_size_leaves_fractions_to_be_noticed():
    values = UNITS['fractions'][0]
    assert 'give X' in PixelCheck().add(values[..., :2], values[..., 2]).problem('give X')
    assert not PixelCheck().add(pixels()[..., :2], pixels()[..., 2]).problem()


def store_in_fractions(folder, bad, clips=4):
    """A store of an older version, which did not look at units."""
    with PoseStoreWriter(folder, 'sign_49', ['a']) as writer:
        for clip in range(clips):
            writer.add(pixels(seed=clip), 0, 'train', f'v{clip}', width=640, height=480)
        store = writer.close()

    def change(rows):
        for clip in range(bad):
            rows[store.offset[clip] : store.offset[clip] + store.length[clip], :, :2] /= 640

    alter(store, rows=change)
    return store


def test_older_stores_are_looked_at_when_a_data_set_is_opened(tmp_path):
    store_in_fractions(tmp_path / 's', 4)
    with pytest.raises(
        UnitError,
        match=r"4 of 4 clips that were looked at are not in pixels; clip 'v0': no "
        r'coordinate.*prepare the store again',
    ):
        PoseDataset(tmp_path / 's')
    store = store_in_fractions(tmp_path / 't', 1)
    assert len(PoseDataset(tmp_path / 't')) == 4  # said in the log
    with pytest.raises(UnitError, match="clip 'v0': no coordinate"):
        list(InputReader.store_clips(store, range(4)))
    assert len(list(InputReader.store_clips(store, range(1, 4)))) == 3


def test_joints_outside_the_image_are_told(tmp_path, monkeypatch):
    lines = []
    monkeypatch.setattr(
        'signbert_mm.datasets.pose_store_writer.print_log', lambda text, **_: lines.append(text)
    )
    for name, values in (('s', pixels()), ('t', scaled(3.0))):
        with PoseStoreWriter(tmp_path / name, 'sign_49', ['a']) as writer:
            writer.add(values, 0, 'train', 'v', width=640, height=480)
    assert (
        len(lines) == 1
        and lines[0].startswith(str(tmp_path / 't'))
        and ('outside their image; is the image size right?') in lines[0]
    )
