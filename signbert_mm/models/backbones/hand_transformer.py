"""The Transformer encoder over the tokens of both hands (SignBERT eq. 1)."""

from typing import Optional

from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from ...registry import MODELS


class EncoderLayer(nn.TransformerEncoderLayer):
    """torch's layer, ``batch_first``, whose attention keeps the batch first inside as well.

    torch's own puts time first for it: the projection of the input then goes over strided rows, and where its
    weight needs no gradient, as in key encoders, frame by frame. Parameters, their names, dropout's draws and
    the fast path of evaluation are torch's.
    """

    def _sa_block(
        self,
        x: Tensor,
        attn_mask: Optional[Tensor],
        key_padding_mask: Optional[Tensor],
        is_causal: bool = False,
    ) -> Tensor:
        if attn_mask is not None:
            return super()._sa_block(x, attn_mask, key_padding_mask, is_causal)
        attention, mask = (
            self.self_attn,
            None if key_padding_mask is None else key_padding_mask[:, None, None],
        )
        rows = F.linear(x, attention.in_proj_weight, attention.in_proj_bias)
        # (B, heads, N, C / heads) each
        query, key, value = rows.unflatten(-1, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(
            query, key, value, mask, attention.dropout if self.training else 0.0
        )
        # time first here: dropout's draws
        return self.dropout1(attention.out_proj(mixed.permute(2, 0, 1, 3).flatten(2)).transpose(0, 1))


@MODELS.register_module()
class HandTransformer(BaseModule):
    """N post-norm Transformer encoder layers over all tokens of a clip (eq. 1).

    Both hands are in one sequence. N = 3 in the paper.

    torch's own encoder, with its fused attention. Width, heads, feed-forward width, dropout and activation
    are not given in the paper.

    Args:
        embed_dims (int): Token width.
        num_layers (int): N; 3 in the paper, 2..5 in its Table 6.
        num_heads (int): Attention heads.
        feedforward_channels (int): Width of the feed-forward part.
        dropout (float): Dropout of attention, feed-forward and residual branches.
        input_norm (bool): Layer norm of the tokens that come in (ST-Consistency).
        feedforward_dropout (float, optional): Dropout behind the feed-forward part's activation; None =
            ``dropout`` (ST-Consistency's authors' code: 0).
        norm_eps (float): Added to the variance in layer norm (ST-Consistency's authors' code: 1e-12).
    """

    def __init__(
        self,
        embed_dims: int = 512,
        num_layers: int = 3,
        num_heads: int = 8,
        feedforward_channels: int = 2048,
        dropout: float = 0.1,
        input_norm: bool = False,
        feedforward_dropout: Optional[float] = None,
        norm_eps: float = 1e-5,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        layer = EncoderLayer(
            embed_dims,
            num_heads,
            feedforward_channels,
            dropout,
            activation='gelu',
            layer_norm_eps=norm_eps,
            batch_first=True,
        )
        if feedforward_dropout is not None:
            layer.dropout.p = feedforward_dropout
        # nested tensors would wait for the device, and give back zeros in place of masked tokens
        self.encoder = nn.TransformerEncoder(layer, num_layers, enable_nested_tensor=False)
        self.embed_dims = embed_dims
        # in a sequence for its name in checkpoints
        self.input = nn.Sequential(nn.LayerNorm(embed_dims, norm_eps)) if input_norm else nn.Identity()
        # the encoder copies one layer: draw each anew
        for name, parameter in self.encoder.named_parameters():
            if parameter.ndim > 1:
                nn.init.xavier_uniform_(parameter)
            elif name.endswith('bias'):
                nn.init.zeros_(parameter)

    def forward(self, tokens: Tensor, valid: Tensor) -> Tensor:
        """Contextualised tokens.

        Args:
            tokens (Tensor): Shape (B, T, H, C); H = 2 hands, or 1 where a frame is one token.
            valid (Tensor): Shape (B, T, H) bool; attention never sees the others. At least one a clip.

        Returns:
            Tensor: Shape (B, T, H, C); values at invalid places have no meaning.
        """
        hidden = self.encoder(self.input(tokens).flatten(1, 2), src_key_padding_mask=~valid.flatten(1))
        return hidden.reshape(tokens.shape)
