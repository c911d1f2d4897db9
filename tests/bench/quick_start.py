"""The loop from Lamina's quick start: start a run, then read it by id every 5 s until it has ended.

The number of requests the portal makes is compared with this loop's. As in the original, refused requests (429) aren't
retried: a refused start is lost, and a refused read is simply followed by the next one on schedule.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import requests

from tests.bench.portal import Sandbox

KEY = "lma_sandbox"
LOOK_EVERY_SECONDS = 5.0
GIVE_UP_SECONDS = 150.0
CARTOONIFY = "3f68debe-df0a-4fc9-bdd3-9d45a4160587"
INPUTS = {"Style": "Ghibli"}


@dataclass(frozen=True)
class Followed:
    """One run of the quick start: its id ("" if the start was refused), and when the loop learned that the run had
    ended (Unix seconds, or None if it never did)."""

    run_id: str
    known_at: float | None


def run_many(sandbox: Sandbox, count: int) -> list[Followed]:
    """Run the quick start `count` times in parallel, with no coordination between the loops."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: run_one(sandbox.url), range(count)))


def run_one(url: str) -> Followed:
    """Run one quick start, end to end."""
    headers = {"x-api-key": KEY}
    started = requests.post(f"{url}/v1/apps/{CARTOONIFY}/runs", json={"inputs": INPUTS}, headers=headers, timeout=30)
    if not started.ok:
        return Followed("", None)
    run_id = str(started.json()["data"]["runId"])
    give_up = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < give_up:
        time.sleep(LOOK_EVERY_SECONDS)
        look = requests.get(f"{url}/v1/runs/{run_id}", headers=headers, timeout=30)
        if look.ok and look.json()["data"]["status"] in ("completed", "failed"):
            return Followed(run_id, time.time())
    return Followed(run_id, None)
