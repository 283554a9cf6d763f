"""The network as the device runs it: the same numbers, in fewer and larger steps than it was trained in.

One product for queries, keys and values; attention as one operator of `onnxruntime`; the vocabulary's table in eight
bits by row. There is no mask, for a device reads one sentence at a time.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from models.model import ReaderNet
from models.rounding import rounded_rows

__all__ = ["HEADS", "ShippedNet"]

HEADS = ("entities", "parts", "focus", "labels")
"""The layers that give the outputs; they are small, and stay in floating point."""


class ShippedNet(nn.Module):
    """What is exported."""

    def __init__(self, net: ReaderNet) -> None:
        super().__init__()
        self.net = net
        layers = list(net.encoder.encoder.layer)
        self.asked = nn.ModuleList(_joined(layer.attention.self) for layer in layers)
        table, steps = rounded_rows(net.encoder.embeddings.word_embeddings.weight.detach())
        self.register_buffer("table", table)
        self.register_buffer("steps", steps)

    def forward(self, input_ids: Tensor, token_type_ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the logits of entities and parts, for each token, and of labels."""
        encoder = self.net.encoder
        words = self.table[input_ids].float() * self.steps[input_ids]
        hidden = encoder.embeddings(inputs_embeds=words, token_type_ids=token_type_ids)
        for layer, asked in zip(encoder.encoder.layer, self.asked, strict=True):
            seen = _Attention.apply(asked(hidden), encoder.config.num_attention_heads)
            hidden = layer.attention.output(seen, hidden)
            hidden = layer.output(layer.intermediate(hidden), hidden)
        shares = self.net.focus(hidden).softmax(dim=1)
        return self.net.entities(hidden), self.net.parts(hidden), (shares * self.net.labels(hidden)).sum(dim=1)


class _Attention(torch.autograd.Function):
    """Attention of every head; queries, keys and values side by side, [sentences, tokens, 3 * width], in."""

    @staticmethod
    def forward(_ctx: Any, asked: Tensor, heads: int) -> Tensor:
        """Compute it as torch does."""
        split = [one.unflatten(-1, (heads, -1)).transpose(1, 2) for one in asked.chunk(3, dim=-1)]
        return nn.functional.scaled_dot_product_attention(*split).transpose(1, 2).flatten(2)

    @staticmethod
    def symbolic(g: Any, asked: Any, heads: int) -> Any:
        """Name the operator that computes it in a graph."""
        split = g.op("Split", asked, axis_i=-1, outputs=3)
        return g.op("com.microsoft::MultiHeadAttention", *split, num_heads_i=heads).setType(split[0].type())


def _joined(attention: nn.Module) -> nn.Linear:
    """Return one layer that gives queries, keys and values side by side."""
    parts: list[Any] = [attention.query, attention.key, attention.value]
    made = nn.Linear(parts[0].in_features, sum(part.out_features for part in parts))
    with torch.no_grad():
        made.weight.copy_(torch.cat([part.weight for part in parts]))
        made.bias.copy_(torch.cat([part.bias for part in parts]))
    return made
