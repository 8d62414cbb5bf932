"""The shapes that authors write: decorators that return frozen records.

Nothing here runs a handler, opens a file or knows a table's content.
"""
