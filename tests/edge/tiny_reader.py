"""A real model that fits on a page: an ONNX graph that looks each word up in a table, its tokenizer and description.

Promises: the same files each time. Its words are its weights: `priya` is a person, `leave` a crisis, and so on;
`grace` is a person with a capital and a grace without.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from edge_runtime.core import canonical

ENTITIES = ("PERSON", "ORG", "EMAIL")
PARTS = ("WHO", "WHAT", "WHEN")
LABELS = ("crisis", "about_other", "commitment", "injection", "topic.health", "agreed_action")
INPUTS = ("input_ids", "token_type_ids")
STRONG, NO = 12.0, 8.0
MEANINGS = {
    "priya": "B-PERSON",
    "sha": "B-PERSON",
    "##rma": "I-PERSON",
    "acme": "B-ORG",
    "mail": "B-EMAIL",
    "i": "B-WHO",
    "call": "B-WHAT",
    "friday": "B-WHEN",
    "will": "commitment",
    "leave": "crisis",
    "sister": "about_other",
    "ignore": "injection",
    "migraine": "topic.health",
    "agreed": "agreed_action",
}
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", *MEANINGS, "by", "my", ".", "x", "grace")


def _names() -> list[str]:
    tags = [tag for types in (ENTITIES, PARTS) for tag in ("O", *(f"{p}-{t}" for t in types for p in "BI"))]
    return [*tags, *LABELS]


def graph() -> bytes:
    """Return the graph: what each word says of tags and labels, the strongest of a sentence for its labels."""
    names = _names()
    table = np.zeros((len(WORDS), len(names)), np.float32)
    table[:, [0, 1 + 2 * len(ENTITIES)]] = NO
    table[:, -len(LABELS) :] = -NO
    for word, meaning in MEANINGS.items():
        table[WORDS.index(word), names.index(meaning)] = STRONG
    capital = np.zeros((1, len(names)), np.float32)
    capital[0, names.index("B-PERSON")] = 1.0
    table[WORDS.index("grace"), names.index("B-PERSON")] = NO - 0.5
    sizes = np.array([1 + 2 * len(ENTITIES), 1 + 2 * len(PARTS), len(LABELS)], np.int64)
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
        helper.make_node("Cast", ["token_type_ids"], ["capitals"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["capitals", "last"], ["column"]),
        helper.make_node("Mul", ["column", "capital"], ["more"]),
        helper.make_node("Add", ["rows", "more"], ["seen"]),
        helper.make_node("Split", ["seen", "sizes"], ["entity_logits", "commitment_logits", "of_labels"], axis=2),
        helper.make_node("ReduceMax", ["of_labels", "axes"], ["label_logits"], keepdims=0),
    ]
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, [1, "n"]) for n in INPUTS]
    outputs = [
        helper.make_tensor_value_info("entity_logits", TensorProto.FLOAT, [1, "n", int(sizes[0])]),
        helper.make_tensor_value_info("commitment_logits", TensorProto.FLOAT, [1, "n", int(sizes[1])]),
        helper.make_tensor_value_info("label_logits", TensorProto.FLOAT, [1, int(sizes[2])]),
    ]
    last = np.array([2], np.int64)
    numbers = {"table": table, "capital": capital, "sizes": sizes, "axes": np.array([1], np.int64), "last": last}
    weights = [numpy_helper.from_array(array, name) for name, array in numbers.items()]
    return _serialised(helper.make_graph(nodes, "tiny", inputs, outputs, weights))


def gate() -> bytes:
    """Return a first stage that lets every sentence through that has a word with a meaning."""
    table = np.full((len(WORDS), 1), -NO, np.float32)
    table[[WORDS.index(word) for word in (*MEANINGS, "grace")]] = STRONG
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
        helper.make_node("ReduceMax", ["rows", "axes"], ["gate_logit"], keepdims=0),
    ]
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, [1, "n"]) for n in INPUTS]
    outputs = [helper.make_tensor_value_info("gate_logit", TensorProto.FLOAT, [1, 1])]
    axes = numpy_helper.from_array(np.array([1], np.int64), "axes")
    return _serialised(
        helper.make_graph(nodes, "gate", inputs, outputs, [numpy_helper.from_array(table, "table"), axes])
    )


def _serialised(made: onnx.GraphProto) -> bytes:
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def tokenizer() -> bytes:
    """Return an uncased WordPiece tokenizer that knows `WORDS`."""
    made = Tokenizer(WordPiece({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.normalizer = BertNormalizer(lowercase=True)
    made.pre_tokenizer = BertPreTokenizer()
    made.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return made.to_str().encode()


def described(data: bytes) -> dict[str, Any]:
    """Return how `reader.json` names a file."""
    return {"digest": canonical.digest(data), "size_bytes": len(data)}


def document(**members: object) -> dict[str, Any]:
    """Return the description of the tiny model, with other members if given."""
    thresholds = {"PERSON": 5000, "ORG": 5000, **dict.fromkeys(LABELS, 5000)}
    score = {"metric": "f1", "score_bp": 10_000, "examples": 1, "data": "The words themselves."}
    return {
        "format": "mentorplane-reader/1",
        "name": "tiny",
        "licence": "Apache-2.0",
        "base": canonical.digest(b"none"),
        "locales": ["en"],
        "graph": described(graph()),
        "tokenizer": described(tokenizer()),
        "gate": {},
        "max_tokens": 16,
        "overlap_tokens": 4,
        "entities": list(ENTITIES),
        "parts": list(PARTS),
        "labels": list(LABELS),
        "thresholds": thresholds,
        "scores": [{**score, "label": label} for label in thresholds],
        "data": [],
        "self_test": [
            {
                "text": "I will call Priya by Friday.",
                "labels": {"commitment": [9900, 10_000], "crisis": [0, 100]},
                "entities": [["PERSON", 12, 17]],
                "parts": [["WHO", 0, 1], ["WHAT", 7, 11], ["WHEN", 21, 27]],
            }
        ],
        **members,
    }


def write(folder: Path, **members: object) -> Path:
    """Write the model's files into `folder`, with other members of its description if given."""
    folder.mkdir(exist_ok=True)
    (folder / "reader.onnx").write_bytes(graph())
    (folder / "tokenizer.json").write_bytes(tokenizer())
    (folder / "gate.onnx").write_bytes(gate())
    (folder / "reader.json").write_bytes(canonical.encode(document(**members)))
    return folder
