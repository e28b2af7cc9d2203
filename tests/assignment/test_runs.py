"""Runs are kept, found again, trained anew when something has changed, and never lost to damage."""

import json
import shutil
from dataclasses import asdict

import pytest
import torch
from drafts import BASELINE, HELPERS, PROPOSED, write
from torch import nn

from utils import assignment, training
from utils.assignment import pictures, runs


def files(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_runs_are_kept_as_they_end(written, capsys):
    assignment.train(written.names["Baseline"], written.names["spec"], seeds=(0, 3))
    found = runs.runs_of("baseline")
    assert [run.seed for run in found] == [0, 3]
    assert found[0].weights != found[1].weights
    kept = found[0]
    assert (kept.network, kept.data, kept.parameters, len(kept.history)) == ("Baseline", "cifar10", 136, 2)
    assert kept.spec == written.names["spec"].to_json()
    assert set(kept.history[0]) == {"epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds", "lr"}
    assert kept.test_accuracy is None
    assert sorted(p.name for p in kept.folder.iterdir()) == ["run.json", "weights.safetensors"]
    assert "Baseline, seed 3: training, 2 epochs of 300 pictures" in capsys.readouterr().out


def test_what_is_kept_is_what_the_weights_do(trained):
    from utils import evaluation

    run = runs.runs_of("proposed")[1]
    logits = evaluation.logits(run.load(trained.names["proposed"]), trained.data.x_val)
    assert evaluation.accuracy(logits, trained.data.y_val) == run.val_accuracy
    assert logits[:300].argmax(1).tolist() == run.answers
    assert run.val_accuracy > 0.15


def test_nothing_is_trained_twice(trained, capsys):
    before = {path: (trained.folder / path).stat().st_mtime_ns for path in files(trained.folder) if "run.json" in path}
    assignment.train(trained.names["Baseline"], trained.names["spec"], seeds=(0, 1))
    assert all((trained.folder / path).stat().st_mtime_ns == time for path, time in before.items())
    assert capsys.readouterr().out.count("Not trained again") == 2


def test_the_same_class_written_again_is_the_same(trained, capsys):
    write(trained.names, HELPERS, "# a remark\n" + BASELINE)
    assignment.train(trained.names["Baseline"], trained.names["spec"], seeds=0)
    assert "Not trained again" in capsys.readouterr().out


@pytest.mark.parametrize("what", ["class", "helper", "spec", "pictures"])
def test_what_has_changed_is_trained_anew_and_the_old_is_kept(trained, capsys, monkeypatch, what):
    old = runs.runs_of("baseline")
    if what == "class":
        write(trained.names, BASELINE.replace("pooled(2)", "pooled(1)").replace("12", "3"))
    elif what == "helper":
        write(trained.names, HELPERS.replace("Avg", "Max"))
    elif what == "spec":
        trained.names["spec"] = trained.names["spec"].changed(lr=2e-2)
    else:
        monkeypatch.setattr(pictures, "checksum", lambda: "others")
    assignment.train(trained.names["Baseline"], trained.names["spec"], seeds=(0,))
    assert "trained anew" in capsys.readouterr().out
    assert [run.seed for run in runs.runs_of("baseline")] == [0]
    assert runs.runs_of("baseline")[0].key != old[0].key
    assert all((run.folder / "weights.safetensors").exists() for run in old)


def test_going_back_needs_no_training(trained, capsys):
    spec = trained.names["spec"]
    old = runs.runs_of("baseline")
    assignment.train(trained.names["Baseline"], spec.changed(epochs=1), seeds=(0,))
    assignment.train(trained.names["Baseline"], spec, seeds=(0, 1))
    assert runs.runs_of("baseline") == old


def test_roles(trained):
    write(trained.names, PROPOSED.replace("Wren", "Twig").replace("stride=4", "stride=8"))
    assignment.train(trained.names["Twig"], trained.names["spec"], seeds=0, role="ablation", of="larger stride")
    assert runs.ablations() == ["ablation/larger stride"]
    assert runs.runs_of("ablation/larger stride")[0].network == "Twig"
    assert runs.runs_of("proposed")[0].network == "Wren"
    write(trained.names, "Baseline = Twig")
    assert runs.slot_of(trained.names["Twig"], None, "") == "baseline"


@pytest.mark.parametrize(
    ("network", "options", "says"),
    [
        (lambda names: names["Baseline"](), {}, "fresh one. Give the class, without brackets"),
        (lambda names: 3, {}, "takes a class of networks"),
        (lambda names: dict, {}, "takes a class of networks"),
        (lambda names: names["Baseline"], {"role": "both"}, "you gave 'both'"),
        (lambda names: names["Baseline"], {"role": "ablation"}, "say what the ablation leaves out"),
        (lambda names: names["Baseline"], {"seeds": ()}, "seeds are whole numbers"),
        (lambda names: names["Baseline"], {"seeds": (0.5,)}, "seeds are whole numbers"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_words(written, network, options, says):
    with pytest.raises((TypeError, ValueError), match=says):
        assignment.train(network(written.names), written.names["spec"], **options)
    assert files(written.folder) == []


def test_another_thing_than_a_spec_is_refused(written):
    with pytest.raises(TypeError, match=r"an assignment.Spec\(…\); you gave a dict"):
        assignment.train(written.names["Baseline"], {"epochs": 3})


def test_wrong_shapes_and_sizes_are_told_before_anything_is_trained(written):
    class Wide(nn.Module):
        def __init__(self, outputs=10, width=1):
            super().__init__()
            self.layers = nn.Sequential(nn.Flatten(), nn.Linear(3072, width), nn.Linear(width, outputs))

        def forward(self, x):
            return self.layers(x)

    class Nine(Wide):
        def __init__(self):
            super().__init__(outputs=9)

    class Large(Wide):
        def __init__(self):
            super().__init__(width=2000)

    spec = written.names["spec"]
    with pytest.raises(ValueError, match=r"turns 2 pictures into \(2, 9\)"):
        assignment.train(Nine, spec)
    with pytest.raises(ValueError, match="6,166,010 parameters; 5,000,000 are allowed"):
        assignment.train(Large, spec)
    assert files(written.folder) == []


def test_not_begun_is_said_and_raises_nothing(written, capsys):
    class Open(nn.Module):
        def __init__(self):
            super().__init__()
            raise NotImplementedError

    class HalfOpen(nn.Module):
        def forward(self, x):
            raise NotImplementedError

    for network, spec in (
        (None, None),
        (Open, written.names["spec"]),
        (HalfOpen, None),
        (written.names["Baseline"], None),
    ):
        assert assignment.train(network, spec) is None
    said = capsys.readouterr().out
    assert said.count("not done yet") == 4
    assert "Open: not done yet" in said and "HalfOpen: not done yet" in said and "spec: not done yet" in said
    assert files(written.folder) == []


class StopsInTheSecondEpoch(training.Stop):
    """Asked at the beginning of each epoch and before each of its six steps."""

    def __init__(self):
        self.questions = 0

    @property
    def asked(self):
        self.questions += 1
        return self.questions > 10


def test_a_stopped_training_goes_on_where_it_was(written, monkeypatch, capsys):
    network, spec, fit = written.names["Baseline"], written.names["spec"], training.fit
    assignment.train(network, spec, seeds=5)
    (undisturbed,) = runs.runs_of("baseline")
    shutil.rmtree(undisturbed.folder)
    monkeypatch.setattr(training, "fit", lambda *given, **more: fit(*given, **more | {"stop": StopsInTheSecondEpoch()}))
    assignment.train(network, spec, seeds=(5, 6))
    said = capsys.readouterr().out
    assert "Stopped: seed 5 is not finished" in said and "seed 6: training" not in said
    assert runs.runs_of("baseline") == []
    monkeypatch.setattr(training, "fit", fit)
    assignment.train(network, spec, seeds=5)
    assert "after epoch 1 of 2" in capsys.readouterr().out
    (run,) = runs.runs_of("baseline")
    assert (run.weights, run.val_accuracy) == (undisturbed.weights, undisturbed.val_accuracy)
    assert not (run.folder / "checkpoint").exists()


def test_a_damaged_checkpoint_costs_only_itself(written, capsys):
    key = runs.key_of(written.names["Baseline"], written.names["spec"])
    folder = runs.folder_of("baseline", key, 0) / "checkpoint"
    folder.mkdir(parents=True)
    (folder / "state.json").write_text("{half")
    assignment.train(written.names["Baseline"], written.names["spec"], seeds=0)
    assert "it begins anew" in capsys.readouterr().out
    assert len(runs.runs_of("baseline")) == 1


@pytest.mark.parametrize("damage", ["no weights", "half weights", "other weights", "half json", "strange json"])
def test_a_damaged_run_is_put_aside_and_trained_again(trained, capsys, damage):
    run = runs.runs_of("baseline")[0]
    weights, words = run.folder / "weights.safetensors", run.folder / "run.json"
    if damage == "no weights":
        weights.unlink()
    elif damage == "half weights":
        weights.write_bytes(weights.read_bytes()[:100])
    elif damage == "other weights":
        weights.write_bytes((runs.runs_of("proposed")[0].folder / "weights.safetensors").read_bytes())
    else:
        words.write_text(words.read_text()[:50] if damage == "half json" else json.dumps(asdict(run) | {"x": 1}))
    assert [other.seed for other in runs.runs_of("baseline")] == [1]
    said = capsys.readouterr().out
    assert "is damaged" in said and "damaged-1" in said and "Run the training cell again" in said
    assert run.folder.with_name(f"{run.folder.name}.damaged-1").exists()
    assignment.train(trained.names["Baseline"], trained.names["spec"], seeds=(0, 1))
    assert runs.runs_of("baseline")[0].weights == run.weights


@pytest.mark.parametrize("text", ["", "{", "[]", '{"slots": 3, "opened": []}'])
def test_a_damaged_state_is_made_anew_from_the_runs(opened, capsys, text):
    before = runs.runs_of("baseline"), runs.runs_of("proposed"), runs.state()["opened"]
    (runs.home() / "state.json").write_text(text)
    assert (runs.runs_of("baseline"), runs.runs_of("proposed"), runs.state()["opened"]) == before
    assert "was made anew from the runs" in capsys.readouterr().out


def test_lazy_layers_are_as_good_as_others(work):
    class Lazy(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(nn.AvgPool2d(8), nn.Flatten(), nn.LazyLinear(10))

        def forward(self, x):
            return self.layers(x)

    assignment.train(Lazy, assignment.Spec(epochs=1, batch_size=100), seeds=0)
    (run,) = runs.runs_of("proposed")
    assert run.parameters == 490
    assert run.load(Lazy)(torch.zeros(1, 3, 32, 32)).shape == (1, 10)


def test_seeds_begin_with_other_weights_and_leave_the_random_numbers_alone(written):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    nets = [runs.made(written.names["Baseline"], seed) for seed in (0, 0, 1)]
    assert torch.equal(torch.rand(3), expected)
    first, again, other = (net.state_dict()["layers.2.weight"] for net in nets)
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_fast_mode_trains_little_and_leaves_nothing(written, monkeypatch):
    monkeypatch.setenv("CNN_COURSE_FAST", "1")
    pictures.temporary.cache_clear()
    assignment.train(written.names["Baseline"], written.names["spec"], seeds=(0, 1, 2))
    (run,) = runs.runs_of("baseline")
    assert len(run.history) == run.spec["epochs"] == pictures.FAST_EPOCHS
    assert files(written.folder) == []
    pictures.temporary.cache_clear()
