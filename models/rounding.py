"""Numbers as the shipped file has them: weights in seven bits by channel, inputs in eight, a table in eight by row.

Promises: what the last part of a training learns with is what `onnxruntime` computes with, but for the order of sums;
gradients pass as if nothing had been rounded.
Source: Jacob et al. (2018), training for whole-number arithmetic; `DynamicQuantizeLinear` of ONNX.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["RoundedLinear", "round_numbers", "rounded_rows", "use_rounded"]

WEIGHT_STEPS, INPUT_STEPS, ROW_STEPS = 64, 255, 127
"""Weights take seven bits, so that sums do not overflow on processors without VNNI."""
_LEAST = 1e-8


class RoundedLinear(nn.Linear):
    """A layer that can be told to learn with rounded numbers."""

    rounds = False

    @classmethod
    def of(cls, layer: nn.Linear) -> RoundedLinear:
        """Return the layer with the same weights."""
        made = cls(layer.in_features, layer.out_features)
        made.load_state_dict(layer.state_dict())
        return made

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name that torch gives it
        """Return the product; `input` is [sentences, tokens, width]."""
        if not self.rounds:
            return super().forward(input)
        return nn.functional.linear(_rounded_input(input), _rounded_weight(self.weight), self.bias)


def use_rounded(module: nn.Module) -> None:
    """Put `RoundedLinear` in the place of every linear layer within a module."""
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, RoundedLinear.of(child))
        else:
            use_rounded(child)


def round_numbers(module: nn.Module, *, wanted: bool) -> None:
    """Compute from now on with rounded numbers, or with exact ones."""
    for layer in module.modules():
        if isinstance(layer, RoundedLinear):
            layer.rounds = wanted


def rounded_rows(table: Tensor) -> tuple[Tensor, Tensor]:
    """Return a table's rows in eight bits, and the factor of each row, [rows, 1]."""
    steps = table.abs().amax(dim=1, keepdim=True).clamp(min=_LEAST) / ROW_STEPS
    return (table / steps).round().to(torch.int8), steps


def _rounded_weight(weight: Tensor) -> Tensor:
    step = weight.detach().abs().amax(dim=1, keepdim=True).clamp(min=_LEAST) / WEIGHT_STEPS
    return weight + ((weight / step).round() * step - weight).detach()


def _rounded_input(given: Tensor) -> Tensor:
    """Round each sentence by its own least and greatest number, zero included."""
    seen = given.detach()
    low, high = seen.amin(dim=(1, 2), keepdim=True).clamp(max=0), seen.amax(dim=(1, 2), keepdim=True).clamp(min=0)
    step = (high - low).clamp(min=_LEAST) / INPUT_STEPS
    zero = (-low / step).round()
    return given + (((seen / step).round() + zero).clamp(0, INPUT_STEPS) - zero).mul(step).sub(seen).detach()
