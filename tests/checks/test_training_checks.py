"""Chapter 05's exercises: right answers in several styles pass; what the catalogue does not hold fails all the same."""

import pytest
import torch
import torch.nn.functional as F

from utils.checks import judged, yours_or_torch


def statistics_at_once(x):
    x = x / 255
    return x.mean((0, 2, 3)), x.std((0, 2, 3))


def statistics_by_channel(x):
    channels = [x[:, c].double() / 255 for c in range(x.shape[1])]
    means = [channel.mean() for channel in channels]
    return torch.stack(means), torch.stack([((c - m) ** 2).mean().sqrt() for c, m in zip(channels, means, strict=True)])


def statistics_by_moments(x):
    x = x.transpose(0, 1).flatten(1).double().div(255)
    mean = x.mean(1).view(-1, 1, 1)
    return mean, ((x**2).mean(1).view(-1, 1, 1) - mean**2).sqrt()


def epoch_plainly(model, optimizer, batches):
    model.train()
    total = count = 0
    for x, y in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
        count += len(y)
    return total / count


def epoch_with_gradients_emptied_at_the_end(model, optimizer, batches):
    losses, sizes = [], []
    model.train()
    for x, y in batches:
        loss = torch.nn.CrossEntropyLoss()(model(x), y)
        loss.backward()
        optimizer.step()
        for p in model.parameters():
            p.grad = None
        losses += [loss.detach() * len(x)]
        sizes += [len(x)]
    return sum(losses) / sum(sizes)


def epoch_by_log_softmax(model, optimizer, batches):
    model = model.train()
    total, count = torch.tensor(0.0, dtype=torch.float64), 0
    for x, y in batches:
        losses = -model(x).log_softmax(1)[torch.arange(len(y)), y]
        model.zero_grad()
        losses.mean().backward()
        optimizer.step()
        total, count = total + losses.sum().detach(), count + len(y)
    return total / count


def evaluate_plainly(model, batches):
    model.eval()
    right = count = 0
    with torch.no_grad():
        for x, y in batches:
            right += (model(x).argmax(dim=1) == y).sum().item()
            count += len(y)
    return right / count


@torch.inference_mode()
def evaluate_at_once(model, batches):
    model.eval()
    return torch.cat([model(x).max(1).indices == y for x, y in batches]).float().mean()


@torch.no_grad()
def evaluate_and_go_back(model, batches):
    was = model.training
    model.train(False)
    hits = [p == t for x, y in batches for p, t in zip(model(x).softmax(1).argmax(1).tolist(), y.tolist(), strict=True)]
    model.train(was)
    return sum(hits) / len(hits)


def confusion_by_loop(y, predicted, n):
    matrix = torch.zeros(n, n, dtype=torch.int64)
    for t, p in zip(y, predicted, strict=True):
        matrix[t, p] += 1
    return matrix


def confusion_by_bincount(y, predicted, n):
    return torch.bincount(y * n + predicted, minlength=n * n).reshape(n, n)


def confusion_by_index_put(y, predicted, n):
    return torch.zeros(n, n).index_put_((y, predicted), torch.ones(len(y)), accumulate=True)


STYLES = {
    "channel_statistics": [statistics_at_once, statistics_by_channel, statistics_by_moments],
    "train_epoch": [epoch_plainly, epoch_with_gradients_emptied_at_the_end, epoch_by_log_softmax],
    "evaluate": [evaluate_plainly, evaluate_at_once, evaluate_and_go_back],
    "confusion_matrix": [confusion_by_loop, confusion_by_bincount, confusion_by_index_put],
}


@pytest.mark.parametrize("name, style", [(name, style) for name, styles in STYLES.items() for style in styles])
def test_correct_styles_pass(name, style):
    report = judged(name, style)
    assert report.verdict.right, report.text


@pytest.mark.parametrize(
    "name, target",
    [
        ("channel_statistics", lambda x: statistics_at_once(x)[0]),
        ("channel_statistics", lambda x: statistics_at_once(x)[::-1]),
        (
            "channel_statistics",
            lambda x: statistics_at_once(x.div_(2) if x.is_floating_point() else x.floor_divide_(2)),
        ),
        ("train_epoch", lambda model, optimizer, batches: None),
        ("train_epoch", lambda model, optimizer, batches: epoch_plainly(model, optimizer, batches[:-1])),
        ("train_epoch", lambda model, optimizer, batches: epoch_plainly(model, optimizer, batches * 2)),
        ("evaluate", lambda model, batches: evaluate_plainly(model, batches[:-1])),
        ("evaluate", lambda model, batches: 1 - evaluate_plainly(model, batches)),
        ("confusion_matrix", lambda y, predicted, n: confusion_by_loop(y, y, n)),
        ("confusion_matrix", lambda y, predicted, n: confusion_by_loop(y, predicted, n + 1)),
    ],
)
def test_what_is_wrong_in_another_way_fails(name, target):
    assert not judged(name, target).verdict.right


def test_in_place_of_an_open_exercise_torchs_own_trains_a_network_in_float32():
    def train_epoch(model, optimizer, batches):
        raise NotImplementedError

    model = torch.nn.Linear(3, 2)
    batches = [(torch.rand(4, 3), torch.tensor([0, 1, 1, 0])), (torch.rand(1, 3), torch.tensor([1]))]
    before = model.weight.detach().clone()
    loss = yours_or_torch("train_epoch", train_epoch)(model, torch.optim.SGD(model.parameters(), lr=0.1), batches)
    assert 0 < float(loss) < 2 and not torch.equal(before, model.weight)
    assert 0 <= float(yours_or_torch("evaluate", train_epoch)(model, batches)) <= 1
