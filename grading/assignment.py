"""The evidence on one hand-in of the assignment, and the items judged from it.

Learner code runs in the jail alone, with the definitions and nothing else of the notebook. Test pictures go in without
labels, mixed with validation pictures and with copies of some that nobody can tell from them but a program that knows
the files; in which order, the secret seed decides. What comes out are logits; they meet the labels here.
"""

from __future__ import annotations

import ast
import hashlib
import json
import math
import re
from dataclasses import replace
from functools import lru_cache
from html import escape

import torch

from grading import jail
from grading.checked import items_asked
from grading.hidden import secret_seed
from grading.intake.bundle import Opened
from grading.reading import parsed, tampering
from grading.records import Item, one_line
from utils import data
from utils.assignment import evidence, rules
from utils.assignment.pictures import SPLIT_SEED, VALIDATION
from utils.checks.question import Case

TARGETS = {"baseline": "Baseline", "proposed": "proposed"}  # what the notebook calls its two classes
PAIR = f"lambda: ({', '.join(TARGETS.values())})"
COMPARED = 1_000  # test pictures that are also shown altered
VALIDATED = 2_000  # validation pictures: reported accuracies on them are measured too
# Two networks at the rules' limits take a quarter of this CPU time on an ordinary computer.
LIMITS = jail.Limits(memory=1536 * jail.limits.MiB, cpu=60, check=60)


def is_assignment(release) -> bool:
    """Whether a released notebook asks for a bundle."""
    return bool(items_asked(release))


def examined(root, notebook, release, handed_in: Opened, warm=None, no_jail: bool = False, limits=None):
    """Run what was handed in, in the jail, and judge it.

    Returns
    -------
    heard : jail.Heard
    items : grade_id → Item

    Raises
    ------
    data.DataNotFound
        If it was made with CIFAR-10, and that is not on this computer: then there is nothing to measure it with.
    """
    bundle = handed_in.bundle
    asked_for, few, number = pictures(bundle.standin, secret_seed(root))
    cases = {role: evidence.cases(handed_in.weights.get(role, b""), asked_for, few, number) for role in rules.ROLES}
    asked = [jail.Asked(role, "assignment_model", TARGETS[role], cases[role]) for role in rules.ROLES]
    asked += [jail.Asked("pair", "assignment_pair", PAIR, [Case("pair", {"seed": number})])]
    heard = asked_in_turn(definitions(notebook), asked, limits or LIMITS, warm=warm, no_jail=no_jail)
    models = {}
    for role in rules.ROLES:
        facts = evidence.facts(cases[role], heard.answers[role], asked_for, few)
        numbers = max(facts.parameters, numbers_in(handed_in.weights.get(role, b"")))
        models[role] = replace(facts, parameters=numbers)
    signs = (*signs_in(notebook), *tables(handed_in.weights))
    same = evidence.same(heard.answers["pair"])
    judged = rules.judge(evidence.Evidence(models, bundle, same, signs, tampering_in(notebook)))
    return heard, {grade_id: entered(judged[name]) for grade_id, name in items_asked(release).items()}


def asked_in_turn(cells, asked: list[jail.Asked], limits: jail.Limits, **where) -> jail.Heard:
    """Ask all; if one network brings its jail down, the others are asked in another jail."""
    first = heard = jail.run(cells, asked, limits, **where)
    answers = dict(heard.answers)
    while heard.status != "finished" and heard.begun in answers and asked[-1].grade_id != heard.begun:
        asked = asked[1 + [ask.grade_id for ask in asked].index(heard.begun) :]
        heard = jail.run(cells, asked, limits, **where)
        answers |= heard.answers
    return replace(first, answers=answers)


def definitions(notebook) -> list[tuple[str, str]]:
    """The cells that run: the set-up and those tagged "definition". No training, nothing else."""
    return [
        (cell.id, cell.source)
        for cell in notebook.cells
        if cell.cell_type == "code" and (cell.id == "setup" or "definition" in cell.metadata.get("tags", ()))
    ]


def entered(item: rules.Item) -> Item:
    """An item as the gradebook's record has it: some of its words are a stranger's."""
    sign = "✔" if item.passed else "◐" if item.points else "✘"
    text = tame(f"{sign} {item.name}: {item.points:g} of {item.worth:g} points. {item.text}")
    return Item(item.name, item.points, item.worth, text=text, html=f"<div>{escape(text)}</div>", look=tame(item.look))


LONGEST = 2_000  # characters


def tame(text: str) -> str:
    """Fit for a terminal, a page and a file: on one line, not too long, nothing that turns it around."""
    plain = one_line(text)
    return plain if len(plain) <= LONGEST else plain[:LONGEST] + " …"


# --- the pictures -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=2)
def pictures(standin: bool, seed: str) -> tuple[evidence.Shown, tuple[torch.Tensor, torch.Tensor], int]:
    """What the networks are shown, a few training pictures to learn, and a number that may be known in the jail.

    Each random choice has a number of its own, so that what is known in there tells nothing about the others.
    """
    images = data.cifar10("standin" if standin else "cifar10")
    order, copies, known = (drawn(seed, what) for what in ("order", "copies", "jail"))
    chosen = torch.randperm(len(images.y_test), generator=order)
    x, y = images.x_test[chosen], images.y_test[chosen]
    split = images.split(validation=min(VALIDATION, len(images.y_train) // 5), seed=SPLIT_SEED)
    heap = {
        "test": (x, y),
        "val": (split.x_val[:VALIDATED], split.y_val[:VALIDATED]),
        "altered": (evidence.altered(x[:COMPARED], copies), y[:COMPARED]),
    }
    few = evidence.few_of(images.x_train, images.y_train, known.initial_seed())
    return evidence.shown(heap, order), few, known.initial_seed()


def drawn(seed: str, what: str) -> torch.Generator:
    """A generator for one purpose."""
    number = int.from_bytes(hashlib.sha256(f"{seed}:{what}".encode()).digest()[:4], "little")
    return torch.Generator().manual_seed(number)


# --- signs in the notebook and in the weights -------------------------------------------------------------------------

HASHES = re.compile(r"\b(hashlib|md5|sha1|sha256|blake2b|crc32|adler32|tobytes|xxhash)\b")
LONG = 4_000  # characters of text in the definitions: more than anyone types
REACHING = ("__setattr__", "__dict__", "__code__", "__globals__", "__subclasses__", "__bases__", "QUESTIONS")
MANY = {"numbers": 1_000, "rows": 9_000}
MOST_HEADER = 1_000_000  # bytes


def sources(notebook) -> list[str]:
    """The definitions that a learner wrote."""
    return [text for name, text in definitions(notebook) if name != "setup"]


def tampering_in(notebook) -> str:
    """What in the definitions could change how networks are asked; empty if nothing does."""
    means = sorted({name for tree in parsed(sources(notebook)) for name in (*tampering(tree), *patched(tree))})
    return f"the definitions name {', '.join(means)[:300]}, which could change what is measured" if means else ""


def patched(tree: ast.Module) -> list[str]:
    """Ways to the code that asks, and to change what is not one's own."""
    names = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in REACHING]
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    return names + [module for module in modules if module.startswith(("utils.checks", "utils.assignment"))]


def signs_in(notebook):
    """What in the definitions looks like knowledge of test pictures: hashes of pictures, long tables of answers."""
    trees = parsed(sources(notebook))
    if found := HASHES.search("\n".join(sources(notebook))):
        yield f"the definitions use {found[0]}, as a network that recognises files would"
    texts = [node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    if (size := sum(len(value) for value in texts if isinstance(value, str | bytes))) > LONG:
        yield f"the definitions hold {size:,} characters of text, as a table of answers would"
    if sum(isinstance(value, int | float) for value in texts) > LONG // 4:
        yield "the definitions hold a long table of numbers"
    if re.search(r"\b(x_test|y_test|open_test)\b", "\n".join(sources(notebook))):
        yield "the definitions name the test set"


def tables(weights: dict[str, bytes]):
    """What in the weights looks like a table of answers: many whole numbers, or a row for each test picture.

    Only the headers of the files are read: names, types and shapes as JSON.
    """
    for role, content in weights.items():
        if int.from_bytes(content[:8], "little") >= MOST_HEADER:
            yield f"{role}: the weights' header is longer than any network needs"
        found = []
        for name, kind, shape in header(content):
            if kind[:1] in "IUB" and kind != "BF16" and math.prod(shape) >= MANY["numbers"]:
                found.append(f"{role}: the weights hold {math.prod(shape):,} whole numbers ({one_line(name)[:60]})")
            elif shape and max(shape) >= MANY["rows"]:
                found.append(f"{role}: the weights hold a table of {max(shape):,} rows ({one_line(name)[:60]})")
        yield from found[:3]
        if len(found) > 3:
            yield f"{role}: and {len(found) - 3:,} more such tables"


def numbers_in(weights: bytes) -> int:
    """How many real numbers a file of weights holds, whatever its network calls them; 0 if it is none."""
    return sum(math.prod(shape) for _, kind, shape in header(weights) if kind.startswith(("F", "BF")))


def header(content: bytes) -> list[tuple[str, str, list[int]]]:
    """Name, type and shape of each tensor in a safetensors file, as far as they make sense."""
    size = int.from_bytes(content[:8], "little")
    try:
        said = json.loads(content[8 : 8 + size]) if size <= len(content) else {}
    except (ValueError, RecursionError):
        return []
    found = []
    for name, about in said.items() if isinstance(said, dict) else ():
        kind, shape = (about.get("dtype"), about.get("shape")) if isinstance(about, dict) else (None, None)
        sizes = isinstance(shape, list) and len(shape) <= 8 and all(type(n) is int and 0 <= n < 2**40 for n in shape)
        if isinstance(kind, str) and sizes:
            found.append((name, kind, shape))
    return found
