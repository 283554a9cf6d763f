"""Make the layers of the base narrower before training: fewer inner neurons, those that vary most on our own sentences.

Promises: what a neuron that goes gave on average is kept in the bias; the rest is learned again.
Source: Molchanov et al. (2017), pruning by what neurons do on data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from models.model import Batch, ReaderNet

__all__ = ["narrow"]


def narrow(net: ReaderNet, batches: Sequence[Batch], width: int) -> None:
    """Keep `width` inner neurons of every layer."""
    layers = list(net.encoder.encoder.layer)
    seen = [_Seen(layer.intermediate) for layer in layers]
    net.eval()
    with torch.no_grad():
        for batch in batches:
            net(batch.ids, batch.capitals, batch.mask)
        for layer, one in zip(layers, seen, strict=True):
            _narrow(layer, *one.mean_and_deviation(), width=width)


class _Seen:
    """What the inner neurons of a layer gave, token by token."""

    def __init__(self, inner: nn.Module) -> None:
        self._rows: list[Tensor] = []
        self._hook = inner.register_forward_hook(lambda _module, _given, got: self._rows.append(got.flatten(0, 1)))

    def mean_and_deviation(self) -> tuple[Tensor, Tensor]:
        """Return the mean and the standard deviation of each neuron."""
        self._hook.remove()
        rows = torch.cat(self._rows)
        return rows.mean(dim=0), rows.std(dim=0)


def _narrow(layer: Any, mean: Tensor, deviation: Tensor, *, width: int) -> None:
    inward, outward = layer.intermediate.dense, layer.output.dense
    kept = (deviation * outward.weight.norm(dim=0)).topk(width).indices.sort().values
    gone = torch.ones(len(mean), dtype=torch.bool)
    gone[kept] = False
    layer.intermediate.dense = _linear(inward.weight[kept], inward.bias[kept])
    layer.output.dense = _linear(outward.weight[:, kept], outward.bias + outward.weight[:, gone] @ mean[gone])


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    made = nn.Linear(weight.shape[1], weight.shape[0])
    made.weight.copy_(weight)
    made.bias.copy_(bias)
    return made
