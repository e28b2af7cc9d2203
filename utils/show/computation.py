"""A formula as a computational graph: numbers forward, gradients backward, one gate after the other."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

import torch

from utils.show.picture import BLUE, GREEN, ORANGE, Picture
from utils.show.sheet import BLACK, GREY, Sheet, number

OPERATORS = {
    ast.Add: ("+", torch.add),
    ast.Sub: ("−", torch.sub),
    ast.Mult: ("×", torch.mul),
    ast.Div: ("÷", torch.div),
}
FUNCTIONS = {
    "max": torch.maximum,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "exp": torch.exp,
    "log": torch.log,
}
ALLOWED = f"names, numbers, + − * / and {', '.join(FUNCTIONS)}"
ACROSS, DOWN, WIDE, TALL = 132, 84, 62, 34  # pixels: between columns, between rows, of a node


@dataclass
class Node:
    """A name, a number or a gate. `parts[i]` is what arrived from parent i: its gradient is that wire's share."""

    label: str
    value: torch.Tensor
    parents: list[int] = field(default_factory=list)
    parts: list[torch.Tensor] = field(default_factory=list)
    column: float = 0
    row: float = 0


def nodes_of(formula: str, values: dict[str, float]) -> list[Node]:
    """The nodes of a formula, each after those that it needs; the last is the result, and gradients are in place.

    Raises
    ------
    ValueError
        If the formula holds something else than names with a value, numbers and known gates.
    """
    nodes: list[Node] = []
    named: dict[str, int] = {}

    def add(label: str, value: torch.Tensor, parents=(), parts=()) -> int:
        value.retain_grad()
        nodes.append(Node(label, value, list(parents), list(parts)))
        return len(nodes) - 1

    def leaf(label: str, value: float) -> int:
        return add(label, torch.tensor(float(value), dtype=torch.float64, requires_grad=True))

    def gate(label: str, function, *inputs: ast.AST) -> int:
        parents = [visit(each) for each in inputs]
        parts = [nodes[i].value.clone() for i in parents]  # a wire of its own for each use
        for part in parts:
            part.retain_grad()
        return add(label, function(*parts), parents, parts)

    def visit(node: ast.AST) -> int:
        match node:
            case ast.Name(id=name) if name in values:
                if name not in named:
                    named[name] = leaf(name, values[name])
                return named[name]
            case ast.Constant(value=int() | float() as constant):
                return leaf(number(constant), constant)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as constant)):
                return leaf(number(-constant), -constant)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return gate("neg", torch.neg, inner)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                return gate(*OPERATORS[type(op)], left, right)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
                if len(args) != (2 if name == "max" else 1):
                    raise ValueError(f"{name} takes {'two inputs' if name == 'max' else 'one input'}, not {len(args)}.")
                return gate(name, FUNCTIONS[name], *args)
            case ast.Name(id=name):
                raise ValueError(f"{name} has no value; known: {', '.join(values) or 'none'}.")
        raise ValueError(f"“{ast.unparse(node)}” is no gate here: {ALLOWED} can be drawn.")

    try:
        tree = ast.parse(formula.strip(), mode="eval").body
    except SyntaxError:
        raise ValueError(f"“{formula}” is not a complete formula: {ALLOWED} can be drawn.") from None
    result = visit(tree)
    if not nodes[result].parents:
        raise ValueError(f"“{formula}” has no gate in it; try x * y.")
    nodes[result].value.backward()
    return nodes


def place(nodes: list[Node]) -> None:
    """Columns by what must be computed before, leaves just left of where they are needed; rows without collisions."""
    users = {i: [n for n in nodes if i in n.parents] for i in range(len(nodes))}
    rows = 0
    for node in nodes:
        if node.parents:
            node.column = max(nodes[i].column for i in node.parents) + 1
            node.row = sum(nodes[i].row for i in node.parents) / len(node.parents)
        else:
            node.row = rows
            rows += 1
    for i, node in enumerate(nodes):
        if not node.parents and users[i]:
            node.column = min(user.column for user in users[i]) - 1
    taken: dict[float, set[float]] = {}
    for node in nodes:  # gates give way to what stands there already
        while any(abs(node.row - other) < 0.7 for other in taken.get(node.column, ())):
            node.row += 0.35
        taken.setdefault(node.column, set()).add(node.row)


def graph_steps(formula: str, values: dict[str, float]) -> int:
    """How many steps there are: each gate once forward and once backward, and one that starts the way back."""
    gates = sum(bool(node.parents) for node in nodes_of(formula, values))
    return 2 * gates + 1


def graph(formula: str, step: int | None = None, **values: float) -> Picture:
    """A formula drawn as gates: values above them, gradients of the result below.

    Parameters
    ----------
    formula : for example "sigmoid(w * x + b)"; a name that occurs twice is one node with two wires
    step : how far the computation has come, None for the end: first every gate forward, then the 1 at the result, then
        every gate backward
    values : of the names

    Where several wires leave a node, each carries its own share of the gradient, and the node their sum.
    """
    nodes = nodes_of(formula, values)
    place(nodes)
    gates = [i for i, node in enumerate(nodes) if node.parents]
    last = 2 * len(gates) + 1
    step = last if step is None else max(0, min(int(step), last))
    forward = gates[: min(step, len(gates))]
    started = step > len(gates)
    backward = gates[::-1][: max(0, step - len(gates) - 1)]
    current = (forward if step <= len(gates) else backward)[-1:] if step != len(gates) + 1 else gates[-1:]
    sheet = Sheet(
        max((max(n.column for n in nodes) + 1) * ACROSS + 40, 560), (max(n.row for n in nodes) + 1) * DOWN + 66
    )
    for i in gates:
        draw_wires(sheet, nodes, i, i in backward)
    for i, node in enumerate(nodes):
        users = [j for j in gates if i in nodes[j].parents]
        known = not node.parents or i in forward
        complete = started and (all(j in backward for j in users) if users else i == gates[-1])
        draw_node(sheet, node, known, complete, i in current)
    words = caption(nodes, current, step, len(gates))
    sheet.text(16, sheet.paper.height - 22, words, 15, "lm", bold=True)
    leaves = [
        f"{n.label} = {number(n.value.item())}, gradient {number(n.value.grad.item())}" for n in nodes if not n.parents
    ]
    told = f" Leaves: {'; '.join(leaves)}." if step == last else ""
    return sheet.picture(f"Computational graph of {formula}. {words}{told}")


def centre(node: Node) -> tuple[float, float]:
    return 20 + (node.column + 0.5) * ACROSS, 26 + (node.row + 0.5) * DOWN


def draw_wires(sheet: Sheet, nodes: list[Node], i: int, passed: bool) -> None:
    """The wires into gate i; once it has handed back, the share of each, where its parent has several users."""
    for k, parent in enumerate(nodes[i].parents):
        (x0, y0), (x1, y1) = centre(nodes[parent]), centre(nodes[i])
        sheet.pen.line((x0 + WIDE / 2, y0, x1 - WIDE / 2, y1), fill=ORANGE if passed else "#999999", width=2)
        uses = sum(node.parents.count(parent) for node in nodes)
        if passed and uses > 1:
            x, y = x0 + 0.52 * (x1 - x0), y0 + 0.52 * (y1 - y0)
            share = number(nodes[i].parts[k].grad.item())
            sheet.box(x - 5 * len(share) - 2, y - 9, 10 * len(share) + 4, 18, fill="white", edge="white")
            sheet.text(x, y, share, 13, colour=ORANGE)


def draw_node(sheet: Sheet, node: Node, known: bool, complete: bool, current: bool) -> None:
    """A node in its place, with its value above once it is known and its gradient below once it is complete."""
    x, y = centre(node)
    edge, line = (GREEN, 4) if current else (BLACK if node.parents else GREY, 2 if node.parents else 1)
    fill = "#EEF4FA" if node.parents else "white"
    sheet.box(x - WIDE / 2, y - TALL / 2, WIDE, TALL, fill=fill, edge=edge, line=line)
    sheet.text(x, y, node.label, 15 if len(node.label) < 7 else 12, bold=bool(node.parents))
    if known:
        sheet.text(x, y - TALL / 2 - 10, number(node.value.item()), 14, colour=BLUE, bold=True)
    if complete:
        sheet.text(x, y + TALL / 2 + 10, number(node.value.grad.item()), 14, colour=ORANGE, bold=True)


def caption(nodes: list[Node], current: list[int], step: int, gates: int) -> str:
    """What happens in this step, in words."""
    if step == 0:
        return "The inputs are there."
    if step == gates + 1:
        return "Backward: the result's gradient with respect to itself is 1."
    node = nodes[current[0]]
    inputs = [number(nodes[i].value.item()) for i in node.parents]
    if step <= gates:
        return f"Forward: {node.label} takes {' and '.join(inputs)} and gives {number(node.value.item())}."
    shares = ", ".join(
        f"{number(part.grad.item())} to {nodes[i].label}" for i, part in zip(node.parents, node.parts, strict=True)
    )
    return f"Backward: at {node.label} arrives {number(node.value.grad.item())}; it hands back {shares}."
