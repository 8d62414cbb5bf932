"""The simulated market: files in real layouts, every one marked as simulated.

It never holds real market data, and never writes a file without the mark line.
"""
