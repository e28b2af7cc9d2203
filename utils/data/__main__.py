"""Fetch MNIST and CIFAR-10 ahead of class: `make data`, or `python -m utils.data`.

An interrupted download goes on where it stopped. Exit status 1 if something is missing at the end.
"""

from __future__ import annotations

import argparse
import sys

from utils.data import cifar10_files, mnist_files, sets
from utils.data.download import DownloadError
from utils.data.files import folder


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m utils.data", description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="only say what is there; download nothing")
    options = parser.parse_args(arguments)
    print(f"Data folder: {folder()}")
    missing = []
    for files in (mnist_files, cifar10_files):
        try:
            data = files.read(folder())
            if data is None and not options.check:
                print(f"{files.NAME}: fetching …", flush=True)
                data = sets.fetch(files)
            print(data or f"{files.NAME}: not there ({files.FILES})", flush=True)
        except (DownloadError, PermissionError) as error:
            data = None
            print(f"{files.NAME}: {error}", flush=True)
        if data is None:
            missing.append(files.NAME)
    if missing:
        advice = "`make data` fetches it." if options.check else "Run this again later: it goes on where it stopped."
        print(f"Missing: {' and '.join(missing)}. Until then the notebooks use a stand-in and say so. {advice}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
