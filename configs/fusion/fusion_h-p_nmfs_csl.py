"""H+P on NMFs-CSL: ``SignInferencer('fusion_h-p_nmfs_csl', ['h.pth', 'p.pth'])``, checkpoints in the order of
the parts.
"""

model = dict(
    type='FusionRecognizer',
    parts=[
        dict(name='H', config='signbert_d512-n3_b64-60e_nmfs_csl'),
        dict(name='P', config='stgcn_sign49-joint_b64-80e_nmfs_csl'),
    ],
)
