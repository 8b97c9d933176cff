"""What a config of ST-Consistency may say; see :class:`STConsistency`."""

from torch import nn

from ...errors import UserValueError

PARTS = ('hand', 'trunk')


def check_objectives(model: nn.Module, overall: bool) -> None:
    """Refuses parts, modalities, weights and losses that do not go together.

    Args:
        model (STConsistency): With these fields.
        overall (bool): It will have an overall bank.

    Raises:
        ValueError: See the class.
    """
    for field, known in (('modalities', ('joint', 'motion')), ('parts', PARTS)):
        names = getattr(model, field)
        if not names or len(set(names)) < len(names) or not set(names) <= set(known):
            raise UserValueError(f'STConsistency: {field} must be one or both of {known}, got {names}')
    if set(model.weights) != set(model.modalities):
        raise UserValueError(
            f'STConsistency: weights are of {sorted(model.weights)}, but the modalities are '
            f'{sorted(model.modalities)}'
        )
    if not (model.loss_contrast or model.loss_consistency or model.loss_transfer):
        raise UserValueError(
            'STConsistency: all objectives are off; give at least one of loss_contrast, '
            'loss_consistency and loss_transfer'
        )
    if model.loss_consistency is not None and len(model.parts) < 2:
        raise UserValueError(
            'STConsistency: loss_consistency compares hand and trunk, but parts is '
            f'{model.parts}; set loss_consistency=None'
        )
    if model.loss_transfer is not None and len(model.modalities) < 2:
        raise UserValueError(
            'STConsistency: loss_transfer compares joint and motion, but modalities is '
            f'{model.modalities}; set loss_transfer=None'
        )
    if overall and not (model.loss_contrast or model.loss_transfer):
        raise UserValueError(
            'STConsistency: overall_bank without loss_contrast and loss_transfer: its projector would '
            'never be trained; leave it out'
        )
    if overall and not (model.loss_contrast or model.loss_consistency):
        raise UserValueError(
            "STConsistency: overall_bank with loss_transfer alone: the parts' projectors would never be "
            'trained; leave overall_bank out, '
            'or give loss_contrast or loss_consistency'
        )


def check_encoder_widths(model: nn.Module) -> None:
    """Refuses projectors of another width than the encoder, and other parts than its."""
    for modality in model.modalities:
        # An encoder of another project may state neither; then nothing is checked.
        width = getattr(model.encoders[modality], 'out_channels', None)
        encoder_parts = getattr(model.encoders[modality], 'parts', model.parts)
        if set(encoder_parts) != set(model.parts):
            raise UserValueError(
                f'STConsistency: model.parts is {model.parts}, but model.encoder.parts is '
                f'{tuple(encoder_parts)}; set both to the same'
            )
        for name, projector in model.projectors[modality].items():
            if width is not None and projector.in_channels != width:
                raise UserValueError(
                    f'STConsistency: model.encoder gives vectors of width {width}, but '
                    f'model.projector.in_channels is {projector.in_channels} '
                    f'({modality}, {name}). Set both to one width'
                )


def check_anchors(model: nn.Module) -> None:
    """Refuses losses that want more anchors than their bank holds."""
    anchors = model.bank if model.overall_bank is None else model.overall_bank
    for field, loss, bank in (
        ('loss_transfer', model.loss_transfer, anchors),
        ('loss_consistency', model.loss_consistency, model.bank),
    ):
        num_anchors = getattr(loss, 'num_anchors', None)
        if num_anchors is not None and num_anchors > bank.size:
            raise UserValueError(
                f'STConsistency: model.{field}.num_anchors is {num_anchors}, but its bank holds '
                f'{bank.size} '
                'keys, so that none would be left out. Set '
                f'num_anchors to at most {bank.size}, or the size of '
                f'model.{"bank" if bank is model.bank else "overall_bank"} to more'
            )
