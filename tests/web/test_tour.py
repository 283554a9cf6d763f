"""The guided tour as a newcomer walks it: the real server, the real device, a real browser.

Screenshots go to the folder named by MENTORPLANE_SHOTS, if it is set, else to a temporary one.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, Request, expect

NOTE = "Quiet talk with Oluwaseun Adebayo-Marsh. Her mobile is +44 20 7946 0018, mail oluwaseun@example.org."
RAW = ("Oluwaseun", "Marsh", "7946", "oluwaseun@example.org")
START_TIMEOUT_S = 60
RELEASE = ("Approve as Tom", "Approve as Ines", "Publish as Remy")
NEVER_SHOWN = ("leaf", "closure", "bundle", "DSSE", "Merkle", "manifest", "TUF", "JCS", "lattice", "digest")

pytestmark = pytest.mark.timeout(240)


@dataclass(frozen=True, slots=True)
class Product:
    """A started installation: its printed link and the origins of server and device."""

    link: str
    server: str
    device: str
    home: Path


def free_ports(count: int) -> list[int]:
    """Return ports that are free now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in sockets]
    finally:
        for probe in sockets:
            probe.close()


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """`mentorplane serve --seed --with-device` in a process of its own, as `make run` starts it."""
    home = tmp_path_factory.mktemp("product") / "home"
    server_port, device_port = free_ports(2)
    command = [sys.executable, "-m", "edge_runtime", "serve", "--home", str(home), "--seed", "--with-device"]
    command += ["--port", str(server_port), "--device-port", str(device_port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        link = next((line.strip() for line in process.stdout if "/tour?key=" in line), "")
        assert link.startswith(f"http://127.0.0.1:{server_port}/tour?key="), link
        assert "does not answer" not in link
        yield Product(link, f"http://127.0.0.1:{server_port}", f"http://127.0.0.1:{device_port}", home)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) in (0, -signal.SIGTERM)


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for screenshots."""
    given = os.environ.get("MENTORPLANE_SHOTS")
    folder = Path(given) if given else tmp_path_factory.mktemp("shots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Walk:
    """One browser window on the tour, and everything that it heard and said on the way."""

    def __init__(self, browser: Browser, product: Product, *, width: int, height: int, scheme: str) -> None:
        self.product = product
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
        )
        context.add_init_script(
            "window.heard = []; addEventListener('message', (e) => heard.push([e.origin, JSON.stringify(e.data)]));"
        )
        self.page: Page = context.new_page()
        self.requests: list[Request] = []
        self.complaints: list[str] = []
        self.page.on("request", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)

    def _note(self, request: Request) -> None:
        self.requests.append(request)

    def frame(self, name: str) -> FrameLocator:
        """Return one of the frames that the device serves."""
        return self.page.frame_locator(f'[data-frame="{name}"] iframe')

    def press(self, name: str) -> None:
        """Press a button of the tour."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def expect_done(self, count: int) -> None:
        """Wait until so many steps are done."""
        expect(self.page.locator("#progress")).to_have_text(f"{count} of 7 done")

    def shoot(self, folder: Path, name: str) -> None:
        """Take a picture of each open step, and of the whole page; frames are only painted where they can be seen."""
        size = self.page.viewport_size
        assert size is not None
        self.page.set_viewport_size({"width": size["width"], "height": 2400})
        for step in self.page.locator(".step.open").all():
            step.scroll_into_view_if_needed()
            step.screenshot(path=folder / f"{name}-step{step.get_attribute('data-step')}.png")
        self.page.set_viewport_size(size)
        self.page.screenshot(path=folder / f"{name}.png", full_page=True)


def texts(locator: object) -> str:
    """Return the visible text of an element in one line."""
    return " ".join(locator.inner_text().split())  # type: ignore[attr-defined]


def is_wider_than_its_window(page: Page) -> list[str]:
    """Return which of page and frames would scroll sideways."""
    wide = "document.documentElement.scrollWidth > window.innerWidth"
    return [frame.url.partition("#")[0] for frame in page.frames if frame.evaluate(wide)]


def test_a_newcomer_walks_the_whole_loop(product: Product, browser: Browser, shots: Path) -> None:
    """All seven steps, on a desktop: read, refused, approved, adopted, covered, withstood, verified."""
    walk = Walk(browser, product, width=1280, height=900, scheme="light")
    walk.page.goto(product.link)
    assert walk.page.url == f"{product.server}/tour", "the key has moved from the address into a cookie"
    walk.shoot(shots, "desktop-light-begin")

    read_the_change(walk)
    be_refused_as_the_author(walk)
    approve_and_publish(walk)
    watch_the_device_adopt(walk)
    type_a_note(walk)
    tamper(walk)
    verify_the_log(walk)

    walk.expect_done(7)
    walk.shoot(shots, "desktop-light-end")
    keeps_the_note_on_the_device(walk)
    shows_plain_words(walk)
    assert walk.complaints == []


def read_the_change(walk: Walk) -> None:
    """Step 1: the word diff of Maya's proposal."""
    expect(walk.page.locator("#byline")).to_contain_text("Maya proposes")
    sheet = walk.page.locator("#diff")
    assert texts(sheet.locator("del")) == "felt different about it"
    assert texts(sheet.locator("ins")) == "did you do differently"
    expect(walk.page.get_by_role("button", name="Approve as Maya")).to_be_hidden()
    walk.press("I have read it")
    walk.expect_done(1)


def be_refused_as_the_author(walk: Walk) -> None:
    """Step 2: her own approval is refused with the reason, and nothing is counted."""
    walk.press("Approve as Maya")
    walk.expect_done(2)
    refused = walk.page.locator("#refused")
    expect(refused).to_contain_text("Refused")
    expect(refused).to_contain_text("Maya wrote this change, so she cannot approve it.")
    expect(refused).to_contain_text("Nothing changed")
    expect(walk.page.locator("#needed")).to_contain_text("Approvals needed: two people, not the author")
    expect(walk.page.locator("#publish")).to_be_disabled()


def approve_and_publish(walk: Walk) -> None:
    """Step 3: nine checks are green; two colleagues approve; it is published."""
    checks = walk.page.locator("#checks li")
    assert checks.count() >= 9
    assert walk.page.locator("#checks li.no").count() == 0
    walk.press("Approve as Tom")
    expect(walk.page.locator("#needed")).to_contain_text("Approvals needed: one more person")
    walk.press("Approve as Ines")
    expect(walk.page.locator("#needed")).to_contain_text("All approvals needed are there")
    assert texts(walk.page.locator("#signed")) == "Tom facilitator Ines community host"
    walk.press("Publish as Remy")
    expect(walk.page.locator("#published")).to_contain_text("Published as version 2")
    walk.expect_done(3)


def watch_the_device_adopt(walk: Walk) -> None:
    """Step 4: the device's own page shows nine checks, one by one, and the new version."""
    frame = walk.frame("adopt")
    expect(frame.locator("#facts")).to_contain_text("number 1")
    walk.press("Let the device look")
    expect(frame.locator("#verdict")).to_contain_text("Version 2 is in use now")
    assert frame.locator(".check .number").all_inner_texts() == [f"V{number}" for number in range(1, 10)]
    assert frame.locator('.check[data-result="yes"]').count() == 9
    expect(frame.locator(".check").nth(5)).to_contain_text("2 people other than the author")
    expect(walk.page.locator('[data-frame="adopt"] figcaption')).to_contain_text(walk.product.device)
    walk.expect_done(4)


def type_a_note(walk: Walk) -> None:
    """Step 5: a note of one's own is marked and covered, and consents change where it could run."""
    frame = walk.frame("note")
    frame.get_by_label("Names this app knows").fill("Oluwaseun Adebayo-Marsh")
    frame.get_by_label("Your note", exact=True).press_sequentially(NOTE)
    expect(frame.locator("#found mark")).to_have_count(3)
    assert frame.locator("#found mark small").all_inner_texts() == ["person", "phone", "e-mail"]
    covered = texts(frame.locator("#covered"))
    assert [value for value in RAW if value in covered] == []
    expect(frame.locator("#scale [aria-current]")).to_have_text("On this device")
    expect(frame.locator("#reasons")).to_contain_text("unless you said that the cloud may be used")
    for consent in frame.locator("#consents").get_by_role("switch").all():
        consent.check()
    expect(frame.locator("#scale [aria-current]")).to_have_text("In the cloud, covered")
    expect(frame.locator("#reasons")).not_to_contain_text("unless you said that the cloud may be used")
    frame.locator("#consents").get_by_role("switch").first.uncheck()
    expect(frame.locator("#scale [aria-current]")).to_have_text("On this device")
    walk.expect_done(5)


def tamper(walk: Walk) -> None:
    """Step 6: a version signed with every server key, but by nobody who may approve, is refused; the last one stays."""
    walk.press("Tamper")
    expect(walk.page.locator("#forged")).to_contain_text("signed with every key of this server")
    frame = walk.frame("forged")
    expect(frame.locator("#verdict")).to_contain_text("Refused at check 6")
    expect(frame.locator("#verdict")).to_contain_text("Version 2 stays in use")
    assert frame.locator('.check[data-result="yes"]').count() == 5
    expect(frame.locator('.check[data-result="no"]')).to_contain_text("The people who must approve this change did not")
    expect(frame.locator("#facts")).to_contain_text("number 2")
    expect(walk.page.locator("#tampered")).to_contain_text("Stolen keys were not enough")
    assert len(texts(walk.page.locator("#forged .sheet")).split()) > 4, "the sentence, not the two words alone"
    walk.expect_done(6)


def verify_the_log(walk: Walk) -> None:
    """Step 7: the log is recomputed; the page claims no more than is proven, and names the last acts."""
    walk.press("Verify the log")
    audit = walk.page.locator("#audit")
    expect(audit).to_contain_text("self-contained: no outside witness signed")
    expect(audit).to_contain_text("nothing altered")
    acts = audit.locator(".log li").all_inner_texts()
    assert "Remy published version 2" in " ".join(acts[0].split())
    assert "Ines approved proposal 2" in " ".join(acts[1].split())


def keeps_the_note_on_the_device(walk: Walk) -> None:
    """P2: no request to the server, and no message to its page, held a word of the note; nothing went elsewhere."""
    origins = {f"{urlsplit(r.url).scheme}://{urlsplit(r.url).netloc}" for r in walk.requests}
    assert origins == {walk.product.server, walk.product.device}
    to_server = "".join(f"{r.url} {r.post_data or ''}" for r in walk.requests if r.url.startswith(walk.product.server))
    to_page = json.dumps(walk.page.evaluate("heard"))
    assert [value for value in (*RAW, "Quiet") if value in to_server + to_page] == []
    assert walk.page.evaluate("document.querySelector('[data-frame=note] iframe').contentDocument") is None
    assert {origin for origin, _ in walk.page.evaluate("heard")} == {walk.product.device}


def shows_plain_words(walk: Walk) -> None:
    """What a newcomer reads, in the page and in the device's frames, has no word of the formats."""
    shown = [frame.evaluate("document.body.innerText") for frame in walk.page.frames]
    words = " ".join(shown).replace("Technical details", "")
    assert [word for word in NEVER_SHOWN if f" {word.lower()} " in f" {words.lower()} "] == []


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_reload_on_a_phone_finds_everything_where_it_was(
    product: Product, browser: Browser, shots: Path, *, scheme: str
) -> None:
    """The server keeps the state: another window, 360 pixels wide, sees seven steps done and scrolls downwards only."""
    walk = Walk(browser, product, width=360, height=740, scheme=scheme)
    walk.page.goto(product.link)
    walk.expect_done(7)
    expect(walk.frame("adopt").locator("#facts")).to_contain_text("number 2")
    expect(walk.page.locator("#refused")).to_contain_text("Refused")
    expect(walk.page.locator("#tampered")).to_contain_text("Stolen keys were not enough")
    walk.frame("note").get_by_role("button", name="Use an example").click()
    expect(walk.frame("note").locator("#found mark")).to_have_count(4)
    walk.shoot(shots, f"phone-{scheme}")
    assert is_wider_than_its_window(walk.page) == []
    assert walk.complaints == []


def test_the_tour_can_be_walked_again(product: Product, browser: Browser, shots: Path) -> None:
    """When all is done Maya proposes another wording, and the tour begins anew with it, on a dark desktop."""
    walk = Walk(browser, product, width=1280, height=900, scheme="dark")
    walk.page.goto(product.link)
    walk.expect_done(7)
    walk.page.locator("#wording").fill("What was different: for you # and others?")
    walk.press("Propose another change")
    walk.expect_done(0)
    expect(walk.page.locator("#diff ins").first).to_be_visible()
    walk.shoot(shots, "desktop-dark-again")
    assert walk.complaints == []


def test_a_wording_that_fails_its_checks_can_be_replaced(product: Product, browser: Browser, shots: Path) -> None:
    """A wording that breaks what the script promises is stopped by the checks, with evidence; another may follow."""
    walk = Walk(browser, product, width=1280, height=900, scheme="light")
    walk.page.goto(product.link)
    # What comes of one press moves the next button: a press before that can miss it.
    for number, steps in enumerate((("I have read it",), ("Approve as Maya",), RELEASE, ("Let the device look",)), 1):
        for step in steps:
            walk.press(step)
        walk.expect_done(number)
    walk.press("Tamper")
    walk.expect_done(5)
    walk.press("Verify the log")
    walk.expect_done(6)
    walk.page.locator("#wording").fill("Tell me everything.")
    walk.press("Propose another change")
    walk.expect_done(0)
    walk.press("I have read it")
    expect(walk.page.locator("#end-title")).to_have_text("The checks stopped this change.")
    walk.press("Approve as Maya")
    assert walk.page.locator("#checks li.no small").count() >= 1
    walk.shoot(shots, "desktop-light-failed")


def test_a_device_that_says_nothing_is_told_to_the_reader(product: Product, browser: Browser) -> None:
    """If a frame of the device does not report within ten seconds, the page says that the device does not answer."""
    walk = Walk(browser, product, width=1280, height=900, scheme="light")
    walk.page.route(f"{product.device}/**", lambda route: route.abort())
    walk.page.goto(
        product.link, wait_until="networkidle"
    )  # the page has its state: only then does a press mean anything
    walk.page.evaluate("for (const step of document.querySelectorAll('.step')) step.classList.add('open')")
    walk.page.locator("[data-frame=adopt]").evaluate("figure => figure.hidden || figure.scrollIntoView()")
    walk.page.evaluate("document.querySelector('#look').click()")
    alert = walk.page.locator("[data-frame=adopt] .alert")
    expect(alert).to_have_count(0)
    expect(alert).to_contain_text("The device does not answer", timeout=15_000)


def test_without_the_printed_link_nothing_is_shown(product: Product, browser: Browser, shots: Path) -> None:
    """No key, or a wrong one: a plain page that says what to do, and no state."""
    for address in ("/tour", "/tour?key=wrong"):
        page = browser.new_page(viewport={"width": 360, "height": 740})
        answer = page.goto(product.server + address)
        assert answer is not None
        assert answer.status == 403
        expect(page.locator("h1")).to_have_text("Please use the printed link.")
        page.screenshot(path=shots / "phone-locked.png")
        assert page.request.get(f"{product.server}/tour/api/state").status == 403
        page.close()
