"""SlowFast of the small setting: r3d.py's clips, 18 layers, 16 and 4 channels, 2 of the 8 frames slow."""

_base_ = './r3d.py'

_pathway = dict(
    type='resnet3d', depth=18, pretrained=None, conv1_stride_t=1, pool1_stride_t=1, norm_eval=False
)
model = dict(
    model=dict(
        backbone=dict(
            _delete_=True,
            type='ResNet3dSlowFast',
            pretrained=None,
            resample_rate=4,
            speed_ratio=4,
            channel_ratio=4,
            slow_pathway=dict(
                _pathway, lateral=True, base_channels=16, conv1_kernel=(1, 7, 7), inflate=(0, 0, 1, 1)
            ),
            fast_pathway=dict(_pathway, lateral=False, base_channels=4, conv1_kernel=(5, 7, 7)),
        ),
        # 128 of the slow pathway and 32 of the fast one
        cls_head=dict(type='SlowFastHead', in_channels=160),
    )
)
