"""A device that runs a release, an organisation that publishes for it, and what an attacker may hold.

The device has followed once: from the organisation's first root, keyring and release to its second, with one prompt
withdrawn; everybody approves in their first term, and Noa has none. What was published before is still there
(`yesterday`), as any mirror may have kept it.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root

from control_plane.repository import Site
from edge_runtime import EdgeRuntime, Pace
from edge_runtime.core import canonical
from edge_runtime.core.manifest import Manifest
from edge_runtime.core.trustfile import TRUST_PATH
from edge_runtime.delivery import RELEASES_ROLE
from edge_runtime.reply import Refresh
from tests.mandates import terms_until
from tests.published import Published, fingerprint
from tests.simulator import prompt_document

NOTES = {"notes": "We agreed on two things. I will write to Mara by Thursday. The weather was fine."}
TERM_END = "2026-04-27T09:30:00Z"
"""When everybody's first term ends: eight weeks after what people sign."""
APPROVERS = (("p-tom", "facilitator"), ("p-ines", "community-host"))


def wording(text: str = "Briefly", name: str = "opener") -> dict[tuple[str, str], bytes]:
    """Return a change of wording of one prompt."""
    return {("prompt", name): canonical.encode(prompt_document(name, instruction=f"{text}:\n{{{{ notes }}}}"))}


class World:
    """One folder: what is published, what was published before, the home of the device."""

    def __init__(self, folder: Path, published: Published) -> None:
        self.folder = folder
        self.published = published
        self.organisation = published.organisation
        self.home = folder / "home"
        self.yesterday = folder / "yesterday"
        self.genuine = folder / "genuine"
        self.edge = self.device()

    @classmethod
    def made(cls, folder: Path) -> World:
        """Make it in an empty folder."""
        published = Published(folder)
        terms_until(published.organisation, TERM_END)
        published.release({**published.organisation.base_documents(), **wording(name="closer")})
        shutil.copytree(published.folder, folder / "yesterday")
        made = cls(folder, published)
        assert made.edge.refresh().ok
        made.rotate("root")
        made.organisation.people["p-noa"] = ("facilitator",)
        made.organisation.withdraw("prompt", "closer")
        published.release(wording("Second"))
        assert made.edge.refresh().release == 2
        shutil.copytree(published.folder, made.genuine)
        return made

    def copy(self, folder: Path) -> World:
        """Return another one that starts from here."""
        return World(folder, self.published.copied(folder))

    @property
    def site(self) -> Site:
        """What is published, to be written with the keys of the server."""
        return Site(self.published.folder, self.published.keys, self.published.now)

    @property
    def metadata(self) -> Path:
        """The folder of TUF metadata."""
        return self.published.folder / "metadata"

    def device(
        self, *, source: str = "", later: dt.timedelta = dt.timedelta(0), pace: Pace | None = None
    ) -> EdgeRuntime:
        """Open the device anew, with a clock that is so much later than the newest signed time."""
        time_s = (self.published.now + later).timestamp()
        source = source or str(self.published.folder)
        trust = self.published.trust
        return EdgeRuntime.open(self.home, trust=trust, source=source, clock=lambda: time_s, pace=pace)

    def refused(self, check: str, source: Path | str = "", *, by: EdgeRuntime | None = None, but: str = "-") -> Refresh:
        """Assert that a refresh is refused at a check, that nothing changed, and that what ran before runs on.

        Args:
            check: the number of the check, "" for what is unavailable.
            source: another source than the one of the device.
            by: another device on the same home.
            but: a folder of the home that may change.
        """
        edge = by or self.edge
        before, state = self.held(but), edge.state
        result = edge.refresh(str(source) if source else None)
        assert (result.ok, result.check, result.changed) == (False, check, False), result
        assert result.message
        assert edge.state is state
        assert self.held(but) == before
        self.runs_on(edge)
        return result

    def held(self, but: str = "-") -> dict[str, str]:
        """Return the digests of all files of the home, but for receipts."""
        files = fingerprint(self.home)
        return {
            n: data for n, data in files.items() if n != "receipts.jsonl" and not n.startswith((f"{but}/", "salts/"))
        }

    def runs_on(self, edge: EdgeRuntime) -> None:
        """Assert that the second release runs, in this process and the next."""
        assert edge.session(learner="u1").run("opener", NOTES).release == 2
        again = self.device()
        assert again.state == edge.state
        assert again.prompts() == ("opener",)

    def heals(self) -> None:
        """Assert that the genuine source is followed again."""
        self.restore()
        result = self.edge.refresh()
        assert (result.ok, result.release) == (True, 2), result

    def restore(self) -> None:
        """Publish again what the organisation published, and nothing else."""
        shutil.rmtree(self.published.folder)
        shutil.copytree(self.genuine, self.published.folder)

    def forge(self, manifest: Manifest, *, logged: bool = True) -> None:
        """Publish a manifest with every key of the server; what people signed is what the organisation holds."""
        if logged:
            self.organisation.log_release(manifest)
        self.published.publish(manifest)

    def state(self, manifest: Manifest, act: str, person: str, **options: Any) -> None:
        """Have a person sign a statement about a manifest."""
        self.organisation.statements.append(self.organisation.state(act, manifest, person=person, **options))

    def author(self, manifest: Manifest, *approvers: str) -> None:
        """Have Maya sign as the author of a manifest, and these people approve it."""
        self.state(manifest, "author", "p-maya", role="author")
        for person in approvers:
            self.state(manifest, "approve", person)

    def written(self, **targets: bytes) -> None:
        """Publish other target files on the channel by the online keys: `production=` and `production_withdrawals=`."""
        trust = self.site.target(TRUST_PATH)
        assert trust is not None
        named = {f"channels/{name.replace('_', '-')}.json": data for name, data in targets.items()}
        self.site.write(trust, {**self.site.targets(), **named})

    @contextmanager
    def next(self, role: str, *, by: str = "") -> Iterator[Any]:
        """Give the signed part of the next metadata of a role to be changed; then sign it and publish it."""
        metadata: Metadata[Any] = Metadata.from_bytes(self.newest(role).read_bytes())
        metadata.signed.version += 1
        yield metadata.signed
        metadata.signatures.clear()
        metadata.sign(CryptoSigner(self.published.keys.roles[by or role]))
        name = "timestamp.json" if role == "timestamp" else f"{metadata.signed.version}.{role}.json"
        (self.metadata / name).write_bytes(metadata.to_bytes())

    def newest(self, role: str) -> Path:
        """Return the file of the newest metadata of a role."""
        if role == "timestamp":
            return self.metadata / "timestamp.json"
        return max(self.metadata.glob(f"[0-9]*.{role}.json"), key=lambda path: int(path.name.split(".")[0]))

    def rotate(self, *roles: str) -> None:
        """Publish the next root, which names other keys for roles; those of `root` itself stay and sign again."""
        root: Metadata[Root] = Metadata.from_bytes(self.newest("root").read_bytes())
        root.signed.version += 1
        for role in (one for one in roles if one not in ("root", RELEASES_ROLE)):
            root.signed.revoke_key(root.signed.roles[role].keyids[0], role)
            root.signed.add_key(CryptoSigner(self.published.keys.roles[role]).public_key, role)
        root.signatures.clear()
        root.sign(CryptoSigner(self.published.keys.roles["root"]))
        (self.metadata / f"{root.signed.version}.root.json").write_bytes(root.to_bytes())
