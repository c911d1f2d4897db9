"""The text of a notice, and the path it links to, in the active language.

Works for `Notice` and `ChatMessage` rows, and for `create_notices.NewNotice`. The text is created when someone reads
it, so it uses current names and titles. It contains the app's name, the run's title, result labels and people's names,
but never inputs.
"""

from typing import Protocol

from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from runs.models import Comment, Decision, Member, NoticeKind, Output, ReviewRequest, Run
from runs.models.messages import Message
from runs.words.messages import SPENDING, say
from runs.words.numbers import number_words
from runs.words.one_line import one_line

NAME_CHARS, LABEL_CHARS, WORDS_CHARS = 60, 60, 200
PORTAL_PLACES = {  # pages where admins can fix these problems; all other problems lead to Health
    "little_room": "manage-storage",
    "many_strays": "manage-storage",
    "mail_dead": "manage-people",
    "mail_given_up": "manage-people",
    "chat_off": "manage-notices",
    "chat_message_lost": "manage-notices",
}


class NoticeContent(Protocol):
    """What a notice is about. Database rows also have `public_id`, `actor`, `guest_name` and `results`."""

    @property
    def kind(self) -> str: ...
    @property
    def event(self) -> str: ...
    @property
    def run(self) -> Run | None: ...
    @property
    def output(self) -> Output | None: ...
    @property
    def comment(self) -> Comment | None: ...
    @property
    def decision(self) -> Decision | None: ...
    @property
    def request(self) -> ReviewRequest | None: ...
    @property
    def message(self) -> Message: ...


def title_of(content: NoticeContent) -> str:
    """Return one line about what happened, such as "Sam approved “Front view” from Oak desk"."""
    return one_line(_title(content))


def words_of(content: NoticeContent) -> str:
    """Return the start of the comment, note or message; "" if there is none."""
    text = content.comment.text if content.comment else content.decision.note if content.decision else ""
    if content.request is not None:
        text = content.request.message
    return Truncator(one_line(text)).chars(WORDS_CHARS)


def path_of(content: NoticeContent) -> str:
    """Return the path to the exact place that the notice is about. Opening it marks the notice as read."""
    public_id = getattr(content, "public_id", "")
    path, mark, anchor = _place(content).partition("#")
    if public_id:
        path = f"{path}{'&' if '?' in path else '?'}notice={public_id}"
    return f"{path}{mark}{anchor}"


def run_name(run: Run) -> str:
    """Return the run's title; if it has none, its app's name. Doesn't use `Run.display_title`, which may contain an
    input."""
    return Truncator(one_line(run.title or run.app_name)).chars(NAME_CHARS)


def who_of(content: NoticeContent) -> str:
    """Return the name of the person who did it, with guests marked as such; "" if it wasn't a person."""
    actor: Member | None = getattr(content, "actor", None)
    act = content.comment or content.decision
    guest: str = getattr(content, "guest_name", "") or (act.guest_name if act is not None and act.is_guest else "")
    if guest:
        return _("%(name)s (guest)") % {"name": Truncator(one_line(guest)).chars(NAME_CHARS)}
    if actor is None and act is not None:
        actor = act.member
    if actor is None and content.request is not None:
        actor = content.request.asker
    return Truncator(one_line(actor.display_name)).chars(NAME_CHARS) if actor else ""


def _title(content: NoticeContent) -> str:
    values = {"who": who_of(content) or pgettext("who did it", "Somebody"), "place": _place_words(content)}
    match NoticeKind(content.kind):  # mypy checks that no kind is missing
        case NoticeKind.LIMIT | NoticeKind.PORTAL:
            return say(content.message)
        case NoticeKind.READY | NoticeKind.FAILED:
            return _end(content)
        case NoticeKind.ASKED:
            return _request_title(content) % values
        case NoticeKind.MENTION:
            return _("%(who)s mentioned you in a comment on %(place)s") % values
        case NoticeKind.REPLY:
            return _("%(who)s replied to a comment on %(place)s") % values
        case NoticeKind.COMMENT | NoticeKind.GUEST | NoticeKind.DECIDED | NoticeKind.SET_ASIDE:
            return _act_title(content) % values


def _end(content: NoticeContent) -> str:
    values = {"run": run_name(content.run) if content.run else "", "who": who_of(content)}
    if content.kind == NoticeKind.READY:
        return _("%(run)s is ready") % values
    if content.run is not None and content.run.status == Run.Status.CANCELLED:
        return (_("%(who)s cancelled %(run)s") if values["who"] else _("%(run)s was cancelled")) % values
    return _("%(run)s failed") % values


def _request_title(content: NoticeContent) -> str:
    if content.request is not None and content.request.reminded_at is not None:
        return _("%(who)s sent you a reminder to decide on %(place)s")
    return _("%(who)s is asking for your decision on %(place)s")


def _act_title(content: NoticeContent) -> str:
    Act, Verdict, decision = Decision.Act, Decision.Verdict, content.decision
    if decision is None:
        return _("%(who)s commented on %(place)s")
    if not decision.is_counted:
        if decision.verdict == Verdict.APPROVED:
            return _("%(who)s says %(place)s is approved. Someone on the team has to decide.")
        return _("%(who)s says %(place)s needs changes. Someone on the team has to decide.")
    sentences: dict[str, str] = {
        Verdict.APPROVED: _("%(who)s approved %(place)s"),
        Verdict.CHANGES: _("%(who)s asked for changes to %(place)s"),
        Verdict.REJECTED: _("%(who)s rejected %(place)s"),
        Act.SET_ASIDE: _("%(who)s set aside a decision on %(place)s"),
    }
    return sentences.get(decision.verdict or decision.act, _("%(who)s withdrew their decision on %(place)s"))


def _place_words(content: NoticeContent) -> str:
    """Return what the notice is about as a phrase: "“Front view” from Oak desk" or "3 results from Oak desk"."""
    count = results_of(content)
    values = {"run": run_name(content.run) if content.run else "", "count": number_words(count)}
    if content.output is not None:
        label = content.output.numbered_label or _("Result %(number)s") % {"number": content.output.position + 1}
        values["result"] = Truncator(one_line(label)).chars(LABEL_CHARS)
        return _("“%(result)s” from %(run)s") % values
    if content.run is None:
        return ngettext("%(count)s result", "%(count)s results", count) % values
    if count > 1:
        return ngettext("%(count)s result from %(run)s", "%(count)s results from %(run)s", count) % values
    return values["run"]


def results_of(content: NoticeContent) -> int:
    """Return how many results the notice is about; 0 if it is about one particular result, or none. If the row doesn't
    store the number, this takes a query."""
    if content.output is not None or (content.decision is None and content.request is None):
        return 0
    if count := getattr(content, "results", 0):
        return int(count)
    if content.decision is not None:
        return Decision.objects.filter(batch=content.decision.batch, output__run=content.run).count()
    return content.request.items.count() if content.request is not None else 0


def _place(content: NoticeContent) -> str:
    """Return the path of the result or run that the notice is about, unless its kind leads somewhere else."""
    if content.kind == NoticeKind.LIMIT and "member" not in content.message.values:
        return f"{reverse('runs:me')}#spending"
    if content.kind in (NoticeKind.LIMIT, NoticeKind.PORTAL):
        return _portal_place(content.message)
    if content.kind == NoticeKind.ASKED:
        return f"{reverse('runs:review')}{f'?request={content.request.public_id}' if content.request else ''}"
    place = content.output or content.run
    path = place.get_absolute_url() if place is not None else reverse("runs:home")
    if content.comment is not None:
        return f"{path}?comments=all#comment-{content.comment.public_id}"
    return path


def _portal_place(message: Message) -> str:
    """Return the path of the page where an admin can do something about the problem."""
    if "member" in message.values:
        return reverse("runs:manage-limit", args=[message.values["member"]])
    if message.code == "app_paused":
        return f"{reverse('runs:manage-apps')}?show=paused"
    if message.code in SPENDING:
        return reverse("runs:manage-spending")
    return reverse(f"runs:{PORTAL_PLACES.get(message.code, 'manage')}")
