"""Saves a 1 GB video as the worker does, and prints how much memory the process used, in MB: before, and at its peak.

`tests.bench.files` starts this in its own process. The video comes from another process.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.processes import ROOT

FILM_BYTES = 999_000_000
SENDER = """
import http.server, sys
HEAD = b"\\x1a\\x45\\xdf\\xa3\\x9f\\x42\\x86\\x81\\x01\\x42\\x82\\x84webm"
class Film(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", sys.argv[1])
        self.end_headers()
        left = int(sys.argv[1]) - len(HEAD)
        self.wfile.write(HEAD)
        while left:
            left -= self.wfile.write(bytes(min(left, 1 << 20)))
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Film)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


def memory_mb(name: str) -> float:
    """Return this process's VmRSS (current) or VmHWM (peak), in MB."""
    line = next(text for text in Path("/proc/self/status").read_text().splitlines() if text.startswith(name))
    return int(line.split()[1]) * 1024 / 1e6


def main() -> None:
    sender = subprocess.Popen([sys.executable, "-c", SENDER, str(FILM_BYTES)], stdout=subprocess.PIPE, text=True)
    with tempfile.TemporaryDirectory(prefix="portal-bench-film-") as folder:
        try:
            assert sender.stdout is not None
            print(*keep(Path(folder), f"http://127.0.0.1:{sender.stdout.readline().strip()}"))
        finally:
            sender.kill()


def keep(folder: Path, url: str) -> tuple[float, float]:
    os.chdir(ROOT)
    os.environ |= {"PORTAL_TESTING": "1", "PORTAL_DATA_DIR": str(folder), "LAMINA_BASE_URL": url}
    os.environ |= {"DATABASE_URL": "", "STORAGE_URL": "", "DJANGO_SETTINGS_MODULE": "lamina_portal.settings"}
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    from runs.engine.save_outputs import FILES
    from runs.models import Member, OutputFile
    from tests.support.factories import make_app, make_run

    box = make_run(Member.objects.create_user("a@example.com", "x"), make_app()).outputs.all()[0]
    file = OutputFile.objects.create(output=box, source_url=f"{url}/film.webm")
    before = memory_mb("VmRSS")
    FILES.run()
    file.refresh_from_db()
    if file.file is None or file.file.size_bytes != FILM_BYTES:
        raise RuntimeError(f"the video was not saved: {file.error}")
    return before, memory_mb("VmHWM")


if __name__ == "__main__":
    main()
