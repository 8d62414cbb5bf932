"""The command line: one room per family of verbs.

Data goes to stdout, everything else to stderr. No verb computes anything itself.
"""
