"""The instructor's commands: help, errors as sentences, exit codes; and what they print."""

import csv
import io
import re
import shutil
import zipfile

import nbformat
import pytest
from classroom import CLASS, PARTLY, RIGHT, Here, hand_in, hand_in_all, tame
from courses import CHAPTER, course, released

from grading import batch, feedback, jail, records, verdict
from grading.__main__ import main
from grading.release import release

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning", "ignore::DeprecationWarning")

OF_A_CHAPTER = ["collect", "autograde", "regrade", "status", "feedback", "misconceptions", "export"]
COMMANDS = [*OF_A_CHAPTER, "release", "publish", "gradebook", "doctor", "demo"]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    root = course(tmp_path_factory.mktemp("small"))
    release(root)
    return root


@pytest.fixture
def root(tmp_path, small, monkeypatch):
    """A course where everything happens in this process, and without a jail."""
    monkeypatch.setenv("CNN_COURSE_SEED", "a seed for tests of the commands")
    monkeypatch.setattr(verdict, "confine", tame)
    monkeypatch.setattr(batch, "pool", Here)
    monkeypatch.setattr(feedback, "pool", Here)
    shutil.copytree(small, tmp_path / "course")
    return tmp_path / "course"


@pytest.fixture
def call(root, capsys):
    """Call a command on the course: exit code, what it printed, what it complained of."""

    def call(command, *arguments):
        code = main([command, CHAPTER, *map(str, arguments), "--course", str(root)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


# ── help and errors ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as done:
        main(["--help"])
    text = capsys.readouterr().out
    assert done.value.code == 0 and all(re.search(rf"^    {command}\s", text, re.M) for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(capsys, command):
    with pytest.raises(SystemExit) as done:
        main([command, "--help"])
    text = capsys.readouterr().out
    assert done.value.code == 0 and f"{command} " in text and len(text.split()) > 10


@pytest.mark.parametrize("command", OF_A_CHAPTER)
def test_an_unknown_chapter_gets_a_sentence(root, capsys, command):
    more = ["class.zip"] if command == "collect" else []
    before = sorted(root.rglob("*"))
    assert main([command, "98_typo", *more, "--course", str(root)]) == 1
    said = capsys.readouterr()
    assert f"98_typo is not released in {root}. Released are: {CHAPTER}." in said.err and said.out == ""
    assert sorted(root.rglob("*")) == before


def test_a_folder_that_is_no_course_gets_a_sentence(tmp_path, capsys):
    assert main(["status", CHAPTER, "--course", str(tmp_path)]) == 1
    assert "Nothing is released there yet." in capsys.readouterr().err and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("jobs", ["0", "-1", "two", "1.5"])
def test_a_strange_number_of_workers_is_refused(jobs, capsys):
    with pytest.raises(SystemExit) as done:
        main(["autograde", CHAPTER, f"--jobs={jobs}"])
    assert done.value.code == 2 and f"{jobs} is no number of workers" in capsys.readouterr().err


def test_a_missing_archive_gets_a_sentence(call):
    code, _, complaint = call("collect", "nowhere.zip")
    assert code == 1 and "nowhere.zip" in complaint and "Traceback" not in complaint


def test_an_empty_seed_gets_a_sentence(root, call, monkeypatch):
    monkeypatch.delenv("CNN_COURSE_SEED")
    (root / "grading" / "secret_seed").write_text("\n")
    hand_in(root, "ada", RIGHT)
    records.save(root, records.Record("ada", CHAPTER, records.GRADED, fingerprint="x"))
    verdict.stage(root, "ada", CHAPTER)
    code, _, complaint = call("status")
    assert code == 1 and "secret_seed is empty" in complaint


def test_ctrl_c_is_answered_with_a_sentence(root, call, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(batch, "autograde", interrupted)
    code, _, complaint = call("autograde")
    assert code == 130 and "Nothing is lost" in complaint and "Traceback" not in complaint


def test_without_a_jail_it_refuses_and_says_what_to_do(root, call, monkeypatch):
    def none(*_, **__):
        raise jail.JailUnavailable("There is no bubblewrap here. Install it: apt install bubblewrap")

    monkeypatch.setattr(verdict, "confine", none)
    monkeypatch.setattr(batch, "Warm", none)
    batch.warm.cache_clear()
    hand_in(root, "ada", RIGHT)
    code, _, complaint = call("autograde", "--jobs", 1)
    assert code == 1 and "apt install bubblewrap" in complaint and "NO JAIL" not in complaint
    assert call("status")[1].startswith("ada  not graded yet")


@pytest.mark.parametrize("command", ["autograde", "regrade"])
def test_no_jail_shouts(root, call, command):
    hand_in(root, "ada", RIGHT)
    code, _, complaint = call(command, "--no-jail")
    assert code == 0 and "*** NO JAIL: learner code runs with your rights" in complaint
    assert "NO JAIL" not in call(command)[2]


def test_a_seed_for_no_jail_is_passed_on(root, call, monkeypatch):
    seen = []
    monkeypatch.setattr(verdict, "confine", lambda *arguments: seen.append(arguments[4]) or tame(*arguments))
    hand_in(root, "ada", RIGHT)
    call("autograde", "--no-jail")
    call("regrade")
    assert seen == [True, False]


# ── a term ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def moodles_zip(root, path, **answers):
    with zipfile.ZipFile(path, "w") as archive:
        for number, (name, solution) in enumerate(answers.items(), 1001):
            nb = released(root)
            next(cell for cell in nb.cells if cell.id == "size").source = solution
            text = nbformat.writes(nb) if solution else "{"
            archive.writestr(f"{name}_{number}_assignsubmission_file_/{CHAPTER}.ipynb", text)
    return path


def test_a_term(root, call, tmp_path):
    """Collect, grade, look at it all, export, collect again, regrade."""
    code, out, _ = call("collect", moodles_zip(root, tmp_path / "class.zip", Ada=RIGHT, Bob=PARTLY, Eve=""))
    assert code == 0 and "3 submissions. Next: python -m grading autograde" in out

    code, out, complaint = call("autograde")
    assert code == 0 and out.splitlines()[-1] == f"{CHAPTER}: 3 submissions: 2 graded, 1 refused."
    assert "eve: refused: The notebook breaks off" in out and complaint == ""

    code, out, _ = call("status")
    assert code == 0 and [line.split()[0] for line in out.splitlines()[:3]] == ["ada", "bob", "eve"]

    code, out, complaint = call("export", "--to", "moodle")
    rows = list(csv.reader(io.StringIO(out, newline="")))
    assert code == 0 and ["Participant 1001", "Ada", "", "graded", "5", ""] in rows
    assert "no grade yet: eve: refused: " in complaint and "ada" not in complaint

    code, out, _ = call("misconceptions")
    page, data = out.split()
    assert page.endswith(f"misconceptions_{CHAPTER}.html") and data.endswith(".csv")
    assert str(root / "grading" / "reports") in page

    code, out, _ = call("feedback")
    assert code == 0 and out.startswith("3 pages in ")

    code, out, _ = call("regrade", "--diff")
    assert code == 0 and out.startswith("0 learners' results would change. Nothing was written")

    call("collect", moodles_zip(root, tmp_path / "again.zip", Ada=RIGHT, Bob=RIGHT, Eve=RIGHT))
    assert call("autograde")[1].strip() == f"{CHAPTER}: 3 submissions: 3 graded."
    assert main(["gradebook", str(root)]) == 0


def test_diff_tells_learner_by_learner(root, call, monkeypatch):
    hand_in_all(root)
    call("autograde")
    hand_in(root, "bob", RIGHT)
    code, out, _ = call("regrade", "--diff")
    assert code == 0 and "bob: graded, 1 points -> graded, 5 points" in out and "1 learners' results" in out
    assert {name: record and record.points for name, record in records.of_class(root, CHAPTER).items()} == {
        name: None if name == "bob" else points for name, (_, points) in CLASS.items()
    }


def test_a_class_of_nobody(call):
    assert call("autograde")[:2] == (0, f"{CHAPTER}: 0 submissions: none.\n")
    assert call("status")[1].strip() == f"{CHAPTER}: 0 submissions: none."
    assert call("feedback")[1].startswith("0 pages")
    assert call("export")[1] == "learner,chapter,score,of,status,why\r\n"


def test_reports_go_where_they_are_wanted(root, call, tmp_path):
    code, _, _ = call("misconceptions", "--to", tmp_path / "elsewhere")
    assert code == 0 and sorted(path.suffix for path in (tmp_path / "elsewhere").iterdir()) == [".csv", ".html"]
