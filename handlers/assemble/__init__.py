"""Tables put side by side, by date. Nothing is computed here."""
