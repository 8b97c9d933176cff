"""GLB files: read back by hand."""

import json
import struct

import numpy as np
import pytest

from signbert_mm.visualization.glb import write_glb

# a tetrahedron, counter-clockwise from outside in a right-handed system
FACES = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]])
SOLID = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, -1]], dtype=np.float32)


def read_glb(path):
    """The JSON, and a function that gives an accessor's numbers."""
    data = path.read_bytes()
    magic, version, total = struct.unpack_from('<4sII', data)
    length, kind = struct.unpack_from('<I4s', data, 12)
    assert (magic, version, total, kind) == (b'glTF', 2, len(data), b'JSON') and length % 4 == 0
    scene = json.loads(data[20 : 20 + length])
    size, kind = struct.unpack_from('<I4s', data, 20 + length)
    assert kind == b'BIN\0' and size == scene['buffers'][0]['byteLength'] == total - 28 - length

    def numbers(index):
        accessor = scene['accessors'][index]
        view = scene['bufferViews'][accessor['bufferView']]
        assert view['byteOffset'] % 4 == 0
        width = dict(SCALAR=1, VEC3=3)[accessor['type']]
        dtype = {5126: '<f4', 5125: '<u4'}[accessor['componentType']]
        values = np.frombuffer(data, dtype, accessor['count'] * width, 28 + length + view['byteOffset'])
        assert values.nbytes == view['byteLength']
        rows = values.reshape(accessor['count'], width)
        if 'min' in accessor:
            assert np.allclose(accessor['min'], rows.min(0)) and np.allclose(accessor['max'], rows.max(0))
        return rows if width > 1 else values

    return scene, numbers


def test_frames_become_an_animation(tmp_path):
    vertices = np.zeros((4, 2, 4, 3), np.float32)
    for frame in range(4):
        vertices[frame, 1] = SOLID * (1 + frame)
        vertices[frame, 0] = SOLID * [-1, 1, 1]
    valid = np.array([[False, True], [True, False], [False, True], [False, True]])
    scene, numbers = read_glb(write_glb(tmp_path / 'hands.glb', vertices, FACES, [0.0, 0.1, 0.3, 0.4], valid))
    left, right = scene['nodes']
    assert (left['name'], right['name']) == ('left hand', 'right hand')
    # seen from the front, the signer's right hand is on the left
    assert right['translation'][0] < 0 < left['translation'][0]
    (primitive,) = scene['meshes'][right['mesh']]['primitives']
    first = numbers(primitive['attributes']['POSITION'])
    assert np.array_equal(first, SOLID * [1, -1, -1])  # y up, z towards the viewer
    shapes = [first] + [first + numbers(target['POSITION']) for target in primitive['targets']]
    assert np.allclose(shapes, [SOLID * scale * [1, -1, -1] for scale in (1, 3, 4)])  # frame 1 was not found
    (animation,) = scene['animations']
    (channel,) = animation['channels']  # the left hand has one shape, so it does not move
    sampler = animation['samplers'][channel['sampler']]
    assert channel['target'] == dict(node=1, path='weights') and np.allclose(
        numbers(sampler['input']), [0, 0.1, 0.3, 0.4]
    )
    assert numbers(sampler['output']).reshape(4, 2).tolist() == [[0, 0], [0, 0], [1, 0], [0, 1]]


def test_surfaces_face_outward(tmp_path):
    vertices = np.stack([np.stack([SOLID * [-1, 1, 1], SOLID])])
    scene, numbers = read_glb(write_glb(tmp_path / 'still.glb', vertices, FACES))
    assert 'animations' not in scene
    for mesh in scene['meshes']:
        (primitive,) = mesh['primitives']
        points, normals = (numbers(primitive['attributes'][name]) for name in ('POSITION', 'NORMAL'))
        faces = numbers(primitive['indices']).reshape(-1, 3)
        for a, b, c in points[faces].astype(float):
            outward = (a + b + c) / 3 - points.mean(0)
            assert np.cross(b - a, c - a) @ outward > 0
        assert (
            np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
            and ((normals * (points - points.mean(0))).sum(1) > 0).all()
        )


def test_what_cannot_be_written(tmp_path):
    vertices = np.zeros((2, 2, 4, 3))
    with pytest.raises(ValueError, match=r'2 frames need as many times, increasing; got \[\]'):
        write_glb(tmp_path / 'a.glb', vertices, FACES)
    with pytest.raises(ValueError, match='increasing'):
        write_glb(tmp_path / 'a.glb', vertices, FACES, [0.0, 0.0])
    with pytest.raises(ValueError, match='no hand is valid'):
        write_glb(tmp_path / 'a.glb', vertices, FACES, [0.0, 1.0], np.zeros((2, 2), bool))
    with pytest.raises(ValueError, match=r'got \(2, 4, 3\)'):
        write_glb(tmp_path / 'a.glb', vertices[:, 0], FACES, [0.0, 1.0])
    assert not (tmp_path / 'a.glb').exists()
