"""cbi-stream: a forecasting data platform that can prove it is right."""

from __future__ import annotations

import os

# polars fixes its thread pool when it is first imported, and float sums differ in
# their last bits between thread counts: so this line stands before any import.
os.environ.setdefault("POLARS_MAX_THREADS", "1")
