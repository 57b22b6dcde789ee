"""Read what has no end of its own: network streams and cameras."""

import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np

from yolopv2.media.frame import Frame, Unreadable
from yolopv2.media.quiet import codec_messages
from yolopv2.media.remote import TIMEOUT

_STREAM_OPTIONS = {
    # A stream may lead to other addresses (the segments of an HLS playlist), but never to files of this machine.
    "protocol_whitelist": "http,https,httpproxy,tcp,tls,udp,rtp,srtp,rtsp,rtsps,rtmp,rtmps,rtmpt,crypto",
    "format_whitelist": "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,hls,rtsp,sdp,rtp,mpjpeg,mjpeg,h264,hevc,m4v",
    "rtsp_transport": "tcp",
}
_RECONNECT_DELAYS = (1, 2, 4, 8, 16)

Remark = Callable[[str], None]
"""Takes what went wrong without ending the reading."""


def stream_frames(url: str, name: str, remark: Remark) -> Iterator[Frame]:
    """Read a video or stream behind an address.

    A video of known length is read to its end. A live stream that breaks off is opened again up to five times in a
    row, waiting 1 to 16 seconds in between; the times of its frames go on with the clock.

    Args:
        url: An address of one of `remote.SCHEMES`.
        name: What the frames' `source` is to be.
        remark: Told of interruptions and damage.

    Yields:
        The frames.

    Raises:
        Unreadable: If the stream gives no frame at all.
    """
    from yolopv2.media.video import VideoReader

    began, last, index, failures = time.monotonic(), 0.0, 0, 0
    while True:
        try:
            with VideoReader(url, _STREAM_OPTIONS, TIMEOUT) as video:
                step = 1 / (video.fps or 25)
                offset = max(time.monotonic() - began, last + step) if index else 0.0
                for image, seconds in video.frames():
                    last = offset + seconds
                    yield Frame(image, name, index, last, video.fps, is_video=True)
                    index, failures = index + 1, 0
                if video.duration:
                    if video.damage:
                        remark(video.damage)
                    return
                reason = "the stream broke off"
        except Unreadable as error:
            if index == 0:
                raise
            reason = str(error)
        if failures == len(_RECONNECT_DELAYS):
            remark(f"{reason} after {index} frames and could not be opened again in {failures} attempts")
            return
        time.sleep(_RECONNECT_DELAYS[failures])
        failures += 1


def camera_frames(number: int, name: str, remark: Remark) -> Iterator[Frame]:
    """Read a camera of this machine until the caller stops.

    Args:
        number: The camera, 0 for the first.
        name: What the frames' `source` is to be.
        remark: Told when the camera stops giving frames.

    Yields:
        The frames, timed by the clock from the first one.

    Raises:
        Unreadable: If the camera cannot be opened or gives no frame.
    """
    with codec_messages():  # OpenCV prints what it tried
        camera = cv2.VideoCapture(number)
    try:
        fps = camera.get(cv2.CAP_PROP_FPS)
        began, index = 0.0, 0
        while True:
            alive, bgr = camera.read()
            if not alive:
                break
            now = time.monotonic()
            began = began if index else now
            rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
            yield Frame(rgb, name, index, now - began, fps if fps > 0 else None, is_video=True)
            index += 1
        if index == 0:
            raise Unreadable("the camera cannot be opened: check that it is connected, free, and may be used")
        remark(f"the camera stopped after {index} frames")
    finally:
        camera.release()
