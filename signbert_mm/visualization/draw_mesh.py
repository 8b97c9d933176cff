"""Shaded surfaces without a graphics library: a z-buffer in numpy."""

from typing import Sequence, Tuple

import cv2
import numpy as np

from ..errors import UserValueError
from .canvas import blend, check_canvas
from .palette import SKIN, Color

_CHUNK = 2_000_000  # candidate pixels at a time


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals, averaged over a vertex's faces by their area.

    Args:
        vertices (ndarray): Shape (V, 3).
        faces (ndarray): Shape (F, 3) vertex indices, counter-clockwise seen from outside in a right-handed
            system.

    Returns:
        ndarray: Shape (V, 3), outward; 0 where a vertex has no face.
    """
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    normal = np.cross(b - a, c - a)  # (F, 3), its length is twice the area
    out = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(out, faces[:, corner], normal)
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)


def rasterize(
    vertices: np.ndarray, faces: np.ndarray, height: int, width: int
) -> Tuple[np.ndarray, np.ndarray]:
    """Which face is nearest at each pixel's centre.

    Args:
        vertices (ndarray): Shape (V, 3): x and y in pixels, z of any unit, larger = further away.
        faces (ndarray): Shape (F, 3).
        height (int): Rows of the picture.
        width (int): Columns.

    Returns:
        tuple[ndarray, ndarray]: Face index, shape (height, width) int64, -1 = none; and barycentric weights,
        shape (height, width, 3).
    """
    corners = vertices[faces].astype(np.float64)  # (F, 3, 3)
    size = np.array([width, height])
    low = np.clip(np.ceil(corners[..., :2].min(1) - 0.5), 0, size).astype(np.int64)
    high = np.clip(np.floor(corners[..., :2].max(1) - 0.5) + 1, 0, size).astype(np.int64)
    extent = np.maximum(high - low, 0)
    x, y = corners[..., 0], corners[..., 1]
    doubled = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    pixels = extent.prod(1) * (np.abs(doubled) > 1e-12)

    depth = np.full(height * width, np.inf)
    owner = np.full(height * width, -1, dtype=np.int64)
    weights = np.zeros((height * width, 3))
    used = np.flatnonzero(pixels)
    for part in np.split(used, np.flatnonzero(np.diff(np.cumsum(pixels[used]) // _CHUNK)) + 1):
        if not len(part):
            continue
        face = np.repeat(part, pixels[part])
        place = np.arange(len(face)) - np.repeat(np.cumsum(pixels[part]) - pixels[part], pixels[part])
        column = low[face, 0] + place % extent[face, 0]
        row = low[face, 1] + place // extent[face, 0]
        px, py = column + 0.5, row + 0.5
        w1 = (
            (px - x[face, 0]) * (y[face, 2] - y[face, 0]) - (x[face, 2] - x[face, 0]) * (py - y[face, 0])
        ) / doubled[face]
        w2 = (
            (x[face, 1] - x[face, 0]) * (py - y[face, 0]) - (px - x[face, 0]) * (y[face, 1] - y[face, 0])
        ) / doubled[face]
        w0 = 1 - w1 - w2
        inside = (w0 >= 0) & (w1 >= 0) & (w2 >= 0)
        face, pixel = face[inside], row[inside] * width + column[inside]
        bary = np.stack([w0[inside], w1[inside], w2[inside]], 1)
        z = (bary * corners[face, :, 2]).sum(1)
        order = np.lexsort((z, pixel))  # nearest first within a pixel
        first = order[np.unique(pixel[order], return_index=True)[1]]
        first = first[z[first] < depth[pixel[first]]]
        depth[pixel[first]], owner[pixel[first]], weights[pixel[first]] = z[first], face[first], bary[first]
    return owner.reshape(height, width), weights.reshape(height, width, 3)


def draw_mesh(
    canvas: np.ndarray,
    vertices: np.ndarray,
    faces: np.ndarray,
    color: Color = SKIN,
    light: Sequence[float] = (-0.45, -0.7, -1.0),
    supersample: int = 3,
    mirrored: bool = False,
) -> np.ndarray:
    """A lit surface, in place, seen from the front without perspective, as the decoder's camera sees it.

    Args:
        canvas (ndarray): Shape (H, W, 3) uint8, RGB.
        vertices (ndarray): Shape (V, 3): x to the right and y down in pixels, z away from the viewer in
            pixels.
        faces (ndarray): Shape (F, 3), counter-clockwise seen from outside.
        color (tuple): RGB of the surface.
        light (Sequence[float]): Where the light comes from, in the vertices' axes.
        supersample (int): Samples a pixel along each side.
        mirrored (bool): The vertices are the mirror image (x -> -x) of a right-handed surface: faces then run
            the other way round.

    Returns:
        ndarray: The canvas.

    Raises:
        ValueError: Shapes are wrong, vertices not finite, or faces name vertices that are not there.
    """
    check_canvas(canvas)
    vertices, faces = np.asarray(vertices, dtype=np.float64), np.asarray(faces)
    if vertices.ndim != 2 or vertices.shape[1] != 3 or faces.ndim != 2 or faces.shape[1] != 3:
        raise UserValueError(
            f'draw_mesh: expected vertices (V, 3) and faces (F, 3), got {vertices.shape} and {faces.shape}'
        )
    if not np.isfinite(vertices).all():
        raise UserValueError('draw_mesh: vertices are not finite')
    if len(faces) == 0 or faces.min() < 0 or faces.max() >= len(vertices):
        raise UserValueError(f'draw_mesh: faces must name vertices 0..{len(vertices) - 1}')
    faces = faces[:, ::-1] if mirrored else faces

    height, width = canvas.shape[:2]
    owner, weights = rasterize(vertices * supersample, faces, height * supersample, width * supersample)
    covered = owner >= 0
    if not covered.any():
        return canvas
    normals = vertex_normals(vertices, faces)
    corner = normals[faces[owner[covered]]]  # (pixels, 3, 3)
    normal = (weights[covered][..., None] * corner).sum(1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)

    a, b, c = (vertices[faces[owner[covered], corner]] for corner in range(3))
    (x1, y1), (x2, y2) = (b - a)[:, :2].T, (c - a)[:, :2].T
    inside = x1 * y2 - x2 * y1 > 0  # the back of a surface, seen through an opening
    normal = np.where(inside[:, None], -normal, normal)
    towards = np.asarray(light, dtype=np.float64)
    towards = towards / np.linalg.norm(towards)
    halfway = towards + np.array([0.0, 0.0, -1.0])
    halfway /= np.linalg.norm(halfway)
    diffuse = np.clip(normal @ towards, 0, None)
    sky = 0.5 - 0.5 * normal[:, 1]  # y points down
    gloss = np.clip(normal @ halfway, 0, None) ** 28
    rim = 1 - np.clip(-normal[:, 2], 0, 1)
    brightness = (0.44 + 0.16 * sky + 0.56 * diffuse) * (1 - 0.35 * rim**3) * np.where(inside, 0.45, 1.0)
    shade = np.clip(
        brightness[:, None] * np.asarray(color, dtype=np.float64) + 26 * gloss[:, None] * ~inside[:, None],
        0,
        255,
    )

    image = np.zeros(owner.shape + (3,), dtype=np.float32)
    image[covered] = shade
    alpha = cv2.resize(covered.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    image = (
        cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA) / np.maximum(alpha, 1e-6)[..., None]
    )
    blend(canvas, alpha, image, 0, 0)
    return canvas
