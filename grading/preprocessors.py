"""The links that the course puts into nbgrader's chains: one class, one job. Which goes where: nbgrader_config.py."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from nbgrader import utils as nbgrader_utils
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests, Execute, NbGraderPreprocessor

from grading.course import addresses
from grading.kernels import WarmKernelManager
from grading.needed import needed

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


class ExecuteNeeded(Execute):
    """Autograding: run the cells that the grade depends on (`grading.needed`) in a warm kernel (`grading.kernels`)."""

    def __init__(self, **settings):
        settings.setdefault("kernel_manager_class", WarmKernelManager)
        super().__init__(**settings)

    def preprocess(self, nb, resources, km=None):
        self.wanted = needed(nb.cells, self.released(resources["nbgrader"]))
        return super().preprocess(nb, resources, km)

    def preprocess_cell(self, cell, resources, index):
        if not self.wanted[index]:
            return cell, resources
        return super().preprocess_cell(cell, resources, index)

    def released(self, which: dict) -> set[str]:
        """The sources of the code cells that were released; empty if the release cannot be found."""
        course = CourseDirectory(parent=self)
        folder = course.format_path(course.release_directory, ".", which["assignment"])
        path = Path(folder) / f"{which['notebook']}.ipynb"
        if not path.is_file():
            self.log.warning("There is no release of %s: every cell that is not graded is left out.", path.stem)
            return set()
        return {cell.source.strip() for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"}


class Verdicts(NbGraderPreprocessor):
    """Autograding: a warning costs nothing, and silence is no success.

    nbgrader takes anything on stderr for a failure, and a check that says nothing at all for a full success. Here what
    stands on stderr is dropped from the graded checks, and a check that ends without a number fails visibly.
    """

    def preprocess_cell(self, cell, resources, index):
        if cell.cell_type != "code" or not nbgrader_utils.is_grade(cell) or nbgrader_utils.is_solution(cell):
            return cell, resources
        cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
        if not any(output.output_type in ("execute_result", "error") for output in cell.outputs):
            sentence = "The check ended without a verdict, so there are no points for it yet. Look at this cell."
            error = nbformat.v4.new_output("error", ename="NoVerdict", evalue=sentence, traceback=[sentence])
            cell.outputs.append(error)
        return cell, resources


class HideHidden(ClearHiddenTests):
    """Feedback: leave out the hidden tests, and the tracebacks of graded checks, which would quote them."""

    def preprocess_cell(self, cell, resources, index):
        cell, resources = super().preprocess_cell(cell, resources, index)
        if cell.cell_type == "code" and nbgrader_utils.is_grade(cell):
            for output in cell.outputs:
                if output.output_type == "error":
                    output.traceback = [f"{output.ename}: {output.evalue}"]
        return cell, resources
