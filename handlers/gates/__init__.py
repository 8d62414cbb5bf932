"""Checks of candidates, before they are published. No gate changes what it judges."""
