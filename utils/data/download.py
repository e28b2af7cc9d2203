"""Fetch a file from one of several addresses: resumed, checked, and under its own name only when it is whole."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from utils.data.files import matches, tell

BLOCK = 1 << 16  # bytes read at a time


@dataclass(frozen=True)
class Remote:
    """A file that can be fetched: the same bytes at every address."""

    filename: str
    urls: tuple[str, ...]  # in the order in which they are asked
    checksum: str  # "md5:…" or "sha256:…" of the whole file
    size: int  # bytes
    unpacked: int = 0  # bytes that what is made of it will take besides


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server (seconds) and how slow it may be (bytes per second)."""

    connect: float = 4.0  # no network must be noticed at once, not after minutes
    read: float = 15.0  # silence
    slow_after: float = 10.0
    slow_below: float = 150e3  # then another address is tried first
    stalled_below: float = 1e3  # then it is given up
    reconnects: int = 20  # after being cut off; each of them must have brought something


class DownloadError(RuntimeError):
    """The file could not be fetched. `str(error)` is the whole story; `error.short` fits into half a sentence."""

    def __init__(self, short: str, details: str = ""):
        super().__init__(f"{short}{details}")
        self.short = short


class _Refused(Exception):
    """This address will not give us the file; the message says why."""


class _TooSlow(Exception):
    def __init__(self, speed: float):
        super().__init__(f"was slow ({speed / 1e3:.0f} kB/s)")
        self.speed = speed


def fetch(remote: Remote, folder: Path, patience: Patience = Patience()) -> Path:
    """Fetch `remote` into `folder` and return its path.

    The mirrors of `CNN_COURSE_MIRRORS` are asked first. An interrupted download leaves `<filename>.part` and is taken
    up there the next time, from whichever address. A second process waits for the first and uses its file.

    Raises
    ------
    DownloadError : if no address gives the file, the folder cannot be written, or the disk is full
    """
    target = folder / remote.filename
    with _writing_to(folder), _lock(target):
        if target.exists() and matches(target, remote.checksum):
            return target
        part = target.with_name(f"{target.name}.part")
        if _size(part) > remote.size:
            part.unlink()  # no piece of this file
        _check_free_space(remote, folder, part)
        urls = _reachable(_mirrors(remote) + list(remote.urls), patience.connect)
        _from_any(urls, part, remote, patience)
        os.replace(part, target)
    return target


@contextmanager
def _writing_to(folder: Path):
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise DownloadError(
            f"the folder {folder} cannot be written ({error.strerror or error})",
            ". Name a folder that can, and has room, in the environment variable CNN_COURSE_DATA.",
        ) from error


@contextmanager
def _lock(target: Path):
    """Only one process at a time; the system frees the lock if that process dies."""
    from filelock import FileLock, Timeout

    lock = FileLock(target.with_name(f".{target.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        tell(f"Another notebook or program is fetching {target.name} just now: waiting for it.")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _check_free_space(remote: Remote, folder: Path, part: Path) -> None:
    needed = remote.size + remote.unpacked - _size(part)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DownloadError(
            f"the disk is too full: {remote.filename} needs {needed / 1e6:,.0f} MB, {free / 1e6:,.0f} MB are free",
            f" in {folder}. Make room, or name another folder in CNN_COURSE_DATA.",
        )


def _mirrors(remote: Remote) -> list[str]:
    """The instructor's own addresses of this file: each entry is the folder in which it lies."""
    entries = os.environ.get("CNN_COURSE_MIRRORS", "").split()
    for entry in entries:
        if urlsplit(entry).scheme not in ("http", "https"):
            raise DownloadError(
                f"CNN_COURSE_MIRRORS names {entry!r}, which is no http:// or https:// address",
                ". Write addresses separated by spaces; for a folder on this computer use CNN_COURSE_DATA.",
            )
    return [f"{entry.rstrip('/')}/{remote.filename}" for entry in entries]


def _reachable(urls: list[str], seconds: float) -> list[str]:
    """Those addresses whose host accepts a connection. All are asked at once, so that this takes `seconds` at most."""
    answers = {}  # url → what is wrong, "" if nothing

    def knock(url: str) -> None:
        try:
            socket.create_connection(_door(url), timeout=seconds).close()
            answers[url] = ""
        except OSError as error:
            answers[url] = _plain(error)

    # Daemon threads: looking up a host name cannot be interrupted, and must not hold up the end of the program.
    threads = [threading.Thread(target=knock, args=(url,), daemon=True) for url in urls]
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    problems = {url: answers.get(url, f"no answer within {seconds:g} s") for url in urls}
    if all(problems.values()):
        raise DownloadError("no server can be reached; is there a network?", _listed(problems))
    return [url for url in urls if not problems[url]]


def _door(url: str) -> tuple[str, int]:
    """Host and port to connect to for this address: its own, or the network's proxy."""
    parts = urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.netloc):
        parts = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _from_any(urls: list[str], part: Path, remote: Remote, patience: Patience) -> None:
    """Fill `part` from the first address that delivers; slow ones are kept for the end, the fastest first."""
    problems, slow = {}, {}
    slowest = patience.slow_below if len(urls) > 1 else patience.stalled_below  # no other address: nothing to gain
    for url in urls:
        try:
            return _from_one(url, part, remote, patience, slowest)
        except _TooSlow as error:
            slow[url] = error.speed
        except _Refused as error:
            problems[url] = str(error)
    for url in sorted(slow, key=slow.get, reverse=True):
        try:
            return _from_one(url, part, remote, patience, patience.stalled_below)
        except (_TooSlow, _Refused) as error:
            problems[url] = str(error)
    again = f"\n{_size(part):,} bytes are kept; the next try goes on from there." if _size(part) else ""
    raise DownloadError(f"no server delivered {remote.filename}", _listed(problems) + again)


def _from_one(url: str, part: Path, remote: Remote, patience: Patience, slowest: float) -> None:
    """Fill `part` from one address, reconnecting when cut off, and check the result."""
    for _ in range(patience.reconnects):
        before, problem = _size(part), "broke off again and again"
        try:
            _receive(url, part, remote, patience, slowest)
        except (OSError, http.client.HTTPException) as error:  # urllib's errors are OSErrors
            if isinstance(error, urllib.error.HTTPError):
                raise _Refused(_plain(error)) from error
            problem = _plain(error)
        if _size(part) == remote.size:
            if matches(part, remote.checksum):
                return
            part.unlink()
            if before == 0:
                raise _Refused("sent other bytes than the published checksum asks for")
            # The beginning came from an earlier try and may be what is wrong: once more, from the start.
        elif _size(part) <= before:
            raise _Refused(problem)
    raise _Refused(problem)


def _receive(url: str, part: Path, remote: Remote, patience: Patience, slowest: float) -> None:
    """One request: append to `part` what the server sends, until it stops."""
    have = _size(part)
    if have == remote.size:  # whole already; what remains is the check
        return
    headers = {"User-Agent": "cnn-course", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=patience.read) as response:
        have = _first_byte(response, have, remote.size)
        with part.open("ab", buffering=0) as file, _progress(remote, have) as bar:
            file.truncate(have)
            start, received = time.monotonic(), 0
            while block := response.read1(BLOCK):
                _write(file, block[: remote.size - have - received])
                received += len(block)
                bar.update(len(block))
                seconds = time.monotonic() - start
                if seconds > patience.slow_after and received / seconds < slowest:
                    raise _TooSlow(received / seconds)
                if have + received >= remote.size:
                    return


def _first_byte(response: http.client.HTTPResponse, have: int, size: int) -> int:
    """Where the answer begins in the file. Refuses what cannot be the file before a byte of ours is given up."""
    if "text/html" in response.headers.get("Content-Type", ""):
        raise _Refused("answered with a web page instead of the file (does this network ask for a login?)")
    if response.status == 206:
        answer = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if not answer or int(answer[1]) != have or answer[2] not in (str(size), "*"):
            raise _Refused("answered with another piece than the one asked for")
        return have
    length = response.headers.get("Content-Length")
    if length is not None and int(length) != size:
        raise _Refused(f"offers {int(length):,} bytes where the file has {size:,}")
    return 0  # 200: the server knows no Range and begins from the start


def _write(file, block: bytes) -> None:
    try:
        file.write(block)
    except OSError as error:  # not the server's fault: do not ask the next one
        raise DownloadError(f"the disk took no more ({error.strerror})", ". Make room and try again.") from error


def _progress(remote: Remote, have: int):
    import warnings

    with warnings.catch_warnings():  # without ipywidgets tqdm warns, then draws its bar as text: that is fine
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm

    # On stdout: nbgrader takes anything on stderr for an error.
    return tqdm(
        desc=remote.filename, total=remote.size, initial=have, unit="B", unit_scale=True, leave=False, file=sys.stdout
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _plain(error: Exception) -> str:
    """What went wrong with a connection, for people."""
    if isinstance(error, urllib.error.HTTPError):
        return f"answered {error.code} {error.reason}"
    reason = getattr(error, "reason", error)  # urllib wraps the cause
    if isinstance(reason, TimeoutError):
        return "fell silent"
    if isinstance(reason, socket.gaierror):
        return "its name is not known here"
    if isinstance(reason, ConnectionRefusedError):
        return "refuses the connection"
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__


def _listed(problems: dict[str, str]) -> str:
    return "".join(f"\n  {url}: {problem}" for url, problem in problems.items())
