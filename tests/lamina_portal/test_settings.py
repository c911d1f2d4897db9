"""Settings: defaults that work, invalid values reported by name, and secrets never shown."""

import json
import os
import re
import secrets
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.core.management.utils import get_random_secret_key

from lamina_portal import environment
from tests.support.processes import ROOT, Home

SECRET = "lma_live_secret"
GOOD_KEY = "k7vQ2mZ9xRt4LwB8nHs1JcYe6UfPa0Td3G"
HOW_TO = "secrets.token_urlsafe"
SHOW = """
import json
from django.conf import settings as s
print(json.dumps({n: str(getattr(s, n)) for n in dir(s) if n.isupper()}))
"""


def settings_with(folder: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    """Load the settings in a separate process, with the environment variables `env`; return the finished process."""
    return subprocess.run(
        [sys.executable, "-c", SHOW], env=Home(folder, **env).env, capture_output=True, text=True, timeout=60
    )


def values(folder: Path, **env: str) -> dict[str, Any]:
    done = settings_with(folder, **env)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_without_settings_it_is_the_sandbox_on_loopback(tmp_path: Path) -> None:
    found = values(tmp_path)
    assert found["IS_SANDBOX"] == "True"
    assert found["LAMINA_BASE_URL"] == "http://127.0.0.1:8900"
    assert found["DEBUG"] == "False"
    assert found["PORTAL_URL"] == "http://127.0.0.1:8000"
    assert found["DATA_DIR"] == str(tmp_path / "sandbox")


def test_a_key_means_the_real_lamina_with_separate_data(tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(f"{SECRET}\n")
    for env in ({"LAMINA_API_KEY": SECRET}, {"LAMINA_API_KEY_FILE": str(key_file)}):
        found = values(tmp_path, **env)
        assert found["LAMINA_API_KEY"] == SECRET
        assert found["LAMINA_BASE_URL"] == "https://app.uselamina.ai"
        assert found["DATA_DIR"] == str(tmp_path)


def test_the_secret_key_is_created_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    first = values(tmp_path)["SECRET_KEY"]
    assert len(first) >= 50
    assert values(tmp_path)["SECRET_KEY"] == first
    assert stat.S_IMODE((tmp_path / "sandbox" / "secret_key").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LAMINA_REQUESTS_PER_MINUTE", "many"),
        ("LAMINA_REQUESTS_PER_MINUTE", "0"),
        ("LAMINA_POLL_SECONDS", "soon"),
        ("LAMINA_WEBHOOKS", "perhaps"),
        ("LAMINA_API_KEY_FILE", "/nowhere/key"),
        ("PORTAL_DEBUG", "maybe"),
        ("PORTAL_TRUSTED_PROXIES", "the proxy"),
        ("PORTAL_FILE_ORIGINS", "minio:9000"),
        ("PORTAL_FILE_ORIGINS", "https://files.example.com/only-this"),
        ("PORTAL_FILE_ORIGINS", "https://user@files.example.com"),
        ("PORTAL_FILE_ORIGINS", "ftp://files.example.com"),
        ("PORTAL_CHAT_ORIGINS", "https://chat.example.com/hooks/x"),
        ("LAMINA_BASE_URL", "app.uselamina.ai"),
        ("DATABASE_URL", "postgres"),
        ("EMAIL_URL", "mail.example.com"),
        ("STORAGE_URL", "s3://key:secret@host"),
        ("STORAGE_URL", "s3://host/bucket"),
        ("STORAGE_URL", "https://key:secret@host/bucket"),
        ("STORAGE_URL", "s3://key:secret@host/bucket?secure=perhaps"),
        ("STORAGE_URL", "s3://key:secret@host/bucket?acl=public"),
        ("STORAGE_URL", "s3://key:secret@host:port/bucket"),
        ("PORTAL_ACCEL_PREFIX", "kept-files"),
        ("PORTAL_SECRET_KEY", "hunter2"),
        ("PORTAL_SECRET_KEY", "k7#vQ2mZ9xRt4LwB8nHs1JcYe6UfPa0"),  # too short, with 31 characters
        ("PORTAL_SECRET_KEY", "django-insecure-0x!c8r@^4v#k2m(9z$w7q&b5n*h3j)l6p+s1t_y-u=e"),
        ("PORTAL_SECRET_KEY", "Change-me-before-you-put-this-on-the-internet"),
        ("PORTAL_SECRET_KEY", "please.replace_this.with.something.random.and.long"),
        ("PORTAL_SECRET_KEY", "secret" * 10),
        ("PORTAL_SECRET_KEY", "x" * 60),
        ("PORTAL_SECRET_KEY", "abababbbabaababbabaabbabababababaabb"),
        ("PORTAL_SECRET_KEY", "abcdefghijklmnopqrstuvwxyz0123456789"),
        ("PORTAL_SECRET_KEY_FALLBACKS", "hunter2"),
        ("PORTAL_SECRET_KEY_FALLBACKS", f"{GOOD_KEY},{'x' * 60}"),
    ],
)
def test_an_invalid_value_stops_the_start_and_is_named(tmp_path: Path, name: str, value: str) -> None:
    done = settings_with(tmp_path, LAMINA_API_KEY="", **{name: value})
    assert done.returncode != 0
    assert name in done.stderr.splitlines()[-1]
    assert "secret@" not in done.stderr
    assert not name.startswith("PORTAL_SECRET_KEY") or (value not in done.stderr and HOW_TO in done.stderr)


def test_random_keys_are_accepted_with_old_ones_as_fallbacks(tmp_path: Path) -> None:
    for _ in range(2000):
        for key in (secrets.token_urlsafe(50), secrets.token_hex(16), secrets.token_hex(32), get_random_secret_key()):
            assert environment.strong_key("PORTAL_SECRET_KEY", key) == key
    old = f" {GOOD_KEY} , {GOOD_KEY[::-1]},"
    found = values(tmp_path, PORTAL_SECRET_KEY=GOOD_KEY.swapcase(), PORTAL_SECRET_KEY_FALLBACKS=old)
    assert found["SECRET_KEY"] == GOOD_KEY.swapcase()
    assert found["SECRET_KEY_FALLBACKS"] == str([GOOD_KEY, GOOD_KEY[::-1]])


def test_an_old_key_with_a_comma_is_explained(tmp_path: Path) -> None:
    done = settings_with(tmp_path, PORTAL_SECRET_KEY=GOOD_KEY.swapcase(), PORTAL_SECRET_KEY_FALLBACKS=f"x7w,{GOOD_KEY}")
    assert done.returncode != 0
    told = done.stderr.splitlines()[-1]
    assert (
        "Keys in PORTAL_SECRET_KEY_FALLBACKS are separated by commas and can't contain one. One of them has 3" in told
    )


def test_a_missing_data_folder_is_created_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "srv" / "portal"
    home = Home(folder, PORTAL_SECRET_KEY=secrets.token_urlsafe(50), LAMINA_API_KEY=SECRET)
    home.manage("showmigrations")  # opens the database, as `migrate` does, in a tenth of the time
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folder / "portal.sqlite3").exists()


def test_a_data_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    env = Home(tmp_path / "file" / "portal").env
    command = [sys.executable, "manage.py", "migrate"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("PORTAL_DATA_DIR: the folder")


def key_told_by_migrate(folder: Path, *, in_shell: str = "") -> str:
    """Run `migrate` with `folder` as its data folder, after the shell command `in_shell`; return what it says about the
    secret key, in one line."""
    env = Home(folder, LAMINA_API_KEY=SECRET).env
    command = ["sh", "-c", f'{in_shell or ":"}; exec "$@"', "sh", sys.executable, "manage.py", "migrate"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("PORTAL_DATA_DIR: the secret key cannot be")
    assert "or set PORTAL_SECRET_KEY" in done.stderr
    return done.stderr


def test_a_data_folder_that_nobody_may_write_to_is_reported() -> None:
    """Not even root may create files in /sys."""
    assert "/sys/secret_key" in key_told_by_migrate(Path("/sys"))


@pytest.mark.django_db  # for other checks
@pytest.mark.parametrize("is_writable", [True, False])
def test_the_portal_does_not_start_with_a_data_folder_it_cannot_write_to(
    monkeypatch: pytest.MonkeyPatch, *, is_writable: bool
) -> None:
    """The secret key may come from the environment, so that the settings don't need the folder."""
    monkeypatch.setattr(os, "access", lambda path, mode: is_writable or path != settings.DATA_DIR)
    found = [message.msg for message in run_checks() if message.id == "runs.E001"]
    assert found == ([] if is_writable else [f"The data folder {settings.DATA_DIR} cannot be written to."])


def test_a_folder_in_place_of_the_secret_key_is_reported(tmp_path: Path) -> None:
    (tmp_path / "secret_key").mkdir()
    assert "(Is a directory)" in key_told_by_migrate(tmp_path)


def test_a_disk_without_room_for_the_secret_key_is_reported(tmp_path: Path) -> None:
    """No file may have any content, as on a full disk. The empty file that was meant for the key is removed."""
    assert "(File too large)" in key_told_by_migrate(tmp_path, in_shell="ulimit -f 0")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_value_counts_as_not_set(tmp_path: Path) -> None:
    """Compose files pass unset variables as empty strings."""
    names = [
        *("LAMINA_API_KEY", "LAMINA_API_KEY_FILE", "LAMINA_BASE_URL", "PORTAL_DATA_DIR", "PORTAL_SECRET_KEY"),
        "PORTAL_SECRET_KEY_FALLBACKS",
        *(
            "PORTAL_URL",
            "PORTAL_TRUSTED_PROXIES",
            "PORTAL_FILE_ORIGINS",
            "DATABASE_URL",
            "REDIS_URL",
            "EMAIL_URL",
            "STORAGE_URL",
        ),
    ]
    found = values(tmp_path, **dict.fromkeys(names, "") | {"PORTAL_DATA_DIR": str(tmp_path)})
    assert found["IS_SANDBOX"] == "True"
    assert "sqlite3" in found["DATABASES"]
    assert found["PORTAL_TRUSTED_PROXIES"] == "[]"
    assert found["PORTAL_URL"] == "http://127.0.0.1:8000"


def test_only_lamina_and_named_origins_are_trusted(tmp_path: Path) -> None:
    env = {"PORTAL_FILE_ORIGINS": "https://Files.example.com/, http://10.0.0.5:9000"}
    real = values(tmp_path, LAMINA_API_KEY=SECRET, **env)
    theirs = "['https://app.uselamina.ai', 'https://files.example.com', 'http://10.0.0.5:9000']"
    assert real["TRUSTED_FILE_ORIGINS"] == theirs
    assert values(tmp_path)["TRUSTED_FILE_ORIGINS"] == "['http://127.0.0.1:8900']"


def test_a_bucket_is_read_from_its_address(tmp_path: Path) -> None:
    found = values(tmp_path, STORAGE_URL="s3://KEY:a%2Fb@minio.example:9000/results?region=eu-central-1&secure=false")
    for part in ("'a/b'", "'results'", "'eu-central-1'", "'http://minio.example:9000'", "bucket.Bucket"):
        assert part in found["STORAGES"]
    done = settings_with(tmp_path, PORTAL_ACCEL_PREFIX="/kept/", STORAGE_URL="s3://k:secret@host/b")
    assert "PORTAL_ACCEL_PREFIX" in done.stderr.splitlines()[-1]


def test_https_makes_cookies_and_redirects_secure(tmp_path: Path) -> None:
    found = values(tmp_path, PORTAL_URL="https://portal.example.com/")
    assert found["SESSION_COOKIE_SECURE"] == found["CSRF_COOKIE_SECURE"] == found["SECURE_SSL_REDIRECT"] == "True"
    assert (found["SESSION_COOKIE_NAME"], found["CSRF_COOKIE_NAME"]) == ("__Host-sessionid", "__Host-csrftoken")
    assert "portal.example.com" in found["ALLOWED_HOSTS"]
    assert found["CSRF_TRUSTED_ORIGINS"] == "['https://portal.example.com']"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://[2001:db8::5]", "[2001:db8::5]"),
        ("http://[2001:db8::5]:8000/", "[2001:db8::5]"),
        ("http://portal.lan:8000", "portal.lan"),
    ],
)
def test_the_host_of_the_address_is_allowed(tmp_path: Path, url: str, host: str) -> None:
    assert f"['{host}', " in values(tmp_path, PORTAL_URL=url)["ALLOWED_HOSTS"]


@pytest.mark.parametrize(
    ("bind", "url"),
    [
        ("127.0.0.1:8001", "http://127.0.0.1:8001"),
        ("localhost:80", "http://localhost:80"),
        (":8001", "http://127.0.0.1:8001"),
        ("0.0.0.0:8001", "http://127.0.0.1:8001"),
        ("[::]:8001", "http://[::1]:8001"),
        ("[fd00::5]:8001", "http://[fd00::5]:8001"),
        ("10.1.2.3:8001", "http://10.1.2.3:8001"),
        ("unix:/run/portal.sock", "http://127.0.0.1:8000"),
        ("unix:/run/portal:8001", "http://127.0.0.1:8000"),
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("127.0.0.1:0", "http://127.0.0.1:8000"),
        ("", "http://127.0.0.1:8000"),
    ],
)
def test_links_lead_where_the_portal_listens(bind: str, url: str) -> None:
    assert environment.address_of(bind) == url


def test_links_follow_the_port_unless_there_is_a_public_address(tmp_path: Path) -> None:
    moved = values(tmp_path, PORTAL_BIND="10.1.2.3:8001")
    assert moved["PORTAL_URL"] == "http://10.1.2.3:8001"
    assert moved["ALLOWED_HOSTS"].startswith("['10.1.2.3', ")
    assert moved["CSRF_TRUSTED_ORIGINS"] == "['http://10.1.2.3:8001']"
    public = values(tmp_path, PORTAL_BIND="127.0.0.1:8001", PORTAL_URL="https://portal.example.com")
    assert public["PORTAL_URL"] == "https://portal.example.com"


def test_the_web_server_listens_where_the_env_file_says(tmp_path: Path) -> None:
    """If the web server listened elsewhere, links would lead to the wrong port. The test needs a copy of the code,
    because no `.env` is read during tests."""
    shutil.copytree(ROOT / "lamina_portal", tmp_path / "lamina_portal")
    shutil.copy(ROOT / "gunicorn.conf.py", tmp_path)
    (tmp_path / ".env").write_text("PORTAL_BIND=127.0.0.1:8001\n")
    env = {**Home(tmp_path).env, "PORTAL_TESTING": ""}
    command = [sys.executable, "-m", "gunicorn", "--print-config", "lamina_portal.wsgi"]

    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)

    assert re.search(r"^bind +\W+127\.0\.0\.1:8001\W", done.stdout, re.M), done.stdout + done.stderr
