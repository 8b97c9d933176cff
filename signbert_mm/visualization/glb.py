"""Hands as a binary glTF 2.0 file, for Blender, browsers and other 3-D programs."""

import json
import struct
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from ..errors import UserValueError
from ..files.atomic import write_atomic
from .draw_mesh import vertex_normals
from .palette import SKIN, Color

_ARRAY, _INDEX = 34962, 34963  # targets of buffer views
_TYPES = {np.dtype('<f4'): 5126, np.dtype('<u4'): 5125}
# the camera's y down and z away are glTF's y up and z towards the viewer: a rotation, nothing is mirrored
_TO_GLTF = np.array([1.0, -1.0, -1.0])


class _Builder:
    """Collects arrays and the JSON that describes them."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: List[dict] = []
        self.accessors: List[dict] = []

    def add(self, values: np.ndarray, kind: str, target: Optional[int] = None, bounds: bool = False) -> int:
        """The index of a new accessor."""
        values = np.ascontiguousarray(values)
        self.views.append(
            dict(
                buffer=0,
                byteOffset=len(self.data),
                byteLength=values.nbytes,
                **(dict(target=target) if target else {}),
            )
        )
        self.data += values.tobytes()  # 4-byte numbers only, so every offset is aligned
        accessor = dict(
            bufferView=len(self.views) - 1,
            componentType=_TYPES[values.dtype],
            count=values.size if kind == 'SCALAR' else len(values),
        )
        accessor['type'] = kind
        if bounds:
            rows = values.reshape(accessor['count'], -1)
            accessor.update(min=rows.min(0).tolist(), max=rows.max(0).tolist())
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def write_glb(
    path: Union[str, Path],
    vertices: np.ndarray,
    faces: np.ndarray,
    times: Optional[Sequence[float]] = None,
    valid: Optional[np.ndarray] = None,
    color: Color = SKIN,
    spacing: float = 0.3,
) -> Path:
    """Writes both hands side by side; several frames become an animation (morph targets), a hand that was not
    found keeps its last shape.

    Args:
        path (str | Path): Ends in .glb.
        vertices (ndarray): Shape (T, 2, V, 3): metres, camera axes (x right, y down, z away), as
            :class:`signbert_mm.apis.SignInferencer` gives them.
        faces (ndarray): Shape (F, 3): triangles of the right hand; the left hand's run the other way round.
        times (Sequence[float], optional): Seconds of each frame, increasing. Needed where T > 1.
        valid (ndarray, optional): Shape (T, 2) bool; a hand that is never valid is left out. All by default.
        color (tuple): RGB of the skin.
        spacing (float): Metres between the hands; the signer's right hand is on the viewer's left.

    Returns:
        Path: The file.

    Raises:
        ValueError: Shapes do not fit, times do not increase, or no hand is valid in any frame.
    """
    vertices, faces = np.asarray(vertices, dtype=np.float32), np.asarray(faces)
    frames = len(vertices)
    valid = np.ones((frames, 2), bool) if valid is None else np.asarray(valid, dtype=bool)
    if (
        vertices.ndim != 4
        or vertices.shape[1] != 2
        or vertices.shape[3] != 3
        or faces.ndim != 2
        or faces.shape[1] != 3
        or valid.shape != (frames, 2)
    ):
        raise UserValueError(
            f'{path}: expected vertices (T, 2, V, 3), faces (F, 3), valid (T, 2); got '
            f'{vertices.shape}, {faces.shape}, {valid.shape}'
        )
    times = np.asarray(
        [0.0] if times is None and frames == 1 else [] if times is None else times, dtype='<f4'
    )
    if times.shape != (frames,) or (np.diff(times) <= 0).any():
        raise UserValueError(f'{path}: {frames} frames need as many times, increasing; got {times.tolist()}')
    if not valid.any():
        raise UserValueError(f'{path}: no hand is valid in any frame, so there is nothing to write')
    builder = _Builder()
    meshes, nodes, channels, samplers = [], [], [], []
    for hand, (name, side) in enumerate((('left hand', 1), ('right hand', -1))):
        if not valid[:, hand].any():
            continue
        shapes, shown = _shapes(vertices[:, hand], valid[:, hand])
        turned = faces[:, ::-1] if hand == 0 else faces
        meshes.append(_mesh(builder, shapes, turned, name))
        nodes.append(dict(name=name, mesh=len(meshes) - 1, translation=[side * spacing / 2, 0.0, 0.0]))
        if len(shapes) > 1:
            weights = np.zeros((frames, len(shapes) - 1), dtype='<f4')
            moved = np.flatnonzero(shown)
            weights[moved, shown[moved] - 1] = 1
            samplers.append(
                dict(
                    input=builder.add(times, 'SCALAR', bounds=True),
                    output=builder.add(weights.ravel(), 'SCALAR'),
                )
            )
            channels.append(dict(sampler=len(samplers) - 1, target=dict(node=len(nodes) - 1, path='weights')))
    base = [round((channel / 255) ** 2.2, 4) for channel in color] + [1.0]  # glTF's colours are linear
    scene: Dict[str, Any] = dict(
        asset=dict(version='2.0', generator='signbert_mm'),
        scene=0,
        scenes=[dict(nodes=list(range(len(nodes))))],
        nodes=nodes,
        meshes=meshes,
        materials=[
            dict(
                name='skin',
                doubleSided=True,
                pbrMetallicRoughness=dict(baseColorFactor=base, metallicFactor=0.0, roughnessFactor=0.7),
            )
        ],
        accessors=builder.accessors,
        bufferViews=builder.views,
        buffers=[dict(byteLength=len(builder.data))],
    )
    if samplers:
        scene['animations'] = [dict(name='sign', samplers=samplers, channels=channels)]
    write_atomic(_container(scene, bytes(builder.data)), path)
    return Path(path)


def _shapes(vertices: np.ndarray, valid: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """The shapes of valid frames (S, V, 3) in glTF's axes, and which of them each of T frames shows; frames
    before the first show the first.
    """
    places = np.flatnonzero(valid)
    shown = np.maximum(np.searchsorted(places, np.arange(len(valid)), side='right') - 1, 0)
    return (vertices[places] * _TO_GLTF).astype('<f4'), shown


def _mesh(builder: _Builder, shapes: np.ndarray, faces: np.ndarray, name: str) -> dict:
    """The first shape, and the others as displacements from it."""
    normals = vertex_normals(shapes[0].astype(np.float64), faces).astype('<f4')
    normals[~normals.any(1)] = (0, 0, 1)  # of a vertex without a face; glTF wants unit length
    primitive = dict(
        attributes=dict(
            POSITION=builder.add(shapes[0], 'VEC3', _ARRAY, bounds=True),
            NORMAL=builder.add(normals, 'VEC3', _ARRAY),
        ),
        indices=builder.add(faces.astype('<u4').ravel(), 'SCALAR', _INDEX),
        material=0,
    )
    mesh: Dict[str, Any] = dict(name=name, primitives=[primitive])
    if len(shapes) > 1:
        targets = []
        for shape in shapes[1:]:
            moved = vertex_normals(shape.astype(np.float64), faces).astype('<f4')
            moved[~moved.any(1)] = (0, 0, 1)
            targets.append(
                dict(
                    POSITION=builder.add(shape - shapes[0], 'VEC3', _ARRAY, bounds=True),
                    NORMAL=builder.add(moved - normals, 'VEC3', _ARRAY),
                )
            )
        primitive['targets'] = targets
        mesh['weights'] = [0.0] * len(targets)
    return mesh


def _container(scene: dict, data: bytes) -> bytes:
    """The file: a header, the JSON padded with spaces, the arrays."""
    text = json.dumps(scene, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + len(data)
    return b''.join(
        [
            struct.pack('<4sII', b'glTF', 2, total),
            struct.pack('<I4s', len(text), b'JSON'),
            text,
            struct.pack('<I4s', len(data), b'BIN\0'),
            data,
        ]
    )
