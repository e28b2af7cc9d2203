"""A local HTTP server that misbehaves on request, and an environment in which no test can reach another's data."""

from __future__ import annotations

import tarfile
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from utils.data import sets


@dataclass
class Page:
    """What the server has under one address, and how it behaves there."""

    content: bytes
    status: int = 200
    ranges: bool = True  # whether Range is understood
    cut_after: int | None = None  # bytes after which every answer breaks off
    block: int = 1 << 16  # sent at a time …
    pause: float = 0.0  # … with this many seconds before each
    kind: str = "application/octet-stream"
    length: bool = True  # whether Content-Length is sent
    shift: int = 0  # bytes by which a piece begins too late


class Server:
    """`server.put("name", content, …)` returns an address; `server.log` lists (name, Range header or None)."""

    def __init__(self):
        self.pages: dict[str, Page] = {}
        self.log: list[tuple[str, str | None]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def put(self, name: str, content: bytes, **behaviour) -> str:
        self.pages[name] = Page(content, **behaviour)
        return f"{self.address}/{name}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        name = request.path.lstrip("/")
        asked = request.headers.get("Range")
        self.log.append((name, asked))
        page = self.pages.get(name, Page(b"no such file", status=404))
        start, status = 0, page.status
        if asked and page.ranges and status == 200:
            start, status = int(asked.removeprefix("bytes=").rstrip("-")) + page.shift, 206
        body = page.content[start:]
        request.send_response(status)
        request.send_header("Content-Type", page.kind)
        if page.length:
            request.send_header("Content-Length", str(len(body)))
        if status == 206:
            last, total = len(page.content) - 1, len(page.content)
            request.send_header("Content-Range", f"bytes {start}-{last}/{total}")
        request.end_headers()
        body = body[: page.cut_after]
        for position in range(0, len(body), page.block):
            time.sleep(page.pause)
            try:
                request.wfile.write(body[position : position + page.block])
            except OSError:  # the other side has gone
                return


@pytest.fixture
def server():
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture(autouse=True)
def data_folder(tmp_path_factory, monkeypatch) -> Path:
    """An empty data folder of the test's own; nothing in the environment steers elsewhere."""
    for name in ("CNN_COURSE_MIRRORS", "CNN_COURSE_OFFLINE", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    folder = tmp_path_factory.mktemp("data folder")
    monkeypatch.setenv("CNN_COURSE_DATA", str(folder))
    monkeypatch.setattr(sets, "_failed", {})
    return folder


@pytest.fixture(scope="session")
def real_mnist(tmp_path_factory) -> Path:
    """A data folder with the real MNIST, unpacked from `shared/data` beside the repository."""
    packed = Path(__file__).resolve().parents[3] / "shared" / "data" / "mnist.tar.xz"
    if not packed.exists():
        pytest.skip("the real MNIST (shared/data/mnist.tar.xz beside the repository) is not on this machine")
    folder = tmp_path_factory.mktemp("real")
    with tarfile.open(packed) as tar:
        tar.extractall(folder, filter="data")
    return folder
