"""Whose is what in a ZIP that a learning management system made, read from the names in it.

Moodle       Ana Silva_1234567_assignsubmission_file_/02.ipynb        (in folders, or with the name in front)
Canvas       silvaana_LATE_12345_67890_02.ipynb                       (12345 is Ana; -1 for a second attempt)
Gradescope   assignment_9_export/submission_123456/02.ipynb           (submission_metadata.yml says who)
folders      ana/02.ipynb                                             (anything else: a folder for each learner)
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field

import yaml

MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(?P<kind>file|onlinetext)_?(?P<rest>.*)", re.S)
CANVAS = re.compile(r"(?P<name>.+?)_(?:(?P<late>LATE)_)?(?P<number>\d+)_(?P<file>\d+)_(?P<rest>.+)", re.S)
GRADESCOPE = re.compile(r"submission_(?P<number>\d+)")
METADATA = "submission_metadata.yml"
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
LONGEST = 40  # characters of a learner's id before what tells namesakes apart


@dataclass(frozen=True)
class Person:
    """A learner as the LMS knows one.

    Attributes
    ----------
    lms : str
        "moodle", "canvas", "gradescope" or "folders".
    number : str
        What the LMS calls the learner (Canvas, Gradescope), or the learner's work for this one chapter (Moodle).
    name, email : str
    """

    lms: str
    number: str
    name: str
    email: str = ""

    @property
    def lasting(self) -> bool:
        """Whether the number is the learner's own in every chapter; Moodle gives a new one for each."""
        return self.lms in ("canvas", "gradescope") and bool(self.number)


@dataclass
class Delivery:
    """What one person handed in: names inside the ZIP, and what each file is called without the LMS's additions."""

    person: Person
    files: dict[str, str] = field(default_factory=dict)
    late: bool = False
    time: str = ""


def deliveries(names: list[str], metadata: str = "") -> tuple[list[Delivery], list[str]]:
    """Sort the names in a ZIP by learner; the second list holds those of which it is not clear whose they are.

    Parameters
    ----------
    names : list of str
        With "/" between folders.
    metadata : str
        The text of Gradescope's submission_metadata.yml, if there is one.
    """
    people = submitters(metadata)
    found: dict[Person, Delivery] = {}
    unclear = []
    depth = wrapped([name.split("/") for name in names])
    for name in names:
        parts = name.split("/")[depth:]
        if parts == [METADATA]:
            continue
        theirs = owners(parts, people)
        for person, rest, late, time in theirs:
            delivery = found.setdefault(person, Delivery(person))
            delivery.files[name] = rest
            delivery.late, delivery.time = delivery.late or late, delivery.time or time
        if not theirs:
            unclear.append(name)
    return list(found.values()), unclear


def wrapped(names: list[list[str]]) -> int:
    """How many folders lie around the whole class. Only folders that *all* share count: a learner can name others."""
    for depth in (0, 1, 2):
        if len({tuple(parts[:depth]) for parts in names if parts[depth:]}) != 1:
            break
        rest = [parts[depth:] for parts in names if parts[depth:]]
        if 2 * sum(named_by_an_lms(parts) for parts in rest) > len(names):
            return depth
    return 0


def named_by_an_lms(parts: list[str]) -> bool:
    alone = len(parts) == 1
    return bool(MOODLE.fullmatch(parts[0]) or (CANVAS if alone else GRADESCOPE).fullmatch(parts[0]))


def owners(parts: list[str], people: dict[str, list[Delivery]]) -> list[tuple[Person, str, bool, str]]:
    """Who handed in the file: person, its own name, whether late, when. Several people for the work of a group."""
    first, rest = parts[0], "/".join(parts[1:])
    if first in ("", ".", ".."):
        return []
    if match := MOODLE.fullmatch(first):
        name = "/".join(filter(None, (match["rest"], rest))) or first
        return [(Person("moodle", match["number"], match["name"]), name, False, "")]
    if rest and (match := GRADESCOPE.fullmatch(first)):
        known = people.get(first) or [Delivery(Person("gradescope", "", first))]
        return [(each.person, rest, each.late, each.time) for each in known]
    if not rest and (match := CANVAS.fullmatch(first)):
        return [(Person("canvas", match["number"], match["name"]), match["rest"], bool(match["late"]), "")]
    return [(Person("folders", "", first), rest, False, "")] if rest else []


def submitters(text: str) -> dict[str, list[Delivery]]:
    """By Gradescope's submission: who made it and when. Its keys are Ruby's, with a colon in front."""
    try:
        known = yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))  # strings only, whatever it says
    except (yaml.YAMLError, RecursionError, ValueError):
        return {}
    found: dict[str, list[Delivery]] = {}
    for submission, about in known.items() if isinstance(known, dict) else ():
        about = about if isinstance(about, dict) else {}
        time, people = about.get(":created_at"), about.get(":submitters")
        for one in people if isinstance(people, list) else ():
            name, email, number = (text_in(one, key) for key in (":name", ":email", ":sid"))
            if name or email:
                person = Person("gradescope", number or email, name or email, email)
                delivery = Delivery(person, time=time if isinstance(time, str) else "")
                found.setdefault(str(submission), []).append(delivery)
    return found


def text_in(mapping: object, key: str) -> str:
    value = mapping.get(key) if isinstance(mapping, dict) else ""
    return value.strip() if isinstance(value, str) else ""


def attempt(name: str) -> tuple[str, int]:
    """A name without Canvas's number of the attempt, and that number: ("02.ipynb", 1) for "02-1.ipynb"."""
    match = re.fullmatch(r"(.*?)-(\d{1,3})(\.\w+)", name, re.S)
    return (match[1] + match[3], int(match[2])) if match else (name, 0)


# Learner ids


def slug(name: str) -> str:
    """A name as an id: lower-case ASCII, safe as a folder's name on every system, always the same for the same name."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", name)).casefold()
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    made = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")
    lost = any(c.isalnum() and not c.isascii() for c in letters)
    if lost or not made or len(made) > LONGEST or made in RESERVED:
        return f"{made[:LONGEST].strip('-') or 'learner'}-{digest(name)}"
    return made


def digest(name: str) -> str:
    return hashlib.sha256(unicodedata.normalize("NFC", name).encode("utf-8", "replace")).hexdigest()[:6]


def preferred(person: Person) -> str:
    """The id that a person gets if nobody else has it."""
    if person.lms == "folders" and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,60}", person.name):
        plain = person.name.rstrip(".")
        return plain if plain.split(".")[0].lower() not in RESERVED else slug(person.name)
    return f"{slug(person.name)}-{slug(person.number)}" if person.lasting else slug(person.name)
