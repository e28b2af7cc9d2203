"""nbgrader's own commands, Validate and formgrader, used as an instructor or a learner would use them."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from courses import CHAPTER, SOLUTION, course, released

from grading import records
from grading.batch import autograde
from grading.course import ROOT, config, settle_environment
from grading.gradebook import marks
from grading.release import release

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")

BASE = {key: value for key, value in os.environ.items() if key != "CNN_COURSE_SEED"} | {"CNN_COURSE_SEED": "for tests"}


def nbgrader(*arguments, folder, **environment):
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=folder, env=BASE | environment, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A course whose one chapter was released by nbgrader's own command, in a shell where no environment is active."""
    root = course(tmp_path_factory.mktemp("course"))
    code, log = nbgrader("generate_assignment", CHAPTER, folder=root, PATH="/usr/bin:/bin")
    assert code == 0, log
    return root


def hand_in(root, learner, solution=None, name=CHAPTER):
    nb = released(root)
    if solution:
        next(cell for cell in nb.cells if cell.id == "size").source = solution
    path = root / "grading" / "submitted" / learner / CHAPTER / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nb, path)
    return path


def test_the_release_of_nbgraders_command_is_ours(small, tmp_path):
    ours = course(tmp_path)
    release(ours, gradebook=False)
    assert released(ours) == released(small)


def test_a_faulty_chapter_is_refused_by_nbgraders_command_too(tmp_path):
    root = course(tmp_path)
    path = root / "solutions" / CHAPTER / f"{CHAPTER}.ipynb"
    path.write_text(path.read_text().replace("### BEGIN SOLUTION", "### BEGIN SOLUTON"))
    code, log = nbgrader("generate_assignment", CHAPTER, folder=root)
    assert code != 0 and "looks like a marker" not in log and "closes a region that is not open" in log
    assert not (root / "notebooks" / CHAPTER / f"{CHAPTER}.ipynb").exists()


def test_autograde_and_feedback_from_the_shell(small):
    hand_in(small, "ada", SOLUTION)
    for command in ("autograde", "generate_feedback"):
        code, log = nbgrader(command, CHAPTER, "--student", "ada", folder=small)
        assert code == 0, log
    assert marks(small)["ada"]["check-size"].score == 5
    page = (small / "grading" / "feedback" / "ada" / CHAPTER / f"{CHAPTER}.html").read_text(encoding="utf-8")
    assert "HIDDEN" not in page and "conv_output_size: right" in page


def test_only_what_the_grade_needs_is_run(small, monkeypatch):
    monkeypatch.setenv("CNN_COURSE_SEED", "for tests")
    hand_in(small, "bob", "def conv_output_size(n, kernel_size, **settings):\n    return n - kernel_size + 1")
    autograde(small, CHAPTER, jobs=1)
    record = records.load(small, "bob", CHAPTER)
    assert "picture" not in record.outputs and "setup" in record.outputs
    assert marks(small)["bob"]["check-size"].score == 1  # stride 1 only


def test_a_damaged_submission_is_refused_by_nbgraders_own_command(small):
    """Refused, with a sentence, in the gradebook as zero that waits for a look; and the next one is graded."""
    path = hand_in(small, "eve")
    path.write_text("<<<<<<< HEAD")
    hand_in(small, "finn", SOLUTION)
    code, log = nbgrader("autograde", CHAPTER, "--force", folder=small)
    assert code == 0, log
    row = marks(small)
    assert row["eve"]["check-size"].look and row["eve"]["check-size"].score == 0
    assert row["finn"]["check-size"].score == 5 and not row["finn"]["check-size"].look
    (kept,) = (small / "grading" / "originals" / CHAPTER / "eve").glob("0*")
    assert (kept / path.name).read_text() == "<<<<<<< HEAD"


def test_from_inside_the_course_nbgrader_finds_it(tmp_path):
    """Without this, nbgrader begins an empty gradebook in whatever folder it is started."""
    root = course(tmp_path / "course")
    prefix = root / ".venv"
    path = settle_environment(root, prefix)
    place = root / "solutions" / CHAPTER
    code, log = nbgrader("db", "assignment", "list", folder=place, JUPYTER_CONFIG_PATH=str(path.parent))
    assert code == 0, log
    assert (root / "grading" / "gradebook.db").is_file() and not (place / "gradebook.db").exists()
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    code, log = nbgrader("db", "assignment", "list", folder=outside, JUPYTER_CONFIG_PATH=str(path.parent))
    assert f"this folder is not in {root}" in log


def test_no_other_environment_is_told(tmp_path):
    assert settle_environment(tmp_path / "course", tmp_path / "elsewhere") is None
    assert list(tmp_path.iterdir()) == []


def test_the_repositorys_own_configuration_is_found_from_its_root():
    assert config(ROOT).CourseDirectory.root == str(ROOT)
    assert config(ROOT).CourseDirectory.db_url.endswith("/grading/gradebook.db?timeout=120")


def test_validate_reports_what_is_undone_and_passes_what_is_done(small, tmp_path):
    undone = small / "notebooks" / CHAPTER / f"{CHAPTER}.ipynb"
    nb = released(small)
    for name, answer in (("size", SOLUTION), ("why", "Because.")):
        next(cell for cell in nb.cells if cell.id == name).source = answer
    nbformat.write(nb, tmp_path / "done.ipynb")
    _, log = nbgrader("validate", str(undone), folder=tmp_path)
    assert "VALIDATION FAILED ON 2 CELL(S)!" in log and 'check("conv_output_size", conv_output_size)' in log
    assert "Write your answer here" in log
    _, log = nbgrader("validate", str(tmp_path / "done.ipynb"), folder=tmp_path)
    assert "Success! Your notebook passes all the tests." in log


def test_formgrader_opens_and_knows_the_chapter(small):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [f"--port={port}", "--no-browser", "--allow-root", "--IdentityProvider.token=open", "--ip=127.0.0.1"]
    command = [sys.executable, "-m", "jupyter", "server", *options]
    with subprocess.Popen(command, cwd=small, env=BASE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        try:
            page = get(f"http://127.0.0.1:{port}/formgrader?token=open", server)
            assert "formgrader" in page.lower()
            found = json.loads(get(f"http://127.0.0.1:{port}/formgrader/api/assignments?token=open", server))
            assert [(entry["name"], entry["max_score"]) for entry in found] == [(CHAPTER, 9.0)]
            assert re.search(r"solutions.*97_small", found[0]["source_path"])
        finally:
            server.terminate()


def get(address, server):
    """A page, as soon as the server is up."""
    for _ in range(300):
        try:
            return urllib.request.urlopen(address, timeout=60).read().decode()
        except urllib.error.URLError as error:
            if server.poll() is not None or isinstance(error, urllib.error.HTTPError):
                raise
            time.sleep(0.2)
    raise TimeoutError(address)
