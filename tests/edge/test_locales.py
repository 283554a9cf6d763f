"""A person's language on a device: the approved translation, else the original; never what is withdrawn or is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_runtime import EdgeRuntime
from edge_runtime.core import canonical
from edge_runtime.core.errors import NotTrusted
from tests.published import Published
from tests.simulator import prompt_document

NOTES = {"notes": "We agreed on Thursday."}
ORIGINAL = prompt_document("opener", placement="device")
DIGEST = canonical.digest(canonical.encode(ORIGINAL))


def german(name: str = "opener.de", **changes: object) -> bytes:
    """Return a translation of the opener."""
    source = {"name": name.rpartition(".")[0], "digest": DIGEST}
    locale = name.rpartition(".")[2]
    more = {"locale": locale, "translation_of": source, "reply": "Auf Deutsch.", "placement": "device", **changes}
    return canonical.encode(prompt_document(name, **more))


@pytest.fixture
def translated(tmp_path: Path) -> Published:
    """A release with a German and a Portuguese opener, and a prompt that only looks like a translation."""
    made = Published(tmp_path)
    documents = made.organisation.base_documents()
    documents["prompt", "opener"] = canonical.encode(ORIGINAL)
    documents["prompt", "opener.de"] = german()
    documents["prompt", "opener.pt-br"] = german("opener.pt-br", locale="pt-BR", reply="Em português.")
    documents["prompt", "opener.fr"] = canonical.encode(prompt_document("opener.fr", placement="device"))
    made.release(documents)
    return made


def opened(published: Published, tmp_path: Path) -> EdgeRuntime:
    """Return a device that has adopted what is published."""
    edge = EdgeRuntime.open(tmp_path / "device", trust=published.trust, source=str(published.folder))
    assert edge.refresh().ok
    return edge


@pytest.mark.parametrize(
    ("locale", "ran"),
    [
        ("de-AT", "opener.de"),
        ("de", "opener.de"),
        ("DE_ch-1996", "opener.de"),
        ("pt-BR", "opener.pt-br"),
        ("pt", "opener"),
        ("en", "opener"),
        ("fr", "opener"),
        ("../de", "opener"),
    ],
)
def test_a_learner_gets_the_translation_or_else_the_original(
    translated: Published, tmp_path: Path, locale: str, ran: str
) -> None:
    """RFC 4647 look-up; the receipt names what ran. A prompt that says of nothing that it translates it is none."""
    reply = opened(translated, tmp_path).session(learner="u1", locale=locale).run("opener", NOTES)
    assert (reply.prompt, reply.outcome) == (ran, "filled")
    assert reply.receipt is not None
    assert reply.receipt.prompt == ran
    assert ("Auf Deutsch" in reply.text) is (ran == "opener.de")


def test_attack_a_withdrawn_translation_or_one_of_a_withdrawn_wording_is_not_used(
    translated: Published, tmp_path: Path
) -> None:
    """Stop using one language: the original runs. Stop using the original: no translation of it runs in its stead."""
    translated.organisation.withdraw("prompt", "opener.de")
    translated.publish()
    edge = opened(translated, tmp_path)
    assert edge.session(learner="u1", locale="de").run("opener", NOTES).prompt == "opener"
    translated.organisation.withdraw("prompt", "opener")
    translated.publish()
    assert edge.refresh().ok
    reply = edge.session(learner="u1", locale="pt-BR").run("opener", NOTES)
    assert (reply.prompt, reply.outcome) == ("opener", "withdrawn")
    assert "Em português" not in reply.text


def test_attack_an_altered_translation_on_disk_is_passed_over(translated: Published, tmp_path: Path) -> None:
    """Bytes that are not those approved are never shown: the original runs."""
    edge = opened(translated, tmp_path)
    path = tmp_path / "device" / "closures" / f"{canonical.digest(german()).removeprefix('sha256:')}.json"
    path.write_bytes(path.read_bytes().replace(b"Deutsch", b"Denglis"))
    assert edge.session(learner="u1", locale="de").run("opener", NOTES).prompt == "opener"


def test_an_unknown_prompt_is_unknown_in_every_language(translated: Published, tmp_path: Path) -> None:
    """There is no translation of what is not approved itself."""
    with pytest.raises(NotTrusted):
        opened(translated, tmp_path).localised("closing", "de")
