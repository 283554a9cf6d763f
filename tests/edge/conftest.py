"""A device, an organisation that publishes for it, and a cloud that records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_runtime import EdgeRuntime
from edge_runtime.core import canonical
from edge_runtime.core.policy import read_policy
from tests.published import Published
from tests.recording_cloud import Cloud
from tests.simulator import prompt_document

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
    documents = made.organisation.base_documents()
    policy = json.loads(documents["policy", "organisation"])
    policy["rules"] = POLICY_RULES
    read_policy(policy)
    documents["policy", "organisation"] = canonical.encode(policy)
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
