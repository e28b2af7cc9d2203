"""Downloads against a local server: slow, cut off, wrong, absent, without Range, several at once."""

from __future__ import annotations

import errno
import hashlib
import multiprocessing
import shutil
import socket

import pytest

from utils.data import download
from utils.data.download import DownloadError, Patience, Remote, fetch

CONTENT = bytes(range(256)) * 2000  # 512,000 bytes
HALF = len(CONTENT) // 2
QUICK = Patience(connect=2, read=2, slow_after=0.2, slow_below=200e3, stalled_below=1e3)


def remote(*urls: str, content: bytes = CONTENT, **changes) -> Remote:
    checksum = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return Remote(**{"filename": "f.bin", "urls": urls, "checksum": checksum, "size": len(content)} | changes)


def test_whole_file_arrives_and_nothing_else_stays(server, tmp_path):
    path = fetch(remote(server.put("f.bin", CONTENT)), tmp_path / "new" / "folder", QUICK)
    assert path == tmp_path / "new" / "folder" / "f.bin"
    assert path.read_bytes() == CONTENT
    assert [p.name for p in path.parent.iterdir() if not p.name.endswith(".lock")] == ["f.bin"]


def test_md5_is_understood_too(server, tmp_path):
    checksum = f"md5:{hashlib.md5(CONTENT).hexdigest()}"
    assert fetch(remote(server.put("f.bin", CONTENT), checksum=checksum), tmp_path, QUICK).exists()


def test_a_file_that_is_there_is_not_fetched_again(server, tmp_path):
    wanted = remote(server.put("f.bin", CONTENT))
    fetch(wanted, tmp_path, QUICK)
    fetch(wanted, tmp_path, QUICK)
    assert len(server.log) == 1


def test_cut_off_again_and_again_is_resumed_each_time(server, tmp_path):
    url = server.put("f.bin", CONTENT, cut_after=HALF - 1000)
    assert fetch(remote(url), tmp_path, QUICK).read_bytes() == CONTENT
    assert [asked for _, asked in server.log] == [None, f"bytes={HALF - 1000}-", f"bytes={2 * HALF - 2000}-"]


def test_part_of_an_earlier_run_is_resumed(server, tmp_path):
    (tmp_path / "f.bin.part").write_bytes(CONTENT[:HALF])
    assert fetch(remote(server.put("f.bin", CONTENT)), tmp_path, QUICK).read_bytes() == CONTENT
    assert server.log == [("f.bin", f"bytes={HALF}-")]


def test_a_whole_part_needs_no_request(server, tmp_path):
    (tmp_path / "f.bin.part").write_bytes(CONTENT)
    assert fetch(remote(server.put("f.bin", CONTENT)), tmp_path, QUICK).read_bytes() == CONTENT
    assert server.log == []


@pytest.mark.parametrize("left_over", [b"x" * HALF, CONTENT[:10] + b"wrong", b"x" * len(CONTENT), CONTENT + b"more"])
def test_a_wrong_part_is_noticed_and_fetched_anew(server, tmp_path, left_over):
    (tmp_path / "f.bin.part").write_bytes(left_over)
    assert fetch(remote(server.put("f.bin", CONTENT)), tmp_path, QUICK).read_bytes() == CONTENT
    assert server.log[-1] == ("f.bin", None)


def test_a_server_without_range_begins_anew(server, tmp_path):
    (tmp_path / "f.bin.part").write_bytes(b"x" * HALF)
    assert fetch(remote(server.put("f.bin", CONTENT, ranges=False)), tmp_path, QUICK).read_bytes() == CONTENT


def test_a_server_that_sends_another_piece_is_refused(server, tmp_path):
    (tmp_path / "f.bin.part").write_bytes(CONTENT[:HALF])
    with pytest.raises(DownloadError, match="another piece"):
        fetch(remote(server.put("f.bin", CONTENT, shift=5)), tmp_path, QUICK)
    assert (tmp_path / "f.bin.part").read_bytes() == CONTENT[:HALF]


def test_what_comes_after_the_end_is_not_kept(server, tmp_path):
    url = server.put("f.bin", CONTENT + b"more", length=False)
    assert fetch(remote(url), tmp_path, QUICK).read_bytes() == CONTENT


def test_a_server_that_sends_nothing_is_asked_once(server, tmp_path):
    with pytest.raises(DownloadError):
        fetch(remote(server.put("f.bin", CONTENT, cut_after=0)), tmp_path, QUICK)
    assert len(server.log) == 1


def test_interrupted_for_good_keeps_the_part_and_says_so(server, tmp_path):
    url = server.put("f.bin", CONTENT, cut_after=HALF, ranges=False)
    with pytest.raises(DownloadError, match=r"256,000 bytes are kept"):
        fetch(remote(url), tmp_path, QUICK)
    assert (tmp_path / "f.bin.part").read_bytes() == CONTENT[:HALF]
    assert not (tmp_path / "f.bin").exists()


def test_sources_are_asked_in_order_and_each_failure_is_named(server, tmp_path):
    wrong = bytes(len(CONTENT))
    urls = [
        server.put("gone", b"", status=404),
        server.put("broken", b"", status=503),
        server.put("wrong", wrong),
        server.put("short", CONTENT[:-1]),
        server.put("login", b"<html>Please log in</html>", kind="text/html"),
    ]
    with pytest.raises(DownloadError) as error:
        fetch(remote(*urls), tmp_path, QUICK)
    assert [name for name, _ in server.log] == ["gone", "broken", "wrong", "short", "login"]
    for words in ("answered 404", "answered 503", "other bytes", "offers 511,999 bytes", "web page"):
        assert words in str(error.value)
    assert "\n" not in error.value.short
    assert not (tmp_path / "f.bin").exists() and not (tmp_path / "f.bin.part").exists()

    assert fetch(remote(*urls, server.put("right", CONTENT)), tmp_path, QUICK).read_bytes() == CONTENT


def test_a_login_page_does_not_cost_the_part(server, tmp_path):
    (tmp_path / "f.bin.part").write_bytes(CONTENT[:HALF])
    url = server.put("login", b"<html>Please log in</html>", ranges=False, kind="text/html; charset=utf-8")
    with pytest.raises(DownloadError):
        fetch(remote(url), tmp_path, QUICK)
    assert (tmp_path / "f.bin.part").read_bytes() == CONTENT[:HALF]


def test_a_slow_source_is_left_and_the_next_goes_on_from_there(server, tmp_path):
    slow = server.put("slow", CONTENT, block=1000, pause=0.02)  # 50 kB/s
    assert fetch(remote(slow, server.put("fast", CONTENT)), tmp_path, QUICK).read_bytes() == CONTENT
    assert [name for name, _ in server.log] == ["slow", "fast"]
    assert server.log[1][1] is not None  # a Range: what the slow one sent is not fetched twice


def test_slow_sources_are_better_than_none_the_fastest_first(server, tmp_path):
    content = CONTENT[:40_000]
    slower = server.put("slower", content, block=500, pause=0.02)  # 25 kB/s
    slow = server.put("slow", content, block=1500, pause=0.02)  # 75 kB/s
    wanted = remote(slower, slow, server.put("gone", b"", status=404), content=content)
    assert fetch(wanted, tmp_path, QUICK).read_bytes() == content
    assert [name for name, _ in server.log] == ["slower", "slow", "gone", "slow"]


def test_the_only_source_may_be_slow(server, tmp_path):
    content = CONTENT[:20_000]
    url = server.put("slow", content, block=1000, pause=0.02)
    assert fetch(remote(url, content=content), tmp_path, QUICK).read_bytes() == content
    assert len(server.log) == 1


def test_silence_is_not_waited_for(server, tmp_path):
    url = server.put("mute", CONTENT, pause=1.0)
    patience = Patience(connect=2, read=0.1)
    with pytest.raises(DownloadError, match="fell silent"):
        fetch(remote(url), tmp_path, patience)


def test_without_a_network_every_host_is_asked_once_and_at_once(tmp_path, monkeypatch):
    asked = []

    def nobody(address, timeout):
        asked.append(address)
        raise socket.gaierror("no name server")

    monkeypatch.setattr(socket, "create_connection", nobody)
    with pytest.raises(DownloadError, match="is there a network") as error:
        fetch(remote("https://one.invalid/f.bin", "http://two.invalid:8080/f.bin"), tmp_path, QUICK)
    assert sorted(asked) == [("one.invalid", 443), ("two.invalid", 8080)]
    assert "https://one.invalid/f.bin: its name is not known here" in str(error.value)


def test_a_hanging_name_server_is_not_waited_for(server, tmp_path, monkeypatch):
    really = socket.create_connection

    def hang(address, timeout):
        if address[0] == "hangs.invalid":
            multiprocessing.Event().wait(20)
        return really(address, timeout=timeout)

    monkeypatch.setattr(socket, "create_connection", hang)
    patience = Patience(connect=0.3)
    with pytest.raises(DownloadError, match=r"no answer within 0\.3 s"):
        fetch(remote("http://hangs.invalid/f.bin"), tmp_path, patience)


def test_behind_a_proxy_the_proxy_is_what_must_be_reachable(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://proxy.invalid:3128")
    assert download._door("https://www.cs.toronto.edu/f") == ("proxy.invalid", 3128)
    assert download._door("http://www.cs.toronto.edu/f") == ("www.cs.toronto.edu", 80)


def test_the_instructors_mirrors_come_first(server, tmp_path, monkeypatch):
    server.put("mine/f.bin", CONTENT)
    monkeypatch.setenv("CNN_COURSE_MIRRORS", f"{server.address}/absent {server.address}/mine/")
    fetch(remote(server.put("f.bin", CONTENT)), tmp_path, QUICK)
    assert [name for name, _ in server.log] == ["absent/f.bin", "mine/f.bin"]


def test_a_mirror_that_is_no_web_address_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_COURSE_MIRRORS", "file:///etc")
    with pytest.raises(DownloadError, match=r"CNN_COURSE_MIRRORS names 'file:///etc'"):
        fetch(remote("http://127.0.0.1:9/f.bin"), tmp_path, QUICK)


def test_too_little_room_is_said_before_anything_is_fetched(server, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=3_000_000))
    with pytest.raises(DownloadError, match="needs 5 MB, 3 MB are free"):
        fetch(remote(server.put("f.bin", CONTENT), unpacked=4_500_000), tmp_path, QUICK)
    assert server.log == []


def test_a_disk_that_fills_up_is_not_blamed_on_the_server(server, tmp_path):
    class FullDisk:
        def write(self, block):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DownloadError, match="the disk took no more"):
        download._write(FullDisk(), b"block")


def test_a_folder_that_cannot_be_written_is_named(server, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DownloadError, match="CNN_COURSE_DATA"):
        fetch(remote(server.put("f.bin", CONTENT)), tmp_path / "file", QUICK)


def test_two_processes_fetch_once(server, tmp_path):
    wanted = remote(server.put("f.bin", CONTENT, block=32_000, pause=0.02))
    context = multiprocessing.get_context("fork")  # at once, without importing torch again
    processes = [context.Process(target=fetch, args=(wanted, tmp_path, Patience())) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    assert [process.exitcode for process in processes] == [0, 0]
    assert (tmp_path / "f.bin").read_bytes() == CONTENT
    assert len(server.log) == 1
