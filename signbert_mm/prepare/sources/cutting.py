"""Cuts clips out of the poses of whole videos."""

from dataclasses import replace
from typing import Dict, Tuple

from ...datasets.frame_times import frames_between, mean_rate
from ..importers import UnreadableError
from .annotation import ClipRecord
from .poses import VideoPose

# A last frame or two may be lost to rounding and re-encoding.
_SPARE = 2


class VideoStarts:
    """When the first frames of videos are shown, for annotations whose seconds are those of a player.

    Args:
        paths (dict[int, str]): File of a record's video, by the record's ``id``, where it is known.
    """

    def __init__(self, paths: Dict[int, str]) -> None:
        self._paths = paths
        self._known: Dict[str, Tuple[float, str]] = {}

    def find(self, record: ClipRecord, pose: VideoPose) -> Tuple[float, str]:
        """Seconds from the video's time 0 at the first frame of its poses, and a remark if they are a guess.

        Poses that do not say it have no offset where their video is absent, too.
        """
        if not record.media_time or pose.start is not None:
            return pose.start or 0.0, ''
        path = self._paths.get(id(record), '')
        if not path:
            return 0.0, ''
        if path not in self._known:
            self._known[path] = _read_start(path)
        return self._known[path]


def _read_start(path: str) -> Tuple[float, str]:
    from ...extraction import VideoError, open_video

    try:
        with open_video(path) as video:
            return video.start, ''
    except (VideoError, OSError, ModuleNotFoundError) as error:
        return 0.0, f'whether its video begins late is not known, since it cannot be read ({error})'


def cut_clip(record: ClipRecord, pose: VideoPose, video_start: float = 0.0) -> Tuple[VideoPose, str]:
    """The clip's frames, and a remark if they are doubtful.

    If the rate is uneven, seconds are those of the frames' times.

    Args:
        record (ClipRecord): The clip.
        pose (VideoPose): Of its whole video.
        video_start (float): Seconds from the video's time 0 at the first frame, for records in media time.

    Raises:
        UnreadableError: No frames are left.
    """
    if record.no_frames:
        raise UnreadableError(record.no_frames)
    start, end, before = record.start, record.end, 0
    if record.media_time:
        if end is not None and end <= video_start:
            raise UnreadableError(
                f'it ends at {end:g} s, and the first frame of its video is shown at {video_start:g} s'
            )
        # Annotated frames before the video's first one.
        before = 0 if start is None else round(max(0.0, video_start - start) * (pose.fps or record.fps))
        start = None if start is None else max(0.0, start - video_start)
        end = None if end is None else end - video_start
    frames, begin, stop = len(pose.keypoints), 0, len(pose.keypoints)
    if start is not None or end is not None:
        fps = pose.fps or record.fps
        if record.unit == 'seconds' and not fps:
            raise UnreadableError(
                'neither poses nor annotation tell the frames a second, so the clip cannot be cut out'
            )
        if record.unit == 'seconds' and pose.times is not None:
            begin, stop = frames_between(pose.times, start, end)
        else:
            rate = fps if record.unit == 'seconds' else 1.0
            begin = 0 if start is None else round(start * rate)
            stop = frames if end is None else max(begin + 1, round(end * rate))
    if begin >= frames:
        raise UnreadableError(f'the video has {frames} frames, the clip is frames {begin} to {stop}')
    there, annotated = min(stop, frames) - begin, before + stop - begin
    remark = (
        f'{there} of {annotated} annotated frames are there' if max(stop - frames, before) > _SPARE else ''
    )
    times, fps = pose.times, pose.fps
    if times is not None:
        times = times[begin:stop] - times[begin]
        fps = mean_rate(times) or fps
    return replace(pose, keypoints=pose.keypoints[begin:stop], times=times, fps=fps, start=0.0), remark
