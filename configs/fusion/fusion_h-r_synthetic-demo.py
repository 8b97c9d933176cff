"""H+R on the demo's synthetic signs: ``SignInferencer('fusion_h-r_synthetic-demo', ['h.pth', 'r.pth'])``,
checkpoints in the order of the parts.
"""

model = dict(
    type='FusionRecognizer',
    parts=[
        dict(name='H', config='signbert_d128_finetune_synthetic'),
        dict(name='R', config='r3d-r18_8x4-64px-b16-50e_synthetic-demo'),
    ],
)
