"""H+P on the demo's synthetic signs: ``SignInferencer('fusion_h-p_synthetic-demo', ['h.pth', 'p.pth'])``,
checkpoints in the order of the parts.
"""

model = dict(
    type='FusionRecognizer',
    parts=[
        dict(name='H', config='signbert_d128_finetune_synthetic'),
        dict(name='P', config='stgcn-c24_sign49-joint_b64-100e_synthetic-demo'),
    ],
)
