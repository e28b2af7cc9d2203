"""fit: it learns, the same for a seed, whatever it is fed; keeps the best; stops when asked; says what is wrong."""

import os
import signal
from functools import partial

import pytest
import torch
from lessons import easy, same, small
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from utils import data
from utils.training import Stop, TrainingError, cosine, fit, triangle

QUIET = {"progress": False, "batch_size": 16, "lr": 1e-2}


@pytest.fixture(scope="module")
def colours():
    return easy()


def test_it_learns_and_writes_down_what_happened(colours):
    history = fit(small(), colours, epochs=4, **QUIET)
    assert history["epoch"] == [1, 2, 3, 4] and history.ended == "all epochs"
    assert history["loss"][-1] < history["loss"][0] and history.best["val_accuracy"] > 0.9
    assert all(row["seconds"] > 0 and row["lr"] == 1e-2 for row in history.rows)
    assert history.steps[-1][0] == 4 and len(history.steps) == 8  # two batches an epoch
    assert history.spec["pictures"] == 32 and history.spec["optimizer"] == "Adam"


def test_the_accuracy_while_training_is_that_of_the_batches(colours):
    """Without learning, dropout and batch norm's own statistics, training and validation see the same network."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 3))
    part = colours.x_train, colours.y_train
    row = fit(model, part, part, epochs=1, **QUIET | {"lr": 0.0, "precision": "float32"}).rows[0]
    assert row["accuracy"] == row["val_accuracy"] and row["loss"] == pytest.approx(row["val_loss"], rel=1e-5)


def test_the_same_seed_is_the_same_training(colours):
    models, more = [small(), small(), small()], {"epochs": 2, "augment": [data.Crop(1), data.Flip()]}
    for model, seed in zip(models, (0, 0, 1), strict=True):
        torch.rand(seed + 5)  # whatever was drawn before
        fit(model, colours, seed=seed, **QUIET, **more)
    assert same(models[0], models[1]) and not same(models[0], models[2])


def test_random_numbers_drawn_afterwards_do_not_depend_on_it(colours):
    drawn = []
    for epochs in (1, 2):
        model = small()
        torch.manual_seed(7)
        fit(model, colours, epochs=epochs, **QUIET)
        drawn.append(torch.rand(3))
    assert drawn[0].equal(drawn[1])


def test_batches_a_pair_and_a_loader_give_the_same_training(colours):
    x, y = colours.x_train, colours.y_train
    ways = {
        "pair": (x, y),
        "batches": data.Batches(x, y, 16, shuffle=False),
        "loader": DataLoader(TensorDataset(x.float() / 255, y), 16),
    }
    losses = {}
    for name, way in ways.items():
        way = data.Batches(*way, 16, shuffle=False) if name == "pair" else way
        losses[name] = fit(small(dropout=0), way, way, epochs=2, **QUIET | {"precision": "float32"})["val_loss"]
    assert losses["batches"] == losses["loader"] == losses["pair"]


def test_best_weights_or_the_last(colours):
    """The learning rate explodes half-way: the last epoch is not the best."""
    wild = {"optimizer": torch.optim.SGD, "schedule": lambda done: 1.0 if done < 0.5 else 3000.0, "epochs": 4}
    kept = {}
    for keep in ("best", "last"):
        model = small(dropout=0)
        history = fit(model, colours, keep=keep, **QUIET | {"lr": 0.05, "precision": "float32"}, **wild)
        with torch.no_grad():
            right = model.eval()(colours.x_val.float() / 255).argmax(1) == colours.y_val
        kept[keep] = right.float().mean().item()
    assert kept["best"] == pytest.approx(history.best["val_accuracy"])
    assert kept["last"] == pytest.approx(history["val_accuracy"][-1]) and kept["last"] < kept["best"]


def test_early_stopping_waits_as_long_as_it_is_told(colours):
    history = fit(small(), colours, epochs=50, patience=3, **QUIET | {"lr": 0.0})
    assert history.ended == "early stopping" and len(history) == history.best_epoch + 3 < 50


def test_the_gradient_is_clipped(colours):
    moved = []
    for clip in (None, 1e-3):
        model = small()
        before = [p.detach().clone() for p in model.parameters()]
        fit(model, colours, epochs=1, clip=clip, optimizer=torch.optim.SGD, **QUIET | {"lr": 1.0}, keep="last")
        moved.append(sum((p - b).norm().item() for p, b in zip(model.parameters(), before, strict=True)))
    assert moved[1] < 0.05 < moved[0]


def test_schedules_of_both_kinds(colours):
    theirs = lambda optimizer, steps: torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)  # noqa: E731
    ours = lambda done: 1 - done  # noqa: E731
    a, b = (fit(small(), colours, epochs=3, schedule=s, keep="last", **QUIET) for s in (theirs, ours))
    assert a["loss"] == pytest.approx(b["loss"], rel=1e-4)
    assert b["lr"][0] == pytest.approx(1e-2 * (1 - 1 / 6))  # of the epoch's last step, the second of six


def test_the_shapes_of_the_schedules():
    up_and_down = triangle(peak=0.25, start=0.2, end=0.1)
    assert [round(up_and_down(done), 6) for done in (0, 0.125, 0.25, 0.625, 1)] == [0.2, 0.6, 1, 0.55, 0.1]
    wave = cosine(warmup=0.1, end=0.5)
    assert [round(wave(done), 6) for done in (0, 0.05, 0.1, 0.55, 1)] == [0, 0.5, 1, 0.75, 0.5]
    for bad in (partial(triangle, 1.0), partial(cosine, -0.1)):
        with pytest.raises(ValueError, match="fraction of the training"):
            bad()


def test_an_optimiser_of_ones_own(colours):
    model = small()
    optimizer = torch.optim.SGD(
        [{"params": model[1].parameters(), "lr": 0.0}, {"params": model[7].parameters()}], lr=0.5
    )
    before = [p.detach().clone() for p in model.parameters()]
    fit(model, colours, epochs=1, optimizer=optimizer, **QUIET)
    changed = [not p.equal(b) for p, b in zip(model.parameters(), before, strict=True)]
    assert changed == [False, False, False, False, True, True]


class Counting:
    """An augmentation that counts, and calls `then` at the n-th batch."""

    def __init__(self, at=0, then=lambda: None):
        self.count, self.at, self.then, self.told = 0, at, then, []

    def set_progress(self, done):
        self.told.append(done)

    def __call__(self, x, generator):
        self.count += 1
        if self.count == self.at:
            self.then()
        return x


def test_an_augmentation_may_know_how_far_it_is(colours):
    counting = Counting()
    fit(small(), colours, epochs=2, augment=counting, **QUIET)
    assert counting.told == [0, 0.25, 0.5, 0.75]


@pytest.mark.parametrize("how", ["stop", "interrupt"])
def test_a_stop_ends_it_after_the_step_and_keeps_the_weights(colours, how):
    stop, before = Stop(), signal.getsignal(signal.SIGINT)
    then = stop if how == "stop" else partial(os.kill, os.getpid(), signal.SIGINT)
    counting, model = Counting(4, then), small()
    history = fit(model, colours, epochs=50, augment=counting, stop=stop, **QUIET)
    assert history.ended == "stopped" and len(history) == 1 and counting.count == 4
    assert signal.getsignal(signal.SIGINT) is before
    assert not same(model, small())


def test_a_second_interrupt_ends_it_at_once(colours):
    twice = lambda: [os.kill(os.getpid(), signal.SIGINT) for _ in range(2)]  # noqa: E731
    with pytest.raises(KeyboardInterrupt):
        fit(small(), colours, epochs=50, augment=Counting(3, twice), **QUIET)


# ── what is wrong ────────────────────────────────────────────────────────────────────────────────────────────────────


def broken(x, generator):
    x[3] = float("nan")
    return x


class Scattered(nn.Module):
    """Has a tensor that does not move with it."""

    def __init__(self):
        super().__init__()
        self.layer, self.scale = nn.Linear(192, 3), nn.Parameter(torch.ones(3, device="meta"))

    def to(self, *args, **kwargs):
        return self

    def forward(self, x):
        return self.layer(x.flatten(1)) * self.scale


@pytest.mark.parametrize(
    "model, change, said",
    [
        (small(), {"train": lambda d: (d.x_train, d.y_train + 1)}, r"labels are 0 … 2; \d+ of 32.*from 1 to 3.*y - 1"),
        (small(), {"train": lambda d: (d.x_train, -d.y_train)}, "from -2 to 0"),
        (small(), {"augment": broken}, "nan at epoch 1, in batch 1 of 2.*1 of the batch's 16 pictures hold NaN"),
        (small(), {"lr": 1e25, "optimizer": torch.optim.SGD}, r"loss became .* try a tenth of lr=1e\+25"),
        (small(), {"loss": lambda logits, y: logits.log().mean()}, "loss became nan"),
        (nn.Conv2d(3, 4, 3), {}, r"\(16, 3, 8, 8\) into \(16, 4, 6, 6\); expected are logits \(B, classes\).*Flatten"),
        (nn.Sequential(nn.Flatten(), nn.Linear(100, 3)), {}, r"Linear\(.*given \(2, 192\).*cannot be multiplied"),
        (nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten()), {}, r"at layer 0, Conv2d\(.*which was given \(2, 3, 8, 8\)"),
        (Scattered(), {}, r"parts of it lie on different devices \(cpu, meta\)"),
        (small(), {"optimizer": torch.optim.Adam(small().parameters())}, "holds none of this model's parameters"),
        (small(), {"train": lambda d: DataLoader([(torch.rand(3, 8, 8), 7)] * 4, 2)}, "labels are 0 … 2; 2 of 2"),
    ],
)  # fmt: skip
def test_a_training_that_cannot_go_on_says_why(colours, model, change, said):
    change = dict(change)
    train = change.pop("train", lambda d: d)(colours)
    with pytest.raises(TrainingError, match=said):
        fit(model, train, epochs=2, **QUIET | change)


def test_batch_norm_on_one_number(colours):
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 3), nn.BatchNorm1d(3))
    with pytest.raises(TrainingError, match=r"more than one number a channel.*drop_last"):
        fit(model, (colours.x_train[:17], colours.y_train[:17]), epochs=1, **QUIET)


class Greedy(nn.Module):
    """Takes no more than so many pictures."""

    def __init__(self, room, words="[enforce fail at alloc_cpu.cpp:66] DefaultCPUAllocator: can't allocate memory"):
        super().__init__()
        self.layer, self.room, self.words = nn.Linear(192, 3), room, words

    def forward(self, x):
        if len(x) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory.") if self.words is None else RuntimeError(self.words)
        return self.layer(x.flatten(1))


@pytest.mark.parametrize(
    "room, said", [(5, "batch of 16 pictures.*batch_size=4 fits"), (0, "not even one picture fits")]
)
@pytest.mark.parametrize("model", [Greedy, partial(Greedy, words=None)])
def test_no_memory_names_the_size_that_fits(colours, room, said, model):
    with pytest.raises(TrainingError, match=said):
        fit(model(room), colours, epochs=1, **QUIET)


class Seen:
    """Notes how many pictures come, and whether some weights may learn then."""

    def __init__(self, weight):
        self.weight, self.pictures, self.learns = weight, [], []

    def __call__(self, x, generator):
        self.pictures.append(len(x))
        self.learns.append(self.weight.requires_grad)
        return x


def test_the_hardest_pictures_come_again_and_steps_are_counted_so(colours):
    net = small()
    seen = Seen(net[1].weight)
    lrs, schedule = [], lambda done: lrs.append(done) or 1 - done
    history = fit(net, colours, epochs=3, augment=seen, skip_easy=(0.5, 0.75), schedule=schedule, **QUIET)
    n = len(colours.y_train)
    assert sum(seen.pictures) == n + n // 2 + n // 4
    steps = len(seen.pictures)
    assert lrs == [i / steps for i in range(steps)]
    assert history.steps[-1][0] == 3 and history.spec["skip_easy"] == [0.5, 0.75]
    assert history["accuracy"][2] <= 1 and len(history) == 3


def test_left_out_are_those_of_the_smallest_loss(colours):
    seen = data.Batches(colours.x_train, colours.y_train, 16, skip_easy=(0.5,))
    net, losses = small(), {}
    note = seen.note
    seen.note = lambda found: note(found) or losses.update(zip(seen.chosen.tolist(), found.tolist(), strict=True))
    fit(net, seen, epochs=1, progress=False)
    kept = torch.cat([seen.chosen for _ in seen]).tolist()
    cut = sorted(losses.values())[len(losses) // 2]
    assert len(losses) == len(colours.y_train) and all(losses[i] >= cut for i in kept)


def test_a_part_that_is_frozen_on_the_way_stays_and_is_thawed(colours):
    net = small()
    seen, before = Seen(net[1].weight), {}
    schedule = lambda done: before.setdefault(done, net[1].weight.detach().clone()) is None or 1  # noqa: E731
    fit(net, colours, epochs=2, augment=seen, freeze={"1": 0.5}, schedule=schedule, keep="last", **QUIET)
    half = len(seen.learns) // 2
    # the augmentation comes before fit says how far it is
    assert seen.learns == [True] * (half + 1) + [False] * (half - 1) and net[1].weight.requires_grad
    assert torch.equal(before[0.5], net[1].weight) and not torch.equal(before[0], net[1].weight)
    for wrong, said in [({"8": 0.5}, "no part called '8'; it has 0, 1, "), ({"1": 0}, "0 < … ≤ 1; you gave 0")]:
        with pytest.raises(ValueError, match=said):
            fit(net, colours, freeze=wrong, **QUIET)


def test_what_is_asked_must_make_sense(colours):
    pair = colours.x_train, colours.y_train
    for wrong, said in [
        ({"keep": "none"}, "keep is 'best' or 'last'; you gave 'none'"),
        ({"precision": "float16"}, "precision is"),
        ({"patience": 2}, "patience needs validation data"),
    ]:
        with pytest.raises(ValueError, match=said):
            fit(small(), pair, epochs=1, **QUIET, **wrong)
    with pytest.raises(ValueError, match="give it to your own Batches"):
        fit(small(), data.Batches(*pair), epochs=1, augment=data.Flip(), progress=False)
    with pytest.raises(ValueError, match="skip_easy works on the batches that fit makes"):
        fit(small(), data.Batches(*pair), epochs=1, skip_easy=(0.5,), progress=False)
    with pytest.raises(TypeError, match=r"train is data with pictures and labels.*you gave int"):
        fit(small(), 7, epochs=1)


def test_outside_a_notebook_there_is_no_live_plot_and_nothing_breaks(colours):
    import ipykernel  # noqa: F401  as a program may that is no notebook

    assert fit(small(), colours, epochs=1, live=True, **QUIET).ended == "all epochs"
