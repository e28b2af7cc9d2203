"""What learners write is shown to instructors and to themselves, and none of it runs in their browsers."""

import re
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from attacks import HIT, PAGE, SHOWN
from course import CHAPTER
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_markdown_cell, new_notebook
from nbgrader.api import Gradebook
from playwright.sync_api import sync_playwright

from grading.course import config, gradebook_url
from grading.pages import markdown2html

BARE = "document.querySelectorAll('[onerror], [onload], [onfocus], [ontoggle], iframe, object, base, meta[http-equiv]')"


@pytest.fixture(scope="module")
def browser(chromium):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(browser, address: str):
    """A page that has had time to do its worst; nothing outside this machine is asked for anything."""
    page = browser.new_page()
    page.route("**/*", lambda route: route.continue_() if here(route.request.url) else route.abort())
    page.goto(address, wait_until="load")
    page.wait_for_timeout(300)
    return page


def here(address: str) -> bool:
    return address.startswith(("file:", "data:", "http://127.0.0.1:"))


def test_nbconvert_by_itself_lets_it_run(browser, tmp_path):
    """The page bites: on a page that nbconvert makes without the course's filter, it runs."""
    path = tmp_path / "stock.html"
    path.write_text(HTMLExporter().from_notebook_node(new_notebook(cells=[new_markdown_cell(PAGE)]))[0])
    page = browser.new_page()
    page.goto(path.as_uri(), wait_until="commit")
    page.wait_for_function("document.title == 'hit'")
    page.close()


@pytest.mark.parametrize("learner", SHOWN)
def test_feedback_runs_nothing(few, browser, learner):
    page = opened(browser, few.pages[learner].as_uri())
    assert page.title() == CHAPTER
    assert page.evaluate(f"[...{BARE}].length") == 0
    links = page.evaluate("[...document.querySelectorAll('a')].map(a => a.href)")
    assert not [link for link in links if re.match(r"\s*(javascript|data|vbscript)", link, re.I)]
    page.close()


def test_what_was_meant_is_still_shown(few, browser):
    page = opened(browser, few.pages["page"].as_uri())
    text = page.inner_text("body")
    assert "Now $a < b$, 1 < 2, bold and" in text and "<script>" in text
    assert page.evaluate("[...document.querySelectorAll('strong')].some(b => b.innerText == 'bold')")
    page.close()


@pytest.fixture(scope="module")
def formgrader(few):
    """The address of a Jupyter server with formgrader, started in the course's folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [f"--port={port}", "--no-browser", "--allow-root", "--IdentityProvider.token=open", "--ip=127.0.0.1"]
    command = [sys.executable, "-m", "jupyter", "server", *options]
    with (few.root.parent / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=few.root, stdout=log, stderr=log)
        try:
            yield up(f"http://127.0.0.1:{port}", server)
        finally:
            server.terminate()
            server.wait(timeout=30)


def up(address: str, server) -> str:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{address}/formgrader?token=open", timeout=60).close()
            return address
        except urllib.error.URLError:
            assert server.poll() is None
            time.sleep(0.2)
    raise TimeoutError(address)


@pytest.mark.parametrize("learner", ["page", "page-attachment"])
def test_formgrader_runs_nothing(few, browser, formgrader, learner):
    with Gradebook(gradebook_url(few.root)) as gradebook:
        number = gradebook.find_submission_notebook(CHAPTER, CHAPTER, learner).id
    page = opened(browser, f"{formgrader}/formgrader/submissions/{number}/?token=open")
    assert page.title() == CHAPTER and {"page": "Because.", "page-attachment": "gone.png"}[learner] in page.content()
    assert page.locator("#why").count() == 1  # the field for the points: it is formgrader's page, and complete
    assert page.evaluate(f"[...{BARE}].filter(e => e.closest('.rendered_html')).length") == 0
    page.close()


def test_feedback_and_formgrader_share_the_filter(few):
    assert config(few.root).HTMLExporter.filters == {"markdown2html": "grading.pages.markdown2html"}


def clean(source: str, **attachments) -> str:
    return markdown2html({"cell": {"attachments": attachments}}, source)


@pytest.mark.parametrize(
    "source",
    [
        f"<script>{HIT}</script>",
        f"<img src=x onerror={HIT}>",
        f"[x](javascript:{HIT})",
        f"[x]( JaVaScRiPt:{HIT})",
        f"[x](&#106;avascript:{HIT})",
        "[x](data:text/html,<script>1</script>)",
        "![x](data:image/svg+xml;base64,PHN2Zz4=)",
        "<a href=vbscript:1>x</a>",
        "<svg><script>1</script></svg>",
        "<p style='position:fixed' id=why class='save-icon full-credit' data-link=x name=x>x</p>",
        f"<math><mtext></p><style><img src=1 title='</style><img src=x onerror={HIT}>'>",
        "```<script>\nx\n```",
        "<form action=/formgrader/api><button>x</button></form>",
        "<img src='/logout'><img src='//evil'>",
    ],
)
def test_what_is_taken_out(source):
    made = clean(source)
    tags = re.findall(r"<(\w+)([^>]*)>", made)
    assert not {name for name, _ in tags} & {"script", "svg", "style", "form", "button", "iframe", "math"}
    harm = r"\bon\w+=|javascript:|vbscript:|text/html|svg|style=|id=|name="
    assert not [rest for _, rest in tags if re.search(harm, rest)]
    assert not re.search(r"<[^>]*(full-credit|data-link|logout|//evil)", made)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("a `x < y`", "<code>x &lt; y</code>"),
        ("$a < b$ and $$c$$", "$a &lt; b$ and $$c$$"),
        ("# Title", "<h1>Title"),
        ("| a |\n|--|\n| 1 |", "<td>1</td>"),
        ("```python\nx = 1\n```", '<span class="n">x</span>'),
        ("![p](attachment:a.png)", '<img src="data:image/png;base64,AAAA" alt="p">'),
        ("![p](attachment:b.png)", "![p](attachment:b.png)"),
        ("[ok](https://a.example)", '<a href="https://a.example">ok</a>'),
        ("<details><summary>s</summary>t</details>", "<details><summary>s</summary>t</details>"),
        ("*" * 200_000, "<pre>****"),
    ],
)
def test_what_is_kept(source, shown):
    assert shown in clean(source, **{"a.png": {"image/png": "AAAA"}})
