"""README: its commands exist, its links lead somewhere, its chapters are those that there are."""

import json
import re
from pathlib import Path

import pytest

from grading.course import chapters

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
LEARNERS = (ROOT / "grading" / "learners.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.M))
LINKS = re.findall(r"\]\(([^)\s]+)\)", README)


def blocks(text: str) -> list[str]:
    """The code blocks of a text."""
    return re.findall(r"```\w*\n(.*?)```", text, re.S)


def table(text: str) -> dict[str, list[str]]:
    """The rows of README's table of chapters, by chapter."""
    rows = [
        row.split("|")[1:-1]
        for row in text.partition("## Chapters")[2].partition("\n## ")[0].splitlines()
        if "](" in row
    ]
    return {Path(re.search(r"\]\((.*?)\)", row[0])[1]).stem: [cell.strip() for cell in row] for row in rows}


def test_the_two_commands_come_first_and_then_the_demo():
    first, second, *_ = blocks(README)
    assert re.findall(r"^make \w+", first, re.M) == ["make lab", "make test"]
    assert second.strip() == "make demo"
    assert README.count("make lab") == README.count("make test") == 1


@pytest.mark.parametrize("text", [README, LEARNERS], ids=["README", "learners"])
def test_every_make_target_named_exists(text):
    named = set(re.findall(r"(?:`|^)make ([a-z]+)", text, re.M))
    assert named
    assert named <= TARGETS


def test_every_python_module_named_exists():
    modules = set(re.findall(r"python -m ((?:utils|grading)[\w.]*)", README + LEARNERS + MAKEFILE))
    assert modules >= {"utils.lab", "utils.data"}
    for module in modules:
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def test_relative_links_resolve():
    relative = [link for link in LINKS if not re.match(r"https?:|#", link)]
    assert relative
    missing = [link for link in relative if not (ROOT / link).exists()]
    assert not missing


def test_links_within_the_page_resolve():
    headings = re.findall(r"^#+ (.*)$", README, re.M)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    inner = {link[1:] for link in LINKS if link.startswith("#")}
    assert inner
    assert inner <= anchors


def test_the_chapters_listed_are_those_that_there_are():
    assert list(table(README)) == chapters(ROOT / "solutions") == chapters(ROOT / "notebooks")


@pytest.mark.parametrize("chapter", chapters(ROOT / "solutions"))
def test_minutes_are_those_of_the_chapter(chapter):
    cells = json.loads((ROOT / "solutions" / chapter / f"{chapter}.ipynb").read_text())["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    minutes = re.search(r"⏱ \**(\d+) minutes", text)
    assert minutes, f"{chapter} does not say “⏱ … minutes”"
    assert table(README)[chapter][1] == minutes[1]


def test_planned_chapters_are_named_as_planned():
    planned = " ".join(re.findall(r"^Planned: (.*?)\n\n", README, re.M | re.S))  # a line that may be missing
    assert not [number for name in chapters(ROOT / "solutions") if re.search(rf"\b{(number := name[:2])}\b", planned)]


def test_variables_explained_are_those_that_are_read():
    explained = set(re.findall(r"`(CNN_COURSE_\w+)", README))
    read = {
        name
        for path in (ROOT / "utils").rglob("*.py")
        for name in re.findall(r"environ\S*[\"'](CNN_COURSE_\w+)", path.read_text())
    }
    assert read
    assert read == explained
