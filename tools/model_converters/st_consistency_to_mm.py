#!/usr/bin/env python
"""Convert a checkpoint of ST-Consistency's authors into one of this project.

It is a file of their repository's pretrain.py or downstream_classification.py.

Pre-trained weights, with banks and key encoders, fit the config
configs/st_consistency/st_consistency_d512_b64-150e-code_pretrain-all.py, and fine-tuned ones
st_consistency_d512_b64-80e-code_msasl1000.py. With model.encoder.*_backbone.norm_eps=1e-12 the outputs are
equal to the last digit. Their repository names no licence: ask its authors before you pass its weights on.

Example:
    python tools/model_converters/st_consistency_to_mm.py checkpoint_0140.pth.tar st_consistency.pth
"""

import io
import sys
from pathlib import Path
from typing import Dict, Mapping, Sequence

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

import torch
from torch import Tensor

from signbert_mm.arguments import tool_parser
from signbert_mm.engine.runner import run_tool
from signbert_mm.files.atomic import write_atomic
from signbert_mm.files.checkpoints import CheckpointError, load_checkpoint_file
from signbert_mm.files.os_errors import output_file

Weights = Dict[str, Tensor]
ENCODERS = dict(
    encoder_q='encoders.joint',
    encoder_q_motion='encoders.motion',
    encoder_k='key_encoders.joint',
    encoder_k_motion='key_encoders.motion',
)
HEADS = dict(fc='overall', hand_fc='hand', body_fc='trunk')
QUEUES = dict(
    bank=('queue_hand', 'queue_body', 'queue_hand_motion', 'queue_body_motion'),
    overall_bank=('queue', 'queue_motion'),
)
# Roles of a neighbour in their order: the node itself, one further out, one further in, symmetric.
ROLES = (0, 2, 1, 3)
# Roles of the trunk's parts. The nose has no edge that is used.
TRUNK_ROLES = (0, 3)


def _norm(state: Mapping[str, Tensor], name: str, bias: str = '') -> Weights:
    """A batch norm's tensors, without the bias of the convolution before it."""
    out = {key: state[f'{name}.{key}'] for key in ('weight', 'bias', 'running_mean', 'running_var')}
    if bias:
        # Normalising removes the convolution's bias, so the running mean takes it in.
        out['running_mean'] = out['running_mean'] - state[bias]
    return out


def _linear(state: Mapping[str, Tensor], name: str, biased: bool = False) -> Weights:
    """A convolution of kernel 1 as a matrix."""
    weight = state[f'{name}.weight']
    out = dict(weight=weight.reshape(weight.shape[:2]))
    return dict(out, bias=state[f'{name}.bias']) if biased else out


def _under(place: str, weights: Weights) -> Weights:
    return {f'{place}.{key}': value for key, value in weights.items()}


def _graph_block(state: Mapping[str, Tensor], name: str, roles: Sequence[int]) -> Weights:
    weight, bias = state[f'{name}.gcn.conv.weight'], state[f'{name}.gcn.conv.bias']
    weight, bias = (value.reshape(len(ROLES), -1, *value.shape[1:2]) for value in (weight, bias))
    out = {
        # (R, C, C')
        'conv.weight': weight.transpose(1, 2)[list(roles)],
        # (R, C')
        'conv.bias': bias[list(roles)],
        **_under('conv.norm', _norm(state, f'{name}.tcn.0')),
        **_under('project', _linear(state, f'{name}.tcn.3')),
        **_under('norm', _norm(state, f'{name}.tcn.4', f'{name}.tcn.3.bias')),
    }
    if f'{name}.residual.0.weight' in state:
        out.update(_under('shortcut', _linear(state, f'{name}.residual.0')))
        out.update(_under('shortcut_norm', _norm(state, f'{name}.residual.1', f'{name}.residual.0.bias')))
    return out


def _embedder(state: Mapping[str, Tensor], trunk: bool) -> Weights:
    """``TemporalGCNEmbedder`` from their ``st_gcn_hand`` or ``st_gcn_body``."""
    out = {
        **_under('gesture.input_norm', _norm(state, 'data_bn')),
        **_under('project', _linear(state, 'conv4.0')),
        **_under('norm', _norm(state, 'conv4.1', 'conv4.0.bias')),
    }
    for theirs, ours, count in (('st_gcn_networks', 'joint_blocks', 3), ('st_gcn_pool', 'part_blocks', 2)):
        roles = TRUNK_ROLES if trunk and ours == 'part_blocks' else ROLES
        for place in range(count):
            block = _graph_block(state, f'{theirs}.{place}', roles)
            out.update(_under(f'gesture.{ours}.{place}', block))
    for place in range(2):
        block = f'tcn_full_b{place + 1}'
        for theirs, ours in (('conv1d_5', 'wide'), ('conv1d_3_1', 'narrow.0'), ('conv1d_3_2', 'narrow.1')):
            for key in ('weight', 'bias'):
                out[f'blocks.{place}.{ours}.{key}'] = state[f'{block}.{theirs}.0.{key}']
        out[f'blocks.{place}.join.weight'] = state[f'{block}.conv1x1.weight']
        out.update(_under(f'blocks.{place}.norm', _norm(state, f'{block}.bn', f'{block}.conv1x1.bias')))
    return out


def _backbone(state: Mapping[str, Tensor], hands: bool) -> Weights:
    """``HandTransformer`` from their ``Transformer``."""
    width = len(state['norm.gamma'])
    # Their features start with the right hand, ours with the left.
    order = torch.arange(width).roll(width // 2 if hands else 0)
    out = {'input.0.weight': state['norm.gamma'][order], 'input.0.bias': state['norm.beta'][order]}
    blocks = {key.split('.')[1] for key in state if key.startswith('blocks.')}
    for place in map(int, blocks):
        theirs, ours = f'blocks.{place}', f'encoder.layers.{place}'
        rows = [f'{theirs}.attn.proj_{name}' for name in 'qkv']
        out[f'{ours}.self_attn.in_proj_weight'] = torch.cat([state[f'{row}.weight'] for row in rows])[
            :, order
        ]
        out[f'{ours}.self_attn.in_proj_bias'] = torch.cat([state[f'{row}.bias'] for row in rows])
        out[f'{ours}.linear1.weight'] = state[f'{theirs}.pwff.fc1.weight'][:, order]
        out[f'{ours}.linear1.bias'] = state[f'{theirs}.pwff.fc1.bias']
        for name, layer in (('proj', 'self_attn.out_proj'), ('pwff.fc2', 'linear2')):
            for key in ('weight', 'bias'):
                out[f'{ours}.{layer}.{key}'] = state[f'{theirs}.{name}.{key}'][order]
        for norm in ('norm1', 'norm2'):
            out[f'{ours}.{norm}.weight'] = state[f'{theirs}.{norm}.gamma'][order]
            out[f'{ours}.{norm}.bias'] = state[f'{theirs}.{norm}.beta'][order]
    return out


def _within(state: Mapping[str, Tensor], name: str) -> Weights:
    """The entries under ``name``, by the rest of their names."""
    return {key[len(name) + 1 :]: value for key, value in state.items() if key.startswith(f'{name}.')}


def convert_encoder(state: Mapping[str, Tensor]) -> Weights:
    """``HandTrunkEncoder`` from their ``moco_model_with_transfer``, without what its forward never uses."""
    out = {}
    for theirs, gcn, attention, ours in (
        ('hand', 'embed.st_gcn_hand', 'GCN_Tran_Hand', 'hand'),
        ('body', 'embed.st_gcn_body', 'GCN_Tran_Body', 'trunk'),
    ):
        out.update(_under(f'embedders.{ours}', _embedder(_within(state, gcn), ours == 'trunk')))
        out.update(_under(f'backbones.{ours}', _backbone(_within(state, attention), ours == 'hand')))
        # The bias is dropped, since it does not change a softmax.
        out[f'scorers.{ours}.weight'] = state[f'proj.weight_{theirs}.weight']
    return out


def convert(state: Mapping[str, Tensor]) -> Weights:
    """Converts a state dict of pre-training or of fine-tuning.

    Args:
        state (Mapping): The authors' state dict.

    Raises:
        CheckpointError: The state dict is of another project.
    """
    state = {
        key[len('module.') :] if key.startswith('module.') else key: value for key, value in state.items()
    }
    out = {}
    try:
        for theirs, ours in ENCODERS.items():
            encoder = _within(state, theirs)
            if not encoder:
                continue
            out.update(_under(ours, convert_encoder(encoder)))
            side, modality = ours.split('.')
            for head, name in HEADS.items():
                layers = _within(encoder, f'proj.{head}')
                if 'weight' in layers and head == 'fc':
                    out.update(_under(f'head.classifiers.{modality}', layers))
                elif layers:
                    place = side.replace('encoders', 'projectors')
                    out.update(_under(f'{place}.{modality}.{name}.layers', layers))
        for bank, queues in QUEUES.items():
            if queues[0] in state:
                out[f'{bank}.keys'] = torch.stack([state[queue].t() for queue in queues])
                pointer = queues[0].replace('queue', 'queue_ptr')
                out[f'{bank}.pointer'] = state[pointer][0]
    except KeyError as error:
        raise CheckpointError(
            f'not a checkpoint of the authors of ST-Consistency: it has no {error}'
        ) from None
    if not out:
        raise CheckpointError('not a checkpoint of the authors of ST-Consistency: it has no encoder_q')
    return {key: value.clone() for key, value in out.items()}


def main() -> None:
    parser = tool_parser(__doc__)
    parser.add_argument('checkpoint', help="the authors' file")
    parser.add_argument('out', type=output_file, metavar='OUT.pth')
    args = parser.parse_args()
    content = load_checkpoint_file(args.checkpoint)
    try:
        weights = convert(content.get('state_dict', content))
    except CheckpointError as error:
        raise CheckpointError(f'{args.checkpoint}: {error}') from None
    buffer = io.BytesIO()
    torch.save(dict(state_dict=weights, meta={}), buffer)
    write_atomic(buffer.getvalue(), args.out)
    print(f'{args.out}: {len(weights)} tensors')


if __name__ == '__main__':
    run_tool(main)
