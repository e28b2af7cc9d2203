"""A class hands in the assignment: strong, weak, broken, odd and hostile work, each judged as a careful human would."""

import pickle
import shutil
from dataclasses import replace

import bundles
import pytest
import torch
import torch.nn.functional as F
from bundles import BASELINE, CHAPTER, PROPOSED, SPEC, as_json, hand_in, listing, notebook, run, state
from safetensors.torch import load, save

from grading import assignment, records, verdict
from grading.__main__ import main as grading
from grading.jail import Limits, Warm
from grading.judged import preface
from grading.pages import markdown2html
from grading.records import GRADED, LOOK, REFUSED
from grading.release import release
from utils.assignment import record, rules
from utils.assignment.pictures import SPLIT_SEED
from utils.checks.questions.assignment import multiply_adds, with_weights

FULL = {
    "models": 10,
    "name": 2,
    "spec": 8,
    "histories": 10,
    "reported": 15,
    "baseline": 10,
    "proposed": 15,
    "learns": 5,
    "test_unused": 0,
}
SHORT = Limits(memory=1536 * 2**20, cpu=30, check=20)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    root = bundles.course(tmp_path_factory.mktemp("assignment"))
    release(root, gradebook=False)
    return root


@pytest.fixture
def root(tmp_path, small, monkeypatch, class_):
    monkeypatch.setenv("CNN_COURSE_SEED", "a seed for tests of the assignment")
    monkeypatch.setattr(assignment.data, "cifar10", lambda source: class_.images)
    assignment.pictures.cache_clear()
    shutil.copytree(small, tmp_path / "course")
    yield tmp_path / "course"
    assignment.pictures.cache_clear()


@pytest.fixture(scope="module")
def warm():
    with Warm() as warm:
        yield warm


class Class:
    """What was trained, once for all."""

    def __init__(self):
        self.images = im = bundles.images()
        split = im.split(validation=len(im.y_train) // 5, seed=SPLIT_SEED)
        train, val, test = (
            (split.x_train[:1200], split.y_train[:1200]),
            (split.x_val, split.y_val),
            (im.x_test, im.y_test),
        )
        base, mine = bundles.made(BASELINE, "Baseline"), bundles.made(PROPOSED, "proposed")
        self.nets = {"baseline": bundles.trained(base, *train, 7), "proposed": bundles.trained(mine, *train, 5)}
        self.nets["weak"] = bundles.trained(base, *train, 1)
        self.test = {name: bundles.right(net, *test) for name, net in self.nets.items()}
        self.val = {name: bundles.right(net, *val) for name, net in self.nets.items()}

    def run(self, name: str, **changes) -> dict:
        return run(self.val[name], self.test[name], **changes)


@pytest.fixture(scope="module")
def class_():
    torch.set_num_threads(1)
    return Class()


@pytest.fixture
def bundle(root, class_):
    """The files of a good student; a test changes what it is about."""

    def files(baseline="baseline", proposed="proposed", book=None, said=None, weights=(None, None), **changes):
        both = [class_.run(baseline)], [class_.run(proposed)]
        written = [given if given is not None else state(class_.nets[name])
                   for given, name in zip(weights, (baseline, proposed), strict=True)]  # fmt: skip
        made = {
            f"{CHAPTER}.ipynb": book or notebook(root),
            "bundle.json": as_json(said or listing(*both, **changes)),
            "weights/baseline.safetensors": written[0],
            "weights/proposed.safetensors": written[1],
        }
        return {name: content for name, content in made.items() if content}

    return files


@pytest.fixture
def graded(root, warm):
    """Hand files in, grade them; points by item, and the record."""

    def points(files=None, limits=SHORT, **how):
        if files is not None:
            hand_in(root, "ada", files, **how)
        record = verdict.examine(root, "ada", CHAPTER, warm=warm, limits=limits)
        return {item.check: item.given for item in record.items.values()}, record

    return points


def text(record, name: str) -> str:
    return next(item.text for item in record.items.values() if item.check == name)


def look(record, name: str) -> str:
    return next(item.look for item in record.items.values() if item.check == name)


# ── good work, and honest oddities ───────────────────────────────────────────────────────────────────────────────────


def test_good_work_earns_everything(bundle, graded, class_):
    points, record = graded(bundle())
    assert points == FULL, record
    assert record.status == GRADED
    assert f"{class_.test['proposed']:.2%}" in text(record, "reported")


def test_files_instead_of_a_zip(bundle, graded):
    points, record = graded(bundle(), loose=True)
    assert points == FULL and not record.notes


def test_a_zip_around_a_folder(bundle, graded):
    assert graded({f"my work/{name}": content for name, content in bundle().items()})[0] == FULL


def test_a_notebook_without_metadata(root, bundle, graded):
    assert graded(bundle(book=notebook(root, strip=True)))[0] == FULL


def test_a_platforms_zip(root, bundle, graded, tmp_path, capsys):
    """What the platform gives out: a ZIP in which each learner's ZIP lies; nbgrader finds a notebook afterwards."""
    path = tmp_path / "class.zip"
    path.write_bytes(bundles.zipped({f"ada/{CHAPTER}.zip": bundles.zipped(bundle())}))
    grading(["collect", CHAPTER, str(path), "--course", str(root)])
    assert (root / "grading" / "submitted" / "ada" / CHAPTER / f"{CHAPTER}.ipynb").exists()
    assert graded()[0] == FULL


def test_a_notebook_beside_the_bundle_is_left_aside(root, bundle, graded):
    hand_in(root, "ada", bundle())
    path = root / "grading" / "submitted" / "ada" / CHAPTER / f"{CHAPTER}.ipynb"
    path.write_bytes(notebook(root, proposed="proposed = None"))
    points, record = graded()
    assert points == FULL and any("the notebook in the bundle counts" in note for note in record.notes)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "_orig_mod.module."])
def test_prefixes_of_wrappers(class_, bundle, graded, prefix):
    assert graded(bundle(weights=(None, state(class_.nets["proposed"], prefix))))[0] == FULL


def test_lazily_built_layers(root, bundle, graded):
    lazy = BASELINE.replace("nn.Linear(8 * 7 * 7, 10)", "nn.LazyLinear(10)")
    assert graded(bundle(book=notebook(root, baseline=lazy)))[0] == FULL


def test_weights_in_half_precision(class_, bundle, graded):
    assert graded(bundle(weights=(None, state(class_.nets["proposed"], dtype=torch.float16))))[0] == FULL


def test_three_seeds_and_more(class_, bundle, graded):
    several = [class_.run("proposed", seed=seed, test_accuracy=class_.test["proposed"] - seed / 100) for seed in (0, 1)]
    points, record = graded(bundle(said=listing([class_.run("baseline")], several)))
    assert points == FULL and "all 3 runs" in text(record, "spec")


# ── weaker and wrong work ────────────────────────────────────────────────────────────────────────────────────────────


def test_weak_networks(bundle, graded):
    points, record = graded(bundle("weak"))
    assert points == FULL | {"baseline": 0} and record.status == GRADED
    assert "0 points; 4 from 55%" in text(record, "baseline")


def test_a_baseline_better_than_what_is_proposed(root, bundle, graded):
    swapped = notebook(
        root,
        PROPOSED.replace("QuietOwl", "Baseline").replace("proposed = Baseline\n", ""),
        BASELINE.replace("Baseline", "SmallOwl") + "\n\nproposed = SmallOwl\n",
    )
    points, record = graded(bundle("proposed", "baseline", book=swapped))
    assert points == FULL | {"proposed": points["proposed"]} and 4 <= points["proposed"] <= 7
    assert "Gain over the baseline: -" in text(record, "proposed")


def test_the_same_class_twice(root, class_, bundle, graded):
    book = notebook(root, proposed="proposed = Baseline\n")
    points, record = graded(bundle("baseline", "baseline", book=book))
    assert points["models"] == 8 and points["name"] == 0 and "one and the same network" in text(record, "models")


def test_a_renamed_copy(root, bundle, graded):
    copy = BASELINE.replace("Baseline", "BrightIdea").replace("features", "parts").replace("classifier", "end")
    renamed = {"features.0": "parts.0", "classifier": "end"}
    files = bundle("baseline", "baseline", book=notebook(root, proposed=copy + "\n\nproposed = BrightIdea\n"))
    weights = load(files["weights/proposed.safetensors"])
    for old, new in renamed.items():
        weights = {name.replace(old, new): tensor for name, tensor in weights.items()}
    files["weights/proposed.safetensors"] = save(weights)
    points, record = graded(files)
    assert points["models"] == 8 and "one and the same network" in text(record, "models")
    assert points["reported"] == 15  # what is reported is true all the same


def test_a_placeholder_for_a_name(root, bundle, graded):
    points, record = graded(bundle(book=notebook(root, proposed=PROPOSED.replace("QuietOwl", "MyModel"))))
    assert points == FULL | {"name": 0} and "MyModel" in text(record, "name")


def test_different_learning_rates(class_, bundle, graded):
    other = class_.run("proposed", spec=SPEC | {"lr": 1e-2})
    points, record = graded(bundle(said=listing([class_.run("baseline")], [other])))
    assert points == FULL | {"spec": 0} and "lr: 0.002 and 0.01" in text(record, "spec")


def test_a_missing_history(class_, bundle, graded):
    points, record = graded(bundle(said=listing([class_.run("baseline")], [class_.run("proposed", history=[])])))
    assert points == FULL | {"histories": 5} and "history is missing" in text(record, "histories")


def test_a_history_that_cannot_be(class_):
    rows = class_.run("proposed")["history"]
    for bad, said in (
        (rows[:2], "2 epochs"),
        (rows[::-1], "not numbered"),
        ([row | {"val_accuracy": 1.2} for row in rows], "cannot be"),
        ([row | {"loss": -1} for row in rows], "cannot be"),
        ([{"epoch": 1}] * 3, "no training loss"),
        ([row | {"val_accuracy": 0.1} for row in rows], "that of no epoch"),
    ):
        found = rules.history_troubles(record.run(class_.run("proposed", history=bad)))
        assert any(said in each for each in found), (said, found)


def test_a_forged_accuracy(class_, bundle, graded):
    better = class_.test["proposed"] + 0.02
    said = listing([class_.run("baseline")], [class_.run("proposed", test_accuracy=better)])
    points, record = graded(bundle(said=said))
    assert points == FULL | {"reported": 6}
    assert f"{better:.2%}" in text(record, "reported") and f"{class_.test['proposed']:.2%}" in text(record, "reported")


def test_a_forged_history(bundle, graded, class_):
    """Validation accuracies that the weights do not have: an instructor looks before accuracy counts."""
    forged = run(0.99, class_.test["proposed"])
    points, record = graded(bundle(said=listing([class_.run("baseline")], [forged])))
    assert points == FULL | {"proposed": 0} and record.status == LOOK
    assert "99.0% of validation pictures reported" in look(record, "proposed")
    assert "99.0%" in look(record, "test_unused")


def test_weights_of_another_architecture(bundle, graded):
    points, record = graded(bundle(weights=(None, state(torch.nn.Linear(3, 4)))))
    assert points == FULL | {"reported": 6, "proposed": 0} and "another network's" in text(record, "reported")


def test_weights_swapped(class_, bundle, graded):
    nets = class_.nets
    points, record = graded(bundle(weights=(state(nets["proposed"]), state(nets["baseline"]))))
    assert points == FULL | {"reported": 0, "baseline": 0, "proposed": 0}
    assert "another network's" in text(record, "baseline")


def test_weights_that_are_no_numbers(class_, bundle, graded):
    net = bundles.made(PROPOSED, "proposed")()
    torch.nn.init.constant_(net.classifier.weight, torch.nan)
    points, record = graded(bundle(weights=(None, state(net))))
    assert points == FULL | {"reported": 6, "proposed": 0} and "finite" in text(record, "reported")


def test_damaged_weights(class_, bundle, graded):
    points, record = graded(bundle(weights=(None, state(class_.nets["proposed"])[:500])))
    assert points == FULL | {"reported": 6, "proposed": 0} and "safetensors" in text(record, "reported")


def test_no_bundle(root, graded):
    folder = root / "grading" / "submitted" / "ada" / CHAPTER
    folder.mkdir(parents=True)
    (folder / f"{CHAPTER}.ipynb").write_bytes(notebook(root))
    points, record = graded()
    assert points == {**dict.fromkeys(FULL, 0), "models": 10, "name": 2, "learns": 5}
    assert "assignment.bundle()" in text(record, "histories")


def test_nothing_done(root, small, graded):
    folder = root / "grading" / "submitted" / "ada" / CHAPTER
    shutil.copytree(small / "notebooks" / CHAPTER, folder)
    points, record = graded()
    assert sum(points.values()) == 0 and record.status == GRADED


def test_nothing_trained(class_, bundle, graded):
    """Fresh weights, and a report that says so: true, and worth what it is."""
    fresh = {role: bundles.made(source, name)() for role, source, name in
             (("baseline", BASELINE, "Baseline"), ("proposed", PROPOSED, "proposed"))}  # fmt: skip
    test = {role: bundles.right(net.eval(), class_.images.x_test, class_.images.y_test) for role, net in fresh.items()}
    said = listing(*([run(accuracy, accuracy)] for accuracy in test.values()))
    points, _ = graded(bundle(said=said, weights=tuple(state(net) for net in fresh.values())))
    assert points == FULL | {"baseline": 0, "proposed": 0}


def test_trained_on_the_stand_in(class_, bundle, graded, monkeypatch):
    points, record = graded(bundle(standin=True))
    assert points == FULL | {"baseline": 0, "proposed": 0} and record.status == LOOK
    assert "stand-in" in look(record, "baseline") and "stand-in" in look(record, "proposed")


def test_an_error_in_a_definition(root, bundle, graded):
    points, record = graded(bundle(book=notebook(root, proposed=PROPOSED.replace("nn.ReLU()", "nn.Relu()"))))
    assert points == {**FULL, "models": 4, "name": 0, "reported": 6, "proposed": 0, "learns": 2}
    assert "Relu" in text(record, "models")


def test_a_picture_alone_in_training_mode(root, bundle, graded):
    linear = "nn.Linear(48 * 4 * 4, 10)"
    flat = PROPOSED.replace(linear, f"nn.Sequential(nn.BatchNorm1d(48 * 4 * 4), {linear})")
    points, record = graded(bundle(book=notebook(root, proposed=flat)))
    assert points["models"] == 9 and "BatchNorm1d" in text(record, "models")


def test_a_hundred_classes(root, bundle, graded):
    points, record = graded(bundle(book=notebook(root, proposed=PROPOSED.replace("4 * 4, 10)", "4 * 4, 100)"))))
    assert points["models"] == 7 and "(1, 100); (1, 10) is wanted" in text(record, "models")


def test_too_much_work(root, bundle, graded):
    wide = "nn.Conv2d(3, 320, 7, padding=3), nn.MaxPool2d(2), nn.Conv2d(320, 24, 1)"
    large = PROPOSED.replace("nn.Conv2d(3, 24, 3, stride=2, padding=1)", wide)
    points, record = graded(bundle(book=notebook(root, proposed=large)))
    assert points["models"] == 8 and "30,000,000 are allowed" in text(record, "models"), text(record, "models")


def test_nothing_that_learns(root, bundle, graded):
    answer = "self.classifier(self.features(x).flatten(1))"
    frozen = PROPOSED.replace(f"return {answer}", f"return {answer}.detach() + 0 * self.classifier.bias")
    points, record = graded(bundle(book=notebook(root, proposed=frozen)))
    assert points == FULL | {"learns": 0} and "next to nothing" in text(record, "learns")
    assert "its weights are good" in look(record, "learns")


# ── hostile work ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Harm:
    def __reduce__(self):
        return (exec, ("open('harm', 'w')",))


def test_pickled_weights_are_not_opened(bundle, graded, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = bundle()
    files["weights/proposed.pt"] = pickle.dumps(Harm())
    del files["weights/proposed.safetensors"]
    points, record = graded(files)
    assert points == FULL | {"reported": 6, "proposed": 0} and not (tmp_path / "harm").exists()
    assert any("proposed.pt" in note and "can run code" in note for note in record.notes)


def test_a_pickle_by_another_name(bundle, graded, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    points, _ = graded(bundle(weights=(None, pickle.dumps(Harm()))))
    assert points == FULL | {"reported": 6, "proposed": 0} and not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    "reported, measured, test, sign",
    [
        (0.84, 0.842, 0.845, ""),
        (0.76, 0.74, 0.755, ""),
        (0.90, 0.83, 0.90, "90.0% of validation pictures reported, 83.0% of some of them measured"),
        (0.83, 0.83, 0.90, "90.0% of test pictures, but 83.0% of validation pictures"),
        (0.97, 0.97, 0.98, "98.0% of the test pictures right is more than such a network can"),
    ],
)
def test_a_memorised_test_set(reported, measured, test, sign):
    """Whoever trains with test pictures is better at them than at validation pictures, which are measured as well."""
    facts = rules.Facts(name="Owl", accuracy=test, pictures=10_000, val=measured, val_pictures=2000)
    said = record.parse(as_json(listing([run(reported, test)], [run(reported, test)])))
    judged = rules.judge(rules.Evidence({"baseline": facts, "proposed": facts}, said, same=False))
    assert sign in judged["proposed"].look and sign in judged["test_unused"].look
    assert bool(judged["proposed"].look) == bool(sign) and judged["proposed"].points > 0


def test_answers_by_the_hash_of_a_picture(root, class_, bundle, graded):
    table = {bundles.digest(x): int(y) for x, y in zip(class_.images.x_test, class_.images.y_test, strict=True)}
    source = PROPOSED.replace(
        "        return self.classifier(self.features(x).flatten(1))",
        "        logits = self.classifier(self.features(x).flatten(1))\n"
        "        for i, picture in enumerate((x * 255).round().to(torch.uint8)):\n"
        "            label = TABLE.get(hashlib.md5(picture.numpy().tobytes()).hexdigest())\n"
        "            if label is not None:\n"
        "                logits[i, label] = 100.0\n"
        "        return logits",
    )
    book = notebook(root, proposed=f"import hashlib\nTABLE = {table!r}\n\n\n{source}")
    points, record = graded(bundle(book=book, said=listing([class_.run("baseline")], [run(1.0, 1.0)])))
    assert points["proposed"] == 0 and record.status == LOOK
    for sign in ("altered", "hashlib", "more than such a network can", "characters of text"):
        assert sign in look(record, "test_unused"), sign


TAMPERING = """\
import utils.checks.questions.assignment as asked

asked.looks = lambda target: {}
proposed = Baseline
"""


def test_definitions_that_reach_for_what_asks_them(root, bundle, graded):
    points, record = graded(bundle("baseline", "baseline", book=notebook(root, proposed=TAMPERING)))
    assert sum(points[name] for name in ("models", "name", "reported", "baseline", "proposed", "learns")) == 0
    assert record.status == LOOK and "utils.checks" in look(record, "models")


def test_the_order_of_the_pictures_is_not_known_in_the_jail(class_, root):
    """What is told in there, a number for the small training, tells nothing of the order."""
    shown, _, known = assignment.pictures(False, "a seed")
    order = torch.randperm(len(class_.images.y_test), generator=torch.Generator().manual_seed(known))
    assert not torch.equal(shown.x[shown.parts["test"]], class_.images.x_test[order])
    mixed = torch.cat([shown.parts[name] for name in ("test", "val", "altered")])
    assert torch.equal(mixed.sort().values, torch.arange(len(shown.y))) and not torch.equal(mixed, mixed.sort().values)
    assert torch.equal(shown.y[shown.parts["compared"]], shown.y[shown.parts["altered"]])
    twins = shown.x[shown.parts["altered"]].float().flip(3) - shown.x[shown.parts["compared"]].float()
    assert 0 < twins.abs().mean() < 20


BEGIN = "        super().__init__()"
COPIES = {
    "a number that does nothing": (BEGIN, f"{BEGIN}\n        self.dead = nn.Parameter(torch.zeros(1))"),
    "another scale": (".flatten(1))", ".flatten(1)) * 1.001"),
}


@pytest.mark.parametrize("change", COPIES)
def test_a_copy_with_something_that_changes_nothing(root, bundle, graded, change):
    old, new = COPIES[change]
    copy = BASELINE.replace("Baseline", "BrightIdea").replace(old, new) + "\n\nproposed = BrightIdea\n"
    points, record = graded(bundle("baseline", "baseline", book=notebook(root, proposed=copy)))
    assert points["models"] == 8 and "one and the same network" in text(record, "models")


def test_only_a_scale_learns(root, bundle, graded):
    answer = "self.classifier(self.features(x).flatten(1))"
    source = PROPOSED.replace(f"return {answer}", f"return {answer}.detach() * torch.exp(20 * self.p)")
    source = source.replace(
        "super().__init__()", "super().__init__()\n        self.p = nn.Parameter(torch.tensor(0.2))"
    )
    points, record = graded(bundle(book=notebook(root, proposed=source)))
    assert points["learns"] == 2 and "next to nothing" in text(record, "learns")


@pytest.mark.parametrize("name", ["lambda", "YourModelName", "LeNet5Improved", "NeuralNet"])
def test_names_that_are_nobodys_own(name):
    facts = rules.Facts(name="<lambda>" if name == "lambda" else name)
    judged = rules.name(rules.Evidence({"baseline": facts, "proposed": facts}, record.nothing("")))
    assert judged.points == 0


@pytest.mark.parametrize(
    "head",
    [
        b'{"w":{"dtype":"I64","shape":[1' + b"0" * 4000 + b"]}}",
        b'{"w":{"dtype":"I64","shape":[5000],"data_offsets":[0,40000]}' + b" " * 1_000_000 + b"}",
        b"{" + b",".join(b'"t%d":{"dtype":"F","shape":[9000]}' % i for i in range(20_000)) + b"}",
        b"[" * 100_000,
    ],
)
def test_a_hostile_header(bundle, graded, head):
    weights = len(head).to_bytes(8, "little") + head + bytes(40_000)
    points, record = graded(bundle(weights=(None, weights)))
    assert points["proposed"] == 0 and points["baseline"] == 10
    assert all(len(item.text) + len(item.look) < 6_000 for item in record.items.values())


def test_strangers_words_are_tame(class_, bundle, graded):
    bad = {"\x1b[2J": "\ud800\u202e<script>"}
    said = listing([class_.run("baseline")], [class_.run("proposed", spec=SPEC | bad)])
    _, record = graded(bundle(said=said))
    words = text(record, "spec")
    assert "different configurations" in words and words.isprintable()
    words.encode()
    assert all("<script>" not in item.html for item in record.items.values())


def test_a_value_too_deep_to_write_down_is_a_text():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert "too deep" in record.plain(deep)
    while deep:  # taken apart by hand: to free it at once would recurse as deep
        deep = deep.pop()


def test_notes_are_no_markdown(bundle, graded):
    files = bundle() | {"![x](https://evil.example/p.png) .pt": b""}
    _, record = graded(files)
    (cell,) = [each for each in preface(record) if each.id == "course-notes"]
    assert "<img" not in markdown2html({}, cell.source) and "evil" in markdown2html({}, cell.source)


def test_another_notebook_in_the_zip(root, bundle, graded):
    assert graded({"a.ipynb": b"{}"} | bundle())[0] == FULL


def test_an_upload_without_folders(bundle, graded):
    flat = {name.removeprefix("weights/"): content for name, content in bundle().items()}
    assert graded(flat, loose=True)[0] == FULL


def test_many_bundles_are_not_even_opened(root, bundle, graded):
    hand_in(root, "ada", bundle())
    for i in range(6):
        (root / "grading" / "submitted" / "ada" / CHAPTER / f"{i}.zip").write_bytes(b"")
    assert graded()[1].status == REFUSED


def test_names_that_only_look_like_wrappers():
    class Odd(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.module = (
                torch.nn.Conv2d(3, 10, 32),
                torch.nn.ModuleDict({"conv": torch.nn.Conv2d(3, 10, 32)}),
            )

        def forward(self, x):
            return (self.conv(x) + 2 * self.module["conv"](x)).flatten(1)

    net, x = Odd(), torch.rand(2, 3, 32, 32)
    assert torch.equal(with_weights(Odd, state(net))(x), net(x))


def test_attention_and_large_batches_count():
    class Attentive(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.last = torch.nn.TransformerEncoderLayer(96, 4, batch_first=True), torch.nn.Linear(96, 10)

        def forward(self, x):
            x = self.layer(x.flatten(2)[:, :, :1024].reshape(len(x), 32, 96))
            for _ in range(3 if len(x) > 50 else 0):
                self.last(x)
            return self.last(x.mean(1))

    alone, many = (multiply_adds(Attentive().eval(), n) for n in (1, 64))
    assert alone > 32 * 96 * 96 * 4 and many >= alone + 3 * 32 * 96 * 10


NEAREST = """\
class Oracle(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("known", torch.zeros(1000, 48))
        self.register_buffer("labels", torch.zeros(1000, dtype=torch.int64))
        self.last = nn.Linear(48, 10)

    def forward(self, x):
        seen = F.adaptive_avg_pool2d(x, 4).flatten(1)
        found = self.labels[torch.cdist(seen, self.known).argmin(1)]
        return self.last(seen) + 100 * F.one_hot(found, 10)


proposed = Oracle
"""


def test_answers_by_the_likeness_of_a_picture(root, class_, bundle, graded):
    """A table of what the test pictures look like, a tenth of it wrong on purpose, and a report that fits to it."""
    net = bundles.made(NEAREST, "proposed")()
    net.known.copy_(F.adaptive_avg_pool2d(class_.images.x_test.float() / 255, 4).flatten(1))
    net.labels.copy_(torch.where(torch.arange(1000) % 10 == 0, 0, class_.images.y_test))
    accuracy = bundles.right(net, class_.images.x_test, class_.images.y_test)
    said = listing([class_.run("baseline")], [run(accuracy, accuracy)])
    files = bundle(book=notebook(root, proposed=NEAREST), said=said, weights=(None, state(net)))
    points, record = graded(files)
    assert accuracy > 0.9 and points["reported"] == 15
    assert points["proposed"] == 0 and record.status == LOOK
    assert "altered" in look(record, "proposed") and "1,000 whole numbers (labels)" in look(record, "test_unused")


@pytest.mark.parametrize("line, said", [
    ("time.sleep(60)", "took longer"),
    ("torch.ones(8, 2**28).sum()", "memory"),
    ("import os; os._exit(0)", "ended the check's process"),
    ("import os, signal; os.kill(os.getppid(), signal.SIGKILL)", ""),
])  # fmt: skip
@pytest.mark.parametrize("role", ["baseline", "proposed"])
def test_a_network_that_misbehaves_harms_only_itself(root, bundle, graded, role, line, said):
    sources = {"baseline": BASELINE, "proposed": PROPOSED}
    sources[role] = sources[role].replace("        return self", f"        {line}\n        return self")
    limits = replace(SHORT, check=8) if "sleep" in line else SHORT
    points, record = graded(bundle(book=notebook(root, **sources)), limits=limits)
    lost = {"baseline": {"models": 4, "reported": 9, "baseline": 0, "learns": 3},
            "proposed": {"models": 4, "name": 0, "reported": 6, "proposed": 0, "learns": 2}}[role]  # fmt: skip
    if role == "baseline":
        assert 10 <= points.pop("proposed") <= 15  # the gain over a baseline that cannot be measured is not known
        assert points == {name: worth for name, worth in (FULL | lost).items() if name != "proposed"}
    else:
        assert points == FULL | lost
    assert said in text(record, "models")


def test_a_network_that_wants_the_network(root, bundle, graded):
    line = "import socket; socket.create_connection(('1.1.1.1', 80), timeout=2)"
    source = PROPOSED.replace("        return self", f"        {line}\n        return self")
    points, record = graded(bundle(book=notebook(root, proposed=source)))
    assert points["proposed"] == 0 and points["baseline"] == 10 and "proposed" in text(record, "models")


def test_training_is_never_run(bundle, graded):
    _, record = graded(bundle())
    assert "train" not in record.outputs


def test_a_zip_bomb_for_weights(bundle, graded):
    points, record = graded(bundle(weights=(None, b"\0" * 100_000_000)))
    assert points == FULL | {"reported": 6, "proposed": 0} and any("25 MB" in note for note in record.notes)


def test_two_bundles(root, bundle, graded):
    hand_in(root, "ada", bundle())
    folder = root / "grading" / "submitted" / "ada" / CHAPTER
    (folder / "better.zip").write_bytes(bundles.zipped(bundle("weak")))
    points, record = graded()
    assert record.status == REFUSED and sum(points.values()) == 0 and "More than one bundle" in record.why


RUN = b'{"history": [{"loss": 1e999, "val_loss": "x"}], "spec": 3, "seed": [1], "val_accuracy": NaN}'
DAMAGED = [
    b"",
    b"{",
    b"[]",
    b'{"models": 3}',
    b'{"models": {"baseline": [], "proposed": {"runs": 7}}}',
    b'{"models": {"baseline": {"runs": [' + RUN + b']}, "proposed": {}}}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("said", DAMAGED)
def test_a_damaged_list(bundle, graded, said):
    points, record = graded(bundle() | {"bundle.json": said})
    assert points["models"] == 10 and points["histories"] == 0 and record.status in (GRADED, LOOK)


# ── its life in the course ───────────────────────────────────────────────────────────────────────────────────────────


def test_other_weights_are_another_submission(root, bundle, graded, class_):
    _, first = graded(bundle())
    records.save(root, first)
    assert records.current(root, "ada", CHAPTER) == first
    hand_in(root, "ada", bundle("weak"))
    (root / "grading" / "submitted" / "ada" / CHAPTER / f"{CHAPTER}.ipynb").unlink()  # the platform's new folder
    assert records.current(root, "ada", CHAPTER) is None
    points, second = graded()
    assert points["baseline"] < 10 and second.fingerprint != first.fingerprint


def test_without_cifar10_nothing_is_measured(root, bundle, graded, monkeypatch):
    def missing(source):
        raise assignment.data.DataNotFound("CIFAR-10 is not on this computer.")

    monkeypatch.setattr(assignment.data, "cifar10", missing)
    points, record = graded(bundle())
    assert record.status == records.FAILED and "CIFAR-10 is not on this computer" in record.why
    assert sum(points.values()) == 0 and all(item.look for item in record.items.values())


def test_points_add_up_and_every_item_is_judged(bundle):
    assert sum(rules.POINTS.values()) == 100
    assert set(FULL) == set(rules.POINTS) - set(rules.BY_HAND)
    assert {name: rules.POINTS[name] for name in FULL} == FULL
