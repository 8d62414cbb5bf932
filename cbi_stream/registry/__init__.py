"""The registry: one pydantic model per file of `registry/`, and the loader.

It reads files once and hands out frozen objects. It never writes, and it never
names Python code.
"""
