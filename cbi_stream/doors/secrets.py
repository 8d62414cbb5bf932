"""Finds a source's key by the name of its variable, and takes keys out of texts.

A key is never printed, never stored and never part of a message. Whoever asks for one
has it hidden from every log of this process.
"""

from __future__ import annotations

import html
import json
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

from cbi_stream.doors import logs
from cbi_stream.words.errors import BadRegistry, NoSecret

try:
    import keyring.errors  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # the extra `keychain` is not installed
    keyring = None  # type: ignore[assignment,unused-ignore]

SERVICE = "cbi-stream"
"""Under this name keys stand in the keychain."""
INSTEAD = "***"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def secret(name: str) -> str | None:
    """Return the key that a variable's name stands for; None where it is set nowhere.

    Looked for in the environment, in the folder of secrets, in the keychain; a blank
    value counts as none.

    Raises:
        BadRegistry: `name` is no name of a variable.
        NoSecret: there is a place for it, but it cannot be used as it is.
    """
    if not _NAME.fullmatch(name):
        msg = (
            "data_sources.yaml, fetch.secret: expected the name of a variable "
            f"like FRED_API_KEY; found {name!r}"
        )
        raise BadRegistry(msg)
    for look in (_in_environment, _in_folder, _in_keychain):
        value = (look(name) or "").strip()
        if value:
            logs.hide(value)
            return value
    return None


def folder() -> Path:
    """Return the folder whose files hold one key each."""
    said = os.environ.get("CBI_SECRETS_DIR", "").strip()
    return Path(said or "~/.config/cbi/secrets").expanduser()


def redact(text: str, known: Iterable[str]) -> str:
    """Return a text without the known values, also quoted or escaped ones."""
    for value in _longest_first(known):
        text = re.sub(_any_form(value), INSTEAD, text)
    return text


def redact_bytes(data: bytes, known: Iterable[str]) -> bytes:
    """Return bytes without the known values, also quoted or escaped ones."""
    for value in _longest_first(known):
        data = re.sub(_any_form(value).encode(), INSTEAD.encode(), data)
    return data


def _in_environment(name: str) -> str | None:
    places = (name, f"CBI_{name}")
    return next((v for p in places if (v := os.environ.get(p, "").strip())), None)


def _in_folder(name: str) -> str | None:
    path = folder() / name
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read(64 * 1024)
    except FileNotFoundError:
        return None
    except OSError as error:
        msg = f"expected a file with the key at {path}; {error.strerror}"
        raise NoSecret(msg) from None
    if mode & 0o077:
        msg = (
            f"expected that only you can read {path}; its mode is {mode:o}. "
            f"Mend: chmod 600 {path}"
        )
        raise NoSecret(msg)
    text = data.decode("utf-8-sig", errors="replace")
    if "\ufffd" in text:
        msg = f"expected one line of text in {path}; found bytes that are no text"
        raise NoSecret(msg)
    return text


def _in_keychain(name: str) -> str | None:
    if keyring is None:
        return None
    refused: str
    try:
        found: str | None = keyring.get_password(SERVICE, name)
    except keyring.errors.NoKeyringError:
        return None
    except keyring.errors.KeyringError as error:
        refused = type(error).__name__
    else:
        return found
    msg = (
        f"expected to read {name} from the keychain, service {SERVICE!r}; it answered "
        f"{refused}. Mend: unlock it, or set the variable {name}"
    )
    raise NoSecret(msg)


def _longest_first(known: Iterable[str]) -> list[str]:
    return sorted({value for value in known if value}, key=len, reverse=True)


def _any_form(value: str) -> str:
    """Return a pattern for a value as it is, and as URLs, JSON and pages write it.

    A letter or digit stands for itself in all of them, so that the pattern of most
    keys is a plain word, which is found fast.
    """
    return "".join(map(_any_form_of, value))


def _any_form_of(sign: str) -> str:
    if sign.isascii() and (sign.isalnum() or sign in "-_.~"):
        return re.escape(sign)
    units = sign.encode("utf-16-be")
    pairs = [units[i : i + 2].hex() for i in range(0, len(units), 2)]
    forms = {
        sign,
        f"\\{sign}",
        json.dumps(sign)[1:-1],
        "".join(f"\\u{pair}" for pair in pairs),  # two beyond 16 bits
        "".join(f"%{byte:02x}" for byte in sign.encode()),
        "+" if sign == " " else sign,
        html.escape(sign),
        f"&#{ord(sign)};",
        f"&#x{ord(sign):x};",
    }
    # The longest first: `&` is the beginning of `&amp;`.
    escaped = map(re.escape, sorted(forms, key=len, reverse=True))
    return f"(?i:{'|'.join(escaped)})"
