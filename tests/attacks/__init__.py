"""The attacks on delivery, each by its name, each with its tests.

`ATTACKS` lists them all. A test that carries one out is marked with its name,

    @pytest.mark.attack("endless data")

wherever it stands: here, against a device that runs a release and an attacker who holds what the attack takes; or
beside the module that it is about. `test_table` finds the marks: an attack without a test, a test for an attack of no
such name and a name listed twice are failures. `python -m tests.attacks --write` lists them in docs/threat-model.md.

For each: a typed refusal with the number of its check; what ran before runs on, in this process and the next; no byte
of the home has changed; and the genuine source is followed afterwards (see `world`).
"""

from __future__ import annotations

ATTACKS = (
    "arbitrary installation",
    "endless data",
    "slow retrieval",
    "extraneous dependencies",
    "fast-forward and its recovery",
    "indefinite freeze",
    "malicious mirror",
    "mix-and-match",
    "rollback of root",
    "rollback of the keyring",
    "rollback of a release",
    "rollback of the withdrawal list",
    "key compromise below threshold",
    "re-delegation by an online key",
    "wrong software",
    "forged approval",
    "replayed approval on another manifest",
    "recombined parts",
    "locale or stage changed after approval",
    "approval by the author",
    "approval by one person with two keys",
    "approval after the grant ended",
    "approval before the grant began",
    "ended grant left out of the keyring",
    "back-dated approval",
    "first cosigned checkpoint of an approval swapped",
    "proof of another entry for an approval",
    "removed approval",
    "missing log entry",
    "log fork",
    "witness below quorum",
    "withdrawal hidden",
    "withdrawal list shortened",
    "model file swapped",
    "bundle bomb: compression",
    "bundle bomb: nesting",
    "bundle bomb: 2^53 + 1",
    "bundle bomb: duplicate keys",
    "bundle bomb: floats",
    "clock set back and forward",
    "cache edited and truncated",
    "power loss at every write",
    "single-byte flip",
)
