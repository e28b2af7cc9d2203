"""JupyterLab in a headless Chromium, on the tree that learners get, opened as `make lab` opens it."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect, sync_playwright

from grading.course import ROOT, chapters
from grading.publish import publish

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHAPTER = [name for name in chapters(ROOT / "notebooks") if name.startswith(("00", "01"))][-1]
LOCAL = re.compile(r"(https?|wss?)://127\.0\.0\.1:|data:|blob:|about:")
BADGES = {"https://colab.research.google.com/assets/colab-badge.svg", "https://mybinder.org/badge_logo.svg"}
MINUTE = 60_000  # milliseconds


@pytest.fixture(scope="module")
def chromium():
    """The path of a Chromium. In CI there must be one."""
    if CHROMIUM is None and os.environ.get("CI"):
        pytest.fail("no Chromium: .ci/run installs Debian's package “chromium”")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine; on Debian: sudo apt install chromium")
    return CHROMIUM


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address of a JupyterLab that was started in a published tree by the course's own command."""
    folder = publish(tmp_path_factory.mktemp("lab") / "cnn-course").folder
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--IdentityProvider.token=course",
        "--no-browser",
    ]
    log = (folder.parent / "lab.log").open("w")
    server = subprocess.Popen(
        [sys.executable, "-m", "utils.lab", *options], cwd=folder, stdout=log, stderr=log, env=quiet()
    )
    base = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{base}/api/status?token=course", server, Path(log.name))
        yield f"{base}/lab/tree/{{}}?token=course"
    finally:
        urlopen(f"{base}/api/shutdown?token=course", data=b"", timeout=10).close()
        server.wait(timeout=30)
        log.close()


def quiet() -> dict[str, str]:
    """The environment without a screen, so that no browser of the person at this machine opens."""
    return {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}


def wait_for(url: str, server: subprocess.Popen, log: Path) -> None:
    """Return once the server answers."""
    for _ in range(240):
        if server.poll() is not None:
            break
        try:
            urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.25)
    pytest.fail(f"JupyterLab does not answer: {log.read_text()[-2000:]}")


@pytest.fixture
def page(chromium, tmp_path):
    """A page in a browser of its own, which talks to nobody but the server."""
    flags = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=chromium, args=flags, viewport={"width": 1300, "height": 1000}
        )
        page = browser.pages[0]
        page.set_default_timeout(MINUTE)
        yield page
        page.screenshot(path=tmp_path / "last.png")
        browser.close()


def open_notebook(page, address: str) -> list[str]:
    """Open the chapter and wait for its kernel; return the addresses that the page asks for, a list that grows."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.route(lambda url: not LOCAL.match(url), lambda route: route.abort())  # as if offline
    page.goto(address.format(f"notebooks/{CHAPTER}/{CHAPTER}.ipynb"))
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle")  # before that, Run asks for a kernel
    return asked


def run_all(page) -> None:
    """Run ▸ Run All Cells, until no cell is waiting and the last one has run."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    last = page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").last
    expect(last).to_have_text(re.compile(r"\[\d+\]:"), timeout=3 * MINUTE)


def test_a_learner_runs_everything_moves_a_slider_and_validates(page, address):
    asked = open_notebook(page, address)
    run_all(page)

    # An exercise that is still open raised its error and stopped nothing: cells behind it have run.
    open_exercise = page.locator(".jp-CodeCell", has_text="raise NotImplementedError").first
    expect(open_exercise.locator(".jp-OutputArea")).to_contain_text("NotImplementedError")
    checks = page.locator(".jp-OutputArea-output", has_text="not done yet")
    expect(checks.first).to_be_visible()

    # An explorer's slider moves by keyboard, and the picture follows.
    explorer = page.locator(".jp-OutputArea-output", has=page.locator(".noUi-handle")).first
    picture = explorer.locator("img").first
    before = picture.get_attribute("src")
    assert picture.get_attribute("alt")
    handle = explorer.locator(".noUi-handle").first
    handle.focus()
    for _ in range(3):
        handle.press("ArrowRight")
    expect(picture).not_to_have_attribute("src", before)

    # Validate runs the notebook afresh and says which graded checks are not green.
    page.get_by_role("button", name="Validate").click()
    dialog = page.locator(".jp-Dialog")
    dialog.wait_for(timeout=3 * MINUTE)
    graded = page.locator(".jp-CodeCell", has_text="check(").count() and not CHAPTER.startswith("00")
    expect(dialog).to_contain_text("failed" if graded else "Success", timeout=3 * MINUTE)

    # Nothing was fetched from elsewhere, and nobody was asked about news.
    expect(page.get_by_text("Jupyter news")).to_have_count(0)
    assert {url for url in asked if not LOCAL.match(url)} <= BADGES
