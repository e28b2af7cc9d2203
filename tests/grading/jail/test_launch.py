"""Starting the jail: what is missing is said, nothing outlives the grader, and a user can do it as well as root."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from jailbirds import SHORT, left, members, open_files

from grading.jail import JailUnavailable, Warm, doctor, launcher, run, walls

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def no_memory():
    launcher.find_bwrap.cache_clear()
    yield
    launcher.find_bwrap.cache_clear()


def pretend(monkeypatch, folder: Path, script: str) -> None:
    """A `bwrap` that does something else."""
    (folder / "bwrap").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.parametrize("start", [Warm, lambda: run([("a", "1")])], ids=["warm", "plain"])
def test_without_bubblewrap(start, no_memory, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(JailUnavailable, match="sudo apt install bubblewrap"):
        start()


def test_an_old_bubblewrap(no_memory, monkeypatch, tmp_path):
    pretend(monkeypatch, tmp_path, "echo bubblewrap 0.6.1")
    with pytest.raises(JailUnavailable, match=r"is bubblewrap 0\.6\.1; the jail needs 0\.8 or later"):
        run([("a", "1")])


@pytest.mark.parametrize("start", [Warm, lambda: run([("a", "1")])], ids=["warm", "plain"])
def test_a_bubblewrap_that_may_not(start, no_memory, monkeypatch, tmp_path):
    complaint = "bwrap: setting up uid map: Permission denied"
    pretend(
        monkeypatch, tmp_path, f'[ "$1" = --version ] && echo bubblewrap 0.8.0 && exit\necho "{complaint}" >&2; exit 1'
    )
    before = open_files()
    with pytest.raises(JailUnavailable, match=f"cannot build the jail here: {complaint}"):
        start()
    assert not open_files() - before
    assert Warm.if_possible() is None


def test_another_system(no_memory, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(JailUnavailable, match=r"needs Linux; this is darwin.*grading/Dockerfile"):
        run([("a", "1")])


@pytest.mark.parametrize(
    ("found", "advice"),
    [
        ({"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1"}, "bwrap-userns-restrict"),
        ({"/proc/sys/kernel/unprivileged_userns_clone": "0"}, "sudo sysctl kernel.unprivileged_userns_clone=1"),
        ({"/proc/sys/user/max_user_namespaces": "0"}, "sudo sysctl user.max_user_namespaces=15000"),
        ({}, "doctor"),
    ],
)
def test_what_to_do(monkeypatch, found, advice):
    monkeypatch.setattr(launcher, "setting", lambda name: found.get(name, ""))
    monkeypatch.setattr(launcher, "in_container", lambda: False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert advice in launcher.remedy("")
    monkeypatch.setattr(launcher, "in_container", lambda: True)
    assert "--cap-add SYS_ADMIN" in launcher.remedy("")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root could forget to become another user")
def test_root_that_forgets_to_become_another_user(monkeypatch):
    """The program inside looks for itself, before any learner code."""
    monkeypatch.setattr(launcher, "unused_uid", lambda: 0)
    with pytest.raises(JailUnavailable, match="no other user was named"):
        run([("a", "1")])


@pytest.mark.parametrize("call", ["kill_others", "inspect"])
def test_what_would_harm_everybody_is_not_done_outside(call, monkeypatch):
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("this would have ended every process"))
    with pytest.raises(walls.Breach):
        walls.kill_others() if call == "kill_others" else walls.inspect({"processes": 1})


def test_an_unknown_processor():
    with pytest.raises(walls.Breach, match="riscv64"):
        walls.program("riscv64")
    assert len(walls.program("aarch64")) % 8 == 0


@pytest.mark.parametrize("way", ["plain", "warm"])
def test_whoever_kills_the_grader_kills_the_jail(way):
    """Not even a loop that ignores everything outlives the process that graded."""
    source = "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass"
    program = (
        "from grading.jail import Limits, Warm, listening, run\nimport os\n"
        "def look(inmate, words):\n"
        "    words.now_in and print(os.stat(f'/proc/{inmate.pid}/ns/pid').st_ino, flush=True)\n"
        f"listening.look = look\nrun([('a', {source!r})], limits=Limits(), warm={'Warm()' if way == 'warm' else None})"
    )
    grader = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=ROOT)
    namespace = int(grader.stdout.readline())
    assert members([namespace])
    grader.kill()
    grader.wait()
    grader.stdout.close()
    assert not left([namespace])


def test_ctrl_c_leaves_nothing_behind(monkeypatch):
    found = []

    def look(inmate, words):
        found.append(os.stat(f"/proc/{inmate.pid}/ns/pid").st_ino)
        raise KeyboardInterrupt

    monkeypatch.setattr("grading.jail.listening.look", look)
    with pytest.raises(KeyboardInterrupt):
        run([("a", "while True: pass")], limits=SHORT)
    assert found and not left(found)


def test_the_doctor_finds_nothing_missing(capsys, monkeypatch):
    monkeypatch.setattr("grading.jail.listening.GRACE", 1.5)
    assert doctor.main() == 0
    said = capsys.readouterr().out
    assert "MISSING" not in said and "can be graded here, in the fast jail" in said


def test_the_doctor_sees_a_wall_that_is_missing(capsys, monkeypatch):
    """A jail with the machine's own network and files in it."""
    real = launcher.walls
    share = ["--bind", "/tmp", "/tmp"]

    def holes(*arguments):
        kept = [part for part in real(*arguments) if part != "--unshare-net"]
        link = ["--symlink", "/learner/tmp", "/tmp"]  # not there if the course itself lies in /tmp
        places = [i for i in range(len(kept)) if kept[i : i + 3] == link]
        for place in places:
            del kept[place : place + 3]
        return [*kept, *share]

    monkeypatch.setattr(launcher, "walls", holes)
    monkeypatch.setattr("grading.jail.listening.GRACE", 0.5)
    assert doctor.main() == 1
    said = capsys.readouterr().out
    assert "the network                      NOT HELD" in said
    assert "cannot be graded here yet" in said


AS_USER = """
set -e
aside=$(mktemp -d)
for path in {paths}; do mkdir -p "$aside$path"; mount --bind "$path" "$aside$path"; done
for top in {tops}; do mount -t tmpfs -o mode=755 tmpfs "$top"; done
for path in {paths}; do mkdir -p "$path"; mount --bind "$aside$path" "$path"; umount "$aside$path"; done
exec setpriv --reuid=12345 --regid=12345 --clear-groups "$@"
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="every other test here has just run as a user")
def test_a_user_can_do_it_as_well_as_root(tmp_path):
    """The same tests again, as somebody who is not root: in a mount namespace where all that is needed is readable."""
    needed = {Path(path).resolve() for path in (sys.base_prefix, sys.prefix, ROOT)}
    closed = {path for top in needed for path in (top, *top.parents) if not path.stat().st_mode & 0o001}
    tops = {top for top in closed if not closed & set(top.parents)}
    paths = [path for path in needed if closed & {path, *path.parents}]
    script = AS_USER.format(paths=" ".join(map(str, paths)), tops=" ".join(map(str, tops)))
    # A folder of its own: pytest's is closed to others.
    folder = f"/tmp/jail-of-a-user-{os.getpid()}"
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={folder}"]
    chosen = "refused or nothing_is_known or kills or hoards or out_of_reach"
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *tests, "-k", chosen,
         str(Path(__file__).with_name("test_hostile.py"))],
        capture_output=True, text=True, cwd=ROOT, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert " passed" in done.stdout and "skipped" not in done.stdout
