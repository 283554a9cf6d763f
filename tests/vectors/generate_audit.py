"""Published vectors for what the public ones lack: witness policies, cosignatures, witness requests, the 409 race.

`make vectors` writes them to tests/vectors/mentorplane/audit/ as plain data, so that another implementation can run
them: tests/vectors/README.md says how. Keys are derived from public words, named UNSAFE, and must never be trusted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import chain, combinations, permutations
from typing import Any

from audit.checkpoint import Checkpoint, cosign, parse_checkpoint, sign_checkpoint
from audit.merkle import consistency_proof, inclusion_proof, leaf_hash, root_of
from audit.note import Algorithm, Signature, Signer, add_signatures, parse_note, parse_signatures
from audit.policy import evaluate, parse_policy
from audit.proof import TlogProof
from audit.witness.decide import AddCheckpoint, Answer, decide, receive
from audit.witness.store import Kept, encode_state
from control_plane.evidence.search import encode_query
from control_plane.ledger.search import Query

ORIGIN = "UNSAFE-example/log"
WARNING = "published example keys: for reproducing test bytes only, never to be trusted by a program"
TIME_S = 1_768_470_000
NAMES = "abcd"
ENTRIES = [b"entry %d" % index for index in range(9)]
HASHES = [leaf_hash(entry) for entry in ENTRIES]
QUERY = Query(act="approved", words="Clearer words", since=datetime(2026, 3, 1, tzinfo=UTC), limit=25)
ZERO_LINE = b"A" * 43 + b"=\n"


class _Keys:
    """The keys of the vectors, from a function that turns a public word into a seed."""

    def __init__(self, seed: Callable[[str], bytes]) -> None:
        self.log = Signer(ORIGIN, seed("log"))
        self.witness = Signer("UNSAFE-example/witness", seed("witness"), Algorithm.COSIGNATURE)
        self.other_log = Signer("UNSAFE-example/other-log", seed("other log"))
        self.stranger = Signer(ORIGIN, seed("stranger"))
        self.witnesses = {
            name: Signer(f"UNSAFE-example/{name}", seed(f"witness {name}"), Algorithm.COSIGNATURE) for name in NAMES
        }

    def signed(self, size: int, hashes: Sequence[bytes] = HASHES, *, by: Signer | None = None) -> bytes:
        return sign_checkpoint(Checkpoint(ORIGIN, size, root_of(hashes[:size])), [by or self.log])

    def ask(self, old: int, size: int, hashes: Sequence[bytes] = HASHES, **other: Any) -> bytes:
        proof = consistency_proof(hashes[:size], old) if 0 < old <= size else ()
        note = other.get("note", self.signed(size, hashes))
        return AddCheckpoint(old, other.get("proof", proof), note).encode()

    def published(self) -> list[dict[str, str]]:
        everyone = (self.log, self.other_log, self.witness, *self.witnesses.values())
        return [{"vkey": one.verifier.vkey, "seed_hex": one.seed.hex()} for one in everyone]


def files(seed: Callable[[str], bytes]) -> dict[str, bytes]:
    """Return every file by its path below tests/vectors/mentorplane/."""
    keys = _Keys(seed)
    signed = keys.signed(8)
    line = cosign(signed, keys.witness, time_s=TIME_S)
    cosigned = signed + line
    kept = {ORIGIN: Kept(parse_checkpoint(parse_note(signed).text), cosigned, TIME_S)}
    return {
        "audit/add-checkpoint.txt": AddCheckpoint(3, consistency_proof(HASHES[:8], 3), signed).encode(),
        "audit/cosignature.json": _text(_cosignatures(keys)),
        "audit/entry.tlog-proof": TlogProof(5, inclusion_proof(HASHES[:8], 5), cosigned, b"UNSAFE extra").encode(),
        "audit/policy.json": _text(_policies(keys)),
        "audit/query.json": encode_query(asdict(QUERY), key=seed("words")),
        "audit/policy.txt": parse_policy(_two_levels(keys).encode()).encode(),
        "audit/witness.json": _text({**_requests(keys), "race": _race(keys)}),
        "audit/witness.state": encode_state(keys.witness, kept),
    }


def _text(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _lines(keys: _Keys, names: str) -> str:
    witnesses = "".join(f"witness {name} {keys.witnesses[name].verifier.vkey}\n" for name in names)
    return f"log {keys.log.verifier.vkey}\n{witnesses}"


def _two_levels(keys: _Keys) -> str:
    groups = "group outside 1 b c d\ngroup both all a outside\n"
    return _lines(keys, NAMES) + groups + "quorum both\n"


def _policies(keys: _Keys) -> dict[str, Any]:
    three = _lines(keys, "abc")
    good = {
        "one witness": three + "quorum b\n",
        "any of a group": three + "group g any a b c\nquorum g\n",
        "all of a group": three + "group g all a b c\nquorum g\n",
        "two of three": three + "group g 2 a b c\nquorum g\n",
        "a quorum that is also a member": three + "group g all a b\nquorum a\n",
        "two levels": _two_levels(keys),
        "a group of one group": three + "group g 2 a b\ngroup h 1 g\nquorum h\n",
        "tabs, comments, URLs and lines in another order": "# known\n\n"
        + _lines(keys, "a").replace("\n", " https://example.invalid/\n")
        + "group\tg  any a \nquorum g\n# after\n"
        + _lines(keys, "b").partition("\n")[2],
    }
    return {
        "what": "tlog-policy files, and for sets of cosigners, by their names in the policy, whether they are a quorum",
        "warning": WARNING,
        "keys": keys.published(),
        "policies": [_verdicts(keys, what, text) for what, text in good.items()],
        "malformed": list(_malformed(keys)),
    }


def _verdicts(keys: _Keys, what: str, text: str) -> dict[str, Any]:
    policy = parse_policy(text.encode())
    names = [witness.name for witness in policy.witnesses]
    sets = chain.from_iterable(combinations(names, size) for size in range(len(names) + 1))
    verdicts = [{"cosigners": list(one), "met": policy.is_met_by(one)} for one in sets]
    return {"what": what, "policy": text, "verdicts": verdicts, "checkpoints": _checkpoints(keys, what, text)}


def _checkpoints(keys: _Keys, what: str, text: str) -> list[dict[str, Any]]:
    if what != "two of three":
        return []
    signed = keys.signed(8)

    def by(*names: str) -> bytes:
        return b"".join(cosign(signed, keys.witnesses[name], time_s=TIME_S) for name in names)

    twin = Signer("UNSAFE-example/twin", keys.witnesses["a"].seed, Algorithm.COSIGNATURE)
    bad = Signature(twin.name, keys.witnesses["c"].verifier.key_id, bytes(72)).encode()
    bad = bad.replace(twin.name.encode(), keys.witnesses["c"].name.encode())
    cases = {
        "a and b": signed + by("a", "b"),
        "a and c, and a stranger": signed + by("a", "c") + cosign(signed, keys.witness, time_s=TIME_S),
        "the log alone": signed,
        "a alone": signed + by("a"),
        "a twice under two names": signed + by("a") + cosign(signed, twin, time_s=TIME_S),
        "a and b, without the log": signed.partition(b"\n\n")[0] + b"\n\n" + by("a", "b"),
        "a and b, and a line of c that does not verify": signed + by("a", "b") + bad,
        "a and b over another checkpoint": keys.signed(7) + by("a", "b"),
        "a and b, under another log's key": keys.signed(8, by=keys.stranger) + by("a", "b"),
    }
    policy = parse_policy(text.encode())
    return [
        {"what": name, "checkpoint": data.decode(), "accepted": evaluate(policy, data).ok}
        for name, data in cases.items()
    ]


def _malformed(keys: _Keys) -> Iterator[dict[str, str]]:
    for what, text in {**_bad_quorums(keys), **_bad_lines(keys)}.items():
        yield {"what": what, "policy": text}
    not_text = b"log \xff" + (_lines(keys, "abc") + "quorum a\n").encode()[4:]
    yield {"what": "a key that is not UTF-8", "hex": not_text.hex()}


def _bad_quorums(keys: _Keys) -> dict[str, str]:
    three = _lines(keys, "abc")
    return {
        "no quorum": three,
        "two quorums": three + "quorum a\nquorum b\n",
        "a quorum of two names": three + "quorum a b\n",
        "an unknown quorum": three + "quorum x\n",
        "a quorum before its definition": f"quorum a\n{three}",
        "a threshold of zero": three + "group g 0 a b\nquorum g\n",
        "a threshold beyond the members": three + "group g 3 a b\nquorum g\n",
        "a threshold with a leading zero": three + "group g 01 a b\nquorum g\n",
        "a threshold with a sign": three + "group g +1 a b\nquorum g\n",
        "a threshold with an underscore": three + "group g 1_0 a b\nquorum g\n",
        "a threshold in other digits": three + "group g ١ a b\nquorum g\n",
        "a negative threshold": three + "group g -1 a b\nquorum g\n",
        "a threshold in another case": three + "group g Any a b\nquorum g\n",
        "a group without members": three + "group g any\nquorum g\n",
        "a member twice": three + "group g 1 a a\nquorum g\n",
        "a member of two groups": three + "group g 1 a b\ngroup h 1 a c\nquorum h\n",
        "a group that is its own member": three + "group g 1 g\nquorum g\n",
        "a group used before it is defined": three + "group g 1 h\ngroup h 1 a\nquorum g\n",
        "none as a member": three + "group g 1 a none\nquorum g\n",
        "none as a name of a witness": three + f"witness none {keys.witnesses['d'].verifier.vkey}\nquorum a\n",
        "none as a name of a group": three + "group none 1 a\nquorum a\n",
    }


def _bad_lines(keys: _Keys) -> dict[str, str]:
    three, a, fourth = _lines(keys, "abc"), keys.witnesses["a"], keys.witnesses["d"].verifier.vkey
    twin = Signer("UNSAFE-example/twin", a.seed, Algorithm.COSIGNATURE).verifier.vkey
    plain = Signer(a.name, a.seed).verifier.vkey
    own = Signer("UNSAFE-example/own", keys.log.seed, Algorithm.COSIGNATURE).verifier.vkey
    bad_id = a.verifier.vkey.replace(f"+{a.verifier.key_id.hex()}+", "+00000000+")
    return {
        "a name twice": three + f"witness a {fourth}\nquorum a\n",
        "a group with the name of a witness": three + "group a 1 b\nquorum a\n",
        "a witness key twice under two names": three + f"witness x {twin}\nquorum a\n",
        "a log key twice": three + f"log {keys.log.verifier.vkey}\nquorum a\n",
        "a log key as a witness": three + f"witness x {own}\nquorum x\n",
        "a plain key as a witness": f"log {keys.log.verifier.vkey}\nwitness a {plain}\nquorum a\n",
        "a cosigner's key as a log": f"log {twin}\nwitness a {a.verifier.vkey}\nquorum a\n",
        "a key id that is not the key's": f"log {keys.log.verifier.vkey}\nwitness a {bad_id}\nquorum a\n",
        "a witness without a key": three + "witness x\nquorum a\n",
        "a witness with two URLs": three.replace(a.verifier.vkey, f"{a.verifier.vkey} u v") + "quorum a\n",
        "a log with two URLs": three.replace("\n", " u v\n", 1) + "quorum a\n",
        "a keyword that does not exist": three + "mirror a\nquorum a\n",
        "a keyword in another case": three + "Quorum a\n",
        "a comment behind a line": three + "quorum a # because\n",
        "no newline at the end": three + "quorum a",
        "carriage returns": (three + "quorum a\n").replace("\n", "\r\n"),
        "a null": three + "quorum a\0\n",
        "a vertical tab as a blank": three + "quorum\va\n",
        "a no-break space as a blank": three + "quorum\u00a0a\n",
        "a no-break space at the end of a line": three + "quorum a\u00a0\n",
        "a comment at the end without a newline": three + "quorum a\n# because",
        "a byte order mark": "\ufeff" + three + "quorum a\n",
        "nothing": "",
    }


def _cosignatures(keys: _Keys) -> dict[str, Any]:
    texts = {
        "a checkpoint": keys.signed(8),
        "an empty log": keys.signed(0),
        "a checkpoint with extension lines": sign_checkpoint(
            Checkpoint(ORIGIN, 8, root_of(HASHES[:8]), ("extension", "another — with a dash")), [keys.log]
        ),
    }
    times = (0, TIME_S, 2**63 - 1)
    lines = [(what, data, time_s) for what, data in texts.items() for time_s in times]
    text, good = parse_note(keys.signed(8)).text, cosign(keys.signed(8), keys.witness, time_s=TIME_S)
    (line,) = parse_signatures(good)
    plain = Signer(keys.witness.name, keys.witness.seed).sign(text).blob
    bad = {
        "another time": line.blob[:7] + bytes([line.blob[7] ^ 1]) + line.blob[8:],
        "a plain signature without a time": plain,
        "a plain signature behind a time": line.blob[:8] + plain,
        "a time beyond 2^63 - 1": b"\x80" + bytes(7) + line.blob[8:],
        "a time and no signature": line.blob[:8],
        "one byte fewer": line.blob[:-1],
        "one byte more": line.blob + b"\0",
        "over another checkpoint": parse_signatures(cosign(keys.signed(7), keys.witness, time_s=TIME_S))[0].blob,
    }
    return {
        "what": "tlog-cosignature v1 lines (Ed25519, type 04) by the key of UNSAFE-example/witness",
        "warning": WARNING,
        "vkey": keys.witness.verifier.vkey,
        "seed_hex": keys.witness.seed.hex(),
        "good": [
            {
                "what": what,
                "text": parse_note(data).text,
                "time": time_s,
                "line": cosign(data, keys.witness, time_s=time_s).decode(),
            }
            for what, data, time_s in lines
        ],
        "bad_text": text,
        "bad": [
            {"what": what, "line": Signature(line.name, line.key_id, blob).encode().decode()}
            for what, blob in bad.items()
        ],
    }


def _steps(keys: _Keys) -> list[tuple[int, str, bytes]]:
    """Return the status that the format asks for, what it is about, and the request."""
    ask = keys.ask
    text = parse_note(keys.signed(1)).text.replace("\n1\n", "\n0\n")
    false_empty = text.encode() + b"\n" + keys.log.sign(text).encode()
    other = sign_checkpoint(Checkpoint(keys.other_log.name, 1, HASHES[0]), [keys.other_log])
    foreign = add_signatures(keys.signed(5), cosign(keys.signed(5), keys.witnesses["a"], time_s=1))
    rewritten = [leaf_hash(b"rewritten"), *HASHES[1:]]
    return [
        (404, "an unknown log", ask(0, 1, note=other)),
        (403, "a log's name under a stranger's key", ask(0, 1, note=keys.signed(1, by=keys.stranger))),
        (403, "a known key whose signature fails", ask(0, 1, note=keys.signed(1).replace(b"\n1\n", b"\n2\n"))),
        (400, "an old size beyond the checkpoint", ask(2, 1)),
        (409, "an old size that was never cosigned", ask(1, 3)),
        (422, "a proof from an empty log", ask(0, 3, proof=(HASHES[0],))),
        (422, "an empty log with another root", ask(0, 0, note=false_empty)),
        (200, "an empty log", ask(0, 0)),
        (200, "the first checkpoint", ask(0, 3)),
        (200, "the same again, for a newer time", ask(3, 3)),
        (422, "the same with a needless proof", ask(3, 3, proof=(HASHES[0],))),
        (409, "the size that the witness had before", ask(0, 5)),
        (422, "another root at the same size", ask(3, 3, rewritten)),
        (422, "growth with a proof cut short", ask(3, 5, proof=consistency_proof(HASHES[:5], 3)[:-1])),
        (422, "growth with a proof from another size", ask(3, 5, proof=consistency_proof(HASHES[:5], 2))),
        (422, "growth of another history", ask(3, 5, rewritten)),
        (200, "growth, with a line of another witness", ask(3, 5, note=foreign)),
        (200, "growth to nine", ask(5, 9)),
        (409, "a smaller checkpoint", ask(5, 8)),
        (409, "a smaller checkpoint, from a size never cosigned", ask(0, 8)),
        (422, "another root at the same size, later", ask(9, 9, rewritten)),
        (400, "64 proof lines", ask(9, 9).replace(b"old 9\n", b"old 9\n" + ZERO_LINE * 64, 1)),
        (400, "an old size with a leading zero", ask(9, 9).replace(b"old 9", b"old 09")),
        (400, "an old size in another form", ask(9, 9).replace(b"old 9", b"old +9")),
        (400, "an old size beyond 2^63 - 1", ask(9, 9).replace(b"old 9", b"old 9223372036854775808")),
        (400, "a proof line without its padding", ask(9, 9).replace(b"\n", b"\n" + ZERO_LINE[:-2] + b"\n", 1)),
        (400, "a proof line with non-zero trailing bits",
         ask(9, 9).replace(b"\n", b"\n" + ZERO_LINE.replace(b"A=", b"B="), 1)),
        (400, "no blank line before the checkpoint", ask(9, 9).replace(b"\n\n", b"\n", 1)),
        (400, "carriage returns", ask(9, 9).replace(b"\n", b"\r\n")),
        (400, "no checkpoint", b"old 0\n\n"),
        (400, "nothing", b""),
    ]  # fmt: skip


def _requests(keys: _Keys) -> dict[str, Any]:
    latest: Checkpoint | None = None
    played = []
    for at, (status, what, body) in enumerate(_steps(keys)):
        answer, latest = _answer(keys, body, latest, TIME_S + at)
        assert answer.status == status, what
        played.append(
            {"what": what, "request": body.decode(), "time": TIME_S + at, **_reply(answer), "latest": _size(latest)}
        )
    return {
        "what": "add-checkpoint requests to one witness in their order, its replies, and the size it then knows",
        "warning": WARNING,
        "log": keys.log.verifier.vkey,
        "witness": keys.witness.verifier.vkey,
        "seed_hex": keys.witness.seed.hex(),
        "steps": played,
    }


def _race(keys: _Keys) -> dict[str, Any]:
    """Two requests from the same old size: whichever is decided first wins, and never both."""
    requests = [AddCheckpoint(3, consistency_proof(HASHES[:size], 3), keys.signed(size)).encode() for size in (5, 9)]
    outcomes = []
    for order in permutations(range(len(requests))):
        latest: Checkpoint | None = Checkpoint(ORIGIN, 3, root_of(HASHES[:3]))
        replies = []
        for at in order:
            answer, latest = _answer(keys, requests[at], latest, TIME_S)
            replies.append({"request": at, **_reply(answer)})
        outcomes.append({"replies": replies, "latest": _size(latest)})
    return {
        "what": "two requests at once from the size that the witness knows: the outcomes that are allowed, by which is "
        "decided first; that both are cosigned is not among them",
        "before": keys.signed(3).decode(),
        "time": TIME_S,
        "requests": [body.decode() for body in requests],
        "outcomes": outcomes,
    }


def _answer(keys: _Keys, body: bytes, latest: Checkpoint | None, time_s: int) -> tuple[Answer, Checkpoint | None]:
    received = receive(body, [keys.log.verifier])
    answer = received if isinstance(received, Answer) else decide(received, latest, keys.witness, time_s=time_s)
    return answer, latest if answer.note is None else parse_checkpoint(parse_note(answer.note).text)


def _reply(answer: Answer) -> dict[str, Any]:
    body = {"body": answer.body.decode()} if answer.status in {200, 409} else {}
    return {"status": answer.status, "content_type": answer.content_type, **body}


def _size(latest: Checkpoint | None) -> int:
    return latest.size if latest else 0
