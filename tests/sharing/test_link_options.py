"""A link's options: who it's for, what it shows, how long it lasts, and how invalid options are reported."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.hashers import make_password
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from runs.models import Decision, Entry, GuestLink, Member, Output, Run, SharingRules, StoredFile, Verb
from runs.review.deciders import Reviewer
from runs.sharing import links
from runs.sharing.forms import link_form
from runs.templatetags.icons import icon
from tests.support.factories import make_kept, make_run, make_stored
from tests.support.guest_links import guest_of, path_of
from tests.support.html import flat
from tests.support.page import Page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_noon")]


def options(run: Run, **changes: object) -> dict[str, object]:
    given: dict[str, object] = {"o": [o.public_id for o in run.outputs.all()], "audience": "", "message": ""}
    return given | {"last_day": f"{timezone.localdate() + timedelta(days=3)}"} | changes


def test_options_change_what_the_same_address_shows(as_alice: Client, link: GuestLink, run: Run) -> None:
    text = run.outputs.all()[1].public_id
    filled = options(run, o=[text], audience="Kim", message="Look", passphrase="open sesame", may_download="on")
    as_alice.post(f"/shares/{link.public_id}/", filled)
    link.refresh_from_db()
    assert (links.last_day_of(link) - timezone.localdate()).days == 3
    page = Client().post(path_of(link), {"passphrase": "open sesame"}).content.decode()
    assert "For <bdi>Kim</bdi>" in page
    assert "<img" not in page
    as_alice.post(f"/shares/{link.public_id}/", options(run))
    link.refresh_from_db()
    assert link.passphrase
    as_alice.post(f"/shares/{link.public_id}/", options(run, no_passphrase="on"))
    assert "Made for walking." in Client().get(path_of(link)).content.decode()


def test_the_address_goes_into_an_email_of_ones_own_with_the_message_but_not_the_passphrase(
    as_alice: Client, link: GuestLink, run: Run
) -> None:
    GuestLink.objects.filter(pk=link.pk).update(message="Hi Kim,\nwhich one?", passphrase=make_password("blue bird"))
    for page in (f"/shares/{link.public_id}/", f"/runs/{run.public_id}/share/", "/shares/"):
        (mail,) = (
            address
            for one in Page(as_alice.get(page).text).root.find("a")
            if (address := one.attributes["href"]).startswith("mailto:?")
        )
        fields = parse_qs(mail.partition("?")[2])
        assert fields["subject"] == ["2 results from Alice"]
        message, address = fields["body"][0].split("\r\n\r\n")
        assert message == "Hi Kim,\r\nwhich one?"
        assert urlsplit(address).path == path_of(link)
    links.revoke(link, link.member)
    assert "mailto:?" not in as_alice.get(f"/shares/{link.public_id}/").text


def test_videos_and_sounds_are_told_from_pictures(as_alice: Client, alice: Member, link: GuestLink, run: Run) -> None:
    film, sound = make_stored((500, 400)), make_stored((400, 500))
    StoredFile.objects.filter(pk=film.pk).update(kind="video")
    StoredFile.objects.filter(pk=sound.pk).update(kind="audio", thumb_200="")
    run.outputs.update(text="")
    for file, output in zip((film, sound), run.outputs.all(), strict=True):
        output.files.all().delete()
        make_kept(run, file, output.position)

    choices = as_alice.get(f"/shares/{link.public_id}/").text
    row = as_alice.get("/shares/").text

    assert choices.count('class="kind-mark"') == 1
    assert flat(f'<span class="link-output-icon">{icon("audio")}</span>') in flat(choices)
    assert row.count('class="kind-mark"') == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"o": []}, "at least one result"),
        ({"last_day": "2020-01-01"}, "Choose a date from today to"),
        ({"last_day": "2999-01-01"}, "Choose a date from today to"),
        ({"last_day": "2026-02-31"}, "Choose a date from today to"),
        ({"last_day": "soon"}, "Choose a date from today to"),
        ({"passphrase": "abc"}, "at least 6 characters"),
        ({"audience": "x" * 151}, "Use at most 150 characters."),
    ],
)
def test_each_error_is_shown_and_nothing_typed_is_lost(
    as_alice: Client, link: GuestLink, run: Run, changes: dict[str, object], words: str
) -> None:
    answer = as_alice.post(f"/shares/{link.public_id}/", options(run, message="Typed words", **changes))
    assert answer.status_code == 422
    (error,) = [a.words for a in Page(answer.text).first(css="notice").find("a")]
    assert words in error
    assert [f'href="#share-{field}"' in answer.text for field in changes] == [True]
    assert "Typed words" in answer.content.decode()
    link.refresh_from_db()
    assert link.message == ""


@pytest.mark.parametrize("is_good", [True, False])
def test_the_form_itself_changes_nothing_about_the_link(
    link: GuestLink, run: Run, alice: Member, *, is_good: bool
) -> None:
    """The page shows the form next to the link as it is, and the record compares the link before and after."""
    filled = QueryDict(mutable=True)
    filled.setlist("o", [output.public_id for output in run.outputs.all()])
    last_day = f"{timezone.localdate() + timedelta(days=3)}" if is_good else "soon"
    filled.update({"last_day": last_day, "audience": "Kim", "message": "One\r\ntwo", "lets_decide": "on"})

    form = link_form(link, alice, filled)

    assert form.is_valid() == is_good
    assert (link.audience, link.message, link.lets_decide) == ("", "", False)
    if (link_options := form.link_options) is not None:
        links.change_link(link, link_options)
        link.refresh_from_db()
        assert (link.audience, link.message, link.lets_decide) == ("Kim", "One\ntwo", True)
        changes = Entry.objects.filter(verb=Verb.LINK_CHANGED).latest("pk").changes
        assert {"audience", "message", "lets_decide"} <= set(changes)


def test_a_link_never_includes_what_its_maker_may_not_share(
    as_alice: Client, link: GuestLink, run: Run, make_member: Callable[..., Member]
) -> None:
    foreign = make_run(make_member("eve"), run.app, status="completed", shared_at=timezone.now())
    make_kept(foreign)
    mine = [output.public_id for output in run.outputs.all()]
    as_alice.post(f"/shares/{link.public_id}/", options(run, o=[*mine, foreign.outputs.all()[0].public_id]))
    assert {output.run_id for output in link.outputs.all()} == {run.pk}


def test_saving_options_never_opens_a_link_that_was_revoked_meanwhile(link: GuestLink, run: Run, alice: Member) -> None:
    read_before = GuestLink.objects.get(pk=link.pk)
    links.revoke(link, alice)
    GuestLink.objects.update(views=7)
    filled = QueryDict(mutable=True)
    filled.setlist("o", [output.public_id for output in run.outputs.all()])
    filled.update({"last_day": f"{timezone.localdate() + timedelta(days=3)}", "audience": "Kim"})
    link_options = link_form(read_before, alice, filled).link_options
    assert link_options is not None

    links.change_link(read_before, link_options)

    link.refresh_from_db()
    assert (link.revoked_by, link.views, link.audience) == (alice, 7, "Kim")


def test_whoever_may_no_longer_make_links_changes_none(as_alice: Client, link: GuestLink, run: Run) -> None:
    """Otherwise, people who may no longer make links could make an old one show more, or last longer."""
    rules = SharingRules.current()
    rules.link_makers = SharingRules.Makers.APPROVER
    rules.save()
    later = f"{timezone.localdate() + timedelta(days=60)}"

    answer = as_alice.post(f"/shares/{link.public_id}/", options(run, last_day=later, shows_inputs="on"))

    assert answer.status_code == 403
    kept = GuestLink.objects.get()
    assert (kept.shows_inputs, kept.expires_at) == (False, link.expires_at)
    page = as_alice.get(f"/shares/{link.public_id}/").content.decode()
    assert "Only approvers and admins" in page
    assert 'name="last_day"' not in page
    assert as_alice.post(f"/shares/{link.public_id}/revoke/").status_code == 302


def test_a_link_is_revoked_and_back_on_its_own_page(as_alice: Client, link: GuestLink) -> None:
    at = f"/shares/{link.public_id}/"
    for act, words in (("revoke", "The link was revoked"), ("restore", "The link works again")):
        page = as_alice.get(at).content.decode()
        assert f'action="{at}{act}/"' in page
        answer = as_alice.post(f"{at}{act}/", {"back": at}, follow=True)
        assert answer.redirect_chain == [(at, 302)]
        assert words in answer.content.decode()


# --- Links that somebody else made ------------------------------------------------------------------------------------
def panel(client: Client, run: Run) -> str:
    return client.get(f"/runs/{run.public_id}/share/").content.decode()


def test_a_maker_ends_a_link_that_an_admin_made_to_their_run(
    as_alice: Client, as_bob: Client, admin_member: Member, run: Run
) -> None:
    made = links.make_link(admin_member, list(run.outputs.all()))
    page, at = panel(as_alice, run), f"/shares/{made.public_id}"
    assert path_of(made) in page
    assert f'action="{at}/revoke/"' in page
    assert f'href="{at}/"' not in page  # only the link's maker, the admin, can change its options
    assert as_alice.get(f"{at}/").status_code == 404

    answer = as_alice.post(f"{at}/revoke/", {"run": run.public_id}, headers={"HX-Request": "true"})

    assert f'action="{at}/restore/"' in answer.content.decode()
    made.refresh_from_db()
    assert made.revoked_at is not None
    assert as_alice.post(f"{at}/restore/").status_code == 302
    assert as_bob.post(f"{at}/revoke/").status_code == 404


def test_a_maker_learns_no_address_that_shows_other_peoples_runs(
    as_alice: Client, admin_member: Member, bob: Member, run: Run
) -> None:
    secret = make_run(bob, run.app, status="completed", deleted_at=timezone.now())
    made = links.make_link(admin_member, [*run.outputs.all(), *secret.outputs.all()])

    page = panel(as_alice, run)

    assert path_of(made) not in page
    assert f"/shares/{made.public_id}/" not in page
    assert "also shows other people's runs" in page
    assert as_alice.post(f"/shares/{made.public_id}/revoke/").status_code == 404
    as_alice.post(f"/runs/{run.public_id}/share/", {"who": "me"})
    assert {output.run for output in made.outputs.all()} == {secret}


def test_a_link_whose_maker_lost_its_results_says_so(as_admin: Client, admin_member: Member, run: Run) -> None:
    made = links.make_link(admin_member, list(run.outputs.all()))
    Member.objects.filter(pk=admin_member.pk).update(role="maker", is_superuser=False)

    page = as_admin.get(f"/shares/{made.public_id}/").content.decode()

    assert "results are yours to share" in page
    assert 'name="last_day"' not in page


def test_a_choice_already_made_is_no_button(as_alice: Client, link: GuestLink, run: Run) -> None:
    page = as_alice.get(f"/runs/{run.public_id}/share/").content.decode()
    assert "<strong>Guest link</strong>" in page
    assert f'<button class="share-choice" id="share-{run.public_id}-guest"' not in page
    assert "Create another link" in page
    assert 'name="who" value="not-team"' not in page

    as_alice.post(f"/runs/{run.public_id}/share/", {"who": "team"})

    page = as_alice.get(f"/runs/{run.public_id}/share/").content.decode()
    assert f'<button class="share-choice" id="share-{run.public_id}-team"' not in page
    assert 'name="who" value="not-team"' in page


def test_only_me_takes_a_run_out_of_ended_links_of_several_too(as_alice: Client, alice: Member, run: Run) -> None:
    other = make_run(alice, status="completed")
    make_kept(other)
    outputs = Output.objects.filter(run__in=(run, other)).values_list("public_id", flat=True)
    link = links.make_link(alice, links.outputs_for(alice, outputs))
    links.revoke(link, alice)

    page = as_alice.post(f"/runs/{run.public_id}/share/", {"who": "me"}, follow=True).content.decode()
    assert "Only you and admins can see this run now." in page
    assert "revoked." not in page  # the link was already revoked
    links.restore(link, SharingRules.current())

    assert set(link.outputs.values_list("run", flat=True)) == {other.pk}


def test_every_change_of_a_link_marks_what_it_shows_as_changed(run: Run, link: GuestLink, alice: Member) -> None:
    def version() -> int:
        run.refresh_from_db()
        return run.version

    versions = [version()]
    assert versions == [2]  # making the link raised it to 2
    links.revoke(link, alice)
    versions.append(version())
    links.revoke(link, alice)
    versions.append(version())
    links.restore(link, SharingRules.current())
    versions.append(version())
    assert versions == [2, 3, 3, 4]


def test_a_list_of_links_reveals_nothing_of_a_run_that_its_maker_may_not_see(
    admin_member: Member, as_admin: Client, run: Run
) -> None:
    Run.objects.filter(pk=run.pk).update(title="", summary=[{"name": "Prompt", "text": "Secret words", "type": "text"}])
    link = links.make_link(admin_member, list(run.outputs.all()))
    pages = ("/shares/", f"/shares/{link.public_id}/")
    assert all("Secret words" in as_admin.get(page).content.decode() for page in pages)

    Member.objects.filter(pk=admin_member.pk).update(role="maker")

    for page in pages:
        body = as_admin.get(page).content.decode()
        assert "Secret words" not in body
        assert run.public_id not in body.replace(f"run-{run.public_id}", "")


# --- What guests may answer -------------------------------------------------------------------------------------------
ANSWERS = ("lets_decide", "lets_comment", "shows_comments", "hides_names")


def test_guests_answer_only_where_the_maker_says_so(as_alice: Client, link: GuestLink, run: Run) -> None:
    boxes = Page(as_alice.get(f"/shares/{link.public_id}/").text).root.find("input")
    ticked = {box.attributes["name"]: "checked" in box.attributes for box in boxes if "name" in box.attributes}
    assert [ticked[name] for name in ANSWERS] == [False] * 4
    link.refresh_from_db()
    assert [getattr(link, name) for name in ANSWERS] == [False] * 4

    as_alice.post(f"/shares/{link.public_id}/", options(run, lets_decide="on", hides_names="on"))

    link.refresh_from_db()
    assert [getattr(link, name) for name in ANSWERS] == [True, False, False, True]


def test_lists_say_how_much_is_answered(as_alice: Client, link: GuestLink, run: Run) -> None:
    assert "answered" not in as_alice.get("/shares/").text
    GuestLink.objects.update(lets_decide=True, lets_comment=True)
    Output.objects.update(content_hash="a" * 64)
    assert "0 of 2 answered" in as_alice.get("/shares/").text
    answered(run.outputs.all()[0], link, "Kim")
    answered(run.outputs.all()[0], link, "Lee")  # the same result counts only once
    answered(run.outputs.all()[1], link, "Kim", content_hash="b" * 64)  # an answer about content it no longer has
    for page in ("/shares/", f"/shares/{link.public_id}/", f"/runs/{run.public_id}/share/"):
        words = as_alice.get(page).text
        assert "1 of 2 answered" in words
        assert "Guests can comment" in words


def answered(output: Output, link: GuestLink, name: str, **fields: object) -> None:
    values = {"output": output, "verdict": "approved", **Reviewer(guest=guest_of(link, name)).fields}
    Decision.objects.create(**(values | {"content_hash": output.content_hash, "is_standing": True} | fields))
