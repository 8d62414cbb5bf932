"""Gates: one worry per file, each check a pure function on frames.

A gate never changes what it judges, and what it does not find is a failure.
"""
