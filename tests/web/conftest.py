"""Fixtures of the pages: a published organisation, a desk that serves its device, and a browser."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from edge_runtime import EdgeRuntime
from edge_runtime.desk import DeskServer, DeskSettings
from tests.published import Published
from tests.web.desks import PARENT, library_policy

BROWSERS = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


expect.set_options(timeout=30_000)  # a busy machine is no failure


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell what every page and frame said when a test of the browser failed."""
    report = yield
    shown = getattr(item, "funcargs", {}).get("browser")
    if report.when == "call" and report.failed and isinstance(shown, Browser):
        frames = [frame for context in shown.contexts for page in context.pages for frame in page.frames]
        said = [f"{frame.url.partition('#')[0]}\n{frame.evaluate('document.body.innerText')}" for frame in frames]
        report.sections.append(("Pages", "\n\n".join(said)))
    return report


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """An organisation with one release, under the policy of the starter library."""
    made = Published(tmp_path)
    made.release({**made.organisation.base_documents(), ("policy", "organisation"): library_policy()})
    return made


@pytest.fixture
def desk(published: Published, tmp_path: Path) -> Iterator[DeskServer]:
    """The desk of a device that has adopted that release."""
    edge = EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=str(published.folder))
    assert edge.refresh().ok
    settings = DeskSettings(allow_parent=PARENT, mirrors={"forged": str(tmp_path / "forged")})
    with DeskServer(edge, settings) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium that asks nobody for anything."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.fail("expected Chromium: install the package chromium, or set CHROMIUM to a browser", pytrace=False)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield started
        started.close()
