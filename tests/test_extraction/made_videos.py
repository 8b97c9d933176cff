"""Videos that the tests make through PyAV."""

from fractions import Fraction

import numpy as np
import pytest

av = pytest.importorskip('av', reason='PyAV is not installed: make install-extract')


def picture(width=64, height=48, shade=0):
    """Four quarters: red, green / blue, ``shade``."""
    image = np.full((height, width, 3), shade, dtype=np.uint8)
    image[: height // 2, : width // 2] = (255, 0, 0)
    image[: height // 2, width // 2 :] = (0, 255, 0)
    image[height // 2 :, : width // 2] = (0, 0, 255)
    return image


def shades(count):
    """Grey levels that survive compression and tell frames apart."""
    return [int(value) for value in np.linspace(20, 235, count)]


def make_video(
    path,
    frames=10,
    width=64,
    height=48,
    rate=10,
    codec='libx264',
    times=None,
    turn=None,
    options=None,
    quick=True,
):
    """A video whose last quarter brightens frame by frame.

    Args:
        times (list[float], optional): Of each frame, in seconds: a variable rate.
        turn (dict, optional): Arguments of ``set_display_rotation``.
        options (dict, optional): Of the container.
    """
    with av.open(str(path), 'w', options=options or {}) as container:
        coding = {'preset': 'ultrafast', 'x264-params': 'keyint=5'} if codec == 'libx264' and quick else {}
        stream = container.add_stream(codec, rate=rate, options=coding)
        stream.width, stream.height, stream.pix_fmt = (
            width,
            height,
            'yuvj420p' if codec == 'mjpeg' else 'yuv420p',
        )
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        if turn is not None:
            stream.set_display_rotation(**turn)
        for index, shade in enumerate(shades(frames)):
            frame = av.VideoFrame.from_ndarray(picture(width, height, shade), format='rgb24')
            if times is not None:
                frame.pts, frame.time_base = round(times[index] * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return str(path)


def make_sound(path, codec='pcm_s16le', cover=False):
    """A second of silence; with ``cover``, a still picture beside it, as in music files."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=8000)
        stream.layout = 'mono'
        if cover:
            still = container.add_stream('mjpeg', rate=1)
            still.width, still.height, still.pix_fmt = 32, 32, 'yuvj420p'
            still.disposition = av.stream.Disposition.attached_pic
            container.mux(still.encode(av.VideoFrame.from_ndarray(picture(32, 32), format='rgb24')))
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), dtype=np.int16), format='s16', layout='mono')
        frame.sample_rate, frame.pts = 8000, 0
        for part in av.AudioResampler(
            stream.format.name, 'mono', 8000, frame_size=stream.codec_context.frame_size or 0
        ).resample(frame):
            container.mux(stream.encode(part))
        container.mux(stream.encode())
    return str(path)


def cut(path, out, share=0.6):
    """The first ``share`` of a file's bytes."""
    with open(path, 'rb') as file:
        data = file.read()
    with open(out, 'wb') as file:
        file.write(data[: int(len(data) * share)])
    return str(out)
