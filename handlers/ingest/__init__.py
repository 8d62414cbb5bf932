"""Parsers: bytes of one file in, lines with cells as text out. They never round."""
