"""Was everybody paged who had to be, in a year that was lived through in minutes?

`make timemachine`, or `python -m tests.timemachine --incidents 10000 --seed 1`.
"""
