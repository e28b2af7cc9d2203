"""A JupyterLab in the tree that learners get, and a Chromium without a screen."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect, sync_playwright

from grading.publish import publish

MINUTE = 60_000  # milliseconds
expect.set_options(timeout=MINUTE)  # machines are shared, and slow at times


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The published tree."""
    return publish(tmp_path_factory.mktemp("lab") / "cnn-course").folder


@pytest.fixture(scope="session")
def address(folder):
    """The address of a JupyterLab that was started in the published tree by the course's own command."""
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
