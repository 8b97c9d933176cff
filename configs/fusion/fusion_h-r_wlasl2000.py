"""H+R on WLASL2000: ``SignInferencer('fusion_h-r_wlasl2000', ['h.pth', 'r.pth'])``, checkpoints in the order
of the parts.
"""

model = dict(
    type='FusionRecognizer',
    parts=[
        dict(name='H', config='signbert_d512-n3_b64-60e_wlasl2000'),
        dict(name='R', config='i3d-r50_32x2-b8-50e_wlasl2000'),
    ],
)
