"""The tour's door: who gets in, what a foreign page can do, and how wordings and colours are kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from control_plane.app import create_app
from control_plane.overview import queries
from control_plane.publish import ForgedMirror
from control_plane.seed import seed
from control_plane.settings import Argon2, Settings
from control_plane.web.journey import reworded
from control_plane.web.words import shown_forgery

KEY = "the-start-key-of-this-test"
ORIGIN = "http://127.0.0.1:8420"
STYLES = (Path("control_plane/web/static/tour.css"), Path("edge_runtime/desk/static/desk.css"))
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a seeded demo installation."""
    return tmp_path_factory.mktemp("tour") / "home"


@pytest.fixture(scope="module")
def door(home: Path) -> Iterator[TestClient]:
    """A browser that has not used the printed link yet, before a seeded server with a device."""
    app = create_app(Settings(home=home, argon2=Argon2(memory_kib=64, passes=1)), start_key=KEY)
    app.state.device_url, app.state.device_token = "http://127.0.0.1:8421", "desk-token"
    seed(app.state.plane)
    with TestClient(app, base_url=ORIGIN, follow_redirects=False) as client:
        yield client


@pytest.fixture
def inside(door: TestClient) -> Iterator[TestClient]:
    """The same browser with the cookie."""
    door.get("/tour", params={"key": KEY})
    yield door
    door.cookies.clear()


def act(client: TestClient, origin: str = ORIGIN, **wanted: Any) -> Any:
    """Return the answer to one act."""
    return client.post("/tour/api/act", json=wanted, headers={"Origin": origin} if origin else {})


def test_without_a_start_key_there_is_no_tour(tmp_path: Path) -> None:
    """A server that was not started as a demonstration has none of the tour's pages."""
    with TestClient(create_app(Settings(home=tmp_path / "home"))) as client:
        for path in ("/tour", "/tour/api/state", "/tour/static/tour.js"):
            assert client.get(path).status_code == 404


def test_the_bare_address_leads_on(tmp_path: Path, door: TestClient) -> None:
    """`/` leads to the tour where there is one, else it says what runs here and where the interface is described."""
    answer = door.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/tour")
    with TestClient(create_app(Settings(home=tmp_path / "home"))) as client:
        page = client.get("/")
        assert (page.status_code, 'href="/v1/docs"' in page.text) == (200, True)
        assert client.get("/v1/docs").status_code == 200


def test_a_script_has_one_name_on_screen(inside: TestClient) -> None:
    """The page calls a script by its title, which its author gave it, and never by the name that apps use."""
    plane = inside.app.state.plane  # type: ignore[attr-defined]
    shown = inside.get("/tour/api/state").json()["proposal"]
    assert shown["script"] == queries.show_prompt(plane, shown["name"]).info.title


def test_the_key_moves_into_a_cookie(door: TestClient) -> None:
    """The link's key is answered with a redirect and a cookie that only the tour's own pages get back."""
    answer = door.get("/tour", params={"key": KEY})

    assert (answer.status_code, answer.headers["location"]) == (303, "/tour")
    parts = answer.headers["set-cookie"].lower().split("; ")
    assert {"httponly", "samesite=strict", "path=/tour"} <= set(parts)
    door.cookies.clear()


@pytest.mark.parametrize("key", ["", "wrong", KEY[:-1], "ü", KEY + "\x00"])
def test_another_key_opens_nothing(door: TestClient, key: str) -> None:
    """Without the very key there is a plain page, no cookie and no state."""
    answer = door.get("/tour", params={"key": key})

    assert answer.status_code == 403
    assert "Please use the printed link" in answer.text
    assert "set-cookie" not in answer.headers
    assert door.get("/tour/api/state").status_code == 403
    assert act(door, act="read").status_code == 403


def test_cross_site_request_forgery_an_act_needs_the_page_s_own_origin(inside: TestClient) -> None:
    """The cookie alone changes nothing: a request of another origin, or of none, is refused, and nothing changed."""
    plane = inside.app.state.plane  # type: ignore[attr-defined]
    before = (queries.list_proposals(plane), queries.show_proposal(plane, 2))
    for origin in ("http://127.0.0.1:8421", "http://evil.example", "null", ""):
        assert act(inside, origin, act="approve", person="tom").status_code == 403
    assert (queries.list_proposals(plane), queries.show_proposal(plane, 2)) == before


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"act": "withdraw"},
        {"act": None},
        {"act": "approve", "person": "nobody"},
        {"act": "propose", "wording": " "},
    ],
)
def test_unknown_acts_are_refused(inside: TestClient, wanted: dict[str, Any]) -> None:
    """Only the acts of the tour, by its demo people, exist; a refusal says what was expected."""
    answer = act(inside, **wanted)

    assert answer.status_code == 422
    assert answer.json()["error"].startswith("expected")


def test_the_author_is_refused_by_the_use_case_and_nothing_is_signed(inside: TestClient) -> None:
    """The author's approval is refused with the use case's own reason; no signature and no publication follow."""
    plane = inside.app.state.plane  # type: ignore[attr-defined]
    assert act(inside, act="read").status_code == 200
    before = queries.show_proposal(plane, 2)

    state = act(inside, act="approve", person="maya").json()

    assert state["refused"] == "Maya wrote this change, so she cannot approve it."
    assert state["refused_exactly"].startswith("expected an approver who is not an author")
    assert (state["proposal"]["signed"], state["released"]) == ([], 0)
    assert queries.show_proposal(plane, 2) == before
    assert act(inside, act="publish").status_code in (403, 409)
    assert queries.show_proposal(plane, 2) == before


def test_the_page_tells_no_secret_and_lets_only_the_device_in(inside: TestClient, home: Path) -> None:
    """State and page hold no passphrase, token or key of a person; frames come from the device alone."""
    secrets = re.findall(r'"(?:passphrase|token)": "([^"]+)"', (home / "demo-people.json").read_text())
    page, state = inside.get("/tour"), inside.get("/tour/api/state")

    assert len(secrets) >= 8
    assert [secret for secret in (*secrets, KEY) if secret in page.text + state.text] == []
    policy = page.headers["content-security-policy"]
    assert "frame-src http://127.0.0.1:8421" in policy
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == state.headers["cache-control"] == "no-store"


def test_the_pages_load_nothing_from_elsewhere() -> None:
    """Templates, style and script name no other origin, hold nothing inline and never set markup from text."""
    web = ROOT / "control_plane" / "web"
    for page in [*web.rglob("*.html"), *web.rglob("*.js"), *web.rglob("*.css")]:
        source = page.read_text("utf-8")
        assert re.search(r"https?://|innerHTML|insertAdjacent|document\.write|eval\(|\|\s*safe", source) is None, page
        assert re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", source) is None, page


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(str.strip)


@given(TEXTS)
def test_any_wording_survives_the_way_into_yaml(wording: str) -> None:
    """Whatever is typed, the text it replaces holds exactly it, and everything else stays."""
    source = "# kept\nname: opener\nfill:\n  question: What now?\ncases:\n- {reply: 'So: What now?'}\n"

    made = yaml.safe_load(reworded(source, "What now?", wording.strip()))

    assert made == {
        "name": "opener",
        "fill": {"question": wording.strip()},
        "cases": [{"reply": f"So: {wording.strip()}"}],
    }


def test_a_plain_wording_keeps_comments_and_layout() -> None:
    """Where the words mean nothing in YAML, only they change."""
    source = "# kept\nfill:\n  question: What now?  # here\n"
    assert reworded(source, "What now?", "What next?") == source.replace("now", "next")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("One. Two words here. Three.", (" Two ", "words", " here.")),
        ("words first", ("", "words", " first")),
        ("First line\nlast words", ("last ", "words", "")),
    ],
)
def test_a_forgery_is_shown_in_its_sentence(text: str, sentence: tuple[str, str, str]) -> None:
    """What a forger changed stands in the whole sentence that held it, without its neighbours."""
    forged = ForgedMirror(Path(), "prompt", "opener", "words", "lies", "sha256:")
    shown = shown_forgery(forged, {"title": "An opener", "fallback": text})
    assert (shown["start"], shown["before"], shown["end"]) == sentence
    assert (shown["script"], shown["after"]) == ("An opener", "lies")


PAIRS = (
    ("ink", "ground", 7.0),
    ("ink", "card", 7.0),
    ("soft", "ground", 4.5),
    ("soft", "card", 4.5),
    ("accent", "ground", 4.5),
    ("accent", "card", 4.5),
    ("accent", "tint", 4.5),
    ("ink", "tint", 7.0),
    ("soft", "tint", 4.5),
    ("on-accent", "accent", 4.5),
    ("no", "no-tint", 4.5),
    ("ink", "no-tint", 7.0),
    ("soft", "no-tint", 4.5),
    ("card", "no", 4.5),
    ("edge", "ground", 3.0),
    ("edge", "card", 3.0),
    ("mark-ink", "mark", 7.0),
    ("soft", "well", 4.5),
)


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb`. Source: WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("style", STYLES, ids=lambda path: path.name)
def test_colours_have_the_contrast_that_people_need(style: Path) -> None:
    """In both colour schemes every pair of text and ground meets WCAG AA, running text AAA."""
    blocks = re.findall(r":root \{(.*?)\}", (ROOT / style).read_text("utf-8"), re.DOTALL)
    schemes = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in blocks]
    assert [len(scheme) >= 11 for scheme in schemes] == [True, True]
    assert all(one.keys() == other.keys() for one, other in pairwise(schemes))
    for scheme in schemes:
        for text, ground, least in PAIRS:
            if text in scheme and ground in scheme:
                dark, light = sorted((luminance(scheme[text]), luminance(scheme[ground])))
                assert (light + 0.05) / (dark + 0.05) >= least, (text, ground)
