"""I3D of the small setting: r3d.py with I3D's first layer, and every other block inflated."""

_base_ = './r3d.py'

model = dict(
    model=dict(
        backbone=dict(conv1_kernel=(5, 7, 7), inflate=((1, 1), (1, 0), (1, 0), (0, 1)), inflate_style='3x1x1')
    )
)
