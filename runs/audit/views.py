"""The log for admins, as a page and as CSV, and the entries about one object."""

from collections.abc import Iterable
from dataclasses import asdict

from django.db import transaction
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from runs.audit import choices, export
from runs.audit.admin_access import record_openings
from runs.audit.forms import SearchForm
from runs.audit.lines import Lines, lines_of
from runs.audit.record import record
from runs.audit.search import Search
from runs.models import App, Entry, GuestLink, Member, Output, Run, Verb
from runs.models.entry import EntryQuerySet
from runs.team.reauthentication import recent_password_required
from runs.web.csv_files import csv_file
from runs.web.http import PortalRequest, admins_only, render_page, wants_fragment
from runs.words.moments import portal_day


@require_safe
@never_cache
@admins_only
def manage_log(request: PortalRequest) -> HttpResponse:
    """Show the latest entries that match the filters in the URL."""
    search = Search.parse(request.GET.dict())
    lines = lines_of([search.entries()], request.GET.get("before", ""), with_networks=True)
    context = {
        "section": "manage",
        "search": search,
        "lines": lines,
        "older": search.query(before=lines.older) if lines.older else "",
        "is_first": not request.GET.get("before"),
        "fields": asdict(search),
        "people": choices.people(search),
        "ways": choices.ways(search),
        "acts": choices.acts(search),
        "object": choices.object_words(search, lines),
    }
    return render_page(request, "audit/manage_log.html", context)


@require_POST
@never_cache
@admins_only
@recent_password_required
def manage_log_csv(request: PortalRequest) -> StreamingHttpResponse:
    """Download all entries that match the filters. The download is itself recorded."""
    search = Search.parse(SearchForm.read(request.POST))
    entries = search.entries().filter(at__lte=timezone.now())
    with transaction.atomic():
        record(Verb.EXPORTED, None, label="log.csv", changes={"filter": (None, search.query() or None)})
    return csv_file(f"log-{portal_day().isoformat()}.csv", export.rows_of(entries))


@require_safe
@never_cache
def object_record(request: PortalRequest, kind: str, object_id: str) -> HttpResponse:
    """Show the entries about an object to people who may change it; respond with 404 to everyone else."""
    name, url, queries, runs = _about(request.user, kind, object_id)
    record_openings(request, runs)
    lines: Lines = lines_of(queries, request.GET.get("before", ""))
    context = {
        "name": name,
        "back": url,
        "own": f"{kind}:{object_id}",
        "is_page": not wants_fragment(request),
        "lines": lines,
        "older": f"before={lines.older}" if lines.older else "",
    }
    return render_page(request, "audit/object_record.html", context, partial="record-lines")


def _about(member: Member, kind: str, object_id: str) -> tuple[str, str, list[EntryQuerySet], Iterable[Run]]:
    """Return the name and URL of an object, its entries, and the runs that these are about."""
    entries = Entry.objects
    if kind == "run":
        run = get_object_or_404(Run.objects.manageable_by(member), public_id=object_id)
        results = Output.objects.filter(run=run).values_list("public_id", flat=True)
        of_results = entries.filter(object_kind="result", object_id__in=list(results))
        return run.display_title, run.get_absolute_url(), [entries.about(kind, object_id), of_results], [run]
    if kind == "link":
        link = get_object_or_404(GuestLink.objects.manageable_by(member), public_id=object_id)
        runs = Run.objects.filter(outputs__in=link.outputs.all()).distinct()
        return link.audience, reverse("runs:link-detail", args=[object_id]), [entries.about(kind, object_id)], runs
    if kind == "app" and member.is_admin:
        app = get_object_or_404(App, public_id=object_id)
        return app.name, app.get_absolute_url(), [entries.about(kind, object_id)], ()
    if kind == "person":
        person = get_object_or_404(Member.objects.record_readable_by(member), public_id=object_id)
        home = reverse("runs:me") if person == member else reverse("runs:manage-person", args=[object_id])
        return person.display_name, home, [entries.about(kind, object_id), entries.by(person)], ()
    raise Http404
