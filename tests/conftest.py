"""Every test runs offline, in fast mode, and without the settings and the data of whoever runs it."""

import atexit
import os
import shutil
import tempfile

import pytest

# Before anything imports torch, matplotlib or jupyter.
HOME = tempfile.mkdtemp(prefix="cnn-course-tests-")
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ |= {
    "CNN_COURSE_DATA": f"{HOME}/data",
    "CNN_COURSE_FAST": "1",
    "CNN_COURSE_OFFLINE": "1",
    "IPYTHONDIR": f"{HOME}/ipython",
    "JUPYTER_CONFIG_DIR": f"{HOME}/jupyter",
    "JUPYTER_DATA_DIR": f"{HOME}/jupyter-data",
    "JUPYTER_RUNTIME_DIR": f"{HOME}/jupyter-runtime",
    "MPLBACKEND": "Agg",
}


@pytest.fixture(scope="session")
def chromium():
    """The path of a Chromium. In CI there must be one."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None and os.environ.get("CI"):
        pytest.fail("no Chromium: .ci/run installs Debian's package “chromium”")
    if found is None:
        pytest.skip("no Chromium on this machine; on Debian: sudo apt install chromium")
    return found


def pytest_terminal_summary(terminalreporter):
    """How long each notebook took; printed, not asserted, for machines differ."""
    seconds = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            properties = dict(getattr(report, "user_properties", ()))
            file = properties.get("notebook") or getattr(report, "nodeid", "").partition("::")[0]
            if file.endswith(".ipynb"):
                seconds[file] = seconds.get(file, 0) + report.duration
    if seconds:
        terminalreporter.section("time of each notebook")
        for file, time in sorted(seconds.items()):
            terminalreporter.write_line(f"{time:6.1f} s  {file}")
