"""The course folder: where its chapters and its gradebook lie, and nbgrader's configuration for it."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
import tomllib
from pathlib import Path

from traitlets.config import Config, PyFileConfigLoader

ROOT = Path(__file__).resolve().parents[1]
LEFT_BY_WORK = ("assignment_runs", "assignment_cifar10.zip")  # beside a notebook that somebody worked through in place


def settle(config: Config, root: Path) -> None:
    """Tell nbgrader which folder is the course, and where its gradebook is."""
    (root / "grading").mkdir(parents=True, exist_ok=True)  # SQLite makes the file, but not its folder
    config.CourseDirectory.root = str(root)
    # Several workers write: each waits for its turn instead of failing with "database is locked".
    config.CourseDirectory.db_url = gradebook_url(root)
    # nbgrader calls `alembic` by name to found a gradebook: it must be found without the environment being activated.
    scripts = sysconfig.get_path("scripts")
    if scripts not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", "")])


def gradebook_url(root: Path) -> str:
    return f"sqlite:///{(root / 'grading' / 'gradebook.db').as_posix()}?timeout=120"


def found(root: Path) -> Path:
    """Make `root` a course folder of its own: nbgrader's commands work in it as they do here."""
    root.mkdir(parents=True, exist_ok=True)
    settings = ROOT / "grading" / "nbgrader_config.py"
    (root / "nbgrader_config.py").write_text(
        "from pathlib import Path\n\nfrom grading.course import settle\n\nc = get_config()\n"
        f"load_subconfig({settings.name!r}, path={str(settings.parent)!r})\n"
        "settle(c, Path(__file__).resolve().parent)\n",
        encoding="utf-8",
    )
    return root


def config(root: Path = ROOT) -> Config:
    """nbgrader's configuration as its own commands would read it in `root`."""
    return PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()


def chapters(folder: Path) -> list[str]:
    """The chapters in `folder` (solutions/ or notebooks/): every NAME that holds a NAME.ipynb."""
    return sorted(path.parent.name for path in folder.glob("*/*.ipynb") if path.stem == path.parent.name)


def addresses(pyproject: Path = ROOT / "pyproject.toml") -> dict[str, str]:
    """What a release fills in for @COLAB@, @BINDER@, @ADDRESS@ and @TAG@: all of it from pyproject.toml.

    Raises
    ------
    ValueError
        If the learners' address is not that of a GitHub repository, the only kind that Colab and Binder open this way.
    """
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    address = project["urls"]["Learners"].removesuffix("/").removesuffix(".git")
    match = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+)", address)
    if not match:
        raise ValueError(
            f"pyproject.toml: [project.urls] Learners is {address!r}; expected https://github.com/OWNER/REPOSITORY, "
            "for that is where the Colab and Binder badges must lead."
        )
    repository, tag = match[1], f"v{project['version']}"
    return {
        "COLAB": f"https://colab.research.google.com/github/{repository}/blob/{tag}/notebooks",
        "BINDER": f"https://mybinder.org/v2/gh/{repository}/{tag}?labpath=notebooks",
        "ADDRESS": address,
        "TAG": tag,
    }


def strays(root: Path = ROOT) -> list[Path]:
    """Gradebooks that lie where none belongs: nbgrader was started in a wrong folder and began them, empty."""
    found = {path for depth in ("", "*/", "*/*/") for path in root.glob(f"{depth}gradebook.db")}
    return sorted(found - {root / "grading" / "gradebook.db", root / "demo" / "grading" / "gradebook.db"})


def settle_environment(root: Path = ROOT, prefix: Path = Path(sys.prefix)) -> Path | None:
    """Let nbgrader find the course from every folder inside it, not from its root alone.

    Only the course's own environment, the one in its folder, is told; the file is returned, or None.
    """
    if not prefix.is_relative_to(root):
        return None
    path = prefix / "etc" / "jupyter" / "nbgrader_config.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "# Written by `make release`: nbgrader, started in any folder of the course, means the course.\n"
        f"import sys\nfrom pathlib import Path\n\nroot = Path({str(root)!r})\n"
        "if Path.cwd().is_relative_to(root):\n"
        "    from grading.course import settle\n\n    settle(get_config(), root)\n"
        "else:\n"
        '    print(f"nbgrader: this folder is not in {root}, so it does not see the course.", file=sys.stderr)\n',
        encoding="utf-8",
    )
    return path
