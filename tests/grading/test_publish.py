"""The learner's repository: what is in it, what never is, and that nothing of anybody's is lost."""

import json
import re
import shutil
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest

from grading import publish as publishing
from grading.course import ROOT, addresses, chapters
from grading.publish import PublishError, publish

SOLUTION = re.compile(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", re.S)
HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n(.*?)### END HIDDEN TESTS", re.S)


# In the bug museum the fault lies in the signature: the lines below it are shown, and right.
MUSEUM = {"exercise-pooling"}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return publish(tmp_path_factory.mktemp("publish") / "cnn-course")


@pytest.fixture
def course(tmp_path):
    """A copy of what publishing reads, to change at will."""
    root = tmp_path / "course"
    for name in ("Makefile", "README.md", "environment.yml", "pyproject.toml", "requirements.txt"):
        root.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, root)
    (root / "grading").mkdir()
    shutil.copy(ROOT / "grading/learners.md", root / "grading")
    shutil.copytree(ROOT / "notebooks/00_start_here", root / "notebooks/00_start_here")
    (root / "utils").mkdir()
    shutil.copy(ROOT / "utils/__init__.py", root / "utils")
    return root


def files(folder: Path) -> set[str]:
    return set(git(folder, "ls-files").splitlines())


def test_it_holds_what_learners_need(published):
    names = files(published.folder)
    for chapter in chapters(ROOT / "notebooks"):
        assert f"notebooks/{chapter}/{chapter}.ipynb" in names
    own = {path.relative_to(ROOT).as_posix() for path in (ROOT / "utils").rglob("*.py")}
    assert own <= names
    assert {"README.md", "Makefile", "requirements.txt", "environment.yml", "pyproject.toml", ".gitignore"} <= names
    assert not git(published.folder, "status", "--porcelain")


def test_it_holds_nothing_else(published):
    tops = {name.partition("/")[0] for name in files(published.folder)}
    expected = {"notebooks", "utils", "README.md", "Makefile", "requirements.txt", "environment.yml", "pyproject.toml"}
    assert tops == {*expected, ".gitignore"}
    assert not [
        name for name in files(published.folder) if name.endswith((".pyc", ".db")) or ".ipynb_checkpoints" in name
    ]


def test_its_history_is_one_commit_with_the_tag(published):
    assert git(published.folder, "rev-list", "--all", "--count").strip() == "1"
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert git(published.folder, "tag", "--points-at", "HEAD").split() == [f"v{version}"]
    assert git(published.folder, "branch", "--show-current").strip() == "main"


def secrets():
    """Every solution and every hidden test in solutions/, as lists of their lines without indentation."""
    for path in sorted((ROOT / "solutions").glob("*/*.ipynb")):
        for cell in json.loads(path.read_text())["cells"]:
            source = "".join(cell["source"])
            for region in SOLUTION.findall(source) + HIDDEN.findall(source) if cell["id"] not in MUSEUM else ():
                yield path.stem, cell["id"], squeezed(region)


def squeezed(text: str) -> str:
    """Text without spaces and comments, so that another indentation hides nothing."""
    return "".join(re.sub(r"#.*", "", line) for line in text.splitlines()).replace(" ", "")


def everything_ever_committed(folder: Path) -> dict[str, str]:
    """Every version of every file in any commit, as text."""
    listed = git(folder, "rev-list", "--all", "--objects").splitlines()
    named = dict(line.split(" ", 1) for line in listed if " " in line)
    texts = {}
    for sha, name in named.items():
        if git(folder, "cat-file", "-t", sha).strip() == "blob" and name.endswith(
            (".py", ".ipynb", ".md", ".toml", "file")
        ):
            texts[f"{name}@{sha}"] = git(folder, "cat-file", "-p", sha)
    return texts


def test_no_solution_and_no_hidden_test_is_in_it_or_its_history(published):
    regions = list(secrets())
    assert len(regions) >= len(chapters(ROOT / "solutions"))
    texts = {}
    for name, text in everything_ever_committed(published.folder).items():
        if ".ipynb" in name:
            text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
        texts[name] = squeezed(text)
    assert texts
    for chapter, cell, region in regions:
        for name, text in texts.items():
            assert region not in text, f"the answer to {cell} in {chapter} stands in {name}"


def test_the_package_holds_utils_alone(published):
    project = tomllib.loads((published.folder / "pyproject.toml").read_text())
    assert project["tool"]["setuptools"]["packages"]["find"]["include"] == ["utils*"]
    assert project["project"]["dependencies"] == []  # so that Colab keeps its own torch and numpy
    assert project["project"]["name"] == "cnn-course"
    assert "pytest" not in project["tool"]


def test_learners_get_neither_the_tools_nor_the_targets_of_graders(published):
    for name in ("requirements.txt", "environment.yml"):
        text = (published.folder / name).read_text()
        assert "torch" in text
        assert "pytest" not in text and "playwright" not in text
    makefile = (published.folder / "Makefile").read_text()
    assert re.findall(r"^([a-z]+):", makefile, re.M) == ["help", "lab", "data"]


def test_the_readme_lists_the_chapters_and_leads_to_the_learners_address(published):
    readme = (published.folder / "README.md").read_text()
    known = addresses()
    assert f"git clone {known['ADDRESS']}" in readme
    assert known["COLAB"] in readme and known["BINDER"] in readme
    assert not re.findall(r"@[A-Z]+@", readme)
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", readme) if not link.startswith("http")]
    assert {f"notebooks/{name}/{name}.ipynb" for name in chapters(ROOT / "notebooks")} <= set(links)
    assert all((published.folder / link).exists() for link in links)


def test_badges_and_set_up_point_to_the_address(published):
    known = addresses()
    for path in (published.folder / "notebooks").glob("*/*.ipynb"):
        cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]}
        assert f"({known['COLAB']}/{path.stem}/{path.name})" in cells["title"]
        assert f"({known['BINDER']}/{path.stem}/{path.name})" in cells["title"]
        assert f'"git+{known["ADDRESS"]}@{known["TAG"]}"' in cells["setup"]


def test_another_github_address_moves_badges_too(course, tmp_path):
    publish(tmp_path / "out", "https://github.com/ada/lace", source=course)
    notebook = (tmp_path / "out/notebooks/00_start_here/00_start_here.ipynb").read_text()
    for address in (
        "colab.research.google.com/github/ada/lace/",
        "mybinder.org/v2/gh/ada/lace/",
        "git+https://github.com/ada/lace@v",
    ):
        assert address in notebook
    project = tomllib.loads((tmp_path / "out/pyproject.toml").read_text())
    assert project["project"]["urls"]["Learners"] == "https://github.com/ada/lace"
    old = addresses()["ADDRESS"].removeprefix("https://github.com")
    assert old not in notebook + (tmp_path / "out/README.md").read_text()


def test_the_zip_holds_the_same_files(published):
    assert published.archive.parent == published.folder.parent
    with zipfile.ZipFile(published.archive) as archive:
        inside = {name.partition("/")[2]: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    assert inside == {name: (published.folder / name).read_bytes() for name in files(published.folder)}


def test_the_same_sources_give_the_same_commit_and_zip(course, tmp_path):
    first, second = (publish(tmp_path / name / "cnn", source=course) for name in ("one", "two"))
    assert git(first.folder, "rev-parse", "HEAD") == git(second.folder, "rev-parse", "HEAD")
    assert first.archive.read_bytes() == second.archive.read_bytes()
    # The course of this test has no history, so there is no date to take from it.
    assert git(first.folder, "log", "-1", "--format=%as %cs").split() == ["2000-01-01"] * 2


def test_what_tools_leave_behind_is_not_published(course, tmp_path):
    for name in ("__pycache__/a.pyc", ".ipynb_checkpoints/b.py", ".c.py.swp"):
        (course / "utils" / name).parent.mkdir(exist_ok=True)
        (course / "utils" / name).write_text("")
    publish(tmp_path / "out", source=course)
    assert sorted(path.name for path in (tmp_path / "out/utils").rglob("*")) == ["__init__.py"]


def test_publishing_the_same_again_changes_nothing(course, tmp_path):
    first = publish(tmp_path / "out", source=course)
    again = publish(tmp_path / "out", source=course)
    assert first.new and not again.new and not again.moved
    assert git(tmp_path / "out", "rev-list", "--all", "--count").strip() == "1"


def test_publishing_again_adds_one_commit_and_keeps_what_is_not_ours(course, tmp_path):
    out = tmp_path / "out"
    publish(out, source=course)
    (out / "TERMS.md").write_text("Hand in by Friday.\n")
    git(out, "add", "TERMS.md")
    git(out, "-c", "user.name=Ada", "-c", "user.email=ada@localhost", "commit", "--quiet", "-m", "Terms")
    project = (course / "pyproject.toml").read_text()
    (course / "pyproject.toml").write_text(re.sub(r"^version = .*", 'version = "9.0.0"', project, flags=re.M))
    (course / "utils/news.py").write_text("NEWS = 1\n")
    (course / "utils/__init__.py").rename(course / "utils/renamed.py")
    again = publish(out, source=course)
    assert again.new and not again.moved
    assert git(out, "rev-list", "--all", "--count").strip() == "3"
    assert sorted(git(out, "tag").split()) == sorted([addresses()["TAG"], "v9.0.0"])
    assert {"TERMS.md", "utils/news.py", "utils/renamed.py"} <= files(out)
    assert "utils/__init__.py" not in files(out)
    assert (tmp_path / "out-v9.0.0.zip").exists()


def test_a_tag_that_moves_is_reported(course, tmp_path):
    publish(tmp_path / "out", source=course)
    (course / "utils/news.py").write_text("NEWS = 1\n")
    again = publish(tmp_path / "out", source=course)
    assert again.new and again.moved
    assert again.tag in git(tmp_path / "out", "tag", "--points-at", "HEAD")


def test_a_folder_of_somebody_elses_is_refused_untouched(course, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("three years")
    with pytest.raises(PublishError, match="not empty and not an earlier publication"):
        publish(out, source=course)
    git(out, "init", "--quiet")
    with pytest.raises(PublishError, match="not empty and not an earlier publication"):
        publish(out, source=course)
    assert [path.name for path in sorted(out.iterdir())] == [".git", "thesis.tex"]
    assert (out / "thesis.tex").read_text() == "three years"


def test_changes_in_an_earlier_publication_are_not_overwritten(course, tmp_path):
    out = tmp_path / "out"
    publish(out, source=course)
    (out / "README.md").write_text("my own words\n")
    (course / "utils/news.py").write_text("NEWS = 1\n")
    with pytest.raises(PublishError, match="changes that are not committed"):
        publish(out, source=course)
    assert (out / "README.md").read_text() == "my own words\n"


def test_a_history_with_solutions_is_refused(course, tmp_path):
    out = tmp_path / "out"
    publish(out, source=course)
    (out / "solutions").mkdir()
    (out / "solutions/answers.ipynb").write_text("{}")
    git(out, "add", "--all")
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@localhost"]
    git(out, *who, "commit", "--quiet", "-m", "Oh dear")
    git(out, "rm", "--quiet", "-r", "solutions")
    git(out, *who, "commit", "--quiet", "-m", "Gone?")
    with pytest.raises(PublishError, match=r"history of .* holds solutions/answers.ipynb"):
        publish(out, source=course)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("raise NotImplementedError", "### BEGIN SOLUTION", "BEGIN SOLUTION"),
        ('\\"practice\\", invert)', '\\"practice\\", invert)  ### BEGIN HIDDEN TESTS', "HIDDEN TESTS"),
        ("import utils\\n", 'import utils\\n",\n    "from grading.hidden import check\\n', "from grading"),
    ],
)
def test_a_notebook_that_is_no_release_is_refused(course, tmp_path, old, new, says):
    path = course / "notebooks/00_start_here/00_start_here.ipynb"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(PublishError, match=f"holds {says}.*make release"):
        publish(tmp_path / "out", source=course)
    assert not (tmp_path / "out").exists()


def test_a_notebook_with_outputs_is_refused(course, tmp_path):
    path = course / "notebooks/00_start_here/00_start_here.ipynb"
    nb = json.loads(path.read_text())
    code = next(cell for cell in nb["cells"] if cell["cell_type"] == "code")
    code["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "42"}]
    path.write_text(json.dumps(nb))
    with pytest.raises(PublishError, match="holds outputs"):
        publish(tmp_path / "out", source=course)


def test_a_course_without_release_is_told_what_to_do(course, tmp_path):
    shutil.rmtree(course / "notebooks")
    with pytest.raises(PublishError, match="run `make release` first"):
        publish(tmp_path / "out", source=course)


def test_a_folder_inside_the_course_is_refused(course):
    with pytest.raises(PublishError, match="inside the course itself"):
        publish(course / "out", source=course)


def test_a_foreign_zip_is_not_overwritten(course, tmp_path):
    (tmp_path / f"out-{addresses()['TAG']}.zip").write_text("mine")
    with pytest.raises(PublishError, match="already there"):
        publish(tmp_path / "out", source=course)
    assert not (tmp_path / "out").exists()


def test_the_users_own_git_settings_do_not_matter(course, tmp_path, monkeypatch):
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    settings = tmp_path / ".gitconfig"
    settings.write_text(f"[core]\n\thooksPath = {hooks}\n[commit]\n\tgpgSign = true\n[init]\n\tdefaultBranch = trunk\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    done = publish(tmp_path / "out", source=course)
    monkeypatch.delenv("GIT_DIR")
    assert git(done.folder, "branch", "--show-current").strip() == "main"


def test_the_command_says_where_and_what_comes_next(tmp_path, capsys):
    assert publishing.main([str(tmp_path / "out"), "--address", "https://github.com/ada/lace"]) == 0
    told = capsys.readouterr().out
    assert f"ZIP: {tmp_path / 'out'}-v" in told
    assert f"git -C {tmp_path / 'out'} push https://github.com/ada/lace main v" in told
    assert publishing.main([str(tmp_path / "out"), "--address", "https://github.com/ada/lace"]) == 0
    assert "Nothing has changed since" in capsys.readouterr().out


def test_the_command_gives_its_reason_for_refusing(tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("three years")
    assert publishing.main([str(tmp_path)]) == 1
    assert "Not published: " in capsys.readouterr().err
