"""What comes out of the jail, read as a stranger's words.

Learner code runs in the process that writes them, so every line may be its invention: lines are JSON of limited size,
only what was agreed on is accepted, and only once; numbers and texts are never looked up, evaluated or unpickled.
Whatever goes wrong in there ends here as a status and a sentence.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from grading.jail.launcher import Inmate, JailUnavailable, Plain, Unjailed
from grading.jail.limits import RESIDENT, Limits
from grading.jail.warm import Warm
from utils.checks import wire
from utils.checks.question import Case, Outcome
from utils.checks.verdict import TROUBLES

FINISHED, TIMED_OUT, OUT_OF_MEMORY = "finished", "timed out", "out of memory"
TOO_MUCH, KILLED = "too much output", "killed"
GRACE = 5  # seconds beyond its own limit before what does not let itself be interrupted is killed from outside
LOOK = 0.1  # seconds between two looks at the memory


@dataclass(frozen=True)
class Asked:
    """A check to put to a submission.

    Attributes
    ----------
    grade_id : str
        Of the cell that asks.
    name : str
        Of the check, for example "conv2d".
    target : str
        What is checked, an expression over the notebook's names: "Conv2D". From the released notebook, never from a
        learner.
    cases : list of Case
    """

    grade_id: str
    name: str
    target: str
    cases: list[Case]


@dataclass(frozen=True)
class Ran:
    """What a cell wrote, the text of its result, and its error ("NameError: …"); empty where there was none."""

    stdout: str = ""
    stderr: str = ""
    result: str = ""
    error: str = ""
    traceback: str = ""


@dataclass(frozen=True)
class Heard:
    """What came of one submission.

    Attributes
    ----------
    status : {"finished", "timed out", "out of memory", "too much output", "killed"}
    why : str
        A sentence, empty if there is nothing to tell.
    cells : dict of str to Ran
        By cell id; cells that were not reached are missing.
    answers : dict of str to (list of Outcome, or str)
        For every check that was asked: one outcome per case, or the sentence why there are none.
    suspicions : dict of str to str
        By grade_id: a ready-made convolution or pooling that was seen at work ("torch's own convolution").
    fatal : str
        The cell in which it came to its end, if it was in one.
    begun : str
        The last check that was begun, by its grade_id.
    """

    status: str
    why: str = ""
    cells: dict[str, Ran] = field(default_factory=dict)
    answers: dict[str, list[Outcome] | str] = field(default_factory=dict)
    suspicions: dict[str, str] = field(default_factory=dict)
    fatal: str = ""
    begun: str = ""


def run(
    cells: list[tuple[str, str]],
    asked: Sequence[Asked] = (),
    limits: Limits | None = None,
    *,
    warm: Warm | None = None,
    no_jail: bool = False,
) -> Heard:
    """Run a notebook's code cells, then put the checks to what they defined.

    A cell that takes the whole process with it is left out of a second run, so that it costs nothing but itself.

    Parameters
    ----------
    cells : list of (id, source)
    asked : sequence of Asked
    limits : Limits, optional
    warm : Warm, optional
        Where to fork from; without it, the jail starts an interpreter of its own.
    no_jail : bool
        Run it here, with all your rights. It says so on stderr.

    Raises
    ------
    JailUnavailable
        If there is no jail on this machine; nothing else, whatever the cells do.
    """
    limits = limits or Limits()
    heard = once(cells, asked, limits, warm, no_jail)
    fatal = heard.fatal
    if not fatal:
        return heard
    ran = replace(heard.cells.get(fatal, Ran()), error=f"{heard.why} So the others were run again without it.")
    again = once([cell for cell in cells if cell[0] != fatal], asked, limits, warm, no_jail)
    return replace(again, why=again.why or heard.why, cells=again.cells | {fatal: ran}, fatal=again.fatal or fatal)


def once(cells, asked: list[Asked], limits: Limits, warm: Warm | None, no_jail: bool) -> Heard:
    """One run in one jail."""
    if len({cell for cell, _ in cells}) < len(cells) or len({ask.grade_id for ask in asked}) < len(asked):
        raise ValueError("two cells or two checks have the same id, so nobody could tell what belongs to which")
    torch = bool(asked) or any("torch" in source or "utils" in source for _, source in cells)
    request = {"cells": cells, "limits": asdict(limits), "torch": torch}
    questions = [asdict(ask) | {"cases": wire.dump_cases(ask.cases)} for ask in asked]
    words = Words([cell for cell, _ in cells], asked, limits)
    inmate = Unjailed(limits) if no_jail else warm.inmate(limits) if warm else Plain(limits)
    with contextlib.closing(inmate):
        converse(inmate, words, [request, questions])
        if words.phase == "start":
            raise JailUnavailable(f"The program in the jail did not start: {words.why[-2000:]}")
    return words.heard()


def converse(inmate: Inmate, words: Words, to_say: list) -> None:
    """Talk to the program inside until it has ended, said all, or used up what it may; then nothing in there lives."""
    to_say = [memoryview(json.dumps(message).encode() + b"\n") for message in to_say]  # what is left is no copy
    request, questions = to_say
    os.set_blocking(inmate.incoming, False)
    os.set_blocking(inmate.outgoing, False)
    pending, looked = request, time.monotonic()
    with selectors.DefaultSelector() as ready:
        ready.register(inmate.outgoing, selectors.EVENT_READ)
        ready.register(inmate.incoming, selectors.EVENT_WRITE)
        while not words.status:
            if words.phase == "checks" and questions and not pending:
                pending, questions = questions, b""
                ready.register(inmate.incoming, selectors.EVENT_WRITE)
            for key, _ in ready.select(LOOK):
                if key.fd == inmate.incoming:
                    pending = pending[wrote(inmate.incoming, pending) :]
                    if not pending:
                        ready.unregister(inmate.incoming)
                    continue
                data = read(inmate.outgoing)
                if data:
                    words.hear(data)
                elif words.phase == "start":
                    words.stop(KILLED, inmate.complaint() or f"it ended with code {inmate.code()}")
                elif not words.status:
                    words.ended(inmate.code())
            now = time.monotonic()
            if not words.status and now > words.deadline:
                words.stop(TIMED_OUT, words.too_late())
            if not words.status and now - looked > LOOK:
                looked = now
                look(inmate, words)
    inmate.kill()


def wrote(number: int, data: memoryview) -> int:
    try:
        return os.write(number, data[:65536])
    except BlockingIOError:
        return 0
    except BrokenPipeError:  # its end is seen on the other pipe
        return len(data)


def read(number: int) -> bytes:
    try:
        return os.read(number, 65536)
    except BlockingIOError:
        return b""


class Words:
    """What has been heard so far."""

    def __init__(self, cells: list[str], asked: list[Asked], limits: Limits):
        self.expected, self.asked, self.limits = cells, {ask.grade_id: ask for ask in asked}, limits
        self.phase, self.status, self.why = "start", "", ""
        self.cells, self.answers, self.suspicions = {}, {}, {}
        self.rest, self.total, self.now_in, self.begun = bytearray(), 0, "", ""
        self.deadline = self.last = time.monotonic() + limits.start

    def stop(self, status: str, why: str) -> None:
        self.status, self.why = status, why

    def hear(self, data: bytes) -> None:
        """Take in some bytes; no more than `limits.message` altogether."""
        self.total += len(data)
        if self.total > self.limits.message:
            return self.stop(TOO_MUCH, f"More than {self.limits.message:,} bytes came out of the notebook's jail.")
        searched = len(self.rest)
        self.rest += data
        while not self.status and (end := self.rest.find(b"\n", searched)) >= 0:
            line, self.rest, searched = bytes(self.rest[:end]), self.rest[end + 1 :], 0
            try:
                self.take(json.loads(line))
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                self.stop(KILLED, "The notebook wrote into the channel over which its answers are sent.")

    def take(self, said: dict) -> None:
        """One message; whatever was not agreed on raises."""
        ((kind, name),) = [(key, said[key]) for key in KINDS if key in said]
        phase, following = KINDS[kind]
        if self.phase != phase:
            raise ValueError(f"{kind} while {self.phase}")
        getattr(self, f"take_{kind}")(name, said)
        self.phase = following

    def take_ready(self, *_) -> None:
        self.last = time.monotonic() + self.limits.cells + GRACE
        self.deadline = self.last

    def take_breach(self, name, _) -> None:
        self.stop(KILLED, str(name))

    def take_begins(self, cell, _) -> None:
        if cell not in self.expected or cell in self.cells:
            raise ValueError
        self.now_in = cell
        self.deadline = min(self.last, time.monotonic() + self.limits.cell + GRACE)

    def take_ran(self, cell, said) -> None:
        if cell != self.now_in:
            raise ValueError
        most = self.limits.output + 100
        self.cells[cell] = Ran(**{part.name: text(said.get(part.name, ""), most) for part in fields(Ran)})
        self.now_in, self.deadline = "", self.last

    def take_over(self, *_) -> None:
        one = self.limits.check + 1
        self.last = time.monotonic() + one * len(self.asked) + GRACE
        self.deadline = self.last

    def take_checks(self, grade_id, _) -> None:
        if grade_id not in self.asked:
            raise ValueError
        self.begun = grade_id
        self.deadline = min(self.last, time.monotonic() + self.limits.check + GRACE)

    def take_answer(self, grade_id, said) -> None:
        ask = self.asked[grade_id]
        if grade_id in self.answers:
            raise ValueError
        self.answers[grade_id] = self.understood(ask, said)
        if said.get("suspicion"):
            self.suspicions[grade_id] = text(said["suspicion"], 300)

    def understood(self, ask: Asked, said: dict) -> list[Outcome] | str:
        if "none" in said:
            return text(said["none"], 1000)
        try:
            outcomes = wire.load_outcomes(text(said["outcomes"], wire.MOST_BYTES), TROUBLES.keys())
        except wire.Unreadable as error:
            return f"What came back cannot be read: {text(str(error), 300)}"
        if len(outcomes) != len(ask.cases):
            return f"{len(outcomes)} answers came back to {len(ask.cases)} questions."
        return outcomes

    def take_end(self, *_) -> None:
        self.stop(FINISHED, "")

    def too_late(self) -> str:
        if self.phase == "checks":
            return "The checks took too long, and would not be interrupted."
        where = f"The cell {self.now_in}" if self.now_in else "The notebook"
        return f"{where} took too long, and would not be interrupted."

    def ended(self, code: int | None) -> None:
        """The program inside is gone before it was through."""
        where = f"the cell {self.now_in}" if self.now_in else "the checks" if self.phase == "checks" else "its cells"
        if code == 128 + 24:  # SIGXCPU
            return self.stop(TIMED_OUT, f"In {where} the notebook used up its CPU time.")
        if code == 128 + 9:
            return self.stop(KILLED, f"In {where} the notebook's process was killed, perhaps for want of memory.")
        how = "" if code is None else f" (signal {code - 128})" if code > 128 else f" (exit code {code})"
        self.stop(KILLED, f"In {where} the notebook ended its own process{how}.")

    def heard(self) -> Heard:
        missing = dict.fromkeys(self.asked, "No answer came: " + (self.why or "it was left out."))
        fatal = self.now_in if self.status != FINISHED else ""
        return Heard(self.status, self.why, self.cells, missing | self.answers, self.suspicions, fatal, self.begun)


# Each kind of message: in which phase it may come, and which phase follows.
KINDS = {
    "ready": ("start", "cells"),
    "breach": ("start", "start"),
    "begins": ("cells", "cells"),
    "ran": ("cells", "cells"),
    "over": ("cells", "checks"),
    "checks": ("checks", "checks"),
    "answer": ("checks", "checks"),
    "end": ("checks", "checks"),
}


def text(value, most: int) -> str:
    """A string that is no longer than it may be; anything else raises."""
    if not isinstance(value, str):
        raise TypeError
    # Half of a surrogate pair can be in JSON, but not in a file.
    return value[:most].encode("utf-8", "replace").decode()


def look(inmate: Inmate, words: Words) -> None:
    """Stop it if all that is alive inside holds too much memory, or too many files."""
    members = list(inhabitants(inmate.pid))
    most = RESIDENT + words.limits.memory
    if sum(map(resident, members)) > most and sum(map(proportional, members)) > most:
        where = f"In the cell {words.now_in}" if words.now_in else "In the checks"
        words.stop(OUT_OF_MEMORY, f"{where} the notebook used more than {words.limits.memory // 2**20} MiB of memory.")
    if not isinstance(inmate, Unjailed) and files(members) > words.limits.inodes:
        words.stop(KILLED, f"The notebook wrote more than {words.limits.inodes:,} files.")


def inhabitants(pid: int):
    """A process and all its descendants: an orphan inside becomes a child of the first, so none escapes."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in children.read_text().split():
                yield from inhabitants(int(child))


def files(members: list[int]) -> int:
    """How many files there are on the jail's own disks; of a member that lets itself be asked."""
    for member in members:
        with contextlib.suppress(OSError):
            disks = [os.statvfs(f"/proc/{member}/root/{name}") for name in ("learner", "dev/shm")]
            return sum(disk.f_files - disk.f_ffree for disk in disks)
    return 0


def resident(pid: int) -> int:
    """Bytes of memory that a process holds, shared ones included; 0 if it is gone."""
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def proportional(pid: int) -> int:
    """The same with what several share split between them, where that may be read."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return resident(pid)
