"""Which device to compute on, at which precision, and with which seed.

from utils import device
device.machine()          # a small table of what this machine offers
x = x.to(device.best())
with device.autocast():   # bfloat16 where the machine gains from it, float32 elsewhere
    logits = model(x)
"""

from __future__ import annotations

import contextlib
import os
import platform
import random
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

# CPU instructions that multiply bfloat16 numbers in hardware; without them bfloat16 is emulated and slower.
BF16_CPU_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}


def best() -> torch.device:
    """The fastest device there is: CUDA, then Apple's MPS, then the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def cpu_flags(cpuinfo: str | None = None) -> set[str]:
    """The instruction-set flags of the first CPU in Linux's `/proc/cpuinfo`; empty where that is not to be had."""
    if cpuinfo is None:
        path = Path("/proc/cpuinfo")
        cpuinfo = path.read_text() if path.exists() else ""
    for line in cpuinfo.splitlines():
        if line.lower().startswith(("flags", "features")):
            return set(line.partition(":")[2].split())
    return set()


def gains_from_bf16(device: torch.device | None = None) -> bool:
    """Whether bfloat16 autocast makes `device` faster: CUDA from Ampere on, and CPUs that multiply bfloat16."""
    device = device or best()
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and bool(cpu_flags() & BF16_CPU_FLAGS)


def autocast(device: torch.device | None = None) -> contextlib.AbstractContextManager:
    """A context that computes in bfloat16 where the machine gains from it, and changes nothing elsewhere."""
    device = device or best()
    if gains_from_bf16(device):
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()


def memory_format(device: torch.device | None = None) -> torch.memory_format:
    """The memory layout in which convolutions are fastest: channels_last on CUDA and CPU, torch's own on MPS."""
    device = device or best()
    return torch.contiguous_format if device.type == "mps" else torch.channels_last


def seed_everything(seed: int = 0) -> torch.Generator:
    """Seed Python's, NumPy's and torch's random numbers; return a torch generator with the same seed.

    The same seed gives the same numbers on one machine with one version of torch; another machine, another
    number of threads or a GPU may round differently.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)


@dataclass(frozen=True)
class Machine:
    """What a notebook runs on. Sizes in GiB."""

    device: str
    name: str
    memory: float
    threads: int
    precision: str
    layout: str
    torch: str
    python: str

    def rows(self) -> list[tuple[str, str]]:
        values = asdict(self) | {"memory": f"{self.memory:.1f} GiB"}
        return [(label, str(value)) for label, value in values.items()]

    def __repr__(self) -> str:
        return "\n".join(f"{label:<10} {value}" for label, value in self.rows())

    def _repr_html_(self) -> str:
        from html import escape

        cells = "".join(
            f"<tr><th style='text-align:left'>{label}</th><td style='text-align:left'>{escape(value)}</td></tr>"
            for label, value in self.rows()
        )
        return f"<table><caption>This machine</caption>{cells}</table>"


def machine() -> Machine:
    """This machine: the device, its name and memory, and how the course will use it."""
    device = best()
    return Machine(
        device=device.type,
        name=device_name(device),
        memory=device_memory(device),
        threads=torch.get_num_threads(),
        precision="bfloat16 autocast" if gains_from_bf16(device) else "float32",
        layout=str(memory_format(device)).removeprefix("torch."),
        torch=torch.__version__,
        python=platform.python_version(),
    )


def device_name(device: torch.device) -> str:
    """The name its maker gave it, as far as the system tells."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    return names[0].partition(":")[2].strip() if names else platform.processor() or platform.machine()


def device_memory(device: torch.device) -> float:
    """Memory that computations can use, in GiB; 0.0 where the system does not tell (never a guess)."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory / 2**30
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return windows_memory()


def windows_memory() -> float:
    """Physical memory in GiB on Windows, 0.0 elsewhere."""
    import ctypes

    if not hasattr(ctypes, "windll"):
        return 0.0
    kilobytes = ctypes.c_ulonglong()
    ctypes.windll.kernel32.GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes))
    return kilobytes.value / 2**20
