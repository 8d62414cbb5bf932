"""The doors: everything that comes in from the outside, and how."""
