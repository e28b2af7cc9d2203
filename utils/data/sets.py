"""MNIST and CIFAR-10: from the data folder, from the network, or a stand-in that is announced as one."""

from __future__ import annotations

import os
from types import ModuleType

from utils.data import cifar10_files, mnist_files
from utils.data.download import DownloadError
from utils.data.files import folder, tell
from utils.data.image_data import ImageData


class DataNotFound(RuntimeError):
    """The real data set was asked for and is neither in the data folder nor to be had; the message says what to do."""


# Why a download failed in this process: "auto" does not try again on every call.
_failed: dict[str, str] = {}


def mnist(source: str = "auto") -> ImageData:
    """MNIST: 60,000 training and 10,000 test pictures of handwritten digits, 1×28×28.

    Parameters
    ----------
    source : "auto": the real set if it can be had, otherwise the stand-in, and a visible sentence says so.
        "mnist": the real set or DataNotFound. "standin": scikit-learn's digits enlarged, without any network.

    Source: LeCun, Cortes, Burges, http://yann.lecun.com/exdb/mnist/
    """
    return _load(mnist_files, "mnist", source)


def cifar10(source: str = "auto") -> ImageData:
    """CIFAR-10: 50,000 training and 10,000 test photographs of ten classes, 3×32×32.

    Parameters
    ----------
    source : "auto": the real set if it can be had, otherwise the stand-in, and a visible sentence says so.
        "cifar10": the real set or DataNotFound. "standin": `shapes10`, drawn here, without any network.

    The pictures are in random order: those of a copy in class order are shuffled, always in the same way.

    Source: Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009
    """
    return _load(cifar10_files, "cifar10", source)


def _load(files: ModuleType, key: str, source: str) -> ImageData:
    if source not in ("auto", key, "standin"):
        raise ValueError(f'source is "auto", "{key}" or "standin"; you gave {source!r}.')
    if source == "standin":
        return files.standin()
    data = files.read(folder())
    if data is None:
        try:
            data = fetch(files, try_again=source == key)
        except DownloadError as error:
            if source == key:
                raise DataNotFound(_refusal(files, key, error)) from None
            standin = files.standin()
            tell(_announcement(files, standin, error))
            return standin
    return data


def fetch(files: ModuleType, try_again: bool = True) -> ImageData:
    """Download a data set into the data folder and read it; DownloadError if that is not possible."""
    if os.environ.get("CNN_COURSE_OFFLINE", "0").strip() not in ("", "0"):
        raise DownloadError("CNN_COURSE_OFFLINE forbids downloads")
    if files.NAME in _failed and not try_again:
        raise DownloadError(_failed[files.NAME])
    try:
        files.download(folder())
        data = files.read(folder())
        if data is None:
            raise DownloadError(f"what was downloaded could not be read in {folder()}")
    except DownloadError as error:
        _failed[files.NAME] = error.short
        raise
    return data


def _announcement(files: ModuleType, standin: ImageData, error: DownloadError) -> str:
    return (
        f"{files.NAME} is not on this computer and could not be fetched ({error.short}), so you are working with a "
        f"stand-in: {standin.name.split(' (')[0]}, {standin.origin}. Everything runs, but the numbers are not "
        f"{files.NAME}'s. For the real pictures, run `make data` (or `python -m utils.data`) when there is a network."
    )


def _refusal(files: ModuleType, key: str, error: DownloadError) -> str:
    return (
        f"{files.NAME} is not in {folder()} and could not be fetched: {error}\n"
        f'You asked for the real pictures (source="{key}"), so the stand-in is not used. What helps, one of:\n'
        f"  - run `make data` (or `python -m utils.data`) when there is a network; it goes on where it stopped\n"
        f"  - put {files.FILES} into {folder()}\n"
        f"  - set CNN_COURSE_DATA to a folder that has them\n"
        f'  - use source="standin" to work with drawn or built-in pictures instead'
    )
