"""Every known mistake fails its check and is called by its name; the reference passes."""

import pytest

from utils.checks import answers, judged, questions

CHECKS = list(questions.MODULES)
MISTAKES = [(name, mistake) for name in CHECKS for mistake in answers.find(name).mistakes]


@pytest.mark.parametrize("name", CHECKS)
def test_torch_itself_is_right(name):
    report = judged(name, answers.find(name).reference, trusted=True)
    assert report.verdict.right, report.text
    assert report == questions.find(name).points


@pytest.mark.parametrize(("name", "mistake"), MISTAKES, ids=[f"{n}-{m.name}" for n, m in MISTAKES])
def test_mistake_fails_and_is_named(name, mistake):
    report = judged(name, mistake.target, trusted=True)
    assert not report.verdict.right
    assert report < questions.find(name).points or questions.find(name).points == 0
    assert report.verdict.mistake is not None, report.text
    assert report.verdict.certain
    assert report.verdict.mistake.name in {mistake.name, *mistake.twins}
    assert mistake.name == report.verdict.mistake.name or mistake.twins
    assert report.verdict.mistake.says in report.text


@pytest.mark.parametrize("name", CHECKS)
def test_mistakes_say_something_of_their_own(name):
    mistakes = answers.find(name).mistakes
    for field in ("name", "says"):
        values = [getattr(mistake, field) for mistake in mistakes]
        assert len(set(values)) == len(values), f"{name}: two mistakes share their {field}"
    assert all(m.hint and m.stronger and m.hint != m.stronger for m in mistakes)
