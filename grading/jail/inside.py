"""The program inside the jail: it runs a learner's cells and puts the checks' questions to what they defined.

It reads one line of JSON, what to run; writes a line for everything that happens; and, once the cells are over, reads
a second line: the checks, with their cases. So no output of a cell can tell a case.

Learner code runs in this very process and can change everything here. That is why nobody believes what it writes: the
other side (`grading.jail.listening`) reads it as data of limited size that a stranger wrote. The answers are not here,
so there is nothing in it worth forging: what it says is held against them later, elsewhere.

Needs Python, IPython and, for checks, torch and utils; of `grading`, nothing but `walls`.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import select
import signal
import site
import socket
import sys
import time
import warnings


class TimeUp(BaseException):
    """Interrupts a cell."""


class Bounded(io.TextIOBase):
    """A stream that keeps the beginning of what is written."""

    encoding = "utf-8"

    def __init__(self, most: int):
        self.most, self.kept, self.length, self.lost = most, [], 0, False

    def writable(self) -> bool:
        return True

    def write(self, text) -> int:
        text = str(text)
        room = self.most - self.length
        if room > 0:
            self.kept.append(text[:room])
            self.length += min(room, len(text))
        self.lost = self.lost or len(text) > room
        return len(text)

    def text(self) -> str:
        return "".join(self.kept) + (" … (and more)" if self.lost else "")


def bounded(value, most: int) -> str:
    """`value` as text of at most `most` characters; it may refuse to be text."""
    try:
        text = str.__str__(str(value))
    except BaseException as error:
        text = f"(no text: {type(error).__name__})"
    return text if len(text) <= most else text[:most] + " … (and more)"


class Channel:
    """Lines of JSON, from one file descriptor and to another."""

    def __init__(self, incoming: int, outgoing: int):
        self.incoming, self.outgoing, self.rest = incoming, outgoing, bytearray()

    def hear(self):
        searched = 0  # an assignment's pictures are many megabytes: no byte is looked at or copied twice
        while (end := self.rest.find(b"\n", searched)) < 0:
            searched = len(self.rest)
            data = os.read(self.incoming, 1 << 20)
            if not data:
                raise EOFError("nothing more is said to the jail")
            self.rest += data
        line, self.rest = self.rest[:end], self.rest[end + 1 :]
        return json.loads(line)

    def say(self, **message) -> None:
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[os.write(self.outgoing, data) :]


def load(torch: bool = True, pictures: bool = False) -> None:
    """Import what takes long, before any learner code."""
    import IPython.core.interactiveshell  # noqa: F401

    if torch:
        import torch

        from utils.checks import questions

        for name in (*questions.MODULES, *questions.EVIDENCE):
            questions.find(name)
        import utils.checks.wire
    if pictures:
        import matplotlib.pyplot  # noqa: F401

        import utils

        for room in utils.ROOMS:
            getattr(utils, room)
        # Torch imports its compiler when it counts for the first time: a second and a half, once instead of for each.
        questions.find("assignment_model").run(lambda: torch.nn.Sequential(torch.nn.Flatten()), {"do": "looks"})


def new_shell():
    """An IPython without history, configuration and colours, whose results and errors are kept as text."""
    from IPython.core.displayhook import DisplayHook
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class Results(DisplayHook):
        def write_output_prompt(self):
            pass

        def write_format_data(self, format_dict, md_dict=None):
            self.shell.shown = format_dict.get("text/plain", "")

        def finish_displayhook(self):
            pass

    class Shell(InteractiveShell):
        displayhook_class = Results
        shown, tracebacks = "", ()

        def system(self, command):
            print("(not run: there are no shell commands where notebooks are graded)")

        def getoutput(self, command, *args, **kwargs):
            self.system(command)
            return []

        def ask_exit(self):
            print("(the notebook goes on)")

        @contextlib.contextmanager
        def _tee(self, channel):  # IPython would keep everything printed once more, without a limit
            yield

        def showtraceback(self, *args, **kwargs):
            shorten(sys.exc_info()[2])
            super().showtraceback(*args, **kwargs)

        def _showtraceback(self, etype, evalue, stb):
            self.tracebacks = (*self.tracebacks, "\n".join(stb))

        def showindentationerror(self):
            self.showsyntaxerror()

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.xmode = "Context"
    return Shell.instance(config=config, user_module=None)


def shorten(traceback, most: int = 20) -> None:
    """Cut the middle out of a long traceback, such as an endless recursion's: to format it takes seconds."""
    frames = []
    while traceback:
        frames.append(traceback)
        traceback = traceback.tb_next
    if len(frames) > most:
        frames[most // 2].tb_next = frames[-most // 2]


def serve(channel: Channel, walls, uid: int | None, shell=None) -> None:
    """Run one submission. `walls`: the module that confines this process; None runs it without a jail."""
    request = channel.hear()
    limits = request["limits"]
    if walls:
        try:
            load(request["torch"])
            shell = shell or new_shell()
            walls.confine(limits, uid)
        except Exception as error:
            channel.say(breach=f"{type(error).__name__}: {error}")
            return
    else:
        load(request["torch"])
        shell = new_shell()
    leave_standard_streams()
    channel.say(ready=True)
    run_cells(shell, request["cells"], limits, channel)
    channel.say(over=True)
    for ask in channel.hear():
        if walls:
            walls.kill_others()  # what the cells, or the check before, left running
        channel.say(checks=ask["grade_id"])
        channel.say(**{"answer": ask["grade_id"], **put(shell, ask, limits)})
    channel.say(end=True)


def leave_standard_streams() -> None:
    """What reads and writes below Python gets an empty input and an output that is thrown away."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)


def run_cells(shell, cells, limits: dict, channel: Channel) -> None:
    """Run the cells in order; an error in one stops only that one."""
    end = time.monotonic() + limits["cells"]
    for cell, source in cells:
        channel.say(begins=cell)
        seconds = min(limits["cell"], end - time.monotonic())
        channel.say(ran=cell, **run_cell(shell, source, seconds, limits["output"]))


def run_cell(shell, source: str, seconds: float, most: int) -> dict[str, str]:
    """Run one cell: what it wrote, its result, and its error."""
    if seconds <= 0:
        return {"error": "not run: the time for all cells together is used up"}
    out, err = Bounded(most), Bounded(most)
    shell.shown, shell.tracebacks = "", ()
    error = None
    try:
        signal.signal(signal.SIGALRM, time_up)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            result = shell.run_cell(source, store_history=True)
        error = result.error_before_exec or result.error_in_exec
    except BaseException as escaped:  # IPython lets nothing out, unless the learner changed that
        error = escaped
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    said = {"stdout": out.text(), "stderr": err.text(), "result": bounded(shell.shown, most)}
    if isinstance(error, TimeUp):
        said["error"] = f"interrupted: it took longer than {seconds:.3g} s"
    elif error is not None:
        name = bounded(getattr(type(error), "__name__", "error"), 100)
        said["error"] = f"{name}: {bounded(error, 1000)}"
        said["traceback"] = bounded("\n".join(shell.tracebacks), most)
    return said


def time_up(*_):
    raise TimeUp


def put(shell, ask: dict, limits: dict) -> dict[str, str]:
    """Put one check's question in a child of its own, which is killed when it has answered or its time is up."""
    seconds, most = limits["check"], limits["message"] // 2
    reading, writing = os.pipe()
    child = fork(seconds=2)
    if child is None:
        return {"none": "no process could be started for this check: the notebook has started too many"}
    if not child:
        try:
            os.setsid()
            answer = json.dumps(answered(shell, ask, most)).encode() + b"\n"
            while answer:
                answer = answer[os.write(writing, answer) :]
        finally:
            os._exit(0)
    os.close(writing)
    answer, ended = b"", None
    end = time.monotonic() + seconds
    try:
        while b"\n" not in answer and len(answer) <= most and ended is None and time.monotonic() < end:
            # Its end of the pipe may outlive it, in a child of its own, so its death is asked for too.
            if select.select([reading], [], [], 0.02)[0]:
                data = os.read(reading, 1 << 20)
                answer += data
                ended = None if data else status_of(child, wait=1.0)
            else:
                ended = status_of(child)
    finally:
        os.close(reading)
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)
    line, complete, _ = answer.partition(b"\n")
    if complete:
        return understood(line)
    if len(answer) > most:
        return {"none": f"the answer is longer than {most} bytes"}
    if ended is not None:
        return {"none": how_ended(ended)}
    return {"none": f"the check took longer than {seconds:.3g} s. Is there a loop that never ends?"}


def fork(seconds: float) -> int | None:
    """`os.fork`, tried for a while: those who were killed still count until they are buried."""
    end = time.monotonic() + seconds
    while True:
        try:
            return os.fork()
        except OSError:
            if time.monotonic() > end:
                return None
            time.sleep(0.02)


def understood(line: bytes) -> dict[str, str]:
    try:
        said = json.loads(line)
        return {key: value for key, value in said.items() if key in ("none", "outcomes", "suspicion")}
    except (ValueError, AttributeError, RecursionError):
        return {"none": "the check's process wrote something that is no answer"}


def status_of(child: int, wait: float = 0.0) -> int | None:
    """The exit code of a child (a signal is negative), None while it runs."""
    end = time.monotonic() + wait
    while True:
        try:
            ended, status = os.waitpid(child, os.WNOHANG)
        except ChildProcessError:
            return 0
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= end:
            return None
        time.sleep(0.01)


def how_ended(code: int) -> str:
    if code == -signal.SIGXCPU:
        return "the check used up its CPU time. Is there a loop that never ends?"
    if code < 0:
        return f"the code crashed the check's process ({signal.strsignal(-code) or f'signal {-code}'})"
    return f"the code ended the check's process (exit code {code}) instead of returning something"


def answered(shell, ask: dict, most: int) -> dict[str, str]:
    """In the child: the outcomes of one check's cases, or why there are none."""
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    sys.stdout = sys.stderr = Bounded(0)
    from utils.checks import questions, wire

    question = questions.find(ask["name"])
    try:
        target = eval(ask["target"], shell.user_ns)
    except BaseException as error:
        return {"none": f"{ask['target']} is not there: {type(error).__name__}: {bounded(error, 300)}"}
    if not callable(target):
        return {"none": f"{ask['target']} is a {type(target).__name__}, but {question.signature} is wanted"}
    cases = wire.load_cases(ask["cases"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcomes = [attempted(question, target, case) for case in cases]
        ready_made = [o.trouble.detail for o in outcomes if o.trouble and o.trouble.kind == "forbidden"]
        if ready_made:
            outcomes = [attempted(question, target, case, trusted=True) for case in cases]
    size = sum(getattr(array, "nbytes", 0) for outcome in outcomes for array in outcome.arrays.values())
    if size > most // 2:
        return {"none": f"the answers are far too large: {size} bytes"}
    try:
        said = {"outcomes": wire.dump_outcomes(outcomes)}
    except BaseException as error:
        return {"none": f"what came back cannot be read as numbers: {type(error).__name__}: {bounded(error, 300)}"}
    return said | ({"suspicion": bounded(ready_made[0], 200)} if ready_made else {})


def attempted(question, target, case, **options):
    """`attempt`, for code that raises what is no Exception, or whose error cannot even be printed."""
    from utils.checks.question import Outcome, Trouble, attempt

    try:
        return attempt(question, target, case, **options)
    except BaseException as error:
        name = bounded(type(error).__name__, 100)
        return Outcome(trouble=Trouble("error", f"{name}: {bounded(error, 300)}", name))


def wait_for_work(control: socket.socket, walls) -> None:
    """With everything loaded, fork for each submission; the fork shuts itself in, serves it, and is never used again.

    No learner code ever runs in this process. A message on `control` brings the file descriptors of one submission:
    what to read, what to write, and a socket for what its first process has to tell.
    """
    load(pictures=True)
    shell = new_shell()
    if len(os.listdir("/proc/self/task")) > 1:
        control.send(b"there are threads, and a fork takes none of them along")
        return
    gc.collect()
    gc.freeze()
    control.send(b"ready")
    while True:
        text, received, _, _ = socket.recv_fds(control, 4096, 3)
        if not text:
            return
        child = os.fork()
        if not child:
            try:
                control.close()
                seclude(json.loads(text), *received, walls, shell)
            finally:
                os._exit(1)
        for number in received:
            os.close(number)
        os.waitpid(child, 0)  # it goes as soon as the fork is in its namespaces


def seclude(order: dict, incoming: int, outgoing: int, told: int, walls, shell) -> None:
    """Enter namespaces of its own and serve one submission there."""
    tell = socket.socket(fileno=told)
    try:
        walls.enter_namespaces()
        gate, opener = os.pipe()
        first = os.fork()
    except OSError as error:
        tell.send(f"{type(error).__name__}: {error}".encode())
        return
    if first:
        number = os.pidfd_open(first)
        socket.send_fds(tell, [b"first"], [number])
        if tell.recv(2) == b"go":  # now somebody outside can kill it, whatever it does
            os.write(opener, b"go")
        os._exit(0)
    os.setsid()  # a signal to one's process group reaches all of it, through every namespace
    os.close(opener)
    if os.read(gate, 2) != b"go":
        return
    os.close(gate)
    try:
        walls.mount_own(order["limits"])
    except OSError as error:
        tell.send(f"{type(error).__name__}: {error}".encode())
        return
    live(Channel(incoming, outgoing), walls, order["uid"], shell, tell)


def live(channel: Channel, walls, uid: int | None, shell=None, tell: socket.socket | None = None) -> None:
    """Be the first process of the jail, and have a child that serves the submission."""
    ended = walls.split(keep=tell.fileno() if tell else None)
    if ended is None:
        if tell:
            tell.close()
        serve(channel, walls, uid, shell)
        os._exit(0)  # whatever learner code left to be done at the end is not waited for
    if tell:
        tell.send(str(ended).encode())
    os._exit(ended)


def main() -> None:
    """`inside.py serve IN OUT UID`, `inside.py unjailed IN OUT`, or `inside.py wait CONTROL`."""
    mode, numbers = sys.argv[1], [int(number) for number in sys.argv[2:]]
    here = os.path.dirname(os.path.abspath(__file__))
    walls = None
    if mode != "unjailed":
        sys.path.insert(0, here)
        import walls

        del sys.path[0]
    site.sethelper()  # -S leaves it out, together with packages that are not the course's
    sys.path[:] = [os.path.dirname(here), *sys.path, *os.environ.pop("COURSE_PATH").split(os.pathsep)]
    for number in numbers[:2]:
        os.set_inheritable(number, False)
    if mode == "wait":
        return wait_for_work(socket.socket(fileno=numbers[0]), walls)
    channel = Channel(*numbers[:2])
    if mode == "serve":
        return live(channel, walls, numbers[2] if len(numbers) > 2 else None)
    serve(channel, None, None)
    os._exit(0)


if __name__ == "__main__":
    main()
