"""The bytes of a submitted notebook → its cells, whatever program saved it and whatever happened to it on the way.

nbformat is left out on purpose: it validates and converts what it reads, which is slow and may raise anything when the
file is hostile. Sources and ids are all that is wanted; outputs are never looked at.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from grading.intake.limits import Limits, Refused, megabytes, shown

AGAIN = "Open the notebook in Jupyter, save it, and hand in the file ending in .ipynb again."
MERGE_MARKER = re.compile(r"^(<{7} .*|<{7}|={7}|>{7}|>{7} .*)\r?$", re.M)
KINDS = {"code": "code", "markdown": "markdown", "heading": "markdown", "html": "markdown", "raw": "raw"}
PICTURES = ("image/png", "image/jpeg", "image/gif")


@dataclass
class Cell:
    """One submitted cell, as far as it matters: its kind, its text, and the marks by which it may be known again."""

    kind: str
    source: str
    grade_id: str = ""
    id: str = ""
    attachments: dict = field(default_factory=dict)


def cells(data: bytes, limits: Limits) -> tuple[list[Cell], list[str]]:
    """The cells of a notebook of format 2, 3 or 4, and notes on what was repaired.

    Raises
    ------
    Refused
        If these bytes are no notebook, or more than `limits` allow.
    """
    if len(data) > limits.notebook:
        raise Refused(too_large(len(data), limits))
    notes: list[str] = []
    found = cells_of(parsed(decoded(data, notes), limits))
    if len(found) > limits.cells:
        raise Refused(f"The notebook has {len(found)} cells; {limits.cells} are allowed. Delete what is not yours.")
    taken = [taken_in(cell, number, notes) for number, cell in enumerate(found, start=1)]
    text, lines = sum(len(cell.source) for cell in taken), sum(cell.source.count("\n") for cell in taken)
    if text > limits.text or lines > limits.lines:
        raise Refused(
            f"The cells hold {text:,} characters in {lines:,} lines; {limits.text:,} and {limits.lines:,} are allowed. "
            "Is data pasted into one of them? Delete it, save the notebook, and hand it in again."
        )
    if not any(cell.source.strip() for cell in taken):
        raise Refused(f"The notebook is empty: there is nothing in its cells. {AGAIN}")
    return taken, notes


def too_large(size: int, limits: Limits) -> str:
    return (
        f"The notebook is {megabytes(size)} large; {megabytes(limits.notebook)} are allowed. Its outputs take this "
        "much room: clear them (in JupyterLab: Edit > Clear Outputs of All Cells), save, and hand it in again."
    )


def decoded(data: bytes, notes: list[str]) -> str:
    """The text of the file: UTF-8 as it should be, or UTF-16 or 32, which some editors write."""
    if not data.strip(b"\0 \t\r\n"):
        raise Refused(f"The file is empty ({len(data)} bytes). {AGAIN}")
    for start, what in FOREIGN.items():
        if data.lstrip()[:20].lower().startswith(start):
            raise Refused(f"The file is {what}, although its name says that it is a notebook. {AGAIN}")
    encoding = json.detect_encoding(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        where = error.start
    notes.append(f"The file is not valid {encoding.upper()} at byte {where + 1}: what could not be read became “�”.")
    return data.decode(encoding, errors="replace")


FOREIGN = {
    b"%pdf": "a PDF document",
    b"<!doctype html": "a web page",
    b"<html": "a web page",
    b"pk\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip archive",
    b"rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"\x89png": "a picture",
    b"\xff\xd8\xff": "a picture",
}


def parsed(text: str, limits: Limits) -> dict:
    """The notebook in a text of JSON. Raises Refused with the place and the likely cause if it is none."""
    if text.count("{") + text.count("[") > limits.structures:
        raise Refused(
            f"The notebook holds more than {limits.structures:,} lists and tables. Clear its outputs (in JupyterLab: "
            "Edit > Clear Outputs of All Cells), save, and hand it in again."
        )
    try:
        found = json.loads(text, parse_int=whole, strict=False)
    except json.JSONDecodeError as error:
        raise Refused(why_no_json(text, error)) from error
    except (RecursionError, MemoryError) as error:
        raise Refused(f"The file nests lists more deeply than any notebook does, so it is not read. {AGAIN}") from error
    if not isinstance(found, dict) or not ("cells" in found or "worksheets" in found):
        raise Refused(f"The file is JSON, but no notebook: it has no cells. Is it another file? {AGAIN}")
    return found


def whole(digits: str) -> int:
    """A number in the JSON; Python refuses to read thousands of digits, and none of them matters here."""
    return int(digits) if len(digits) < 20 else 0


def why_no_json(text: str, error: json.JSONDecodeError) -> str:
    """What broke the JSON, as far as one can tell."""
    where = f"line {error.lineno}, column {error.colno}"
    if marker := MERGE_MARKER.search(text):
        line = text.count("\n", 0, marker.start()) + 1
        return (
            f"The notebook was damaged by a merge in Git: line {line} is {shown(marker[0].strip(), 40)}. Take one of "
            "the two versions (git checkout --ours or --theirs), see that it opens in Jupyter, and hand it in."
        )
    if error.pos >= len(text.rstrip()) - 10 or error.msg.startswith("Unterminated string"):
        return (
            f"The notebook breaks off after {len(text):,} characters ({where}): the upload or the download did not "
            "come to its end. Hand it in again, and look at the size of the file afterwards."
        )
    if text.lstrip()[:1] not in ("{", "["):
        begin = shown(text.strip()[:200].splitlines()[0], 30)
        return f"The file is no notebook: it begins with {begin}, not with “{{”. {AGAIN}"
    return f"The notebook is damaged: {error.msg} at {where}. {AGAIN}"


def cells_of(notebook: dict) -> list[dict]:
    """The raw cells: in one list since format 4, in worksheets before."""
    sheets = notebook["worksheets"] if isinstance(notebook.get("worksheets"), list) else []
    lists = [notebook.get("cells"), *(sheet.get("cells") for sheet in sheets if isinstance(sheet, dict))]
    return [cell for each in lists if isinstance(each, list) for cell in each if isinstance(cell, dict)]


def taken_in(cell: dict, number: int, notes: list[str]) -> Cell:
    """What matters of a raw cell, with anything of a wrong type left out."""
    kind = KINDS.get(text_of(cell.get("cell_type")), "raw")
    source = text_of(cell.get("source", cell.get("input")))
    level = cell.get("level")
    if cell.get("cell_type") == "heading" and isinstance(level, int) and 0 < level < 7:  # before format 4
        source = f"{'#' * level} {source}"
    repaired = source.replace("\0", "").encode("utf-8", errors="replace").decode("utf-8")
    if repaired != source:
        notes.append(f"Cell {number} holds characters that no text may hold; they were taken out.")
    marks = cell.get("metadata") if isinstance(cell.get("metadata"), dict) else {}
    grading = marks.get("nbgrader") if isinstance(marks.get("nbgrader"), dict) else {}
    attachments = cell.get("attachments") if kind == "markdown" and isinstance(cell.get("attachments"), dict) else {}
    return Cell(
        kind,
        repaired.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n"),
        text_of(grading.get("grade_id")),
        text_of(cell.get("id")) or text_of(marks.get("id")),  # Colab keeps its ids in the metadata
        {str(name): pictures for name, value in attachments.items() if (pictures := pictures_in(value))},
    )


def text_of(value: object) -> str:
    """A string, or a list of strings joined; anything else is no text."""
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def pictures_in(attachment: object) -> dict[str, str]:
    """The pictures of an attachment; an SVG may carry scripts and is left out."""
    if not isinstance(attachment, dict):
        return {}
    found = {kind: text_of(attachment.get(kind)) for kind in PICTURES}
    return {kind: data for kind, data in found.items() if re.fullmatch(r"[A-Za-z0-9+/=\s]+", data)}
