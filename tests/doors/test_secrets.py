"""Where keys are found, which places are refused, and how keys leave a text.

No key of this machine is read: each test has places of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from html import escape
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbi_stream.doors import logs
from cbi_stream.doors.secrets import folder, redact, redact_bytes, secret
from cbi_stream.words.errors import BadRegistry, NoSecret

NAME = "EXAMPLE_API_KEY"
KEY = "c4n4ry-7f3b0d"
ROOT = Path(__file__).resolve().parents[2]
KEYCHAIN = """
from keyring import errors
def get_password(service, name):
    assert service == "cbi-stream", service
    if name == "LOCKED_KEY":
        raise errors.KeyringLocked("c4n4ry in the message")
    if name == "HELD_KEY":
        return "held-by-keychain"
    if name == "NOBODY_KEY":
        raise errors.NoKeyringError
"""
ERRORS = """
class KeyringError(Exception): pass
class KeyringLocked(KeyringError): pass
class NoKeyringError(KeyringError, RuntimeError): pass
"""


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Return an own folder of secrets; no variable of this name is set."""
    monkeypatch.setenv("CBI_SECRETS_DIR", str(tmp_path / "secrets"))
    for name in (NAME, f"CBI_{NAME}"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "secrets").mkdir()
    yield tmp_path / "secrets"
    logs._hidden.clear()


def put(place, text, mode=0o600):
    """Write a key into the folder."""
    path = place / NAME
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)


def test_places_are_looked_at_in_order(places, monkeypatch):
    """The variable speaks first, then the one of this project, then the folder."""
    assert secret(NAME) is None
    put(places, f"{KEY}-file\n")
    assert secret(NAME) == f"{KEY}-file"
    monkeypatch.setenv(f"CBI_{NAME}", f"{KEY}-ours")
    assert secret(NAME) == f"{KEY}-ours"
    monkeypatch.setenv(NAME, f" {KEY}-theirs ")
    assert secret(NAME) == f"{KEY}-theirs"


def test_a_blank_value_is_none(places, monkeypatch):
    """Blank variables and files do not hide what stands behind them."""
    monkeypatch.setenv(NAME, " ")
    monkeypatch.setenv(f"CBI_{NAME}", "")
    assert secret(NAME) is None
    put(places, "\ufeff\n \n")
    assert secret(NAME) is None
    put(places, f"\ufeff{KEY}\r\n")
    assert secret(NAME) == KEY


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o601])
def test_a_file_that_others_can_read_is_refused(places, mode):
    """The message names the file and the mend, and never the key."""
    put(places, KEY, mode)
    with pytest.raises(NoSecret) as caught:
        secret(NAME)
    assert f"chmod 600 {places / NAME}" in str(caught.value)
    assert KEY not in repr(caught.value)


def test_a_file_that_is_no_text_is_refused(places):
    """Bytes that are no text, and a folder in a file's place, are named."""
    put(places, b"\xff\xfe\x00" + KEY.encode())
    with pytest.raises(NoSecret, match="no text") as caught:
        secret(NAME)
    assert KEY not in repr(caught.value)
    (places / NAME).unlink()
    (places / NAME).mkdir()
    with pytest.raises(NoSecret, match="Is a directory"):
        secret(NAME)


@pytest.mark.parametrize("name", ["../x", "a/b", "", "A B", "1A", "A\n"])
def test_a_name_is_no_path(name):
    """What is no variable's name is a fault of the registry."""
    with pytest.raises(BadRegistry, match=r"fetch\.secret"):
        secret(name)


def test_the_folder_has_a_place_without_a_word(monkeypatch):
    """It lies in the person's own configuration."""
    monkeypatch.setenv("CBI_SECRETS_DIR", " ")
    assert folder() == Path.home() / ".config" / "cbi" / "secrets"


def test_what_was_asked_for_is_in_no_log(tmp_path, monkeypatch):
    """A key that somebody asked for is hidden from every log, wherever it stands."""
    (tmp_path / "lake.json").write_text("{}")
    log = logs.open_log(tmp_path, to_stderr=False, strict=True)
    monkeypatch.setenv(NAME, KEY)
    log.info("line.written", text=f"before {KEY}")
    secret(NAME)
    log.info("line.written", text=f"after {KEY}", error=ValueError(quote(KEY)))
    before, after = (tmp_path / "logs" / "cbi.log").read_text().splitlines()
    assert KEY in before
    assert KEY not in after


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("HELD_KEY", "'held-by-keychain'"),
        ("ABSENT_KEY", "None"),
        ("NOBODY_KEY", "None"),
        (
            "LOCKED_KEY",
            "KeyringLocked. Mend: unlock it, or set the variable LOCKED_KEY",
        ),
    ],
)
def test_the_keychain_is_the_last_place(tmp_path, name, said):
    """With the extra installed the keychain is asked; none at all is no error."""
    package = tmp_path / "keyring"
    package.mkdir()
    (package / "__init__.py").write_text(KEYCHAIN)
    (package / "errors.py").write_text(ERRORS)
    code = (
        "from cbi_stream.doors.secrets import secret\n"
        "from cbi_stream.words.errors import NoSecret\n"
        f"try: print(repr(secret({name!r})))\n"
        "except NoSecret as error: print(error)"
    )
    paths = {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-c", code]
    env = {**os.environ, **paths}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith(said)
    assert "c4n4ry" not in done.stdout


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=8)


def written(key):
    """Return a key as URLs, JSON and pages write it."""
    plain, quoted = json.dumps(key)[1:-1], quote(key, safe="")
    return {
        key,
        quote(key),
        quoted,
        quoted.lower() if key == key.lower() else quoted,
        quote_plus(key),
        plain,
        json.dumps(key, ensure_ascii=False)[1:-1],
        plain.replace("/", "\\/"),
        escape(key),
    }


@given(TEXT)
def test_a_key_leaves_a_text_in_any_form(key):
    """As it is, in an address, in JSON, in a page; in text and in bytes."""
    for form in written(key):
        text = f"at {form} end"
        assert redact(text, [key]) == "at *** end", form
        assert redact_bytes(text.encode(), [key]) == b"at *** end", form


def test_the_longest_key_goes_first():
    """A key that begins like another one leaves no rest; no key changes nothing."""
    assert redact("abcdefgh-1 abcdefgh", ["abcdefgh", "abcdefgh-1"]) == "*** ***"
    assert redact("a.c abc", ["a.c"]) == "*** abc"
    assert redact("abc", ["", "x"]) == "abc"
