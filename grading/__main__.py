"""`python -m grading`: the instructor's commands, from release to export."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from grading import course


def main(arguments: list[str] | None = None) -> int:
    """Run a subcommand; the exit code is 1, and a sentence says why, if it could not do its work."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["publish"]:  # it reads its arguments itself
        from grading import publish

        return publish.main(arguments[1:])
    from grading.intake import Refused as BadArchive
    from grading.jail import JailUnavailable
    from grading.release import Refused

    options = parser().parse_args(arguments)
    try:
        if "chapter" in options:
            require_released(options.course, options.chapter)
        return options.run(options) or 0
    except (Refused, BadArchive, OSError, RuntimeError, ValueError, JailUnavailable) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Nothing is lost: the same command goes on from here.", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    from grading.batch import CORES
    from grading.report import PLATFORMS

    program = argparse.ArgumentParser(prog="python -m grading", description="For instructors.")
    commands = program.add_subparsers(required=True, metavar="COMMAND")

    def add(run, help: str, *, chapter: bool = False, jobs: bool = False) -> argparse.ArgumentParser:
        command = commands.add_parser(run.__name__, help=help, description=help)
        command.set_defaults(run=run)
        if chapter:
            command.add_argument("chapter", help="for example 01_convolution")
            command.add_argument(
                "--course", type=folder, default=course.ROOT, help="a course folder; default: this one"
            )
        if jobs:
            command.add_argument(
                "--jobs", type=at_least_one, default=CORES, help="how many at once; default: one per core"
            )
            command.add_argument("--no-jail", action="store_true", help="UNSAFE: run learner code with your own rights")
        return command

    command = add(release, "make notebooks/ from solutions/, and tell the gradebook")
    command.add_argument("--no-gradebook", action="store_true", help="leave the gradebook alone")
    commands.add_parser("publish", help="write the learners' repository and ZIP, without solutions and grading")
    command = add(collect, "take in a ZIP from Moodle, Canvas or Gradescope", chapter=True)
    command.add_argument("archive", type=Path)
    add(
        autograde,
        "grade what was handed in and is not graded yet; goes on where it was stopped",
        chapter=True,
        jobs=True,
    )
    command = add(regrade, "grade everything anew, after a check was corrected", chapter=True, jobs=True)
    command.add_argument("--diff", action="store_true", help="only show what would change, learner by learner")
    add(status, "every submission, and what became of it", chapter=True)
    add(feedback, "write the feedback pages", chapter=True)
    command = add(misconceptions, "what the class got wrong: a page with bars, and CSV", chapter=True)
    command.add_argument("--to", type=Path, help="a folder; default: grading/reports in the course folder")
    command = add(export, "the grades as CSV for your platform", chapter=True)
    command.add_argument("--to", choices=PLATFORMS, default="plain")
    command = add(gradebook, "the gradebook as a table")
    command.add_argument(
        "folder", nargs="?", type=folder, default=course.ROOT, help="a course folder; default: this one"
    )
    add(doctor, "try the jail on this machine, and say what is missing")
    command = add(demo, "release, grade a sample class, show the gradebook and write feedback pages")
    command.add_argument("folder", nargs="?", type=folder, default=course.ROOT / "demo", help="default: demo/")
    command.add_argument("--jobs", type=at_least_one, default=CORES, help="how many at once; default: one per core")
    return program


def folder(text: str) -> Path:
    return Path(text).resolve()


def at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of workers: 1 or more are needed")
    return int(text)


def require_released(root: Path, chapter: str) -> None:
    """Raises FileNotFoundError if learners never got this chapter."""
    known = course.chapters(root / "notebooks")
    if chapter not in known:
        released = f"Released are: {', '.join(known)}." if known else "Nothing is released there yet."
        raise FileNotFoundError(
            f"{chapter} is not released in {root}. {released} `python -m grading release` makes learners' notebooks."
        )


def release(options: argparse.Namespace) -> None:
    from grading.release import release

    warn_of_strays()
    course.settle_environment()
    touched = release(gradebook=not options.no_gradebook)
    for path in touched:
        print(f"{'written' if path.exists() else 'removed'}: {path.relative_to(course.ROOT)}")
    chapters = course.chapters(course.ROOT / "notebooks")
    print(f"{len(chapters)} chapters are released; {len(touched)} files have changed.")


def collect(options: argparse.Namespace) -> None:
    from grading.intake import unpack
    from grading.staging import handed_in, release_path, stage

    arrivals = unpack(options.archive, options.chapter, options.course / "grading" / "submitted")
    for arrival in arrivals:
        print(f"{arrival.state:10} {arrival.learner or '(whose?)'} {arrival.why}".rstrip())
    if release_path(options.course, options.chapter).exists():
        for learner in handed_in(options.course, options.chapter):  # nbgrader's own commands must find a notebook
            stage(options.course, learner, options.chapter)
    print(f"{len(arrivals)} submissions. Next: python -m grading autograde {options.chapter}")


def autograde(options: argparse.Namespace) -> None:
    grade(options, again=False)


def regrade(options: argparse.Namespace) -> None:
    if options.diff:
        show_changes(options)
    else:
        grade(options, again=True)


def grade(options: argparse.Namespace, *, again: bool) -> None:
    from tqdm import tqdm

    from grading import batch, report
    from grading.staging import handed_in

    shout(options)
    waiting = len(handed_in(options.course, options.chapter))
    with tqdm(total=waiting, unit="submission", disable=None) as bar:

        def tell(done: int, of: int, record) -> None:
            bar.update(done - bar.n)
            if record.status != "graded":
                bar.write(f"{record.learner}: {record.status}: {record.why}")

        records = batch.autograde(
            options.course, options.chapter, options.jobs, again=again, no_jail=options.no_jail, tell=tell
        )
    print(report.summary(records, options.chapter))


def show_changes(options: argparse.Namespace) -> None:
    from grading import batch

    shout(options)
    count = 0
    for before, after in batch.changes(options.course, options.chapter, options.jobs, no_jail=options.no_jail):
        count += 1
        print("\n".join(batch.explained(before, after)))
    print(f"{count} learners' results would change. Nothing was written; `regrade` without --diff does it.")


def shout(options: argparse.Namespace) -> None:
    """Make it impossible to overlook that strangers' code is about to run unconfined."""
    if options.no_jail:
        print("\n*** NO JAIL: learner code runs with your rights, beside the gradebook. ***\n", file=sys.stderr)


def status(options: argparse.Namespace) -> None:
    from grading import report

    print(report.status(options.course, options.chapter))


def feedback(options: argparse.Namespace) -> None:
    from grading.feedback import feedback

    pages = feedback(options.course, options.chapter)
    print(f"{len(pages)} pages in {options.course / 'grading' / 'feedback'}")


def misconceptions(options: argparse.Namespace) -> None:
    from grading import report

    folder = options.to or options.course / "grading" / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    table = report.misconceptions(options.course, options.chapter)
    page, data = (folder / f"misconceptions_{options.chapter}.{kind}" for kind in ("html", "csv"))
    page.write_text(report.misconceptions_page(table, options.chapter), encoding="utf-8")
    data.write_text(report.misconceptions_csv(table), encoding="utf-8")
    print(f"{page}\n{data}")


def export(options: argparse.Namespace) -> None:
    from grading import report

    print(report.export(options.course, options.chapter, options.to), end="")
    open_ = [grade for grade in report.grades(options.course, options.chapter) if grade.score is None]
    for grade in open_:
        print(f"no grade yet: {grade.learner}: {grade.status}{f': {grade.why}' if grade.why else ''}", file=sys.stderr)


def gradebook(options: argparse.Namespace) -> None:
    from grading.gradebook import table

    warn_of_strays()
    print(table(options.folder))


def doctor(options: argparse.Namespace) -> int:
    from grading.jail import doctor

    return doctor.main()


def demo(options: argparse.Namespace) -> None:
    from grading.demo import demo

    demo(options.folder, options.jobs)


def warn_of_strays() -> None:
    """Make it visible if nbgrader was started in a wrong folder, where it begins an empty gradebook without a word."""
    for path in course.strays():
        print(
            f"Note: {path} is not the course's gradebook. nbgrader makes such a file when it is started in a folder "
            f"other than {course.ROOT}. Delete it if nothing in it is wanted.",
            file=sys.stderr,
        )


if __name__ == "__main__":
    sys.exit(main())
