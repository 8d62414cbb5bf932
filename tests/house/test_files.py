"""Files: no machine's paths or hosts, a lock without addresses, a README that knows all.

Patterns are put together from parts, so that this file does not hold what it forbids.
"""

from __future__ import annotations

import re

import cbi_stream
from cbi_stream.cli.app import app

LONGEST_READING = 1500
HOSTS = ["py" + r"pi\.org", "python" + "hosted", "ana" + r"conda\.org", "jf" + "rog"]
HOSTS += ["artif" + "actory", "dev" + "pi", "index" + "-url", "py" + r"pi\."]
FOLDERS = ["home", "Users", "root", "work", "opt", "tmp", "mnt", "data" + "bricks"]
# A folder's name alone is no machine path: `.work/` and `lake/work/` are not meant.
PATHS = [rf"(?<![\w.\-/}}>]){'/'}{folder}/" for folder in FOLDERS]
BANNED = re.compile("|".join([*HOSTS, *PATHS]))
STEP = re.compile(r"^\d+\.\s+(\S+)", re.M)


def strays(path, text):
    """Return the lines that name a host of packages or a folder of one machine."""
    for number, line in enumerate(text.splitlines(), start=1):
        for match in BANNED.finditer(line):
            yield f"{path}:{number}: {match[0]!r}"


def unlocked(lock):
    """Return the requirements that are not pinned by hash, and every address."""
    logical = re.sub(r"\\\n", " ", lock)
    for line in logical.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line.startswith("-") or "://" in line or " @ " in line:
            yield f"an address or an option: {line[:60]}"
        elif "--hash=sha256:" not in line or "==" not in line:
            yield f"not pinned by hash: {line[:60]}"


def verbs(command, before=""):
    """Return every verb of the command line, with its parent's name."""
    for name in command:
        if name.startswith("-"):
            continue
        inner = list(verbs(command[name], f"{before}{name} "))
        yield from inner or [f"{before}{name}"]


def undocumented(known, text):
    """Return the verbs that a text does not show as `cbi verb`."""
    return [verb for verb in known if not re.search(rf"\bcbi {verb}\b", text)]


def reading_order(docstring):
    """Return the files that the face names, from the repository's root."""
    steps = STEP.findall(docstring)
    return [s if s.startswith("handlers/") else f"cbi_stream/{s}" for s in steps]


def test_no_host_and_no_machine_path(files):
    """The files name no package host and no folder of somebody's machine."""
    found = [stray for path, text in files.items() for stray in strays(path, text)]
    assert found == []


def test_the_lock_is_hashed_and_has_no_address(files):
    """Every requirement is pinned by hash; no address stands in the lock."""
    assert files["requirements.lock"].count("--hash") > 100
    assert list(unlocked(files["requirements.lock"])) == []


def test_the_readme_shows_every_verb(files):
    """A verb without documentation fails."""
    known = list(verbs(app))
    assert "prove" in known
    assert "quarantine reject" in known
    assert undocumented(known, files["README.md"]) == []


def test_the_reading_order_exists_and_is_short(files):
    """A stranger reads the whole idea in under 1,500 lines."""
    steps = reading_order(cbi_stream.__doc__)
    assert len(steps) > 5
    assert [step for step in steps if step not in files] == []
    assert sum(len(files[step].splitlines()) for step in steps) < LONGEST_READING


def test_a_stray_is_seen():
    """A host and a machine's path are seen; a lake's own folder is not."""
    for text in (
        "see files.python" + "hosted.org",
        "--extra-index" + "-url x",
        "open('/ho" + "me/me/lake')",
        "cd /t" + "mp/lake",
        "/Us" + "ers/me/lake",
    ):
        assert len(list(strays("x", text))) == 1, text
    for text in ("lake/.work/x", "<lake>/archive/x", "#!/usr/bin/env bash"):
        assert not list(strays("x", text)), text


def test_a_loose_requirement_is_seen():
    """No hash, no pin, an address and an option are each seen."""
    good = "polars==2.1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
    assert not list(unlocked(good + "    # via cbi-stream\n"))
    for line in ("polars==2.1.0", "polars>=2 --hash=sha256:aa", "-e .", "--pre"):
        assert len(list(unlocked(good + line))) == 1, line
    assert len(list(unlocked("x @ https" + "://e/x.whl --hash=sha256:aa"))) == 1


def test_an_undocumented_verb_is_seen():
    """A verb that the text does not show is named."""
    assert undocumented(["prove", "run"], "use `cbi run`; proven") == ["prove"]
