"""nbgrader's settings for this course. Its commands and formgrader read them through ../nbgrader_config.py."""

from pathlib import Path

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader import preprocessors as stock

from grading import judged
from grading import preprocessors as ours
from grading.course import LEFT_BY_WORK, settle

c = get_config()  # noqa: F821

# Where things lie. The root is named, so that nbgrader means this course from whatever folder it reads this file.
settle(c, Path(__file__).resolve().parents[1])
c.CourseDirectory.course_id = "cnn-course"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "notebooks"
c.CourseDirectory.source_with_tests_directory = "grading/source_with_tests"
c.CourseDirectory.submitted_directory = "grading/submitted"
c.CourseDirectory.autograded_directory = "grading/autograded"
c.CourseDirectory.feedback_directory = "grading/feedback"
c.CourseDirectory.solution_directory = "grading/solution"
# What the assignment leaves beside its notebook when somebody works through it in place is released to nobody.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", *LEFT_BY_WORK]

# solutions/ -> notebooks/: nbgrader's own chain without its headers and AUTOTEST, between three links of the course's.
c.GenerateAssignment.preprocessors = [
    ours.RefuseFaults,
    ours.FillIn,
    stock.LockCells,
    stock.ClearSolutions,
    stock.ClearOutput,
    stock.CheckCellMetadata,
    stock.ComputeChecksums,
    stock.SaveCells,
    stock.ClearHiddenTests,
    stock.ClearMarkScheme,
    stock.ComputeChecksums,
    stock.CheckCellMetadata,
    ours.Tidy,
]
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
c.ClearSolutions.text_stub = "*Write your answer here.*"

# submitted -> autograded: the submission is staged, learner code runs in the jail, and the verdict falls outside it.
# nbgrader's Execute is not in this list: in its place, nothing of a learner's runs in this process.
c.Autograde.pre_convert_hook = "grading.staging.before_autograde"
c.Autograde.post_convert_hook = "grading.judged.after_autograde"
c.Autograde.autograde_preprocessors = [
    judged.Judge,
    stock.LimitOutput,
    judged.SaveGrades,
    stock.AssignLatePenalties,
    stock.CheckCellMetadata,
]

# autograded -> feedback: without the hidden tests.
c.GenerateFeedback.preprocessors = [stock.GetGrades, ours.HideHidden, judged.ForLearners, CSSHTMLHeaderPreprocessor]

# Feedback and formgrader show what learners wrote, and run none of it.
c.HTMLExporter.filters = {"markdown2html": "grading.pages.markdown2html"}
