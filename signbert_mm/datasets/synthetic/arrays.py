"""Small array helpers of the generator.

Frames of all clips lie side by side on the last axis (no padding), and vectors and joints on the axes before
it, so that every operation runs over long contiguous rows. Only element-wise operations and sums over leading
axes are used. So a frame's numbers do not depend on its neighbours, and a clip is the same in any chunk.
"""

from typing import Tuple

import numpy as np
from numpy import ndarray


def generator(seed: int, stream: int) -> np.random.Generator:
    """Random numbers that depend on the two keys alone, both 0 .. 2**64 - 1."""
    # Philox is a counter with a key: no state has to be advanced to reach clip i.
    return np.random.Generator(np.random.Philox(key=np.array([seed, stream], dtype=np.uint64)))


def smoothstep(x: ndarray) -> ndarray:
    """0 below 0, 1 above 1, with zero slope at both."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def dot(a: ndarray, b: ndarray) -> ndarray:
    """Inner product over axis 0, of size 3."""
    # Written out, as np.sum and einsum may change their order of addition with the array's size.
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: ndarray, b: ndarray) -> ndarray:
    """Cross product over axis 0, of size 3."""
    return np.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


def unit(a: ndarray) -> ndarray:
    """Vectors on axis 0 (size 3) at length 1; a zero vector stays zero."""
    return a / np.sqrt(np.maximum(dot(a, a), 1e-12))


def quaternion_product(a: ndarray, b: ndarray) -> ndarray:
    """Rotation ``b`` and then ``a``; quaternions (w, x, y, z) on axis 0."""
    return np.stack(
        [
            a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
            a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
            a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
            a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
        ]
    )


def quaternion_axes(q: ndarray) -> Tuple[ndarray, ndarray]:
    """The rotated y and z axes, each (3, ...), of quaternions (4, ...) of any length above 0."""
    scale = 2.0 / (q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3])
    w, x, y, z = q
    y_axis = np.stack([(x * y - w * z) * scale, 1.0 - (x * x + z * z) * scale, (y * z + w * x) * scale])
    z_axis = np.stack([(x * z + w * y) * scale, (y * z - w * x) * scale, 1.0 - (x * x + y * y) * scale])
    return y_axis, z_axis


def frame_quaternion(y_axis: ndarray, z_axis: ndarray) -> ndarray:
    """The quaternion (w, x, y, z) that turns the y and z axes to the given ones, each of shape (3,).

    ``z_axis`` is made orthogonal to ``y_axis`` first.
    """
    y_axis = y_axis / np.linalg.norm(y_axis)
    z_axis = z_axis - y_axis * (y_axis @ z_axis)
    z_axis = z_axis / np.linalg.norm(z_axis)
    m = np.stack([np.cross(y_axis, z_axis), y_axis, z_axis], axis=1)
    # the eigenvector of the largest eigenvalue of this symmetric matrix is the quaternion, also at half turns
    k = np.array(
        [
            [m[0, 0] + m[1, 1] + m[2, 2], m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]],
            [m[2, 1] - m[1, 2], m[0, 0] - m[1, 1] - m[2, 2], m[0, 1] + m[1, 0], m[0, 2] + m[2, 0]],
            [m[0, 2] - m[2, 0], m[0, 1] + m[1, 0], m[1, 1] - m[0, 0] - m[2, 2], m[1, 2] + m[2, 1]],
            [m[1, 0] - m[0, 1], m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], m[2, 2] - m[0, 0] - m[1, 1]],
        ]
    )
    q = np.linalg.eigh(k)[1][:, -1]
    # q and -q are the same rotation, and an eigenvector's sign is arbitrary: fix it by the largest entry.
    return q if q[np.argmax(np.abs(q))] > 0 else -q
