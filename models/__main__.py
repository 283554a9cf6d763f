"""Make the reader's model from its data: `make models`, or `python -m models --smoke` to prove the way in minutes.

Stages: base weights, examples, training, export, thresholds, first stage, description. Training goes on where an
earlier run was cut; the others take a few minutes together and are done anew.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from audit.frozen import replace
from edge_runtime.encoder import PACKAGED, OnnxEncoder
from models.base import fetch_base
from models.card import Report, model_card
from models.data.corpus import Corpus, load_corpus
from models.data.digests import data_sets
from models.data.example import Example
from models.describe import describe
from models.export import calibrate, export_float, quantise
from models.gate import GateChoice, choose_gate, export_gate, holds_something, train_gate
from models.model import ReaderNet
from models.names import LABELS
from models.predict import Predicted, Predictor
from models.recipe import BUILD, Recipe, smoke
from models.scores import f_beta, total
from models.thresholds import Choice, choose_thresholds, entity_counts, rescored, touched_share
from models.tokens import load_tokenizer, tokens_of
from models.train import say, train

FILES = ("reader.onnx", "tokenizer.json", "gate.onnx", "reader.json", "MODEL_CARD.md")
GATE_EXAMPLES = 12_000


def main() -> None:
    """Run every stage, and put the files where the package has them."""
    arguments = _arguments()
    started = time.monotonic()

    def said(text: str) -> None:
        say(f"[{(time.monotonic() - started) / 60:5.1f} min] {text}")

    recipe, build, is_trial = _chosen(arguments)
    tokenizer = _prepared(build)
    corpus = load_corpus()
    held_back = corpus.held_back()[:: 12 if arguments.smoke else 1]
    said(f"{len(held_back)} sentences held back")
    net = train(corpus, tokenizer, recipe, base=BUILD / "base", build=build)
    calibrate(net, held_back, tokenizer)
    export_float(net, build / "float.onnx")
    quantise(build / "float.onnx", build / "reader.onnx")
    said("trained and exported")

    readers = [Predictor(build / name, tokenizer) for name in ("float.onnx", "reader.onnx")]
    whole, predicted = ([reader.read(one.text) for one in held_back] for reader in readers)
    choices = choose_thresholds(held_back, predicted)
    said("thresholds chosen")
    gate = _make_gate(corpus, tokenizer, choices, net=net, held=(held_back, predicted), build=build, recipe=recipe)
    said(f"first stage skips {gate.skipped_share:.0%} of sentences without findings, passes {gate.recall:.2%}")
    report = _report(recipe, choices, gate, held=(held_back, predicted, whole))
    (build / "reader.json").write_bytes(describe(build, choices, report.data, gate=gate.threshold))
    OnnxEncoder.open(build)
    (build / "MODEL_CARD.md").write_text(model_card(report), encoding="utf-8")
    fall = max((report.float_choices[one.name] - one.score, one.name) for one in choices)
    said(f"8-bit weights cost {fall[0]:.2%} at most, of {fall[1]}")
    if not is_trial:
        PACKAGED.mkdir(exist_ok=True)
        for name in FILES:
            shutil.copyfile(build / name, PACKAGED / name)
    said(f"done, in {build}; nothing in the package was changed" if is_trial else f"done, in {PACKAGED}")


def _chosen(arguments: argparse.Namespace) -> tuple[Recipe, Path, bool]:
    """Return the recipe, the folder it works in, and whether it is a trial, which leaves the package alone."""
    recipe = smoke() if arguments.smoke else Recipe()
    changed = replace(
        recipe,
        threads=arguments.threads,
        epochs=arguments.epochs or recipe.epochs,
        layers=arguments.layers or recipe.layers,
        inner_width=arguments.inner_width or recipe.inner_width,
        heads=arguments.heads,
    )
    is_trial = arguments.smoke or changed != Recipe(threads=arguments.threads)
    build = BUILD / (f"trial-{changed.name}" if is_trial else "full")
    build.mkdir(parents=True, exist_ok=True)
    return changed, build, is_trial


def _prepared(build: Path) -> Tokenizer:
    """Fetch the base, and return its tokenizer as the device gets it."""
    whole = json.loads((fetch_base(BUILD / "base") / "tokenizer.json").read_text(encoding="utf-8"))
    whole |= {"truncation": None, "padding": None}
    (build / "tokenizer.json").write_text(
        json.dumps(whole, ensure_ascii=False, separators=(",", ":")), encoding="utf-8"
    )
    return load_tokenizer(build / "tokenizer.json")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make models ARGS=…", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="learn from a few hundred examples and change nothing")
    parser.add_argument("--threads", type=int, default=2, help="how many cores to train on")
    parser.add_argument("--layers", type=int, default=0, help="how many layers instead of the recipe's, to compare")
    parser.add_argument(
        "--inner-width", type=int, default=0, help="how many inner neurons each layer keeps, to compare"
    )
    parser.add_argument(
        "--heads", choices=("all", "tags", "labels"), default="all", help="which heads learn, to compare"
    )
    parser.add_argument("--epochs", type=int, default=0, help="how many epochs instead of the recipe's")
    return parser.parse_args()


def _make_gate(
    corpus: Corpus,
    tokenizer: Tokenizer,
    choices: Sequence[Choice],
    *,
    net: ReaderNet,
    held: tuple[Sequence[Example], Sequence[Predicted]],
    build: Path,
    recipe: Recipe,
) -> GateChoice:
    """Train the first stage on what the reader finds in an epoch of examples."""
    thresholds = {choice.name: choice.threshold for choice in choices}
    examples = corpus.epoch(f"{recipe.seed}:gate")[: int(GATE_EXAMPLES * recipe.epoch_share)]
    predictor = Predictor(build / "reader.onnx", tokenizer, threads=recipe.threads)
    holds = [holds_something(one, predictor.read(one.text), thresholds) for one in examples]
    words = net.encoder.embeddings.word_embeddings.weight.detach()
    gate = train_gate(
        [tokens_of(one.text, tokenizer.encode(one.text)) for one in examples], holds, words, seed=recipe.seed
    )
    export_gate(gate, build / "gate.onnx")
    held_back, predicted = held
    return choose_gate(
        build / "gate.onnx",
        [tokens_of(one.text, tokenizer.encode(one.text)) for one in held_back],
        [holds_something(one, read, thresholds) for one, read in zip(held_back, predicted, strict=True)],
        crises=[one.labels.get("crisis", False) for one in held_back],
    )


def _report(
    recipe: Recipe,
    choices: Sequence[Choice],
    gate: GateChoice,
    *,
    held: tuple[Sequence[Example], Sequence[Predicted], Sequence[Predicted]],
) -> Report:
    held_back, predicted, whole = held
    limits = {choice.name: choice.threshold for choice in choices}
    tagged = [(one, read.found_entities(limits)) for one, read in zip(held_back, predicted, strict=True)]
    tagged = [(one, found) for one, found in tagged if one.entities is not None]
    place = LABELS.index("injection")
    harmless = [
        bool(read.labels[place] >= limits["injection"])
        for one, read in zip(held_back, predicted, strict=True)
        if one.labels.get("injection") is False
    ]
    return Report(
        recipe=recipe,
        choices=tuple(choices),
        float_choices={choice.name: choice.score for choice in rescored(held_back, whole, choices)},
        clean_touched=touched_share([one for one, _ in tagged], [found for _, found in tagged]),
        names_f2=f_beta(total([entity_counts(one, found) for one, found in tagged]), 2),
        injection_false=sum(harmless) / max(1, len(harmless)),
        gate=gate,
        data=tuple(data_sets()),
    )


if __name__ == "__main__":
    main()
