from pathlib import Path

import cv2
import numpy as np
import pytest
from grey_videos import make_late_video
from made_videos import cut, make_sound, make_video, picture, shades

from signbert_mm.extraction import Frame, VideoError, open_video
from signbert_mm.extraction.frames import resample


def grey(frames):
    return [int(frame.image[-4, -4].mean()) for frame in frames]


def assert_alike(image, expected):
    assert image.shape == expected.shape and image.dtype == np.uint8
    assert np.abs(image.astype(int) - expected)[4:-4, 4:-4].mean() < 12


def test_frames_come_as_rgb_with_their_times_and_as_often_as_asked(tmp_path):
    with open_video(make_video(tmp_path / 'a.mp4', 10, rate=10)) as video:
        assert (video.width, video.height, video.fps, video.frames) == (64, 48, 10, 10)
        frames = list(video)
        again = list(video)
    assert np.allclose([frame.time for frame in frames], np.arange(10) / 10)
    np.testing.assert_allclose(grey(frames), shades(10), atol=4)
    assert_alike(frames[3].image, picture(shade=shades(10)[3]))
    assert len(again) == 10 and all(
        (one.image == two.image).all() and one.time == two.time for one, two in zip(frames, again)
    )
    image, time = frames[0]
    assert isinstance(frames[0], Frame) and image.flags.c_contiguous and time == 0


@pytest.mark.parametrize(
    'turn, upright',
    [
        # a phone held upright: a quarter turn clockwise to see it right
        (dict(degrees=-90), lambda image: np.rot90(image, -1)),
        (dict(degrees=90), np.rot90),
        (dict(degrees=180), lambda image: image[::-1, ::-1]),
        (dict(degrees=0, hflip=True), lambda image: image[:, ::-1]),
        (dict(degrees=90, hflip=True), lambda image: np.rot90(image)[:, ::-1]),
    ],
)
def test_the_display_matrix_is_applied(tmp_path, turn, upright):
    video = open_video(make_video(tmp_path / 'a.mp4', 2, turn=turn))
    expected = upright(picture(shade=shades(2)[0]))
    assert (video.height, video.width) == expected.shape[:2]
    assert_alike(next(iter(video)).image, expected)


TIMES = [0, 0.04, 0.08, 0.5, 0.52, 1.0]


@pytest.mark.parametrize('name', ['a.mp4', 'a.mkv'])
def test_a_variable_rate_keeps_its_times(tmp_path, name):
    video = open_video(make_video(tmp_path / name, 6, times=TIMES))
    assert np.allclose([frame.time for frame in video], TIMES, atol=1e-3)
    assert video.fps == pytest.approx(5)  # 5 steps in a second, whatever the header says


def test_resampling_takes_the_nearest_frame(tmp_path):
    path = make_video(tmp_path / 'a.mp4', 6, times=TIMES)
    video = open_video(path, fps=10)
    frames = list(video)
    assert np.allclose([frame.time for frame in frames], np.arange(11) / 10) and video.fps == 10
    # 0.3 s is nearer to 0.5 than to 0.08, 0.7 nearer to 0.52 than to 1
    nearest = [0, 2, 2, 3, 3, 3, 4, 4, 5, 5, 5]
    np.testing.assert_allclose(grey(frames), np.asarray(shades(6))[nearest], atol=4)


def test_resampling_by_hand():
    frames = [Frame(index, time) for index, time in enumerate([1.0, 1.1, 1.2, 1.3])]
    assert [(frame.image, round(frame.time, 3)) for frame in resample(frames, 5)] == [(0, 1.0), (2, 1.2)]
    assert [frame.image for frame in resample(frames, 15)] == [0, 1, 1, 2, 3]  # at 0, 67, 133, 200, 267 ms
    assert [frame.image for frame in resample(frames, 10)] == [0, 1, 2, 3]
    assert [frame.image for frame in resample(frames[:1], 25)] == [0] and list(resample([], 25)) == []


@pytest.mark.parametrize(
    'name, sound, start',
    [
        ('a.mp4', True, 2.0),
        # An edit list alone.
        ('a.mov', False, 2.0),
        ('a.mkv', True, 2.0),
        ('a.mkv', False, 2.0),
        ('a.ts', True, 2.0),
        # The clock of a transport stream begins anywhere, and the file begins there.
        ('a.ts', False, 0.0),
    ],
)
def test_times_count_from_the_time_0_of_the_file(tmp_path, name, sound, start):
    path = make_late_video(tmp_path / name, np.linspace(40, 200, 20), 2.0, 10, sound)
    with open_video(path) as video:
        # The encoder of the sound begins some samples earlier.
        assert video.start == pytest.approx(start, abs=0.13 if name == 'a.ts' else 2e-3)
        times = [frame.time for frame in video]
        again = [frame.time for frame in video]
    assert times == again and times[0] == video.start
    np.testing.assert_allclose(np.diff(times), 0.1, atol=2e-3)
    with open_video(path, fps=5) as video:
        np.testing.assert_allclose(
            [frame.time - video.start for frame in video], np.arange(10) / 5, atol=1e-6
        )


def test_the_clock_of_a_transport_stream_may_begin_anywhere(tmp_path):
    greys = np.linspace(40, 200, 20)
    with open_video(make_late_video(tmp_path / 'a.ts', greys, 50.0, 10, sound=False)) as video:
        assert video.start == 0
        np.testing.assert_allclose([frame.time for frame in video], np.arange(20) / 10, atol=1e-3)


def test_a_header_without_a_rate_is_read_by_its_timestamps(tmp_path):
    path = tmp_path / 'a.mkv'
    make_video(path, 8, times=[index / 12.5 for index in range(8)])
    data = path.read_bytes()
    field = data.index(b'\x23\xe3\x83\x84')  # DefaultDuration
    path.write_bytes(data[:field] + b'\xec\x86' + bytes(6) + data[field + 8 :])  # becomes Void
    video = open_video(path)
    assert video.fps == 0
    assert len(list(video)) == 8 and video.fps == pytest.approx(12.5)


def test_a_header_with_the_rate_0(tmp_path):
    path = tmp_path / 'a.avi'
    make_video(path, 10, codec='mpeg4')
    data = bytearray(path.read_bytes())
    header = data.index(b'strh') + 8
    assert data[header + 24] == 10  # dwRate
    data[header + 24 : header + 28] = bytes(4)
    path.write_bytes(data)
    video = open_video(path)
    frames = list(video)
    # AVI has no timestamps: FFmpeg's own 25
    assert len(frames) == 10 and np.isfinite(video.fps) and video.fps > 0
    assert (np.diff([frame.time for frame in frames]) > 0).all()


def test_a_stream_without_timestamps(tmp_path):
    video = open_video(make_video(tmp_path / 'a.h264', 6))
    assert np.allclose(np.diff([frame.time for frame in video]), 1 / 25)


def test_4k(tmp_path):
    video = open_video(make_video(tmp_path / 'a.mp4', 1, 3840, 2160, codec='mpeg4'))
    image = next(iter(video)).image
    assert image.shape == (2160, 3840, 3) and image[100, 100, 0] > 200 and image[-100, 100, 2] > 200


def test_recordings_joined_end_to_end(tmp_path):
    """Of another size and with a clock that starts anew."""
    parts = [make_video(tmp_path / 'a.ts', 5), make_video(tmp_path / 'b.ts', 5, 96, 80)]
    path = tmp_path / 'joined.ts'
    path.write_bytes(b''.join(Path(part).read_bytes() for part in parts))
    frames = list(open_video(path))
    assert {frame.image.shape for frame in frames} == {(48, 64, 3)} and len(frames) == 10
    assert np.allclose(np.diff([frame.time for frame in frames]), 0.1)


def test_a_damaged_packet_is_skipped_and_counted(tmp_path):
    import av

    path = tmp_path / 'a.mkv'
    make_video(path, 30)
    with av.open(str(path)) as container:
        packet = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size][7]
    data = bytearray(path.read_bytes())
    data[packet[0] + 10 : sum(packet) - 2] = b'\xff' * (packet[1] - 12)
    path.write_bytes(data)
    video = open_video(path)
    assert len(list(video)) == 29 and video.damaged == 1


@pytest.mark.parametrize(
    'name, codec, options',
    [('a.mp4', 'libx264', dict(movflags='faststart')), ('a.mkv', 'libx264', {}), ('a.flv', 'libx264', {})],
)
def test_a_truncated_file_is_refused_unless_it_may_be_kept(tmp_path, name, codec, options):
    whole = make_video(tmp_path / name, 50, rate=25, codec=codec, options=options)
    assert len(list(open_video(whole))) == 50
    path = cut(whole, tmp_path / f'cut-{name}')
    with pytest.raises(VideoError, match=f'cut-{name}: truncated: .*--truncated keep'):
        list(open_video(path))
    assert 5 < len(list(open_video(path, truncated='keep'))) < 45


def test_a_file_cut_before_its_index(tmp_path):
    path = cut(make_video(tmp_path / 'a.mp4', 50), tmp_path / 'cut.mp4')
    with pytest.raises(VideoError, match='cut.mp4: not a video that FFmpeg reads, or cut short'):
        open_video(path)


def test_what_is_no_video_is_refused_with_its_name_and_reason(tmp_path):
    (tmp_path / 'text.mp4').write_text('a text file, renamed\n' * 50)
    (tmp_path / 'titles.mp4').write_text('1\n00:00:00,000 --> 00:00:02,000\nhello\n\n' * 30)
    (tmp_path / 'empty.mp4').touch()
    (tmp_path / 'folder.mp4').mkdir()
    make_sound(tmp_path / 'sound.m4a', 'aac')
    make_sound(tmp_path / 'cover.mp3', 'libmp3lame', cover=True)
    for name, reason in {
        'text.mp4': 'not a video that FFmpeg reads',
        'titles.mp4': 'no video in it, only subtitle',
        'empty.mp4': r'empty \(0 bytes\)',
        'folder.mp4': 'a folder, and not one of numbered images',
        'absent.mp4': 'no such file',
        'sound.m4a': 'no video in it, only audio',
        'cover.mp3': 'no video in it, only audio',
    }.items():
        with pytest.raises(VideoError, match=f'{name}: {reason}'):
            open_video(tmp_path / name)


PLAYLISTS = {
    'hls': '#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{video}\n#EXT-X-ENDLIST\n',
    'concat': "ffconcat version 1.0\nfile '{video}'\n",
    'sdp': 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP '
    '96\na=rtpmap:96 H264/90000\n',
    'dash': '<?xml version="1.0"?><MPD '
    'xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><BaseURL>{video}</BaseURL></Period></MPD>',
    'rtsp': '[Reference]\nRef1=http://127.0.0.1:1/{video}\n',
}


@pytest.mark.parametrize('kind', PLAYLISTS)
@pytest.mark.parametrize('name', ['list.mp4', 'list.m3u8', 'list.ts', 'list.txt', 'list'])
def test_a_playlist_under_any_name_reads_no_other_file(tmp_path, monkeypatch, kind, name):
    make_video(tmp_path / 'other.ts', 5)
    monkeypatch.chdir(tmp_path)  # so that names without a folder would be found
    for video in ('other.ts', tmp_path / 'other.ts', f'file:{tmp_path}/other.ts'):
        (tmp_path / name).write_text(PLAYLISTS[kind].format(video=video))
        with pytest.raises(
            VideoError, match=f'{name}: (of a format that is not read|not a video that FFmpeg reads)'
        ):
            open_video(tmp_path / name)


@pytest.mark.parametrize(
    'name',
    ['concat:other.mp4', 'file:other.mp4', 'subfile,,start,0,end,0,,:other.mp4', '%d.png', 'a%03d.jpg'],
)
def test_a_name_is_never_an_address_or_a_pattern(tmp_path, monkeypatch, name):
    """Files with such names, and what FFmpeg would take them for beside them."""
    make_video(tmp_path / 'other.mp4', 5)
    monkeypatch.chdir(tmp_path)
    for number in (0, 1, 2):
        assert cv2.imwrite(name % number if '%' in name else 'x.png', np.zeros((48, 64, 3), np.uint8))
    (tmp_path / name).write_bytes(b'no video')
    with pytest.raises(VideoError, match='format that is not read|not a video'):
        open_video(name)


def test_a_video_with_the_name_of_an_address_is_read(tmp_path, monkeypatch):
    make_video(tmp_path / 'a.mp4', 3)
    (tmp_path / 'a.mp4').rename(tmp_path / 'concat:x|y.mp4')
    monkeypatch.chdir(tmp_path)
    with open_video('concat:x|y.mp4') as video:
        assert len(list(video)) == 3


def test_a_video_none_of_whose_frames_decode(tmp_path):
    import av

    path = tmp_path / 'a.mkv'
    make_video(path, 4)
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    for position, size in packets:
        data[position + 10 : position + size] = b'\xff' * (size - 10)
    path.write_bytes(data)
    with pytest.raises(VideoError, match=r'a.mkv: no frame can be decoded \(\d damaged packets\)'):
        open_video(path)


def test_arguments_are_checked(tmp_path):
    with pytest.raises(ValueError, match='fps is 0'):
        open_video(tmp_path / 'a.mp4', fps=0)
    with pytest.raises(ValueError, match="choose 'error' or 'keep'"):
        open_video(tmp_path / 'a.mp4', truncated='maybe')
