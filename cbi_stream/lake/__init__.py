"""The lake: tables on disk, durable commits, archived bytes, decisions.

It knows tables, partitions and versions. It never computes a value.
"""
