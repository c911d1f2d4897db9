"""Every place that shows or accepts decisions or comments, in all states (D15). axe finds no problems in a wide window
in English, or on a phone in German. On a phone, no page scrolls sideways, with scripts or without.

`test_guest_answers.py` checks what guests see; the scenes for `test_axe.py` include more forms with errors.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from runs.models import Decision, GuestLink, Member, Output, OutputFile, ReviewRules
from runs.review import comments, requests
from runs.review.deciders import Reviewer
from runs.review.verdicts import choose, decide, set_aside
from runs.sharing.links import make_link
from runs.sharing.visibility import share_with_team
from tests.support.factories import make_app, make_kept, make_run, make_stored
from tests.support.guest_links import guest_of, path_of
from tests.support.page_checks import SIDEWAYS, findings
from tests.support.photos import look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LABELS = ("Front", "Back", "Side", "Detail", "Poster", "Story", "Banner", "Card", "Lost", "Late")
# Submits a form of its own, because htmx would handle a press of a button on the page.
SEND = """([path, fields]) => {
    const form = document.createElement("form");
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    for (const [name, value] of Object.entries({ ...fields, csrfmiddlewaretoken: token })) {
        const field = document.createElement("input");
        Object.assign(field, { type: "hidden", name, value });
        form.append(field);
    }
    Object.assign(form, { method: "post", action: path });
    document.body.append(form);
    form.submit();
}"""


# Everything that people press, fill in or step through, if it's visible
CONTROLS = """() => [...document.querySelectorAll(
    "button, .button, input, select, textarea, summary:not(.is-printed > summary), nav, header.bar, dialog, a[download]"
)].filter((one) => one.checkVisibility()).map((one) => one.outerHTML.slice(0, 120))"""


@dataclass(frozen=True)
class State:
    """A page in one state: its path, an element that is found only in this state, and the fields to post to get there,
    if any."""

    path: str
    css: str
    posted: dict[str, str] | None = None

    def open(self, page: Page) -> None:
        if self.posted is None:
            page.goto(self.path)
        else:
            with page.expect_navigation():
                page.evaluate(SEND, [self.path, self.posted])
        expect(page.locator(f"main {self.css}").first).to_be_attached()
        page.locator(".decisions, .comments-older").evaluate_all("all => all.forEach((fold) => { fold.open = true; })")


@pytest.fixture
def anna(make_member: Callable[..., Member]) -> Member:
    return make_member("anna", role="admin")


@pytest.fixture
def results(alice: Member, anna: Member, make_member: Callable[..., Member]) -> dict[str, Output]:
    """Results in every state that a decision can have, keyed by label; "Newer" is version 2 of "Side", and "Own" was
    made by Anna."""
    ruth = make_member("ruth", role="approver")
    app = make_app(outputs=[{"index": n, "label": label, "type": "image"} for n, label in enumerate(LABELS)])
    run = make_run(alice, app, status="completed", title="Red shoe")
    for position in range(len(LABELS) - 2):
        make_kept(run, make_stored((900, 300 * (1 + position % 6))), position)
    share_with_team(run)
    run.refresh_from_db()
    front, back, side, detail, poster, story, banner, card, lost, late = run.outputs.all()
    for output, status in ((lost, "failed"), (late, "saving")):
        OutputFile.objects.create(output=output, source_url="https://x.test/a.png", status=status)
        Output.objects.filter(pk=output.pk).update(content_hash="")
    later = make_run(alice, app, status="completed", title="Red shoe", shared_at=timezone.now())
    newer = make_kept(later, make_stored((600, 600))).output
    own = make_kept(make_run(anna, app, status="completed", title="Blue shoe")).output
    decide(front, "approved", "Lovely", Reviewer(ruth), None)
    decide(front, "approved", "Use this one", Reviewer(anna), None)
    decide(back, "rejected", "The shoe is cut off", Reviewer(anna), None)
    decide(side, "changes", "Warmer light, please", Reviewer(ruth), None)
    for number in range(2):
        comments.post(Reviewer(ruth), run, side, f"Too cold, {number + 1}", spot=(2_000, 3_000 * (number + 1)))
    Output.objects.filter(pk=newer.pk).update(line=side, number=2)
    decide(detail, "changes", "Too dark", Reviewer(ruth), None)
    set_aside(Decision.objects.get(output=detail), "Ruth meant another one", Reviewer(anna))
    choose(card, [banner], Reviewer(ruth), {output.pk: 0 for output in (card, banner)})
    link = make_link(alice, [poster])
    GuestLink.objects.update(lets_decide=True)
    link.refresh_from_db()
    decide(poster, "changes", "Our red, please", Reviewer(guest=guest_of(link, "Kim")), None)
    for number in range(20):
        who = Reviewer(member=(alice, anna)[number % 2])
        spot = (450 * number, 400 * number) if number % 3 else None
        comments.post(who, run, poster, f"Remark {number + 1}", spot=spot)
    ReviewRules.objects.create(four_eyes=True)
    requests.ask(alice, [poster, story], message="Which one?", due_on=timezone.localdate() + timedelta(days=1))
    requests.ask(anna, [newer])
    return dict(zip(LABELS, run.outputs.all(), strict=True)) | {"Newer": newer, "Own": own}


@pytest.fixture
def states(results: dict[str, Output], anna: Member) -> list[State]:
    """Return the pages that Anna opens, one for each state."""
    front, side, poster, own = (results[label] for label in ("Front", "Side", "Poster", "Own"))
    run, mine = poster.run.get_absolute_url(), poster.comments.filter(member=anna)[0]
    comment, decide_url = f"/comments/{mine.public_id}", f"{front.get_absolute_url()}decide/"
    write, write_own = f"{poster.get_absolute_url()}comment/", f"{own.get_absolute_url()}comment/"
    shown = " ".join(f"{results[label].public_id}.0" for label in ("Story", "Newer"))
    return [
        *(State(result.get_absolute_url(), ".verdict-on-page") for result in results.values()),
        State(decide_url, ".verdict-error", {"verdict": "rejected", "seen": str(front.decided_in)}),  # gets a 422
        State(decide_url, ".verdict-error", {"verdict": "changes", "note": "Paler", "seen": "0"}),  # gets a 409
        State("/", ".home-waiting"),
        State("/review/", "#decide"),
        State("/review/asked/", ".request-line"),
        State("/review/decided/", ".decided-picture"),
        State("/review/many/", ".ask-page > p > .button"),  # no results are selected any more
        State("/review/many/", "#many-error", {"shown": shown, "verdict": "rejected"}),
        State(run, ".verdict-on-box"),
        State(f"{run}comment/", "#comment-form-new"),
        State(f"{run}people/?q=a", ".person-match"),
        State(write, "#comment-form-new"),
        State(write, ".comment-error", {"text": "x" * 2_001}),
        State(write, ".people-list", {"text": "Look", "act": "people"}),
        State(write_own, ".comment-unseen", {"text": "Look, @Ruth"}),
        State(f"{comment}/reply/", ".comment-about"),
        State(f"{comment}/edit/", "textarea"),
        State(f"{comment}/remove/", ".comment-ask"),
        State(f"/compare/?f={front.public_id},{side.public_id}", ".verdict-on-column"),
        State("/history/?tab=team&decision=changes", ".run-card"),
        State("/manage/review/", "form"),
    ]


def test_axe_finds_nothing_wherever_a_decision_is_shown(
    new_context: Callable[..., BrowserContext], anna: Member, states: list[State]
) -> None:
    page = new_context(anna, viewport={"width": 1280, "height": 800}, reduced_motion="reduce").new_page()
    found = []
    for language, width, height, scheme in [("en", 1280, 800, "light"), ("de", 320, 640, "dark")]:
        Member.objects.filter(pk=anna.pk).update(language=language)
        look(page, width, height, scheme)
        for state in states:
            state.open(page)
            assert page.locator("html").get_attribute("lang") == language
            said = [page.evaluate(SIDEWAYS), *findings(page)]
            found += [f"{language} {state.path} {state.css}: {one}" for one in said if one]
    assert not found, "\n".join(found)


def test_without_scripts_nothing_scrolls_sideways_on_a_phone(
    new_context: Callable[..., BrowserContext], anna: Member, states: list[State]
) -> None:
    Member.objects.filter(pk=anna.pk).update(language="de")
    page = new_context(anna, viewport={"width": 320, "height": 640}, java_script_enabled=False).new_page()
    found = []
    for state in states:
        state.open(page)
        if said := page.evaluate(SIDEWAYS):
            found.append(f"{state.path} {state.css}: {said}")
    assert not found, "\n".join(found)


def test_print_leaves_out_controls_and_keeps_what_they_are_about(
    new_context: Callable[..., BrowserContext], anna: Member, results: dict[str, Output]
) -> None:
    poster = results["Poster"]
    poster.run.inputs.create(position=9, name="Brief", type="text", value="As long as it takes. " * 30)
    GuestLink.objects.update(may_download=True, lets_comment=True, shows_inputs=True)
    Member.objects.filter(pk=anna.pk).update(theme="dark")
    page = new_context(anna, viewport={"width": 794, "height": 1123}).new_page()
    pages = {
        results["Front"].get_absolute_url(): ["Where it came from", "Lovely", "Use this one", "Fingerprint"],
        poster.get_absolute_url(): ["Our red, please", "Remark 20"],
        results["Story"].get_absolute_url(): ["Not reviewed"],
        poster.run.get_absolute_url(): ["Red shoe", "Use this one", "Brief", "As long as it takes. " * 29],
        "/review/": ["Alice is asking for a decision", "Which one?"],
        "/review/decided/": ["Our red, please"],
        path_of(GuestLink.objects.get()): ["1 image from Alice", "As long as it takes. " * 29],
    }
    for path, words in pages.items():
        page.goto(path)
        page.emulate_media(media="print")
        assert not page.evaluate(CONTROLS), path
        shown = page.locator("main").inner_text().lower()
        for said in words:
            assert said.strip().lower() in shown, path
        assert not {"ago", "now"} & set(shown.split()), "paper says when"
        assert page.locator("main img").first.is_visible()
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light", "ink on white paper"
        page.emulate_media(media="screen")
