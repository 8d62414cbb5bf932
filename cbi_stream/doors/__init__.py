"""The doors: everything that comes in from the outside, and how.

Nothing comes in by another way, and no door computes a derived value.
"""
