"""H+R on SLR500: ``SignInferencer('fusion_h-r_slr500', ['h.pth', 'r.pth'])``, checkpoints in the order of the
parts.
"""

model = dict(
    type='FusionRecognizer',
    parts=[
        dict(name='H', config='signbert_d512-n3_b64-60e_slr500'),
        dict(name='R', config='r3d-r50_32x2-b8-50e_slr500'),
    ],
)
