"""P: as its base, ST-GCN++ (learnt adjacency, residual graph branches, multi-scale time)."""

_base_ = './stgcn_sign49-joint_b64-80e_wlasl2000.py'

_plus = dict(gcn_adaptive='init', gcn_with_res=True, tcn_type='mstcn', graph_cfg=dict(mode='spatial'))
model = dict(model=dict(backbone=_plus))
