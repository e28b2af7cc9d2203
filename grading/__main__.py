"""`python -m grading`: release, demo, gradebook, publish."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from grading import course


def main(arguments: list[str] | None = None) -> int:
    """Run a subcommand; the exit code is 1, and a sentence says why, if it could not do its work."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["publish"]:  # it reads its arguments itself
        from grading import publish

        return publish.main(arguments[1:])
    from grading.release import Refused

    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except (Refused, FileExistsError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    program = argparse.ArgumentParser(prog="python -m grading", description="For instructors.")
    commands = program.add_subparsers(required=True, metavar="COMMAND")
    add = commands.add_parser("release", help="make notebooks/ from solutions/, and tell the gradebook")
    add.add_argument("--no-gradebook", action="store_true", help="leave the gradebook alone")
    add.set_defaults(run=release)
    add = commands.add_parser("demo", help="release, grade a sample class, show the gradebook and write feedback pages")
    add.add_argument("folder", nargs="?", type=Path, default=course.ROOT / "demo", help="default: demo/")
    add.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at once; default: one per core")
    add.set_defaults(run=demo)
    add = commands.add_parser("gradebook", help="show the gradebook as a table")
    add.add_argument("folder", nargs="?", type=Path, default=course.ROOT, help="a course folder; default: this one")
    add.set_defaults(run=gradebook)
    commands.add_parser("publish", help="write the learners' repository, without solutions and grading")
    return program


def release(options: argparse.Namespace) -> None:
    from grading.release import release

    warn_of_strays()
    course.settle_environment()
    touched = release(gradebook=not options.no_gradebook)
    for path in touched:
        print(f"{'written' if path.exists() else 'removed'}: {path.relative_to(course.ROOT)}")
    chapters = course.chapters(course.ROOT / "notebooks")
    print(f"{len(chapters)} chapters are released; {len(touched)} files have changed.")


def demo(options: argparse.Namespace) -> None:
    from grading.demo import demo

    demo(options.folder.resolve(), options.jobs)


def gradebook(options: argparse.Namespace) -> None:
    from grading.gradebook import table

    warn_of_strays()
    print(table(options.folder.resolve()))


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
