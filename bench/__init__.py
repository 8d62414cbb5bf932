"""Benchmarks: each file prints one JSON line per figure. Nothing is asserted."""
