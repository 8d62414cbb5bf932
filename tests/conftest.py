"""Loads the project before polars, and says how hypothesis searches. No fixtures here.

At a desk each run looks somewhere else; in CI the same examples are tried each time, so
that a change is judged by itself. No example has a deadline: machines are shared.
"""

import os

from hypothesis import settings

# No test asks a true source: the network is for those who run this.
os.environ["CBI_OFFLINE"] = "1"

import cbi_stream

assert cbi_stream.__doc__

settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")
