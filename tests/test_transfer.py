"""Transfer learning: some classes, new last layers, and weights from a server that is there, wrong or away."""

import functools
import hashlib
import http.server
import threading

import pytest
import torch
from torch import nn

from utils import evaluation, models, transfer
from utils.data.download import DownloadError
from utils.data.image_data import ImageData


def pictures(n=40):
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(n) % 4
    x = torch.randint(0, 60, (n, 3, 16, 16), generator=generator, dtype=torch.uint8)
    x[torch.arange(n), y.clamp(max=2)] += 120  # the class decides the colour
    return ImageData("colours", ("red", "green", "blue", "also blue"), x, y, x, y, True, "drawn", x, y)


@pytest.fixture
def net():
    torch.manual_seed(0)
    return models.SmallResNet((3, 16, 16), 4, blocks=(1,), widths=(8,), stride=2)


def test_only_some_classes_are_left_and_renumbered():
    all_of_them = pictures()
    some = transfer.only(all_of_them, ("blue", "red"))
    assert some.classes == ("blue", "red") and len(some.y_train) == len(some.y_val) == len(some.y_test) == 20
    assert torch.equal(some.x_train[some.y_train == 0], all_of_them.x_train[all_of_them.y_train == 2])
    assert some.y_train.dtype == torch.int64
    with pytest.raises(ValueError, match="no class is called 'grey'; there are: red, green"):
        transfer.only(all_of_them, ("grey",))


def test_a_fitted_layer_is_logistic_regression():
    from sklearn.linear_model import LogisticRegression

    torch.manual_seed(0)
    y = torch.arange(60) % 3
    features = torch.randn(60, 5) * torch.tensor([1.0, 10, 0.1, 1, 1]) + y[:, None] * 0.7
    layer = transfer.fitted(features, y, 3, l2=0.05)
    scaled = (features - features.mean(0)) / features.std(0, correction=0)
    theirs = LogisticRegression(C=1 / (0.05 * 60), max_iter=1000, tol=1e-8).fit(scaled, y)
    mine = layer(features).softmax(1).detach()
    assert torch.allclose(mine, torch.tensor(theirs.predict_proba(scaled)).float(), atol=2e-3)


def test_frozen_changes_nothing_but_the_last_layer_of_a_copy(net):
    x, y = pictures().x_train, pictures().y_train.clamp(max=2)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    new = transfer.frozen(net, x, y, 3)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(torch.equal(v, before[k]) for k, v in new.state_dict().items() if not k.startswith("fc."))
    assert new.fc.out_features == 3 and evaluation.accuracy(new, x, y) > 0.9


def test_training_changes_everything_of_a_copy_and_depends_on_the_seed_alone(net):
    x, y = pictures().x_train, pictures().y_train
    before = {name: value.clone() for name, value in net.state_dict().items()}
    trained = [transfer.trained(net, x, y, lr=3e-3, steps=4, batch_size=10, seed=s) for s in (0, 0, 1)]
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    one, same, other = ([p.detach() for p in each.parameters()] for each in trained)
    assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(one, net.parameters(), strict=True))


def test_a_renewed_network_has_forgotten_its_last_layer_only(net):
    new = transfer.renewed(net, 7, seed=3)
    assert new.fc.out_features == 7 and net.fc.out_features == 4
    assert torch.equal(new.stem[0].weight, net.stem[0].weight)
    assert torch.equal(new.fc.weight, transfer.renewed(net, 7, seed=3).fc.weight)


# ── Weights from a server ────────────────────────────────────────────────────────────────────────────────────────────


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A folder, the address under which it is served, and no ban on downloads."""
    monkeypatch.setenv("CNN_COURSE_OFFLINE", "0")
    folder = tmp_path / "served"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def save(folder, value):
    """Weights under a name that promises their checksum, as torchvision's do."""
    torch.save({"weight": torch.full((2,), value)}, folder / "draft")
    name = f"net-{hashlib.sha256((folder / 'draft').read_bytes()).hexdigest()[:8]}.pth"
    return (folder / "draft").rename(folder / name).name


def test_weights_are_fetched_once_and_then_read(served, tmp_path, monkeypatch, capfd):
    folder, address = served
    name = save(folder, 3.0)
    path = tmp_path / "weights" / name
    assert transfer.stored(path, f"{address}/{name}")["weight"].tolist() == [3, 3]
    assert path.exists() and not capfd.readouterr().err
    monkeypatch.setenv("CNN_COURSE_OFFLINE", "1")
    assert transfer.stored(path, "http://127.0.0.1:9/nothing.pth")["weight"].tolist() == [3, 3]


def test_a_damaged_file_is_fetched_again(served, tmp_path):
    folder, address = served
    name = save(folder, 4.0)
    (tmp_path / name).write_bytes(b"half of it")
    assert transfer.stored(tmp_path / name, f"{address}/{name}")["weight"].tolist() == [4, 4]


def test_the_mirrors_are_asked_first(served, tmp_path, monkeypatch):
    folder, address = served
    name = save(folder, 5.0)
    monkeypatch.setenv("CNN_COURSE_MIRRORS", address)
    assert transfer.stored(tmp_path / name, f"http://127.0.0.1:9/{name}")["weight"].tolist() == [5, 5]


def test_other_bytes_than_promised_are_refused(served, tmp_path):
    folder, address = served
    name = save(folder, 6.0)
    (folder / name).write_bytes((folder / name).read_bytes() + b"more")
    with pytest.raises(DownloadError, match="no server delivered") as error:
        transfer.stored(tmp_path / name, f"{address}/{name}")
    assert "invalid hash value" in str(error.value) and not (tmp_path / name).exists()


def test_without_a_network_a_sentence_says_so(served, tmp_path, monkeypatch):
    with pytest.raises(DownloadError, match="no server can be reached"):
        transfer.stored(tmp_path / "net-12345678.pth", "http://127.0.0.1:9/net-12345678.pth")
    monkeypatch.setenv("CNN_COURSE_OFFLINE", "1")
    with pytest.raises(DownloadError, match="CNN_COURSE_OFFLINE forbids downloads"):
        transfer.imagenet("resnet18")


def test_imagenets_network_takes_plain_pictures_and_a_new_last_layer(monkeypatch):
    from torchvision.models import resnet18

    torch.manual_seed(0)
    asked, theirs = [], resnet18()
    monkeypatch.setattr(transfer, "stored", lambda path, url: asked.append((path.name, url)) or theirs.state_dict())
    net = transfer.imagenet("resnet18", size=64)
    assert asked[0][0] == "resnet18-f37072fd.pth" and asked[0][1].endswith("/resnet18-f37072fd.pth")
    x = torch.randint(0, 256, (6, 3, 16, 16), dtype=torch.uint8)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    large = nn.functional.interpolate((x / 255 - mean) / std, size=(64, 64), mode="bilinear", align_corners=False)
    with torch.no_grad():
        assert torch.allclose(net(x / 255), theirs.eval()(large), atol=1e-4)
    assert transfer.frozen(net, x, torch.arange(6) % 2, 2)(x / 255).shape == (6, 2)
