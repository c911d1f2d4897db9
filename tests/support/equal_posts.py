"""Sends ten identical posts to two web servers at once: `python -m tests.support.equal_posts`. Prints the outcome."""

import json
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.support.engines import Engine
from tests.support.processes import wait_until
from tests.support.whole_portal import APPS, Whole, parser, with_whole

POSTS = 10
ROUNDS = 3


def press_at_once(whole: Whole, text: str) -> set[str]:
    """Post one form ten times at the same moment, alternating between the servers; return the addresses of the runs'
    pages."""
    path, gate = whole.apps[APPS[0]].get_absolute_url(), threading.Barrier(POSTS)
    pairs = whole.open_form(whole.visitors[0], APPS[0], text)

    def post(n: int) -> str:
        gate.wait()
        return whole.visitors[n % len(whole.visitors)].press_run(path, pairs).headers["Location"]

    with ThreadPoolExecutor(POSTS) as pool:
        return set(pool.map(post, range(POSTS)))


def main(arguments: Sequence[str]) -> int:
    options = parser("equal_posts", __doc__).parse_args(arguments)

    def work(whole: Whole, engine: Engine) -> dict[str, list[str]]:
        from runs.models import Run

        pages = [press_at_once(whole, f"press {n}") for n in range(ROUNDS)]
        wait_until(lambda: not Run.objects.active().exists(), "the runs to end")
        state = whole.sandbox_state
        found = {
            "engine": engine.name,
            "rounds": ROUNDS,
            "pages": sum(map(len, pages)),
            "runs": Run.objects.count(),
            "completed": Run.objects.filter(status="completed").count(),
            "calls": sum(request["endpoint"] == "run_start" for request in state["requests"]),
            "at_sandbox": len(state["runs"]),
        }
        sys.stdout.write(json.dumps(found) + "\n")
        return {name: [str(count)] for name, count in found.items() if name != "engine" and count != ROUNDS}

    return with_whole(options.engine, work)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
