"""The tables of chapter 08: what networks rebuild, on MNIST and CIFAR-10, with several seeds.

    python benchmarks/autoencoders/run.py rates            # a learning rate for each autoencoder: one seed of its own
    python benchmarks/autoencoders/run.py codes            # convolutional against dense, at equal code size
    python benchmarks/autoencoders/run.py noise            # denoisers, trained on one level and asked at another
    python benchmarks/autoencoders/run.py resolution       # ×2 super-resolution, three ways to make pictures larger
    python benchmarks/autoencoders/run.py all --seeds 3
    python benchmarks/autoencoders/run.py report           # the tables, from what has been recorded
    python benchmarks/autoencoders/run.py publish          # the same into utils/results, for the chapter

Every training is written to results/PART.json as soon as it ends, with machine, versions, date and seed; what is there
already is not run again. A seed draws the training pictures, the network's first weights, the order and the noise. The
learning rates of `rates` are chosen on training pictures that no other part uses. Set CNN_COURSE_DATA to where the
pictures are.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import mean, stdev

import torch
import torch.nn.functional as F

from utils import data, models, rebuilding
from utils.data.image_data import stratified
from utils.results.record import Records

COMMAND = "python benchmarks/autoencoders/run.py"
RECORDS = Records(Path(__file__).parent / "results", "autoencoders", COMMAND)
TUNING_SEED = 100
RATES = (1e-3, 3e-3, 1e-2)
CODES = (4, 16, 64)
SIGMAS = (0.1, 0.3, 0.6)
BLURS = (0.3, 0.5, 0.7, 0.9, 1.1, 1.4, 1.8)  # pixels: standard deviations of the Gaussian, the best is taken
PICTURES = {"codes": (10_000, 2000), "noise": (5000, 1000), "resolution": (8000, 1000)}  # to learn from, to test on
EPOCHS = {"codes": 10, "noise": 8, "resolution": 6}


# --- networks ---------------------------------------------------------------------------------------------------------


def single_layer(code: int) -> models.Autoencoder:
    return models.dense_autoencoder(code=code)


def convolutional(code: int) -> models.Autoencoder:
    return models.conv_autoencoder(code=code)


def two_layers(code: int) -> models.Autoencoder:
    """Dense, with one hidden layer on either side, so wide that it has as many parameters as the convolutional one."""
    wanted = models.count(convolutional(code))
    widths = range(10, 160)
    sizes = [models.count(models.dense_autoencoder(code=code, hidden=(width,))) for width in widths]
    nearest = min(range(len(sizes)), key=lambda i: abs(sizes[i] - wanted))
    return models.dense_autoencoder(code=code, hidden=(widths[nearest],))


def wide(code: int) -> models.Autoencoder:
    """Dense, with 256 hidden units on either side: many times as many parameters."""
    return models.dense_autoencoder(code=code, hidden=(256,))


NETWORKS: dict[str, Callable] = {
    "dense, one layer": single_layer,
    "dense, two layers": two_layers,
    "dense, wide": wide,
    "convolutional": convolutional,
}


def started(make: Callable, seed: int):
    """A new network whose first weights depend on `seed` alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def pictures(part: str, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Training pictures drawn by `seed`, and test pictures, floats in [0, 1]."""
    found = data.cifar10("cifar10") if part == "resolution" else data.mnist("mnist")
    n, tested = PICTURES[part]
    chosen, _ = stratified(found.y_train[:50_000], n, seed)
    return found.x_train[chosen].float() / 255, found.x_test[:tested].float() / 255


def decibels(x: torch.Tensor, wanted: torch.Tensor) -> list[float]:
    """scikit-image's PSNR of each picture, cut off at 0 and 1."""
    from skimage.metrics import peak_signal_noise_ratio

    pairs = zip(wanted.numpy(), x.clamp(0, 1).numpy(), strict=True)
    return [float(peak_signal_noise_ratio(true, found, data_range=1)) for true, found in pairs]


# --- trainings --------------------------------------------------------------------------------------------------------


def rates() -> None:
    """Each autoencoder with three learning rates, judged on training pictures from the end of the set."""
    x_val = data.mnist("mnist").x_train[50_000:52_000].float() / 255
    x, _ = pictures("codes", TUNING_SEED)
    for name, make in NETWORKS.items():
        for lr in RATES:
            key = {"name": name, "lr": lr, "seed": TUNING_SEED}
            if not RECORDS.has("rates", key):
                net = started(lambda make=make: make(16), TUNING_SEED)
                begin = time.process_time()
                rebuilding.learn(net, x, epochs=EPOCHS["codes"], lr=lr, seed=TUNING_SEED)
                RECORDS.add("rates", key | {"val_loss": rebuilding.squared_error(net, x_val)}, begin)


def best_rate(name: str) -> float:
    rows = [row for row in RECORDS.rows("rates") if row["name"] == name]
    if len(rows) < len(RATES):
        sys.exit(f"first run {COMMAND} rates: a learning rate for {name!r} is not chosen yet")
    return min(rows, key=lambda row: row["val_loss"])["lr"]


def codes(seeds: Iterable[int]) -> None:
    for seed in seeds:
        x, x_test = pictures("codes", seed)
        for code in CODES:
            limit = {"limit": rebuilding.linear_limit(x, code), "test_limit": rebuilding.linear_limit(x, code, x_test)}
            for name, make in NETWORKS.items():
                key = {"name": name, "code": code, "seed": seed}
                if RECORDS.has("codes", key):
                    continue
                net = started(lambda make=make, code=code: make(code), seed)
                begin = time.process_time()
                lr = best_rate(name)
                history = rebuilding.learn(net, x, epochs=EPOCHS["codes"], lr=lr, seed=seed, x_val=x_test)
                curves = {name: [round(value, 6) for value in values] for name, values in history.items()}
                losses = {"train_loss": rebuilding.squared_error(net, x), "test_loss": history["val_loss"][-1]}
                RECORDS.add("codes", key | {"lr": lr, "parameters": models.count(net)} | losses | limit | curves, begin)


TRAINED = {**{f"{sigma:g}": (sigma,) for sigma in SIGMAS}, "0 to 0.6": (0.0, 0.6)}


def noise(seeds: Iterable[int]) -> None:
    """Four denoisers and Gaussian smoothing, each asked at every level."""
    for seed in seeds:
        x, x_test = pictures("noise", seed)
        noisy = {sigma: rebuilding.spoilt(x_test, rebuilding.noise(sigma), 1000 + seed) for sigma in SIGMAS}
        if not RECORDS.has("noise", {"name": "none", "seed": seed}):
            begin = time.process_time()
            RECORDS.add("noise", {"name": "none", "seed": seed} | at_levels(noisy, x_test), begin)
            found, chosen = {}, {}
            for sigma in SIGMAS:
                few = rebuilding.spoilt(x[:500], rebuilding.noise(sigma), seed)
                chosen[sigma] = min(BLURS, key=lambda b, few=few: F.mse_loss(smoothed(few, b), x[:500]).item())
                found[sigma] = smoothed(noisy[sigma], chosen[sigma])
            widths = {"blurs": list(chosen.values())}
            RECORDS.add("noise", {"name": "smoothing", "seed": seed} | at_levels(found, x_test) | widths, begin)
        for name, sigmas in TRAINED.items():
            key = {"name": name, "seed": seed}
            if RECORDS.has("noise", key):
                continue
            net = started(models.denoiser, seed)
            begin = time.process_time()
            rebuilding.learn(net, x, rebuilding.noise(*sigmas), epochs=EPOCHS["noise"], seed=seed)
            answers = {sigma: rebuilding.rebuilt(net, pictures) for sigma, pictures in noisy.items()}
            RECORDS.add("noise", key | at_levels(answers, x_test), begin)


def at_levels(answers: dict[float, torch.Tensor], wanted: torch.Tensor) -> dict[str, float]:
    return {f"psnr {sigma:g}": mean(decibels(found, wanted)) for sigma, found in answers.items()}


def smoothed(x: torch.Tensor, sigma: float) -> torch.Tensor:
    """A Gaussian filter whose border repeats the edge."""
    from scipy.ndimage import gaussian_filter

    return torch.from_numpy(gaussian_filter(x.numpy(), (0, 0, sigma, sigma), mode="nearest"))


PLAIN_WAYS = ("nearest", "bilinear", "bicubic")


def resolution(seeds: Iterable[int]) -> None:
    """Interpolations, and networks that differ in their last layer alone."""
    for seed in seeds:
        x, x_test = pictures("resolution", seed)
        small = rebuilding.halved(x_test)
        plain = {}
        for name in PLAIN_WAYS:
            corners = {} if name == "nearest" else {"align_corners": False}
            plain[name] = decibels(F.interpolate(small, scale_factor=2, mode=name, **corners), x_test)
            if not RECORDS.has("resolution", {"name": name, "seed": seed}):
                RECORDS.add("resolution", {"name": name, "seed": seed, "psnr": mean(plain[name])}, time.process_time())
        for how in models.autoencoder.UPSAMPLING:
            key = {"name": how, "seed": seed}
            if RECORDS.has("resolution", key):
                continue
            net = started(lambda how=how: models.SuperResolution(how=how), seed)
            before, begin = rebuilding.ripple(net), time.process_time()
            rebuilding.learn(net, x, rebuilding.halved, epochs=EPOCHS["resolution"], seed=seed)
            found = decibels(rebuilding.rebuilt(net, small), x_test)
            better = mean(a > b for a, b in zip(found, plain["bilinear"], strict=True))
            ripples = {"ripple_before": before, "ripple": rebuilding.ripple(net)}
            sizes = {"parameters": models.count(net)}
            RECORDS.add("resolution", key | {"psnr": mean(found), "better": better} | ripples | sizes, begin)


# --- tables -----------------------------------------------------------------------------------------------------------


def spread(values: list[float], digits: int) -> tuple[float, float]:
    return round(mean(values), digits), round(stdev(values), digits)


def gains(rows: list[dict], others: list[dict], column: str, digits: int) -> tuple[float, float]:
    """Mean and standard deviation of the differences to `others`, seed by seed."""
    other = {row["seed"]: row[column] for row in others}
    return spread([row[column] - other[row["seed"]] for row in rows], digits)


def codes_table() -> tuple[list[dict], dict]:
    groups = RECORDS.grouped("codes", "code", "name")
    lines, curves = [], {}
    for (code, name), rows in sorted(groups.items(), key=lambda item: (item[0][0], list(NETWORKS).index(item[0][1]))):
        test, sd = spread([row["test_loss"] for row in rows], 5)
        gain, gain_sd = gains(rows, groups[code, "dense, two layers"], "test_loss", 5)
        about = {"code": code, "name": name, "parameters": rows[0]["parameters"], "lr": rows[0]["lr"]}
        about["train"] = round(mean(row["train_loss"] for row in rows), 5)
        limits = {name: round(mean(row[name] for row in rows), 5) for name in ("limit", "test_limit")}
        compared = {"to_two_layers": gain, "to_two_layers_sd": gain_sd, **limits, "seeds": len(rows)}
        lines.append(about | {"test": test, "sd": sd} | compared)
        epochs = zip(*(row["val_loss"] for row in rows), strict=True)
        curves[f"{name}, code {code}"] = [round(mean(each), 5) for each in epochs]
    return lines, {"test_curves": curves}


def noise_table() -> tuple[list[dict], dict]:
    lines = []
    for (name,), rows in RECORDS.grouped("noise", "name").items():
        levels = {}
        for sigma in SIGMAS:
            levels[f"at {sigma:g}"], levels[f"sd {sigma:g}"] = spread([row[f"psnr {sigma:g}"] for row in rows], 2)
        lines.append({"trained": name} | levels | {"seeds": len(rows)})
    blurs = [row["blurs"] for row in RECORDS.rows("noise") if "blurs" in row]
    by_seed = {
        name: [[row[f"psnr {s:g}"] for s in SIGMAS] for row in rows]
        for (name,), rows in RECORDS.grouped("noise", "name").items()
    }
    return lines, {"blurs": blurs, "by_seed": by_seed}


def resolution_table() -> tuple[list[dict], dict]:
    groups, lines = RECORDS.grouped("resolution", "name"), []
    for (name,), rows in groups.items():
        psnr, sd = spread([row["psnr"] for row in rows], 2)
        gain, gain_sd = gains(rows, groups[("bilinear",)], "psnr", 2)
        line = {"name": name, "psnr": psnr, "sd": sd, "gain": gain, "gain_sd": gain_sd}
        for column, digits in (("better", 3), ("ripple_before", 2), ("ripple", 2)):
            line[column] = round(mean(row[column] for row in rows), digits) if column in rows[0] else ""
        lines.append(line | {"seeds": len(rows)})
    ripples = {name: [row["ripple"] for row in rows] for (name,), rows in groups.items() if "ripple" in rows[0]}
    return lines, {"ripple_by_seed": ripples}


TABLES = {
    "codes": (
        "autoencoders at equal code size, 10,000 digits, 10 epochs",
        "MNIST",
        {
            "code": "how many numbers stand for a picture",
            "name": "dense: one layer on either side; two, with as many parameters as the convolutional one; two, with "
            "a hidden layer of 256",
            "parameters": "of encoder and decoder",
            "lr": "learning rate: the best of three, by other pictures, with a seed of its own, at code size 16",
            "train": "mean squared error of a pixel of the training pictures, white is 1; mean over the seeds",
            "test": "the same for 2,000 test pictures",
            "sd": "standard deviation of `test` over the seeds",
            "to_two_layers": "test error minus that of two dense layers with the same seed, mean over the seeds",
            "to_two_layers_sd": "standard deviation of these differences",
            "limit": "training error of the best linear code (principal components), which no linear network can beat",
            "test_limit": "test error of that code",
            "seeds": "how many trainings: each seed draws its own pictures, start and order",
        },
        codes_table,
    ),
    "noise": (
        "denoising digits, 5,000 of them, 8 epochs",
        "MNIST",
        {
            "trained": "standard deviation of the noise in training; none: nothing done; smoothing: a Gaussian filter, "
            "its width the best of seven for each level, by training pictures",
            **{
                f"at {s:g}": f"PSNR in dB on 1,000 test pictures with noise of {s:g}, mean over the seeds"
                for s in SIGMAS
            },
            **{f"sd {s:g}": "standard deviation over the seeds" for s in SIGMAS},
            "seeds": "how many trainings: each seed draws its own pictures, start, order and noise",
        },
        noise_table,
    ),
    "resolution": (
        "×2 super-resolution from 16×16 to 32×32, 8,000 photographs, 6 epochs",
        "CIFAR-10 (a JPEG copy)",
        {
            "name": "an interpolation, or a network that adds details to the bilinear one, by its last layer",
            "psnr": "mean over 1,000 test pictures of each one's PSNR, in dB; mean over the seeds",
            "sd": "standard deviation over the seeds",
            "gain": "that minus the bilinear one",
            "gain_sd": "standard deviation of this gain over the seeds",
            "better": "share of the test pictures whose PSNR is higher than bilinear",
            "ripple_before": "how far from flat a flat grey picture becomes, before training: standard deviation, in "
            "grey levels of 255",
            "ripple": "the same after training",
            "seeds": "how many trainings: each seed draws its own pictures, start and order",
        },
        resolution_table,
    ),
}


def main(arguments: list[str] | None = None) -> None:
    torch.set_num_threads(1)  # nothing so small gains from more
    RECORDS.main(arguments, __doc__, {"codes": codes, "noise": noise, "resolution": resolution}, TABLES, rates)


if __name__ == "__main__":
    main()
