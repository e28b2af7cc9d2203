"""Pictures of groups, calibration and attribution say in words what they show, and refuse what cannot be shown."""

import pytest
import torch

from utils import models, results, show

FOUND = {
    "as it is": {"overall": 0.975, "with": 1.0, "against": 0.5},
    "weights": {"overall": 0.9, "with": 0.9, "against": 0.8},
}


def test_groups_are_told():
    picture = show.by_group(FOUND, "Shapes")
    assert picture.png.startswith(b"\x89PNG")
    assert picture.alt == (
        "Accuracy by group (Shapes). as it is: overall 97.5%, with 100.0%, against 50.0%; "
        "weights: overall 90.0%, with 90.0%, against 80.0%."
    )
    with pytest.raises(ValueError, match="the same groups, in the same order: overall, with, against"):
        show.by_group(FOUND | {"other": {"overall": 1.0}})


def test_recorded_repairs_are_drawn_for_one_set():
    recorded = results.load("bias_repairs")
    picture = show.repairs(recorded, "CIFAR-10")
    rows = [row for row in recorded.rows if row["pictures"] == "CIFAR-10"]
    assert all(f"{row['way']}: overall {row['overall']:.1%}" in picture.alt for row in rows) and len(rows) >= 6
    with pytest.raises(ValueError, match=r"nothing is recorded for 'MNIST'; there are: Shapes-10, CIFAR-10"):
        show.repairs(recorded, "MNIST")


def test_the_recorded_table_has_seeds_and_its_circumstances():
    recorded = results.load("bias_repairs")
    assert min(recorded["seeds"]) >= 3 and set(recorded.rows[0]) == set(recorded.about["columns"])
    assert {"machine", "versions", "date", "command"} <= set(recorded.about)


def test_a_reliability_diagram_says_which_way_a_network_errs():
    confidence, right = torch.tensor([0.9, 0.9, 0.9, 0.5]), torch.tensor([True, False, False, True])
    picture = show.reliability({"before": (confidence, right), "after": (confidence / 2, right)})
    assert "before: mean confidence 80.0%, accuracy 50.0%, over-confident" in picture.alt
    assert "after: mean confidence 40.0%, accuracy 50.0%, under-confident" in picture.alt
    with pytest.raises(ValueError, match="before: one confidence and one right or wrong"):
        show.reliability({"before": (confidence, right[:3])})


def test_histograms_tell_what_is_answered():
    found = {"test": torch.tensor([0.9, 0.8, 0.3, 0.95]), "noise": torch.tensor([0.2, 0.4])}
    assert (
        "test: mean confidence 74%, 75% answered; noise: mean confidence 30%, 0% answered"
        in show.confidences(found, 0.5).alt
    )
    assert "answered" not in show.confidences(found).alt


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    x = torch.randint(0, 256, (20, 3, 16, 16), dtype=torch.uint8)
    return models.FastCNN(x, widths=(4, 6, 8), convolutions=(1, 1, 1)).eval(), x


def test_attributions_name_the_class_asked_about(net):
    net, x = net
    classes = tuple("abcdefghij")
    picture = show.attributions(net, x[:2], classes, labels=torch.tensor([3, 9]))
    assert (
        picture.alt.startswith("saliency, Grad-CAM, occlusion for 2 pictures, asked about: d ")
        and ", j " in picture.alt
    )
    assert show.attributions(net, x[:2], classes, labels=torch.tensor([4, 9])).png != picture.png
    own = show.attributions(net, x[:2], classes, ways=("saliency",))
    assert own.alt.startswith("saliency for 2 pictures")
    with pytest.raises(ValueError, match="20 pictures: 1 to 12"):
        show.attributions(net, x, classes)
