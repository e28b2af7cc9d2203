"""The quick way into the jail: an interpreter that has torch loaded, and is forked for each submission.

The interpreter itself stands behind bubblewrap's walls and never runs learner code. Each fork leaves the namespaces it
shares with it, gets a disk and a /proc of its own, becomes a user of its own without rights, serves one submission as
the plain jail would (`inside.serve`), and is never used again.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import threading
from dataclasses import asdict
from pathlib import Path

from grading.jail.launcher import (
    RIGHTS,
    Inmate,
    JailUnavailable,
    find_bwrap,
    finish,
    python,
    read_available,
    start,
    unused_uid,
    walls,
)
from grading.jail.limits import Limits

SECONDS_TO_LOAD = 120
SECONDS_TO_FORK = 30


class Warm:
    """An interpreter to fork from. Use it in a `with`; it may serve several threads at once.

    Raises
    ------
    JailUnavailable
        If it cannot be had, though the plain jail may be.
    """

    def __init__(self):
        find_bwrap()
        self.root = os.geteuid() == 0
        self.control, inside = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # As root it keeps the right to make namespaces; every fork loses it before it runs learner code.
        arguments = walls(Limits(), 0 if self.root else None, (*RIGHTS, "CAP_SYS_ADMIN"))
        command = [*python(), "/course/jail/inside.py", "wait", str(inside.fileno())]
        try:
            self.process, self.pid, self.first, self.stderr = start(arguments, command, (inside.fileno(),))
        except BaseException:
            self.control.close()
            raise
        finally:
            inside.close()
        self.turn = threading.Lock()
        said = receive(self.control, SECONDS_TO_LOAD)
        if said != b"ready":
            complaint = said.decode() or read_available(self.stderr)
            self.close()
            raise JailUnavailable(f"The interpreter to fork from did not start: {complaint[-2000:]}")
        try:
            self.inmate(Limits()).close()
        except JailUnavailable:
            self.close()
            raise

    @classmethod
    def if_possible(cls) -> Warm | None:
        """One, or None where only the plain jail may be had (`run(…, warm=None)`), or no jail at all."""
        with contextlib.suppress(JailUnavailable):
            return cls()

    def inmate(self, limits: Limits) -> Inmate:
        """A fork, in its own jail, that waits for its submission."""
        return Forked(self, limits)

    def __enter__(self) -> Warm:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """End it, and every fork with it."""
        self.control.close()
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.first, signal.SIGKILL)
        select.select([self.first], [], [], 30)
        finish(self.process)
        os.close(self.first)
        os.close(self.stderr)


class Forked(Inmate):
    """A jail that was forked."""

    def __init__(self, warm: Warm, limits: Limits):
        inside, self.incoming = os.pipe()
        self.outgoing, outside = os.pipe()
        self.told, tells = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        order = {"limits": asdict(limits), "uid": unused_uid() if warm.root else None}
        try:
            with warm.turn:
                socket.send_fds(warm.control, [json.dumps(order).encode()], [inside, outside, tells.fileno()])
        except OSError as error:
            self.shut()
            raise JailUnavailable(f"The interpreter to fork from is gone: {error}") from error
        finally:
            tells.close()
            os.close(inside)
            os.close(outside)
        said, numbers = b"", []
        if select.select([self.told], [], [], SECONDS_TO_FORK)[0]:
            with contextlib.suppress(ConnectionError):
                said, numbers, _, _ = socket.recv_fds(self.told, 4096, 1)
        if not numbers:
            self.shut()
            raise JailUnavailable(f"A fork could not shut itself in: {said.decode() or 'it said nothing'}")
        self.first = numbers[0]
        self.pid = number_of(self.first)
        self.told.send(b"go")

    def shut(self) -> None:
        self.told.close()
        os.close(self.incoming)
        os.close(self.outgoing)

    def code(self) -> int | None:
        said = receive(self.told, 1)
        return int(said) if said.isdigit() else None

    def complaint(self) -> str:
        return receive(self.told, 1).decode()

    def close(self) -> None:
        super().close()
        self.told.close()


def receive(connection: socket.socket, seconds: float) -> bytes:
    if not select.select([connection], [], [], seconds)[0]:
        return b""
    with contextlib.suppress(ConnectionError):
        return connection.recv(4096)
    return b""


def number_of(pidfd: int) -> int:
    """The number of the process that a pidfd stands for."""
    for line in Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines():
        if line.startswith("Pid:"):
            return int(line.split()[1])
    raise ProcessLookupError("the process is gone")
