"""The Transformer encoder over the tokens of both hands (SignBERT eq. 1)."""

from typing import Optional

from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import UserValueError
from ...registry import MODELS
from .temporal_conv import TemporalConv


class EncoderLayer(nn.TransformerEncoderLayer):
    """torch's layer with ``batch_first``, whose attention keeps the batch first inside as well.

    torch's own attention moves time to the front. Its input projection then reads strided rows, and works
    frame by frame where its weight needs no gradient, as in key encoders. Parameters, their names, dropout's
    draws and the fast path in evaluation are torch's.
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
        attention = self.self_attn
        # (B, N) -> (B, heads, queries, N) by broadcasting
        mask = None if key_padding_mask is None else key_padding_mask[:, None, None]
        # (B, N, 3 C)
        rows = F.linear(x, attention.in_proj_weight, attention.in_proj_bias)
        # (B, heads, N, C / heads) each
        query, key, value = rows.unflatten(-1, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(
            query, key, value, mask, attention.dropout if self.training else 0.0
        )
        # Dropout gets (N, B, C), as from torch's attention, so that it draws the same.
        return self.dropout1(attention.out_proj(mixed.permute(2, 0, 1, 3).flatten(2)).transpose(0, 1))


@MODELS.register_module()
class HandTransformer(BaseModule):
    """N post-norm Transformer encoder layers over all tokens of a clip (eq. 1).

    The tokens of both hands are one sequence. It is torch's encoder, with fused attention. Width, heads,
    feed-forward width, dropout and activation are not given in the paper.

    Args:
        embed_dims (int): Token width.
        num_layers (int): N; 3 in the paper, 2..5 in its Table 6.
        num_heads (int): Attention heads.
        feedforward_channels (int): Width of the feed-forward part.
        dropout (float): Dropout of attention, feed-forward and residual branches.
        input_norm (bool): Layer norm of the input tokens (ST-Consistency).
        feedforward_dropout (float, optional): Dropout after the feed-forward part's activation; None =
            ``dropout`` (ST-Consistency's authors' code: 0).
        norm_eps (float): Added to the variance in layer norm (ST-Consistency's authors' code: 1e-12).
        conv_kernel (int): Frames that a :class:`TemporalConv` before the layers sees; 0 = none (the papers).

    Raises:
        ValueError: No layer, or a width that the heads do not divide.
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
        conv_kernel: int = 0,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        if num_layers < 1 or num_heads < 1 or embed_dims % num_heads:
            raise UserValueError(
                'HandTransformer: num_layers must be at least 1, and embed_dims a multiple of num_heads; got '
                f'num_layers={num_layers}, embed_dims={embed_dims} and num_heads={num_heads}'
            )
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
        # Nested tensors would wait for the device, and return zeros in place of masked tokens.
        self.encoder = nn.TransformerEncoder(layer, num_layers, enable_nested_tensor=False)
        self.embed_dims = embed_dims
        # In a Sequential, since checkpoints name it `input.0`.
        self.input = nn.Sequential(nn.LayerNorm(embed_dims, norm_eps)) if input_norm else nn.Identity()
        self.conv = TemporalConv(embed_dims, conv_kernel) if conv_kernel else None
        # TransformerEncoder copies one layer, so each copy gets weights of its own here.
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
        if self.conv is not None:
            tokens = self.conv(tokens, valid)
        # Time and hands become one axis: (B, T H, C).
        hidden = self.encoder(self.input(tokens).flatten(1, 2), src_key_padding_mask=~valid.flatten(1))
        return hidden.reshape(tokens.shape)
