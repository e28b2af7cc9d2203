"""Looking for answers where learners can read: by content, whatever became of markers and metadata."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager

REGION = re.compile(r"### BEGIN (SOLUTION|HIDDEN TESTS)[^\n]*\n(.*?)### END \1", re.S)
SHORTEST = 14  # characters of code, without spaces and comments, below which a line says nothing
SMALLEST = 14  # nodes of a syntax tree, below which an expression says nothing
EVERYDAY = re.compile(  # lines that any program on pictures contains
    r"super\(\).__init__\(\)"
    r"|for\w+inrange\([\w.\[\]]+\):"  # for row in range(rows):
    r"|[\w,()]+=\w+\.shape(,\w+\.shape)*"  # B, C, H, W = x.shape
    r"|\w+,\w+=\w+-kh\+1,\w+-kw\+1"  # the size of the valid part, which chapter 01 states
    r"|withtorch\.no_grad\(\):|if(not)?self\.training:"
    r"|optimizer\.(zero_grad|step)\(\)|loss\.backward\(\)|forx,yin\w+:"  # every training's; their order is the exercise
)
ALLOWED = {  # expressions of which the same is true
    "(a - b + 1, c - d + 1)",
    "a, b = c - d + 1, e - f + 1",
    "a[b : b + c, d : d + e]",
    "(a - 1, a - 1, b - 1, b - 1)",
    "F.pad(a, (b - 1, b - 1, c - 1, c - 1))",
}
# The bug museum: a faulty text is given, and to be repaired. What the given text contains is no secret.
REPAIRS = {"exercise-rows", "exercise-stride", "exercise-pooling"}


def bare(source: str) -> str:
    """Code without comments, and everything without white space: reformatting hides nothing."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
        source = "".join(token.string for token in tokens if token.type != tokenize.COMMENT)
    except (tokenize.TokenError, IndentationError, SyntaxError):
        source = re.sub(r"#.*", "", source)
    return squeezed(source)


def secrets(solutions: Path) -> dict[str, str]:
    """What must not be found, in its bare form, and where it comes from."""
    found = {}
    for path in sorted(solutions.glob("*/*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        given = "".join(bare("".join(cell["source"])) for cell in cells if cell["id"].startswith("exhibit-"))
        for cell in cells:
            for line in secret_lines(cell):
                text = bare(line) if cell["cell_type"] == "code" else squeezed(line)
                repaired = cell["id"] in REPAIRS and text in given
                if len(text) >= SHORTEST and not EVERYDAY.fullmatch(text) and not repaired:
                    found.setdefault(text, f"{path.stem}, {cell['id']}")
    return found


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def secret_lines(cell: dict) -> list[str]:
    """The lines of a cell that stand between markers, or all of it if it is an answer in words."""
    source = "".join(cell["source"])
    grading = cell["metadata"].get("nbgrader", {})
    if cell["cell_type"] == "markdown":
        return source.splitlines() if grading.get("solution") else []
    return [line for _, region in REGION.findall(source) for line in region.splitlines()]


def readable(folders: list[Path]) -> dict[str, str]:
    """Everything learners can read, in its bare form, by where it stands."""
    found = {}
    for path in (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()):
        name = str(Path(*path.parts[-3:]))
        if path.suffix == ".ipynb":
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
                source, outputs = "".join(cell["source"]), json.dumps(cell.get("outputs", []))
                found[f"{name}, {cell['id']}"] = "\n".join([squeezed(source), bare(source), squeezed(outputs)])
        elif path.suffix != ".pyc":
            text = path.read_bytes().decode("utf-8", errors="replace")
            found[name] = "\n".join([squeezed(text), bare(text)])  # with comments, and without them
    return found


def leaks(solutions: Path, folders: list[Path]) -> list[str]:
    """Every line of a solution or of a hidden test that stands where learners can read it."""
    texts = readable(folders)
    return [
        f"{where} <- {origin}: {secret}"
        for secret, origin in secrets(solutions).items()
        for where, text in texts.items()
        if secret in text
    ]


def shapes(tree: ast.AST, least: int = SMALLEST) -> dict[str, int]:
    """The shapes of all expressions and statements in a tree that are large enough: names changed for numbers."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.expr | ast.stmt) and not isinstance(node, ast.Constant | ast.JoinedStr | ast.Import):
            size = sum(1 for part in ast.walk(node) if not isinstance(part, ast.expr_context))
            if size >= least:
                found.setdefault(shape(node), node.lineno)
    return found


def shape(node: ast.AST) -> str:
    """A syntax tree as text, blind to the choice of variable names, to documentation and to annotations."""
    names: dict[str, str] = {}

    def visit(part):
        if isinstance(part, ast.Name):
            return names.setdefault(part.id, f"v{len(names)}")
        if isinstance(part, ast.arg):
            return names.setdefault(part.arg, f"v{len(names)}")
        if isinstance(part, ast.AST):
            fields = [(key, value) for key, value in ast.iter_fields(part) if key not in BLIND]
            return f"{type(part).__name__}({', '.join(f'{key}={visit(value)}' for key, value in fields)})"
        if isinstance(part, list):
            return f"[{', '.join(visit(item) for item in part if not is_text(item))}]"
        return repr(part)

    return visit(node)


BLIND = {"ctx", "annotation", "returns", "type_comment", "kind", "lineno", "type_params"}


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def copies(solutions: Path, folders: list[Path]) -> list[str]:
    """Every expression or statement of a solution that stands where learners can read it, under whatever names."""
    wanted = {}
    allowed = {text for expression in ALLOWED for text in shapes(ast.parse(expression), least=1)}
    for path in sorted(solutions.glob("*/*.ipynb")):
        cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
        given = {text for cell in cells if cell["id"].startswith("exhibit-") for text in shapes(parsed(cell))}
        for cell in cells:
            for text, line in shapes_of_solution(cell).items():
                if text not in allowed and not (cell["id"] in REPAIRS and text in given):
                    wanted.setdefault(text, f"{path.stem}, {cell['id']}, line {line}")
    found = []
    for where, tree in readable_code(folders):
        for text, line in shapes(tree).items():
            if text in wanted:
                found.append(f"{where}, line {line} <- {wanted[text]}: {text[:200]}")
    return found


def shapes_of_solution(cell: dict) -> dict[str, int]:
    """The shapes that stand between the markers of an exercise."""
    lines = "".join(cell["source"]).splitlines()
    begins = [i for i, line in enumerate(lines, 1) if "### BEGIN SOLUTION" in line]
    ends = [i for i, line in enumerate(lines, 1) if "### END SOLUTION" in line]
    inside = {i for begin, end in zip(begins, ends, strict=True) for i in range(begin, end)}
    found = {}
    for node in ast.walk(parsed(cell)) if inside else ():
        if isinstance(node, ast.stmt) and node.lineno in inside:
            found.update(shapes(node))
    return found


def parsed(cell: dict) -> ast.AST:
    return ast.parse(TransformerManager().transform_cell("".join(cell["source"])))


def readable_code(folders: list[Path]):
    """Every piece of Python that learners can read, parsed."""
    for path in (path for folder in folders for path in sorted(folder.rglob("*"))):
        name = str(Path(*path.parts[-3:]))
        if path.suffix == ".py":
            yield name, ast.parse(path.read_text(encoding="utf-8"))
        elif path.suffix == ".ipynb":
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
                if cell["cell_type"] == "code":
                    yield f"{name}, {cell['id']}", parsed(cell)


def within_reach(folders: list[Path], pattern: str) -> list[str]:
    """Where a pattern occurs in what learners can read, line by line."""
    found = []
    for path in (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()):
        if path.suffix in (".py", ".ipynb", ".md"):
            text = path.read_text(encoding="utf-8")
            if path.suffix == ".ipynb":
                text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
            found += [f"{path}: {line}" for line in text.splitlines() if re.search(pattern, line)]
    return found
