"""A ZIP as from Moodle, with an honest learner, odd names, and files that do harm."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

from course import CHAPTER, HONEST, WRONG_SIZE, answered, dumped

NAMES = [
    *("../../etc/passwd", 'O\'Brien "the" 1st', '=HYPERLINK("http:x")', "+1", "@SUM(A1)", "-2+3+cmd|'calc'!A0"),
    *("new\nline", "a,b;c", "..", "CON", "<img src=x onerror=alert(1)>", "[a]", "*", "zoë 🙂", "x" * 300),
]
INSIDE = len(NAMES) + 7  # learners


def pack(path: Path, root: Path) -> Path:
    """Write the ZIP; it holds notebooks of the chapter that is released in `root`."""
    size, correlate, _ = HONEST["ada"]
    wrong = dumped(answered(root, WRONG_SIZE))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(moodle("Ada Honest", 1) + f"{CHAPTER}.ipynb", dumped(answered(root, size, correlate)))
        for number, name in enumerate(NAMES, start=100):
            archive.writestr(moodle(name.replace("/", "∕"), number) + f"{CHAPTER}.ipynb", wrong)
        archive.writestr(moodle("Bomb", 2) + f"{CHAPTER}.ipynb", b" " * 300_000_000)
        archive.writestr(moodle("Climber", 3) + "../../../../climbed.ipynb", wrong)
        archive.writestr(moodle("Absolute", 4) + "/etc/cron.d/x", wrong)
        link = zipfile.ZipInfo(moodle("Linker", 5) + f"{CHAPTER}.ipynb")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as nested:
            nested.writestr("../../out.ipynb", wrong)
            nested.writestr("big", b"\0" * 250_000_000)
        archive.writestr(moodle("Nested", 6) + "work.zip", inner.getvalue())
        archive.writestr(moodle("Punctual", 7) + f"{CHAPTER}.ipynb", wrong)
        archive.writestr(moodle("Punctual", 7) + "timestamp.txt", "not a time at all")
    return path


def moodle(name: str, number: int) -> str:
    return f"{name}_{number}_assignsubmission_file_/"
