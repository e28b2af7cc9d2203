"""Intake: what a cell defines, without Python's parser."""

import ast

import pytest

from grading.course import ROOT
from grading.intake.code import Code, likeness


def names(source):
    return set(Code(source).bound)


@pytest.mark.parametrize(
    ("source", "bound"),
    [
        ("def f(x):\n    return x", {"f"}),
        ("async def f():\n    pass", {"f"}),
        ("class A(B):\n    def inside(self):\n        local = 1", {"A"}),
        ("x = 1\ny: int = 2\nz == 3\nw += 1", {"x", "y"}),
        ("import a.b, c as d\nfrom e import f as g, h", {"a", "d", "g", "h"}),
        ("from e import (\n    f,\n    g as h,\n)", {"f", "h"}),
        ("@wrap\n@wrap(1)\ndef f():\n    pass", {"f"}),
        ("@wrap(\n    1,\n)\ndef f():\n    pass", {"f"}),
        ("def f(\n    a,\n):\n    return a\n\nx = 1", {"f", "x"}),
        ("f(1)\nfor i in x:\n    y = 1\nif x:\n    z = 1", set()),
        ("'''\ndef f(): pass\n'''", set()),
        ('r"""\\\\"""\ndef f(): pass', {"f"}),
        ("x = 'it''s'  # it's\ndef f(): pass", {"x", "f"}),
        ("x = 'open\ndef f(): pass", {"x", "f"}),
        ("!echo it's\ndef f(): pass", {"f"}),
        ("%%time\ndef f(): pass", {"f"}),
        ("%%writefile f.py\ndef f(): pass", set()),
        ("größe = 1", {"größe"}),
        ("", set()),
    ],
)
def test_names(source, bound):
    assert names(source) == bound


def test_a_definition_is_cut_out_whole():
    text = "x = 1\n@wrap\ndef f(\n    a,\n):\n    '''\nat the margin\n'''\n\n# at the margin, too\n    return a\n\nf(x)"
    assert Code(text).cut(frozenset({"f"})) == text[len("x = 1\n") : -len("\n\nf(x)")]
    assert Code(text).cut(frozenset({"x"})) == "x = 1"


def test_branches_stay_with_what_they_belong_to():
    text = "if a:\n    x = 1\nelse:\n    x = 2\ntry:\n    y = 1\nexcept E:\n    pass\nfinally:\n    pass"
    assert [each.text[:2] for each in Code(text).statements] == ["if", "tr"]


def test_statements_are_those_of_python():
    """On the course's own code: the same names at the top level as Python's parser finds."""
    for path in sorted((ROOT / "utils").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source)
        kinds = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)
        assert Code(source).defined == {node.name for node in tree.body if isinstance(node, kinds)}, path
        assert "\n".join(each.text for each in Code(source).statements) == source
        for node in tree.body:
            if isinstance(node, kinds):
                first = node.decorator_list[0].lineno if node.decorator_list else node.lineno
                wanted = "\n".join(source.split("\n")[first - 1 : node.end_lineno])
                assert Code(source).cut(frozenset({node.name})).startswith(wanted), (path, node.name)


STUB = Code('def f(x, y=1):\n    """Old words."""\n    raise NotImplementedError\n\nf(1)')


@pytest.mark.parametrize(
    ("source", "is_open"),
    [
        (STUB.source, True),
        ('def f(x, y=1):\n    """New words."""\n    # todo\n    raise NotImplementedError\n\nf(2)', True),
        ("def f(a):\n    pass", True),
        ("def f(a):\n    ...", True),
        ("def helper(x):\n    return x\n\ndef f(x, y=1):\n    raise NotImplementedError", True),
        ("def f(x): return x", False),
        ("def f(x):\n    return 'valid'", False),
        ("def f(x, y=1):\n    x = x + 1\n    raise NotImplementedError", False),
    ],
)
def test_what_is_still_open(source, is_open):
    assert Code(source).still_open(STUB, frozenset({"f"})) == is_open


def test_likeness():
    one = Code("history = fit(network, epochs=20)\nplot(history)")
    assert likeness(one, one) == 1
    assert likeness(one, Code("history = fit(network, epochs=50)\nplot(history)")) > 0.8
    assert likeness(one, Code("def pair(v):\n    return v if isinstance(v, tuple) else (v, v)")) < 0.2
    assert likeness(one, Code("x " * 1000)) == 0
