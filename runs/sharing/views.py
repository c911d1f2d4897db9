"""Views for sharing a run with the team or with guests, and for the lists of links."""

from itertools import chain
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from runs.audit.admin_access import record_openings
from runs.audit.overtaken import OvertakenError
from runs.display import guest_links, share_panel
from runs.display.guest_links import link_view, with_pictures
from runs.display.link_versions import version_offers
from runs.models import GuestLink, Output, Run, SharingRules
from runs.models.link_access import links_revocable_by, may_extend, may_restore
from runs.review.same_person import make_one
from runs.sharing.forms import (
    LinkActionForm,
    NewLinkForm,
    ReplaceForm,
    SamePersonForm,
    SharePanelForm,
    SharingRulesForm,
    link_form,
)
from runs.sharing.links import (
    change_link,
    extend,
    is_extendable,
    last_day_of,
    link_of_click,
    outputs_for,
    replace_output,
    restore,
    revoke,
)
from runs.sharing.rules import change_logo, change_rules
from runs.sharing.visibility import only_me, share_with_team, stop_sharing_with_team
from runs.team.reauthentication import recent_password_required
from runs.uploads import logos
from runs.uploads.uploads import UploadRejected
from runs.web.body_limits import takes_files
from runs.web.http import PortalRequest, admins_only, go_to, own_path, refuse_viewers, render_page, wants_fragment
from runs.web.posted import posted_of
from runs.words.moments import brief_day_words
from runs.words.numbers import number_words

PAGE = 50
SENTENCES = {
    "team": gettext_noop("The team can see this run now."),
    "not-team": gettext_noop("The team can no longer see this run."),
    "me": gettext_noop("Only you and admins can see this run now."),
    "made": gettext_noop("New guest link, ready to send. It works until %(day)s."),
    "extended": gettext_noop("The link was extended."),
    "revoked": gettext_noop("The link was revoked and no longer works."),
    "restored": gettext_noop("The link works again."),
}


# --- One run ----------------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def run_share(request: PortalRequest, run_id: str) -> HttpResponse:
    """Show who can see a run: as a full page or, for htmx, as just the panel. POST sets *Only me* or *Team*, or stops
    sharing with the team.

    `o` is the id of the result whose page the panel was opened from; a new link then shows only that result.
    """
    run = get_object_or_404(Run.objects.manageable_by(request.user), public_id=run_id)
    if request.method != "POST":
        return _panel(request, run, new_link=request.GET.get("made", ""))
    if not run.is_shareable_by(request.user):
        raise PermissionDenied
    who = SharePanelForm.read(request.POST)["who"]
    sentence = _(SENTENCES[who]) if who in SENTENCES else ""
    if who == "me" and not run.belongs_to(request.user):
        sentence = _("Only %(name)s and admins can see this run now.") % {"name": run.member.display_name}
    if who == "team":
        share_with_team(run)
    elif who == "not-team":
        stop_sharing_with_team(run)
    elif who == "me" and (ended := only_me(run, request.user)):
        words = ngettext("%(count)s guest link was revoked.", "%(count)s guest links were revoked.", ended)
        sentence = f"{sentence} {words % {'count': ended}}"
    run.refresh_from_db()
    return _show_done(request, run, sentence)


@require_POST
def link_new(request: PortalRequest) -> HttpResponse:
    """Create a guest link to every ready result of a run (`run`), or to chosen results (`o`, repeated)."""
    run, posted = None, NewLinkForm.read(request.POST)
    if posted["run"]:
        run = get_object_or_404(Run.objects.manageable_by(request.user), public_id=posted["run"])
    output_ids = posted["o"] or posted["pick"]
    if run is not None and posted["picks"] and not output_ids:
        return _show_done(request, run, _("Tick at least one result, then create the link."), level=messages.WARNING)
    if run is not None and not output_ids:
        output_ids = list(Output.objects.filter(run=run).values_list("public_id", flat=True))
    outputs = outputs_for(request.user, output_ids)
    if not outputs and run is not None:
        words = _("Nothing is ready yet. Choose “Guest link” again when a result is ready.")
        return _show_done(request, run, words, level=messages.WARNING)
    if not outputs:
        raise Http404
    if request.htmx and run is not None and (refusal := guest_links.refusal_of(request.user)):
        return _panel(request, run, sentence=refusal)
    link = link_of_click(request.user, outputs)
    if run is not None:
        return _show_done(
            request, run, _(SENTENCES["made"]) % {"day": brief_day_words(last_day_of(link))}, new_link=link.public_id
        )
    return go_to(request, f"{reverse('runs:link-detail', args=[link.public_id])}?made=1")


def _show_done(
    request: PortalRequest, run: Run, sentence: str, *, new_link: str = "", level: int = messages.SUCCESS
) -> HttpResponse:
    """Show the updated panel or, without JavaScript, redirect to the run's sharing page."""
    if request.htmx:
        return _panel(request, run, new_link=new_link, sentence=sentence)
    messages.add_message(request, level, sentence)
    url, one = reverse("runs:run-share", args=[run.public_id]), _one_result(request)
    query = urlencode(({"o": one} if one else {}) | ({"made": new_link} if new_link else {}))
    return go_to(request, f"{url}{f'?{query}' if query else ''}{f'#link-{new_link}' if new_link else ''}")


def _panel(request: PortalRequest, run: Run, *, new_link: str = "", sentence: str = "") -> HttpResponse:
    record_openings(request, [run])
    share = share_panel.share_panel(request.user, run, new_link=new_link, sentence=sentence, only=_one_result(request))
    template = "sharing/_panel.html" if wants_fragment(request) else "sharing/run_share.html"
    return render_page(request, template, {"section": "history", "run": run, "share": share})


def _one_result(request: PortalRequest) -> str:
    """Return the id of the result that the panel was opened for; empty if it was opened for the whole run."""
    ids = SharePanelForm.read(request.POST if request.method == "POST" else request.GET)["o"]
    return ids[0][:16] if len(ids) == 1 else ""


# --- One link ---------------------------------------------------------------------------------------------------------
def _link_of(request: PortalRequest, link_id: str) -> GuestLink:
    return _link_with_pictures(GuestLink.objects.manageable_by(request.user), link_id)


def _revocable_link(request: PortalRequest, link_id: str) -> GuestLink:
    return _link_with_pictures(links_revocable_by(request.user), link_id)


def _link_with_pictures(links: QuerySet[GuestLink], link_id: str) -> GuestLink:
    return get_object_or_404(with_pictures(links), public_id=link_id)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def link_detail(request: PortalRequest, link_id: str) -> HttpResponse:
    """Show and change a link's options."""
    link = _link_of(request, link_id)
    refusal = guest_links.refusal_of(request.user)
    if request.method == "POST":
        refuse_viewers(request.user)
        if refusal:
            raise PermissionDenied(refusal)
    form = link_form(link, request.user, posted_of(request))
    refusal = refusal or ("" if form.choices else _("None of this link's results are yours to share."))
    if (link_options := form.link_options) is not None:
        change_link(link, link_options)
        messages.success(request, _("Saved. The address stays the same."))
        return go_to(request, reverse("runs:link-detail", args=[link.public_id]))
    new_link = link.public_id if "made" in request.GET else ""
    view = link_view(link, request.user, SharingRules.current(), new_link=new_link)
    record_openings(request, view.runs)
    context = {
        "section": "shares",
        "form": form,
        "refusal": refusal,
        "view": view,
        "answers": guest_links.link_answers(link),
        "guests": guest_links.link_guests(link),
        "offers": version_offers(request.user, link.outputs.all(), link),
        "back": request.path,
    }
    return render_page(request, "sharing/link_detail.html", context, status=422 if form.errors else 200)


@require_safe
@never_cache
def link_copies(request: PortalRequest, link_id: str) -> HttpResponse:
    """Show the state of the guest copies, as a fragment that polls until they are ready."""
    view = link_view(_revocable_link(request, link_id), request.user, SharingRules.current())
    record_openings(request, view.runs)
    return render_page(request, "sharing/_link_copies.html", {"view": view, "is_asked": True})


@require_POST
def link_extend(request: PortalRequest, link_id: str) -> HttpResponse:
    """Extend a link by two weeks."""
    link, rules = _link_of(request, link_id), SharingRules.current()
    if not may_extend(request.user, link, rules):
        raise PermissionDenied
    if is_extendable(link, rules):  # otherwise, the form was sent twice
        extend(link)
    return _after_change(request, link, _(SENTENCES["extended"]))


@require_POST
def link_replace(request: PortalRequest, link_id: str) -> HttpResponse:
    """Make a link show the newer version of a result instead of the older one."""
    link = _link_of(request, link_id)
    if not may_extend(request.user, link, SharingRules.current()):
        raise PermissionDenied
    posted = ReplaceForm.read(request.POST)
    pair = (posted["old"], posted["new"])
    offers = version_offers(request.user, link.outputs.all(), link)
    offer = next((offer for offer in offers if (offer.old.public_id, offer.new.public_id) == pair), None)
    if offer is None or not replace_output(link, offer.old, offer.new):
        raise Http404
    return _after_change(request, link, _("The link now shows version %(number)s.") % {"number": offer.new.number})


@require_POST
def link_revoke(request: PortalRequest, link_id: str) -> HttpResponse:
    """Revoke a link with immediate effect. Doesn't ask for confirmation, because this can be undone."""
    link = _revocable_link(request, link_id)
    revoke(link, request.user)
    return _after_change(request, link, _(SENTENCES["revoked"]))


@require_POST
def link_restore(request: PortalRequest, link_id: str) -> HttpResponse:
    """Restore a revoked link."""
    link, rules = _revocable_link(request, link_id), SharingRules.current()
    if not may_restore(request.user, link, rules, is_revocable=True):
        raise PermissionDenied
    restore(link, rules)
    return _after_change(request, link, _(SENTENCES["restored"]))


@require_POST
def link_same_person(request: PortalRequest, link_id: str) -> HttpResponse:
    """Record that two guests of a link are the same person."""
    link = _link_of(request, link_id)
    refuse_viewers(request.user)
    posted = SamePersonForm.read(request.POST)
    guest = make_one(link, posted["guest"], posted["other"])
    if guest is None:
        messages.warning(request, _("Choose two different guests."))
    else:
        words = _("Done. All their answers and comments now have the name %(name)s.")
        messages.success(request, words % {"name": guest.shown_name})
    return go_to(request, f"{reverse('runs:link-detail', args=[link.public_id])}#guests")


def _after_change(request: PortalRequest, link: GuestLink, sentence: str) -> HttpResponse:
    """Show the updated row of `link` or the updated panel of its run; without JavaScript, redirect to `back`."""
    posted = LinkActionForm.read(request.POST)
    run_id, back = posted["run"], posted["back"]
    run = Run.objects.manageable_by(request.user).filter(public_id=run_id).first() if run_id else None
    if request.htmx and run is not None:
        return _panel(request, run, sentence=sentence)
    if request.htmx:
        view = link_view(_revocable_link(request, link.public_id), request.user, SharingRules.current())
        record_openings(request, view.runs)
        context = {"view": view, "said": sentence, "is_all": posted["all"], "back": back}
        return render_page(request, "sharing/_link_row.html", context)
    messages.success(request, sentence)
    return go_to(request, own_path(back, reverse("runs:link-list")))


# --- Lists ------------------------------------------------------------------------------------------------------------
@require_safe
@never_cache
def link_list(request: PortalRequest) -> HttpResponse:
    """List the member's own guest links."""
    mine = GuestLink.objects.owned_by(request.user)
    return render_page(request, "sharing/link_list.html", {"section": "shares", **_list_context(request, mine)})


@takes_files
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admins_only
@recent_password_required
def manage_sharing(request: PortalRequest) -> HttpResponse:
    """Show and change the sharing rules, and list all links."""
    form = SharingRulesForm(posted_of(request), SharingRules.current())
    if request.method == "POST":
        _take_logo(request, form)
    if form.is_valid():
        try:
            shortened = change_rules(form.instance, form.cleaned_data["seen"])
        except OvertakenError as error:
            form.overtake(error.name, SharingRulesForm(None, SharingRules.current()))
        else:
            messages.success(request, _rules_words(shortened))
            return go_to(request, reverse("runs:manage-sharing"))
    context = {
        "section": "manage",
        "form": form,
        "rules": form.instance,
        "logo": SharingRules.current().logo,
        "makers": SharingRules.Makers.choices,
        "is_all": True,
        **_list_context(request, GuestLink.objects.all()),
    }
    return render_page(request, "sharing/manage_sharing.html", context, status=422 if form.errors else 200)


def _take_logo(request: PortalRequest, form: SharingRulesForm) -> None:
    """Save the chosen logo, or remove the current one. The logo is saved even if other values are invalid; otherwise,
    people would have to choose the file again."""
    form.full_clean()
    logo = request.FILES.get("logo")
    try:
        if isinstance(logo, UploadedFile):
            change_logo(logos.receive_logo(logo))
        elif form.cleaned_data["no_logo"]:
            change_logo(None)
    except UploadRejected as refused:
        form.errors.setdefault("logo", form.error_class()).append(refused.sentence)


def _list_context(request: PortalRequest, links: Any) -> dict[str, Any]:
    """Return one page of `links`, open ones first."""
    rules = SharingRules.current()
    page = Paginator(guest_links.open_first(links), PAGE).get_page(request.GET.get("page"))
    views = [link_view(link, request.user, rules) for link in page.object_list]
    record_openings(request, chain.from_iterable(view.runs for view in views))
    return {"views": views, "page": page, "back": request.get_full_path()}


def _rules_words(shortened: int) -> str:
    if not shortened:
        return _("Saved.")
    words = ngettext(
        "Saved. %(count)s link now expires earlier.", "Saved. %(count)s links now expire earlier.", shortened
    )
    return words % {"count": number_words(shortened)}
