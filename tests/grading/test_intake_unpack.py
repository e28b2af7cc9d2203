"""Unpacking a class from a learning management system: every learner's bytes, nobody else's, and no way out."""

import csv
import io
import os
import random
import stat
import struct
import unicodedata
import zipfile

import pytest
from saved_by import SAVED_BY
from test_intake import CHAPTER, WORK, released, snapshot, worked

from grading.intake import Limits, Refused, refusals, take, time_told, unpack
from grading.intake.lms import Person, slug, submitters

NOTEBOOK = SAVED_BY["JupyterLab"](worked())
BETTER = SAVED_BY["Colab"](worked())
MOODLE = "Ana Silva_1234567_assignsubmission_file_"
YAML = """\
---
submission_123456:
  :submitters:
  - :name: Ana Silva
    :sid: '30123'
    :email: ana@uni.example
  - :name: Bo Li
    :sid:
    :email: bo.li@uni.example
  :created_at: 2026-03-01 10:00:00.000000000 Z
  :score: 3.0
submission_123457:
  :submitters:
  - :name: "J\\u00f6rg O'Brien"
    :sid: '30125'
    :email: joerg@uni.example
  :created_at: 2026-03-02 10:00:00.000000000 Z
"""


@pytest.fixture
def into(tmp_path):
    return tmp_path / "grading" / "submitted"


@pytest.fixture
def zipped(tmp_path):
    """Make a ZIP from (name, bytes) pairs, or from (ZipInfo, bytes)."""

    def make(*entries, name="class.zip", when=(2026, 3, 1, 12, 0, 0), method=zipfile.ZIP_DEFLATED):
        path = tmp_path / "downloads" / name
        path.parent.mkdir(exist_ok=True)
        with zipfile.ZipFile(path, "w", method) as content:
            for entry, data in entries:
                if isinstance(entry, str):
                    entry = zipfile.ZipInfo(entry, when)
                    entry.compress_type = method
                content.writestr(entry, data)
        return path

    return make


def by_learner(arrivals):
    return {arrival.learner: arrival for arrival in arrivals}


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def table(into):
    with open(into.parent / "received" / "learners.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def one(path, into, **limits):
    """The one arrival from a ZIP."""
    (arrival,) = unpack(path, CHAPTER, into, Limits(**limits))
    return arrival


# The systems


def test_moodle_in_folders(into, zipped):
    arrivals = unpack(
        zipped(
            (f"{MOODLE}/{CHAPTER}.ipynb", NOTEBOOK),
            ("Jörg Müller_1234568_assignsubmission_file_/my work.ipynb", BETTER),
            ("Jörg Müller_1234568_assignsubmission_onlinetext_/onlinetext.html", b"<p>Hi</p>"),
        ),
        CHAPTER,
        into,
    )
    assert [arrival.learner for arrival in arrivals] == ["ana-silva", "jorg-muller"]
    assert files(into) == {
        f"ana-silva/{CHAPTER}/{CHAPTER}.ipynb": NOTEBOOK,
        f"jorg-muller/{CHAPTER}/my work.ipynb": BETTER,
        f"jorg-muller/{CHAPTER}/onlinetext.html": b"<p>Hi</p>",
    }
    assert take(arrivals[1].folder, released(), CHAPTER).answers == WORK


def test_moodle_without_folders(into, zipped):
    arrival = one(zipped((f"{MOODLE}{CHAPTER}.ipynb", NOTEBOOK)), into)
    assert arrival.person == Person("moodle", "1234567", "Ana Silva")
    assert files(arrival.folder) == {f"{CHAPTER}.ipynb": NOTEBOOK}


def test_moodle_with_names_hidden(into, zipped):
    assert one(zipped(("Participant_77_assignsubmission_file_/x.ipynb", NOTEBOOK)), into).learner == "participant"
    two = [(f"Participant_{n}_assignsubmission_file_/x.ipynb", NOTEBOOK) for n in (78, 79)]
    found = by_learner(unpack(zipped(*two), "98_other", into))
    assert set(found) == {"participant-78", "participant-79"}


def test_canvas(into, zipped):
    arrivals = by_learner(
        unpack(
            zipped(
                (f"silvaana_12345_67890_{CHAPTER}.ipynb", NOTEBOOK),
                (f"libo_LATE_12346_67891_{CHAPTER}-1.ipynb", BETTER),
                ("libo_LATE_12346_67892_a_b_1_2_c.txt", b"notes"),
            ),
            CHAPTER,
            into,
        )
    )
    assert set(arrivals) == {"silvaana-12345", "libo-12346"}
    assert not arrivals["silvaana-12345"].late
    assert arrivals["libo-12346"].late
    assert files(arrivals["libo-12346"].folder) == {f"{CHAPTER}-1.ipynb": BETTER, "a_b_1_2_c.txt": b"notes"}
    assert take(arrivals["libo-12346"].folder, released(), CHAPTER).answers == WORK


def test_canvas_of_several_attempts_the_last_counts_and_the_others_are_kept(into, zipped):
    arrival = one(
        zipped(
            (f"silvaana_12345_3_{CHAPTER}-2.ipynb", NOTEBOOK),
            (f"silvaana_12345_1_{CHAPTER}.ipynb", b"first"),
            (f"silvaana_12345_2_{CHAPTER}-1.ipynb", b"second"),
        ),
        into,
    )
    assert files(arrival.folder) == {f"{CHAPTER}-2.ipynb": NOTEBOOK}
    older = files(into.parent / "received" / CHAPTER / "older" / "silvaana-12345")
    assert set(older.values()) == {b"first", b"second"}
    assert any("later attempt" in note for note in arrival.notes)


TIMES = {
    "2026-03-01 10:00:00.000000000 Z": "2026-03-01 10:00:00.000000 UTC",
    "2026-03-01 10:00:00.25 -0800": "2026-03-01 18:00:00.250000 UTC",
    "2026-03-01T10:00:00+01:00": "2026-03-01 09:00:00.000000 UTC",
    "2026-03-01 10:00:00": "",  # on whose clock?
    "yesterday": "",
    "0001-01-01 00:00:00 +2359": "",
}


@pytest.mark.parametrize("said", TIMES)
def test_when_it_was_handed_in_is_what_gradescope_says(into, zipped, said):
    yaml = f"submission_1:\n  :submitters:\n  - :name: Ana Silva\n  :created_at: {said}\n".encode()
    forged = ("submission_1/timestamp.txt", b"2020-01-01 00:00:00 UTC")
    arrival = one(zipped(("submission_metadata.yml", yaml), ("submission_1/x.ipynb", NOTEBOOK), forged), into)
    assert time_told(arrival.learner, CHAPTER, arrival.folder, into) == TIMES[said]
    (arrival.folder / "x.ipynb").write_bytes(BETTER)  # came another way
    assert time_told(arrival.learner, CHAPTER, arrival.folder, into) is None


def test_the_clock_of_a_zip_does_not_tell_when_it_was_handed_in(into, zipped):
    arrival = one(
        zipped((f"{MOODLE}/x.ipynb", NOTEBOOK), (f"{MOODLE}/timestamp.txt", b"2020-01-01 00:00:00 UTC")), into
    )
    assert time_told(arrival.learner, CHAPTER, arrival.folder, into) == ""
    assert time_told("ada", CHAPTER, arrival.folder, into) is None


@pytest.mark.parametrize("around", ["", "assignment_9_export/"])
def test_gradescope_with_a_group(into, zipped, around):
    arrivals = by_learner(
        unpack(
            zipped(
                (f"{around}submission_metadata.yml", YAML.encode()),
                (f"{around}submission_123456/{CHAPTER}.ipynb", NOTEBOOK),
                (f"{around}submission_123457/{CHAPTER}.ipynb", BETTER),
                (f"{around}submission_123457/submission_metadata.yml", b"submission_123456: {}"),
            ),
            CHAPTER,
            into,
        )
    )
    assert set(arrivals) == {"ana-silva-30123", "bo-li-bo-li-uni-example", "jorg-o-brien-30125"}
    for learner in ("ana-silva-30123", "bo-li-bo-li-uni-example"):
        assert files(arrivals[learner].folder) == {f"{CHAPTER}.ipynb": NOTEBOOK}
    assert arrivals["jorg-o-brien-30125"].time.startswith("2026-03-02")
    assert arrivals["jorg-o-brien-30125"].person.email == "joerg@uni.example"


@pytest.mark.parametrize(
    "text", ["", "a: [", "- 1", "submission_1: 3", "x: &x [*x]", "{" * 5000, "a: 99999-99-99", "\0"]
)
def test_gradescope_without_usable_metadata(into, zipped, text):
    arrival = one(zipped(("submission_metadata.yml", text), (f"submission_1/{CHAPTER}.ipynb", NOTEBOOK)), into)
    assert arrival.learner == "submission-1"


def test_yaml_that_would_make_objects_makes_strings():
    text = "submission_1:\n  :submitters:\n  - :name: !!python/object/apply:os.system [touch /tmp/x]\n    :email: a@b\n"
    ((delivery,),) = submitters(text).values()
    assert delivery.person.name == "a@b"


def test_a_folder_for_each_learner(into, zipped):
    arrivals = unpack(zipped((f"ana/{CHAPTER}.ipynb", NOTEBOOK), (f"s1042/sub/{CHAPTER}.ipynb", BETTER)), CHAPTER, into)
    assert [arrival.learner for arrival in arrivals] == ["ana", "s1042"]
    assert (into / "s1042" / CHAPTER / "sub" / f"{CHAPTER}.ipynb").read_bytes() == BETTER


def test_a_file_that_is_nobodys(into, zipped):
    arrivals = by_learner(unpack(zipped((f"{CHAPTER}.ipynb", NOTEBOOK), ("ana/x.ipynb", NOTEBOOK)), CHAPTER, into))
    assert "not clear whose" in arrivals[""].why
    assert f"“{CHAPTER}.ipynb”" in arrivals[""].why
    assert NOTEBOOK in files(arrivals[""].folder).values()
    assert arrivals["ana"].state == "new"


def test_a_learner_cannot_pass_for_another_by_the_names_of_files(into, zipped):
    """What stands inside one's own folder never says whose it is."""
    for name in (f"{MOODLE}/x.ipynb", "submission_123456/x.ipynb", "silvaana_12345_67890_x.ipynb"):
        for honest in ("bob", "Bob_7_assignsubmission_file_"):
            arrivals = unpack(zipped((f"{honest}/{name}", b"x"), (f"{honest[::-1]}/x.ipynb", b"x")), CHAPTER, into)
            assert not any("ana" in arrival.learner or "123456" in arrival.learner for arrival in arrivals)


def test_system_litter_is_no_submission(into, zipped):
    arrival = one(
        zipped(("__MACOSX/ana/._x.ipynb", b"x"), ("ana/.DS_Store", b"x"), ("ana/", b""), ("ana/x.ipynb", NOTEBOOK)),
        into,
    )
    assert files(arrival.folder) == {"x.ipynb": NOTEBOOK}


# Learner ids


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("Ana Silva", "ana-silva"),
        ("  ANA   SILVA ", "ana-silva"),
        ("Jörg Müller-Weiß", "jorg-muller-weiss"),
        ("O'Brien, Seán", "o-brien-sean"),
        ("../../etc/passwd", "etc-passwd"),
        ("a+b@uni.example", "a-b-uni-example"),
    ],
)
def test_plain_ids(name, made):
    assert slug(name) == made


@pytest.mark.parametrize(
    "name", ["李明", "Łukasz Żak", "", "🎓", "con", "NUL", "com1", "x" * 300, "\ud800", "\u202e", "."]
)
def test_safe_ids(name):
    made = slug(name)
    assert made.isascii()
    assert made == made.lower()
    assert 0 < len(made) < 60
    assert all(c.isalnum() or c == "-" for c in made)
    assert made not in ("con", "nul", "com1")
    assert slug(name) == made


def test_names_that_lose_letters_stay_apart():
    assert len({slug(name) for name in ("李明", "王明", "Łukasz", "ukasz", "明", "ж", "x" * 41, "x" * 42)}) == 8
    assert slug("Jo\u0308rg") == slug("J\u00f6rg")


def test_namesakes_stay_apart_and_keep_their_ids(into, zipped):
    first = zipped((f"Ana Silva_1_assignsubmission_file_/{CHAPTER}.ipynb", NOTEBOOK), name="1.zip")
    both = zipped(
        (f"ana silva_2_assignsubmission_file_/{CHAPTER}.ipynb", BETTER),
        (f"Ana Silva_1_assignsubmission_file_/{CHAPTER}.ipynb", NOTEBOOK),
        name="2.zip",
    )
    assert one(first, into).learner == "ana-silva"
    arrivals = by_learner(unpack(both, CHAPTER, into))
    assert set(arrivals) == {"ana-silva", "ana-silva-2"}
    assert arrivals["ana-silva"].state == "unchanged"
    next_chapter = zipped(
        ("ana silva_8_assignsubmission_file_/x.ipynb", BETTER), ("Ana Silva_9_assignsubmission_file_/x.ipynb", NOTEBOOK)
    )
    assert set(by_learner(unpack(next_chapter, "98_next", into))) == {"ana-silva-8", "ana-silva-9"}


def test_the_same_learner_has_one_id_in_every_chapter(into, zipped):
    for chapter, number in (("97_small", 1), ("98_next", 55)):
        moodle = zipped((f"Ana Silva_{number}_assignsubmission_file_/x.ipynb", NOTEBOOK))
        assert [arrival.learner for arrival in unpack(moodle, chapter, into)] == ["ana-silva"]
    for chapter, name in (("97_small", "silvaana"), ("98_next", "costaana")):  # a new name, but the same number
        canvas = zipped((f"{name}_12345_{len(name)}_x.ipynb", NOTEBOOK))
        assert [arrival.learner for arrival in unpack(canvas, chapter, into)] == ["silvaana-12345"]


def test_the_table_leads_back_to_the_lms(into, zipped):
    name = 'Ana "A," Silva\u00e9'
    unpack(zipped((f"{name}_42_assignsubmission_file_/x.ipynb", NOTEBOOK)), CHAPTER, into)
    (row,) = table(into)
    assert row["name"] == name
    assert (row["learner"], row["chapter"], row["lms"], row["number"]) == ("ana-a-silvae", CHAPTER, "moodle", "42")
    assert row["time"] == "2026-03-01 12:00:00"


# Again, and newer


def test_unpacking_twice_changes_nothing(into, zipped):
    archive = zipped(
        (f"{MOODLE}/{CHAPTER}.ipynb", NOTEBOOK),
        (f"{MOODLE}/data.csv", b"1,2"),
        ("Bo Li_2_assignsubmission_file_/../../x.ipynb", b"x"),
        ("stray.ipynb", b"x"),
    )
    unpack(archive, CHAPTER, into)
    before = snapshot(into.parent)
    arrivals = by_learner(unpack(archive, CHAPTER, into))
    after = snapshot(into.parent)
    assert {key: value[2] for key, value in before.items()} == {key: value[2] for key, value in after.items()}
    assert arrivals["ana-silva"].state == "unchanged"
    assert arrivals["bo-li"].state == "refused"


def test_unpacking_again_leaves_alone_what_grading_has_made_of_it(into, zipped):
    archive = zipped((f"{MOODLE}/{CHAPTER}.ipynb", NOTEBOOK))
    path = one(archive, into).folder / f"{CHAPTER}.ipynb"
    path.write_bytes(BETTER)
    assert one(archive, into).state == "unchanged"
    assert path.read_bytes() == BETTER


def test_a_submission_that_was_deleted_comes_back(into, zipped):
    archive = zipped((f"{MOODLE}/{CHAPTER}.ipynb", NOTEBOOK))
    folder = one(archive, into).folder
    (folder / f"{CHAPTER}.ipynb").unlink()
    folder.rmdir()
    assert one(archive, into).state == "new"
    assert files(into) == {f"ana-silva/{CHAPTER}/{CHAPTER}.ipynb": NOTEBOOK}


def test_a_newer_submission_replaces_an_older_one_which_is_kept(into, zipped):
    old = zipped((f"{MOODLE}/{CHAPTER}.ipynb", NOTEBOOK), (f"{MOODLE}/notes.txt", b"x"), name="old.zip")
    new = zipped((f"{MOODLE}/{CHAPTER}.ipynb", BETTER), name="new.zip", when=(2026, 3, 2, 0, 0, 0))
    assert one(old, into).state == "new"
    assert one(new, into).state == "replaced"
    assert files(into) == {f"ana-silva/{CHAPTER}/{CHAPTER}.ipynb": BETTER}
    older = into.parent / "received" / CHAPTER / "older" / "ana-silva"
    assert files(older) == {f"1/{CHAPTER}.ipynb": NOTEBOOK, "1/notes.txt": b"x"}
    before = files(into.parent)
    assert one(old, into).state == "older"  # the old ZIP again takes nothing back
    assert one(new, into).state == "unchanged"
    assert files(into.parent) == before


def test_of_two_of_the_same_time_the_one_unpacked_later_counts(into, zipped):
    first = zipped((f"{MOODLE}/{CHAPTER}.ipynb", NOTEBOOK), name="1.zip")
    second = zipped((f"{MOODLE}/{CHAPTER}.ipynb", BETTER), name="2.zip")
    assert [one(archive, into).state for archive in (first, second, first)] == ["new", "replaced", "older"]
    assert files(into) == {f"ana-silva/{CHAPTER}/{CHAPTER}.ipynb": BETTER}


def test_an_older_zip_that_comes_late_is_put_aside(into, zipped):
    old = zipped((f"{MOODLE}/{CHAPTER}.ipynb", NOTEBOOK), name="old.zip")
    new = zipped((f"{MOODLE}/{CHAPTER}.ipynb", BETTER), name="new.zip", when=(2026, 3, 2, 0, 0, 0))
    one(new, into)
    assert one(old, into).state == "older"
    assert files(into) == {f"ana-silva/{CHAPTER}/{CHAPTER}.ipynb": BETTER}
    assert NOTEBOOK in files(into.parent / "received" / CHAPTER / "older").values()


def test_a_refused_submission_takes_the_place_of_an_older_good_one(into, zipped):
    """The older one must not be graded as if it were the learner's last; it is kept, and a good one clears it up."""
    good = zipped((f"{MOODLE}/{CHAPTER}.ipynb", NOTEBOOK), name="1.zip")
    bad = zipped((f"{MOODLE}/../{CHAPTER}.ipynb", BETTER), name="2.zip", when=(2026, 3, 2, 0, 0, 0))
    better = zipped((f"{MOODLE}/{CHAPTER}.ipynb", BETTER), name="3.zip", when=(2026, 3, 3, 0, 0, 0))
    one(good, into)
    arrival = one(bad, into)
    assert arrival.state == "refused"
    assert not (into / "ana-silva" / CHAPTER).exists()
    assert refusals(CHAPTER, into) == {"ana-silva": arrival.why}
    by_hand = into / "ana-silva" / CHAPTER
    by_hand.mkdir()
    assert refusals(CHAPTER, into) == {}  # the instructor has put something there
    by_hand.rmdir()
    one(better, into)
    assert files(into) == {f"ana-silva/{CHAPTER}/{CHAPTER}.ipynb": BETTER}
    assert refusals(CHAPTER, into) == {}
    assert NOTEBOOK in files(into.parent / "received" / CHAPTER / "older").values()


def test_nothing_else_is_touched(into, zipped, tmp_path):
    (tmp_path / "grading" / "gradebook.db").parent.mkdir()
    (tmp_path / "grading" / "gradebook.db").write_bytes(b"grades")
    archive = zipped(
        (f"{MOODLE}/{CHAPTER}.ipynb", NOTEBOOK),
        ("../out1.ipynb", b"x"),
        ("/out2.ipynb", b"x"),
        (f"{MOODLE}/../../../../out3.ipynb", b"x"),
        ("..\\..\\out4.ipynb", b"x"),
        ("C:\\out5.ipynb", b"x"),
        ("bob/..\\..\\..\\out6.ipynb", b"x"),
    )
    outside = lambda: {key: value for key, value in snapshot(tmp_path).items() if "submitted" not in key}  # noqa: E731
    before = outside()
    unpack(archive, CHAPTER, into)
    after = {key: value for key, value in outside().items() if not key.startswith("grading/received")}
    assert {**after, "grading": 0} == {**before, "grading": 0}
    assert not any("out" in path.name for path in into.rglob("*"))


# What is refused


@pytest.mark.parametrize("name", ["../x.ipynb", "a/../../x.ipynb", "..\\x.ipynb", "a\\..\\..\\x.ipynb"])
def test_paths_that_lead_outside(into, zipped, name):
    arrival = one(zipped((f"{MOODLE}/{name}", NOTEBOOK)), into)
    assert arrival.learner == "ana-silva"
    assert "leads out of its folder" in arrival.why
    kept = files(arrival.folder)
    assert kept.pop("why.txt").decode().strip() == arrival.why
    assert len(kept) == 1  # its bytes are there


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices(into, zipped, kind):
    info = zipfile.ZipInfo(f"{MOODLE}/{CHAPTER}.ipynb")
    info.create_system, info.external_attr = 3, (kind | 0o777) << 16
    arrival = one(zipped((info, "/etc/passwd")), into)
    assert ("is a link" if kind == stat.S_IFLNK else "no ordinary file") in arrival.why
    assert b"/etc/passwd" in files(arrival.folder).values()
    assert not any(path.is_symlink() for path in into.parent.rglob("*"))


def test_encrypted_entries(into, zipped):
    archive = zipped((f"{MOODLE}/{CHAPTER}.ipynb", NOTEBOOK), ("Bo_2_assignsubmission_file_/x.ipynb", NOTEBOOK))
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flag, in the list at the end
    archive.write_bytes(data)
    arrivals = by_learner(unpack(archive, CHAPTER, into))
    assert "encrypted" in arrivals["ana-silva"].why
    assert arrivals["bo"].state == "new"


def test_other_compression(into, zipped):
    arrival = one(zipped((f"{MOODLE}/{CHAPTER}.ipynb", NOTEBOOK), method=zipfile.ZIP_LZMA), into)
    assert "compressed in a way" in arrival.why


def test_a_damaged_entry_stops_no_other(into, zipped):
    archive = zipped((f"{MOODLE}/{CHAPTER}.ipynb", NOTEBOOK), ("Bo_2_assignsubmission_file_/x.ipynb", NOTEBOOK))
    data = bytearray(archive.read_bytes())
    middle = data.index(b"PK\x03\x04", 4) // 2
    data[middle : middle + 40] = bytes(40)
    archive.write_bytes(data)
    arrivals = by_learner(unpack(archive, CHAPTER, into))
    assert "damaged in the ZIP" in arrivals["ana-silva"].why
    assert files(arrivals["bo"].folder) == {"x.ipynb": NOTEBOOK}
    assert any(name.endswith(".as-in-zip") for name in files(arrivals["ana-silva"].folder))


def test_bombs_are_measured_while_they_are_inflated(into, zipped):
    zeros = bytes(70_000_000)
    archive = zipped((f"{MOODLE}/{CHAPTER}.ipynb", zeros), ("Bo_2_assignsubmission_file_/x.ipynb", NOTEBOOK))
    arrivals = by_learner(unpack(archive, CHAPTER, into))
    assert "inflates from" in arrivals["ana-silva"].why
    assert arrivals["bo"].state == "new"
    assert sum(map(len, files(into.parent).values())) < 1_000_000  # the bomb is kept as it came: small


def test_endless_output_is_no_bomb(into, zipped):
    text = b'"loss 0.1",' * 1_000_000
    archive = zipped((f"{MOODLE}/{CHAPTER}.ipynb", text))
    assert archive.stat().st_size * Limits().ratio < len(text)
    assert files(one(archive, into).folder) == {f"{CHAPTER}.ipynb": text}


def test_a_header_that_lies_about_the_size(into, zipped):
    archive = zipped((f"{MOODLE}/{CHAPTER}.ipynb", bytes(5_000)))
    data = bytearray(archive.read_bytes())
    at = data.index(b"PK\x01\x02") + 24
    assert struct.unpack("<I", data[at : at + 4]) == (5_000,)
    data[at : at + 4] = struct.pack("<I", 10)
    archive.write_bytes(data)
    assert "damaged in the ZIP" in one(archive, into).why


def test_limits_for_one_file_one_learner_and_all(into, zipped):
    archive = zipped((f"{MOODLE}/a.ipynb", bytes(3_000)), (f"{MOODLE}/b.txt", bytes(3_000)))
    assert "larger than 0.0 MB" in one(archive, into, file=2_000).why
    assert "The files of this submission inflate" in one(archive, into, learner=5_000).why
    assert "The whole ZIP inflates" in one(archive, into, archive=5_000).why
    assert "more than 1 files" in one(archive, into, entries=1).why


def test_what_is_kept_of_refused_entries_is_bounded(into, zipped):
    """Entries may overlap, so that a small ZIP could make a large quarantine."""
    archive = zipped(*[(f"{MOODLE}/{number}", bytes(900)) for number in range(20)], method=zipfile.ZIP_STORED)
    arrival = one(archive, into, learner=0, file=2_000)
    kept = [len(data) for name, data in files(arrival.folder).items() if name != "why.txt"]
    assert sum(kept) == 2_000


def test_more_entries_than_allowed(into, zipped):
    archive = zipped(*[(f"{MOODLE}/{number}", b"") for number in range(20)])
    with pytest.raises(Refused, match="more than 10 entries"):
        unpack(archive, CHAPTER, into, Limits(archive_entries=10))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_name_twice(into, zipped):
    archive = zipped((f"{MOODLE}/x.ipynb", NOTEBOOK), (f"{MOODLE}/x.ipynb", BETTER))
    arrival = one(archive, into)
    assert "different files called" in arrival.why
    assert NOTEBOOK in files(arrival.folder).values()
    assert len(files(arrival.folder)) == 3
    same = zipped((f"{MOODLE}/x.ipynb", NOTEBOOK), (f"{MOODLE}/x.ipynb", NOTEBOOK), when=(2026, 4, 1, 0, 0, 0))
    assert files(one(same, into).folder) == {"x.ipynb": NOTEBOOK}


def test_names_that_some_systems_confuse(into, zipped):
    arrival = one(zipped((f"{MOODLE}/X.ipynb", NOTEBOOK), (f"{MOODLE}/x.ipynb", BETTER)), into)
    assert files(arrival.folder) == {"X.ipynb": NOTEBOOK, "x (2).ipynb": BETTER}
    assert "differ only in letters" in arrival.notes[0]


def test_a_file_and_a_folder_of_one_name(into, zipped):
    arrival = one(zipped((f"{MOODLE}/x", b"file"), (f"{MOODLE}/x/y.ipynb", NOTEBOOK)), into)
    assert "a file and a folder at once" in arrival.why


ODD = [
    "con.ipynb",
    "NUL",
    "a:b?.ipynb",
    "tail. ",
    "\u202ecod.ipynb",
    "tab\there.ipynb",
    "x" * 250 + ".ipynb",
    "Jo\u0308rg.ipynb",
]


@pytest.mark.parametrize("name", ODD)
def test_names_that_no_system_likes(into, zipped, name):
    arrival = one(zipped((f"{MOODLE}/{name}", NOTEBOOK)), into)
    ((path, data),) = files(arrival.folder).items()
    assert data == NOTEBOOK
    assert path.isprintable()
    assert path == unicodedata.normalize("NFC", path)
    assert not set(path) & set('<>:"|?*\\')
    assert path.rstrip(". ") == path
    assert path.split(".")[0].lower() not in ("con", "nul")
    assert len(path) < 220
    assert path.endswith(".ipynb") == name.endswith(".ipynb")


def test_names_in_utf8_without_the_flag(into, zipped):
    archive = zipped(("Jorg_1_assignsubmission_file_/x.ipynb", NOTEBOOK))
    data = archive.read_bytes().replace(b"Jorg", "Jög".encode())
    archive.write_bytes(data)
    assert one(archive, into).person.name == "Jög"


def test_no_zip_at_all(into, tmp_path):
    for number, data in enumerate((b"", b"PK\x03\x04 no", b"%PDF", os.urandom(500), b"PK\x05\x06" + bytes(18) + b"PK")):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(data)
        with pytest.raises(Refused, match=f"“{number}.zip” is (no ZIP|empty)"):
            unpack(path, CHAPTER, into)


def test_damage_anywhere_raises_nothing_but_refused(into, zipped):
    """A property: whatever bytes are changed, the answer is a list of arrivals or a sentence."""
    chance = random.Random(0)
    good = zipped(
        (f"{MOODLE}/x.ipynb", b"text " * 40), ("silva_1_2_x.ipynb", b"x"), ("submission_1/x", b"y")
    ).read_bytes()
    for number in range(150):
        data = bytearray(good)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path = into.parents[1] / "damaged.zip"
        path.write_bytes(data[: chance.choice((len(data), chance.randrange(len(data))))])
        try:
            assert isinstance(unpack(path, CHAPTER, into.parent / str(number) / "submitted"), list)
        except Refused as refused:
            assert str(refused)


# A learner's own ZIP


def packed(*entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as content:
        for name, data in entries:
            content.writestr(name, data)
    return out.getvalue()


def test_a_zip_with_the_notebook_inside_is_opened(into, zipped):
    inner = packed((f"work/{CHAPTER}.ipynb", NOTEBOOK), ("work/.git/config", b"x"), ("__MACOSX/x", b"x"))
    arrival = one(zipped((f"{MOODLE}/homework.zip", inner)), into)
    assert files(arrival.folder) == {"homework.zip": inner, f"homework/work/{CHAPTER}.ipynb": NOTEBOOK}
    assert take(arrival.folder, released(), CHAPTER).answers == WORK
    assert any("was opened" in note for note in arrival.notes)


def test_a_zip_beside_the_notebook_is_left_alone(into, zipped):
    entries = {f"{CHAPTER}.ipynb": NOTEBOOK, "data.zip": packed(("x.ipynb", BETTER))}
    arrival = one(zipped(*[(f"{MOODLE}/{name}", data) for name, data in entries.items()]), into)
    assert files(arrival.folder) == entries


def test_only_one_level_is_opened(into, zipped):
    deep = packed(("deep.zip", packed(("x.ipynb", NOTEBOOK))))
    arrival = one(zipped((f"{MOODLE}/outer.zip", deep)), into)
    assert set(files(arrival.folder)) == {"outer.zip", "outer/deep.zip"}
    with pytest.raises(Refused, match=r"only “outer/deep\.zip”, “outer\.zip”"):
        take(arrival.folder, released(), CHAPTER)


@pytest.mark.parametrize(
    ("inner", "word"),
    [
        (packed(("../../../../out.ipynb", NOTEBOOK)), "leads out of its folder"),
        (packed(("/out.ipynb", NOTEBOOK)), "leads out of its folder"),
        (packed(("x.ipynb", bytes(70_000_000))), "inflates from"),
        (packed(*[(str(number), b"") for number in range(2_500)]), "more than 2,000 entries"),
        (b"PK\x03\x04 nothing", "is no ZIP"),
    ],
    ids=["traversal", "absolute", "bomb", "many", "broken"],
)
def test_a_bad_zip_of_a_learners_refuses_that_learner_and_is_kept(into, zipped, inner, word):
    outer = zipped((f"{MOODLE}/homework.zip", inner), ("Bo_2_assignsubmission_file_/x.ipynb", NOTEBOOK))
    arrivals = by_learner(unpack(outer, CHAPTER, into))
    assert word in arrivals["ana-silva"].why
    assert files(arrivals["ana-silva"].folder)["files/homework.zip"] == inner
    assert arrivals["bo"].state == "new"
    assert not list(into.parents[1].rglob("out.ipynb"))


def test_a_linked_notebook_inside_a_learners_zip(into, zipped):
    info = zipfile.ZipInfo("x.ipynb")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    arrival = one(zipped((f"{MOODLE}/homework.zip", packed((info, "/etc/passwd")))), into)
    assert "is a link" in arrival.why
    assert not any(path.is_symlink() for path in into.parent.rglob("*"))


def test_a_zip_that_holds_itself(into, zipped):
    """Unpacking stops at one level, so that even an endless ZIP ends."""
    inner = packed(("again.zip", packed(("again.zip", b"PK"))))
    assert one(zipped((f"{MOODLE}/again.zip", inner)), into).state == "new"


def test_a_class_of_300(into, zipped):
    names = [f"Learner {number:03}" for number in range(300)]
    archive = zipped(
        *[(f"{name}_{i}_assignsubmission_file_/{CHAPTER}.ipynb", NOTEBOOK) for i, name in enumerate(names)]
    )
    arrivals = unpack(archive, CHAPTER, into)
    assert [arrival.learner for arrival in arrivals] == [slug(name) for name in names]
    assert len(table(into)) == 300
