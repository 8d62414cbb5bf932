"""Checks of candidates before they are published; a gate never changes one."""
