"""The home of a witness: its key, and the latest checkpoint that it cosigned of each log, kept so that no crash forks.

Files: `witness.key` (0600, made once), `witness.state` (what it remembers, signed by its own key), `evidence/`
(checkpoints of one size and two roots, both signed by their log), `.lock`.

Promises:
1. Check and store are one step under one lock, in one process at a time; the new state is on the disk before the
   cosignature is handed out. A crash at any instruction leaves the old state or the new one.
2. If storing fails, nothing is handed out, and nothing is decided until the state has been read and written again: it
   may have been stored after all.
3. A key that vanished is never remade beside a state, and a state that vanished never beside a key: a witness that lost
   its memory could be made to cosign a second history. Any changed byte of the state is refused.
4. No cosignature states an earlier time than the one before it for the same log.

It cannot notice that the whole home was put back to an earlier day: a home is never restored from a backup, but
retired with its key.

Source: C2SP tlog-witness v1.0.0; docs/formats.md, `mentorplane-witness/1`.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import stat
import threading
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Protocol

from audit.checkpoint import Checkpoint, parse_checkpoint
from audit.disk import Disk, Files
from audit.errors import AuditError, InvalidFormat, NotProven
from audit.frozen import frozen, replace
from audit.lines import parse_base64
from audit.note import Algorithm, Signer, open_note, parse_note, sign_note
from audit.witness.decide import Answer, Submission, decide, state_name

FORMAT = "mentorplane-witness/1"
KEY, STATE, EVIDENCE = "witness.key", "witness.state", "evidence"
MAX_LOGS = 12
MAX_CHECKPOINT_BYTES = 48 * 1024  # times MAX_LOGS in base64 stays below the cap of a note, which the state is
MAX_EVIDENCE = 100
CLOCK_SLACK_S = 60
_SKEY_HEAD = "PRIVATE+KEY+"
_NEW_KEY, _NEW_STATE = "witness.key.new", "witness.state.new"


@frozen
class Kept:
    """What a witness remembers of a log: the checkpoint, its note with the cosignature, and the time that states."""

    checkpoint: Checkpoint
    note: bytes
    time_s: int


def encode_key(signer: Signer) -> bytes:
    """Return a cosigner's private key as the line of its file."""
    data = base64.b64encode(bytes([signer.algorithm]) + signer.seed).decode()
    return f"{_SKEY_HEAD}{signer.name}+{signer.verifier.key_id.hex()}+{data}\n".encode()


def parse_key(data: bytes) -> Signer:
    """Parse the key file of a witness.

    Raises:
        InvalidFormat: it is malformed, of another algorithm, or its key id is not its own.
    """
    try:
        name, _, rest = data.decode().removeprefix(_SKEY_HEAD).removesuffix("\n").partition("+")
        raw = parse_base64(rest.partition("+")[2])
        signer = Signer(name, raw[1:], Algorithm.COSIGNATURE)
    except ValueError as error:
        raise InvalidFormat("expected the private key of a witness, got something else") from error
    if encode_key(signer) != data:
        raise InvalidFormat("expected the private key of a witness with its own key id, got something else")
    return signer


def encode_state(signer: Signer, kept: dict[str, Kept]) -> bytes:
    """Return what a witness remembers, as a note signed by its key: a line for each log, by origin."""
    lines = [base64.b64encode(one.note).decode() for _, one in sorted(kept.items())]
    return sign_note("".join(f"{line}\n" for line in (FORMAT, *lines)), [_plain(signer)])


def parse_state(data: bytes, signer: Signer) -> dict[str, Kept]:
    """Parse what the witness with this key remembers, by origin.

    Raises:
        InvalidFormat: it is malformed, or not in the one form that stands for it.
        NotProven: the witness did not sign it, or did not cosign a checkpoint in it.
    """
    first, *lines = open_note(data, [_plain(signer).verifier]).text.split("\n")[:-1]
    if first != FORMAT:
        raise InvalidFormat(f"expected a state of {FORMAT}, got another format")
    kept = {one.checkpoint.origin: one for one in (_kept(parse_base64(line), signer) for line in lines)}
    if encode_state(signer, kept) != data:
        raise InvalidFormat("expected the state of a witness in its only form, got another")
    return kept


def _kept(note: bytes, signer: Signer) -> Kept:
    opened = open_note(note, [signer.verifier])
    return Kept(parse_checkpoint(opened.text), note, opened.verified[0].time_s or 0)


def _plain(signer: Signer) -> Signer:
    return replace(signer, algorithm=Algorithm.ED25519)


class HomeFiles(Files, Protocol):
    """The steps on a witness's home: those of any folder, and whether a file is its owner's alone."""

    def private(self, path: str) -> bool:
        """Say whether nobody but its owner may read a file."""


class Home(Disk):
    """A real folder, whose files only their owner may read from the moment they exist."""

    def lock(self) -> None:
        """Become the only one that has this home, making its folder if need be."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().lock()

    def write(self, path: str, data: bytes) -> None:
        """Give a file this content; a new one is made empty, with its mode, before it has any."""
        place = self.folder.joinpath(*PurePosixPath(path).parts)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(place, os.O_WRONLY | os.O_CREAT, 0o600))
        super().write(path, data)

    def private(self, path: str) -> bool:
        """Say whether nobody but its owner may read a file; where modes mean nothing, its folder has to see to that."""
        return os.name == "nt" or not stat.S_IMODE((self.folder / path).stat().st_mode) & 0o077


class Store:
    """An open home. One at a time has it; `close` gives it back."""

    def __init__(self, files: HomeFiles, signer: Signer) -> None:
        self.signer = signer
        self._files = files
        self._guard = threading.Lock()
        self._kept = self._read_again()
        self._unsure = self._closed = False

    def close(self) -> None:
        """Give the home back; what is asked from now on is answered 503."""
        with self._guard:
            self._closed = True
            self._files.close()

    def kept(self, name: str) -> Kept | None:
        """Return what is remembered of the log with this `state_name`."""
        with self._guard:
            return next((one for origin, one in self._kept.items() if state_name(origin) == name), None)

    def answer(self, submission: Submission, *, now_s: int) -> Answer:
        """Decide on a submission and store what was cosigned before returning it; 503 if that is impossible now."""
        origin = submission.checkpoint.origin
        with self._guard:
            try:
                if self._closed:
                    return Answer(503, b"closed\n", "closed", origin)
                if self._unsure:
                    self._kept, self._unsure = self._read_again(), False
                return self._answer(submission, self._kept.get(origin), now_s)
            except OSError as error:
                return Answer(503, b"storage\n", f"storing failed: {error.strerror or type(error).__name__}", origin)
            except AuditError as error:
                return Answer(503, b"storage\n", f"the state on the disk: {error}", origin)

    def _answer(self, submission: Submission, last: Kept | None, now_s: int) -> Answer:
        origin = submission.checkpoint.origin
        if last is not None and now_s < last.time_s - CLOCK_SLACK_S:
            return Answer(503, b"clock\n", f"the clock is {last.time_s - now_s} s behind", origin)
        if len(submission.note) > MAX_CHECKPOINT_BYTES or (last is None and len(self._kept) >= MAX_LOGS):
            return Answer(503, b"no room\n", "too many logs, or too long a checkpoint", origin)
        time_s = max(now_s, last.time_s if last else 0)
        answer = decide(submission, last.checkpoint if last else None, self.signer, time_s=time_s)
        if answer.note is not None:
            self._store({**self._kept, origin: _kept(answer.note, self.signer)})
        elif answer.conflict and last is not None:
            self._keep_evidence(last.note, submission.note)
        return answer

    def _store(self, kept: dict[str, Kept]) -> None:
        self._unsure = True
        _write_state(self._files, encode_state(self.signer, kept))
        # Crash here: the state is newer than any answer; whoever asks again gets 409 and the newer size.
        self._kept, self._unsure = kept, False

    def _read_again(self) -> dict[str, Kept]:
        """Return the state of the disk after writing it again: what was read may have been in memory only."""
        data = self._files.read(STATE)
        kept = parse_state(data, self.signer)
        _write_state(self._files, data)
        return kept

    def _keep_evidence(self, *notes: bytes) -> None:
        """Keep two signed histories side by side; the refusal stands whether that works or not."""
        with contextlib.suppress(OSError):
            names = set(self._files.names(EVIDENCE))
            for note in notes:
                name = f"{hashlib.sha256(parse_note(note).text.encode()).hexdigest()}.note"
                if name not in names and len(names) < MAX_EVIDENCE:
                    self._files.write(f"{EVIDENCE}/{name}", note)
                    self._files.sync(f"{EVIDENCE}/{name}")
                    names.add(name)
            self._files.sync_folder(EVIDENCE)


def open_store(files: HomeFiles, *, name: str = "", default: str = "witness", seed: Callable[[], bytes]) -> Store:
    """Open the home of a witness, making it on the first start with the seed that `seed` returns.

    An empty `name` is that of the key that is there, or `default` for a new one.

    Raises:
        BlockingIOError: another process has it.
        InvalidFormat: a file is malformed, or the name is not that of the key.
        NotProven: the key or the state vanished, others may read the key, or the state is not the witness's own.
        OSError: a file cannot be read or written.
        ValueError: no key can have this name.
    """
    files.lock()
    try:
        signer = _open_key(files, name=name or default, seed=seed)
        if name and signer.name != name:
            raise InvalidFormat(f"expected {signer.name}, the name that the witness was made with, got another")
        return Store(files, signer)
    except BaseException:
        files.close()
        raise


def _open_key(files: HomeFiles, *, name: str, seed: Callable[[], bytes]) -> Signer:
    key, new_key, state = (_read(files, path) for path in (KEY, _NEW_KEY, STATE))
    if key is None and state is None:  # a first start, or one that ended before anything could be signed
        return _make(files, Signer(name, seed(), Algorithm.COSIGNATURE))
    if state is None:
        raise NotProven(
            f"expected {STATE} beside {KEY}, got none: a witness without its memory could cosign a second history; "
            "retire this key and start anew in an empty folder"
        )
    if key is None:
        if new_key is None or parse_state(state, parse_key(new_key)):
            raise NotProven(
                f"expected {KEY} beside {STATE}, got none: a key is never made anew for a witness that has one; "
                "put it back, or retire it and start anew in an empty folder"
            )
        _finish(files)  # the first start ended before its last step
        key = new_key
    if not files.private(KEY):
        raise NotProven(f"expected {KEY} to be readable by its owner only, got a file that others may read")
    return parse_key(key)


def _make(files: Files, signer: Signer) -> Signer:
    """Make key and state, so that a crash leaves a home that is made anew or finished by the next start."""
    files.write(_NEW_KEY, encode_key(signer))
    files.sync(_NEW_KEY)
    files.sync_folder("")
    # Crash up to here: no state, so the next start makes another key; nobody has seen this one.
    _write_state(files, encode_state(signer, {}))
    # Crash here: an empty state signed by the new key, which the next start takes into use.
    _finish(files)
    return signer


def _finish(files: Files) -> None:
    files.replace(_NEW_KEY, KEY)
    files.sync_folder("")


def _write_state(files: Files, data: bytes) -> None:
    files.write(_NEW_STATE, data)
    files.sync(_NEW_STATE)
    # Crash up to here: the old state stands; the half-written one is overwritten next time.
    files.replace(_NEW_STATE, STATE)
    # Crash here: the old state or the new one, whichever name reached the disk; nothing was handed out.
    files.sync_folder("")


def _read(files: Files, path: str) -> bytes | None:
    try:
        return files.read(path)
    except FileNotFoundError:
        return None
