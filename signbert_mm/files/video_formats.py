"""Opens video files so that nothing but the named file is read."""

import os
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from av.container import InputContainer

# FFmpeg's demuxers that read one file and no other. A playlist (hls, dash, concat, imf), a pattern of names
# (image2), a session description (sdp) or a device could open any file of this machine. The suffix does not
# matter: FFmpeg looks at the content.
_FORMATS = (
    'mov matroska avi mpeg mpegts mpegvideo flv live_flv kux asf ogg mxf mxf_opatom gxf dv gif apng nut nuv '
    'rm wtv ivf obu av1 h261 h263 h264 hevc vvc evc m4v cavsvideo dirac vc1 vc1test dnxhd mjpeg smjpeg '
    'mpjpeg yuv4mpegpipe amv swf pva roq bink smk nsv jpeg_pipe png_pipe webp_pipe bmp_pipe gif_pipe '
    'tiff_pipe jpegxl_pipe ppm_pipe '
    # These hold no video. They are opened, so that the message can say so.
    'wav w64 mp3 aac flac aiff au caf ac3 eac3 amr srt ass webvtt'
).split()
_OPTIONS = dict(format_whitelist=','.join(_FORMATS), protocol_whitelist='file')


def open_container(path: Union[str, 'os.PathLike[str]']) -> 'InputContainer':
    """The container of a video file, by PyAV.

    Raises:
        av.FFmpegError: It cannot be opened; ``errno`` is EINVAL where its format is not on the list.
        ModuleNotFoundError: PyAV is not installed.
    """
    import av

    # The absolute path, since FFmpeg takes 'concat:a' for a protocol.
    return av.open(os.path.abspath(path), options=dict(_OPTIONS))
