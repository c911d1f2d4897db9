"""When the process that sends emails is killed, every email still arrives, and one that arrives twice has the same
Message-ID both times (N8)."""

from pathlib import Path

import pytest

from tests.support import mail_trials


@pytest.mark.whole
def test_each_arrives_although_the_sender_is_killed(tmp_path: Path) -> None:
    verdict = mail_trials.killed(tmp_path, mails=20, kills=2, seed=1)
    assert (verdict.arrived, verdict.other_ids, verdict.given_up) == (20, 0, 0)
    assert 1 <= verdict.doubled <= verdict.kills <= 2
