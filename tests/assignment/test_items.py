"""The checklist: every item in each of its states, and what does not fit together."""

import pytest
from drafts import BASELINE, DEFINED, PROPOSED, code, saved, write

from utils import assignment
from utils.assignment import items, runs
from utils.assignment.rules import BY_HAND, POINTS
from utils.checks import CheckFailed


def state_of(name):
    return next(line for line in assignment.checklist().lines if line.name == name)


def test_the_items_are_those_of_the_rules():
    assert set(items.TODO) == set(POINTS) - set(BY_HAND)
    assert set(items.ASKED) == set(POINTS)


def test_the_rubric_adds_up():
    table = assignment.rubric()
    assert "100 points" in table.caption and sum(int(row[2]) for row in table.rows) == 100


def test_at_the_beginning_everything_is_open_and_nothing_raises(work, capsys):
    card = assignment.checklist()
    assert {line.state for line in card.lines} == {"open"}
    assert float(card) == 0
    for name in items.TODO:
        assert assignment.item(name) == 0
    assert capsys.readouterr().out.count("not done yet") == len(items.TODO)


def test_written_but_not_trained(written):
    states = {line.name: line.state for line in assignment.checklist().lines}
    assert [states[name] for name in ("models", "name", "learns", "spec", "reported")] == ["right"] * 3 + ["open"] * 2


def test_a_class_with_an_open_body_is_open(work):
    write(
        work.names,
        "from torch import nn\n"
        + BASELINE.replace("        self.layers", "        raise NotImplementedError\n        self.layers"),
    )
    write(work.names, "proposed = Baseline")
    assert state_of("models").state == state_of("name").state == "open"


def test_opened_and_right(opened):
    states = {line.name: line for line in assignment.checklist().lines}
    for name in ("models", "name", "spec", "histories", "reported", "learns"):
        assert states[name].state == "right", states[name]
        assert assignment.item(name) == POINTS[name]
    assert "seeds" in states  # two are fewer than three


def test_a_forged_accuracy_is_seen(opened):
    run = runs.best(runs.runs_of("proposed"))
    runs.tested(run, run.test_accuracy / 2, run.test_loss, run.tested)
    with pytest.raises(CheckFailed) as failed:
        items._seen.clear()
        for other in runs.runs_of("baseline"):
            runs.tested(other, other.test_accuracy / 2, other.test_loss, other.tested)
        assignment.item("reported")
    assert "✘ reported:" in str(failed.value) and "with the weights that were handed in" in str(failed.value)


def test_a_placeholder_for_a_name_is_red(work):
    write(
        work.names,
        "import torch\nfrom torch import nn",
        PROPOSED.replace("Wren", "MyNet").replace("pooled(4)", "nn.AdaptiveAvgPool2d(4), nn.Flatten()"),
    )
    with pytest.raises(AssertionError, match="“MyNet” is a placeholder"):
        assignment.item("name")


def test_a_spec_changed_after_the_training_is_seen(trained):
    trained.names["spec"] = trained.names["spec"].changed(lr=0.5)
    said = [str(line) for line in assignment.checklist().lines if line.state == "wrong"]
    assert len(said) == 2 and "your spec has changed" in said[0]


def test_two_specs_are_seen(written):
    assignment.train(written.names["Baseline"], written.names["spec"], seeds=0)
    assignment.train(written.names["proposed"], written.names["spec"].changed(epochs=1), seeds=0)
    with pytest.raises(CheckFailed, match="different configurations"):
        assignment.item("spec")


def test_a_class_changed_after_the_training_is_seen(trained):
    write(trained.names, BASELINE.replace("self.layers(x)", "2 * self.layers(x)"))
    (line,) = [line for line in assignment.checklist().lines if line.state == "wrong"]
    assert line.name == "baseline" and "Baseline (or the pictures) changed since" in line.text


def test_openings_are_told(opened):
    content = runs.state()
    runs.write_state(content | {"opened": content["opened"] * 2})
    assert "it was opened 2 times" in str(assignment.checklist())


def test_the_discussion_is_looked_for_in_the_saved_notebook(trained):
    text = code("discussion", "*Write your answer here.*") | {"cell_type": "markdown"}
    assert state_of("notebook").state == "open"
    saved(trained.folder, *DEFINED, text)
    assert state_of("discussion").state == "open"
    saved(trained.folder, *DEFINED, text | {"source": "Wren is better, because"})
    assert "discussion" not in {line.name for line in assignment.checklist().lines}


def test_an_old_file_to_hand_in_is_seen(opened):
    saved(opened.folder, *DEFINED)
    assignment.bundle()
    assert state_of("bundle").state == "right"
    assignment.train(opened.names["Baseline"], opened.names["spec"], seeds=9)
    assert state_of("bundle").state == "wrong"


def test_an_unknown_item_is_named(work):
    with pytest.raises(ValueError, match="no item is called 'colour'; there are: models, name"):
        assignment.item("colour")


def test_on_the_stand_in_a_person_decides(opened, monkeypatch):
    from dataclasses import replace

    from utils.assignment import pictures

    standin = replace(opened.data, is_standin=True, name="Shapes-10 (stand-in for CIFAR-10)")
    monkeypatch.setattr(pictures, "_parts", lambda quick: standin)
    assert state_of("proposed").state == "look"
    assert assignment.item("proposed") == 0  # and raises nothing
    assert state_of("pictures").state == "look"


def test_a_card_shows_every_line_in_html(work):
    html = assignment.checklist()._repr_mimebundle_()["text/html"]
    assert html.count('role="status"') == len(assignment.checklist().lines)
