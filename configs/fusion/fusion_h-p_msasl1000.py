"""H+P on MS-ASL1000: ``SignInferencer('fusion_h-p_msasl1000', ['h.pth', 'p.pth'])``, checkpoints in the order
of the parts.
"""

model = dict(
    type='FusionRecognizer',
    parts=[
        dict(name='H', config='signbert_d512-n3_b64-60e_msasl1000'),
        dict(name='P', config='stgcn_sign49-joint_b64-80e_msasl1000'),
    ],
)
