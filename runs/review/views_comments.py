"""Comments: post, reply, edit, remove, resolve, and find people to mention.

The forms are on the page of the result or run. Each form also has a page of its own, where people without JavaScript
write replies and edits; if something is wrong, it shows the form again with what was typed. With JavaScript, the
changed parts are swapped into the page.
"""

from dataclasses import dataclass, replace

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import reselect, reswap, retarget

from runs.audit.admin_access import record_openings
from runs.display import comment_draft
from runs.display.comment_draft import CommentDraft
from runs.display.comments import CommentLine, comment_line, editable_text, position_of
from runs.display.result_boxes import result_labels
from runs.models import Comment, Member, Output, OutputFile, Run
from runs.review import comments
from runs.review.comment_text import CommentRefusedError, UnseenMentionError
from runs.review.deciders import Reviewer
from runs.review.forms_comments import CommentForm, NumberForm, PeopleForm, ResolveForm, TextForm
from runs.sharing.visibility import share_with_team
from runs.web.http import PortalRequest, own_path, render_page, wants_fragment
from runs.web.posted import BackForm, posted_of
from runs.words.fold import fold
from runs.words.numbers import number_in

PEOPLE_OFFERED = 8


@dataclass(frozen=True)
class CommentTarget:
    """What a form is for: a new comment on `output` or the whole `run`, a reply to `parent`, or an edit of
    `comment`."""

    run: Run
    draft: CommentDraft
    output: Output | None = None
    parent: Comment | None = None
    comment: Comment | None = None

    @property
    def title(self) -> str:
        """The name of the result or run."""
        if self.output is None:
            return self.run.display_title
        outputs = list(self.run.outputs.all())
        return dict(zip(outputs, result_labels(outputs), strict=True))[self.output]

    @property
    def line(self) -> CommentLine | None:
        """The comment that is being replied to or edited, if any."""
        about = self.parent or self.comment
        return comment_line(about) if about is not None else None


# --- New comments -----------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def result_comment(request: PortalRequest, result_id: str) -> HttpResponse:
    """Comment on a result, or on a spot or time in its file `n`. GET shows only the form."""
    visible = Output.objects.visible_to(request.user).select_related("run__app", "run__member")
    output = get_object_or_404(visible.prefetch_related("files__file"), public_id=result_id)
    posted_number = NumberForm.read(request.POST if request.method == "POST" else request.GET)["n"]
    files = [f.file for f in output.files.all() if f.status == OutputFile.Status.SAVED and f.file is not None]
    number = number_in(posted_number, 1, len(files), 1)
    file = files[number - 1] if files else None
    draft = comment_draft.draft_on(output, output.run, output.get_absolute_url(), file, number)
    return _answer(request, CommentTarget(output.run, draft, output))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def run_comment(request: PortalRequest, run_id: str) -> HttpResponse:
    """Comment on a whole run. GET shows only the form."""
    run = get_object_or_404(Run.objects.visible_to(request.user).for_cards(), public_id=run_id)
    return _answer(request, CommentTarget(run, comment_draft.run_draft(run)))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def comment_reply(request: PortalRequest, comment_id: str) -> HttpResponse:
    """Reply to a comment. GET shows only the form."""
    parent = _comment_of(request, comment_id)
    draft = comment_draft.reply_draft(parent, _page_of(parent))
    return _answer(request, CommentTarget(parent.run, draft, parent.output, parent=parent))


# --- Changing a member's own comments ---------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def comment_edit(request: PortalRequest, comment_id: str) -> HttpResponse:
    """Edit one of the member's own comments. GET shows the form."""
    comment = _own_comment_of(request, comment_id)
    draft = comment_draft.edit_draft(comment, editable_text(comment), _page_of(comment))
    return _answer(request, CommentTarget(comment.run, draft, comment.output, comment=comment))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def comment_remove(request: PortalRequest, comment_id: str) -> HttpResponse:
    """Remove one of the member's own comments. GET asks for confirmation first, since the text can't be restored."""
    comment = _own_comment_of(request, comment_id)
    data = BackForm.read(request.POST if request.method == "POST" else request.GET)
    back = own_path(data["back"], _page_of(comment))
    if request.method == "POST":
        comments.remove(comment, Reviewer(member=request.user))
        return _return(back, comment)
    record_openings(request, [comment.run])
    context = {"section": "history", "comment": comment, "line": comment_line(comment), "back": back}
    return render_page(request, "review/comment_remove.html", context, partial="ask")


@require_POST
def comment_resolve(request: PortalRequest, comment_id: str) -> HttpResponse:
    """Resolve (`on`) or reopen a comment and its replies."""
    comment = _comment_of(request, comment_id)
    data = ResolveForm.read(request.POST)
    act = comments.resolve if data["on"] else comments.reopen
    act(comment, Reviewer(member=request.user))
    return _return(own_path(data["back"], _page_of(comment)), comment)


# --- People -----------------------------------------------------------------------------------------------------------
@require_safe
@never_cache
def run_people(request: PortalRequest, run_id: str) -> HttpResponse:
    """Return people to mention on a run: those whose name, or any word in it, begins with `q`."""
    run = get_object_or_404(Run.objects.visible_to(request.user), public_id=run_id)
    record_openings(request, [run])
    start = fold(PeopleForm.read(request.GET)["q"]).strip()
    people = [one for one in comment_draft.people_of(run, request.user) if _is_named(one.member, start)]
    context = {"section": "history", "run": run, "people": people[:PEOPLE_OFFERED]}
    return render_page(request, "review/people.html", context, partial="options")


def _is_named(member: Member, start: str) -> bool:
    name = fold(member.display_name)
    return name.startswith(start) or any(part.startswith(start) for part in name.split())


# --- Helpers ----------------------------------------------------------------------------------------------------------
def _comment_of(request: PortalRequest, comment_id: str) -> Comment:
    visible = Comment.objects.visible_to(request.user)
    related = visible.select_related("run__app", "run__member", "output", "parent", "member")
    return get_object_or_404(related.prefetch_related("mention_rows__member"), public_id=comment_id)


def _own_comment_of(request: PortalRequest, comment_id: str) -> Comment:
    comment = _comment_of(request, comment_id)
    if not Reviewer(member=request.user).owns(comment):
        raise PermissionDenied(_("Only a comment's author can change it."))
    if comment.is_removed:
        raise Http404
    return comment


def _page_of(comment: Comment) -> str:
    """Return the URL of the page that shows the comment."""
    if comment.output is None:
        return comment.run.get_absolute_url()
    return comment.output.get_absolute_url()


def _return(back: str, comment: Comment) -> HttpResponse:
    """Redirect to the comment on the page `back`. htmx follows the redirect and picks the parts it needs from that
    page."""
    return HttpResponseRedirect(f"{back.partition('#')[0]}#comment-{comment.public_id}")


def _answer(request: PortalRequest, place: CommentTarget) -> HttpResponse:
    """Show the form for `place`, or save what was posted; if saving fails, show the form again with what was typed."""
    posted = posted_of(request)
    form = CommentForm(posted, file=place.draft.file) if place.draft.kind == "new" else TextForm(posted)
    data = BackForm.read(request.POST if request.method == "POST" else request.GET)
    place = replace(place, draft=replace(place.draft, back=own_path(data["back"], place.draft.back)))
    if posted is None:
        return _show(request, place)
    place = replace(place, draft=_fill_in(form, place.draft))
    if form.typed("act") == "people":
        people = comment_draft.people_of(place.run, request.user, place.draft.picked)
        return _show(request, replace(place, draft=replace(place.draft, people=people)))
    if not form.is_valid():
        errors = {name: str(words[0]) for name, words in form.errors.items()}
        spot = form.cleaned_data.get("spot")
        return _show(request, replace(place, draft=replace(place.draft, errors=errors, spot=spot)), status=422)
    try:
        comment = _store(form, request.user, place)
    except UnseenMentionError as refused:
        may_share = place.run.is_shareable_by(request.user)
        draft = replace(place.draft, unseen=refused.members, may_share=may_share)
    except CommentRefusedError as refused:
        draft = replace(place.draft, problem=refused.sentence)
    else:
        return _return(place.draft.back, comment)
    spot = form.cleaned_data.get("spot")
    return _show(request, replace(place, draft=replace(draft, spot=spot)), status=422)


@transaction.atomic
def _store(form: TextForm, member: Member, place: CommentTarget) -> Comment:
    """Post or edit the comment, after sharing the run if requested. Raises `CommentRefusedError`."""
    data, by = form.cleaned_data, Reviewer(member=member)
    if data["act"] == "share" and place.run.is_shareable_by(member) and share_with_team(place.run):
        place.run.refresh_from_db(fields=["shared_at"])
    common = {
        "guests_see": data["guests_see"],
        "mentions": form.picked,
        "skips_unseen": data["act"] == "skip",
    }
    if place.comment is not None:
        place.comment.run = place.run
        comments.edit(place.comment, by, data["text"], **common)
        return place.comment
    where = {}
    if place.output is not None and place.draft.kind == "new":
        position = position_of(place.output, place.draft.number)
        where = {"spot": data["spot"], "at_ms": data["at"], "file_position": position}
    return comments.post(by, place.run, place.output, data["text"], parent=place.parent, **common, **where)


def _fill_in(form: TextForm, draft: CommentDraft) -> CommentDraft:
    """Return `draft` filled in with what was typed."""
    text, x, y, at = (form.typed(name) for name in ("text", "x", "y", "at"))
    guests_see = bool(form["guests_see"].value())
    return replace(draft, text=text, x=x, y=y, at=at, guests_see=guests_see, picked=form.picked)


def _show(request: PortalRequest, place: CommentTarget, *, status: int = 200) -> HttpResponse:
    record_openings(request, [place.run])
    is_part = wants_fragment(request)
    context = {"section": "history", "place": place, "draft": place.draft, "is_alone": not is_part}
    response = render_page(request, "review/comment_form.html", context, partial="form", status=status)
    if is_part and request.method == "POST":
        form = f"#comment-form-{place.draft.key}"
        response = retarget(reselect(reswap(response, "outerHTML"), form), form)
    return response
