"""nginx, set up as in docs/deploy."""

from pathlib import Path

from tests.support.proxies import DEPLOY, binary

SAME = (
    "Content-Type",
    "Content-Disposition",
    "Cache-Control",
    "X-Content-Type-Options",
    "Cross-Origin-Resource-Policy",
    "Content-Security-Policy",
)
HTTPS = """    listen 443 ssl;
    server_name portal.example.com;
    ssl_certificate /etc/letsencrypt/live/portal.example.com/fullchain.pem;
    ssl_certificate_key /etc/letsencrypt/live/portal.example.com/privkey.pem;
"""
FRAME = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; {user}
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    {servers}
}}
"""


def server(port: int, upstream: str, media: Path) -> str:
    """Return our configuration with this test's addresses, and without https."""
    whole = (DEPLOY / "nginx.conf").read_text()
    assert HTTPS in whole
    whole = whole.replace(HTTPS, f"    listen 127.0.0.1:{port};\n")
    return whole.replace("127.0.0.1:8000", upstream.removeprefix("http://")).replace(
        "/srv/lamina-portal/var/media/", f"{media}/"
    )


def start_command(folder: Path, servers: str) -> list[str]:
    """Write a configuration with these `servers` to `folder`; return the command that starts nginx with it."""
    user = "user root;" if folder.owner() == "root" else ""  # otherwise its workers couldn't read the test's files
    config = folder / "nginx.conf"
    config.write_text(FRAME.format(folder=folder, user=user, servers=servers))
    return [binary("nginx", "nginx-light"), "-p", str(folder), "-c", str(config), "-e", "stderr"]


def prepare(folder: Path, port: int, upstream: str, media: Path) -> list[str]:
    """Return the command that starts nginx on `port` in front of `upstream`, with its files in `folder`."""
    return start_command(folder, server(port, upstream, media))
