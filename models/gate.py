"""The first stage: a small graph that says of a sentence that it holds nothing, so that the encoder need not read it.

It is a table of 32 numbers for each token, two layers of neighbours and a maximum. It learns from the reader's own
findings, with the written judgements on top, and its threshold is set so that it hides next to nothing.

Promises: of what the reader or a writer found on the validation side, at least `RECALL` passes, and every crisis.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from onnxruntime import InferenceSession
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from audit.frozen import frozen
from models.data.example import Example
from models.export import INPUTS, write_graph
from models.model import padded
from models.names import ENTITY_TYPES, LABELS
from models.predict import Floats, Predicted, inputs_of
from models.tokens import Tokens
from models.train import say

__all__ = ["GateChoice", "GateNet", "GateReader", "choose_gate", "export_gate", "holds_something", "train_gate"]

RECALL = 0.99
WIDTH, HIDDEN = 32, 48
EPOCHS, BATCH, RATE = 6, 64, 2e-3
CAUTION = 0.6
"""By which factor the reader's thresholds are lowered when it is asked what a sentence holds."""


@frozen
class GateChoice:
    """A threshold with what it lets through where it was chosen."""

    threshold: float
    recall: float
    skipped_share: float
    examples: int


class GateNet(nn.Module):
    """The small network."""

    def __init__(self, words: Tensor) -> None:
        super().__init__()
        self.words = nn.Embedding.from_pretrained(_reduced(words, WIDTH), freeze=False)
        self.capital = nn.Embedding(2, WIDTH)
        self.near = nn.Conv1d(WIDTH, HIDDEN, 3, padding=1)
        self.far = nn.Conv1d(HIDDEN, HIDDEN, 3, padding=1)
        self.verdict = nn.Linear(HIDDEN, 1)

    def forward(self, input_ids: Tensor, token_type_ids: Tensor) -> Tensor:
        """Return one logit for each sentence."""
        rows = (self.words(input_ids) + self.capital(token_type_ids)).transpose(1, 2)
        near = torch.relu(self.near(rows))
        seen = near + torch.relu(self.far(near))
        logit: Tensor = self.verdict(seen.amax(dim=2))
        return logit


def holds_something(example: Example, predicted: Predicted, thresholds: Mapping[str, float]) -> bool:
    """Tell whether a writer marked something in a sentence, or the reader nearly finds something."""
    if any(mark.kind in ENTITY_TYPES for mark in example.entities or ()) or any(example.labels.values()):
        return True
    lower = {name: limit * CAUTION for name, limit in thresholds.items()}
    labels = any(score >= lower.get(name, 1) for name, score in zip(LABELS, predicted.labels, strict=True))
    return labels or bool(predicted.found_entities(lower))


def train_gate(read: Sequence[Tokens], holds: Sequence[bool], words: Tensor, *, seed: int) -> GateNet:
    """Return the network, trained on sentences as tokens."""
    torch.manual_seed(seed)
    rng = random.Random(seed)  # noqa: S311 - an order is no secret
    net = GateNet(words)
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.01)
    order = sorted(range(len(read)), key=lambda index: len(read[index].ids))
    batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    steps = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * len(batches))
    for epoch in range(EPOCHS):
        rng.shuffle(batches)
        losses = [
            _step(net, optimiser, steps, batch=_batch([(read[index], holds[index]) for index in batch]))
            for batch in batches
        ]
        say(f"  first stage, epoch {epoch + 1} of {EPOCHS}: loss {sum(losses) / len(losses):.3f}")
    net.eval()
    return net


def _batch(chosen: Sequence[tuple[Tokens, bool]]) -> tuple[Tensor, Tensor, Tensor]:
    width = max(len(one.ids) for one, _ in chosen)
    ids, capitals = (
        padded(rows, width, 0) for rows in ([one.ids for one, _ in chosen], [one.capitals for one, _ in chosen])
    )
    return ids, capitals, torch.tensor([[float(holds)] for _, holds in chosen])


def _step(
    net: GateNet,
    optimiser: torch.optim.Optimizer,
    steps: torch.optim.lr_scheduler.LRScheduler,
    *,
    batch: tuple[Tensor, Tensor, Tensor],
) -> float:
    ids, capitals, truth = batch
    loss = nn.functional.binary_cross_entropy_with_logits(net(ids, capitals), truth)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    steps.step()
    return float(loss.detach())


def export_gate(net: GateNet, path: Path) -> None:
    """Write the network as a graph with 8-bit weights."""
    whole = path.with_suffix(".float.onnx")
    given = dict.fromkeys(INPUTS, torch.ones(1, 16, dtype=torch.long))
    write_graph(net, given, whole, outputs=["gate_logit"], axes={name: {1: "tokens"} for name in INPUTS})
    quantize_dynamic(whole, path, weight_type=QuantType.QInt8, op_types_to_quantize=["Gather"])


class GateReader:
    """The first stage as a device runs it."""

    def __init__(self, path: Path) -> None:
        self._session = InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def score(self, tokens: Tokens) -> float:
        """Return how likely a sentence holds something."""
        logit: Floats = self._session.run(None, inputs_of(tokens))[0]
        return float(1 / (1 + np.exp(-logit[0, 0])))


def choose_gate(path: Path, read: Sequence[Tokens], holds: Sequence[bool], *, crises: Sequence[bool]) -> GateChoice:
    """Return the highest threshold that hides as little as promised."""
    scores = np.array(list(map(GateReader(path).score, read)))
    truth = np.array(holds)
    needed = np.sort(scores[truth])
    limit = float(needed[int((1 - RECALL) * len(needed))]) if len(needed) else 0.0
    graves = scores[np.array(crises)]
    threshold = max(0.0001, np.floor(min(limit, *map(float, graves), 1.0) * 10_000) / 10_000)
    return GateChoice(
        threshold=threshold,
        recall=float((needed >= threshold).mean()) if len(needed) else 1.0,
        skipped_share=float((scores[~truth] < threshold).mean()) if (~truth).any() else 0.0,
        examples=len(needed),
    )


def _reduced(words: Tensor, width: int) -> Tensor:
    """Return the rows in their `width` main directions: near words stay near."""
    centred = words - words.mean(dim=0)
    _, _, directions = torch.pca_lowrank(centred, q=width, center=False)
    reduced = centred @ directions
    return reduced / reduced.std()
