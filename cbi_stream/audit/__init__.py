"""The forensic inventory: what stands in files that somebody else left behind.

It never writes into what it looks at, and never decides for the lake: it says what it
found, and a person acts.
"""
