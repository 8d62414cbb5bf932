"""Loads the project before polars, so that polars has one thread. No fixtures here."""

import cbi_stream

assert cbi_stream.__doc__
