"""JupyterLab in a headless Chromium, on the tree that learners get, opened as `make lab` opens it."""

import re

from playwright.sync_api import expect

from grading.course import ROOT, chapters

CHAPTER = [name for name in chapters(ROOT / "notebooks") if name.startswith(("00", "01"))][-1]
LOCAL = re.compile(r"(https?|wss?)://127\.0\.0\.1:|data:|blob:|about:")
BADGES = {"https://colab.research.google.com/assets/colab-badge.svg", "https://mybinder.org/badge_logo.svg"}
MINUTE = 60_000  # milliseconds


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
