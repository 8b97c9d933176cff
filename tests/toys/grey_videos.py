"""Videos of even grey, which :class:`grey_extractor.GreyExtractor` reads."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from grey_extractor import SIGNS

EXTRACTOR = 'grey_extractor.GreyExtractor'


def make_video(path, grey, frames=6):
    """A video of even frames, 10 a second; in a folder, as images."""
    av = pytest.importorskip('av', reason='PyAV is not installed')
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('mpeg4', rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        for _ in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), grey, np.uint8), format='rgb24')
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def make_images(folder, grey, frames=6):
    """A clip as a folder of numbered images."""
    folder.mkdir(parents=True)
    for number in range(frames):
        cv2.imwrite(str(folder / f'{number:03d}.png'), np.full((48, 64, 3), grey, np.uint8))
    return folder


def make_signs(folder, signers=('anna', 'ben', 'cem'), takes=1):
    """``<sign>/<signer>_<take>.mp4`` of all signs."""
    for sign, grey in SIGNS.items():
        for place, signer in enumerate(signers):
            for take in range(1, takes + 1):
                # Another length and grey for each, or they would be copies of one video.
                make_video(folder / sign / f'{signer}_{take}.mp4', grey + 4 * place + take, 5 + take + place)
    return folder


def make_late_video(path, greys, start=2.0, rate=10, sound=True, codec='mpeg4'):
    """A video of even frames whose first one is shown at ``start`` seconds; the sound begins at 0.

    Without sound an edit list makes it late, or what else the container has.
    """
    av = pytest.importorskip('av', reason='PyAV is not installed')
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        stream.codec_context.time_base = Fraction(1, 1000)
        packets = []
        if sound:
            heard = container.add_stream('aac', rate=8000)
            heard.layout = 'mono'
            samples = np.zeros((1, round(8000 * (start + len(greys) / rate))), np.int16)
            silence = av.AudioFrame.from_ndarray(samples, format='s16', layout='mono')
            silence.sample_rate, silence.pts = 8000, 0
            resampler = av.AudioResampler(heard.format.name, 'mono', 8000, frame_size=1024)
            for part in resampler.resample(silence):
                packets += heard.encode(part)
            packets += heard.encode()
        for number, grey in enumerate(greys):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), grey, np.uint8), format='rgb24')
            frame.pts, frame.time_base = round(1000 * (start + number / rate)), Fraction(1, 1000)
            packets += stream.encode(frame)
        packets += stream.encode()
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            container.mux(packet)
    return path
