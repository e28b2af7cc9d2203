"""Try the jail on this machine, for real, and say what is missing: `python -m grading doctor`."""

from __future__ import annotations

import contextlib
import os
import platform
import socket
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from grading.jail.launcher import JailUnavailable, find_bwrap
from grading.jail.limits import Limits
from grading.jail.listening import OUT_OF_MEMORY, TIMED_OUT, Asked, Heard, once
from grading.jail.warm import Warm
from utils.checks import answers, questions
from utils.checks.verdict import judge, learner_cases

LIMITS = Limits(memory=256 * 2**20, cell=2, cells=30, check=5, processes=32, disk=8 * 2**20)
INVERT = "def invert(image):\n    return 255 - image"
# What is tried in one notebook; each must fail.
WALLS = {
    "the network": "import socket; socket.create_connection(('127.0.0.1', PORT), 2)",
    "a file of yours": "open(FILE)",
    "the answers": "import utils.checks.answers",
    "the Python installation": "import os; open(os.__file__, 'a')",
    "another user": "import os; os.setuid(0)",
    "another process": "import os, signal; os.listdir('/proc/1/fd'), os.readlink('/proc/1/cwd')",
    "a disk without end": "f = open('/learner/tmp/x', 'wb')\nfor _ in range(64): f.write(bytes(2**20))",
    "processes without end": "import os, time\nfor _ in range(200):\n  if os.fork() == 0: time.sleep(99)",
    "a loop without end": "while True: pass",
}
# … and this must not: the user, the rights, the processes there are.
SELF = "assert os.getuid() and rights == 0 and processes == ['1', '2'], (os.getuid(), rights, processes)"
WHO = f"""import os
rights = int(dict(line.split(":", 1) for line in open("/proc/self/status"))["CapEff"], 16)
processes = [name for name in os.listdir("/proc") if name.isdigit()]
{SELF}"""


def main() -> int:
    """Print what was tried and what came of it; 0 if notebooks can be graded here."""
    print(f"Python {platform.python_version()}, {platform.system()} {platform.release()}, {who()}\n")
    try:
        report("bubblewrap", f"found: {find_bwrap()}")
        with machine() as known:
            plain = trial("plain", None, known)
            fast = plain and quick(known)
    except JailUnavailable as error:
        print(f"\n{error}", file=sys.stderr)
        plain = fast = False
    print()
    if not plain:
        print("Notebooks cannot be graded here yet: learner code is not run without a jail.")
    elif not fast:
        print("Notebooks can be graded here, in the plain jail: an interpreter for each, 2 s slower than the fast one.")
    else:
        print("Notebooks can be graded here, in the fast jail.")
    return 0 if plain else 1


def who() -> str:
    if not hasattr(os, "geteuid"):
        return "no Unix"
    return "started by root" if os.geteuid() == 0 else f"started by user {os.geteuid()}"


def report(what: str, found: str, ok: bool = True) -> bool:
    print(f"{'ok     ' if ok else 'MISSING'}  {what:40}{found}", flush=True)
    return ok


@contextlib.contextmanager
def machine():
    """Something on this machine that the jail must not reach: a server's port, and a file."""
    with socket.create_server(("127.0.0.1", 0)) as server, tempfile.TemporaryDirectory(prefix="doctor-") as folder:
        file = Path(folder, "secret")
        file.write_text("secret")
        yield {"port": str(server.getsockname()[1]), "file": repr(str(file))}


def quick(known: dict) -> bool:
    """Try the fast way; that it is missing is no reason not to grade."""
    try:
        with Warm() as warm:
            return trial("fast", warm, known)
    except JailUnavailable as error:
        return report("fast: an interpreter to fork from", str(error), ok=False)


def trial(way: str, warm: Warm | None, known: dict) -> bool:
    """Try every wall, one way to start the jail."""
    cells = [
        (name, source.replace("PORT", known["port"]).replace("FILE", known["file"])) for name, source in WALLS.items()
    ]
    heard = once([("self", WHO), *cells, ("define", INVERT)], [practice()], LIMITS, warm, False)
    ok = [report(f"{way}: a notebook", says(heard), right(heard))]
    error = heard.cells["self"].error if "self" in heard.cells else heard.why
    ok += [report(f"{way}: a user without rights, alone", error or "yes", not error)]
    for name in WALLS:
        held = heard.cells[name].error if name in heard.cells else heard.why
        ok += [report(f"{way}: {name}", f"held: {held[:60]}" if held else "NOT HELD", bool(held))]
    ok += [ends(way, "memory without end", "x = []\nwhile True: x.append(bytearray(2**25))", warm, OUT_OF_MEMORY)]
    stubborn = "import time\nwhile True:\n    try: time.sleep(9)\n    except BaseException: pass"
    ok += [ends(way, "a loop that cannot be stopped", stubborn, warm, TIMED_OUT)]
    return all(ok)


def ends(way: str, what: str, source: str, warm: Warm | None, status: str) -> bool:
    """Whether a notebook that must be killed is killed."""
    limits = replace(LIMITS, cells=2) if status == TIMED_OUT else replace(LIMITS, cell=20)
    heard = once([("cell", source)], [], limits, warm, False)
    refused = status == OUT_OF_MEMORY and "MemoryError" in (heard.cells["cell"].error if heard.cells else "")
    return report(f"{way}: {what}", f"held: {heard.why or 'MemoryError'}"[:80], heard.status == status or refused)


def practice() -> Asked:
    """The course's own practice exercise."""
    return Asked("check", "practice", "invert", list(learner_cases("practice")))


def right(heard: Heard) -> bool:
    """Whether it is found right, as it is."""
    answer = heard.answers["check"]
    if isinstance(answer, str):
        return False
    question, cases = questions.find("practice"), list(learner_cases("practice"))
    return judge(question, answers.find("practice"), cases, answer).right


def says(heard: Heard) -> str:
    answer = heard.answers["check"]
    return answer if isinstance(answer, str) else "ran, and its check was answered"
