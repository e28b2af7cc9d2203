"""What only an instructor needs: see `python -m grading --help`. Learners never get it, and utils never imports it.

course          the course folder: where chapters and gradebook lie, and nbgrader's configuration for it
faults          what is wrong with a chapter in solutions/, as sentences
release         solutions/ -> notebooks/
publish         the learners' repository, without solutions and grading
hidden          the check that stands in the HIDDEN TESTS regions: other cases, partial credit
preprocessors   the links that the course puts into nbgrader's chains
needed          which cells of a notebook its grade depends on
kernels         kernels that have torch loaded when they start
autograde       nbgrader's own autograding, one submission at a time, side by side
gradebook       the gradebook as a table
sample_class    learners who were never born, and what each of them should score
demo            all of it, end to end, on the sample class
"""
