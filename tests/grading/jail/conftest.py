"""Both ways into the jail, for every test that asks for `jailed`, and a look around after each."""

import os
from functools import partial

import pytest
from jailbirds import SHORT, left, open_files

from grading.jail import Warm, listening, run


@pytest.fixture(scope="session")
def warm():
    with Warm() as warm:
        yield warm


@pytest.fixture(params=["plain", "warm"])
def jailed(request, monkeypatch):
    """`run` with short limits, plain or from a warm interpreter; afterwards nobody is left inside, and no file open."""
    monkeypatch.setattr(listening, "GRACE", 1.5)
    warm = request.getfixturevalue("warm") if request.param == "warm" else None
    jails = []

    def note(inmate, *arguments):
        jails.append(os.stat(f"/proc/{inmate.pid}/ns/pid").st_ino)
        return converse(inmate, *arguments)

    converse = listening.converse
    monkeypatch.setattr(listening, "converse", note)
    before = open_files()
    yield partial(run, limits=SHORT, warm=warm)
    assert jails and not open_files() - before  # fewer are no leak: what a test before left may be collected meanwhile
    assert not left(jails)
