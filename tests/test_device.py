"""The device: which one, at which precision, with which seed."""

import random

import numpy as np
import pytest
import torch

from utils import device

CPU = torch.device("cpu")


def pretend(monkeypatch, cuda=False, mps=False):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("there", "best"),
    [({"cuda": True, "mps": True}, "cuda"), ({"mps": True}, "mps"), ({}, "cpu")],
)
def test_cuda_comes_first_then_mps_then_the_cpu(monkeypatch, there, best):
    pretend(monkeypatch, **there)
    assert device.best() == torch.device(best)


def test_flags_are_read_from_cpuinfo():
    assert device.cpu_flags("processor : 0\nflags\t\t: fpu avx512_bf16 sse\n") == {"fpu", "avx512_bf16", "sse"}
    assert device.cpu_flags("Features\t: fp asimd bf16\n") == {"fp", "asimd", "bf16"}  # ARM calls them so
    assert device.cpu_flags("no such line\n") == set()


@pytest.mark.parametrize(
    ("flags", "gains"), [({"avx512_bf16"}, True), ({"amx_bf16"}, True), ({"avx2"}, False), (set(), False)]
)
def test_a_cpu_gains_from_bf16_only_if_it_multiplies_it(monkeypatch, flags, gains):
    monkeypatch.setattr(device, "cpu_flags", lambda: flags)
    assert device.gains_from_bf16(CPU) is gains
    with device.autocast(CPU):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.bfloat16 if gains else torch.float32)


def test_mps_is_left_at_float32_and_its_own_layout():
    assert not device.gains_from_bf16(torch.device("mps"))
    assert device.memory_format(torch.device("mps")) == torch.contiguous_format
    assert device.memory_format(CPU) == torch.channels_last
    assert device.memory_format(torch.device("cuda")) == torch.channels_last


def draws():
    return random.random(), float(np.random.random()), float(torch.rand(())), float(np.random.random())


def test_one_seed_serves_all_generators():
    own = device.seed_everything(3)
    first = draws()
    assert draws() != first
    again = device.seed_everything(3)
    assert draws() == first
    assert torch.equal(torch.rand(2, generator=own), torch.rand(2, generator=again))
    device.seed_everything(4)
    assert all(a != b for a, b in zip(draws(), first, strict=True))


def test_the_machine_is_told_in_a_table():
    machine = device.machine()
    assert machine.device == device.best().type
    assert machine.threads == torch.get_num_threads()
    assert machine.memory > 0
    rows = dict(machine.rows())
    assert rows["memory"].endswith(" GiB")
    assert rows["torch"] == torch.__version__
    assert all(label in repr(machine) and value in repr(machine) for label, value in rows.items())
    html = machine._repr_html_()
    assert html.count("<tr>") == len(rows)
    assert "<caption>This machine</caption>" in html


def test_names_from_the_system_are_escaped():
    machine = device.Machine("cpu", "<b>fast</b> & good", 1.0, 1, "float32", "channels_last", "2", "3")
    assert "&lt;b&gt;fast&lt;/b&gt; &amp; good" in machine._repr_html_()


def test_memory_is_never_guessed(monkeypatch):
    def unknown(name):
        raise ValueError(name)

    monkeypatch.setattr(device.os, "sysconf", unknown, raising=False)
    monkeypatch.setattr(device, "windows_memory", lambda: 0.0)
    assert device.device_memory(CPU) == 0.0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_a_gpu_is_named():
    machine = device.machine()
    assert machine.device == "cuda"
    assert machine.name == torch.cuda.get_device_name()
    with device.autocast():
        product = torch.ones(2, 2, device="cuda") @ torch.ones(2, 2, device="cuda")
    assert product.dtype == (torch.bfloat16 if device.gains_from_bf16() else torch.float32)
