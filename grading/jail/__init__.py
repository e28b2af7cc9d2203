"""The jail: a stranger's notebook runs where it can see nothing, reach nobody and use up little.

    from grading.jail import Asked, Limits, Warm, run

    heard = run([("exercise-conv2d", source)], [Asked("test-conv2d", "conv2d", "Conv2D", cases)], Limits())
    heard.status, heard.why            # "finished", or what stopped it, as a sentence
    heard.answers["test-conv2d"]       # a list of Outcome, or the sentence why there is none

    with Warm() as warm:               # the same, many times, without importing torch each time
        heard = run(cells, asked, limits, warm=warm)

limits      what one submission may use up
launcher    builds the walls with bubblewrap and starts the program inside
warm        the quick way: fork an interpreter that has torch loaded already
listening   what comes out, read as a stranger's words
doctor      tries all of it on this machine: `python -m grading doctor`
inside      the program that runs in the jail; walls: what it can only do to itself. Both import nothing else of grading

What learner code can do: compute, within the limits, and say what it likes. It runs in the same process as the program
that reports its answers, so everything it is told to have answered may be its own invention. That is no gain: neither
the right answers nor any means to find the wrong ones are in there. What it must not do (see another file, another
submission, another process, the network; stay; slow down those who come after) is what the tests in
tests/grading/jail try.
"""

from grading.jail.launcher import JailUnavailable
from grading.jail.limits import Limits
from grading.jail.listening import Asked, Heard, Ran, run
from grading.jail.warm import Warm

__all__ = ["Asked", "Heard", "JailUnavailable", "Limits", "Ran", "Warm", "run"]
