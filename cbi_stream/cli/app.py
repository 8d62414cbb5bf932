"""The `cbi` command: its verbs, and how errors become exit codes. It does no work.

Verbs are named by import path and imported when they run, so that `cbi --help` is
instant.
"""

from __future__ import annotations

import errno
import os
import sys
from importlib.metadata import version

from cyclopts import App

from cbi_stream.words.errors import CbiError

EXIT_CODES = """Exit codes: 0 done · 1 failed · 2 wrong usage · 3 a check found
something · 4 partial (a file refused, a handler set aside) · 5 lock held ·
75 try again · 78 bad configuration."""

_TRY_AGAIN = 75
_DISK = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EIO,
    errno.EINTR,
    errno.ENODEV,
    errno.ENXIO,
}
_DISK_MEND = (
    "the disk refused. Nothing that was acknowledged is lost: make room or mend the disk "
    "(`cbi doctor` looks at it), and run again"
)

app = App(
    name="cbi",
    help="Soybean oil forecasting data that can prove it is right.\n\n" + EXIT_CODES,
    help_format="plaintext",
    version=lambda: version("cbi-stream"),
)

_VERBS = {
    "init": (
        "making:init",
        "Make an empty lake.",
        "cbi init --lake lake",
    ),
    "drop": (
        "making:drop",
        "Hand files in; `cbi run` takes them in.",
        'cbi drop "ZL=F.csv" VIXCLS.csv',
    ),
    "ingest": (
        "taking:ingest",
        "Hand in and take in every file of a folder that a source recognises.",
        "cbi ingest fred --folder downloads",
    ),
    "run": (
        "running:run",
        "Take in what landed and bring every table up to date; stay, and go on so.",
        "cbi run --until-idle",
    ),
    "demo": (
        "demo:demo",
        "Run the whole road on a simulated market, and prove it.",
        "cbi demo --keep demo-lake",
    ),
    "replay": (
        "replaying:replay",
        "Answer on this machine as the hosts of the sources would, until Ctrl-C.",
        "cbi replay --switch query2.finance.yahoo.com=too_many:1,first=2",
    ),
    "status": (
        "looking:status",
        "Show what each table is at, and what became of every line; exit 3: lines are lost.",
        "cbi status",
    ),
    "read": (
        "reading:read",
        "Print or write the rows of a table, as the last settled run left them.\n\n"
        "--as-of TIME: with what the world could know by then, though it may have reached "
        "this lake later. --as-seen TIME: with what this lake held by then. Both together: "
        "what both allow. Of each observation only the newest version is shown. TIME is a "
        "time with its zone, or a date: then the decision time of that day.",
        "cbi read staging.fred --from 2022-03-01 --to 2022-03-31 --as-of 2022-04-01",
    ),
    "export": (
        "exporting:export",
        "Bring the training files up to date, list them, and copy them out.",
        "cbi export --to training",
    ),
    "plan": (
        "planning:plan",
        "Show what a run would compute, and why; --rules: what other rules would move.",
        "cbi plan --rules",
    ),
    "why": (
        "explaining:why",
        "Tell why the rows of a table on a date are what they are, or not there.",
        "cbi why features.panel 2020-03-16 vix",
    ),
    "logs": (
        "logging:logs",
        "Show the last lines of the log; -f: and those that come, until Ctrl-C.",
        "cbi logs -f --level warning --since 2h",
    ),
    "sources": (
        "sources:sources",
        "Show when each source is asked, what it answered, and how old its data is.",
        "cbi sources fred",
    ),
    "health": (
        "health:health",
        "Say whether the dispatcher lives and what is wrong; exit 3: something is.",
        "cbi health",
    ),
    "doctor": (
        "doctoring:doctor",
        "Say what is wrong with this machine or lake, and the mend; exit 3: a fault.",
        "cbi doctor --all",
    ),
    "audit": (
        "auditing:audit",
        "Say what stands in Parquet, CSV and Delta files; exit 3: some are to be replaced.",
        "cbi audit downloads --out audit.json",
    ),
    "retry": (
        "health:retry",
        "Try partitions again that were set aside after failing.",
        "cbi retry",
    ),
    "rebuild": (
        "proving:rebuild",
        "Compute every partition again from raw, in place.",
        "cbi rebuild",
    ),
    "prove": (
        "proving:prove",
        "Rebuild beside the lake and compare; exit 3 where different.",
        "cbi prove --deep",
    ),
}
_DECISIONS = {
    "list": (
        "triage:quarantine_list",
        "List the lines and files that were turned away, and why.",
        "cbi quarantine list --table prices --rule off_tick",
    ),
    "show": (
        "showing:quarantine_show",
        "Show one line: what it says, the rules that it broke, what stands beside it.",
        "cbi quarantine show b8fa4fe5 4711",
    ),
    "release": (
        "deciding:release",
        "Stage a line though it broke a rule, from now on.",
        'cbi quarantine release b8fa4fe5 4711 --note "true: the exchange says so"',
    ),
    "fix": (
        "deciding:fix",
        "Read a line with other cells, from now on.",
        'cbi quarantine fix b8fa4fe5 4711 --set close=47.66 --note "x100, see the exchange"',
    ),
    "reject": (
        "deciding:reject",
        "Keep a line out, from now on.",
        'cbi quarantine reject b8fa4fe5 4711 --note "fat finger, see the exchange"',
    ),
    "withdraw": (
        "deciding:withdraw",
        "Take back what was decided about a line.",
        'cbi quarantine withdraw b8fa4fe5 4711 --note "the exchange confirmed it"',
    ),
}
_FEATURES = {
    "new": (
        "authoring:feature_new",
        "Write a feature that works at once: code, registry entry, formula in plain Python.\n\n"
        "It begins as the move of one column over 20 sessions, with its tests green; change "
        "it where it stands. No lake is touched.",
        "cbi feature new crude_skew_60 --family volatility",
    ),
    "list": (
        "cataloguing:feature_list",
        "List the features; --markdown prints the page docs/features.md.",
        "cbi feature list --family macro --surface prod",
    ),
    "show": (
        "picturing:feature_show",
        "Show a feature: what it is, coverage by year, newest values, a picture (SVG).",
        "cbi feature show vix_zscore_252 --from 2020-01-01 --plot vix.svg",
    ),
}


def _register(group: App, verbs: dict[str, tuple[str, str, str]]) -> None:
    for name, (where, said, example) in verbs.items():
        text = f"{said}\n\nExample: {example}"
        group.command(f"cbi_stream.cli.{where}", name=name, help=text)


_register(app, _VERBS)
_quarantine = App(
    name="quarantine", help="What was turned away, and decisions about it."
)
_register(_quarantine, _DECISIONS)
app.command(_quarantine)
_feature = App(name="feature", help="The features: begin one, list them, look at one.")
_register(_feature, _FEATURES)
app.command(_feature)
app.command(
    "cbi_stream.cli.permitting:gates",
    name="gates",
    help="List what judges what, and what it holds back; exit 3: something is held.\n\n"
    "Example: cbi gates --table staging.prices --failed",
)


def main() -> None:
    """Run the command line and leave with its exit code."""
    try:
        code = app()
        sys.stdout.flush()
    except CbiError as error:
        print(f"cbi: {error}", file=sys.stderr)
        code = error.exit_code
    except BrokenPipeError:
        code = 0  # whoever read our output went away; that is nobody's error
    except OSError as error:
        if error.errno not in _DISK:
            raise
        print(f"cbi: {error}: {_DISK_MEND}", file=sys.stderr)
        code = _TRY_AGAIN
    except KeyboardInterrupt:
        print("cbi: stopped", file=sys.stderr)
        code = 130
    sys.stderr.flush()
    # Native threads of the readers may still wind down; nothing of ours is left to do.
    os._exit(code or 0)
