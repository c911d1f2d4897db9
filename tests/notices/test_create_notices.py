"""Who is notified of what: people hear of each event only once, and never of their own actions or of anything they have
muted or aren't allowed to see (N1, N13)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.mail import EmailMultiAlternatives as Sent
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs.background import cluster_names, heartbeats
from runs.connection import status
from runs.engine import progress
from runs.models import Comment, GuestLink, Heartbeat, Member, Mute, Notice, Output, ReviewRequest, Run
from runs.notices import bounces, listeners, notice_text, problems, read_state
from runs.notices.create_notices import NewNotice
from runs.review import comments, requests, verdicts
from runs.review.deciders import Reviewer
from tests.support.factories import make_app, make_run
from tests.support.guest_links import guest_of, link_to
from tests.support.notices import send_gathered

pytestmark = pytest.mark.django_db

Told = list[tuple[str, str]]


@pytest.fixture
def sam(make_member: Callable[..., Member]) -> Member:
    return make_member("Sam", role=Member.Role.APPROVER)


@pytest.fixture
def run(alice: Member) -> Run:
    made = make_run(alice, status="completed", title="Oak desk", shared_at=timezone.now())
    Output.objects.filter(run=made).update(content_hash="a")
    return made


def results(run: Run) -> list[Output]:
    return list(run.outputs.select_related("run"))


def told(member: Member) -> Told:
    """Return the kind and text of each notice that the member sees in the inbox, oldest first."""
    shown = Notice.objects.of(member).for_lists().order_by("pk")
    return [(notice.kind, notice_text.title_of(notice)) for notice in shown]


def test_a_conversation_tells_those_in_it_once(run: Run, alice: Member, bob: Member, sam: Member) -> None:
    front = results(run)[0]
    first = comments.post(Reviewer(member=bob), run, front, "Too dark?")
    comments.post(Reviewer(member=sam), run, front, "I think so.", parent=first)

    comments.post(Reviewer(member=alice), run, front, "@Bob, is this better?", parent=first)

    assert told(bob) == [
        ("reply", "Sam replied to a comment on “Front” from Oak desk"),
        ("mention", "Alice mentioned you in a comment on “Front” from Oak desk"),
    ]
    assert told(sam) == [("reply", "Alice replied to a comment on “Front” from Oak desk")]
    assert told(alice) == [("comment", "Bob commented on “Front” from Oak desk")]
    comment = Comment.objects.get(text__contains="better")
    for _ in range(3):  # tasks may run more than once
        listeners.on_comment_posted(comment)
        listeners.on_mentioned(comment, bob)
    assert (len(told(bob)), len(told(sam))) == (2, 1)
    bob.refresh_from_db()
    assert bob.unread == 2

    comments.remove(comment, Reviewer(member=alice))

    assert len(told(bob)) == 1
    bob.refresh_from_db()
    assert bob.unread == 1


def test_one_press_on_many_results_tells_the_maker_and_the_asker_once(
    run: Run, alice: Member, bob: Member, sam: Member
) -> None:
    front, back = results(run)
    requests.ask(bob, [front, back], message="For the fair", members=[sam])
    assert told(sam) == [("asked", "Bob is asking for your decision on 2 results from Oak desk")]

    done = verdicts.decide_many([(front, 0), (back, 0)], "approved", "", Reviewer(member=sam))

    assert told(alice) == told(bob) == [("decided", "Sam approved 2 results from Oak desk")]
    verdicts.undo(done.batch, Reviewer(member=sam))
    assert told(alice) == told(bob) == []
    alice.refresh_from_db()
    assert (alice.unread, alice.news_at) == (0, None)


def test_what_was_mailed_or_read_is_taken_back_in_words(run: Run, alice: Member, bob: Member, sam: Member) -> None:
    front = results(run)[0]
    requests.ask(bob, [front])
    verdicts.decide(front, "changes", "Warmer", Reviewer(member=sam), None)
    assert told(alice) == [("decided", "Sam asked for changes to “Front” from Oak desk")]
    read_state.mark_all(alice, timezone.now())

    verdicts.withdraw(front, Reviewer(member=sam))

    assert told(alice) == [("decided", "Sam withdrew their decision on “Front” from Oak desk")]
    assert told(bob) == []


def test_an_undone_decision_is_not_mailed_or_taken_back_where_it_was(
    run: Run, alice: Member, sam: Member, mailoutbox: list[Sent]
) -> None:
    front, back = results(run)
    undone = verdicts.decide(front, "approved", "", Reviewer(member=sam), None)
    verdicts.undo(undone.batch, Reviewer(member=sam))
    send_gathered()
    assert mailoutbox == []
    mailed = verdicts.decide(back, "rejected", "Too dark", Reviewer(member=sam), None)
    send_gathered()

    verdicts.undo(mailed.batch, Reviewer(member=sam))
    send_gathered()

    assert [(*mail.to, mail.subject) for mail in mailoutbox] == [
        (alice.email, "Sam rejected “Back” from Oak desk"),
        (alice.email, "Sam withdrew their decision on “Back” from Oak desk"),
    ]
    assert told(alice) == [("decided", "Sam withdrew their decision on “Back” from Oak desk")]


def test_a_listener_that_fails_undoes_only_its_own_work(
    alice: Member, bob: Member, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def clash(_members: object, about: NewNotice) -> None:
        Notice.objects.create(member=alice, kind=about.kind, event=about.event)
        Member.objects.create(email=alice.email)  # fails; only a savepoint lets PostgreSQL continue

    run = make_run(alice, title="Oak desk", shared_at=timezone.now())
    monkeypatch.setattr(listeners, "tell", clash)

    assert progress.fail(run, "remote", timezone.now(), from_statuses=("running",))
    said = comments.post(Reviewer(member=bob), run, None, "What happened?")

    failed = [record.getMessage() for record in caplog.records if record.name == "runs.events"]
    assert [text.rpartition(".")[2] for text in failed] == ["on_run_ended failed", "on_comment_posted failed"]
    run.refresh_from_db()
    assert (run.status, run.failure) == ("failed", "remote")
    assert Comment.objects.get().pk == said.pk
    assert not Notice.objects.exists()


def test_whose_decision_is_set_aside_is_told(run: Run, alice: Member, sam: Member, admin_member: Member) -> None:
    front = results(run)[0]
    decision = verdicts.decide(front, "approved", "", Reviewer(member=sam), None)

    verdicts.set_aside(decision, "The old label", Reviewer(member=admin_member))

    said = ("set-aside", "Ada set aside a decision on “Front” from Oak desk")
    assert told(sam) == [said]
    assert told(alice)[1:] == [said]
    assert told(admin_member) == []
    assert notice_text.words_of(Notice.objects.get(member=sam)) == "The old label"


def test_anyone_asked_means_approvers_and_admins_who_see_it(
    alice: Member, bob: Member, sam: Member, admin_member: Member
) -> None:
    run = make_run(alice, status="completed", title="Oak desk")
    request = requests.ask(alice, results(run))  # this shares the run

    asked = [("asked", "Alice is asking for your decision on 2 results from Oak desk")]
    assert told(sam) == told(admin_member) == asked
    assert told(alice) == told(bob) == []
    verdicts.decide_many([(output, None) for output in results(run)[:1]], "changes", "Why", Reviewer(member=sam))

    assert requests.remind(request, alice)

    assert [kind for kind, _words in told(sam)] == ["asked", "asked"]  # people may still decide on the other result
    assert told(sam)[1][1] == "Alice sent you a reminder to decide on 2 results from Oak desk"


def test_a_request_is_read_for_whom_it_no_longer_waits(
    run: Run, alice: Member, bob: Member, sam: Member, admin_member: Member
) -> None:
    front, back = results(run)
    named = requests.ask(alice, [front], members=[sam, admin_member])
    anyone = requests.ask(alice, [front, back])
    verdicts.decide(front, "approved", "", Reviewer(member=sam), None)
    assert unread(sam) == [anyone]
    assert unread(admin_member) == [anyone, named]

    back_too = verdicts.decide(back, "approved", "", Reviewer(member=sam), None)
    assert (unread(sam), unread(admin_member)) == ([], [named])

    verdicts.undo(back_too.batch, Reviewer(member=sam))
    assert (unread(sam), unread(admin_member)) == ([anyone], [anyone, named])
    verdicts.decide_many([(front, None), (back, None)], "approved", "", Reviewer(member=admin_member))
    assert unread(sam) == unread(admin_member) == []

    again = requests.ask(alice, [back], members=[sam])
    assert unread(sam) == [again]
    requests.close(again, alice)
    assert unread(sam) == []


def unread(member: Member) -> list[ReviewRequest | None]:
    """Return the requests whose notices the member hasn't read, newest first. The bell must show the same number."""
    found = [notice.request for notice in Notice.objects.of(member).unread()]
    member.refresh_from_db()
    assert (member.unread, member.news_at is None) == (len(found), not found)
    return found


@pytest.mark.parametrize("is_example", [False, True])
def test_a_guest_tells_who_made_the_link_and_the_run(
    run: Run, alice: Member, bob: Member, sam: Member, is_example: bool
) -> None:
    Run.objects.update(is_example=is_example)
    run.refresh_from_db()
    link = link_to(run, b"a")
    GuestLink.objects.filter(pk=link.pk).update(member=bob, lets_decide=True, lets_comment=True)
    link.refresh_from_db()
    shown = link.outputs.select_related("run").get()
    before = len(told(alice))

    verdicts.decide(shown, "approved", "", Reviewer(guest=guest_of(link, "Kim\r\nBcc: x")), None)
    comments.post(Reviewer(guest=guest_of(link, "Kim")), shown.run, shown, "Lovely")

    assert [words.partition(" “")[0] for _kind, words in told(bob)] == [
        "Kim Bcc: x (guest) approved",
        "Kim (guest) commented on",
    ]
    assert len(told(alice)) == before + 2
    requests.ask(alice, [shown], members=[sam])
    assert [kind for kind, _words in told(sam)] == ["asked"]


def test_the_end_of_a_run_is_told_to_its_owner_unless_they_cancelled_it(alice: Member, bob: Member) -> None:
    app, now = make_app("Poster"), timezone.now()
    failed, own, others, example = (make_run(alice, app, is_example=number == 3) for number in range(4))
    for run in (failed, example):
        assert progress.fail(run, "remote", now, from_statuses=("running",))
        listeners.on_run_ended(run)
    for run, who in ((own, alice), (others, bob)):
        run.status, run.cancelled_by = "cancelled", who
        Run.objects.filter(pk=run.pk).update(status="cancelled", finished_at=now)
        listeners.on_run_ended(run)

    assert told(alice) == [("failed", "Poster failed"), ("failed", "Bob cancelled Poster")]


def test_a_muted_run_or_conversation_stays_silent(run: Run, alice: Member, bob: Member, sam: Member) -> None:
    front = results(run)[0]
    quiet = comments.post(Reviewer(member=alice), run, front, "Let us talk here")
    other = comments.post(Reviewer(member=alice), run, front, "And here")
    Mute.objects.create(member=alice, run=run, comment=quiet)

    comments.post(Reviewer(member=bob), run, front, "No", parent=quiet)
    comments.post(Reviewer(member=bob), run, front, "Yes", parent=other)
    assert [words for _kind, words in told(alice)] == ["Bob replied to a comment on “Front” from Oak desk"]
    Mute.objects.create(member=alice, run=run)
    comments.post(Reviewer(member=bob), run, front, "@Alice?", parent=other)
    comments.post(Reviewer(member=bob), run, front, "Alice won't hear of it")
    verdicts.decide(front, "approved", "", Reviewer(member=sam), None)

    assert len(told(alice)) == 1


def test_a_comment_tells_the_owner_and_the_maker_of_the_run(run: Run, alice: Member, bob: Member, sam: Member) -> None:
    Run.objects.filter(pk=run.pk).update(made_by=sam)
    run.refresh_from_db()
    comments.post(Reviewer(member=alice), run, None, "All four are lovely")
    said = comments.post(Reviewer(member=bob), run, results(run)[0], "@Alice, too dark?")

    assert told(sam) == [
        ("comment", "Alice commented on Oak desk"),
        ("comment", "Bob commented on “Front” from Oak desk"),
    ]
    assert told(alice) == [("mention", "Bob mentioned you in a comment on “Front” from Oak desk")], "told once"
    comments.remove(said, Reviewer(member=bob))
    assert len(told(sam)) == 1


def test_nobody_is_told_of_what_they_may_not_see(run: Run, alice: Member, bob: Member) -> None:
    front = results(run)[0]
    said = comments.post(Reviewer(member=bob), run, front, "Too dark?")
    comments.post(Reviewer(member=alice), run, front, "Yes", parent=said)
    assert len(told(bob)) == 1

    Run.objects.filter(pk=run.pk).update(shared_at=None)
    run.refresh_from_db()
    said.run = run
    comments.post(Reviewer(member=alice), run, front, "Really", parent=said)

    assert told(bob) == []
    assert Notice.objects.filter(member=bob).count() == 1


def test_admins_are_told_once_a_day_what_is_wrong_and_where_to_mend_it(
    alice: Member, bob: Member, admin_member: Member, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[Sent]
) -> None:
    monkeypatch.setattr(problems, "free_bytes", lambda: 1_000_000_000)
    status.record_status(key_refused_at=timezone.now())
    silent_since = timezone.now() - heartbeats.SILENT_AFTER - timedelta(minutes=1)
    Heartbeat.objects.create(name=f"{cluster_names.ANY} elsewhere:1", at=silent_since)
    for _ in range(3):
        problems.look()
        heartbeats.record_losses()
        bounces.record_bounce(bob)

    notices = list(Notice.objects.of(admin_member).for_lists().order_by("pk"))
    beginnings = [
        "Lamina is rejecting the workspace key",
        "The portal's disk is nearly full: 1",
        "Worker ",
        "Emails",
    ]
    assert [notice.kind for notice in notices] == ["portal"] * 4
    for notice, beginning in zip(notices, beginnings, strict=True):
        assert notice_text.title_of(notice).startswith(beginning)
    paths = [notice_text.path_of(notice).partition("?")[0] for notice in notices]
    assert paths == ["/manage/", "/manage/storage/", "/manage/", "/manage/people/"]
    assert told(alice) == told(bob) == []
    send_gathered()
    assert [mail.to for mail in mailoutbox] == [[admin_member.email]]
    assert mailoutbox[0].subject.endswith("so no new runs can start, and 3 more")  # one sentence, one full stop


def test_old_notices_go_and_so_do_those_of_people_who_leave(run: Run, alice: Member, bob: Member) -> None:
    now = timezone.now()
    said = comments.post(Reviewer(member=alice), run, None, "Here")
    for text in ("one", "two"):
        comments.post(Reviewer(member=bob), run, None, text, parent=said)
    first = Notice.objects.filter(member=alice).order_by("pk")[0]
    Notice.objects.filter(pk=first.pk).update(created_at=now - timedelta(days=90, minutes=1))

    read_state.tidy(now)

    assert len(told(alice)) == 1
    alice.refresh_from_db()
    assert alice.unread == 1
    listeners.on_member_left(alice)
    assert not Notice.objects.filter(member=alice).exists()


def test_many_old_notices_go_in_slices(alice: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_state, "SLICE", 10)
    now = timezone.now()
    old = now - read_state.RETENTION - timedelta(minutes=1)
    Notice.objects.bulk_create(
        Notice(member=alice, kind="portal", event=f"old:{n}", created_at=old - timedelta(days=n // 12))
        for n in range(25)
    )
    read_state.count_again([alice.pk])

    with CaptureQueriesContext(connection) as caught:
        read_state.tidy(now)

    deletes = [query["sql"] for query in caught if query["sql"].startswith("DELETE")]
    assert len(deletes) == 3
    alice.refresh_from_db()
    assert alice.unread == Notice.objects.count() == 0
