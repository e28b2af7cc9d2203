"""Evaluation: the numbers are right, networks are left as they were, and what does not fit is said in words."""

import math

import pytest
import torch
from sklearn.metrics import classification_report
from torch import nn

from utils import evaluation
from utils.models import CifarCNN, Standardise

CLASSES = ("cat", "dog", "ship")


@pytest.fixture
def x():
    return torch.randint(0, 256, (7, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return nn.Sequential(
        Standardise(),
        nn.Conv2d(3, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(64, 3),
    )


LOGITS = torch.tensor([[2.0, 1, 0], [0, 3, 1], [5, 0, 0], [0, 0.1, 0], [1, 0, 4]])
Y = torch.tensor([0, 1, 1, 2, 2])  # right, right, dog taken for cat (surely), ship for dog (hardly), right


# --- logits


def test_logits_are_the_networks_own_in_eval_mode_whatever_the_batches(net, x):
    expected = net.eval()(x.float() / 255).detach()
    net.train()
    for size in (1, 3, 500):
        assert torch.allclose(evaluation.logits(net, x, batch_size=size), expected, atol=1e-5)
    assert torch.allclose(evaluation.logits(net, x.double() / 255), expected, atol=1e-5)
    found = evaluation.logits(net, x)
    assert found.dtype == torch.float32 and found.device.type == "cpu" and not found.requires_grad


def test_tta_is_the_mean_of_picture_and_mirror_image(net, x):
    both = (evaluation.logits(net, x) + evaluation.logits(net, x.flip(3))) / 2
    assert torch.allclose(evaluation.logits(net, x, tta=True), both, atol=1e-6)
    assert not torch.allclose(evaluation.logits(net, x), both, atol=1e-3)


def test_every_part_keeps_its_mode_its_running_statistics_and_its_hooks(net, x):
    net.train()
    net[2].eval()  # a frozen batch norm within a network in training
    before = {name: value.clone() for name, value in net.state_dict().items()}
    modes = [part.training for part in net.modules()]
    evaluation.logits(net, x)
    evaluation.features(net, x, "3")
    evaluation.feature_maps(net, x[0])
    with pytest.raises(ValueError):
        evaluation.logits(net, x[:, :2])
    assert [part.training for part in net.modules()] == modes and True in modes and False in modes
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in net.modules())
    assert torch.is_grad_enabled()


def test_auto_precision_still_gives_float32(net, x, monkeypatch):
    monkeypatch.setattr(evaluation.device, "gains_from_bf16", lambda where=None: True)
    low = evaluation.logits(net, x, precision="auto")
    exact = evaluation.logits(net, x)
    assert low.dtype == torch.float32 and torch.allclose(low, exact, atol=0.1) and not torch.equal(low, exact)


def test_a_network_without_parameters_runs_on_the_cpu(x):
    assert evaluation.logits(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), x).shape == (7, 3)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda x: x[0], r"one picture alone, \(3, 8, 8\): add the batch axis"),
        (lambda x: x.flatten(1), r"shape \(N, C, H, W\); you gave \(7, 192\)"),
        (lambda x: x[:0], "no pictures here"),
        (lambda x: x.int(), "you gave torch.int32"),
        (lambda x: x.float(), r"in \[0, 1\]; these reach 255: divide by 255"),
        (lambda x: x[:, :1], r"does not take pictures of shape \(7, 1, 8, 8\)"),
        (lambda x: torch.cat([x, x], 3), r"does not take pictures of shape \(7, 3, 8, 16\)"),
    ],
)
def test_pictures_that_do_not_fit_are_named(net, x, wrong, words):
    if words.startswith("does not take pictures of shape \\(7, 1"):
        net = net[1:]  # Standardise would spread one channel over three
    with pytest.raises(ValueError, match=words):
        evaluation.logits(net, wrong(x))


def test_what_is_no_tensor_no_logits_or_not_finite_is_refused(net, x):
    with pytest.raises(TypeError, match=r"as in data\.x_test; you gave list"):
        evaluation.logits(net, [1, 2])
    with pytest.raises(ValueError, match=r"here \(7, classes\); the network gives shape \(7, 4, 4, 4\)"):
        evaluation.logits(net[:5], x)
    with pytest.raises(ValueError, match="at least 1"):
        evaluation.logits(net, x, batch_size=0)
    with pytest.raises(ValueError, match='"float32" or "auto"'):
        evaluation.logits(net, x, precision="half")
    net[-1].bias.data[0] = math.nan
    with pytest.raises(ValueError, match=r"NaN or infinity\. Its training has probably diverged"):
        evaluation.logits(net, x)


def test_too_little_memory_names_the_remedy(net, x):
    def greedy(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    net[1].forward = greedy
    with pytest.raises(ValueError, match="no memory for 7 pictures at a time: give a smaller batch_size"):
        evaluation.logits(net, x)


# --- numbers


def test_accuracy_and_loss_from_logits_labels_and_a_model(net, x):
    assert evaluation.accuracy(LOGITS, Y) == evaluation.accuracy(LOGITS.argmax(1), Y) == 0.6
    by_hand = [float(-row.double().softmax(0)[label].log()) for row, label in zip(LOGITS, Y, strict=True)]
    assert evaluation.loss(LOGITS, Y) == pytest.approx(sum(by_hand) / 5, rel=1e-6)
    y = torch.tensor([0, 1, 2, 0, 1, 2, 0])
    logits = evaluation.logits(net, x, tta=True)
    assert evaluation.accuracy(net, x, y, tta=True, batch_size=2) == evaluation.accuracy(logits, y)
    assert evaluation.loss(net, x, y, tta=True) == pytest.approx(evaluation.loss(logits, y), rel=1e-6)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (Y[:4], "4 labels for 5 answers"),
        (torch.tensor([0, 1, 1, 2, 3]), "labels from 0 to 3; 3 classes are numbered 0 to 2"),
        (torch.tensor([0, 1, 1, 2, -1]), "labels from -1 to 2"),
        (Y.float(), r"labels are whole numbers, shape \(N,\); you gave torch.float32"),
        (Y[:, None], r"torch.int64 \(5, 1\)"),
    ],
)
def test_labels_that_do_not_fit_are_named(y, words):
    for function in (evaluation.accuracy, evaluation.loss, evaluation.most_confident_mistakes):
        with pytest.raises(ValueError, match=words):
            function(LOGITS, y)
    with pytest.raises(ValueError, match=words):
        evaluation.confusion(y, LOGITS, 3)


def test_calls_that_mix_the_two_forms_are_explained(net, x):
    with pytest.raises(TypeError, match=r"\(model, x, y\)"):
        evaluation.accuracy(net, x)
    with pytest.raises(TypeError, match="labels are all that is needed"):
        evaluation.accuracy(LOGITS, Y, Y)
    with pytest.raises(ValueError, match="the loss needs logits"):
        evaluation.loss(LOGITS.argmax(1), Y)
    with pytest.raises(ValueError, match="no labels"):
        evaluation.accuracy(LOGITS[:0], Y[:0])
    with pytest.raises(ValueError, match=r"logits .* or predicted labels"):
        evaluation.accuracy(LOGITS[:, 0], Y)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"), [(8495, 10000, 0.8424, 0.8564), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0)]
)
def test_the_interval_is_wilsons(right, n, low, high):
    assert evaluation.interval(right, n) == pytest.approx((low, high), abs=6e-5)


@pytest.mark.parametrize(("right", "n"), [(3, 2), (-1, 5), (0, 0)])
def test_an_impossible_count_has_no_interval(right, n):
    with pytest.raises(ValueError, match="not possible"):
        evaluation.interval(right, n)


# --- where it errs


def test_rows_of_the_confusion_matrix_are_the_truth():
    expected = [[1, 0, 0], [1, 1, 0], [0, 1, 1]]
    assert evaluation.confusion(Y, LOGITS, CLASSES).tolist() == expected
    assert evaluation.confusion(Y, LOGITS.argmax(1), 3).tolist() == expected
    assert evaluation.confusion(Y[:2], LOGITS[:2], 3).tolist() == [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 0],
    ]  # no ship, still a row


def test_the_most_frequent_mistake_is_off_the_diagonal():
    assert evaluation.most_frequent_mistake(torch.tensor([[9, 1, 0], [0, 9, 3], [2, 0, 9]])) == (1, 2)
    assert evaluation.most_frequent_mistake(torch.eye(3, dtype=torch.int64)) == (0, 0)


def test_the_table_of_classes_is_scikit_learns_and_shows_itself():
    table = evaluation.per_class(Y, LOGITS, CLASSES)
    report = classification_report(Y, LOGITS.argmax(1), target_names=CLASSES, output_dict=True)
    for name in CLASSES:
        row, expected = table[name], report[name]
        assert [row["precision"], row["recall"], row["f1"], row["count"]] == pytest.approx(
            [expected[key] for key in ("precision", "recall", "f1-score", "support")]
        )
    assert "cat" in repr(table) and "50.0%" in repr(table)
    page = table._repr_html_()
    assert page.count("<tr>") == 4 and "<caption>Precision" in page and "scope=" in page
    with pytest.raises(KeyError, match="'frog'; there are: cat, dog, ship"):
        table["frog"]


def test_a_share_of_nothing_is_a_dash_and_warns_nobody(recwarn):
    table = evaluation.per_class(torch.tensor([0, 0]), torch.tensor([0, 1]), ("<cat>", "dog", "ship"))
    assert table.cells()[2] == ["ship", "–", "–", "–", "0"] and table.cells()[1][2] == "–"
    assert "&lt;cat&gt;" in table._repr_html_() and not recwarn.list


def test_two_best_guesses_with_their_probabilities():
    classes, probabilities = evaluation.two_best(LOGITS)
    assert classes[:3].tolist()[:2] == [[0, 1], [1, 2]] and classes[4].tolist() == [2, 0]
    assert probabilities[0].tolist() == pytest.approx([0.66524, 0.24473], abs=1e-5)
    with pytest.raises(ValueError, match="two classes or more"):
        evaluation.two_best(LOGITS[:, :1])


def test_most_confident_mistakes_come_first_and_right_ones_never():
    assert evaluation.most_confident_mistakes(LOGITS, Y).tolist() == [2, 3]
    assert evaluation.most_confident_mistakes(LOGITS, Y, 1).tolist() == [2]
    assert evaluation.most_confident_mistakes(LOGITS, LOGITS.argmax(1)).tolist() == []


# --- what layers answer


def test_features_of_a_layer_are_what_it_answers_though_the_next_works_in_place(net, x):
    picture = x.float() / 255
    net.eval()
    assert torch.allclose(evaluation.features(net, x, "2", batch_size=3), net[:3](picture).detach(), atol=1e-5)
    assert evaluation.features(net, x, "2").min() < 0  # before the ReLU that works in place
    assert torch.allclose(evaluation.features(net, x, "3"), net[:4](picture).detach(), atol=1e-5)
    assert torch.allclose(evaluation.features(net, x), net[:6](picture).detach(), atol=1e-5)  # into the last dense one


def test_a_layer_used_twice_gives_its_last_answer(x):
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.unused = nn.Conv2d(3, 3, 1), nn.ReLU()

        def forward(self, x):
            return self.layer(self.layer(x)).mean((2, 3))

    net = Twice()
    expected = net.layer(net.layer(x.float() / 255)).detach()
    assert torch.allclose(evaluation.features(net, x, "layer", batch_size=2), expected, atol=1e-5)
    with pytest.raises(ValueError, match="'unused', but does not use it"):
        evaluation.features(net, x, "unused")
    with pytest.raises(ValueError, match=r"no dense layer: name .* It has: layer \(Conv2d\), unused \(ReLU\)"):
        evaluation.features(net, x)


def test_an_unknown_layer_is_answered_with_those_there_are(net, x):
    for name in ("conv9", ""):
        with pytest.raises(ValueError, match=rf"no layer '{name}'\. It has: 0 \(Standardise\), 1 \(Conv2d\)"):
            evaluation.features(net, x, name)


def test_feature_maps_of_every_layer_in_the_order_of_use(net, x):
    maps = evaluation.feature_maps(net, x[2])
    assert {name: tuple(one.shape) for name, one in maps.items()} == {
        **{"0": (3, 8, 8), "1": (4, 8, 8), "2": (4, 8, 8), "3": (4, 8, 8)},
        "4": (4, 4, 4),
    }
    assert maps["2"].min() < 0 == maps["3"].min()
    with pytest.raises(ValueError, match=r"one picture \(C, H, W\) expected"):
        evaluation.feature_maps(net, x)


def test_the_tutorials_network_decides_from_512_features():
    x = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    assert evaluation.features(CifarCNN(), x).shape == (2, 512)
    assert evaluation.features(CifarCNN(), x, "features.0").shape == (2, 32, 32, 32)
