"""Counts the emails that arrive if the portal is killed while sending, or if its mail server is difficult.

Each trial has its own data folder and a mail server on loopback. The sending processes are real ones
(`tests.support.mail_sender`), so that they can be killed with `kill -9`.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from tests.support.mail_servers import DROP, TAKEN, MailServer, stall
from tests.support.processes import Home

LATER = "451 4.3.0 Later"
SLOWLY = stall(0.03)  # slow enough that even a slightly late kill catches the sender at work


@dataclass(frozen=True)
class Verdict:
    """What arrived. `other_ids` counts people who got two emails that a mail program can't recognise as the same
    message."""

    mails: int
    arrived: int
    doubled: int
    other_ids: int
    kills: int
    tries: int
    given_up: int
    seconds: float


class Trial:
    """One portal with `mails` people, each of whom gets one email."""

    def __init__(self, folder: Path, server: MailServer, mails: int, **env: str) -> None:
        self.server, self.mails, self.kills = server, mails, 0
        self.home = Home(folder, EMAIL_URL=f"smtp://127.0.0.1:{server.port}", **env)
        self.home.migrate()
        assert self._start("make", str(mails)).wait() == 0, self.home.output()
        self.begun = time.monotonic()

    def _start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        return self.home.run(sys.executable, "-m", "tests.support.mail_sender", *arguments)

    def send(self) -> None:
        """Run the sender until it has sent everything."""
        assert self._start("send").wait() == 0, self.home.output()

    def send_and_kill(self, after: int, delay: float | None) -> None:
        """Kill the sender `delay` seconds after it handed over `after` emails. Without `delay`, kill it at that very
        moment, when the server has the email but the sender doesn't know that yet."""
        is_reached = threading.Event()
        first = self.server.offered

        def answer(_mail: EmailMessage) -> str:
            if self.server.offered >= first + after:
                is_reached.set()
                if delay is None:
                    os.kill(process.pid, signal.SIGKILL)
                    return TAKEN
            return SLOWLY

        self.server.at_data = answer
        process = self._start("send")
        while not is_reached.wait(0.05) and process.poll() is None:
            pass
        if process.poll() is None:
            time.sleep(delay or 0)
            process.kill()
        process.wait()
        self.kills += process.returncode == -signal.SIGKILL
        self.server.at_data = lambda _mail: TAKEN

    def verdict(self) -> Verdict:
        seconds = time.monotonic() - self.begun
        ids = defaultdict(list)
        for mail in self.server.mails:
            ids[str(mail["To"])].append(str(mail["Message-ID"]))
        with subprocess.Popen(
            [sys.executable, "-m", "tests.support.mail_sender", "count"],
            cwd=self.home.root,
            env=self.home.env,
            stdout=subprocess.PIPE,
        ) as counting:
            found = json.loads(counting.communicate()[0])
        return Verdict(
            mails=self.mails,
            arrived=len(ids),
            doubled=sum(len(same) - 1 for same in ids.values()),
            other_ids=sum(len(set(same)) > 1 for same in ids.values()),
            kills=self.kills,
            tries=found["tries"],
            given_up=found["given_up"],
            seconds=seconds,
        )


def killed(folder: Path, mails: int, kills: int, seed: int, **env: str) -> Verdict:
    """Email `mails` people while the sender is killed `kills` times, half of them at the worst moment."""
    chance = random.Random(seed)
    with MailServer() as server:
        trial = Trial(folder, server, mails, **env)
        share = max(1, mails // (kills + 1))
        for number in range(kills):
            after = chance.randint(1, share)
            trial.send_and_kill(after, chance.uniform(0, 0.05) if number % 2 else None)
        trial.send()
        return trial.verdict()


def difficult(folder: Path, mails: int, seed: int, stall_seconds: float, **env: str) -> Verdict:
    """Email `mails` people through a server that defers or drops each email up to four times, and stalls once."""
    chance = random.Random(seed)
    left: dict[str, int] = defaultdict(lambda: chance.randint(0, 4))
    stalls = Counter({"left": 1})
    with MailServer() as server:

        def answer(mail: EmailMessage) -> str:
            if left[mail["To"]] > 0:
                left[mail["To"]] -= 1
                return chance.choice((LATER, DROP))
            if stalls["left"] and server.offered > mails:
                stalls["left"] -= 1
                return stall(stall_seconds)
            return TAKEN

        server.at_data = answer
        trial = Trial(folder, server, mails, **env)
        trial.send()
        return trial.verdict()
