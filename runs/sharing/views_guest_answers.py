"""Receives what guests send from a link's page: decisions and comments. Only POST records anything.

There are no cookies or scripts, so access is proven by the secret URL and signed form fields. The response is the page
itself: a redirect would have to carry those fields in an address. Whatever goes wrong, the page still shows what the
guest typed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from runs.models import Guest, GuestLink, Output
from runs.notices import guest_contacts
from runs.review import guest_answers, guest_comments, typed_places
from runs.review.comment_text import CommentRefusedError, cleaned
from runs.review.errors import (
    DecisionError,
    NotAllowedError,
    ReasonNeededError,
    StaleDecisionError,
    SupersededError,
)
from runs.review.guest_answers import LinkClosedError
from runs.review.guest_comments import CommentPlace
from runs.review.verdicts import check_reason, clean_note
from runs.sharing import guest_fields, guests, pages_guest, pages_guest_comment
from runs.sharing.forms_guest import GuestForm
from runs.sharing.guest_addresses import Addresses
from runs.sharing.guest_fields import EmailRefusedError, NameRefusedError
from runs.sharing.guest_identity import Sender
from runs.sharing.pages_guest_answers import Visit, placed_file
from runs.sharing.views_guest_base import for_guests, open_link, passphrase_page, plain, visitors
from runs.team import mail


@dataclass(frozen=True)
class GuestPress:
    """A button press on an open page, by someone who's allowed to see it."""

    request: HttpRequest
    token: str
    link: GuestLink
    form: GuestForm
    page_key: str = ""
    guest: Guest | None = None
    addressee: Guest | None = None
    name: str = ""  # typed by somebody new
    email: str = ""  # typed along with the name; "" if left blank

    @property
    def sender(self) -> Sender:
        return Sender(self.guest, self.name, self.page_key, self.form.digest())

    def recorded(self, guest: Guest) -> "GuestPress":
        """Return the same press by `guest`, without its note, now that it has been recorded. Everything else that the
        guest typed is kept, so that nothing is lost."""
        words = {result: words for result, words in self.form.words.items() if result != self.form.result}
        return replace(self, guest=guest, addressee=None, form=replace(self.form, words=words))


@for_guests
@require_http_methods(["GET", "HEAD", "POST"])
def guest_decide(request: HttpRequest, token: str) -> HttpResponseBase:
    """Record a guest's decision on one result, and show the page again. If we don't know the guest yet, ask for their
    name first."""
    press = _press_of(request, token)
    if isinstance(press, HttpResponse):
        return press
    if not press.form.verdict and not press.form.is_back:
        return _page(press, 422, _("Press one of the buttons below a result."))
    return _answer(press, _decide)


@for_guests
@require_http_methods(["GET", "HEAD", "POST"])
def guest_comment(request: HttpRequest, token: str) -> HttpResponseBase:
    """Post a guest's comment on one result, or show the page for marking a spot or time."""
    press = _press_of(request, token)
    if isinstance(press, HttpResponse):
        return press
    if press.form.act not in ("comment", "place") and not press.form.is_back:
        return _page(press, 422, _("Press one of the buttons below a result."))
    return _answer(press, _comment)


def _answer(press: GuestPress, record: Callable[[GuestPress, Output], HttpResponse]) -> HttpResponse:
    """Record an answer, or say what is wrong with it. Either way, nothing that was typed is lost."""
    if press.form.is_back:
        return _page(press)
    output = guests.shown_output(press.link, press.form.result)
    if output is None:
        return _page(press, 410, _("That result isn't shown here any more, so nothing was recorded."))
    try:
        return record(press, output)
    except LinkClosedError as closed:
        return plain(press.request, closed.state.value, 410, press.link, press.form)
    except DecisionError as error:
        return _page(press, 422, _words_of(error, press.link), at=press.form.result)
    except CommentRefusedError as refused:
        words = _comment_words(refused, press.link)
        if press.form.has_place:
            return _comment_page(press, output, words)
        return _page(press, 422, words, at=press.form.result)


def _decide(press: GuestPress, output: Output) -> HttpResponse:
    form = press.form
    check_reason(form.verdict, clean_note(form.note))  # so that guests find out before being asked for their name
    press_with_name = _with_name(press)
    if isinstance(press_with_name, HttpResponse):
        return press_with_name
    content = form.content_keys.get(form.result, "")
    guest, is_new = guest_answers.answer(press.link, output, form.verdict, form.note, press_with_name.sender, content)
    return _recorded(press_with_name, guest, is_new=is_new, answered=output.public_id)


def _comment(press: GuestPress, output: Output) -> HttpResponse:
    if press.form.act == "place":
        return _comment_page(press, output)
    place = _place_of(press.form, output)
    cleaned(press.form.note)
    press_with_name = _with_name(press)
    if isinstance(press_with_name, HttpResponse):
        return press_with_name
    guest, is_new = guest_comments.comment_as_guest(press.link, output, press.form.note, press_with_name.sender, place)
    return _recorded(press_with_name, guest, is_new=is_new, commented=output.public_id)


def _place_of(form: GuestForm, output: Output) -> CommentPlace:
    """Return the spot or time that the comment is about. Raises `CommentRefusedError`."""
    output_file = placed_file(output)
    if output_file is None:
        return CommentPlace()
    at_ms = typed_places.time_typed(output_file.file, form.at)
    return CommentPlace(typed_places.spot_typed(output_file.file, form.x, form.y), at_ms, output_file.position)


def _press_of(request: HttpRequest, token: str) -> GuestPress | HttpResponse:
    """Return the press or, if there is none, a response: a redirect to the link's page if this isn't a POST, otherwise
    a page that says what is wrong."""
    form = GuestForm.of(request)
    link = open_link(request, token, form)
    if isinstance(link, HttpResponse):
        return link
    if request.method != "POST":
        query = request.META.get("QUERY_STRING", "")
        return HttpResponseRedirect(f"{reverse('runs:guest', args=[token])}{f'?{query}' if query else ''}")
    if (refused := passphrase_page(request, link, form)) is not None:
        return refused
    if not guests.record_answer(request, link):
        return plain(request, "busy", 429, link, form)
    page_key = guest_fields.page_key_of(link, form.opened)
    press = GuestPress(request, token, link, form, page_key or "", *visitors(request, link, form))
    if page_key is None or (form.guest and not press.guest):
        words = _(
            "This page was open too long, or it belongs to a different link. Look at the results again, then answer."
        )
        return _page(press, 403, words)
    return press


def _with_name(press: GuestPress) -> GuestPress | HttpResponse:
    """Return the press with the guest's name, or the page that asks for the name."""
    if press.guest or press.name:
        return press
    if not press.form.is_asked:
        return _name_page(press)
    try:
        name = guest_fields.clean_name(press.form.name)
    except NameRefusedError as refused:
        return _name_page(press, refused.sentence)
    try:
        return replace(press, name=name, email=guest_contacts.clean_email(press.link, press.form.email))
    except EmailRefusedError as refused:
        return _name_page(press, refused.sentence, wrong="email")


def _recorded(
    press: GuestPress, guest: Guest, *, is_new: bool, answered: str = "", commented: str = ""
) -> HttpResponse:
    """Show the page, which says what was recorded. The guest's email address is stored only once an answer has been
    recorded."""
    if press.email and is_new:
        guest_contacts.remember(guest, press.email)
    return _page(press.recorded(guest), answered=answered, commented=commented)


# --- Pages ------------------------------------------------------------------------------------------------------------
def _page(
    press: GuestPress, status: int = 200, problem: str = "", *, at: str = "", answered: str = "", commented: str = ""
) -> HttpResponse:
    """Render the guest page with everything that was typed. If there is a `problem` with one result, `at` is that
    result's id."""
    visit = Visit(press.guest, press.addressee, answered, commented, press.form, problem, at)
    page = pages_guest.guest_page(press.link, press.token, visit)
    if not page.results:
        return plain(press.request, "withdrawn", 410, press.link, press.form)
    return render(press.request, "sharing/guest.html", {"page": page, "link": press.link}, status=status)


def _comment_page(press: GuestPress, output: Output, problem: str = "") -> HttpResponse:
    """Render the page for marking a spot or time to comment on; a click on the picture marks the spot."""
    page = pages_guest_comment.comment_page(press.link, output, press.form, Addresses(press.link, press.token))
    context = {"page": page, "press": press, "problem": problem}
    return render(press.request, "sharing/guest_comment.html", context, status=422 if problem else 200)


def _name_page(press: GuestPress, error: str = "", *, wrong: str = "name") -> HttpResponse:
    """Render the page that asks for the guest's name and email address. The page passes on what the guest typed and
    which button they pressed. `wrong` is the field that the `error` is about."""
    context = {
        "press": press,
        "sender": press.link.member.display_name,
        "error": error,
        "wrong": wrong if error else "",
        "asks_email": mail.is_set_up(),
    }
    return render(press.request, "sharing/guest_name.html", context, status=422 if error else 200)


def _words_of(error: DecisionError, link: GuestLink) -> str:
    """Return an error's text, reworded where needed for a guest, who never sees the team's pages."""
    sender = {"sender": link.member.display_name}
    if isinstance(error, SupersededError):
        return _("There is a newer version now. Ask %(sender)s to show it here, then answer that one instead.") % sender
    if isinstance(error, StaleDecisionError):
        return _("This result has changed since you opened the page. Look at it again, then answer.")
    if isinstance(error, ReasonNeededError):
        return _("Say what needs changing, so %(sender)s knows what to do.") % sender
    if isinstance(error, NotAllowedError) and not link.lets_decide:
        return _("%(sender)s has turned off answers for this link, so your answer wasn't saved.") % sender
    return error.sentence


def _comment_words(refused: CommentRefusedError, link: GuestLink) -> str:
    if refused.code == "not-allowed" and not link.lets_comment:
        words = _("%(sender)s has turned off comments for this link, so your comment wasn't posted.")
        return words % {"sender": link.member.display_name}
    return refused.sentence
