"""A device, an organisation that publishes for it, and a cloud that records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from edge_runtime import EdgeRuntime
from edge_runtime.core import canonical
from edge_runtime.core.policy import read_policy
from tests.published import Published
from tests.recording_cloud import Cloud
from tests.simulator import prompt_document

Key = tuple[str, str]
POLICY_RULES = [
    {
        "id": "consent",
        "because": "no consent",
        "when": {"consents": {"missing_any_of": ["cloud"]}},
        "at_most": "device",
    },
    {
        "id": "personal",
        "because": "personal data",
        "when": {"entities": {"any_of": ["EMAIL", "PERSON"]}},
        "at_most": "redacted",
        "require": ["no-telemetry"],
    },
    {"id": "stale", "because": "too old", "when": {"staleness": {"at_least": "stale"}}, "at_most": "device"},
]


def ruled(documents: Mapping[Key, bytes], rules: Sequence[Mapping[str, object]]) -> dict[Key, bytes]:
    """Return documents whose policy has these rules."""
    policy = {**json.loads(documents["policy", "organisation"]), "rules": list(rules)}
    read_policy(policy)
    return {**documents, ("policy", "organisation"): canonical.encode(policy)}


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """A recording cloud."""
    made = Cloud()
    yield made
    made.close()


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """A release whose policy lets redacted text leave with consent."""
    return published_in(tmp_path)


def published_in(folder: Path) -> Published:
    """Publish in a folder a release whose policy lets redacted text leave with consent."""
    made = Published(folder)
    documents = ruled(made.organisation.base_documents(), POLICY_RULES)
    documents["prompt", "private"] = canonical.encode(prompt_document("private", placement="device"))
    made.release(documents)
    return made


@pytest.fixture
def edge(published: Published, tmp_path: Path, cloud: Cloud) -> EdgeRuntime:
    """A device with a cloud model configured."""
    runtime = EdgeRuntime.open(
        tmp_path / "home", trust=published.trust, source=str(published.folder), cloud=cloud.model
    )
    assert runtime.refresh().ok
    return runtime
