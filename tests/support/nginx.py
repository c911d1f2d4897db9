"""nginx, set up as described in docs/operating.md."""

from pathlib import Path

from tests.support.proxies import binary, blocks_of_the_manual

SAME = (
    "Content-Type",
    "Content-Disposition",
    "Cache-Control",
    "X-Content-Type-Options",
    "Cross-Origin-Resource-Policy",
    "Content-Security-Policy",
)
FRAME = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; {user}
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {blocks}
    }}
}}
"""


def blocks(upstream: str, media: Path) -> str:
    """Return both nginx blocks from the manual, with this test's addresses."""
    whole = blocks_of_the_manual("nginx", 2).replace("http://127.0.0.1:8000", upstream)
    assert "/srv/lamina-portal/var/media/" in whole
    return whole.replace("/srv/lamina-portal/var/media/", f"{media}/")


def prepare(folder: Path, port: int, upstream: str, media: Path) -> list[str]:
    """Write a configuration to `folder`; return the command that starts nginx on `port` in front of `upstream`."""
    user = "user root;" if folder.owner() == "root" else ""  # otherwise its workers couldn't read the test's files
    config = folder / "nginx.conf"
    config.write_text(FRAME.format(folder=folder, user=user, port=port, blocks=blocks(upstream, media)))
    return [binary("nginx", "nginx-light"), "-p", str(folder), "-c", str(config), "-e", "stderr"]
