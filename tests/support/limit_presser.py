"""One of several processes that press Run at the same moment: `python -m tests.support.limit_presser APP MEMBER TIMES
GATE NOW`.

It opens the form of the app with the primary key APP as the member MEMBER, waits until the file GATE exists, and
presses Run in TIMES threads, all using a clock that starts at NOW. For each press, it prints the response's status as
JSON, with the reason shown beside Run if the press was refused.
"""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from http import HTTPStatus
from pathlib import Path

import django
import time_machine


def main(app_id: str, member_id: str, times: str, gate: str) -> None:
    from django.db import connection
    from django.test import Client

    from runs.engine.create_run import new_form_token
    from runs.models import App, Member
    from tests.support.page import Page

    app, member = App.objects.get(pk=app_id), Member.objects.get(pk=member_id)
    assert app.schema is not None
    form = {"schema": app.schema.version, "outputs": ["0", "1"], "p0": "0", "p1": "at sea"}
    ready = threading.Barrier(int(times) + 1)

    def press(_number: int) -> tuple[int, str]:
        client = Client(SERVER_NAME="127.0.0.1")
        client.force_login(member)
        given = form | {"token": new_form_token(member)}
        ready.wait()
        while not Path(gate).exists():
            time.sleep(0.002)
        answer = client.post(app.get_absolute_url(), given)
        connection.close()
        is_refused = answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        return answer.status_code, Page(answer.text).first(css="launch-reason").words if is_refused else ""

    with ThreadPoolExecutor(int(times)) as pool:
        answers = pool.map(press, range(int(times)))
        ready.wait()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdout.write(json.dumps(list(answers)) + "\n")


if __name__ == "__main__":
    django.setup()
    *given, now = sys.argv[1:]
    with time_machine.travel(datetime.fromisoformat(now)):
        main(*given)
