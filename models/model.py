"""One encoder, three heads: a tag of each token for entities and for parts of commitments, labels of the sentence.

Promises: what nobody judged takes no part in the loss. The only module that imports `transformers`.
Does not: normalise or tokenise; decide anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import AutoModel
from transformers.utils import logging as transformers_logging

from models.names import ENTITY_TAGS, LABELS, PART_TAGS
from models.rounding import rounded_rows
from models.tokens import UNKNOWN, Encoded

__all__ = ["Batch", "ReaderNet", "loss_of", "padded"]

DROPOUT = 0.1
PART_WEIGHT = 0.5
"""What the loss of parts weighs beside that of entities."""
WEIGHTS = torch.tensor([2.0 if label == "crisis" else 1.0 for label in LABELS])
"""What the loss of each label weighs: to miss a person in need is the worst that the reader can do."""


class Batch:
    """Examples as padded tensors."""

    def __init__(self, examples: Sequence[Encoded]) -> None:
        width = max(len(one.ids) for one in examples)
        self.ids = padded([one.ids for one in examples], width, 0)
        self.capitals = padded([one.capitals for one in examples], width, 0)
        self.mask = padded([(1,) * len(one.ids) for one in examples], width, 0)
        self.entities = padded([one.entities for one in examples], width, UNKNOWN)
        self.parts = padded([one.parts for one in examples], width, UNKNOWN)
        self.labels = torch.tensor([one.labels for one in examples])


class ReaderNet(nn.Module):
    """The network that is trained and exported."""

    def __init__(self, base: Path, *, layers: int = 6) -> None:
        super().__init__()
        transformers_logging.set_verbosity_error()  # the pooling layer of the base is left out on purpose
        transformers_logging.disable_progress_bar()
        self.encoder = AutoModel.from_pretrained(base, attn_implementation="sdpa", add_pooling_layer=False)
        self.encoder.encoder.layer = self.encoder.encoder.layer[:layers]
        width = int(self.encoder.config.hidden_size)
        self.dropout = nn.Dropout(DROPOUT)
        self.entities = nn.Linear(width, len(ENTITY_TAGS))
        self.parts = nn.Linear(width, len(PART_TAGS))
        self.labels = nn.Linear(width, len(LABELS))
        self.focus = nn.Linear(width, len(LABELS))
        types = self.encoder.embeddings.token_type_embeddings.weight
        words = self.encoder.embeddings.word_embeddings.weight
        with torch.no_grad():
            types[1] = types[0]
            rows, steps = rounded_rows(words)
            words.copy_(rows * steps)

    def forward(
        self, input_ids: Tensor, token_type_ids: Tensor, attention_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the logits of entities and parts, for each token, and of labels; without a mask nothing is padding."""
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        hidden = self.encoder(
            input_ids=input_ids, token_type_ids=token_type_ids, attention_mask=attention_mask
        ).last_hidden_state
        hidden = self.dropout(hidden)
        return self.entities(hidden), self.parts(hidden), self._label_logits(hidden, attention_mask)

    def _label_logits(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Return for each label the mean of what the tokens say, weighted by how much each has to say of it."""
        shares = self.focus(hidden).masked_fill(mask.unsqueeze(-1) == 0, -1e4).softmax(dim=1)
        said: Tensor = (shares * self.labels(hidden)).sum(dim=1)
        return said

    def groups(self, encoder_rate: float, head_rate: float) -> list[dict[str, object]]:
        """Return the parameters with their rates of learning; the vocabulary's table stays as it is."""
        self.encoder.embeddings.word_embeddings.requires_grad_(False)
        heads = [p for head in (self.entities, self.parts, self.labels, self.focus) for p in head.parameters()]
        types = self.encoder.embeddings.token_type_embeddings.weight
        encoder = [p for p in self.encoder.parameters() if p.requires_grad and p is not types]
        return [{"params": encoder, "lr": encoder_rate}, {"params": [*heads, types], "lr": head_rate}]


def loss_of(outputs: tuple[Tensor, Tensor, Tensor], batch: Batch, heads: str = "all") -> Tensor:
    """Return the sum of the losses of the heads that learn."""
    entities, parts, labels = outputs
    tags = _tag_loss(entities, batch.entities) + PART_WEIGHT * _tag_loss(parts, batch.parts)
    of_labels = _label_loss(labels, batch.labels)
    return {"all": tags + of_labels, "tags": tags, "labels": of_labels}[heads]


def _tag_loss(logits: Tensor, tags: Tensor) -> Tensor:
    total = nn.functional.cross_entropy(logits.flatten(0, 1), tags.flatten(), ignore_index=UNKNOWN, reduction="sum")
    return total / (tags != UNKNOWN).sum().clamp(min=64)


def _label_loss(logits: Tensor, judged: Tensor) -> Tensor:
    """Return the loss of all judged labels, per sentence that had any."""
    known = judged != UNKNOWN
    each = nn.functional.binary_cross_entropy_with_logits(
        logits, judged.clamp(min=0).to(logits.dtype), reduction="none"
    )
    total: Tensor = (each * known * WEIGHTS).sum()
    return total / known.any(dim=1).sum().clamp(min=8)


def padded(rows: Sequence[Sequence[int]], width: int, filler: int) -> Tensor:
    """Return rows of one width, what is missing filled up."""
    return torch.tensor([[*row, *[filler] * (width - len(row))] for row in rows])
