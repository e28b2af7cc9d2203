"""What only an instructor needs: see `python -m grading --help`. Learners never get it, and utils never imports it.

course          the course folder: where chapters and gradebook lie, and nbgrader's configuration for it
faults          what is wrong with a chapter in solutions/, as sentences
release         solutions/ -> notebooks/
publish         the learners' repository, without solutions and grading
hidden          the check that stands in the HIDDEN TESTS regions: other cases, partial credit
preprocessors   the links that the course puts into nbgrader's chains when it releases and writes feedback
intake          a submitted file -> the released notebook with the learner's answers in it
staging         what was handed in is kept; what was taken from it takes its place
needed          which cells of a notebook its grade depends on
checked         which checks it is graded by
jail            where learner code runs
reading         ready-made convolutions, looked for without running anything
verdict         what came out of the jail, judged
records         what is known about each submission, on disk
judged          the verdicts in nbgrader's chain, and so in its gradebook
converters      nbgrader's own converters, one submission at a time
batch           a whole class: several workers, one writer
gradebook       the gradebook as a table
report          the class's status, its misconceptions, its grades for the learning platform
feedback        a page for each learner
sample_class    learners who were never born, and what each of them should score
demo            all of it, end to end, on the sample class
"""
