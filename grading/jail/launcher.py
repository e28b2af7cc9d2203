"""Build the outer walls with bubblewrap, and start the program inside.

Nothing is visible that is not named here: the Python installation, the C libraries, and the half of utils that knows no
answer, all of it read-only. What can be written lies in memory, is limited, and goes with the jail.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from grading.jail.limits import Limits

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
OLDEST_BWRAP = (0, 8)
# The half of utils.checks that runs beside learner code. What is not named here does not get in.
QUESTIONS_ONLY = ("__init__.py", "question.py", "questions", "ready_made.py", "wire.py")
ENVIRONMENT = {
    "CNN_COURSE_FAST": "1",
    "CNN_COURSE_OFFLINE": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "HOME": "/learner/home",
    "LANG": "C.UTF-8",
    # Memory once fetched is kept: a network asks for the same sizes for each batch, and each time the kernel would have
    # to find and empty it again, a fifth of the time that grading an assignment takes.
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1),
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PATH": "/usr/bin:/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "TMPDIR": "/learner/tmp",
}
# What a root that starts the jail keeps until the program inside, before any learner code, gives it up.
RIGHTS = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")


class JailUnavailable(RuntimeError):
    """This machine has no jail. The text says what is missing and what to do; nothing was graded."""


@dataclass
class Inmate:
    """A started jail, held from outside.

    Attributes
    ----------
    incoming, outgoing : int
        File descriptors: what it reads, what it writes.
    first : int
        A pidfd of its first process, with which everything inside dies; readable once all of it is dead.
    pid : int
        The first process's number out here.
    """

    incoming: int
    outgoing: int
    first: int
    pid: int

    def kill(self) -> None:
        """End everything inside, and wait until it has."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.first, signal.SIGKILL)
        select.select([self.first], [], [], 30)

    def code(self) -> int | None:
        """The exit code of the program inside, 128 and more for a signal; None if it is not known."""

    def complaint(self) -> str:
        """What was written to stderr before any learner code ran."""
        return ""

    def close(self) -> None:
        self.kill()
        for number in (self.incoming, self.outgoing, self.first):
            with contextlib.suppress(OSError):
                os.close(number)


class Plain(Inmate):
    """A jail with an interpreter of its own."""

    def __init__(self, limits: Limits):
        find_bwrap()
        uid = unused_uid() if os.geteuid() == 0 else None
        inside, self.incoming = os.pipe()
        self.outgoing, outside = os.pipe()
        numbers = [inside, outside] if uid is None else [inside, outside, uid]
        command = [*python(), "/course/jail/inside.py", "serve", *map(str, numbers)]
        try:
            arguments = ["--as-pid-1", *walls(limits, uid)]  # bubblewrap's own first process is not out of reach
            self.process, self.pid, self.first, self.stderr = start(arguments, command, (inside, outside))
        except BaseException:
            os.close(self.incoming)
            os.close(self.outgoing)
            raise
        finally:
            os.close(inside)
            os.close(outside)

    def code(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(1)

    def complaint(self) -> str:
        return read_available(self.stderr)

    def close(self) -> None:
        super().close()
        finish(self.process)
        os.close(self.stderr)


def finish(process: subprocess.Popen) -> None:
    """Let bubblewrap bury the first process inside, which is dead: in a container often nobody else would."""
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def start(arguments: list[str], command: list[str], pass_fds: tuple[int, ...]):
    """Start `command` behind walls.

    Returns
    -------
    process, pid, pidfd, stderr
        bubblewrap's own process, the first process inside, and the reading end of stderr. The program inside starts
        only after the pidfd is held, so whatever it does, it can be killed.

    Raises
    ------
    JailUnavailable
    """
    bwrap = find_bwrap()
    told, tells = os.pipe()
    gate, opener = os.pipe()
    stderr, err = os.pipe()
    arguments = ["--info-fd", str(tells), "--block-fd", str(gate), *arguments]
    given = [os.memfd_create("arguments"), *(os.memfd_create("file") for _ in ("passwd", "group"))]
    arguments += ["--perms", "0444", "--ro-bind-data", str(given[1]), "/etc/passwd"]
    arguments += ["--perms", "0444", "--ro-bind-data", str(given[2]), "/etc/group"]
    arguments += ["--remount-ro", "/"]
    fill(given[0], "\0".join(arguments) + "\0")
    fill(given[1], "learner:x:0:0::/learner/home:/nonexistent\n")
    fill(given[2], "learner:x:0:\n")
    try:
        process = subprocess.Popen(
            [bwrap, "--args", str(given[0]), "--", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=err,
            env={},  # it stays readable in bubblewrap's own process, so there is nothing in it
            pass_fds=(*given, tells, gate, *pass_fds),
            start_new_session=True,  # Ctrl-C is for whoever grades
        )
        for number in (tells, gate, err, *given):
            os.close(number)
        pid = first_process(told)
        if pid is None:
            process.kill()
            process.wait()
            said = read_available(stderr)
            os.close(stderr)
            raise JailUnavailable(explain(said))
        first = os.pidfd_open(pid)
        os.write(opener, b"x")
        return process, pid, first, stderr
    finally:
        os.close(told)
        os.close(opener)


def fill(number: int, text: str) -> None:
    os.write(number, text.encode())
    os.lseek(number, 0, os.SEEK_SET)


def first_process(told: int) -> int | None:
    """The first process inside, as bubblewrap tells it; None if it gave up."""
    text = b""
    while b"}" not in text:
        data = os.read(told, 4096)
        if not data:
            return None
        text += data
    return json.loads(text)["child-pid"]


def read_available(number: int, most: int = 65536) -> str:
    """What a pipe holds, without waiting for more."""
    if not select.select([number], [], [], 0.2)[0]:
        return ""
    return os.read(number, most).decode(errors="replace").strip()


def walls(limits: Limits, uid: int | None, rights: tuple[str, ...] = RIGHTS) -> list[str]:
    """bubblewrap's arguments. `uid`: the user that the program inside will become; None if that is who starts it."""
    apart = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if uid is None:
        apart += ["--unshare-user"]
    apart += ["--die-with-parent", "--new-session", "--hostname", "grading", "--clearenv", "--cap-drop", "ALL"]
    for right in rights if uid is not None else ():
        apart += ["--cap-add", right]
    for name, value in ENVIRONMENT.items():
        apart += ["--setenv", name, value]
    apart += ["--setenv", "COURSE_PATH", os.pathsep.join(map(str, site_folders()))]
    seen = [*system(), *bound(*python_folders()), *course()]
    room = ["--size", str(limits.disk)]
    own = ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", *room, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
    own += ["--perms", "1777", *room, "--tmpfs", "/learner"]
    if not any(Path(folder).is_relative_to("/tmp") for folder in python_folders()):  # a course may lie in /tmp
        own += ["--symlink", "/learner/tmp", "/tmp"]
    own += ["--perms", "0777", "--dir", "/learner/home", "--perms", "0777", "--dir", "/learner/tmp"]
    return [*apart, *seen, *own, "--chdir", "/learner/home"]


def system() -> list[str]:
    """The C libraries, and where the linker finds them."""
    arguments = ["--perms", "0755", "--dir", "/etc", *show(Path("/usr/lib"), Path("/usr/lib"))]
    for name in ("/usr/lib64", "/lib", "/lib64"):
        path = Path(name)
        if path.is_symlink():
            arguments += ["--symlink", os.readlink(path), name]
        elif path.is_dir():
            arguments += ["--ro-bind", name, name]
    return [*arguments, "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]


def python() -> list[str]:
    """The interpreter itself, not the environment's link to it; `inside` completes its path."""
    return [os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable), "-P", "-S", "-s", "-B"]


def python_folders() -> list[Path]:
    """The Python installation: its executable, its library, and the installed packages."""
    compiled = sysconfig.get_config_var("DESTSHARED")
    libraries = {Path(os.__file__).parents[1], *([Path(compiled).parents[1]] if compiled else [])}
    return [Path(python()[0]), *(path for path in libraries if path.is_dir()), *site_folders()]


def site_folders() -> list[Path]:
    """Where packages are installed."""
    kinds = ("site-packages", "dist-packages")
    return [path for path in map(Path, sys.path) if path.name in kinds and path.is_dir()]


def bound(*paths: Path) -> list[str]:
    """Show files and folders where they are, read-only; those inside another only once."""
    arguments, shown = [], [Path("/usr/lib"), Path("/lib"), Path("/lib64")]
    for path in sorted(set(paths)):
        if not any(path.is_relative_to(folder) for folder in shown):
            arguments += show(path, path)
            shown.append(path)
    return arguments


def show(path: Path, place: Path) -> list[str]:
    """Show a file or folder, read-only, at `place`."""
    # bubblewrap makes missing parents too, but some of them readable for root alone.
    folders = [["--perms", "0755", "--dir", str(parent)] for parent in reversed(place.parents)]
    return [*itertools.chain(*folders[1:]), "--ro-bind", str(path), str(place)]


def course() -> list[str]:
    """utils without its answers, and the program inside."""
    shown = [(HERE / name, f"/course/jail/{name}") for name in ("inside.py", "walls.py")]
    shown += [(path, f"/course/{path.relative_to(ROOT)}") for path in utils_files()]
    return list(itertools.chain(*(show(path, Path(place)) for path, place in shown)))


def utils_files() -> list[Path]:
    """What of utils gets in: files and folders. No __pycache__ beside an answer, for it would hold the answer too."""
    entries = [path for path in sorted((ROOT / "utils").iterdir()) if path.name[0] != "." and path.name != "checks"]
    return [*entries, *(ROOT / "utils" / "checks" / name for name in QUESTIONS_ONLY)]


turns = itertools.count()


def unused_uid() -> int:
    """A user id that nobody has, not even another jail of this moment."""
    import pwd  # which Windows has not

    ranges = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    # A container often has no more than 65,536 of them.
    start, size = (1_900_000_000, 90_000_000) if has(ranges, 1_989_999_999) else (50_000, 9_000)
    for _ in range(100):
        uid = start + (os.getpid() * 997 + next(turns)) % size
        with contextlib.suppress(KeyError):
            pwd.getpwuid(uid)
            continue
        if has(ranges, uid):
            return uid
    raise JailUnavailable("no user id is free for the jail: this container maps too few of them (/proc/self/uid_map).")


def has(ranges: list[tuple[int, ...]], uid: int) -> bool:
    return any(first <= uid < first + size for first, _, size in ranges)


@lru_cache
def find_bwrap() -> str:
    """The path of a bubblewrap that is new enough.

    Raises
    ------
    JailUnavailable
    """
    if sys.platform != "linux":
        raise JailUnavailable(
            f"The jail needs Linux; this is {sys.platform}. Grade in the container of grading/Dockerfile: its first "
            "lines say how. Learner code is not run without a jail unless you ask for that with --no-jail."
        )
    path = shutil.which("bwrap")
    if not path:
        raise JailUnavailable(
            "bubblewrap is not installed: there is no `bwrap`. Debian and Ubuntu: sudo apt install bubblewrap. "
            "Fedora: sudo dnf install bubblewrap. Without administrator's rights: conda install -c conda-forge "
            "bubblewrap."
        )
    said = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
    version = tuple(map(int, re.findall(r"\d+", said)[:2]))
    if version < OLDEST_BWRAP:
        raise JailUnavailable(
            f"{path} is {said.strip() or 'of an unknown version'}; the jail needs {'.'.join(map(str, OLDEST_BWRAP))} "
            "or later (Debian 12, Ubuntu 24.04, Fedora 38, conda-forge)."
        )
    return path


def explain(said: str) -> str:
    """bubblewrap's complaint, and what to do about it."""
    return f"bubblewrap cannot build the jail here: {said or 'it said nothing'}.\n{remedy(said)}"


def remedy(said: str) -> str:
    if in_container():
        return (
            "This is a container, and its own walls forbid it. Start it with --cap-add SYS_ADMIN --cap-add NET_ADMIN "
            "--security-opt seccomp=unconfined --security-opt apparmor=unconfined, or with --privileged; "
            "see the first lines of grading/Dockerfile."
        )
    if os.geteuid() == 0:
        return "It was started by root, who lacks a right that root usually has. `python -m grading doctor` says more."
    if setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
        return (
            "Ubuntu (23.10 and later) lets only known programs make user namespaces. Either allow bubblewrap, with the "
            "profile that is shipped for it:\n  sudo apt install apparmor-profiles\n  sudo cp "
            "/usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/\n  sudo systemctl reload "
            "apparmor\nor lift it for every program:\n  sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
        )
    for name in ("/proc/sys/kernel/unprivileged_userns_clone", "/proc/sys/user/max_user_namespaces"):
        if setting(name) == "0":
            value = 1 if name.endswith("clone") else 15000
            return f"User namespaces are switched off: sudo sysctl {name[10:].replace('/', '.')}={value} allows them."
    return "`python -m grading doctor` tries its parts one by one and says more."


def in_container() -> bool:
    return Path("/.dockerenv").exists() or Path("/run/.containerenv").exists()


def setting(name: str) -> str:
    path = Path(name)
    return path.read_text().strip() if path.exists() else ""


class Unjailed(Inmate):
    """The program inside, outside: no wall at all, only time is limited. Never for the work of strangers."""

    def __init__(self, limits: Limits):
        print(
            "WARNING: no jail! The code of these notebooks runs with all your rights: it can read, change and send "
            "away every file you can. Use this for work that you wrote yourself, and nothing else.",
            file=sys.stderr,
            flush=True,
        )
        self.folder = tempfile.TemporaryDirectory(prefix="no-jail-")
        self.copy_course(Path(self.folder.name))
        inside, self.incoming = os.pipe()
        self.outgoing, outside = os.pipe()
        home = Path(self.folder.name, "home")
        home.mkdir()
        self.process = subprocess.Popen(
            [*python(), f"{self.folder.name}/course/jail/inside.py", "unjailed", str(inside), str(outside)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT
            | {"HOME": str(home), "TMPDIR": str(home), "COURSE_PATH": os.pathsep.join(map(str, site_folders()))},
            cwd=home,
            pass_fds=(inside, outside),
            start_new_session=True,
        )
        os.close(inside)
        os.close(outside)
        self.pid = self.process.pid

    def copy_course(self, folder: Path) -> None:
        for path in utils_files():
            target = folder / "course" / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(path, target) if path.is_dir() else shutil.copy(path, target)
        (folder / "course" / "jail").mkdir()
        shutil.copy(HERE / "inside.py", folder / "course" / "jail")

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def code(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self.process.wait(1)
            return code if code >= 0 else 128 - code

    def complaint(self) -> str:
        return read_available(self.process.stderr.fileno())

    def close(self) -> None:
        self.kill()
        self.process.stderr.close()
        os.close(self.incoming)
        os.close(self.outgoing)
        self.folder.cleanup()
