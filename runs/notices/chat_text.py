"""What a message to the team's channel says, in the channel's language: its title and text, who did it, and the URL
that its button opens.

It is plain text; `slack.py` and `teams.py` turn it into their formats. Everyone in the channel reads it, so it names
people instead of saying "you", and never mentions runs that the team can't see.
"""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Min, QuerySet
from django.utils.text import get_text_list
from django.utils.translation import get_language, ngettext, override
from django.utils.translation import gettext as _

from runs.models import ChatMessage, Comment, Decision, NoticeKind, Output, ReviewRequest, Run
from runs.models.addresses import path_to
from runs.models.deciders import Decider
from runs.models.run import RunQuerySet
from runs.notices import channels
from runs.notices.plain_text import cut, isolated
from runs.web.secret_links import full_address
from runs.words.due_dates import due_words
from runs.words.numbers import number_words
from runs.words.one_line import one_line
from runs.words.run_failures import FAILURES

NAME_LENGTH = 60  # maximum length of each name, in characters
WORDS_LENGTH = 400
NAMED = 3  # name at most this many of the people that a comment mentions
APPROVED, CHANGES = Decision.Verdict.APPROVED, Decision.Verdict.CHANGES


@dataclass(frozen=True)
class Post:
    """A message as plain text. Its button opens `url`."""

    title: str
    words: str
    who: str
    button: str
    url: str
    language: str


@dataclass(frozen=True)
class ResultGroup:
    """The results that one message is about: how many there are, the first one, and whether all belong to the same
    run."""

    count: int
    first: Output
    is_one_run: bool

    @property
    def values(self) -> dict[str, str]:
        return {
            "count": number_words(self.count),
            "result": _result(self.first),
            "run": _run(self.first.run),
        }

    def path(self, otherwise: str) -> str:
        """Return the path of the page to open: the result's if there's just one, the run's if they're all from one run,
        `otherwise` if they aren't."""
        if self.count == 1:
            return self.first.get_absolute_url()
        return self.first.run.get_absolute_url() if self.is_one_run else otherwise


def post_of(message: ChatMessage) -> Post | None:
    """Return the text of the message; None if there is nothing left to say, or if the team may no longer see it."""
    with override(_language(message.channel.language)):
        runs = channels.told_runs(message.channel)
        if message.request:
            return _request_post(message.request, runs)
        if message.comment:
            return _commented(message.comment, runs, is_mention=message.kind == NoticeKind.MENTION)
        if message.decision:
            is_verdict = message.decision.act == Decision.Act.DECIDE
            return (_decision_post if is_verdict else _ended_decision)(message.decision, runs)
        return _ended(message.run, runs) if message.run else None


def trial_post(who: str, language: str) -> Post:
    """Return the message that the test button sends on behalf of `who`."""
    with override(_language(language)):
        words = _("It works. Updates about runs shared with the team can be posted here.")
        return _post(_("Test message from Lamina Portal"), words, name(who), path_to("home"))


def name(text: str) -> str:
    """Return `text` as a name to use in a sentence: on one line, and not too long."""
    return isolated(cut(one_line(text), NAME_LENGTH))


def _run(run: Run) -> str:
    """Return the run's title; if it has none, its app's name. Doesn't use `Run.display_title`, which may contain an
    input."""
    return name(run.title or run.app_name)


def _language(code: str) -> str:
    return code if code in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def _post(title: str, words: str, who: str, path: str) -> Post:
    words = cut(one_line(words), WORDS_LENGTH)
    return Post(title, words, who, _("Open in Lamina Portal"), full_address(path), get_language() or "en")


def _who(by: Decider) -> str:
    if by.link is None:
        return name(by.who)
    return _("%(name)s (guest, link by %(maker)s)") % {"name": name(by.who), "maker": name(by.link.maker.display_name)}


def _result(output: Output) -> str:
    """Return the name of a result and its run."""
    label = output.numbered_label or _("Result %(number)s") % {"number": output.position + 1}
    return _("“%(result)s” from %(run)s") % {"result": name(label), "run": _run(output.run)}


def _group(outputs: QuerySet[Output]) -> ResultGroup | None:
    counts = outputs.aggregate(
        count=Count("pk", distinct=True), runs=Count("run", distinct=True), first=Min("pk", default=0)
    )
    first = Output.objects.filter(pk=counts["first"]).select_related("run").first()
    return ResultGroup(counts["count"], first, counts["runs"] == 1) if first else None


def _request_post(request: ReviewRequest, runs: RunQuerySet) -> Post | None:
    open_items = request.items.undecided().values("output")
    group = _group(Output.objects.filter(pk__in=open_items, run__in=runs)) if request.link_id is None else None
    if group is None:
        return None
    if group.count == 1:
        title = _("A decision is needed on %(result)s")
    elif group.is_one_run:
        title = ngettext(
            "Decisions are needed on %(count)s result from %(run)s",
            "Decisions are needed on %(count)s results from %(run)s",
            group.count,
        )
    else:
        title = ngettext(
            "Decisions are needed on %(count)s result", "Decisions are needed on %(count)s results", group.count
        )
    who = name(request.asker.display_name)
    who = f"{who} · {due_words(request.due_on)}" if request.due_on else who
    return _post(title % group.values, request.message, who, group.path(path_to("review")))


def _commented(comment: Comment, runs: RunQuerySet, *, is_mention: bool) -> Post | None:
    if comment.removed_at or not runs.filter(pk=comment.run_id).exists():
        return None
    values = {"place": _result(comment.output) if comment.output else _run(comment.run)}
    if is_mention and (names := [member.display_name for member in comment.mentions.all()[:NAMED]]):
        values["names"] = get_text_list([name(one) for one in names], _("and"))
        title = _("A comment on %(place)s mentions %(names)s")
    else:
        title = _("New reply to a comment on %(place)s") if comment.parent_id else _("New comment on %(place)s")
    page = (comment.output or comment.run).get_absolute_url()
    return _post(title % values, comment.text, _who(comment), f"{page}#comment-{comment.public_id}")


def _decision_post(decision: Decision, runs: RunQuerySet) -> Post | None:
    """Describe this decision and those made together with it, leaving out any that are no longer in force."""
    standing = Decision.objects.standing().filter(batch=decision.batch, output__run__in=runs)
    group = _group(Output.objects.filter(pk__in=standing.values("output")))
    if group is None:
        return None
    verdicts = set(standing.order_by().values_list("verdict", flat=True).distinct())
    if len(verdicts) > 1:  # one result was chosen, and the others were rejected
        approved = standing.filter(verdict=APPROVED).select_related("output__run").first()
        group = ResultGroup(group.count, approved.output, group.is_one_run) if approved else group
        title = _("Chosen from %(count)s results: %(result)s")
        path = group.first.get_absolute_url()
    else:
        verdict, is_counted = verdicts.pop(), decision.is_counted
        title = _verdict_title(verdict, group) if is_counted else _word_only_title(verdict)
        path = group.path(path_to("history"))
    shown_decision = standing.filter(output=group.first).first() or decision
    return _post(title % group.values, shown_decision.note, _who(shown_decision), path)


def _word_only_title(verdict: str) -> str:
    """Return the sentence for a guest's answer that doesn't count, with placeholders. Guests answer one result at a
    time."""
    if verdict == APPROVED:
        return _("Client says approved: %(result)s")
    return _("Client says it needs changes: %(result)s")


def _verdict_title(verdict: str, group: ResultGroup) -> str:
    """Return the sentence for one verdict on a group, with placeholders."""
    if group.count == 1:
        if verdict == APPROVED:
            return _("Approved: %(result)s")
        return _("Needs changes: %(result)s") if verdict == CHANGES else _("Rejected: %(result)s")
    if verdict == APPROVED:
        one_run = ngettext(
            "Approved: %(count)s result from %(run)s", "Approved: %(count)s results from %(run)s", group.count
        )
        several = ngettext("Approved: %(count)s result", "Approved: %(count)s results", group.count)
    elif verdict == CHANGES:
        one_run = ngettext(
            "Needs changes: %(count)s result from %(run)s", "Needs changes: %(count)s results from %(run)s", group.count
        )
        several = ngettext("Needs changes: %(count)s result", "Needs changes: %(count)s results", group.count)
    else:
        one_run = ngettext(
            "Rejected: %(count)s result from %(run)s", "Rejected: %(count)s results from %(run)s", group.count
        )
        several = ngettext("Rejected: %(count)s result", "Rejected: %(count)s results", group.count)
    return one_run if group.is_one_run else several


def _ended_decision(decision: Decision, runs: RunQuerySet) -> Post | None:
    """Say that a decision was set aside, or withdrawn by the person who made it."""
    output = decision.output
    if not runs.filter(pk=output.run_id).exists():
        return None
    is_set_aside = decision.act == Decision.Act.SET_ASIDE
    title = _("Decision set aside: %(result)s") if is_set_aside else _("Decision withdrawn: %(result)s")
    return _post(title % {"result": _result(output)}, decision.note, _who(decision), output.get_absolute_url())


def _ended(run: Run, runs: RunQuerySet) -> Post | None:
    if run.status not in ("completed", "failed") or not runs.filter(pk=run.pk).exists():
        return None
    values = {"run": _run(run), "ready": number_words(run.outputs_ready)}
    if run.status != "completed":
        sentence, *_rest = FAILURES.get(run.failure, ("",))
        title, words = _("%(run)s failed"), str(sentence)
    elif run.outputs_failed:
        title = _("%(run)s is partly ready")
        words = ngettext("%(ready)s result is ready.", "%(ready)s results are ready.", run.outputs_ready) % values
    else:
        title = _("%(run)s is ready")
        words = ngettext("%(ready)s result", "%(ready)s results", run.outputs_ready) % values
    return _post(title % values, words, name(run.member.display_name), run.get_absolute_url())
