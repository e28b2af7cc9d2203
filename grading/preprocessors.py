"""The links that the course puts into nbgrader's chains: one class, one job. Which goes where: nbgrader_config.py."""

from __future__ import annotations

import re

import nbformat
from nbgrader import utils as nbgrader_utils
from nbgrader.preprocessors import ClearHiddenTests, NbGraderPreprocessor

from grading.course import addresses

PLACEHOLDER = re.compile(r"@(COLAB|BINDER|ADDRESS|TAG)@")
KEPT = ("deletable", "editable", "jupyter", "nbgrader", "tags")  # metadata of a cell that a release keeps


class FaultySource(Exception):
    """A chapter that must not be released as it stands."""


class RefuseFaults(NbGraderPreprocessor):
    """Release: refuse a chapter with something wrong in it, naming all of it."""

    def preprocess(self, nb, resources):
        from grading.faults import faults  # it asks the questions, which import torch: only a release pays for that

        found = faults(nb, resources["nbgrader"]["assignment"])
        if found:
            raise FaultySource("\n".join(found))
        return nb, resources


class FillIn(NbGraderPreprocessor):
    """Release: put the learners' addresses and the released tag in place of @COLAB@, @BINDER@, @ADDRESS@ and @TAG@."""

    def preprocess(self, nb, resources):
        known = addresses()
        for cell in nb.cells:
            cell.source = PLACEHOLDER.sub(lambda match: known[match[1]], cell.source)
        return nb, resources


class Tidy(NbGraderPreprocessor):
    """Release: drop whatever differs from machine to machine, so that releasing again changes nothing."""

    def preprocess(self, nb, resources):
        nb.metadata = nbformat.from_dict(
            {
                "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
                "language_info": {"name": "python"},
            }
        )
        nb.nbformat, nb.nbformat_minor = 4, 5
        for cell in nb.cells:
            cell.metadata = nbformat.from_dict({key: cell.metadata[key] for key in KEPT if key in cell.metadata})
        return nb, resources


class HideHidden(ClearHiddenTests):
    """Feedback: leave out the hidden tests, and the tracebacks of graded checks, which would quote them."""

    def preprocess_cell(self, cell, resources, index):
        cell, resources = super().preprocess_cell(cell, resources, index)
        if cell.cell_type == "code" and nbgrader_utils.is_grade(cell):
            for output in cell.outputs:
                if output.output_type == "error":
                    output.traceback = [f"{output.ename}: {output.evalue}"]
        return cell, resources
