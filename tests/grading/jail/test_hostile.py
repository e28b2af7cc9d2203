"""Learner code that does harm. Each ends with a status, gains nothing, and leaves the next one unharmed."""

import os
import re
import socket
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from jailbirds import INVERT, SHORT, asked, right

from grading.jail import Limits, Ran, launcher, run
from grading.jail.listening import FINISHED, KILLED, OUT_OF_MEMORY, TIMED_OUT, TOO_MUCH, once

C = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
CHECK = "if result < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))"
NOT_THERE = "FileNotFoundError|NotADirectoryError"
NOT_ALLOWED = r"PermissionError|OSError: \[Errno 30\]|OSError: \[Errno 1\]"


def c(call: str) -> str:
    """A call of the C library that raises if it fails."""
    return f"import os\n{C}result = libc.{call}\n{CHECK}"


# What is tried in a cell, and how it must fail.
REFUSED = {
    "shadow": ("open('/etc/shadow')", NOT_THERE),
    "hostname": ("open('/etc/hostname')", NOT_THERE),
    "resolver": ("open('/etc/resolv.conf')", NOT_THERE),
    "sysfs": ("open('/sys/class')", NOT_THERE),
    "disks": ("open('/dev/vda')", NOT_THERE),
    "commands": ("import subprocess\nsubprocess.run(['sh', '-c', 'id'])", NOT_THERE),
    "first's memory": ("open('/proc/1/mem', 'r+b')", NOT_ALLOWED),
    "first's files": ("import os\nos.listdir('/proc/1/fd') and os.readlink('/proc/1/fd/0') and 1/0", NOT_ALLOWED),
    "first's environment": ("open('/proc/1/environ').read() and 1/0 or open('/nothing')", f"{NOT_ALLOWED}|{NOT_THERE}"),
    "first's root": ("import os\nos.listdir('/proc/1/root/root/.ssh')", f"{NOT_ALLOWED}|{NOT_THERE}"),
    "grading": ("import grading", "ModuleNotFoundError"),
    "answers": ("import utils.checks.answers", "ModuleNotFoundError"),
    "answers, hidden": ("from utils.checks import answers", "ImportError"),
    "verdict": ("import utils.checks.verdict", "ModuleNotFoundError"),
    "report": ("import utils.checks.report", "ModuleNotFoundError"),
    "solutions": ("open('/course/solutions/01_convolution/01_convolution.ipynb')", NOT_THERE),
    "write root": ("open('/x', 'w')", NOT_ALLOWED),
    "write etc": ("open('/etc/passwd', 'a')", NOT_ALLOWED),
    "write dev": ("open('/dev/x', 'w')", NOT_ALLOWED),
    "write course": ("open('/course/utils/__init__.py', 'a')", NOT_ALLOWED),
    "write new module": ("open('/course/torch.py', 'w')", NOT_ALLOWED),
    "write packages": ("import numpy\nopen(numpy.__file__, 'a')", NOT_ALLOWED),
    "write python": ("import os\nopen(os.__file__, 'a')", NOT_ALLOWED),
    "write interpreter": ("open('/proc/self/exe', 'r+b')", f"{NOT_ALLOWED}|Text file busy"),
    "write kernel": ("open('/proc/sys/kernel/core_pattern', 'w')", NOT_ALLOWED),
    "sysrq": ("open('/proc/sysrq-trigger', 'w')", f"{NOT_ALLOWED}|{NOT_THERE}"),
    "become root": ("import os\nos.setuid(0)", f"{NOT_ALLOWED}|Errno 22"),
    "groups": ("import os\nos.setgroups([0])", NOT_ALLOWED),
    "priority": ("import os\nos.nice(-5)", NOT_ALLOWED),
    "processes": ("import resource as r\nr.setrlimit(r.RLIMIT_NPROC, (999, 999))", "ValueError|PermissionError"),
    "memory": ("import resource as r\nr.setrlimit(r.RLIMIT_AS, (-1, -1))", "ValueError|PermissionError"),
    "cpu": ("import resource as r\nr.setrlimit(r.RLIMIT_CPU, (-1, -1))", "ValueError|PermissionError"),
    "core": ("import resource as r\nr.setrlimit(r.RLIMIT_CORE, (1, 1))", "ValueError|PermissionError"),
    "ptrace": (c("ptrace(16, 1, 0, 0)"), NOT_ALLOWED),
    "read other's memory": (c("process_vm_readv(1, None, 0, None, 0, 0)"), NOT_ALLOWED),
    "mount": (c("mount(b'tmpfs', b'/learner', b'tmpfs', 0, None)"), NOT_ALLOWED),
    "umount": (c("umount2(b'/proc', 2)"), NOT_ALLOWED),
    "chroot": ("import os\nos.chroot('/learner')", NOT_ALLOWED),
    "unshare": (c("unshare(0x10000000)"), NOT_ALLOWED),
    "new namespace": (c("syscall(*{'x86_64': (56,), 'aarch64': (220,)}[os.uname().machine], 0x10000011, 0, 0, 0, 0)"),
                      NOT_ALLOWED),
    "clone3": (c("syscall(435, 0, 0)"), "Function not implemented"),
    "setns": (c("setns(0, 0)"), NOT_ALLOWED),
    "anonymous file": ("import os\nos.memfd_create('x')", NOT_ALLOWED),
    "segment": (c("shmget(0, 4096, 0o1600)"), NOT_ALLOWED),
    "keys": (c("syscall({'x86_64': 250, 'aarch64': 219}[os.uname().machine], 0, -3, 0)"), NOT_ALLOWED),
    "uring": (c("syscall(425, 1, 0)"), NOT_ALLOWED),
    "device": ("import os\nos.mknod('/learner/x', 0o60666, 0x0800)", NOT_ALLOWED),
    "names": ("import socket\nsocket.getaddrinfo('example.org', 80)", "gaierror"),
    "internet": ("import socket\nsocket.create_connection(('192.0.2.1', 80), 1)", r"Errno 101|TimeoutError"),
    "vsock": ("import socket\nsocket.socket(socket.AF_VSOCK)", "Errno 97"),
    "netlink": ("import socket\nsocket.socket(socket.AF_NETLINK)", "Errno 97"),
    "packets": ("import socket\nsocket.socket(socket.AF_PACKET, socket.SOCK_RAW)", "Errno 97"),
    "raw": ("import socket\nsocket.socket(socket.AF_INET, socket.SOCK_RAW, 1)", NOT_ALLOWED),
    "crypto": ("import socket\nsocket.socket(socket.AF_ALG)", "Errno 97"),
}  # fmt: skip


def test_what_is_refused(jailed):
    heard = jailed([(name, source) for name, (source, _) in REFUSED.items()], limits=Limits(cell=2))
    assert heard.status == FINISHED
    errors = {name: ran.error for name, ran in heard.cells.items()}
    assert {name: errors[name] for name, (_, how) in REFUSED.items() if not re.search(how, errors[name])} == {}


def test_no_way_to_a_server_of_this_machine(jailed, tmp_path):
    tcp = socket.create_server(("127.0.0.1", 0))
    files = [str(tmp_path / "socket"), f"\0jail-{os.getpid()}"]
    servers = [tcp, *(socket.socket(socket.AF_UNIX) for _ in files)]
    for server, address in zip(servers[1:], files, strict=True):
        server.bind(address)
        server.listen()
    cells = [("tcp", f"import socket\nsocket.create_connection(('127.0.0.1', {tcp.getsockname()[1]}), 1)")]
    cells += [(str(i), f"s = socket.socket(socket.AF_UNIX)\ns.connect({file!r})") for i, file in enumerate(files)]
    errors = [ran.error for ran in jailed(cells).cells.values()]
    assert len(errors) == 3 and all(re.search("refused|No such|unreachable", error) for error in errors)
    with socket.create_connection(tcp.getsockname()):  # the test can fail: from here there is a way
        pass
    for server in servers:
        server.close()


def test_what_there_is_to_see(jailed):
    """Every file but those of the Python installation and the C libraries."""
    hidden = ["/usr/lib", "/proc", *map(str, launcher.python_folders())]
    walk = f"""
import json, os
for folder, folders, files in os.walk('/', followlinks=False):
    folders[:] = [f for f in folders if os.path.join(folder, f) not in {hidden!r}]
    for name in files + [f for f in folders if os.path.islink(os.path.join(folder, f))]:
        path = os.path.join(folder, name)
        if path not in {hidden!r}: print(path)
"""
    seen = set(jailed([("a", walk)], limits=Limits(output=10**6)).cells["a"].stdout.splitlines())
    utils = {path for path in seen if path.startswith("/course/utils/")}
    assert utils == {f"/course/{path}" for path in questions_of_utils()}
    assert not [path for path in utils if "answers" in path or "verdict" in path or "report" in path]
    etc = {"/etc/passwd", "/etc/group", "/etc/ld.so.cache"}
    links = {"/lib", "/lib64", "/tmp", "/usr/lib64"}
    home = {path for path in seen if path.startswith("/learner/home/.")}  # IPython's own
    linker = {path for path in seen if path.startswith("/usr/lib64/ld-")}
    others = seen - utils - etc - links - home - linker - {"/course/jail/inside.py", "/course/jail/walls.py"}
    assert {path for path in others if not path.startswith("/dev/")} == set()
    devices = {"null", "zero", "full", "random", "urandom", "tty", "stdin", "stdout", "stderr", "fd", "core", "ptmx"}
    assert {path.split("/")[2] for path in others} <= devices | {"pts", "console"}


def questions_of_utils() -> set[Path]:
    root = launcher.ROOT
    every = (path for top in launcher.utils_files() for path in [top, *top.rglob("*")])
    found = {path.relative_to(root) for path in every if path.is_file()}
    assert {Path("utils/checks/question.py"), Path("utils/show/__init__.py")} <= found
    return found


def test_nothing_is_known_of_this_machine(jailed, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "abc")
    cells = [
        ("environment", "import os\nsorted(os.environ)"),
        ("first", "try: print(open('/proc/1/environ').read())\nexcept PermissionError: pass"),
        ("processes", "[p for p in os.listdir('/proc') if p.isdigit()]"),
        ("name", "os.uname().nodename"),
        ("user", "os.getuid() not in (0, 65534), os.getgroups() == [] or os.getgroups()"),
        ("passwd", "open('/etc/passwd').read()"),
        ("files", "sorted(map(int, os.listdir('/proc/self/fd')))"),
        ("suid", "[p for p in ('/', '/usr/lib', '/learner', '/course/utils/data', '/dev/shm')"
                 " if not os.statvfs(p).f_flag & os.ST_NOSUID]"),
        ("console", "os.open('/dev/tty', os.O_RDWR)"),
    ]  # fmt: skip
    ran = jailed(cells).cells
    assert "SECRET" not in ran["environment"].result and ran["environment"].error == ""
    assert ran["first"] == type(ran["first"])(stdout=ran["first"].stdout) and ran["first"].stdout.strip() == ""
    assert ran["processes"].result == "['1', '2']"
    assert ran["name"].result == "'grading'"
    assert ran["user"].result.startswith("(True, ")
    assert ran["passwd"].result == r"'learner:x:0:0::/learner/home:/nonexistent\n'"
    # The empty in- and outputs, the two pipes, and the listing itself. What else?
    assert len(eval(ran["files"].result)) <= 6
    assert ran["suid"].result == "[]"
    assert "No such device" in ran["console"].error


STATUSES = {FINISHED, TIMED_OUT, OUT_OF_MEMORY, TOO_MUCH, KILLED}
HERE = "import os, signal, sys, threading, time, ctypes, atexit, gc, builtins, json\n"
FIND = """
pipes = []
for n in range(200):
    try: target = os.readlink(f'/proc/self/fd/{n}')
    except OSError: continue
    if target.startswith('pipe:'): pipes.append(n)
"""
# The ends of a cell: how the whole must end, and what the cell's own error says.
FATAL = {
    "exits": ("os._exit(0)", "ended its own process"),
    "aborts": ("os.abort()", "signal 6"),
    "crashes": ("ctypes.string_at(0)", "signal 11"),
    "recursion": ("sys.setrecursionlimit(10**9)\nclass A:\n  def __repr__(self): return repr(self)\nrepr(A())\n"
                  "def f(): return [*map(lambda _: f(), [1])]\nf()", "signal 11|RecursionError|MemoryError"),
    "kills all": ("os.kill(-1, 9)\nwhile True: pass", "No such process"),
    "kills its group": ("os.kill(0, 9)\nwhile True: pass", "killed|interrupted"),
    "kills itself": ("os.kill(os.getpid(), 9)", "killed"),
    "stops itself": ("os.kill(os.getpid(), signal.SIGSTOP)", "took too long"),
    "ignores signals": ("for s in range(1, 65):\n  try: signal.signal(s, signal.SIG_IGN)\n  "
                        "except (OSError, ValueError): pass\nwhile True: pass", "took too long"),
    "catches all": ("while True:\n  try: time.sleep(9)\n  except BaseException: pass", "took too long"),
    "closes all": ("os.closerange(0, 1000)", "took too long|ended its own|channel"),
    "garbage everywhere": ("for n in range(64):\n  try: os.write(n, b'{}\\n\\xff\\0garbage' * 100)\n"
                           "  except OSError: pass", "channel"),
    "garbage without end": (f"{FIND}\nwhile True:\n  for n in pipes:\n    try: os.write(n, b'x' * 65536)\n"
                            "    except OSError: pass", "bytes came out"),
    "an array of arrays": (f"{FIND}\nfor n in pipes:\n  try: os.write(n, b'[' * 10**6 + b'\\n')\n"
                           "  except OSError: pass", "channel"),
    "forks in the shell": ("os.fork()", "channel|^$"),
    "hoards memory": ("for _ in range(6):\n  if os.fork() == 0:\n    x = bytearray(200_000_000)\n    time.sleep(60)\n"
                      "time.sleep(60)", "used more than 256 MiB"),
    "writes nothing": ("os.write = lambda n, data: 0", "took too long"),
    "says nothing": ("json.dumps = lambda x: 'null'", "channel"),
    "blocks the end": ("os._exit = lambda code: time.sleep(99)\nos.fork = None", "^$"),
    "sleeps in del": ("class A:\n  def __del__(self): time.sleep(99)\na = A()\na.me = a", "^$"),
    "sleeps at exit": ("atexit.register(time.sleep, 99)", "^$"),
    "thread": ("threading.Thread(target=time.sleep, args=(99,)).start()", "^$"),
    "garbage collection": ("gc.callbacks.append(lambda *_: time.sleep(99))\ngc.collect()",
                           "interrupted|took too long|^$"),
    "grandchild": ("if os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0: time.sleep(99)\n  os._exit(0)", "^$"),
    "name": ("ctypes.CDLL(None).prctl(15, b') R 0 0\\n\\xff', 0, 0, 0)", "^$"),
    "exits politely": ("sys.exit()", "SystemExit"),
    "builtins": ("builtins.len = lambda x: 0\nbuiltins.isinstance = lambda *_: True\nbuiltins.str = None", ""),
    "no output": ("sys.stdout = sys.stderr = None", ""),
    "hook before": ("get_ipython().events.register('pre_run_cell', lambda info: 1 / 0)", "^$"),
    "hook after": ("get_ipython().events.register('post_run_cell', lambda result: os._exit(1))", "ended its own"),
    "transformer": ("import ast\nclass T(ast.NodeTransformer):\n  def visit(self, node): return ast.Module([], [])\n"
                    "get_ipython().ast_transformers.append(T())", "^$"),
    "no shell": ("get_ipython().run_cell = None", "^$"),
    "display": ("get_ipython().display_formatter = None\nsys.displayhook = None", "^$"),
    "bomb": ("while True: os.fork()", ""),
    "bomb of threads": ("while True: threading.Thread(target=time.sleep, args=(99,)).start()", "start new thread"),
    "bytes": ("x = []\nwhile True: x.append(bytearray(50_000_000))", "used more than 256 MiB|MemoryError"),
    "disk": ("for i in range(99): open(f'/learner/tmp/{i}', 'wb').write(bytes(10**6))", "No space"),
    "other disk": ("for i in range(99): open(f'/dev/shm/{i}', 'wb').write(bytes(10**6))", "No space"),
    "one file": ("with open('/learner/tmp/x', 'wb') as f:\n  while True: f.write(bytes(10**6))", "OSError"),
    "fault handler": ("import faulthandler\nf = open('x', 'w')\nfaulthandler.enable(f)\n"
                      "faulthandler.dump_traceback_later(0.1, exit=True, file=f)\ntime.sleep(1)", "ended its own"),
    "files": ("for i in range(10**6): open(f'/learner/tmp/{i}', 'w').close()\ntime.sleep(1)",
              "more than 500 files|No space"),
    "print": ("while True: print('x' * 1000)", "interrupted"),
    "long name": ("raise type('E' * 10**6, (Exception,), {})('x' * 10**8)", "and more"),
    "deep": ("def f(n): return f(n + 1)\nf(0)", "RecursionError"),
    "no text": ("class E(Exception):\n  def __str__(self): raise self\nraise E", "no text"),
    "result": ("class A:\n  def __repr__(self): return 'x' * 10**8\nA()", "^$"),
    "sequence": ("'\\ud800'", "^$"),
}  # fmt: skip


TAKE_THEIR_TIME = {"bytes", "hoards memory", "files", "disk", "other disk", "garbage without end", "long name"}


@pytest.mark.parametrize("name", FATAL)
def test_each_ends(jailed, name):
    source, expected = FATAL[name]
    limits = replace(SHORT, cell=30, cells=30) if name in TAKE_THEIR_TIME else SHORT
    heard = once([("honest", INVERT), ("hostile", HERE + source)], [], limits, jailed.keywords["warm"], False)
    assert heard.status in STATUSES and (heard.status == FINISHED) == (heard.why == "")
    ran = heard.cells.get("hostile", Ran(error=heard.why))
    assert re.search(expected, ran.error), (heard.status, ran.error)
    for part in (ran.stdout, ran.stderr, ran.result, ran.error, ran.traceback, heard.why):
        assert len(part) <= limits.output + 200
        part.encode()


HARMFUL = {
    "endless": ("while True: pass", "took longer"),
    "exit": ("import os; os._exit(0)", "ended the check's process"),
    "crash": ("import ctypes; ctypes.string_at(0)", "crashed the check's process"),
    "system exit": ("import sys; sys.exit()", "error"),
    "interrupt": ("raise KeyboardInterrupt", "error"),
    "no text": ("raise type('E', (Exception,), {'__str__': lambda self: 1 / 0})", "error"),
    "memory": ("import torch; x = [torch.ones(10**8) for _ in range(99)]", "error|took longer"),
    "bytes": ("x = [bytearray(10**8) for _ in range(99)]", "error|took longer"),
    "huge": ("import torch; return torch.zeros(3 * 10**6, dtype=torch.float64)", "far too large"),
    "nan": ("return image * float('nan')", "wrong"),
    "infinity": ("return image / 0", "wrong"),
    "empty": ("return image[:0]", "wrong"),
    "text": ("import numpy; return numpy.array('Infinity')", "wrong"),
    "objects": ("import numpy; return numpy.array([object()])", "not a tensor"),
    "nothing": ("pass", "nothing"),
    "always equal": ("return type('T', (), {'__eq__': lambda *_: True, '__array__': lambda *_: 1})()", "not a tensor"),
    "subclass": ("import torch\n    class T(torch.Tensor):\n"
                 "        __torch_function__ = classmethod(lambda *a, **k: T([1.0]))\n"
                 "        def numpy(self): return 'equal'\n        def __eq__(self, other): return True\n"
                 "    return T([1.0])", "wrong|cannot be read|error"),
    "array that lies": ("import numpy\n    class A(numpy.ndarray):\n        def __eq__(self, other): return True\n"
                        "        def tobytes(self): return b''\n        nbytes = 0\n        shape = (2, 3)\n"
                        "    return numpy.zeros((9, 9)).view(A)", "wrong|cannot be read"),
    "pickle": ("import torch\n    class T(torch.Tensor):\n        def __reduce__(self): return (print, ('code',))\n"
               "    return T([1.0])", "wrong"),
    "leaves a child": ("import os, time\n    if os.fork() == 0:\n        os.setsid(); time.sleep(99)\n"
                       "    return image * 0", "wrong"),
    "leaves a child and goes": ("import os, time\n    if os.fork() == 0:\n        os.setsid(); time.sleep(99)\n"
                                "    os._exit(1)", "ended the check's process"),
    "bomb": ("import os\n    while True: os.fork()", ""),
    "forges": (f"import os\n{FIND.replace(chr(10), chr(10) + '    ')}\n    for n in pipes: "
               "os.write(n, b'{{\"none\": 5}}\\n')\n    return image", ""),
    "many patches": ("import torch, builtins, os, json, utils.checks.question as q, utils.checks.wire as w\n"
                     "    torch.allclose = torch.equal = lambda *a, **k: True\n    builtins.all = lambda *_: True\n"
                     "    q.attempt = None\n    w.packed_array = lambda a: ['float64', [1], 'AAAAAAAAAAA=']\n"
                     "    return image * 0", "wrong"),
    "not even JSON": ("import json\n    json.dumps = lambda x: '[' * 100000\n    return image",
                      "no answer|cannot be read"),
    "unknown trouble": ("import utils.checks.wire as w\n    "
                        "w.dump_outcomes = lambda o: '[{\"trouble\": [\"right\", \"\", \"\"]}]'\n"
                        "    return image", "cannot be read"),
    "many answers": ("import utils.checks.wire as w\n    "
                     "w.dump_outcomes = lambda o: '[' + ','.join(['{\"arrays\": {}}'] * 5) + ']'\n"
                     "    return image", "5 answers came back to 1 questions"),
    "too long": ("import utils.checks.wire as w\n    w.dump_outcomes = lambda o: 'x' * 40_000_000\n"
                 "    return image", "longer"),
}  # fmt: skip


def test_checks_that_do_harm(warm):
    """All of them in one jail: each has its own ending, and the honest check at the end is not touched by any."""
    cells = [("honest", INVERT)]
    cells += [(f"d{i}", f"def harm{i}(image):\n    {body}") for i, (body, _) in enumerate(HARMFUL.values())]
    checks = [asked(f"harm{i}", name) for i, name in enumerate(HARMFUL)]
    limits = Limits(memory=600 * 2**20, check=1.5, processes=24, cpu=30)
    heard = partial(run, limits=limits, warm=warm)(cells, [*checks, asked()])
    assert heard.status == FINISHED and right(heard.answers["check"])
    found = {name: in_a_word(heard.answers[name]) for name in HARMFUL}
    assert {name: word for name, word in found.items() if not re.search(HARMFUL[name][1], word)} == {}
    assert "right" not in found.values()


def in_a_word(answer) -> str:
    if isinstance(answer, str):
        return answer
    if answer[0].trouble:
        return answer[0].trouble.kind
    return "right" if right(answer) else "wrong"


def test_the_next_one_is_not_harmed(warm):
    """Several at once from one warm interpreter: hostile ones beside honest ones."""
    found = {}

    def serve(number, source):
        found[number] = run([("a", INVERT), ("b", HERE + source)], [asked()], SHORT, warm=warm)

    hostile = ["os.kill(-1, 9)", "os.kill(0, 9)", "while True: os.fork()", "x = bytearray(10**9)"]
    threads = [threading.Thread(target=serve, args=item) for item in enumerate([*hostile, *["1"] * 4])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [right(found[number].answers["check"]) for number in range(4, 8)] == [True] * 4
    assert all(found[number].status in STATUSES for number in range(4))
    assert right(run([("a", INVERT)], [asked()], SHORT, warm=warm).answers["check"])


def test_siblings_and_the_interpreter_are_out_of_reach(warm):
    """Two forks of one interpreter: one waits, the other looks for it on the disk, among processes, in sockets."""
    wait = (
        "import socket, time\ns = socket.socket(socket.AF_UNIX)\ns.bind('\\0sibling')\ns.listen()\n"
        "open('/learner/tmp/secret', 'w').write('x')\nopen('/dev/shm/secret', 'w').write('x')\ntime.sleep(1)"
    )
    look = (
        "import os, socket\nprint(os.listdir('/proc/1/task'), [p for p in os.listdir('/proc') if p.isdigit()])\n"
        "print(os.listdir('/learner/tmp'), os.listdir('/dev/shm'))\n"
        "s = socket.socket(socket.AF_UNIX)\ns.connect('\\0sibling')"
    )
    found = {}
    sibling = threading.Thread(target=lambda: found.update(a=run([("a", wait)], limits=SHORT, warm=warm)))
    sibling.start()
    threading.Event().wait(0.5)
    ran = run([("b", look)], limits=SHORT, warm=warm).cells["b"]
    sibling.join()
    assert found["a"].cells["a"].error == ""
    assert ran.stdout == "['1'] ['1', '2']\n[] []\n"
    assert "ConnectionRefusedError" in ran.error
