"""The tables of chapter 09: what is hard about finding, what skip connections bring, what embeddings find.

    python benchmarks/applications/run.py windows      # a window slid, against one convolution over the whole picture
    python benchmarks/applications/run.py hard         # occlusion, light, deformation, viewpoint: what a detector loses
    python benchmarks/applications/run.py skips        # U-Net with and without skip connections
    python benchmarks/applications/run.py retrieval    # nearest neighbours by pixels and by embeddings
    python benchmarks/applications/run.py styles       # how much style against how much content
    python benchmarks/applications/run.py all --seeds 3
    python benchmarks/applications/run.py report       # the tables, from what has been recorded
    python benchmarks/applications/run.py publish      # the same into utils/results, for the chapter

Every measurement is written to results/PART.json as soon as it ends, with machine, versions, date and seed; what is
there already is not run again. A seed draws the scenes, the network's first weights and the order. `retrieval` needs
CIFAR-10: set CNN_COURSE_DATA to where it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import mean, median, stdev

import torch

from utils import data, evaluation, models, training
from utils.applications import detection, retrieval, segmentation, style, windows
from utils.results.record import Records

COMMAND = "python benchmarks/applications/run.py"
RECORDS = Records(Path(__file__).parent / "results", "applications", COMMAND)
SIZES = (64, 128, 256)  # pixels: pictures over which a window slides
REPEATS = 7  # of each timing
SCENES = {"hard": (6000, 1000), "skips": (1200, 500)}  # to learn from, to test on
EPOCHS = {"hard": 12, "skips": 6, "retrieval": 4}
PHOTOS = 2000  # of each class, to learn from
GALLERY = 2500  # test photographs among which is searched
WEIGHTS = (0.01, 1.0, 30.0, 1000.0)
PAIRS = (("astronaut", "immunohistochemistry"), ("cat", "brick"), ("coffee", "grass"))
STEPS, SIZE = 60, 96


def started(make: Callable, seed: int):
    """A new network whose first weights depend on `seed` alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


# --- measurements -----------------------------------------------------------------------------------------------------


def sliding(seeds: Iterable[int]) -> None:
    """Every window cut out and asked alone, against the network without dense layers over the whole picture."""
    from utils.checks import answers

    convert = answers.find("as_convolution").reference
    for seed in seeds:
        net = started(windows.WindowNet, seed).eval()
        whole = windows.fully_convolutional(net, convert)
        for size in SIZES:
            key = {"size": size, "seed": seed}
            if RECORDS.has("windows", key):
                continue
            begin = time.process_time()
            picture = data.scenes(1, seed, size=size, objects=4).x[0].float() / 255
            rows, columns = windows.places(size, size)
            with torch.no_grad():
                slid, alone_s = timed(windows.slide, net, picture)
                at_once, whole_s = timed(whole, picture[None])
            counts = {
                "windows": rows * columns,
                "alone": rows * columns * models.summary(net, (3, 32, 32)).total_mult_adds,
                "whole": models.summary(whole, (3, size, size)).total_mult_adds,
                "difference": (slid - at_once[0]).abs().max().item(),
            }
            RECORDS.add("windows", key | counts | {"alone_s": alone_s, "whole_s": whole_s}, begin)


def timed(call: Callable, *given) -> tuple:
    """What `call(*given)` answers, and its seconds: the median of several calls after one to warm up."""
    answer, found = call(*given), []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        call(*given)
        found.append(time.perf_counter() - begin)
    return answer, median(found)


HARD = {
    "plain": {},
    "a third covered": {"covered": 0.33},
    "half covered": {"covered": 0.5},
    "dark corner, 60 %": {"dark": 0.6},
    "dark corner, 95 %": {"dark": 0.95},
    "bent by half": {"bend": 0.5},
    "bent": {"bend": 1.0},
    "seen from 45°": {"turn": 45.0},
    "seen from 65°": {"turn": 65.0},
    "turned by any angle": {"rotation": (-180.0, 180.0)},
    "half as large": {"scale": (0.3, 0.5)},
}
VARIED = (  # a scene of the varied training set has one of these difficulties, to some degree
    {"covered": (0.0, 0.5)},
    {"dark": (0.0, 0.95)},
    {"bend": (0.0, 1.0)},
    {"turn": (0.0, 65.0)},
    {"rotation": (-180.0, 180.0)},
    {"scale": (0.3, 0.6)},
)


def plain_scenes(n: int, seed: int) -> data.Scenes:
    return data.scenes(n, 1000 + seed, objects=1)


def varied_scenes(n: int, seed: int) -> data.Scenes:
    """As many; half of them plain, the others with one difficulty each."""
    each = n // (2 * len(VARIED))
    parts = [plain_scenes(n - each * len(VARIED), seed)]
    parts += [data.scenes(each, 3000 + 10 * seed + i, objects=1, **factors) for i, factors in enumerate(VARIED)]
    tensors = [torch.cat([getattr(part, name) for part in parts]) for name in ("x", "boxes", "y", "masks")]
    return data.Scenes(*tensors, parts[0].classes)


TRAININGS = {"plain": plain_scenes, "varied": varied_scenes}


def hard(seeds: Iterable[int]) -> None:
    """A detector of one shape, trained on plain or on varied scenes, asked about each difficulty."""
    n, tested = SCENES["hard"]
    for seed in seeds:
        for name, draw in TRAININGS.items():
            key = {"trained": name, "seed": seed}
            if RECORDS.has("hard", key):
                continue
            begin = time.process_time()
            net = started(detection.OneBox, seed)
            detection.learn(net, draw(n, seed), epochs=EPOCHS["hard"], lr=3e-3, batch_size=50, seed=seed)
            found = {}
            for difficulty, changed in HARD.items():
                asked = data.scenes(tested, 2000 + seed, objects=1, **changed)
                found[difficulty] = detection.one_box_scores(net, asked)
            RECORDS.add("hard", key | {"scores": found}, begin)


def without_wide(seed: int) -> segmentation.UNet:
    """Without skip connections, and so wide that it has at least as many parameters as the one with them."""
    wanted = models.count(segmentation.UNet())
    width = next(w for w in range(12, 40) if models.count(segmentation.UNet(width=w, skip=False)) >= wanted)
    return started(lambda: segmentation.UNet(width=width, skip=False), seed)


UNETS = {
    "with": lambda seed: started(segmentation.UNet, seed),
    "without": lambda seed: started(lambda: segmentation.UNet(skip=False), seed),
    "without, wider": without_wide,
}


def skips(seeds: Iterable[int]) -> None:
    n, tested = SCENES["skips"]
    for seed in seeds:
        scenes = data.scenes(n, 1000 + seed, size=32, objects=(1, 2))
        asked = data.scenes(tested, 2000 + seed, size=32, objects=(1, 2))
        border = segmentation.borders(asked.masks)
        for name, make in UNETS.items():
            key = {"name": name, "seed": seed}
            if RECORDS.has("skips", key):
                continue
            begin = time.process_time()
            net = make(seed)
            segmentation.learn(net, scenes, epochs=EPOCHS["skips"], seed=seed)
            labels = segmentation.labels(net, asked.x)
            right = labels == asked.masks
            found = {
                "miou": segmentation.class_iou(labels, asked.masks, 5).nanmean().item(),
                "pixels": right.double().mean().item(),
                "border": right[border].double().mean().item(),
                "elsewhere": right[~border].double().mean().item(),
                "parameters": models.count(net),
            }
            RECORDS.add("skips", key | found, begin)


def photographs():
    return data.cifar10("cifar10")


def search(seeds: Iterable[int]) -> None:
    """Five classes to learn, five others; neighbours among test photographs of either five."""
    photos = photographs()
    for seed in seeds:
        order = torch.randperm(10, generator=torch.Generator().manual_seed(seed)).tolist()
        halves = {"first": sorted(order[:5]), "second": sorted(order[5:])}
        galleries = {}
        for half, classes in halves.items():
            x, y = of_classes(photos.x_test, photos.y_test, classes)
            galleries[half] = (x[:GALLERY], y[:GALLERY])
        if not RECORDS.has("retrieval", {"way": "pixels", "seed": seed}):
            begin = time.process_time()
            found = {half: precision(retrieval.pixels(x), y) for half, (x, y) in galleries.items()}
            RECORDS.add("retrieval", {"way": "pixels", "seed": seed, "classes": halves, **found}, begin)
        if not RECORDS.has("retrieval", {"way": "untrained", "seed": seed}):
            begin = time.process_time()
            net = started(small_net, seed)
            found = {half: precision(embedded(net, x), y) for half, (x, y) in galleries.items()}
            RECORDS.add("retrieval", {"way": "untrained", "seed": seed, **found}, begin)
        for learned, classes in halves.items():
            key = {"way": f"trained on the {learned} five", "seed": seed}
            if RECORDS.has("retrieval", key):
                continue
            begin = time.process_time()
            x, y = of_classes(photos.x_train, photos.y_train, classes)
            net = started(small_net, seed)
            training.fit(
                net,
                (x[: 5 * PHOTOS], y[: 5 * PHOTOS]),
                epochs=EPOCHS["retrieval"],
                batch_size=100,
                lr=4e-3,
                schedule=training.schedules.triangle(),
                seed=seed,
                progress=False,
            )
            found = {half: precision(embedded(net, x), y) for half, (x, y) in galleries.items()}
            RECORDS.add("retrieval", key | found, begin)


def small_net():
    return models.pattern((3, 32, 32), classes=5, channels=(16, 32, 64), batch_norm="before", dense=())


def of_classes(x: torch.Tensor, y: torch.Tensor, classes: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """The pictures of these classes, numbered from 0."""
    chosen = torch.isin(y, torch.tensor(classes))
    return x[chosen], torch.searchsorted(torch.tensor(classes), y[chosen])


def embedded(net, x: torch.Tensor) -> torch.Tensor:
    return retrieval.unit(evaluation.features(net, x))


def precision(vectors: torch.Tensor, y: torch.Tensor, k: int = 10) -> float:
    """Precision at `k`: every picture asks for its nearest among all others."""
    order = retrieval.nearest(vectors, vectors, k + 1)
    others = torch.stack([row[row != i][:k] for i, row in enumerate(order)])
    return retrieval.precision_at(others, y, y)


def styles(seeds: Iterable[int]) -> None:
    net = style.network()
    for seed in seeds:
        for subject, texture in PAIRS:
            pictures = [data.photo(name, size=(SIZE, SIZE)) for name in (subject, texture)]
            for weight in WEIGHTS:
                key = {"pair": f"{subject}, {texture}", "weight": weight, "seed": seed}
                if RECORDS.has("styles", key):
                    continue
                begin = time.process_time()
                run = style.restyle(net, *pictures, weight=weight, steps=STEPS, keep=1, seed=seed)
                RECORDS.add("styles", key | {"style": run["style"][-1], "content": run["content"][-1]}, begin)


# --- tables -----------------------------------------------------------------------------------------------------------


def spread(values: list[float], digits: int) -> tuple[float, float]:
    return round(mean(values), digits), round(stdev(values), digits)


def windows_table() -> tuple[list[dict], dict]:
    lines = []
    for (size,), rows in sorted(RECORDS.grouped("windows", "size").items()):
        ratio, sd = spread([row["alone_s"] / row["whole_s"] for row in rows], 1)
        lines.append(
            {
                "size": size,
                "windows": rows[0]["windows"],
                "alone": rows[0]["alone"],
                "whole": rows[0]["whole"],
                "saving": round(rows[0]["alone"] / rows[0]["whole"], 1),
                "faster": ratio,
                "sd": sd,
                "difference": float(f"{max(row['difference'] for row in rows):.1e}"),
                "seeds": len(rows),
            }
        )
    return lines, {}


def hard_table() -> tuple[list[dict], dict]:
    groups, lines = RECORDS.grouped("hard", "trained"), []
    if len(groups) < len(TRAININGS):
        return [], {}
    by_seed = {
        name: {trained: [round(row["scores"][name]["found"], 4) for row in rows] for (trained,), rows in groups.items()}
        for name in HARD
    }
    for name in HARD:
        line = {"scenes": name}
        for (trained,), rows in groups.items():
            line[trained], line[f"{trained}_sd"] = spread([row["scores"][name]["found"] for row in rows], 3)
            for score in ("class", "iou"):
                line[f"{trained}_{score}"] = round(mean(row["scores"][name][score] for row in rows), 3)
        lines.append(line | {"seeds": len(rows)})
    return lines, {"by_seed": by_seed}


def skips_table() -> tuple[list[dict], dict]:
    lines, by_seed = [], {}
    for (name,), rows in RECORDS.grouped("skips", "name").items():
        line = {"skip connections": name, "parameters": rows[0]["parameters"]}
        line["miou"], line["sd"] = spread([row["miou"] for row in rows], 3)
        for column in ("pixels", "border", "elsewhere"):
            line[column] = round(mean(row[column] for row in rows), 4)
        lines.append(line | {"seeds": len(rows)})
        by_seed[name] = {column: [round(row[column], 4) for row in rows] for column in ("miou", "border", "elsewhere")}
    return lines, {"by_seed": by_seed}


def retrieval_table() -> tuple[list[dict], dict]:
    groups = {way: rows for (way,), rows in RECORDS.grouped("retrieval", "way").items()}
    if len(groups) < 4:
        return [], {}
    first, second = groups["trained on the first five"], groups["trained on the second five"]

    def of(rows: list[dict], *halves: str) -> list[float]:
        return [mean(row[half] for half in halves) for row in rows]

    both = ("first", "second")
    ways = {
        "pixels": of(groups["pixels"], *both),
        "network, untrained": of(groups["untrained"], *both),
        "network, trained on five other classes": [
            (a["second"] + b["first"]) / 2 for a, b in zip(first, second, strict=True)
        ],
        "network, trained on these five": [(a["first"] + b["second"]) / 2 for a, b in zip(first, second, strict=True)],
    }
    lines = []
    for way, values in ways.items():
        value, sd = spread(values, 3)
        lines.append({"way": way, "precision at 10": value, "sd": sd, "chance": 0.2, "seeds": len(values)})
    return lines, {"by_seed": {way: [round(v, 4) for v in values] for way, values in ways.items()}}


def styles_table() -> tuple[list[dict], dict]:
    lines = []
    for (pair, weight), rows in RECORDS.grouped("styles", "pair", "weight").items():
        line = {"pair": pair, "weight": weight}
        line["content"], line["content_sd"] = spread([row["content"] for row in rows], 4)
        line["style"], line["style_sd"] = spread([row["style"] for row in rows], 4)
        lines.append(line | {"seeds": len(rows)})
    return lines, {}


SCORES = {"class": "share whose class is right", "iou": "mean IoU of the box with the true one"}
TABLES = {
    "windows": (
        "a window slid over a picture, against one convolution over all of it",
        "drawn scenes",
        {
            "size": "height and width of the picture, in pixels",
            "windows": "windows of 32×32 pixels, 4 apart",
            "alone": "multiply-adds if every window is asked alone",
            "whole": "multiply-adds of the network whose dense layers became convolutions",
            "saving": "the ratio of the two",
            "faster": "how many times less time it took, the median of seven each, mean over the seeds",
            "sd": "standard deviation of this ratio over the seeds",
            "difference": "largest difference of any answer",
            "seeds": "networks and pictures",
        },
        windows_table,
    ),
    "hard": (
        "a detector of one shape, asked about scenes of each difficulty",
        "drawn scenes of 48×48 pixels",
        {
            "scenes": "what was changed in the 1,000 test scenes; the shapes and their places are the same",
            **{
                column: text
                for name, told in (
                    ("plain", "plain scenes"),
                    ("varied", "varied scenes, half of them with one difficulty"),
                )
                for column, text in {
                    name: f"trained on {told}: share found, class right and IoU at least 0.5; mean over the seeds",
                    f"{name}_sd": "standard deviation over the seeds",
                    **{f"{name}_{score}": f"trained on {told}: {words}" for score, words in SCORES.items()},
                }.items()
            },
            "seeds": "trainings: each draws its own scenes, start and order",
        },
        hard_table,
    ),
    "skips": (
        f"U-Net with and without skip connections, {SCENES['skips'][0]:,} scenes, {EPOCHS['skips']} epochs",
        "drawn scenes of 32×32 pixels",
        {
            "skip connections": "with; without; without and wider, with at least as many parameters",
            "parameters": "of the network",
            "miou": "mean IoU over five classes, 500 test scenes; mean over the seeds",
            "sd": "standard deviation over the seeds",
            "pixels": "share of the pixels that are right",
            "border": "the same, of those beside a pixel of another class",
            "elsewhere": "the same, of all others",
            "seeds": "trainings: each draws its own scenes, start and order",
        },
        skips_table,
    ),
    "retrieval": (
        "nearest neighbours among 2,500 test photographs of five classes",
        "CIFAR-10 (a JPEG copy)",
        {
            "way": "what is compared: pixels, or what the network's last layer is given",
            "precision at 10": "share of the ten most similar that are of the same class; both halves, mean over seeds",
            "sd": "standard deviation over the seeds",
            "chance": "what guessing would find",
            "seeds": "each divides the ten classes in its own way, and draws its own start and order",
        },
        retrieval_table,
    ),
    "styles": (
        f"content against style, {STEPS} steps on {SIZE}×{SIZE} pixels",
        "photographs that come with scikit-image",
        {
            "pair": "content, style",
            "weight": "of style against content",
            "content": "how far the maps are from the content's (squared, in parts of their mean square)",
            "content_sd": "standard deviation over the seeds",
            "style": "how far the Gram matrices are from the style's (squared, in parts of their square)",
            "style_sd": "standard deviation over the seeds",
            "seeds": "each draws the noise that is added at the start",
        },
        styles_table,
    ),
}
PARTS = {"windows": sliding, "hard": hard, "skips": skips, "retrieval": search, "styles": styles}


def main(arguments: list[str] | None = None) -> None:
    torch.set_num_threads(1)  # nothing so small gains from more
    RECORDS.main(arguments, __doc__, PARTS, TABLES)


if __name__ == "__main__":
    main()
