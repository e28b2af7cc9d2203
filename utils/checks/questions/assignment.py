"""What the assignment's two networks are asked: what they are, what they answer with their weights, whether they learn.

No answer is right or wrong here: `utils.assignment.rules` judges what comes back, with labels that this side never
sees. The case "looks" tells what a network is; "answers" gives logits with the weights that were handed in; "learns"
trains a fresh one on a few pictures.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from utils.checks.question import Case, Objection, Question, as_array, message_of

SIDE, CLASSES = 32, 10
TRIED = (("eval", 1), ("eval", 5), ("train", 1), ("train", 5))  # modes, and numbers of pictures
BATCH = 50  # pictures at a time: the memory of larger layers would be given back, and asked for anew, at every batch
STEPS, LR = 120, 2e-3  # of the small training, at most
ENOUGH = 0.5  # the part of a guesser's loss below which it ends early
ALIKE = 0.9999  # correlation of two networks' answers
WRAPPERS = ("module.", "_orig_mod.")  # what DataParallel and torch.compile put before every name


def cases(weights: bytes, pictures: np.ndarray, x: np.ndarray, y: np.ndarray, seed: int) -> list[Case]:
    """What one network is asked.

    Parameters
    ----------
    weights : bytes of a safetensors file; without any, nothing is asked that needs them
    pictures : uint8 (N, 3, 32, 32)
        To be answered with these weights; no labels.
    x, y : uint8 (n, 3, 32, 32) and int64 (n,), training pictures to learn
    """
    answers = Case("answers", {"do": "answers", "weights": np.frombuffer(weights, np.uint8), "x": pictures})
    learns = Case("learns", {"do": "learns", "x": x, "y": y, "seed": seed})
    return [Case("looks", {"do": "looks"}), *([answers] if weights and len(pictures) else []), learns]


def made(network_class) -> nn.Module:
    """A fresh network; lazy layers have their sizes."""
    net = network_class()
    if not isinstance(net, nn.Module):
        raise Objection("interface", f"it makes a {type(net).__name__}, and an nn.Module is wanted.")
    was_training = net.training
    with torch.no_grad():
        net.eval()(torch.zeros(2, 3, SIDE, SIDE))
    return net.train(was_training)


def with_weights(network_class, weights: bytes) -> nn.Module:
    """A network with the weights of a safetensors file; raises ValueError if they are another network's.

    Prefixes that DataParallel and torch.compile leave in the names are taken off; half precision becomes float32.
    """
    net = made(network_class)
    try:
        tensors = load(weights)
    except (SafetensorError, ValueError, KeyError) as error:
        raise ValueError(f"the weights are no safetensors file, or a damaged one: {message_of(error)}") from None
    here = net.state_dict()
    if here.keys() != tensors.keys():
        here, tensors = ({bare(name): tensor for name, tensor in each.items()} for each in (here, tensors))
    missing, extra = sorted(here.keys() - tensors.keys()), sorted(tensors.keys() - here.keys())
    other = sorted(name for name in here.keys() & tensors.keys() if here[name].shape != tensors[name].shape)
    for names, what in ((missing, "are missing"), (extra, "are not the network's"), (other, "have other shapes")):
        if names:
            raise ValueError(f"the weights are another network's: {', '.join(names[:3])} {what}.")
    with torch.no_grad():
        for name, tensor in here.items():
            tensor.copy_(tensors[name])
    return net


def bare(name: str) -> str:
    """A parameter's name without what wrappers put before it."""
    while name.startswith(WRAPPERS):
        name = name.removeprefix(WRAPPERS[0]).removeprefix(WRAPPERS[1])
    return name


def run_model(target, given):
    if given["do"] == "looks":
        return looks(target)
    if given["do"] == "learns":
        return learns(target, given)
    layout = torch.channels_last  # the same numbers in another order: two thirds of the time on a CPU
    net = with_weights(target, given["weights"].tobytes()).eval().to(memory_format=layout)
    with torch.no_grad():
        parts = [net((x.float() / 255).contiguous(memory_format=layout)) for x in torch.tensor(given["x"]).split(BATCH)]
    return {"logits": as_array(torch.cat(parts).float(), "what the network gives")}


def looks(target):
    """Its name, its size and work, and the shape that it gives in each mode, or the error instead."""
    net = made(target)
    found = {"name": np.array((target if isinstance(target, type) else type(net)).__name__)}
    found["parameters"] = np.array(sum(p.numel() for p in net.parameters()))
    found["multiply_adds"] = np.array(work(net))
    for mode, n in TRIED:
        try:
            shape = tuple(net.train(mode == "train")(torch.rand(n, 3, SIDE, SIDE)).shape)
            found[f"{mode} {n}"] = np.array(shape, dtype="int64")
        except Exception as error:
            found[f"{mode} {n}"] = np.array(f"{type(error).__name__}: {message_of(error)}"[:200])
    return found


def work(net: nn.Module) -> int:
    """Multiply-adds for a picture, by whichever size of a batch takes more; `net` is in eval mode afterwards."""
    return max(multiply_adds(net.eval(), n) for n in (1, BATCH))


def multiply_adds(net: nn.Module, n: int) -> int:
    """Of the forward pass, for one of n pictures."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # attention's quick way is not counted
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            net(torch.rand(n, 3, SIDE, SIDE))
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    return counter.get_total_flops() // 2 // n


def learns(target, given):
    """Logits for a few training pictures, before and after a fresh network has been trained on them."""
    torch.manual_seed(given["seed"])
    net = made(target).train()
    x, y = torch.tensor(given["x"]).float() / 255, torch.tensor(given["y"])
    learning = [p for p in net.parameters() if p.requires_grad]
    if not learning:
        raise Objection("interface", "it has no parameter that learns.")
    optimizer = torch.optim.Adam(learning, lr=LR)
    before = net(x).detach()
    for _ in range(STEPS):
        optimizer.zero_grad()
        logits = net(x)
        loss = F.cross_entropy(logits, y)
        if loss < ENOUGH * min(F.cross_entropy(before, y).item(), math.log(CLASSES)):
            break
        loss.backward()
        optimizer.step()
    return {"before": as_array(before.float(), "the logits"), "after": as_array(logits.detach().float(), "the logits")}


def run_pair(target, given):
    """Whether two classes are one network: the same class, or the same answers with the same numbers in them."""
    first, second = target()
    if first is second:
        return {"same": np.array(True)}
    nets = [made(each).eval() for each in (first, second)]
    x = torch.rand(8, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(given["seed"]))
    numbers = [used(net, x) for net in nets]
    if [t.shape for t in numbers[0]] != [t.shape for t in numbers[1]]:
        return {"same": np.array(False)}
    with torch.no_grad():
        for a, b in zip(*numbers, strict=True):
            b.copy_(a)
        a, b = (net(x) for net in nets)
    if a.shape != b.shape:
        return {"same": np.array(False)}
    alike = torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1]  # another scale is no other network
    return {"same": np.array(bool(alike > ALIKE))}


def used(net: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    """The numbers of a network that its answers depend on: parameters that get a gradient, and batch norm's."""
    net.zero_grad()
    logits = net(x)
    (logits * torch.rand(logits.shape, generator=torch.Generator().manual_seed(0))).sum().backward()
    found = dict(net.named_parameters())
    return [
        tensor
        for name, tensor in net.state_dict(keep_vars=True).items()
        if name not in found or (found[name].grad is not None and bool(found[name].grad.any()))
    ]


def question(name, aspects, run, signature):
    return Question(name, dict.fromkeys(aspects, 0.0), {}, lambda rng, wide: [], run, signature)


QUESTIONS = {
    "assignment_model": question("assignment_model", ("looks", "answers", "learns"), run_model, "class Net(nn.Module)"),
    "assignment_pair": question("assignment_pair", ("pair",), run_pair, "two classes"),
}
