"""The evidence on one hand-in of the assignment, and the items judged from it.

Learner code runs in the jail alone, with the definitions and nothing else of the notebook. Test pictures go in without
labels, in an order that the secret seed decides, and beside them copies of some that nobody can tell from them but a
program that knows the files. What comes out are logits; they meet the labels here.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape

import torch

from grading import jail
from grading.checked import items_asked
from grading.hidden import secret_seed
from grading.intake.bundle import Opened
from grading.records import Item, one_line
from utils import data
from utils.assignment import evidence, rules
from utils.checks.question import Case

TARGETS = {"baseline": "Baseline", "proposed": "proposed"}  # what the notebook calls its two classes
PAIR = f"lambda: ({', '.join(TARGETS.values())})"
COMPARED = 1_000  # test pictures that are also shown altered
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
    bundle, seed = handed_in.bundle, secret_seed(root)
    shown = pictures(bundle.standin, seed)
    cases = {
        role: evidence.cases(handed_in.weights.get(role, b""), shown.labelled, shown.few, shown.seed)
        for role in rules.ROLES
    }
    asked = [jail.Asked(role, "assignment_model", TARGETS[role], cases[role]) for role in rules.ROLES]
    asked += [jail.Asked("pair", "assignment_pair", PAIR, [Case("pair", {"seed": shown.seed})])]
    heard = asked_in_turn(definitions(notebook), asked, limits or LIMITS, warm=warm, no_jail=no_jail)
    models = {
        role: evidence.facts(cases[role], heard.answers[role], shown.labelled, shown.few[1]) for role in rules.ROLES
    }
    found = evidence.Evidence(
        models, bundle, evidence.same(heard.answers["pair"]), (*signs(notebook), *tables(handed_in.weights))
    )
    judged = rules.judge(found)
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
    """An item as the gradebook's record has it."""
    sign = "✔" if item.passed else "◐" if item.points else "✘"
    text = f"{sign} {item.name}: {item.points:g} of {item.worth:g} points. {item.text}"
    return Item(item.name, item.points, item.worth, text=text, html=f"<div>{escape(text)}</div>", look=item.look)


# --- the pictures -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """What the networks are shown, and the labels that stay here."""

    labelled: evidence.Labelled
    few: tuple[torch.Tensor, torch.Tensor]
    seed: int


@lru_cache(maxsize=2)
def pictures(standin: bool, seed: str) -> Shown:
    """Test pictures in the secret order, some of them altered as well, and a few training pictures to learn."""
    number = int.from_bytes(seed.encode()[-6:], "little") % 2**31
    images = data.cifar10("standin" if standin else "cifar10")
    order = torch.randperm(len(images.y_test), generator=torch.Generator().manual_seed(number))
    x, y = images.x_test[order], images.y_test[order]
    labelled = {"test": (x, y), "altered": (evidence.altered(x[:COMPARED], number), y[:COMPARED])}
    return Shown(labelled, evidence.few_of(images.x_train, images.y_train, number), number)


# --- signs in the notebook and in the weights -------------------------------------------------------------------------

MANY = {"numbers": 1_000, "rows": 9_000}
MOST_HEADER = 1_000_000  # bytes
HASHES = re.compile(r"\b(hashlib|md5|sha1|sha256|blake2b|crc32|adler32|tobytes|xxhash)\b")
LONG = 4_000  # characters of a line: more than anyone types


def signs(notebook):
    """What in the definitions looks like knowledge of test pictures: hashes of pictures, long tables of answers."""
    source = "\n".join(text for name, text in definitions(notebook) if name != "setup")
    if found := HASHES.search(source):
        yield f"the definitions use {found[0]}, as a network that recognises files would"
    if any(len(line) > LONG for line in source.splitlines()):
        yield f"the definitions hold a line of more than {LONG:,} characters, as a table of answers would"
    if re.search(r"\b(x_test|y_test|open_test)\b", source):
        yield "the definitions name the test set"


def tables(weights: dict[str, bytes]):
    """What in the weights looks like a table of answers: many whole numbers, or a row for each test picture.

    Only the headers of the files are read: names, types and shapes as JSON.
    """
    for role, data_ in weights.items():
        for name, about in header(data_).items():
            kind, shape = (about.get("dtype"), about.get("shape")) if isinstance(about, dict) else (None, None)
            if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
                continue
            whole = isinstance(kind, str) and kind[:1] in "IUB" and kind != "BF16"
            if whole and math.prod(shape) >= MANY["numbers"]:
                yield f"{role}: the weights hold {math.prod(shape):,} whole numbers ({one_line(name)[:60]})"
            elif shape and shape[0] >= MANY["rows"]:
                yield f"{role}: the weights hold a table of {shape[0]:,} rows ({one_line(name)[:60]})"


def header(data_: bytes) -> dict:
    """What a safetensors file says is in it; nothing, if it is none."""
    size = int.from_bytes(data_[:8], "little")
    try:
        said = json.loads(data_[8 : 8 + size]) if size < MOST_HEADER else {}
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
