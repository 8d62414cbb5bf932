"""From lines as they were written to rows that can be trusted. Nothing is guessed."""
