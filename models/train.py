"""Train the reader: epochs of newly filled, newly mistyped examples, in batches of like length.

Promises: the same recipe, data and machine give the same weights, whether it ran through or was cut and went on;
prints how far it is and when it will end.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

import torch
from tokenizers import Tokenizer

from audit.frozen import replace
from models.data.corpus import Corpus
from models.model import Batch, ReaderNet, loss_of
from models.narrowing import narrow
from models.recipe import Recipe
from models.rounding import round_numbers, use_rounded
from models.tokens import Encoded, encode_all

__all__ = ["batches_of", "say", "train"]

SAY_EVERY_S, SAVE_EVERY_S = 20.0, 120.0
GRADIENT_LENGTH = 1.0
NARROWED_ON = 512


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def batches_of(examples: list[Encoded], recipe: Recipe, rng: random.Random) -> list[list[Encoded]]:
    """Return the examples in batches of like length and about `batch_tokens` tokens, in random order."""
    ordered = sorted(examples, key=lambda one: len(one.ids))
    batches: list[list[Encoded]] = [[]]
    for one in ordered:
        if batches[-1] and (len(batches[-1]) + 1) * len(one.ids) > recipe.batch_tokens:
            batches.append([])
        batches[-1].append(one)
    rng.shuffle(batches)
    return batches


def train(corpus: Corpus, tokenizer: Tokenizer, recipe: Recipe, *, base: Path, build: Path) -> ReaderNet:
    """Return the trained network; what an earlier run of the same recipe had done is not done again."""
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(recipe.threads)
    first = _epoch(corpus, tokenizer, recipe, number=0)
    epochs = recipe.epochs or max(1, round(recipe.tokens / _size(first)))
    net = _prepared(first, recipe, base)
    run = _Run(replace(recipe, epochs=epochs), net, build / f"checkpoint-{recipe.name}.pt")
    for number in range(epochs):
        rng = random.Random(f"{recipe.seed}:{number}")  # noqa: S311 - an order is no secret
        if not run.is_past(number):
            examples = _epoch(corpus, tokenizer, recipe, number=number) if number else first
            run.epoch(number, batches_of(examples, recipe, rng))
    round_numbers(net, wanted=False)
    net.eval()
    return net


def _prepared(examples: list[Encoded], recipe: Recipe, base: Path) -> ReaderNet:
    """Return the base as training begins with it: narrower, and able to learn with rounded numbers."""
    net = ReaderNet(base, layers=recipe.layers)
    narrow(net, [Batch(examples[start : start + 16]) for start in range(0, NARROWED_ON, 16)], recipe.inner_width)
    use_rounded(net.encoder)
    return net


def _epoch(corpus: Corpus, tokenizer: Tokenizer, recipe: Recipe, *, number: int) -> list[Encoded]:
    examples = corpus.epoch(f"{recipe.seed}:{number}")
    return encode_all(examples[: int(len(examples) * recipe.epoch_share)], tokenizer)


class _Run:
    """A training run: the network, where it stands, and how to save that."""

    def __init__(self, recipe: Recipe, net: ReaderNet, checkpoint: Path) -> None:
        self.net = net
        self._recipe = recipe
        self._checkpoint = checkpoint
        groups = self.net.groups(recipe.encoder_rate, recipe.head_rate)
        self._optimiser = torch.optim.AdamW(groups, weight_decay=0.01, fused=True)
        self._rates = (recipe.encoder_rate, recipe.head_rate)
        self._place = (0, 0)
        if checkpoint.exists():
            saved = torch.load(checkpoint, weights_only=True)
            self.net.load_state_dict(saved["net"])
            self._optimiser.load_state_dict(saved["optimiser"])
            torch.set_rng_state(saved["rng"])
            self._place = tuple(saved["place"])
            say(f"going on at epoch {self._place[0] + 1}, batch {self._place[1]}")

    def is_past(self, epoch: int) -> bool:
        """Tell whether an epoch is done."""
        return epoch < self._place[0]

    def epoch(self, epoch: int, batches: list[list[Encoded]]) -> None:
        """Learn from the batches of an epoch, from where it stood."""
        self.net.train()
        watch = _Watch(epoch, batches, self._recipe.epochs)
        saved_at = time.monotonic()
        for number, examples in enumerate(batches):
            if (epoch, number) < self._place:
                watch.skip(examples)
                continue
            loss = self._step((epoch + number / len(batches)) / self._recipe.epochs, examples)
            watch.tell(number, examples, loss)
            if time.monotonic() - saved_at > SAVE_EVERY_S:
                saved_at = time.monotonic()
                self._save(epoch, number + 1)
        self._save(epoch + 1, 0)

    def _step(self, done: float, examples: list[Encoded]) -> float:
        """Take one step; `done` is the share of the whole training that lies behind it."""
        warm_up = self._recipe.warm_up
        factor = done / warm_up if done < warm_up else (1 - done) / (1 - warm_up)
        for group, rate in zip(self._optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * max(factor, 0.01)
        round_numbers(self.net, wanted=done >= 1 - self._recipe.rounded_share)
        batch = Batch(examples)
        loss = loss_of(self.net(batch.ids, batch.capitals, batch.mask), batch, self._recipe.heads)
        self._optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), GRADIENT_LENGTH)
        self._optimiser.step()
        return float(loss.detach())

    def _save(self, epoch: int, batch: int) -> None:
        self._place = (epoch, batch)
        state = {
            "net": self.net.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "rng": torch.get_rng_state(),
            "place": [epoch, batch],
        }
        self._checkpoint.parent.mkdir(parents=True, exist_ok=True)
        new = self._checkpoint.with_suffix(".new")
        torch.save(state, new)
        new.replace(self._checkpoint)


class _Watch:
    """Says how far an epoch is."""

    def __init__(self, epoch: int, batches: list[list[Encoded]], epochs: int) -> None:
        self._title = f"epoch {epoch + 1} of {epochs}"
        self._left_epochs = epochs - epoch - 1
        self._total = self._left = sum(map(_size, batches))
        self._started = self._said = time.monotonic()
        self._done = 0
        self._loss = 0.0

    def skip(self, examples: list[Encoded]) -> None:
        """Count a batch that was learned in an earlier run."""
        self._left -= _size(examples)

    def tell(self, number: int, examples: list[Encoded], loss: float) -> None:
        """Count a batch, and say how far it is when it is time to."""
        self._done += _size(examples)
        self._left -= _size(examples)
        self._loss = loss if not self._loss else 0.98 * self._loss + 0.02 * loss
        now = time.monotonic()
        if now - self._said < SAY_EVERY_S and self._left:
            return
        self._said = now
        speed = self._done / (now - self._started)
        left_s = (self._left + self._left_epochs * self._total) / speed
        say(
            f"  {self._title}, batch {number + 1}: {1 - self._left / self._total:4.0%}, loss {self._loss:.3f}, "
            f"{speed:,.0f} tokens/s, all epochs end in {left_s / 60:.1f} min"
        )


def _size(examples: list[Encoded]) -> int:
    return sum(len(one.ids) for one in examples)
