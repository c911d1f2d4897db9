"""Values that settings.py derives from the environment: secret key, email, database, storage.

Errors (`environs.EnvValidationError` or `ImproperlyConfigured`) name the variable but never its value. An invalid
setting stops the portal from starting, with a message that operators can act on.
"""

import ipaddress
import os
import re
import secrets
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from environs import Env

SQLITE_OPTIONS: dict[str, Any] = {
    # Without IMMEDIATE, a transaction that reads before it writes fails immediately if another process has written in
    # between.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
}

STORAGE_FORM = "STORAGE_URL must be like s3://KEY:SECRET@HOST:PORT/BUCKET?region=eu-central-1&secure=true"

MIN_KEY_CHARACTERS = 32
MIN_KEY_LETTERS = 8  # distinct characters; a key of 32 random hex digits has about 14
# Fragments of well-known example keys (Django, tutorials, compose files), without punctuation.
KNOWN_IN_KEYS = (
    *("djangoinsecure", "insecurekey", "secretkey", "supersecret", "mysecret", "yoursecret", "password", "example"),
    *("changeme", "changethis", "changeit", "replaceme", "replacethis", "insertyour", "donotuse", "dontuse"),
)
HOW_TO_MAKE_A_KEY = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"

DEFAULT_URL = "http://127.0.0.1:8000"
LOOPBACK_OF = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound


def data_folder(text: str, default: Path) -> Path:
    """Return the data folder from PORTAL_DATA_DIR. If it doesn't exist, create it with access for the current user
    only."""
    folder = Path(text) if text else default
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"PORTAL_DATA_DIR: the folder {folder} cannot be created ({error.strerror}). Create it with the portal's "
            "user as its owner, or choose another."
        ) from None
    return folder


def strong_key(name: str, key: str) -> str:
    """Return `key`; raise ImproperlyConfigured if it is easy to guess. `name` is what the message calls it."""
    flaw = _flaw_of(key)
    if flaw:
        raise ImproperlyConfigured(f"{name} {flaw}: anyone who guesses it can sign in as anyone. {HOW_TO_MAKE_A_KEY}")
    return key


def old_keys(env: Env) -> list[str]:
    """Return the keys in PORTAL_SECRET_KEY_FALLBACKS."""
    keys: list[str] = env.list("PORTAL_SECRET_KEY_FALLBACKS", [])
    # The commas come first, because if an old key contains one, its parts may be too short.
    name = "Keys in PORTAL_SECRET_KEY_FALLBACKS are separated by commas and can't contain one. One of them"
    return [strong_key(name, key.strip()) for key in keys if key.strip()]


def _flaw_of(key: str) -> str:
    """Return why `key` is weak, worded as the end of a sentence; "" if it's strong enough."""
    if len(key) < MIN_KEY_CHARACTERS:
        return f"has {len(key)} characters but needs at least {MIN_KEY_CHARACTERS}"
    plain = re.sub(r"[\W_]", "", key.lower())
    if any(words in plain for words in KNOWN_IN_KEYS):
        return "looks like a well-known example"
    steps = sum(ord(after) - ord(before) in (-1, 0, 1) for before, after in pairwise(key))
    is_repeated = key in (key + key)[1:-1] or len(set(key)) < MIN_KEY_LETTERS
    return "repeats itself" if is_repeated or steps > len(key) / 2 else ""


def stored_secret_key(data_dir: Path) -> str:
    """Return the portal's own secret key, which signs sessions and queued tasks.

    When the portal first starts, it creates the key in `data_dir` with mode 0600.
    """
    path = data_dir / "secret_key"
    try:
        return (path.read_text(encoding="ascii").strip() if path.exists() else "") or _make_key(path)
    except OSError as error:
        raise ImproperlyConfigured(
            f"PORTAL_DATA_DIR: the secret key cannot be read from {path} or stored there ({error.strerror}). Check "
            "that the portal's user may write there and that the disk has room, choose another folder, or set "
            "PORTAL_SECRET_KEY."
        ) from None


def _make_key(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    key = secrets.token_urlsafe(50)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        fresh.touch(mode=0o600)
        fresh.write_text(key, encoding="ascii")
        os.link(fresh, path)  # atomic, so two processes that start at the same time get the same key
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    finally:
        fresh.unlink(missing_ok=True)
    return key


def api_key(env: Env) -> str:
    """Return the workspace key from LAMINA_API_KEY or from the file named in LAMINA_API_KEY_FILE; "" means the
    sandbox."""
    key = env.str("LAMINA_API_KEY", "").strip()
    path = env.str("LAMINA_API_KEY_FILE", "")
    if key or not path:
        return key
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"LAMINA_API_KEY_FILE cannot be read: {error.strerror}") from None


# Our queries read a few rows of large tables. PostgreSQL's JIT compiler would take 250 ms for queries of 10 ms. With
# the cost of a spinning disk, PostgreSQL would rather read a whole table than look up a thousand of its rows.
POSTGRES_OPTIONS = "-c jit=off -c random_page_cost=1.1"


def database(env: Env, data_dir: Path) -> dict[str, Any]:
    """Return Django's DATABASES["default"] from DATABASE_URL; if that isn't set, use SQLite in `data_dir`."""
    is_set = bool(env.str("DATABASE_URL", ""))  # compose files pass unset variables as empty strings
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(data_dir / "portal.sqlite3")}
    config: dict[str, Any] = dict(env.dj_db_url("DATABASE_URL")) if is_set else sqlite
    config["CONN_MAX_AGE"] = None
    if config["ENGINE"].endswith("sqlite3"):
        config["OPTIONS"] = SQLITE_OPTIONS | config.get("OPTIONS", {})
    else:
        config["CONN_HEALTH_CHECKS"] = True
        config["OPTIONS"] = {"options": POSTGRES_OPTIONS} | config.get("OPTIONS", {})
    return config


def mailers(env: Env) -> dict[str, Any]:
    """Return Django's MAILERS from EMAIL_URL (smtp://user:password@host:587/?tls=True); if that isn't set, print emails
    to the console."""
    if not env.str("EMAIL_URL", ""):
        return {"default": {"BACKEND": "django.core.mail.backends.console.EmailBackend"}}
    old = env.dj_email_url("EMAIL_URL")
    backend = old.get("EMAIL_BACKEND")
    if not backend:
        raise ImproperlyConfigured("EMAIL_URL must start with smtp://, submission://, file:// or consolemail://")
    mailer: dict[str, Any] = {"BACKEND": backend}
    if backend.endswith("smtp.EmailBackend"):
        mailer["BACKEND"] = "runs.team.smtp.EmailBackend"
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


def host_of(url: str) -> str:
    """Return the host in `url` as it appears in a `Host` header, but without the port. IPv6 addresses are in
    brackets."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        raise ImproperlyConfigured("PORTAL_URL must be an address such as https://portal.example.com") from None
    return f"[{host}]" if ":" in host else host


def address_of(bind: str) -> str:
    """Return the portal's local URL, with the port from `bind`.

    `bind` is PORTAL_BIND: "127.0.0.1:8000", "[::1]:8000" or ":8000". If the web server listens on something else, such
    as a Unix socket, return the default URL.
    """
    host, colon, port = bind.rpartition(":")
    if not (colon and port.isascii() and port.isdigit() and 0 < int(port) < 65536) or "/" in host:
        return DEFAULT_URL
    host = host.strip("[]")
    host = LOOPBACK_OF.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def mail_sender(env: Env, host: str) -> str:
    """Return the sender's email address.

    This is `_default_from_email` from EMAIL_URL or, failing that, its user if that's an email address. Otherwise, it's
    an address at `host`.
    """
    old: dict[str, Any] = env.dj_email_url("EMAIL_URL") if env.str("EMAIL_URL", "") else {}
    user = str(old.get("EMAIL_HOST_USER") or "")
    return str(old.get("DEFAULT_FROM_EMAIL") or (user if "@" in user else f"Lamina Portal <portal@{host}>"))


def storage(url: str) -> dict[str, Any]:
    """Return Django's STORAGES["default"] from STORAGE_URL; if that isn't set, use a local folder.

    STORAGE_URL looks like s3://KEY:SECRET@HOST[:PORT]/BUCKET[?region=&secure=].
    """
    if not url:
        return {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
        query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:  # the original message contains the secret
        raise ImproperlyConfigured(STORAGE_FORM) from None
    key, secret = unquote(parts.username or ""), unquote(parts.password or "")
    bucket, secure = parts.path.strip("/"), query.pop("secure", "true").lower()
    region = query.pop("region", "") or "us-east-1"
    is_whole = parts.scheme == "s3" and key and secret and parts.hostname and bucket and "/" not in bucket
    if not is_whole or query or secure not in {"true", "false"}:
        raise ImproperlyConfigured(STORAGE_FORM)
    if find_spec("storages") is None or find_spec("boto3") is None:
        raise ImproperlyConfigured("STORAGE_URL needs the packages django-storages and boto3")
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    return {
        "BACKEND": "runs.storage.bucket.Bucket",
        "OPTIONS": {
            "access_key": key,
            "secret_key": secret,
            "bucket_name": bucket,
            "region_name": region,
            "endpoint_url": f"{'https' if secure == 'true' else 'http'}://{host}{port}",
        },
    }


def accel_prefix(text: str, *, is_local: bool) -> str:
    """Return PORTAL_ACCEL_PREFIX, the internal location that nginx sends files from; empty if the portal sends them
    itself."""
    if text and not re.fullmatch(r"/[A-Za-z0-9._~/-]*/", text):
        raise ImproperlyConfigured("PORTAL_ACCEL_PREFIX must be like /kept-files/")
    if text and not is_local:
        raise ImproperlyConfigured("PORTAL_ACCEL_PREFIX needs a local folder, but STORAGE_URL is set")
    return text


def is_loopback(host: str) -> bool:
    """Return whether `host` (a name or IP address, without a port) can only be reached from this machine."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    # A server that listens on IPv6 sees IPv4 clients as ::ffff:a.b.c.d.
    return ((isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped) or address).is_loopback


def origin(name: str, url: str, *, is_bare: bool = True) -> str:
    """Return the origin (SCHEME://HOST[:PORT]) of `url` in lower case, without a trailing slash. `name` is the name of
    the setting.

    If `is_bare` is set, reject a URL with anything after the origin, such as a path, because we would trust the entire
    origin.
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
    """Return `texts`; raise ImproperlyConfigured unless each is an IP address or a network. `name` is the name of the
    setting."""
    for text in texts:
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}: {error}") from None
    return texts
