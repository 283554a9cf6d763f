"""From the trained network to the file that ships: one ONNX graph with three outputs, in 8-bit whole numbers.

Promises: the file holds no pickle; calibration is inside it.
Source: `onnxruntime.quantization`, dynamic, per channel. Weights take seven bits, so that sums do not overflow on
processors without VNNI, and the same file gives the same numbers on both kinds.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from onnxruntime import InferenceSession
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from models.data.example import Example
from models.graph import HEADS, ShippedNet
from models.model import Batch, ReaderNet
from models.tokens import UNKNOWN, encode_all

__all__ = ["INPUTS", "OUTPUTS", "calibrate", "export_float", "quantise", "write_graph"]

INPUTS = ("input_ids", "token_type_ids")
OUTPUTS = ("entity_logits", "commitment_logits", "label_logits")
OPSET = 17


def calibrate(net: ReaderNet, examples: Sequence[Example], tokenizer: Tokenizer) -> float:
    """Divide the logits of labels by the temperature that fits held-back examples best, and return it.

    Source: Guo et al. (2017), temperature scaling; here one for all labels.
    """
    encoded = encode_all(examples, tokenizer)
    with torch.no_grad():
        batches = [Batch(encoded[start : start + 32]) for start in range(0, len(encoded), 32)]
        logits = torch.cat([net(batch.ids, batch.capitals, batch.mask)[2] for batch in batches])
        judged = torch.cat([batch.labels for batch in batches])
        known = judged != UNKNOWN
        losses = {
            heat: float(binary_cross_entropy_with_logits(logits[known] / heat, judged[known].float()))
            for heat in (step / 20 for step in range(10, 81))
        }
        heat = min(losses, key=losses.__getitem__)
        net.labels.weight /= heat
        net.labels.bias /= heat
    return heat


def export_float(net: ReaderNet, path: Path) -> None:
    """Write the network as a graph of floating-point numbers."""
    net.eval()
    example = torch.ones(1, 16, dtype=torch.long)
    row = {0: "batch", 1: "tokens"}
    axes = {**dict.fromkeys((*INPUTS, *OUTPUTS[:2]), row), OUTPUTS[2]: {0: "batch"}}
    write_graph(ShippedNet(net).eval(), dict.fromkeys(INPUTS, example), path, outputs=OUTPUTS, axes=axes)
    _check(net, path)


def write_graph(
    net: nn.Module,
    inputs: Mapping[str, Tensor],
    path: Path,
    *,
    outputs: Sequence[str],
    axes: Mapping[str, Mapping[int, str]],
) -> None:
    """Write a network as a graph, traced on `inputs`; `axes` names those whose length may be another."""
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing; what is traced is run and compared afterwards
        torch.onnx.export(
            net,
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )


def _check(net: ReaderNet, path: Path) -> None:
    """Compare the graph with the network on a sentence of another length than the traced one.

    Raises:
        ValueError: they differ.
    """
    ids = torch.arange(1000, 1041).unsqueeze(0)
    capitals = ids % 2
    with torch.no_grad():
        expected = net(ids, capitals)
    session = InferenceSession(str(path), providers=["CPUExecutionProvider"])
    got = session.run(None, dict(zip(INPUTS, (ids.numpy(), capitals.numpy()), strict=True)))
    for name, ours, theirs in zip(OUTPUTS, expected, got, strict=True):
        if not torch.allclose(ours, torch.from_numpy(theirs), atol=1e-3):
            raise ValueError(f"expected the exported graph to give the network's {name}")


def quantise(source: Path, target: Path) -> None:
    """Write the graph with 8-bit weights; the heads stay as they are."""
    logging.getLogger().setLevel(logging.ERROR)  # it advises a step that this graph does not need
    quantize_dynamic(
        source,
        target,
        op_types_to_quantize=["MatMul"],
        nodes_to_exclude=[f"/{head}/MatMul" for head in HEADS],
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=True,
    )
