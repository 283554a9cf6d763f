"""Listing and searching a library of 10,000 prompts, and drafting a change of it.

Run `pytest benchmarks/test_library.py`. Aim: p95 of at most 50 ms for a page of 50, whatever is combined. The prompts
are closures of the starter library with other words, written straight into the tables with the cards that the server
makes; one in ten is a translation, half of them stale. `MENTORPLANE_BENCH_PROMPTS` sets another number. The first
question after a release makes its shelf; that time is written to stderr.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Iterator

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from sqlmodel import select

from control_plane import db
from control_plane.plane import ControlPlane, open_plane
from control_plane.registry import drafts, library, store
from control_plane.registry.drafts import Edit, read_files
from control_plane.registry.library import Query
from control_plane.seed import seed
from control_plane.settings import Settings
from control_plane.sources.closures import freeze
from control_plane.sources.parsing import default_library
from control_plane.tables.registry import ReleaseRow, SourceRow
from edge_runtime.core import canonical
from edge_runtime.core.manifest import Entry, manifest_digest, parse_manifest
from tests.server.conftest import CHEAP

pytestmark = pytest.mark.timeout(900)
PROMPTS = int(os.environ.get("MENTORPLANE_BENCH_PROMPTS", "10000"))
WORDS = [f"{a}{b}{c}" for a in ("ba", "ko", "mi", "tu") for b in ("ra", "ne", "so", "li") for c in ("dent", "ma", "x")]
QUERIES: dict[str, Query] = {
    "first page, no filter": Query(),
    "one common word": Query(words="review"),
    "a letter that thousands begin with": Query(words="b"),
    "three words and a tag": Query(words="barad kone feedback", tag="tag-7"),
    "a word that nothing has": Query(words="zzzz"),
    "folder, locale, stale": Query(folder="area-3", locale="de", stale=True),
    "owner and tier": Query(owner="learning-designer", tier="R2", kind="prompt"),
    "largest page": Query(kind="prompt", limit=200),
}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane with the prompts."""
    made = open_plane(Settings(home=tmp_path_factory.mktemp("library") / "home", argon2=CHEAP))
    seed(made, change=None)
    started = time.perf_counter()
    fill(made)
    sys.stderr.write(f"\n{PROMPTS} prompts written in {time.perf_counter() - started:.1f} s\n")
    started = time.perf_counter()
    library.search(made, Query())
    sys.stderr.write(f"the first question took {time.perf_counter() - started:.2f} s\n")
    yield made
    made.close()


def fill(plane: ControlPlane) -> None:
    """Put the prompts into the live release."""
    sources = default_library()
    script = next(one for one in sources if (one.kind, one.name) == ("prompt", "micro-session"))
    base = canonical.parse(freeze(script, sources), max_bytes=200_000)
    draw = random.Random(5)
    with db.write(plane.engine) as session:
        row = session.exec(select(ReleaseRow)).one()
        manifest = parse_manifest(row.manifest)
        entries = list(manifest.entries)
        digests: list[str] = []
        closures: list[tuple[str, str, bytes]] = []
        for number in range(PROMPTS):
            document = {
                **base,
                "name": f"script-{number:05d}",
                "title": " ".join(draw.sample(WORDS, 4)).capitalize(),
                "purpose": " ".join(draw.sample(WORDS, 12)),
                "instruction": base["instruction"] + " ".join(draw.choices(WORDS, k=200)),
                "folder": f"area-{number % 7}/part-{number % 23}",
                "tags": [f"tag-{number % 31}"],
            }
            if number % 10 == 9:
                original = digests[-1] if number % 20 == 9 else digests[0]
                document |= {
                    "name": f"script-{number - 1:05d}.de",
                    "locale": "de",
                    "translation_of": {"name": f"script-{number - 1:05d}", "digest": original},
                }
            data = canonical.encode(document)
            digests.append(canonical.digest(data))
            closures.append((digests[-1], "prompt", data))
            entries.append(Entry("prompt", str(document["name"]), 1, digests[-1], "R2", row.person))
        store.add_closures(session, closures)
        row.manifest = drafts.replace(manifest, entries=tuple(sorted(entries))).encode()
        row.digest = manifest_digest(row.manifest)
        session.add(row)


@pytest.mark.parametrize("name", QUERIES)
def test_a_page_of_the_library(plane: ControlPlane, benchmark: BenchmarkFixture, name: str) -> None:
    """A page of what fits, with its total."""
    benchmark.pedantic(library.search, (plane, QUERIES[name]), rounds=60, warmup_rounds=2)
    times = sorted(benchmark.stats.stats.data)
    benchmark.extra_info["p95_ms"] = round(times[int(len(times) * 0.95)] * 1000, 2)
    assert times[int(len(times) * 0.95)] < 0.05


def test_folders_and_tags(plane: ControlPlane, benchmark: BenchmarkFixture) -> None:
    """The tree of folders with counts."""
    benchmark.pedantic(library.folders, (plane,), rounds=60)


def test_a_draft_of_one_changed_prompt(plane: ControlPlane, benchmark: BenchmarkFixture) -> None:
    """One changed script in a library of that size: cost grows with the change."""
    with db.read(plane.engine) as session:
        source = session.get(SourceRow, ("production", "prompt", "compliment-first-opener"))
        assert source is not None
        files = read_files({source.path: source.text.replace("this time?", "today?")})
        person = session.exec(select(ReleaseRow)).one().person
        edit = Edit("production", person, files)
        benchmark.pedantic(drafts.make_draft, (plane, session, edit), rounds=10, warmup_rounds=1)
