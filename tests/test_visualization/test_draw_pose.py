import numpy as np
import pytest

from signbert_mm.layouts import LAYOUTS
from signbert_mm.visualization import (
    View,
    blank,
    draw_hand,
    draw_pose,
    draw_text,
    pose_cell,
    save_image,
    view_of,
)


def hand():
    """Five straight fingers, 8 px between joints."""
    joints = np.zeros((21, 2))
    joints[0] = 20, 50
    for finger in range(5):
        for knuckle in range(4):
            joints[1 + 4 * finger + knuckle] = 30 + 8 * knuckle, 30 + 10 * finger
    return joints


def near(canvas, point, radius=1):
    x, y = int(round(point[0])), int(round(point[1]))
    return canvas[y - radius : y + radius + 1, x - radius : x + radius + 1]


def test_every_joint_is_drawn_and_missing_ones_are_not():
    canvas = draw_hand(blank(100, 100), hand(), thickness=1)
    assert all((near(canvas, joint) != 255).any() for joint in hand())
    scores = np.ones(21)
    scores[8] = 0  # tip of the forefinger: no disc, and no bone to it
    canvas = draw_hand(blank(100, 100), np.where(scores[:, None] > 0, hand(), np.nan), scores, thickness=1)
    assert (near(canvas, hand()[8]) == 255).all() and (near(canvas, hand()[7]) != 255).any()


def test_scores_hollow_and_moved_change_the_picture():
    plain = draw_hand(blank(100, 100), hand(), thickness=2)
    faint = draw_hand(blank(100, 100), hand(), np.full(21, 0.1), thickness=2)
    assert faint.mean() > plain.mean()
    mask = np.arange(21) == 12
    hollow = draw_hand(blank(100, 100), hand(), hollow=mask, thickness=2)
    assert (near(hollow, hand()[12], 0) == 255).all()  # an empty circle
    moved = draw_hand(blank(100, 100), hand(), moved=mask, thickness=2)
    assert (near(moved, hand()[12], 3) != near(plain, hand()[12], 3)).any()
    assert (near(moved, hand()[4], 3) == near(plain, hand()[4], 3)).all()


@pytest.mark.parametrize('name', sorted(LAYOUTS))
def test_every_layout_is_drawn(name):
    layout = LAYOUTS[name]
    keypoints = np.random.RandomState(0).rand(layout.num_joints, 2) * 80 + 10
    canvas = draw_pose(blank(100, 100), keypoints, layout=layout)
    assert all((near(canvas, point) != 255).any() for point in keypoints)
    assert (draw_pose(blank(100, 100), keypoints, np.zeros(layout.num_joints), layout) == 255).all()


def test_bad_poses():
    with pytest.raises(ValueError, match=r'expected joints of shape \(21, 2\), got \(20, 2\)'):
        draw_hand(blank(9, 9), np.zeros((20, 2)))
    joints = hand()
    joints[3] = np.nan
    with pytest.raises(ValueError, match=r'not finite at joints \[3\]'):
        draw_hand(blank(9, 9), joints)
    with pytest.raises(ValueError, match='48 joints found.*sign_49'):
        draw_pose(blank(9, 9), np.zeros((48, 2)))


def test_far_away_joints_do_not_overflow():
    draw_hand(blank(50, 50), hand() + 1e12)


def test_view_keeps_aspect_and_holds_all_found_joints():
    keypoints = np.array([[[100.0, 50], [300, 150], [9999, 9999]]])
    view = view_of(keypoints, np.array([[1.0, 1, 0]]))
    assert np.allclose(view, (84, 34, 232, 132))  # margin: 8 % of 200 px
    cell = view.to_cell(keypoints[0, :2], 100, 100)
    assert (cell > 0).all() and (cell < 100).all()
    assert np.allclose((cell[1] - cell[0]) / 200, (100 / 232, 50 / 232))
    assert view_of(keypoints, np.zeros((1, 3)), (640, 480)) == View(0, 0, 640, 480)


def test_empty_cell_says_so():
    cell = pose_cell(np.zeros((21, 2)), np.zeros(21), 'hand_21', View(0, 0, 10, 10), 60, 90)
    assert cell.shape == (60, 90, 3) and cell[25:35].min() < 220


def test_text_is_written_plainly_and_cut_at_the_edge(tmp_path):
    canvas = draw_text(blank(30, 60), '$x_1$ ä', 30, 15, anchor='cm')
    assert (canvas != 255).any() and (draw_text(blank(30, 60), '', 30, 15) == 255).all()
    draw_text(canvas, 'far outside', -500, 15)
    assert save_image(tmp_path / 'a' / 'b.png', canvas).stat().st_size > 0
