"""The learner's repository: notebooks, library and set-up; no solutions, grading, tests, nor a history that holds them.

    python -m grading publish ../cnn-course      # or: make publish DIR=../cnn-course

The folder becomes a git repository of its own with one commit, tagged v<version>, and a ZIP of it lies beside it.
Publishing into the same folder again adds one commit. The same sources always give the same commit.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from grading.course import ROOT, addresses, chapters

# What publishing writes; everything else in an earlier publication is its owner's and stays.
FOLDERS = ("notebooks", "utils")
# In requirements.txt, environment.yml and the Makefile: opens a section, or marks a line, that learners do not get.
NOT_FOR_LEARNERS = "# for those who grade or change the course"
MARK = "# This repository is published from the course's own: change it there, not here."
SECRET_FOLDERS = ("solutions/", "grading/", "tests/")
SECRET_WORDS = ("BEGIN SOLUTION", "HIDDEN TESTS", "from grading", "import grading")
IGNORED = ".venv/\n__pycache__/\n*.egg-info/\n.ipynb_checkpoints/\n"
IDENTITY = {"NAME": "CNN course", "EMAIL": "noreply@localhost"}


class PublishError(Exception):
    """Why nothing was published, and what to do about it."""


@dataclass(frozen=True)
class Publication:
    """What was written. `new`: the folder did not hold exactly this before. `moved`: the tag was elsewhere before."""

    folder: Path
    archive: Path
    tag: str
    new: bool
    moved: bool


def publish(directory: str | Path, address: str | None = None, source: Path = ROOT) -> Publication:
    """Write the learner's repository and its ZIP.

    Parameters
    ----------
    directory : path
        A new or empty folder, or an earlier publication.
    address : str, optional
        Where learners will find it, in place of pyproject.toml's.
    source : Path
        The course.

    Raises
    ------
    PublishError
        If `directory` holds something else, or something that learners must not see would be published.
    """
    folder = Path(directory).resolve()
    files = tree(source, address)
    refuse_secrets(files)
    tag = f"v{version(source)}"
    archive = folder.with_name(f"{folder.name}-{tag}.zip")
    prepare(folder, archive, source)
    write(folder, files)
    git(folder, "add", "--all")
    new = bool(git(folder, "status", "--porcelain"))
    if new:
        when = {"GIT_AUTHOR_DATE": date(source), "GIT_COMMITTER_DATE": date(source)}
        git(folder, "commit", "--quiet", "--no-verify", "--message", f"The course, {tag}", env=when)
    moved = new and bool(git(folder, "tag", "--list", tag))
    git(folder, "tag", "--force", tag)
    git(folder, "archive", "--format=zip", f"--prefix=cnn-course-{tag}/", f"--output={archive}", tag)
    return Publication(folder, archive, tag, new, moved)


def tree(source: Path, address: str | None = None) -> dict[str, bytes]:
    """The learner's files, by path."""
    names = chapters(source / "notebooks")
    if not names:
        raise PublishError(f"{source / 'notebooks'} holds no chapter yet: run `make release` first.")
    paths = [source / "notebooks" / name / f"{name}.ipynb" for name in names]
    paths += [path for path in (source / "utils").rglob("*") if path.is_file() and published(path.relative_to(source))]
    files = {path.relative_to(source).as_posix(): path.read_bytes() for path in sorted(paths)}
    for name in ("Makefile", "requirements.txt", "environment.yml"):
        files[name] = for_learners((source / name).read_text(encoding="utf-8")).encode()
    files["pyproject.toml"] = learners_pyproject(source).encode()
    files["README.md"] = learners_readme(source).encode()
    files[".gitignore"] = IGNORED.encode()
    return readdressed(files, source, address) if address else files


def published(path: Path) -> bool:
    """Whether a file of utils is the course's own, not left there by a tool or an editor."""
    return path.suffix != ".pyc" and not any(part.startswith(".") for part in path.parts)


def for_learners(text: str) -> str:
    """A text file without the sections that are not for learners: each lasts until the next line that is a comment."""
    kept, inside = [], False
    for line in text.splitlines():
        if line.strip().startswith("#"):
            inside = line.strip() == NOT_FOR_LEARNERS
        if not inside and NOT_FOR_LEARNERS not in line:
            kept.append(line)
    return "\n".join(kept).rstrip() + "\n"


def learners_pyproject(source: Path) -> str:
    """pyproject.toml for a package of utils alone, without the settings of the contributors' tools."""
    text = (source / "pyproject.toml").read_text(encoding="utf-8").partition("\n[tool.ruff]")[0]
    text = text.replace('include = ["utils*", "grading*"]', 'include = ["utils*"]')
    found = tomllib.loads(text)["tool"]["setuptools"]["packages"]["find"]["include"]
    if found != ["utils*"]:
        raise PublishError(
            f"pyproject.toml: the learner's package would hold {found}; grading/publish.py expects utils alone."
        )
    return f"{MARK}\n{text.rstrip()}\n"


def learners_readme(source: Path) -> str:
    """The learner's README: grading/learners.md with the chapters of the course's own README."""
    text = (source / "grading" / "learners.md").read_text(encoding="utf-8")
    readme = (source / "README.md").read_text(encoding="utf-8")
    table = readme.partition("## Chapters\n")[2].partition("\n## ")[0].strip()
    for name, value in {**addresses(source / "pyproject.toml"), "CHAPTERS": table}.items():
        text = text.replace(f"@{name}@", value)
    return text


def readdressed(files: dict[str, bytes], source: Path, address: str) -> dict[str, bytes]:
    """The files with another address. Badges need a GitHub repository: with any other kind of address they stay."""
    old = addresses(source / "pyproject.toml")
    with TemporaryDirectory() as draft:
        project = Path(draft) / "pyproject.toml"
        project.write_text((source / "pyproject.toml").read_text(encoding="utf-8").replace(old["ADDRESS"], address))
        try:
            new = addresses(project)
        except ValueError:
            new = {**old, "ADDRESS": address}
    changed = {}
    for path, content in files.items():
        # setuptools refuses a project whose address is not one of the web, such as file://.
        if not path.startswith("utils/") and (path != "pyproject.toml" or address.startswith("http")):
            for key in ("COLAB", "BINDER", "ADDRESS"):
                content = content.replace(old[key].encode(), new[key].encode())
        changed[path] = content
    return changed


def refuse_secrets(files: dict[str, bytes]) -> None:
    """Stop if a notebook is not a released one: solutions, hidden tests or outputs in it."""
    for path, content in files.items():
        if not path.endswith(".ipynb"):
            continue
        found = [word for word in SECRET_WORDS if word in content.decode()]
        if any(cell.get("outputs") for cell in json.loads(content)["cells"]):
            found.append("outputs")
        if found:
            raise PublishError(f"{path} holds {', '.join(found)}, so nothing was published. Run `make release` first.")


def version(source: Path) -> str:
    return tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def date(source: Path) -> str:
    """When the course's last commit was made, so that publishing the same sources twice gives the same commit."""
    try:
        return git(source, "log", "-1", "--format=%cI")
    except PublishError:  # a course that came as a ZIP
        return "2000-01-01T00:00:00Z"


def prepare(folder: Path, archive: Path, source: Path) -> None:
    """Make `folder` a git repository to write into, or refuse without having touched it."""
    if folder == source or source in folder.parents:
        raise PublishError(f"{folder} lies inside the course itself. Choose a folder outside, such as ../cnn-course.")
    if folder.is_file():
        raise PublishError(f"{folder} is a file. Name a new folder, or an earlier publication.")
    if folder.is_dir() and any(folder.iterdir()):
        refuse_unless_published(folder)
        return
    if archive.exists():
        raise PublishError(f"{archive} is already there, and not from an earlier publication. Move it away first.")
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")


def refuse_unless_published(folder: Path) -> None:
    """Stop unless `folder` is an earlier publication, with nothing secret in its history and nothing to lose."""
    project = folder / "pyproject.toml"
    if not (folder / ".git").exists() or not project.exists() or not project.read_text("utf-8").startswith(MARK):
        raise PublishError(
            f"{folder} is not empty and not an earlier publication, so nothing was written. "
            "Name a new folder, or the one you published into before."
        )
    if git(folder, "status", "--porcelain"):
        raise PublishError(
            f"{folder} has changes that are not committed. Commit or remove them there, then publish again."
        )
    past = git(folder, "log", "--all", "--name-only", "--format=").splitlines()
    secret = sorted({path for path in past if path.startswith(SECRET_FOLDERS)})
    if secret:
        raise PublishError(
            f"the history of {folder} holds {secret[0]} and perhaps more that learners must not see. "
            "Publish into a new folder and let that take the old one's place."
        )


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Put the files in place of those of an earlier publication."""
    for name in FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def git(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> str:
    """Run git in `folder`, untouched by the user's own settings and hooks; return what it prints."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in IDENTITY.items()}
    own = {**plain, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **(env or {})}
    try:
        done = subprocess.run(
            ["git", "-c", "safe.directory=*", *arguments], cwd=folder, env=own, capture_output=True, text=True
        )
    except FileNotFoundError:
        raise PublishError("git is not installed; publishing needs it (on Debian: sudo apt install git).") from None
    if done.returncode:
        raise PublishError(f"git {arguments[0]} failed in {folder}: {done.stderr.strip()}")
    return done.stdout.strip()


def main(arguments: list[str] | None = None) -> int:
    """`python -m grading publish DIR [--address URL]`."""
    parser = argparse.ArgumentParser(prog="python -m grading publish", description=__doc__.split("\n")[0])
    parser.add_argument("directory", help="a new folder, or the one published into before")
    parser.add_argument(
        "--address", help="where learners will find it, instead of pyproject.toml's [project.urls] Learners"
    )
    options = parser.parse_args(arguments)
    try:
        done = publish(options.directory, options.address)
    except (PublishError, ValueError) as error:
        print(f"Not published: {error}", file=sys.stderr)
        return 1
    where = options.address or addresses()["ADDRESS"]
    print(f"{'Published' if done.new else 'Nothing has changed since'} {done.tag}: {done.folder}\nZIP: {done.archive}")
    if done.moved:
        print(f"{done.tag} was published before with other content, so its tag has moved. Who has it is not told;")
        print("with a higher version in pyproject.toml and utils/__init__.py, the notebooks tell them.")
    print(f"Next: git -C {done.folder} push {where} main {'--force ' * done.moved}{done.tag}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
