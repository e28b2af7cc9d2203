"""Every notebook as a reader meets it: the sources keep to the rules, the released copies run as learners run them."""

import copy
import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from grading.course import chapters
from grading.faults import faults

ROOT = Path(__file__).parents[2]
CHAPTERS = chapters(ROOT / "solutions")
CELL_SECONDS = 120  # far more than any cell may take: a cell that hangs is stopped
LONGEST_TEXT = 12  # lines of a markdown cell


def read(folder: str, chapter: str):
    return nbformat.read(ROOT / folder / chapter / f"{chapter}.ipynb", as_version=4)


def run(nb, folder: Path):
    """Execute a notebook like "Run All" does: a cell tagged raises-exception may raise, any other stops it."""
    settings = {"timeout": CELL_SECONDS, "kernel_name": "python3", "resources": {"metadata": {"path": str(folder)}}}
    NotebookClient(nb, **settings).execute()
    return nb


def is_exercise(cell) -> bool:
    marks = cell.metadata.get("nbgrader", {})
    return cell.cell_type == "code" and marks.get("solution", False) and not marks.get("grade", False)


def errors(cell) -> list[str]:
    return [output.ename for output in cell.get("outputs", ()) if output.output_type == "error"]


class Images(HTMLParser):
    """The alt texts of all images in a piece of HTML; "" where there is none."""

    def __init__(self, html: str):
        super().__init__()
        self.alts = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.alts.append(dict(attributes).get("alt") or "")


def output_faults(cell) -> list[str]:
    """What is wrong with the outputs of a cell that was run."""
    found = []
    for output in cell.get("outputs", ()):
        if output.output_type == "stream" and output.name == "stderr":
            found.append(f"stderr: {output.text[:300]}")
        data = output.get("data", {})
        found += [f"{kind} without alt text: return show.picture(…)" for kind in data if kind.startswith("image/")]
        alts = Images(data.get("text/html", "")).alts
        found += [f"an image whose alt text is {alt!r}" for alt in alts if len(alt.split()) < 3]
    return found


def source_faults(nb) -> list[str]:
    """What is wrong with the texts of a chapter, beyond what a release refuses."""
    found = []
    text = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
    if len(re.findall(r"^## ", text, re.M)) < 4:
        found.append("fewer than four headings: a reader finds no way through it")
    for number, title in enumerate(("After this you can", "⏱", "What you now know", "Further reading", "Credits")):
        if title not in text:
            found.append(f"nothing says “{title}” (part {number + 1} of the skeleton)")
    for cell in nb.cells:
        if cell.cell_type != "markdown":
            continue
        found += [
            f"{cell.id}: a picture without alt text"
            for alt in re.findall(r"!\[(.*?)\]", cell.source)
            if not alt.strip()
        ]
        found += [f"{cell.id}: an <img> without alt text" for alt in Images(cell.source).alts if not alt.strip()]
        lines = [line for line in cell.source.splitlines() if line.strip()]
        if len(lines) > LONGEST_TEXT:
            found.append(f"{cell.id}: a wall of text, {len(lines)} lines")
    return found


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_sources_keep_to_the_rules(chapter):
    nb = read("solutions", chapter)
    assert faults(nb, chapter) == []
    assert source_faults(nb) == []


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_released_notebook_runs_with_its_exercises_open(chapter, record_property):
    record_property("notebook", f"notebooks/{chapter}/{chapter}.ipynb")
    nb = run(read("notebooks", chapter), ROOT / "notebooks" / chapter)
    exercises = [cell for cell in nb.cells if is_exercise(cell)]
    assert exercises
    for cell in exercises:
        assert errors(cell) == ["NotImplementedError"], f"{cell.id} raises {errors(cell)}"
    for cell in nb.cells:
        if cell not in exercises:
            assert errors(cell) == [], f"{cell.id} raises {errors(cell)}"
        assert output_faults(cell) == [], cell.id
    not_done = sum("not done yet" in str(cell.get("outputs")) for cell in nb.cells)
    assert not_done >= len(exercises), "an open exercise without a check that says so"


# The rules above can be broken, and then they say so.


def notebook(*sources: str, tags=()):
    cells = [nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)}) for source in sources]
    return nbformat.v4.new_notebook(cells=cells)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """One notebook with everything wrong that outputs can have wrong, executed."""
    nb = notebook(
        "import sys; print('careful', file=sys.stderr)",
        "from IPython.display import HTML, Image; HTML('<img src=\"data:,\">')",
        'HTML(\'<p><img src="data:," alt="plot"></p>\')',
        "import base64; Image(base64.b64decode('iVBORw0KGgo='), format='png')",
        'HTML(\'<img src="data:," alt="a cat on a mat">\')',
        "raise NotImplementedError",
        tags=["raises-exception"],
    )
    return run(nb, tmp_path_factory.mktemp("faulty"))


@pytest.mark.parametrize(
    ("number", "says"),
    [(0, "stderr: careful"), (1, "alt text is ''"), (2, "alt text is 'plot'"), (3, "image/png without alt text")],
)
def test_faulty_outputs_are_seen(faulty, number, says):
    (fault,) = output_faults(faulty.cells[number])
    assert says in fault


def test_sound_outputs_and_open_exercises_pass(faulty):
    assert output_faults(faulty.cells[4]) == []
    assert errors(faulty.cells[5]) == ["NotImplementedError"]


def test_an_error_outside_the_exercises_stops_the_run(tmp_path):
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        run(notebook("1 / 0"), tmp_path)


def test_faulty_texts_are_seen():
    sound = read("solutions", CHAPTERS[0])
    assert source_faults(sound) == []
    nb = copy.deepcopy(sound)
    title, *_, last = [cell for cell in nb.cells if cell.cell_type == "markdown"]
    title.source += "\n\n![](plot.png)\n\n<img src='plot.png'>" + "\n\nword" * LONGEST_TEXT
    last.source = last.source.replace("Credits", "Thanks")
    found = " ".join(source_faults(nb))
    for says in ("picture without alt", "<img> without alt", "wall of text", "“Credits”"):
        assert says in found
    nb.cells = nb.cells[:3]
    assert "fewer than four headings" in " ".join(source_faults(nb))
