"""The words everything else is written in: errors, clock, spans, grains, sessions.

It imports nothing of this project and never touches a file or a table.
"""
