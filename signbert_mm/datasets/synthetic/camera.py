"""A pinhole camera for each clip."""

from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from .plan import ClipNumbers
from .signers import IMAGE_SIZES, Signers

# Height of the image's centre relative to the shoulders, metres.
_AIM = -0.06
# Smallest distance of the camera from the body, metres.
_NEAREST = 1.2


@dataclass
class Cameras:
    """Arrays with the B clips on the last axis.

    Camera frame: x to the right of the image, y down, z away from the camera, metres. A point there lies at
    ``focal * (x, y) / z + centre`` pixels.
    """

    rotation: ndarray  # (3, 3, B) from the body frame to the camera frame
    shift: ndarray  # (3, B) metres
    focal: ndarray  # (B,) pixels
    centre: ndarray  # (2, B) pixels
    image_size: ndarray  # (2, B) width, height in pixels

    @property
    def intrinsics(self) -> ndarray:
        """(B, 3) float32: focal length and centre x, y, in pixels."""
        return np.stack([self.focal, *self.centre], axis=1).astype(np.float32)


def place_cameras(signers: Signers, signer: ndarray, numbers: ClipNumbers, variety: float) -> Cameras:
    """The signer's camera, moved a little for each clip."""
    s = signers
    yaw, pitch, roll = s.yaw[signer], s.pitch[signer], s.roll[signer]
    # The camera stands where this signer's stands, up to a small change for each clip.
    jitter = numbers.normal(variety, 6)
    yaw, pitch, roll = (
        yaw + np.radians(4) * jitter[0],
        pitch + np.radians(2) * jitter[1],
        roll + np.radians(0.8) * jitter[2],
    )
    image_size = IMAGE_SIZES[s.image[signer]].T.astype(np.float64)
    view = s.view[signer] * s.scale[signer] * np.exp(0.06 * jitter[3])
    # A wide lens stands closer for the same view, but no hand may come too close to it.
    distance = np.maximum(0.5 * view / np.tan(0.5 * s.fov[signer]), _NEAREST)
    focal = distance * image_size[1] / view
    # body (x left, y up, z forward) seen from the front: x right, y down, z away
    (cy, sy), (cp, sp), (cr, sr) = ((np.cos(a), np.sin(a)) for a in (yaw, pitch, roll))
    rows = [
        [cy, np.zeros_like(cy), sy],
        [-sy * sp, -cp, cy * sp],
        [sy * cp, -sp, -cy * cp],
    ]
    rotation = np.stack([np.stack(row) for row in rows])  # (3, 3, B)
    # Roll turns the image's x and y, after yaw and pitch.
    rotation = np.stack(
        [cr * rotation[0] - sr * rotation[1], sr * rotation[0] + cr * rotation[1], rotation[2]]
    )
    shift = np.stack(
        [s.off_x[signer] + 0.02 * jitter[4], _AIM + s.off_y[signer] + 0.02 * jitter[5], distance]
    )
    return Cameras(rotation, shift, focal, 0.5 * image_size, image_size)
