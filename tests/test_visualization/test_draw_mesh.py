import numpy as np
import pytest

from signbert_mm.visualization import blank, draw_mesh, rasterize, vertex_normals
from signbert_mm.visualization.palette import SKIN

SQUARE = np.array([[10.0, 10, 0], [30, 10, 0], [30, 30, 0], [10, 30, 0]])
# y points down: counter-clockwise seen from outside, which is towards the viewer at -z
FACING = np.array([[0, 2, 1], [0, 3, 2]])


def test_raster_against_plain_loops():
    rng = np.random.RandomState(0)
    vertices, faces = rng.rand(12, 3) * [24, 18, 5] - [2, 2, 0], rng.randint(0, 12, (15, 3))
    owner, weights = rasterize(vertices, faces, 16, 20)
    for row in range(16):
        for column in range(20):
            best, nearest = -1, np.inf
            for index, face in enumerate(faces):
                a, b, c = vertices[face]
                matrix = np.array([[a[0], b[0], c[0]], [a[1], b[1], c[1]], [1, 1, 1]])
                if abs(np.linalg.det(matrix)) < 1e-9:
                    continue
                w = np.linalg.solve(matrix, [column + 0.5, row + 0.5, 1])
                if (w >= 0).all() and w @ [a[2], b[2], c[2]] < nearest - 1e-12:
                    best, nearest = index, w @ [a[2], b[2], c[2]]
            assert owner[row, column] == best
            if best >= 0:
                assert weights[row, column] @ vertices[faces[best]][:, 2] == pytest.approx(nearest)


def test_shared_edges_leave_no_hole_and_nothing_is_drawn_outside():
    owner, _ = rasterize(SQUARE, FACING, 40, 40)
    assert (owner[10:30, 10:30] >= 0).all() and (owner >= 0).sum() == 400


def test_nearest_surface_wins_whatever_the_order():
    vertices = np.concatenate([SQUARE + [0, 0, 5], SQUARE])
    for order in ([0, 1, 2, 3], [2, 3, 0, 1]):
        faces = np.concatenate([FACING, FACING + 4])[order]
        owner, _ = rasterize(vertices, faces, 40, 40)
        assert (faces[owner[20, 20]] >= 4).all()


def test_normals_point_outward():
    corners = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    normals = vertex_normals(corners, faces)
    assert (
        np.allclose(np.linalg.norm(normals, axis=1), 1)
        and ((corners - corners.mean(0)) * normals).sum(1).min() > 0
    )


def brightness(canvas):
    return canvas[15:25, 15:25].mean()


def test_front_is_brighter_than_back_and_mirrored_faces_turn():
    front = draw_mesh(blank(40, 40), SQUARE, FACING)
    back = draw_mesh(blank(40, 40), SQUARE, FACING[:, ::-1])
    assert brightness(front) > brightness(back) + 40
    mirrored = draw_mesh(blank(40, 40), SQUARE * [-1, 1, 1] + [40, 0, 0], FACING, mirrored=True)
    assert brightness(mirrored) == pytest.approx(brightness(front), abs=1)
    assert (front[:8] == 255).all() and np.abs(front[20, 20].astype(int) - SKIN).max() < 80


def test_edges_are_smooth_and_off_screen_parts_are_cut_off():
    canvas = draw_mesh(blank(40, 40), SQUARE + [0.5, 0.5, 0], FACING)
    # half a pixel is covered
    assert 0 < abs(int(canvas[20, 10, 2]) - 255) < abs(int(canvas[20, 20, 2]) - 255)
    assert (draw_mesh(blank(40, 40), SQUARE + 1000, FACING) == 255).all()
    assert (draw_mesh(blank(40, 40), SQUARE - [15, 0, 0], FACING)[20, 0] != 255).any()


@pytest.mark.parametrize(
    'vertices, faces, message',
    [
        (SQUARE[:, :2], FACING, r'vertices \(V, 3\)'),
        (SQUARE * np.nan, FACING, 'not finite'),
        (SQUARE, FACING + 3, r'0\.\.3'),
        (SQUARE, FACING[:0], 'faces must name'),
    ],
)
def test_bad_meshes(vertices, faces, message):
    with pytest.raises(ValueError, match=message):
        draw_mesh(blank(40, 40), vertices, faces)


@pytest.mark.parametrize('canvas', [np.zeros((4, 4, 3)), np.zeros((4, 4), dtype=np.uint8), None])
def test_bad_canvas(canvas):
    with pytest.raises(ValueError, match='canvas is a uint8 RGB array'):
        draw_mesh(canvas, SQUARE, FACING)
