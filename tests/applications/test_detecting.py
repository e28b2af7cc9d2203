"""Detection: what each cell is to say, how answers become boxes, and how they are judged."""

import pytest
import torch

from utils import data
from utils.applications import detection


def test_a_cell_near_the_middle_of_a_shape_answers_for_it():
    boxes, y = torch.tensor([[[8.0, 8, 24, 24], [0, 0, 0, 0]]]), torch.tensor([[2, -1]])
    kinds, edges = detection.targets(boxes, y, 4, 4)
    assert kinds[0].tolist() == [[0, 0, 0, 0], [0, 3, 3, 0], [0, 3, 3, 0], [0, 0, 0, 0]]
    assert edges[0, :, 1, 2].tolist() == [12, 4, 4, 12]  # from (20, 12): left, top, right, bottom


def test_where_there_is_no_shape_no_cell_is_taken_from_another():
    boxes = torch.tensor([[[0.0, 0, 20, 20], [0, 0, 0, 0]]])
    assert detection.targets(boxes, torch.tensor([[2, -1]]), 3, 3)[0][0, 0, 0] == 3


def test_even_a_thin_shape_has_a_cell():
    kinds, _ = detection.targets(torch.tensor([[[15.0, 3, 18, 29]]]), torch.tensor([[0]]), 4, 4)
    assert (kinds > 0).any()
    scenes = data.scenes(100, turn=65.0)
    kinds, _ = detection.targets(scenes.boxes, scenes.y, 6, 6)
    assert (kinds > 0).sum() >= (scenes.y >= 0).sum() * 0.9
    assert not detection.targets(scenes.boxes, scenes.y * 0 - 1, 6, 6)[0].any()


def test_a_cell_between_two_answers_for_the_nearer():
    boxes = torch.tensor([[[0.0, 0, 24, 24], [10, 0, 34, 24]]])
    kinds, edges = detection.targets(boxes, torch.tensor([[0, 1]]), 4, 5)
    assert kinds[0, 1].tolist() == [1, 1, 2, 2, 0]
    assert edges[0, 0, 1, 1] == 12 and edges[0, 0, 1, 2] == 10


def test_what_the_cells_should_say_gives_the_true_boxes_back():
    scenes = data.scenes(40)
    kinds, edges = detection.targets(scenes.boxes, scenes.y, 6, 6)
    logits = 20.0 * torch.nn.functional.one_hot(kinds, 5).permute(0, 3, 1, 2)
    for i in range(len(scenes)):
        boxes, scores, labels = detection.boxes_of(logits[i], edges[i], 0.5)
        assert len(boxes) == int((kinds[i] > 0).sum()) and (scores > 0.99).all()
        wanted = {
            (*box, c)
            for box, c in zip(map(tuple, scenes.boxes[i].tolist()), scenes.y[i].tolist(), strict=True)
            if c >= 0
        }
        found = {(*box, c) for box, c in zip(map(tuple, boxes.round().tolist()), labels.tolist(), strict=True)}
        assert found <= wanted


def test_boxes_come_with_the_surest_first_and_above_the_threshold():
    kinds = torch.zeros(3, 1, 3)
    kinds[1, 0, 0], kinds[2, 0, 1] = 2.0, 5.0
    boxes, scores, labels = detection.boxes_of(kinds, torch.full((4, 1, 3), 2.0), 0.6)
    assert labels.tolist() == [1, 0] and scores[0] > scores[1]
    assert boxes.tolist() == [[10, 2, 14, 6], [2, 2, 6, 6]]


@pytest.mark.parametrize("make", [detection.OneBox, detection.Detector])
def test_both_networks_learn(make):
    torch.manual_seed(0)
    net = make(width=4)
    scenes = data.scenes(60, objects=1)
    history = detection.learn(net, scenes, epochs=4)
    assert history[-1] < history[0] and not net.training
    first, second = detection.answers(net, scenes.x)
    assert len(first) == len(second) == 60
    as_floats = detection.answers(net, scenes.x.float() / 255)
    assert torch.equal(first, as_floats[0])


def test_the_loss_is_that_of_classes_and_of_boxes():
    net = detection.OneBox(width=4)
    scenes = data.scenes(6, objects=1)
    x = scenes.x.float() / 255
    kinds, boxes = detection.losses(net.eval(), x, scenes.boxes, scenes.y)
    found, logits = net(x)
    assert torch.isclose(kinds, torch.nn.functional.cross_entropy(logits, scenes.y[:, 0]))
    assert torch.isclose(boxes, (found - scenes.boxes[:, 0]).abs().mean() / 10)


def test_the_detector_takes_pictures_of_other_sizes():
    net = detection.Detector(classes=3, width=4).eval()
    kinds, edges = net(torch.rand(2, 3, 64, 96))
    assert kinds.shape == (2, 4, 8, 12) and edges.shape == (2, 4, 8, 12) and edges.min() > 0


def test_a_shape_counts_once_and_only_with_class_and_overlap():
    true = torch.tensor([[0.0, 0, 10, 10], [20, 0, 30, 10], [0, 0, 0, 0]])
    y = torch.tensor([0, 1, -1])
    boxes = torch.tensor([[0.0, 0, 10, 9], [0, 0, 10, 10], [20, 0, 30, 10], [20, 0, 30, 8], [0, 0, 10, 4]])
    right = detection.hits(boxes, torch.tensor([0, 0, 0, 1, 0]), true, y)
    assert right.tolist() == [True, False, False, True, False]
    assert detection.hits(boxes[:0], y[:0], true, y).tolist() == []


class Oracle(torch.nn.Module):
    """Says what the targets are, each in several cells."""

    def __init__(self, scenes):
        super().__init__()
        kinds, self.edges = detection.targets(scenes.boxes, scenes.y, 6, 6)
        self.logits = 20.0 * torch.nn.functional.one_hot(kinds, 5).permute(0, 3, 1, 2)

    def forward(self, x):
        return self.logits, self.edges


def test_precision_and_recall_of_a_perfect_detector_with_and_without_suppression():
    scenes = data.scenes(40, objects=2, size=48, scale=(0.7, 0.8))
    precision, recall = detection.precision_recall(Oracle(scenes), scenes)
    assert precision > 0.95 and recall > 0.95
    repeated, same = detection.precision_recall(Oracle(scenes), scenes, overlap=None)
    assert repeated < 0.85 and same >= recall
    silent = detection.precision_recall(Oracle(scenes), scenes, threshold=1.0)
    assert silent[0] != silent[0] and silent[1] == 0  # of no boxes there is no share


def test_found_drops_what_overlaps():
    scenes = data.scenes(1, objects=1)
    every = detection.found(Oracle(scenes), scenes.x[0], overlap=None)
    (box,), _, (label,) = detection.found(Oracle(scenes), scenes.x[0])
    assert len(every[0]) > 1 and box.tolist() == scenes.boxes[0, 0].tolist() and label == scenes.y[0, 0]


class Fixed(torch.nn.Module):
    def __init__(self, boxes, logits):
        super().__init__()
        self.said = boxes, logits

    def forward(self, x):
        return self.said


def test_one_box_is_found_if_class_and_place_are_right():
    scenes = data.scenes(4, objects=1)
    logits = 9.0 * torch.nn.functional.one_hot(scenes.y[:, 0], 4)
    logits[0] = logits[0].roll(1)
    boxes = scenes.boxes[:, 0].clone()
    boxes[1] += 40
    scores = detection.one_box_scores(Fixed(boxes, logits), scenes)
    assert scores == {"class": 0.75, "iou": 0.75, "found": 0.5}
