"""H+R on NMFs-CSL: ``SignInferencer('fusion_h-r_nmfs_csl', ['h.pth', 'r.pth'])``, checkpoints in the order of
the parts.
"""

model = dict(
    type='FusionRecognizer',
    parts=[
        dict(name='H', config='signbert_d512-n3_b64-60e_nmfs_csl'),
        dict(name='R', config='r3d-r50_32x2-b8-50e_nmfs_csl'),
    ],
)
