"""Open JupyterLab on the first chapter: `python -m utils.lab`, or `make lab`.

Where a browser cannot open (in a container, over ssh, without a screen) the address is printed instead.
Nothing is fetched from the network: no news, no look for updates, no list of extensions.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FIRST = "notebooks/00_start_here/00_start_here.ipynb"
CONTAINER_FILES = ("/.dockerenv", "/run/.containerenv")
CONTAINER_WORDS = ("docker", "containerd", "kubepods", "libpod", "lxc")
# labconfig/ in this folder switches off the announcements: they ask about news and look for a newer version.
SETTINGS = Path(__file__).resolve().parent


def in_container(root: Path = Path("/")) -> bool:
    """Whether this machine is a container, as far as its files tell."""
    if any((root / name.lstrip("/")).exists() for name in CONTAINER_FILES):
        return True
    cgroup = root / "proc/1/cgroup"
    return cgroup.exists() and any(word in cgroup.read_text() for word in CONTAINER_WORDS)


def without_browser(environ: dict, platform: str = sys.platform) -> bool:
    """Whether no browser can open here: over ssh, or on Linux without a screen."""
    screen = environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    return "SSH_CONNECTION" in environ or (platform.startswith("linux") and not screen)


def command(container: bool, browser: bool, superuser: bool) -> list[str]:
    """The call that starts JupyterLab.

    Parameters
    ----------
    container : bool
        Listen on every address, because the browser is on another machine; a token still guards the door.
    browser : bool
        Open one.
    superuser : bool
        Jupyter refuses to run as root unless told that it may.
    """
    # Given the notebook alone, JupyterLab would take its folder for the root, and print another address.
    place = [f"--ServerApp.root_dir={ROOT}", f"--LabApp.default_url=/lab/tree/{FIRST}"]
    call = [sys.executable, "-m", "jupyterlab", *place, "--LabApp.extension_manager=readonly"]
    return call + ["--ip=0.0.0.0"] * container + ["--no-browser"] * (not browser) + ["--allow-root"] * superuser


def environment(environ: dict) -> dict[str, str]:
    """The environment for JupyterLab: the course's settings come before the person's own."""
    paths = [str(SETTINGS), *filter(None, [environ.get("JUPYTER_CONFIG_PATH")])]
    return {**environ, "JUPYTER_CONFIG_PATH": os.pathsep.join(paths)}


def main(extra: list[str]) -> int:
    """Start JupyterLab in the course's folder and stay until it stops."""
    if not (ROOT / FIRST).exists():
        print(f"There is no {ROOT / FIRST}. Run this from a copy of the course that has its notebooks.")
        return 1
    container = in_container()
    browser = not container and not without_browser(os.environ)
    if not browser:
        print("No browser opens here: copy the address with 127.0.0.1 and its token, printed below, into your own.")
    if container:
        print("In a container, its port must be published too: docker run -p 8888:8888 …")
    elif "SSH_CONNECTION" in os.environ:
        print("Over ssh, forward the port from your own machine first: ssh -L 8888:localhost:8888 …")
    print("Ctrl+C twice stops JupyterLab.", flush=True)
    superuser = hasattr(os, "geteuid") and os.geteuid() == 0
    try:
        return subprocess.call([*command(container, browser, superuser), *extra], cwd=ROOT, env=environment(os.environ))
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
