"""Shaded surfaces without a graphics library: a z-buffer in numpy."""

from typing import Sequence, Tuple

import cv2
import numpy as np

from ..errors import UserValueError
from .canvas import blend, check_canvas
from .palette import SKIN, Color

# Candidate pixels that are processed at a time.
_CHUNK = 2_000_000


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals of vertices: means of their faces' normals, weighted by area.

    Args:
        vertices (ndarray): Shape (V, 3).
        faces (ndarray): Shape (F, 3) vertex indices, counter-clockwise seen from outside in a right-handed
            system.

    Returns:
        ndarray: Shape (V, 3), outward; 0 for a vertex without a face.
    """
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    # The length of a cross product is twice the face's area, so a plain sum weights by area.
    # (F, 3)
    normal = np.cross(b - a, c - a)
    out = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(out, faces[:, corner], normal)
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)


def rasterize(
    vertices: np.ndarray, faces: np.ndarray, height: int, width: int
) -> Tuple[np.ndarray, np.ndarray]:
    """Finds the nearest face at each pixel's centre.

    Args:
        vertices (ndarray): Shape (V, 3): x and y in pixels, z of any unit, larger = further away.
        faces (ndarray): Shape (F, 3).
        height (int): Rows of the picture.
        width (int): Columns.

    Returns:
        tuple[ndarray, ndarray]: Face index, shape (height, width) int64, -1 = none; and barycentric weights,
        shape (height, width, 3).
    """
    # (F, 3, 3)
    corners = vertices[faces].astype(np.float64)
    size = np.array([width, height])
    # Bounding boxes: the pixels whose centres (x + 0.5) lie between smallest and largest corner.
    low = np.clip(np.ceil(corners[..., :2].min(1) - 0.5), 0, size).astype(np.int64)
    high = np.clip(np.floor(corners[..., :2].max(1) - 0.5) + 1, 0, size).astype(np.int64)
    extent = np.maximum(high - low, 0)
    x, y = corners[..., 0], corners[..., 1]
    # Twice the signed area. Faces seen from the edge cover no pixel and would divide by 0.
    doubled = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    pixels = extent.prod(1) * (np.abs(doubled) > 1e-12)

    depth = np.full(height * width, np.inf)
    owner = np.full(height * width, -1, dtype=np.int64)
    weights = np.zeros((height * width, 3))
    used = np.flatnonzero(pixels)
    # All candidate pixels of many faces at once, in parts of bounded size.
    for part in np.split(used, np.flatnonzero(np.diff(np.cumsum(pixels[used]) // _CHUNK)) + 1):
        if not len(part):
            continue
        face = np.repeat(part, pixels[part])
        # Index of each candidate within its face's bounding box.
        offset = np.arange(len(face)) - np.repeat(np.cumsum(pixels[part]) - pixels[part], pixels[part])
        column = low[face, 0] + offset % extent[face, 0]
        row = low[face, 1] + offset // extent[face, 0]
        px, py = column + 0.5, row + 0.5
        # Barycentric weights: areas of the sub-triangles as shares of the face's.
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
        # Sorted by pixel, and by depth within a pixel, so the first of each pixel is the nearest.
        order = np.lexsort((z, pixel))
        first = order[np.unique(pixel[order], return_index=True)[1]]
        # An earlier part may have drawn a nearer face there.
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
    """Draws a lit surface in place, seen from the front without perspective, like the decoder's camera.

    Args:
        canvas (ndarray): Shape (H, W, 3) uint8, RGB.
        vertices (ndarray): Shape (V, 3): x to the right and y down in pixels, z away from the viewer in
            pixels.
        faces (ndarray): Shape (F, 3), counter-clockwise seen from outside.
        color (tuple): RGB of the surface.
        light (Sequence[float]): Direction towards the light, in the vertices' axes.
        supersample (int): Samples per pixel along each side.
        mirrored (bool): The vertices are the mirror image (x -> -x) of a right-handed surface, so the faces
            run the other way round.

    Returns:
        ndarray: The canvas.

    Raises:
        ValueError: Shapes are wrong, vertices are not finite, or a face's vertex does not exist.
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
    # (pixels, 3, 3)
    corner = normals[faces[owner[covered]]]
    # Normals are interpolated between a face's corners, which looks smooth.
    normal = (weights[covered][..., None] * corner).sum(1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)

    a, b, c = (vertices[faces[owner[covered], corner]] for corner in range(3))
    (x1, y1), (x2, y2) = (b - a)[:, :2].T, (c - a)[:, :2].T
    # The back of a surface, seen through an opening such as the wrist.
    inside = x1 * y2 - x2 * y1 > 0
    normal = np.where(inside[:, None], -normal, normal)
    towards = np.asarray(light, dtype=np.float64)
    towards = towards / np.linalg.norm(towards)
    # The half vector between light and viewer, for the highlight (Blinn and Phong).
    halfway = towards + np.array([0.0, 0.0, -1.0])
    halfway /= np.linalg.norm(halfway)
    diffuse = np.clip(normal @ towards, 0, None)
    # Light from above; y points down.
    sky = 0.5 - 0.5 * normal[:, 1]
    gloss = np.clip(normal @ halfway, 0, None) ** 28
    # Darker where the surface turns away from the viewer, which shows the outline.
    rim = 1 - np.clip(-normal[:, 2], 0, 1)
    brightness = (0.44 + 0.16 * sky + 0.56 * diffuse) * (1 - 0.35 * rim**3) * np.where(inside, 0.45, 1.0)
    shade = np.clip(
        brightness[:, None] * np.asarray(color, dtype=np.float64) + 26 * gloss[:, None] * ~inside[:, None],
        0,
        255,
    )

    image = np.zeros(owner.shape + (3,), dtype=np.float32)
    image[covered] = shade
    # Shrinking gives soft edges: colour and coverage are averaged, then colour is divided by coverage.
    alpha = cv2.resize(covered.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    image = (
        cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA) / np.maximum(alpha, 1e-6)[..., None]
    )
    blend(canvas, alpha, image, 0, 0)
    return canvas
