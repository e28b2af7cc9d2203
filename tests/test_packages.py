"""The lists of packages: pip's, conda's, and what the code imports."""

import ast
import json
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml

import utils
from grading.publish import for_learners

ROOT = Path(__file__).parents[1]
REQUIREMENTS = (ROOT / "requirements.txt").read_text()
ENVIRONMENT = (ROOT / "environment.yml").read_text()
CONDA_NAMES = {"pytorch": "torch"}
CONDA_ONLY = {"python", "pip"}  # pip's list has them from elsewhere: pyproject.toml, and pip itself


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def from_pip(text: str) -> dict[str, set[str]]:
    """Package -> version bounds, as requirements.txt names them."""
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    return dict(split(line) for line in lines if line)


def split(spec: str) -> tuple[str, set[str]]:
    if spec.startswith("-e"):
        return spec, set()
    name, bounds = re.fullmatch(r"([\w.-]+)\s*(.*)", spec).groups()
    return normal(name), set(filter(None, bounds.split(",")))


def from_conda(text: str) -> dict[str, set[str]]:
    """Package -> version bounds, as environment.yml names them, under pip's names."""
    found = {}
    for spec in yaml.safe_load(text)["dependencies"]:
        for line in spec["pip"] if isinstance(spec, dict) else [spec]:
            name, bounds = split(re.sub(r" cpu\*$", "", line))  # "name versions build": the build is conda's alone
            found[CONDA_NAMES.get(name, name)] = bounds
    return {name: bounds for name, bounds in found.items() if name not in CONDA_ONLY}


def test_conda_and_pip_name_the_same_packages():
    assert from_conda(ENVIRONMENT) == from_pip(REQUIREMENTS)
    assert "torch" in from_pip(REQUIREMENTS)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  - tqdm>=4.66\n", ""),
        ("tqdm>=4.66", "tqdm>=4.67"),
        ("numpy>=1.26,<3", "numpy>=1.26"),
        ("pytorch >=2.4 cpu*", "pytorch >=2.5 cpu*"),
        ("pytorch >=2.4 cpu*", "torch >=2.3"),
        ("      - -e .\n", ""),
        ("  - pip:\n", "  - einops\n  - pip:\n"),
    ],
)
def test_the_comparison_sees_a_difference(old, new):
    assert old in ENVIRONMENT
    assert from_conda(ENVIRONMENT.replace(old, new)) != from_pip(REQUIREMENTS)


def test_conda_installs_the_cpu_build():
    # Binder has no GPU, and its machines no room for CUDA.
    assert any(re.fullmatch(r"pytorch \S+ cpu\*", str(spec)) for spec in yaml.safe_load(ENVIRONMENT)["dependencies"])


def test_learners_get_the_same_packages_from_pip_and_conda():
    pip, conda = from_pip(for_learners(REQUIREMENTS)), from_conda(for_learners(ENVIRONMENT))
    assert conda == pip
    assert {"torch", "nbgrader", "jupyterlab", "-e ."} <= pip.keys()
    assert not {"pytest", "playwright", "nbval"} & pip.keys()


def test_the_version_is_the_same_everywhere():
    assert utils.__version__ == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def imports(source: str) -> set[str]:
    """The top-level modules that a piece of code imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def code(folder: str):
    """(path, source) of the Python files of a folder and of its notebooks' code cells, without magics."""
    for path in (ROOT / folder).rglob("*.py"):
        yield path, path.read_text()
    for path in (ROOT / folder).rglob("*.ipynb"):
        for cell in json.loads(path.read_text())["cells"]:
            if cell["cell_type"] == "code":
                yield path, "".join("    pass\n" if line.strip().startswith("%") else line for line in cell["source"])


def available(requirements: str) -> set[str]:
    """The packages a list names, and those that these need without being asked for an extra."""
    named = {name for name in from_pip(requirements) if not name.startswith("-")}
    needed = {split(re.split(r"[;\[ ]", line)[0])[0] for name in named for line in metadata.requires(name) or []}
    return named | {re.match(r"[\w-]+", name)[0] for name in needed}


@pytest.mark.parametrize(
    ("folder", "requirements"),
    [
        ("utils", for_learners(REQUIREMENTS)),
        ("notebooks", for_learners(REQUIREMENTS)),
        ("solutions", REQUIREMENTS),
        ("grading", REQUIREMENTS),
        ("tests", REQUIREMENTS),
    ],
)
def test_everything_imported_is_listed(folder, requirements):
    own = {"utils", "grading", "tests", "conftest", "google"} | sys.stdlib_module_names
    distributions = metadata.packages_distributions()
    listed = available(requirements)
    for path, source in code(folder):
        neighbours = {other.stem for folder in path.parents[:2] for other in folder.glob("*.py")}
        for module in imports(source) - own - neighbours:
            sources = {normal(name) for name in distributions.get(module, [module])}
            assert sources & listed, f"{path.relative_to(ROOT)} imports {module}, which requirements.txt does not name"


def test_utils_never_imports_grading():
    for path, source in code("utils"):
        assert not {"grading", "nbgrader"} & imports(source), path


def test_no_two_test_files_have_the_same_name():
    """pytest imports them by name alone, so that of two it would run neither."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(set(names)) == len(names), sorted(name for name in names if names.count(name) > 1)
