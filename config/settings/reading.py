"""Reads one variable and refuses what cannot be meant: one line that names the variable, never its value.

Any variable may be given as NAME_FILE: the path of a file that holds the value, as orchestrators hand out secrets.
An empty variable counts as one that is not set.
"""

from __future__ import annotations

import base64
import ipaddress
import os
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import SplitResult, urlsplit

import environ
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

TRUE, FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
KINDS = 10  # different characters that a random value has at least


def refuse(name: str, why: str) -> NoReturn:
    """Stop here. Without the error behind it, which may quote a secret."""
    raise ImproperlyConfigured(f"{name}: {why}") from None


def demand(ok: object, name: str, why: str) -> None:
    """Go on only when it holds."""
    if not ok:
        refuse(name, why)


def looks_random(value: str | bytes, length: int) -> bool:
    """Long enough, and neither one character over and over nor a sample of Django's."""
    return len(value) >= length and len(set(value)) >= KINDS and not str(value).startswith("django-insecure-")


class Env:
    """The environment. Each method reads one variable."""

    def text(self, name: str, *, default: str = "", among: tuple[str, ...] = ()) -> str:
        """A text; one of ``among``, where there is a choice."""
        value = self._raw(name) or default
        if among and value not in among:
            refuse(name, f"must be one of {', '.join(filter(None, among))}.")
        return value

    def number(self, name: str, *, default: int, least: int = 0) -> int:
        """A whole number."""
        value = self._raw(name)
        if not value:
            return default
        if not (value.isascii() and value.isdigit() and len(value) < 19 and int(value) >= least):
            refuse(name, f"must be a whole number, {least} or more.")
        return int(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self._raw(name).lower()
        if value and value not in TRUE + FALSE:
            refuse(name, "must be true or false.")
        return value in TRUE if value else default

    def names(self, name: str) -> list[str]:
        """A list, separated by commas."""
        return [part.strip() for part in self._raw(name).split(",") if part.strip()]

    def networks(self, name: str) -> list[str]:
        """Addresses and networks."""
        found = self.names(name)
        for part in found:
            try:
                ipaddress.ip_network(part)
            except ValueError:
                refuse(name, f"{part!r} is no network such as 10.0.0.0/8 (bits behind the prefix must be zero).")
        return found

    def hosts(self, name: str) -> list[str]:
        """Host names; a dot in front stands for all below."""
        found = self.names(name)
        for part in found:
            try:
                fits = part == "*" or _is_host(part.removeprefix("."))
            except ValueError:
                fits = False
            demand(fits, name, f"{part!r} is no host name: without scheme, port and path.")
        return found

    def origins(self, name: str) -> list[str]:
        """Origins of other pages: scheme and host, nothing behind it. A star stands for all below."""
        found = self.names(name)
        for part in found:
            try:
                url = urlsplit(part)
                fits = url.scheme in ("http", "https") and url.hostname and part == f"{url.scheme}://{url.netloc}"
            except ValueError:
                fits = False
            demand(fits, name, f"{part!r} is no origin such as https://example.org.")
        return found

    def keys(self, name: str) -> list[str]:
        """Fernet keys."""
        found = self.names(name)
        for number, key in enumerate(found, 1):
            try:
                Fernet(key)
            except ValueError:
                refuse(name, f"key {number} of {len(found)} is no Fernet key: 32 bytes in URL-safe Base64.")
        return found

    def public_key(self, name: str) -> bytes:
        """A public key of Ed25519: 32 bytes in URL-safe Base64, padded or not; none where the variable is not set."""
        text = self.text(name)
        try:
            key = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except ValueError:
            key = b"?"
        demand(len(key) in (0, 32), name, "is no public key of Ed25519: 32 bytes in URL-safe Base64.")
        return key

    def sender(self, name: str, *, default: str) -> str:
        """An address of mail."""
        value = self.text(name, default=default)
        try:
            validate_email(value)
        except ValidationError:
            refuse(name, "must be a mail address, without a name around it.")
        return value

    def origin(self, name: str, *, default: str) -> str:
        """Where people find the house: scheme, host and port."""
        value = self.text(name, default=default).rstrip("/")
        url = self._url(name, value, ("http", "https"))
        demand(url.hostname, name, "names no host.")
        demand(
            value == f"{url.scheme}://{url.netloc}" and not url.username, name, "must be https://host, nothing more."
        )
        return value

    def database(self, name: str, *, default: str = "") -> dict[str, Any]:
        """What Django wants to know of a PostgreSQL database; empty where the variable is not set."""
        value = self.text(name, default=default)
        if not value:
            return {}
        schemes = ("postgresql", "postgres")
        demand(value.partition("://")[0] in schemes, name, "must be postgresql://user:password@host:5432/name.")
        try:
            found: dict[str, Any] = environ.Env.db_url_config(value, engine="core.database")
        except Exception:  # whatever the parser stumbles over
            refuse(name, "cannot be read: percent-encode what is neither letter nor digit in user and password.")
        demand(found.get("NAME"), name, "names no database: postgresql://user:password@host:5432/name.")
        return found

    def broker(self, name: str, *, default: str) -> str:
        """Redis or Valkey."""
        value = self.text(name, default=default)
        url = self._url(name, value, ("redis", "rediss", "unix"))
        if url.scheme == "unix":
            demand(url.path.startswith("/"), name, "names no socket: unix:///path.")
        else:
            demand(url.hostname, name, "names no host: redis://host:6379/0.")
            number = url.path.strip("/")
            demand(not number or number.isdigit(), name, "ends in the number of a database: redis://host:6379/0.")
        return value

    def storage(self, name: str) -> str:
        """A folder or a bucket, as `core.storage` reads it."""
        value = self.text(name)
        if value:
            url = self._url(name, value, ("file", "s3"))
            if url.scheme == "file":
                demand(url.path.startswith("/") and not url.netloc, name, "must be file:///path, with three strokes.")
            else:
                demand(url.hostname and url.path.strip("/"), name, "must be s3://key:secret@endpoint/bucket.")
        return value

    def scanner(self, name: str) -> str:
        """A virus scanner."""
        value = self.text(name)
        if value:
            url = self._url(name, value, ("unix", "tcp"))
            if url.scheme == "unix":
                demand(url.path.startswith("/") and not url.netloc, name, "must be unix:///path, with three strokes.")
            else:
                demand(url.hostname, name, "names no host: tcp://host:3310.")
        return value

    def address(self, name: str) -> str:
        """An address on the web, without a user name."""
        value = self.text(name)
        if value:
            url = self._url(name, value, ("http", "https"))
            demand(url.hostname and "@" not in url.netloc, name, "must be https://host/path.")
        return value

    def mail(self, name: str) -> str:
        """A mail server."""
        value = self.text(name)
        if value:
            url = self._url(name, value, ("smtp", "smtps", "smtp+tls", "smtp+ssl"))
            demand(url.hostname, name, "names no host: smtp+tls://user:password@host:587.")
        return value

    def _url(self, name: str, value: str, schemes: tuple[str, ...]) -> SplitResult:
        try:
            url = urlsplit(value)
            url.port  # noqa: B018 - raises for what is no port
        except ValueError:
            refuse(name, "is no URL: percent-encode what is neither letter nor digit in user and password.")
        demand(url.scheme in schemes, name, f"must begin with {', '.join(f'{scheme}://' for scheme in schemes)}.")
        return url

    def _raw(self, name: str) -> str:
        if path := os.environ.get(f"{name}_FILE"):
            try:
                return Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                refuse(f"{name}_FILE", f"the file cannot be read ({error.strerror}).")
            except ValueError:
                refuse(f"{name}_FILE", "the file holds no text in UTF-8.")
        return os.environ.get(name, "").strip()


def _is_host(name: str) -> bool:
    return "*" not in name and urlsplit(f"//{name}").hostname == name.lower().strip("[]")
