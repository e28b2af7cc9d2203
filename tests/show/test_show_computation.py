"""A formula as a graph: the numbers are autograd's, the steps come in order, and what cannot be drawn is refused."""

import pytest
import torch

from utils import show
from utils.show.computation import centre, graph_steps, nodes_of, place
from utils.show.picture import ORANGE
from utils.show.sheet import Sheet

SIGMOID = {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "b": -3.0}
FORMULA = "sigmoid(w0*x0 + w1*x1 + b)"


def gradients(formula, **values):
    return {node.label: node.value.grad.item() for node in nodes_of(formula, values) if not node.parents}


@pytest.mark.parametrize(
    "formula, torchs",
    [
        ("x * y + x", lambda x, y: x * y + x),
        ("(x + y) * max(y, 0)", lambda x, y: (x + y) * y.clamp(min=0)),
        ("tanh(x) / exp(y) - log(y)", lambda x, y: torch.tanh(x) / torch.exp(y) - torch.log(y)),
        ("-x * relu(y - 1.5) + -2", lambda x, y: -x * torch.relu(y - 1.5) - 2),
    ],
)
def test_values_and_gradients_are_autograds(formula, torchs):
    x, y = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.7, 2.3))
    result = torchs(x, y)
    nodes = nodes_of(formula, {"x": 0.7, "y": 2.3})
    assert nodes[-1].value.item() == pytest.approx(result.item(), abs=1e-12)
    expected = torch.autograd.grad(result, (x, y))
    found = gradients(formula, x=0.7, y=2.3)
    assert [found["x"], found["y"]] == pytest.approx([g.item() for g in expected], abs=1e-10)


def test_a_name_that_occurs_twice_is_one_node_whose_gradient_is_the_sum_of_its_wires():
    nodes = nodes_of("(x + y) * max(y, z)", {"x": 1, "y": 2, "z": 0})
    assert [node.label for node in nodes] == ["x", "y", "+", "z", "max", "×"]
    shares = [node.parts[node.parents.index(1)].grad.item() for node in nodes if 1 in node.parents]
    assert shares == [2, 3] and nodes[1].value.grad == 5
    assert gradients("x * x", x=3.0) == {"x": 6}


def test_each_wire_of_a_branch_carries_its_own_share(monkeypatch):
    written = []
    monkeypatch.setattr(Sheet, "text", lambda self, x, y, words, *a, **k: written.append((words, k.get("colour"))))
    show.graph("x * y + x", x=2, y=5)
    orange = sorted(words for words, colour in written if colour == ORANGE)
    assert orange == sorted(["1", "1", "6", "2", "5", "1"])  # of +, ×, x and y, and of x's two wires


@pytest.mark.parametrize("formula", ["sigmoid(w0*x0 + w1*x1 + b) * w0 + max(x0, tanh(b))", "w0*x0 + w0*x0*b"])
def test_every_node_stands_right_of_what_it_needs_and_none_on_another(formula):
    nodes = nodes_of(formula, SIGMOID)
    place(nodes)
    assert all(node.column > nodes[i].column for node in nodes for i in node.parents)
    places = [centre(node) for node in nodes]
    assert all(abs(a[0] - b[0]) > 60 or abs(a[1] - b[1]) > 50 for i, a in enumerate(places) for b in places[:i])


def test_it_goes_forward_gate_by_gate_and_then_backward():
    assert graph_steps(FORMULA, SIGMOID) == 2 * 5 + 1
    said = [show.graph(FORMULA, step, **SIGMOID).alt.partition(". ")[2] for step in range(12)]
    assert said[0] == "The inputs are there."
    assert said[1] == "Forward: × takes 2 and −1 and gives −2."
    assert said[5] == "Forward: sigmoid takes 1 and gives 0.73."
    assert said[6] == "Backward: the result's gradient with respect to itself is 1."
    assert said[7] == "Backward: at sigmoid arrives 1; it hands back 0.2 to +."
    assert said[11].startswith(
        "Backward: at × arrives 0.2; it hands back −0.2 to w0, 0.39 to x0. Leaves: w0 = 2, gradient"
    )
    assert show.graph(FORMULA, **SIGMOID) == show.graph(FORMULA, 11, **SIGMOID) == show.graph(FORMULA, 99, **SIGMOID)
    pictures = {show.graph(FORMULA, step, **SIGMOID).png for step in range(12)}
    assert len(pictures) == 12


@pytest.mark.parametrize(
    "formula, says",
    [
        ("x +", "“x \\+” is not a complete formula"),
        ("x * q", "q has no value; known: x, y"),
        ("sin(x)", "“sin\\(x\\)” is no gate here: names, numbers, \\+ − \\* / and max, relu"),
        ("max(x)", "max takes two inputs, not 1"),
        ("relu(x, y)", "relu takes one input, not 2"),
        ("x", "has no gate in it; try x \\* y"),
        ("x ** 2", "is no gate here"),
        ("__import__('os')", "is no gate here"),
        ("", "is not a complete formula"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(formula, says):
    with pytest.raises(ValueError, match=says):
        show.graph(formula, x=1.0, y=2.0)
