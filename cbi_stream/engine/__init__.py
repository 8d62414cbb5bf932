"""The engine: plans, runs, judges, compares, commits and proves.

It knows tables, dates and versions. It has never heard of soybeans.
"""
