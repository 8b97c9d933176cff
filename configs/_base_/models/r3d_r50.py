# R of NMFs-CSL and SLR500: 3D-ResNet-50, the middle convolution of every bottleneck 3 x 3 x 3. Start from
# Kinetics weights with load_from.
_base_ = './i3d_r50.py'
model = dict(
    model=dict(
        backbone=dict(
            conv1_kernel=(3, 7, 7),
            conv1_stride_t=1,
            pool1_stride_t=1,
            inflate=(1, 1, 1, 1),
            inflate_style='3x3x3',
        )
    )
)
