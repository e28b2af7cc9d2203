"""Tables and curves of the runs, and the test part: closed, opened once, counted."""

import pytest
from drafts import BASELINE, PROPOSED, write

from utils import assignment
from utils.assignment import runs, tables


def test_the_pictures_come_without_their_test_part(work):
    cifar = assignment.data()
    assert (len(cifar.y_train), len(cifar.y_val), len(cifar.x_test), len(cifar.y_test)) == (300, 100, 0, 0)


def test_before_anything_is_trained_everything_says_so(work, capsys):
    assert assignment.results() is assignment.curves() is assignment.ablation() is assignment.open_test() is None
    assert capsys.readouterr().out.count("not done yet") == 4


def test_mean_and_interval():
    mean, half = tables.spread([0.1, 0.2, 0.3])
    assert (mean, half) == pytest.approx((0.2, 4.303 * 0.1 / 3**0.5))
    assert tables.spread([0.5]) == (0.5, None)
    assert tables.percent([0.5]) == "50.00%"
    assert tables.percent([0.5, None]) == "–"
    assert tables.percent([0.1, 0.2, 0.3]) == "20.00 ± 24.84 %"


def test_results_hold_what_is_asked(trained):
    table = assignment.results()
    assert table.head[2:6] == ["training loss", "validation loss", "validation accuracy", "test accuracy"]
    (name, seeds, *_, test, parameters, _, _), proposed = table.rows
    assert (name, seeds, test, parameters) == ("Baseline (baseline)", "0, 1", "–", "136")
    assert "±" in table.rows[0][4] and proposed[0] == "Wren (proposed)"
    assert "closed until assignment.open_test()" in table.note
    assert "<caption>Results</caption>" in table._repr_html_()


def test_curves_have_both_and_an_alt_text(trained):
    alt = assignment.curves().alt
    assert "Baseline, 2 epochs" in alt and "Wren, 2 epochs" in alt


def test_an_ablation_is_compared_seed_by_seed(trained):
    write(
        trained.names, PROPOSED.replace("Wren", "Twig").replace("proposed = Twig", "").replace("nn.ReLU()", "nn.Tanh()")
    )
    assignment.train(trained.names["Twig"], trained.names["spec"], seeds=1, role="ablation", of="without ReLU")
    rows = assignment.ablation().rows
    whole, variant = runs.runs_of("proposed")[1], runs.runs_of("ablation/without ReLU")[0]
    assert [row[0] for row in rows] == ["Wren", "without ReLU"]
    assert rows[1][3] == f"{100 * (variant.val_accuracy - whole.val_accuracy):+.2f} points"


def test_the_test_part_stays_closed_until_both_are_trained(written, capsys):
    assignment.train(written.names["Baseline"], written.names["spec"], seeds=0)
    assert assignment.open_test() is None
    assert "missing: proposed" in capsys.readouterr().out
    assert runs.state()["opened"] == []


def test_it_stays_closed_while_a_seed_is_missing(trained, capsys):
    content = runs.state()
    content["slots"]["proposed"]["seeds"].append(2)
    runs.write_state(content)
    assert assignment.open_test() is None
    assert "Wren, seed 2 is not trained to the end" in capsys.readouterr().out


def test_opening_evaluates_every_seed_and_notes_the_moment(trained, capsys):
    from utils import evaluation

    table = assignment.open_test()
    assert "The test part is open now" in capsys.readouterr().out
    assert len(runs.state()["opened"]) == 1
    for role, network in (("baseline", trained.names["Baseline"]), ("proposed", trained.names["proposed"])):
        for run in runs.runs_of(role):
            right = evaluation.accuracy(run.load(network), trained.data.x_test, trained.data.y_test)
            assert run.test_accuracy == right and run.tested == runs.state()["opened"][0]
    assert [row[1] for row in table.rows] == [
        str(runs.best(runs.runs_of(role)).seed) for role in ("baseline", "proposed")
    ]
    assert "–" not in [cell for row in assignment.results().rows for cell in row]


def test_a_second_call_shows_the_same_and_evaluates_nothing(opened, capsys, monkeypatch):
    first = [run.test_accuracy for run in runs.runs_of("baseline")]
    monkeypatch.setattr(tables, "test", lambda *given: pytest.fail("evaluated again"))
    assert assignment.open_test().rows
    assert "was opened already, on 20" in capsys.readouterr().out
    assert [run.test_accuracy for run in runs.runs_of("baseline")] == first
    assert len(runs.state()["opened"]) == 1


def test_training_afterwards_makes_it_a_second_opening(opened, capsys):
    write(opened.names, BASELINE.replace("pooled(2)", "pooled(1)").replace("12", "3"))
    assignment.train(opened.names["Baseline"], opened.names["spec"], seeds=0)
    assignment.open_test()
    said = capsys.readouterr().out
    assert "Baseline has been trained since. This is opening number 2" in said
    assert len(runs.state()["opened"]) == 2
    assignment.open_test()
    assert "was opened already, 2 times, first on" in capsys.readouterr().out


def test_an_interrupted_opening_is_still_one(trained, monkeypatch):
    evaluate, calls = tables.runs.tested, []

    def fails_at_the_second(*given):
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        evaluate(*given)

    monkeypatch.setattr(tables.runs, "tested", fails_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        assignment.open_test()
    assignment.open_test()
    assert len(runs.state()["opened"]) == 1
    assert all(run.test_accuracy is not None for run in runs.runs_of("proposed"))


def test_a_class_that_has_changed_is_not_evaluated_with_old_weights(trained):
    write(trained.names, BASELINE.replace("self.layers(x)", "-self.layers(x)"))
    with pytest.raises(ValueError, match="Baseline, or the pictures, changed since it was trained"):
        assignment.open_test()
    assert runs.state()["opened"] == []


def test_sizes(written, capsys):
    table = assignment.sizes(written.names["Baseline"], written.names["proposed"])
    assert [row[1] for row in table.rows] == ["136", "1,514", "5,000,000 each"]
    assert assignment.sizes(None) is None
    assert "not done yet" in capsys.readouterr().out
