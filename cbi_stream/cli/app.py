"""The `cbi` command: its verbs, and how errors become exit codes. It does no work.

Verbs are named by import path and imported when they run, so that `cbi --help` is
instant.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version

from cyclopts import App

from cbi_stream.words.errors import CbiError

EXIT_CODES = """Exit codes: 0 done · 1 failed · 2 wrong usage · 3 a check found
something · 4 partial (a file refused, a handler set aside) · 5 lock held ·
75 try again · 78 bad configuration."""

app = App(
    name="cbi",
    help="Soybean oil forecasting data that can prove it is right.\n\n" + EXIT_CODES,
    help_format="plaintext",
    version=lambda: version("cbi-stream"),
)

_VERBS = (
    ("init", "making:init", "Make an empty lake."),
    ("drop", "making:drop", "Hand files in; `cbi run` takes them in."),
    ("run", "making:run", "Take in what landed and bring every table up to date."),
    ("demo", "demo:demo", "Run the whole road on a simulated market, and prove it."),
    ("status", "looking:status", "Show what each table is at."),
    ("read", "looking:read", "Print or write the rows of a table."),
    ("plan", "looking:plan", "Show what a run would compute, and why."),
    ("rebuild", "proving:rebuild", "Compute every partition again from raw, in place."),
    (
        "prove",
        "proving:prove",
        "Rebuild beside the lake and compare.",
    ),
)
for _name, _where, _help in _VERBS:
    app.command(f"cbi_stream.cli.{_where}", name=_name, help=_help)

_quarantine = App(name="quarantine", help="Decide about single lines.")
_quarantine.command(
    "cbi_stream.cli.deciding:reject",
    name="reject",
    help="Keep a line out, from now on.",
)
_quarantine.command(
    "cbi_stream.cli.deciding:withdraw", name="withdraw", help="Take a rejection back."
)
app.command(_quarantine)


def main() -> None:
    """Run the command line and leave with its exit code."""
    try:
        code = app()
    except CbiError as error:
        print(f"cbi: {error}", file=sys.stderr)
        code = error.exit_code
    except KeyboardInterrupt:
        print("cbi: stopped", file=sys.stderr)
        code = 130
    sys.stdout.flush()
    # Native threads of the readers may still wind down; nothing of ours is left to do.
    sys.stderr.flush()
    os._exit(code or 0)
