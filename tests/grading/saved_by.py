"""What programs make of a notebook when they save it: the same work in other JSON.

    SAVED_BY["colab"](nb) -> bytes of the file

Each imitates the harshest habits known of its program: whatever it was ever seen to drop is dropped. The notebook that
is handed over is left as it is.
"""

from __future__ import annotations

import copy
import json
import random
import warnings

import nbformat

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def jupyterlab(nb) -> bytes:
    """JupyterLab 4: everything is kept; outputs, counters and the kernel's details are added."""
    nb = run(nb)
    nb.metadata.language_info = {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
        "version": "3.12.4",
    }
    return dumped(nb, indent=1)


def classic(nb) -> bytes:
    """The classic Notebook: format 4.4, so no ids; toggles and scroll states in the metadata."""
    nb = run(nb)
    nb.nbformat_minor = 4
    nb.metadata["toc"] = {"base_numbering": 1, "nav_menu": {}, "toc_cell": False}
    for cell in nb.cells:
        cell.pop("id", None)
        if cell.cell_type == "code":
            cell.metadata["collapsed"] = False
            cell.metadata["scrolled"] = True
    return dumped(nb, indent=1)


def vscode(nb) -> bytes:
    """VS Code: cell metadata gone but for its own, other ids, an older minor format, Windows line ends."""
    nb = run(nb)
    nb.nbformat_minor = 2
    nb.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}, "orig_nbformat": 4})
    for number, cell in enumerate(nb.cells):
        cell.metadata = nbformat.from_dict({"vscode": {"languageId": "python"}} if cell.cell_type == "code" else {})
        cell.id = f"W{number}sZmlsZQ=="
        cell.source = cell.source.replace("\n", "\r\n")
    return dumped(nb, indent=1).replace(b"\n", b"\r\n")


def colab(nb) -> bytes:
    """Colab: format 4.0; nbgrader's metadata and the ids gone, its own ids in the metadata, in two spaces."""
    nb = run(nb)
    chance = random.Random(0)
    nb.nbformat_minor = 0
    nb.metadata = nbformat.from_dict(
        {
            "colab": {"provenance": [], "toc_visible": True},
            "kernelspec": {"name": "python3", "display_name": "Python 3"},
            "language_info": {"name": "python"},
            "accelerator": "GPU",
        }
    )
    for cell in nb.cells:
        cell.pop("id", None)
        cell.metadata = nbformat.from_dict({"id": "".join(chance.choices("abcdefghijkLMNOP0123456789_-", k=12))})
        if cell.cell_type == "code":
            cell.metadata["colab"] = {"base_uri": "https://localhost:8080/"}
            cell.metadata["outputId"] = "0a1b2c3d-0000-4000-8000-000000000000"
    return dumped(nb, indent=2).rstrip(b"\n")


def format3(nb) -> bytes:
    """“Download as” format 3, with nbformat's own conversion: worksheets, inputs, headings; ids gone, marks kept."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nbformat.writes(nbformat.convert(run(nb), 3), version=nbformat.NO_CONVERT).encode()


def plain(nb) -> bytes:
    """As nbformat writes it, nothing run."""
    return nbformat.writes(nb).encode()


def run(nb):
    """A copy with the traces of a run: counters, text, warnings, an error, a picture."""
    nb, count = copy.deepcopy(nb), 0
    for cell in nb.cells:
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        kinds = (
            {"output_type": "execute_result", "execution_count": count, "data": {"text/plain": "tensor([1.])"}},
            {"output_type": "stream", "name": "stderr", "text": "UserWarning: ein hübscher Hinweis\n"},
            {"output_type": "error", "ename": "NotImplementedError", "evalue": "", "traceback": ["…"]},
            {"output_type": "display_data", "data": {"image/png": PICTURE, "text/plain": "<Figure>"}},
        )
        cell.outputs = [nbformat.from_dict({"metadata": {}, **kinds[count % 4]})]
        if cell.outputs[0].output_type in ("stream", "error"):
            del cell.outputs[0]["metadata"]
    return nb


def dumped(nb, indent: int) -> bytes:
    """The file, with every text as a list of lines, as all these programs write it."""
    raw = json.loads(json.dumps(nb))
    for cell in raw["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
    return (json.dumps(raw, indent=indent, ensure_ascii=False, sort_keys=True) + "\n").encode()


SAVED_BY = {
    "JupyterLab": jupyterlab,
    "classic Notebook": classic,
    "VS Code": vscode,
    "Colab": colab,
    "format 3": format3,
    "as it is": plain,
}
