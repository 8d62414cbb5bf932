"""Imports the package before polars, which then takes its thread count from it."""

from __future__ import annotations

import cbi_stream  # noqa: F401
