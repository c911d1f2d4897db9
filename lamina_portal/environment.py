"""Values that settings.py derives from the environment: secret key, mail, database, storage.

Each function raises `environs.EnvValidationError` or `ImproperlyConfigured` that names the variable, never its
value, so that a bad one stops the start with a sentence an operator can act on.
"""

import ipaddress
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environs import Env

SQLITE_OPTIONS: dict[str, Any] = {
    # IMMEDIATE: a read-then-write transaction on a stale snapshot fails at once otherwise, whatever the time-out.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
}


def kept_secret_key(data_dir: Path) -> str:
    """The portal's own secret key, made on first start in DATA_DIR (mode 0600) and kept: sessions and queued
    tasks are signed with it."""
    path = data_dir / "secret_key"
    try:
        return path.read_text(encoding="ascii").strip() or _make_key(path)
    except FileNotFoundError:
        return _make_key(path)


def _make_key(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    key = secrets.token_urlsafe(50)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(key, encoding="ascii")
    try:
        os.link(fresh, path)  # atomic: of two processes that start at once, one key wins for both
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    finally:
        fresh.unlink()
    return key


def api_key(env: Env) -> str:
    """The workspace key, from LAMINA_API_KEY or from the file LAMINA_API_KEY_FILE names; empty means sandbox."""
    key = env.str("LAMINA_API_KEY", "").strip()
    path = env.str("LAMINA_API_KEY_FILE", "")
    if key or not path:
        return key
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"LAMINA_API_KEY_FILE cannot be read: {error.strerror}") from None


def database(env: Env, data_dir: Path) -> dict[str, Any]:
    """Django's DATABASES["default"] from DATABASE_URL; SQLite in DATA_DIR without one."""
    is_set = bool(env.str("DATABASE_URL", ""))  # compose files pass what is not set as an empty value
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(data_dir / "portal.sqlite3")}
    config: dict[str, Any] = dict(env.dj_db_url("DATABASE_URL")) if is_set else sqlite
    config["CONN_MAX_AGE"] = None
    if config["ENGINE"].endswith("sqlite3"):
        config["OPTIONS"] = SQLITE_OPTIONS | config.get("OPTIONS", {})
    else:
        config["CONN_HEALTH_CHECKS"] = True
    return config


def mailers(env: Env) -> dict[str, Any]:
    """Django's MAILERS from EMAIL_URL (smtp://user:password@host:587/?tls=True); the console without one."""
    if not env.str("EMAIL_URL", ""):
        return {"default": {"BACKEND": "django.core.mail.backends.console.EmailBackend"}}
    old = env.dj_email_url("EMAIL_URL")
    backend = old.get("EMAIL_BACKEND")
    if not backend:
        raise ImproperlyConfigured("EMAIL_URL must begin with smtp://, submission://, file:// or consolemail://")
    mailer: dict[str, Any] = {"BACKEND": backend}
    if backend.endswith("smtp.EmailBackend"):
        mailer["OPTIONS"] = {
            "host": old.get("EMAIL_HOST"),
            "port": old.get("EMAIL_PORT"),
            "username": old.get("EMAIL_HOST_USER"),
            "password": old.get("EMAIL_HOST_PASSWORD"),
            "use_tls": bool(old.get("EMAIL_USE_TLS")),
            "use_ssl": bool(old.get("EMAIL_USE_SSL")),
            "timeout": 10,
        }
    elif backend.endswith("filebased.EmailBackend"):
        mailer["OPTIONS"] = {"file_path": old.get("EMAIL_FILE_PATH")}
    return {"default": mailer}


def mail_sender(env: Env, host: str) -> str:
    """Who mail comes from: `_default_from_email` in EMAIL_URL, else its user when that is an address, else HOST's."""
    old: dict[str, Any] = env.dj_email_url("EMAIL_URL") if env.str("EMAIL_URL", "") else {}
    user = str(old.get("EMAIL_HOST_USER") or "")
    return str(old.get("DEFAULT_FROM_EMAIL") or (user if "@" in user else f"Lamina Portal <portal@{host}>"))


def origin(name: str, url: str, *, is_bare: bool = True) -> str:
    """SCHEME://HOST[:PORT] of URL, in lower case, without a trailing slash; NAME is the setting it comes from.

    IS_BARE: more than an origin is refused, since more than the origin would be trusted.
    """
    try:
        parts = urlsplit(url.strip())
        is_origin = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
        is_origin = is_origin and parts.port != 0
    except ValueError:
        is_origin = False
    if not is_origin or (is_bare and (parts.path.strip("/") or parts.query or parts.fragment)):
        raise ImproperlyConfigured(f"{name} must be like https://files.example.com or http://10.0.0.5:9000")
    return f"{parts.scheme}://{parts.netloc}".lower()


def networks(name: str, texts: list[str]) -> list[str]:
    """TEXTS as they are, once each is known to be an address or a network; NAME is the setting they come from."""
    for text in texts:
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}: {error}") from None
    return texts
