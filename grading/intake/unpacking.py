"""A ZIP from Moodle, Canvas or Gradescope → into/LEARNER/CHAPTER/…, holding exactly what each learner handed in.

Whatever a header claims is measured while it is inflated. What replaces nothing and is refused is lost neither: beside
`into`, in received/CHAPTER/, lie refused/LEARNER/ (the bytes, and why.txt) and older/LEARNER/1, 2, … (what a newer
submission replaced); received/learners.csv says which id stands for whom in the LMS. The ZIP is only read.
"""

from __future__ import annotations

import contextlib
import filecmp
import hashlib
import io
import re
import shutil
import stat
import struct
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from grading.intake import files
from grading.intake.learners import Learners
from grading.intake.limits import Limits, Refused, megabytes, shown
from grading.intake.lms import METADATA, RESERVED, Delivery, Person, attempt, deliveries

CHUNK = 1 << 20
READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
LOOSE = replace(Limits(), entries=1_000_000, depth=1_000)  # for folders whose contents have been counted already
UNCLEAR = "_unclear"  # no learner's id begins with an underscore


@dataclass(frozen=True)
class Arrival:
    """What one learner handed in.

    Attributes
    ----------
    learner : str
        The id, and the name of the folder; empty where it is not clear whose the files are.
    person : Person or None
        The learner as the LMS knows one.
    state : str
        "new", "unchanged", "replaced" (an older one was put aside), "older" (than what is there: itself put aside) or
        "refused".
    folder : Path
        Where the files are.
    why : str
        If it was refused: the sentence that says why.
    notes : tuple of str
    late : bool
        As the LMS says (Canvas).
    time : str
        When it was handed in, as well as the LMS tells.
    digest : str
        Of its files' names and bytes.
    """

    learner: str
    person: Person | None
    state: str
    folder: Path
    why: str = ""
    notes: tuple[str, ...] = ()
    late: bool = False
    time: str = ""
    digest: str = ""


def unpack(archive: Path, chapter: str, into: Path, limits: Limits | None = None) -> list[Arrival]:
    """Give every learner in a ZIP a folder. Doing it twice changes nothing.

    Parameters
    ----------
    archive : Path
        As Moodle, Canvas or Gradescope made it, or with a folder for each learner.
    chapter : str
        For example "02_convolution_layers".
    into : Path
        grading/submitted.

    Raises
    ------
    Refused
        If it is no ZIP that can be read at all. What is wrong with one learner's files refuses those only.
    """
    limits = limits or Limits()
    received = into.parent / "received"
    (received / chapter).mkdir(parents=True, exist_ok=True)
    into.mkdir(parents=True, exist_ok=True)
    with open(archive, "rb") as file, opened(file, shown(archive.name), limits.archive_entries) as content:
        entries = {name: infos for name, infos in by_name(content).items() if not litter(name)}
        if not entries:
            raise Refused(f"{shown(archive.name)} is empty: there is no file in it. Download it again.")
        metadata = text_of(content, entries, limits)
        theirs, unclear = deliveries(list(entries), metadata)
        learners = Learners.read(received / "learners.csv")
        desk = Desk(content, entries, chapter, into, received / chapter, Budget(limits, limits.archive))
        ids = learners.ids([delivery.person for delivery in theirs], chapter)
        arrivals = [desk.unclear(unclear)] if unclear else []
        for delivery in theirs:
            learner = ids[delivery.person]
            arrival = desk.arrive(learner, delivery, learners.standing(learner, chapter))
            arrivals.append(arrival)
            if arrival.state != "older":
                known = {"late": arrival.late, "time": arrival.time, "digest": arrival.digest}
                learners.note(learner, chapter, delivery.person, **known)
        learners.write()
    return sorted(arrivals, key=lambda arrival: arrival.learner)


def refusals(chapter: str, into: Path) -> dict[str, str]:
    """By learner, why the last thing that came for a chapter was refused; only learners of whom nothing else stands."""
    found = {path.parent.name: path for path in (into.parent / "received" / chapter / "refused").glob("*/why.txt")}
    alone = sorted(learner for learner in found if learner != UNCLEAR and not (into / learner / chapter).exists())
    return {learner: found[learner].read_text(encoding="utf-8").strip() for learner in alone}


def time_told(learner: str, chapter: str, folder: Path, into: Path) -> str | None:
    """When the platform took in what lies in `folder`, if it told a time with its zone (Gradescope); "" if it did not.

    None if the folder did not come in a ZIP. A date in a ZIP is on a clock of which nobody knows the zone: nobody's
    points are to hang on that.
    """
    time, known = Learners.read(into.parent / "received" / "learners.csv").standing(learner, chapter)
    if not known or known != fingerprint(folder):
        return None
    with contextlib.suppress(ValueError, OverflowError):
        told = datetime.fromisoformat(re.sub(r"\s+(?=[Z+-]\S*$)", "", time))
        return told.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f %Z") if told.tzinfo else ""
    return ""


# What a ZIP says about itself


def opened(file: io.IOBase, name: str, most: int) -> zipfile.ZipFile:
    """Open a ZIP unless it lists more than `most` entries: each would take a kilobyte of memory before it is seen."""
    count, before = 0, b""
    file.seek(0)
    while block := file.read(CHUNK):
        count += (before + block).count(b"PK\x01\x02")
        before = block[-3:]
    if count > most:
        raise Refused(f"{name} has more than {most:,} entries. Put only the notebook into it.")
    try:
        return zipfile.ZipFile(file)
    except Exception as error:  # on hostile bytes, zipfile raises whatever it trips over
        raise Refused(f"{name} is no ZIP, or a damaged one ({error}). Download or make it again.") from error


def by_name(content: zipfile.ZipFile) -> dict[str, list[zipfile.ZipInfo]]:
    """The files in a ZIP by their names, with "/" between folders; names that occur twice have two entries."""
    found: dict[str, list[zipfile.ZipInfo]] = {}
    for info in content.infolist():
        if not info.is_dir():
            found.setdefault(readable(info), []).append(info)
    return found


def readable(info: zipfile.ZipInfo) -> str:
    """An entry's name; some programs write UTF-8 without saying so, and some Windows programs write backslashes."""
    name = info.filename
    if not info.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return re.sub(r"^(\./)+", "", name.replace("\\", "/"))


def litter(name: str) -> bool:
    parts = name.split("/")
    return "__MACOSX" in parts or parts[-1] in {".DS_Store", "Thumbs.db", "desktop.ini"}


def text_of(content: zipfile.ZipFile, entries: dict, limits: Limits) -> str:
    """Gradescope's list of who submitted what, if there is one."""
    lists = [name for name in entries if PurePosixPath(name).name == METADATA and name.count("/") <= 1]
    if not lists:
        return ""
    name = min(lists, key=lambda name: name.count("/"))  # the outermost: a learner may hand in such a file, too
    out = io.BytesIO()
    inflate(content, entries[name][0], out, Budget(limits, limits.notebook))
    return out.getvalue().decode("utf-8", errors="replace")


def objection(name: str, info: zipfile.ZipInfo) -> str:
    """Why an entry must not be written out; empty if it may."""
    parts = name.split("/")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", name):
        return f"{shown(name)} leads out of its folder. Make the ZIP again from the notebook's own folder."
    if kind == stat.S_IFLNK:
        return f"{shown(name)} is a link to another place; {files.ITSELF}"
    if kind not in (0, stat.S_IFREG):
        return f"{shown(name)} is no ordinary file. {files.ALONE}"
    if info.flag_bits & 0x1:
        return f"{shown(name)} is encrypted, and nobody here knows the password. Make the ZIP without one."
    if info.compress_type not in READABLE:
        return f"{shown(name)} is compressed in a way that is not read here. Make an ordinary ZIP, or hand in the file."
    return ""


# Writing it out


@dataclass
class Budget:
    """How many bytes may still be inflated for a learner, and `around` that for all."""

    limits: Limits
    left: int
    around: Budget | None = None

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            what = "The files of this submission inflate" if self.around else "The whole ZIP inflates"
            raise Refused(
                f"{what} to more than is allowed ({megabytes(self.limits.learner)} for one learner). {files.ALONE}"
            )
        if self.around:
            self.around.spend(size)


def inflate(content: zipfile.ZipFile, info: zipfile.ZipInfo, out: io.IOBase, budget: Budget) -> None:
    """Write an entry's bytes to `out`, counting them.

    Raises
    ------
    Refused
        If it is damaged, or inflates to more than is allowed.
    """
    limits, size, name = budget.limits, 0, shown(readable(info))
    for block in blocks(content, info, name):
        size += len(block)
        if size > limits.ratio_from and size > limits.ratio * max(1, info.compress_size):
            raise Refused(
                f"{name} inflates from {info.compress_size:,} bytes to more than {megabytes(size)}. {files.ALONE}"
            )
        if size > limits.file:
            raise Refused(f"{name} is larger than {megabytes(limits.file)}. {files.ALONE}")
        budget.spend(len(block))
        out.write(block)


def blocks(content: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Iterator[bytes]:
    try:
        with content.open(info) as stream:
            while block := stream.read(CHUNK):
                yield block
    except Refused:
        raise
    except Exception as error:
        raise Refused(f"{name} is damaged in the ZIP ({error}). Hand it in again.") from error


def safe(name: str) -> str:
    """A path inside a learner's folder that every system can hold: the learner's own wherever possible."""
    parts = [safe_part(part) for part in name.split("/") if part not in ("", ".", "..")]
    return "/".join(parts) or "file"


def safe_part(part: str) -> str:
    part = unicodedata.normalize("NFC", part)
    part = "".join(c if c.isprintable() and c not in '<>:"|?*' else "_" for c in part).rstrip(". ") or "_"
    if part.split(".")[0].casefold() in RESERVED:
        part = f"_{part}"
    stem, dot, ending = part.rpartition(".")
    return part if len(part.encode()) <= 200 else f"{(stem or ending)[:60]}{dot}{ending[:10]}"


@dataclass
class Desk:
    """One ZIP being unpacked."""

    content: zipfile.ZipFile
    entries: dict[str, list[zipfile.ZipInfo]]
    chapter: str
    into: Path
    received: Path
    budget: Budget

    def arrive(self, learner: str, delivery: Delivery, standing: tuple[str, str]) -> Arrival:
        """Write one learner's files apart, and when that is done put them in their place with one move."""
        stamps = [info.date_time for name in delivery.files for info in self.entries[name]]
        time = delivery.time or "{:04}-{:02}-{:02} {:02}:{:02}:{:02}".format(*max(stamps))
        arrival = Arrival(learner, delivery.person, "new", self.into / learner / self.chapter, time=time)
        with self.part() as part:
            part.fill(self, delivery)
            if part.passed.is_dir():
                self.put_aside(part.passed, learner)
            arrival = replace(arrival, late=delivery.late, notes=tuple(part.notes))
            if part.why:
                arrival = replace(arrival, state="refused", why=part.why, folder=self.received / "refused" / learner)
            return self.settle(arrival, part, *standing)

    @contextlib.contextmanager
    def part(self) -> Iterator[Part]:
        limits = self.budget.limits
        with tempfile.TemporaryDirectory(prefix=".part-", dir=self.received) as temporary:
            yield Part(Path(temporary), Budget(limits, limits.learner, self.budget))

    def settle(self, arrival: Arrival, part: Part, known_time: str, known_digest: str) -> Arrival:
        """Put a submission in its place, and what it replaces aside.

        What is there may have been changed since it came (grading does so), hence the digest of how it came.
        """
        made = part.refusal(arrival.why) if arrival.why else part.folder
        new, older = fingerprint(made), self.received / "older" / arrival.learner
        arrival = replace(arrival, digest=new)
        if arrival.folder.is_dir() and new in (known_digest, fingerprint(arrival.folder)):
            return replace(arrival, state=arrival.state if arrival.why else "unchanged")
        places = [self.into / arrival.learner / self.chapter, self.received / "refused" / arrival.learner]
        standing = [place for place in places if place.is_dir()]
        seen = any(fingerprint(folder) == new for folder in older.glob("*/"))
        if standing and (arrival.time < known_time or (arrival.time == known_time and seen)):
            self.put_aside(made, arrival.learner)
            return replace(arrival, state="older", folder=older)
        for place in standing:
            self.put_aside(place, arrival.learner)
        arrival.folder.parent.mkdir(parents=True, exist_ok=True)
        made.rename(arrival.folder)
        return replace(arrival, state="replaced") if standing and not arrival.why else arrival

    def put_aside(self, folder: Path, learner: str) -> None:
        """Move a folder among the learner's older submissions, under the next number, unless its like is there."""
        older = self.received / "older" / learner
        older.mkdir(parents=True, exist_ok=True)
        numbers = [int(path.name) for path in older.iterdir() if path.name.isdigit()]
        same = fingerprint(folder)
        if any(fingerprint(path) == same for path in older.iterdir()):
            shutil.rmtree(folder)
        else:
            folder.rename(older / str(max(numbers, default=0) + 1))

    def unclear(self, names: list[str]) -> Arrival:
        """Keep the files of which nobody knows whose they are."""
        why = (
            f"It is not clear whose this is: {', '.join(map(shown, names[:5]))}. In a ZIP from Moodle, Canvas or "
            "Gradescope the name says it; otherwise put each learner's files into a folder with the learner's name."
        )
        with self.part() as part:
            part.fill(self, Delivery(Person("", "", ""), {name: name for name in names}))
            arrival = Arrival(UNCLEAR, None, "refused", self.received / "refused" / UNCLEAR, why)
            return replace(self.settle(arrival, part, "", ""), learner="")


class Part:
    """One learner's files while they are written: the folder, and what is wrong or odd about them."""

    def __init__(self, around: Path, budget: Budget):
        self.around, self.folder, self.passed = around, around / "files", around / "passed"
        self.budget = budget
        self.raw = budget.limits.file  # bytes that may be kept as they stand in the ZIP, where entries may overlap
        self.why = ""
        self.notes: list[str] = []
        self.written: dict[str, tuple[str, Path]] = {}  # by path, in one case: the name it came with, and its path
        self.folder.mkdir()

    def fill(self, desk: Desk, delivery: Delivery) -> None:
        names = self.latest(desk, delivery) if delivery.person.lms == "canvas" else delivery.files
        entries = [(name, own, info) for name, own in names.items() for info in desk.entries[name]]
        most = self.budget.limits.entries
        if len(entries) > most:
            self.why = f"The submission has more than {most} files. {files.ALONE}"
        for name, own, info in entries[:most]:
            self.add(desk.content, name, self.folder / safe(own), info)
        if not self.why and not any(path.suffix.lower() == ".ipynb" for path in files.look(self.folder, LOOSE)):
            self.open_zips()

    def refusal(self, why: str) -> Path:
        """The files and the reason, as they go into quarantine."""
        folder = self.around / "refused"
        folder.mkdir()
        (folder / "why.txt").write_text(why + "\n", encoding="utf-8")
        self.folder.rename(folder / "files")
        return folder

    def latest(self, desk: Desk, delivery: Delivery) -> dict[str, str]:
        """Without the files of which Canvas has a later attempt in the same ZIP; those are put aside."""
        last: dict[str, str] = {}
        for name, own in sorted(delivery.files.items(), key=lambda pair: attempt(pair[1])[1]):
            last[attempt(own)[0].casefold()] = name
        passed = {name: own for name, own in delivery.files.items() if name not in last.values()}
        for name, own in passed.items():
            self.passed.mkdir(exist_ok=True)
            self.add(desk.content, name, self.passed / safe(own), desk.entries[name][0])
            self.notes.append(f"Of {shown(own)} there is a later attempt in the ZIP; that one counts.")
        return {name: own for name, own in delivery.files.items() if name not in passed}

    def add(self, content: zipfile.ZipFile, name: str, path: Path, info: zipfile.ZipInfo, keep: bool = True) -> None:
        """Write one entry; if it is refused, that is remembered, and its bytes are kept as they stand in the ZIP.

        Without `keep` they are not, because that ZIP lies in the learner's folder itself.
        """
        try:
            if why := objection(name, info):
                raise Refused(why)
            with tempfile.NamedTemporaryFile(dir=self.around, delete=False) as out:
                inflate(content, info, out, self.budget)
            self.place(Path(out.name), path, name)
        except Refused as refused:
            self.why = self.why or str(refused)
            if keep:
                raw = self.folder / f"{path.name}.{info.header_offset}.as-in-zip"
                self.raw -= raw.write_bytes(compressed(content.fp, info, self.raw))

    def place(self, written: Path, path: Path, name: str) -> None:
        """Move a file to its path; if another one is there, it must have the same bytes or at least another name."""
        written.chmod(0o644)
        earlier, there = self.written.setdefault(str(path).casefold(), (name, path))
        if there is not path:
            if filecmp.cmp(written, there, shallow=False):
                return
            path = path.with_name(f"{path.stem} (2){path.suffix}")
            if earlier == name or path.exists():
                raise Refused(f"There are different files called {shown(name)}. Hand in one of them only.")
            self.notes.append(f"{shown(name)} and {shown(earlier)} differ only in letters that some systems confuse.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            written.rename(path)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise Refused(f"{shown(name)} is a file and a folder at once. Make the ZIP again.") from error

    def open_zips(self) -> None:
        """A learner's own ZIP with the notebook in it: its files go into a folder of its name; one level, no more."""
        for path in [path for path in files.look(self.folder, LOOSE) if path.suffix.lower() == ".zip"]:
            try:
                self.open_zip(self.folder / path)
            except Refused as refused:
                self.why = self.why or str(refused)

    def open_zip(self, path: Path) -> None:
        with open(path, "rb") as file, opened(file, shown(path.name), self.budget.limits.entries) as content:
            for name, infos in by_name(content).items():
                if not litter(name) and not any(part.startswith(".") and part != ".." for part in name.split("/")):
                    for info in infos:
                        self.add(content, name, path.with_suffix("") / safe(name), info, keep=False)
        self.notes.append(f"{shown(path.name)} was opened, for there was no notebook beside it.")


def compressed(file: io.IOBase, info: zipfile.ZipInfo, most: int) -> bytes:
    """An entry's bytes as they stand in the ZIP, at most `most`."""
    file.seek(max(0, info.header_offset))  # a damaged list may say anything
    header = file.read(30)
    if len(header) < 30 or not header.startswith(b"PK\x03\x04"):
        return b""
    name, extra = struct.unpack("<HH", header[26:30])
    file.seek(name + extra, io.SEEK_CUR)
    return file.read(min(info.compress_size, most))


def fingerprint(folder: Path) -> str:
    """The same for two folders that hold the same files with the same bytes."""
    made = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        made.update(f"{path.relative_to(folder).as_posix()}\n{content}\n".encode(errors="replace"))
    return made.hexdigest()
