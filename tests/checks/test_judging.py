"""What a verdict says, and whom it blames."""

import numpy as np
import pytest
import styles
import torch
from torch import nn

from utils.checks import CheckFailed, answers, check, judged, questions, yours_or_torch
from utils.checks.question import attempt
from utils.checks.report import QUIET, Report
from utils.checks.verdict import TROUBLES, judge


class StrideWrong(styles.Unfold):
    """Right, but for a factor wherever there is a stride: no known mistake."""

    def convolve(self, x, height, width):
        y = super().convolve(x, height, width)
        return y * 1.01 if max(self.stride) > 1 else y


def test_one_fault_costs_one_aspect():
    verdict = judged("conv2d", StrideWrong).verdict
    assert [aspect for aspect, ok in verdict.passed.items() if not ok] == ["stride"]
    assert verdict.points == 9


def test_fault_only_in_combination_is_blamed_on_the_combining_aspect():
    class Wrong(styles.Unfold):
        def convolve(self, x, height, width):
            y = super().convolve(x, height, width)
            return y + 1 if max(self.stride) > 1 and max(self.dilation) > 1 else y

    verdict = judged("conv2d", Wrong).verdict
    assert [aspect for aspect, ok in verdict.passed.items() if not ok] == ["dilation"]


def test_unknown_mistake_shows_a_small_example():
    with pytest.raises(CheckFailed) as error:
        check("conv2d", StrideWrong)
    text = str(error.value)
    assert "Conv2D(in_channels=1, out_channels=1, kernel_size=2, stride=2)" in text
    assert "expected: [[[[" in text and "✘ stride" in text and "✔ padding" in text


def test_hidden_cases_do_not_show_in_a_graded_report():
    """Not in an example, and not through a message or a type that learner code makes of what it was given."""
    question, answer = questions.find("cross_correlate2d"), answers.find("cross_correlate2d")
    cases = question.cases(np.random.default_rng(5), wide=True)

    def tells_by_message(image, kernel):
        raise ValueError(f"secret {image.tolist()}")

    def tells_by_type(image, kernel):
        raise type(f"Secret{float(image[0, 0]):.0f}", (Exception,), {})

    def tells_by_repr(image, kernel):
        return type("Secret", (), {})()

    for target in (tells_by_message, tells_by_type, tells_by_repr, lambda i, k: torch.zeros(3), lambda i, k: i):
        verdict = judge(question, answer, cases, [attempt(question, target, case) for case in cases])
        report = Report(verdict, answer, examples=False)
        assert "ecret" not in report.text + report.html and "shape (" not in report.text, report.text
        assert not any(str(number) in report.text for number in cases[0].given["image"].flatten())


def test_every_trouble_has_a_quiet_sentence():
    assert QUIET.keys() == TROUBLES.keys()


def test_stronger_hint_on_request():
    def flipped(image, kernel):
        return styles.correlate_loops(image, kernel.flip((0, 1)))

    weak = judged("cross_correlate2d", flipped).text
    strong = judged("cross_correlate2d", flipped, hint=2).text
    assert "your kernel is flipped" in weak and "Stronger hint" not in weak
    assert "Stronger hint" in strong


def test_known_mistake_beside_another_is_still_recognised():
    """Rounded up *and* no error for a kernel that does not fit: the first aspect's mistake is named, as likely."""

    def rounded_up(n, kernel_size, stride=1, padding=0, dilation=1):
        return -(-(n + 2 * padding - dilation * (kernel_size - 1) - 1) // stride) + 1

    report = judged("conv_output_size", rounded_up)
    assert report.verdict.mistake.name == "rounded up" and not report.verdict.certain
    assert "this looks as if" in report.text


class Ready(nn.Conv2d):
    """torch's own layer under another name."""


@pytest.mark.parametrize("target", [nn.Conv2d, Ready])
def test_ready_made_convolution_earns_nothing(target):
    report = judged("conv2d", target)
    assert report == 0
    assert "torch's own convolution" in report.text and "not allowed" in report.text


def test_ready_made_pooling_earns_nothing():
    class Pool(styles.PoolUnfold):
        def forward(self, x):
            return nn.functional.max_pool2d(x, self.kernel_size, self.stride, self.padding)

    assert judged("pool2d", Pool) == 0


@pytest.mark.parametrize("name", ["correlate2d", "fftconvolve"])
def test_scipy_is_seen(name):
    import scipy.signal

    def target(image, kernel):
        kernel = kernel if name == "correlate2d" else kernel.flip((0, 1))
        return torch.tensor(getattr(scipy.signal, name)(image.numpy(), kernel.numpy(), mode="valid"))

    report = judged("cross_correlate2d", target)
    assert report == 0 and f"SciPy's {name}" in report.text


def test_right_by_another_way_may_import_scipy():
    def target(image, kernel):
        import scipy.signal  # noqa: F401

        return styles.correlate_unfold(image, kernel)

    assert judged("cross_correlate2d", target).verdict.right


def open_function(image, kernel):
    raise NotImplementedError


class OpenLayer(nn.Module):
    def __init__(self, *args, **kwargs):
        super().__init__()
        raise NotImplementedError("📝 Exercise 2.8")


@pytest.mark.parametrize(("name", "target"), [("cross_correlate2d", open_function), ("conv2d", OpenLayer)])
def test_not_begun_is_not_an_error(name, target, capsys):
    report = check(name, target)
    assert report == 0 and not report.verdict.done
    assert "not done yet" in capsys.readouterr().out


def test_module_without_forward_is_begun():
    class NoForward(styles.Layer):
        forward = nn.Module.forward

    report = judged("conv2d", NoForward)
    assert report.verdict.done and "forward" in report.text


def test_half_done_says_what_is_missing_and_keeps_what_is_right():
    class Half(styles.PoolUnfold):
        def forward(self, x):
            if self.mode == "lp":
                raise NotImplementedError
            return super().forward(x)

    report = judged("pool2d", Half)
    assert report.verdict.done and report.verdict.points == 5
    assert "not done yet" in report.text and "✔ max" in report.text and "✘ lp" in report.text


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (lambda image, kernel: None, "nothing comes back"),
        (lambda image, kernel: [[1.0]], "is a list, not a tensor"),
        (lambda image, kernel: 3.0, "is a float, not a tensor"),
        (lambda image, kernel: torch.zeros(1), "has shape (1,); expected (2, 3)"),
        (lambda image, kernel: styles.correlate_loops(image, kernel) * torch.nan, "NaN"),
        (lambda image, kernel: styles.correlate_loops(image, kernel) / 0, "wrong values"),
        (lambda image, kernel: undefined_name, "NameError: name 'undefined_name' is not defined"),  # noqa: F821
        (lambda image: image, "takes 1 positional argument but 2 were given"),
    ],
)
def test_each_trouble_has_its_own_sentence(result, sentence):
    assert sentence in judged("cross_correlate2d", result).text


def test_detached_gradient_is_named():
    class Detached(styles.Unfold):
        def convolve(self, x, height, width):
            return torch.tensor(super().convolve(x, height, width).tolist(), dtype=x.dtype)

    verdict = judged("conv2d", Detached).verdict
    assert not verdict.passed["gradients"] and verdict.passed["values"]


def test_missing_parameter_and_wrong_base_class():
    class NoWeight(nn.Module):
        def __init__(self, *args, **kwargs):
            super().__init__()

    class NoModule:
        def __init__(self, *args, **kwargs):
            pass

    assert "no `weight`" in judged("conv2d", NoWeight).text
    assert "no nn.Module" in judged("conv2d", NoModule).text


def test_called_result_instead_of_function():
    with pytest.raises(CheckFailed, match="without brackets"):
        judged("conv_output_size", 3)


def test_unknown_check_lists_the_known_ones():
    with pytest.raises(KeyError, match="conv2d"):
        check("conv3d", nn.Conv3d)


def test_infinite_values_are_wrong_values():
    assert judged("convolve2d", lambda i, k: styles.convolve_flip(i, k) + torch.inf) == 0


def test_size_as_numpy_int_is_right_and_as_bool_is_not():
    assert judged("conv_parameters", lambda *a, **k: np.int64(styles.conv_parameters(*a, **k))).verdict.right
    assert "not an int" not in judged("conv_parameters", lambda *a, **k: 76).text
    assert "a bool" in judged("conv_parameters", lambda *a, **k: True).text


def test_randomness_of_the_learner_does_not_leak():
    torch.manual_seed(0)
    before = torch.initial_seed(), torch.random.get_rng_state().sum()
    judged("conv2d", styles.Unfold)
    assert (torch.initial_seed(), torch.random.get_rng_state().sum()) == before


def test_yours_or_torch_says_which(capsys):
    assert yours_or_torch("conv2d", styles.Unfold) is styles.Unfold
    assert "your own" in capsys.readouterr().out
    assert yours_or_torch("conv2d", StrideWrong) is nn.Conv2d
    assert "not right yet" in capsys.readouterr().out
    assert yours_or_torch("conv_output_size", lambda *numbers, **settings: open_function(0, 0))(7, 3, 2) == 3
    assert "not finished yet" in capsys.readouterr().out


def test_a_solution_for_arrays_serves_where_tensors_go_in():
    mine = yours_or_torch("cross_correlate2d", styles.correlate_numpy)
    image, kernel = torch.rand(5, 6), torch.rand(2, 3)
    assert torch.allclose(mine(image, kernel), styles.correlate_loops(image, kernel))


class SinglePrecision(styles.Unfold):
    """Right, but its output is float32 whatever comes in: `torch.zeros(...)` without a dtype."""

    def forward(self, x):
        return super().forward(x).float()


def test_lost_precision_costs_one_aspect_and_is_named():
    verdict = judged("conv2d", SinglePrecision).verdict
    assert [aspect for aspect, ok in verdict.passed.items() if not ok] == ["values"]
    assert verdict.mistake.name == "output in single precision" and verdict.certain


def test_a_filter_may_compute_in_single_precision():
    assert judged("cross_correlate2d", lambda i, k: styles.correlate_loops(i, k).float()).verdict.right


def test_a_misconception_is_seen_behind_lost_precision():
    class Flipped(SinglePrecision):
        def convolve(self, x, height, width):
            self.weight.data = self.weight.data.flip(2, 3)
            y = super().convolve(x, height, width)
            self.weight.data = self.weight.data.flip(2, 3)
            return y

    verdict = judged("conv2d", Flipped).verdict
    assert verdict.mistake.name == "kernel flipped" and not verdict.certain


def test_an_open_exercise_inside_another_is_named():
    def cross_correlate2d(image, kernel):
        raise NotImplementedError

    def convolve2d(image, kernel):
        return cross_correlate2d(image, kernel.flip(0, 1))

    assert "It calls cross_correlate2d, which is still open" in judged("convolve2d", convolve2d).text
    assert "It calls" not in judged("cross_correlate2d", cross_correlate2d).text
    assert "It calls" not in judged("conv2d", OpenLayer).text


def test_same_cases_every_time():
    assert judged("conv2d", StrideWrong).text == judged("conv2d", StrideWrong).text
