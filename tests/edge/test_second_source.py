"""A second source of withdrawals: it can only add, and nothing takes away what it added."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from edge_runtime import EdgeRuntime
from edge_runtime.core import canonical
from edge_runtime.core.release import encode_withdrawals
from tests.published import Published, fingerprint, published_once
from tests.simulator import CHANNEL, prompt_document

NOTES = {"notes": "We agreed on two things. I will write to Mara by Thursday."}


class Second:
    """A folder that offers withdrawals, which the app names in its trust folder."""

    def __init__(self, published: Published, tmp_path: Path) -> None:
        self.published = published
        self.folder, self.home = tmp_path / "second", tmp_path / "home"
        self.file = self.folder / "withdrawals" / f"{CHANNEL}.json"
        self.file.parent.mkdir(parents=True)
        (published.trust / "second-source").write_text(f"{self.folder}\n")
        self.offer()

    def offer(self) -> None:
        """Offer what the organisation withdrew."""
        self.file.write_bytes(encode_withdrawals(CHANNEL, tuple(self.published.organisation.withdrawals)))

    def open(self) -> EdgeRuntime:
        """Open the device anew."""
        return EdgeRuntime.open(self.home, trust=self.published.trust, source=str(self.published.folder))

    def outcome(self, edge: EdgeRuntime) -> str:
        """Run the prompt, and again after a restart: both must come to the same."""
        outcomes = {one.session(learner="u1").run("opener", NOTES).outcome for one in (edge, self.open())}
        [outcome] = outcomes
        return outcome


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """An organisation with one release."""
    return published_once(tmp_path)


@pytest.fixture
def second(published: Published, tmp_path: Path) -> Second:
    """A second source, and a device that has adopted the release."""
    made = Second(published, tmp_path)
    assert made.open().refresh().ok
    return made


@pytest.mark.attack("withdrawal hidden")
def test_a_withdrawal_is_hidden_by_the_first_source(second: Second, published: Published) -> None:
    """Attack: the first source goes on without the withdrawal: the longer list stops the prompt, from then on."""
    published.organisation.withdraw("prompt", "opener")
    second.offer()
    edge = second.open()
    assert edge.refresh().notes == ()
    assert second.outcome(edge) == "withdrawn"


@pytest.mark.parametrize("gone", ["first", "refused"])
def test_a_withdrawal_arrives_while_the_first_source_is_of_no_use(
    second: Second, published: Published, tmp_path: Path, gone: str
) -> None:
    """The first source does not answer, or is refused: the refresh says so, and the prompt stops all the same."""
    edge = second.open()
    published.organisation.withdraw("prompt", "opener")
    second.offer()
    if gone == "first":
        published.folder.rename(tmp_path / "away")
    else:
        (published.folder / "metadata" / "timestamp.json").write_bytes(b"{}")
    result = edge.refresh()
    assert (result.ok, result.check, result.release) == (False, "" if gone == "first" else "V2", 1)
    assert second.outcome(edge) == "withdrawn"


@pytest.mark.parametrize("then", ["gone", "empty", "shorter", "cut"])
@pytest.mark.attack("withdrawal list shortened")
def test_the_list_is_shortened_or_vanishes(second: Second, published: Published, then: str) -> None:
    """Attack: what was withdrawn once does not run again, whatever becomes of the list; it is said, and no error."""
    published.release({("prompt", "other"): canonical.encode(prompt_document("other"))})
    for name in ("other", "opener"):
        published.organisation.withdraw("prompt", name)
    second.offer()
    edge = second.open()
    assert edge.refresh().ok
    whole = published.organisation.withdrawals
    if then == "gone":
        shutil.rmtree(second.folder)
    elif then == "cut":
        second.file.write_bytes(second.file.read_bytes()[:-9])
    else:
        second.file.write_bytes(encode_withdrawals(CHANNEL, tuple(whole[: 1 if then == "shorter" else 0])))
    before = fingerprint(second.home)
    result = edge.refresh()
    assert (result.ok, bool(result.notes)) == (True, then in {"gone", "cut"})
    assert fingerprint(second.home) == before
    assert second.outcome(edge) == "withdrawn"
    assert edge.prompts() == ()


def test_one_leaked_key_bricks_no_fleet(second: Second, published: Published) -> None:
    """Attack: a person's key signs a list of its own at the second source.

    It stops what one person may stop; the first source, whose list grows otherwise, is followed as ever, and a release
    lifts what was stopped.
    """
    organisation = published.organisation
    organisation.withdraw("prompt", "opener", person="p-tom")
    second.offer()
    [forked] = organisation.withdrawals
    organisation.withdrawals.clear()
    organisation.withdraw("prompt", "opener", person="p-ines")
    published.publish()
    edge = second.open()
    assert edge.refresh().ok
    assert second.outcome(edge) == "withdrawn"

    lifts = tuple(sorted(canonical.digest(one.payload) for one in (forked, *organisation.withdrawals)))
    manifest = organisation.build({}, lifts=lifts)
    organisation.vouch(manifest, (("p-tom", "facilitator"), ("p-ines", "community-host")))
    organisation.manifest = manifest
    published.publish()
    assert edge.refresh().ok
    assert second.outcome(edge) == "filled"


def test_a_hand_off_text_is_withdrawn(second: Second, published: Published) -> None:
    """Attack: no source takes the way to a person away; such a list is not sound, and nothing of it counts."""
    organisation = published.organisation
    handoff = canonical.encode(prompt_document("safety-handoff", tier="R4"))
    published.release({("handoff", "safety-handoff"): handoff})
    edge = second.open()
    assert edge.refresh().ok
    before = fingerprint(second.home)
    organisation.withdraw("prompt", "opener")
    organisation.withdraw("handoff", "safety-handoff")
    second.offer()
    result = edge.refresh()
    assert (result.ok, len(result.notes)) == (True, 1)
    assert fingerprint(second.home) == before
    assert second.outcome(edge) == "filled"
    assert edge.session(learner="u1").run("opener", {"notes": "I want to kill myself"}).outcome == "handed-off"


def test_somebody_outside_the_keyring_withdraws(second: Second, published: Published) -> None:
    """Attack: whoever holds the second source alone withdraws nothing: not by a stranger's key, nor from elsewhere."""
    organisation, edge = published.organisation, second.open()
    before = fingerprint(second.home)
    for changes in ({"key": "stranger"}, {"channel": "pilot"}, {"role": "author"}, {"previous": "sha256:" + "0" * 64}):
        organisation.withdrawals.clear()
        organisation.withdraw("prompt", "opener", **changes)
        second.offer()
        result = edge.refresh()
        assert (result.ok, len(result.notes)) == (True, 1)
    assert fingerprint(second.home) == before
    assert second.outcome(edge) == "filled"


def test_a_first_installation_is_shown_an_empty_list(published: Published, tmp_path: Path) -> None:
    """Attack: a new device knows no earlier withdrawals; the second source tells it."""
    published.organisation.withdraw("prompt", "opener")
    second = Second(published, tmp_path)
    edge = second.open()
    assert edge.refresh().ok
    assert second.outcome(edge) == "withdrawn"


def test_a_kept_withdrawal_that_was_edited_does_not_open(second: Second, published: Published) -> None:
    """Attack: the file in the home is changed or cut: a refusal, and not a prompt that runs again."""
    published.organisation.withdraw("prompt", "opener")
    second.offer()
    assert second.open().refresh().ok
    kept = second.home / "generations" / (second.home / "current").read_text() / "withdrawals.json"
    whole = kept.read_bytes()
    for data in (
        whole[:-9],
        whole.replace(b"production", b"projection", 1),
        whole.replace(b'"sig":"', b'"sig":"AA', 1),
    ):
        kept.write_bytes(data)
        with pytest.raises(Exception, match="expected"):
            second.open()
