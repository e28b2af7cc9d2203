"""Kernels that have torch loaded when they start.

Importing torch is most of what it costs to run a short notebook. Here one process imports it and runs no learner's
code; every kernel is a fork of that process, made for one notebook and never used again. Where a process cannot be
forked (Windows), and for kernels of other languages, everything is as usual.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from importlib import import_module

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner


class WarmKernelManager(AsyncKernelManager):
    """A kernel manager whose kernels are forked instead of started."""

    async def _async_pre_start_kernel(self, **kw):
        if self.provisioner is None and hasattr(os, "fork"):
            self.kernel_id = self.kernel_id or kw.pop("kernel_id", str(uuid.uuid4()))
            self.provisioner = WarmProvisioner(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
        return await super()._async_pre_start_kernel(**kw)

    pre_start_kernel = _async_pre_start_kernel


class WarmProvisioner(LocalProvisioner):
    """Has the kernel forked, and otherwise treats it like any process on this machine."""

    async def launch_kernel(self, cmd, **kwargs):
        if "ipykernel_launcher" not in cmd:
            return await super().launch_kernel(cmd, **kwargs)
        arguments = cmd[cmd.index("ipykernel_launcher") + 1 :]
        self.process = Fork(server().fork(arguments, kwargs.get("cwd") or os.getcwd(), kwargs.get("env") or os.environ))
        self.pid = self.pgid = self.process.pid
        return self.connection_info


class Fork:
    """A kernel that is not this process's own child, with the part of Popen's interface that Jupyter uses."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int):
        self.pid = pid

    def poll(self) -> int | None:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return 0  # it has ended; how, only its parent was told
        return None

    def wait(self) -> int:
        while self.poll() is None:
            time.sleep(0.01)
        return 0

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Server:
    """The process that has torch loaded, seen from outside. It ends when this process does."""

    def __init__(self):
        self.owner = os.getpid()
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        environment = {
            **os.environ,
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        }  # as every kernel has it
        self.process = subprocess.Popen([sys.executable, "-m", "grading.kernels"], env=environment, **pipes)

    def fork(self, arguments: list[str], folder: str, environment: dict) -> int:
        """A new kernel's process id."""
        request = {"arguments": arguments, "folder": folder, "environment": dict(environment)}
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


# What a kernel has loaded. The third is what torch loads when it is first asked for a shape alone (the "meta" device).
LOADED = ("ipykernel.kernelapp", "torch", "torch.fx.experimental.symbolic_shapes", "matplotlib.pyplot")

running: list[Server] = []


def server() -> Server:
    """This process's own server, started when it is first wanted. (A fork of this process needs one of its own.)"""
    if not running or running[-1].owner != os.getpid() or running[-1].process.poll() is not None:
        running.append(Server())
    return running[-1]


def serve() -> None:
    """The server's life: a request on every line, a fork for every request."""
    application, *_ = [import_module(name) for name in LOADED]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the kernels, so they leave no zombies
    while line := sys.stdin.buffer.readline():
        if (pid := os.fork()) == 0:
            with contextlib.suppress(SystemExit):
                become_kernel(json.loads(line), application)
            os._exit(0)
        print(pid, flush=True)


def become_kernel(request: dict, application) -> None:
    """In the fork: be an ordinary kernel in the folder and the environment that were asked for."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"], JPY_PARENT_PID=str(os.getppid()))
    sys.argv = ["ipykernel_launcher", *request["arguments"]]
    sys.path[:] = [entry for entry in sys.path if entry]  # the kernel puts its own folder there
    application.launch_new_instance()


if __name__ == "__main__":
    serve()
