"""Addresses of every kind of page, all with some content."""

from typing import Any

from django.urls import resolve

from tests.browser.apps import LEFT_ALONE
from tests.browser.visitors import Gallery
from tests.browser.whole import Whole

APPS = ("card-many-pictures", "card-long-names", "card-rtl", "card-emoji", "card-options-25", "card-twelve")


def pages_of(gallery: Gallery, whole: Whole) -> list[str]:
    """Return paths that cover every kind of page that a signed-in admin or a guest can open."""
    runs = list(gallery.runs.values())
    who, name = gallery.email, "card-long-names"
    runs.append(whole.inside.ask("stay", email=who, remote_id=name, status="checking", asks=True))
    runs.append(whole.inside.ask("stay", email=who, remote_id=LEFT_ALONE, status="starting"))
    apps = [whole.inside.ask("app", remote_id=app) for app in APPS]
    forms = [app["path"] for app in apps]
    of_file = f"app={forms[0].strip('/').rpartition('-')[2]}&field={_file_field(apps[0]['parameters'])}"
    fixed = ["/", "/apps/", "/apps/?q=nothing", "/history/", "/history/?view=list", "/history/?q=nothing", "/nowhere/"]
    seen = ("card-long-names", "card-twelve", "card-long-text", "card-half-fails", "card-video-thumbnail")
    results = [whole.inside.ask("results", run=gallery.runs[app])[-1] for app in seen]
    fixed += ["/history/?tab=team", "/history/?view=results", "/help/keys/"]
    return [
        *fixed,
        *(f"/results/{result}/" for result in results),
        f"/results/{results[0]}/use/",
        *forms,
        *(f"/runs/{run}/" for run in runs),
        f"/runs/{runs[-1]}/cancel/",
        *(whole.inside.ask("link", run=gallery.runs[app]) for app in ("card-long-names", "card-long-text", "card-rtl")),
        f"/runs/{gallery.runs['card-long-names']}/share/",
        "/shares/",
        "/manage/sharing/",
        "/manage/storage/",
        "/manage/keeping/",
        "/manage/notices/",
        "/manage/spending/?span=12",
        "/manage/spending/limits/",
        "/manage/log/",
        f"/record/run/{runs[0]}/",
        f"/compare/?r={runs[0]}",
        f"/compare/?f={','.join(whole.inside.ask('results', run=run)[0] for run in runs[:4])}",
        f"/runs/{runs[0]}/again/",
        f"/presets/new/?from={runs[0]}",
        "/manage/",
        "/manage/people/",
        "/manage/apps/",
        f"/manage{forms[1]}",
        "/me/",
        "/bin/",
        f"/runs/{runs[0]}/delete/",
        f"/library/?{of_file}",
        "/inbox/",
        "/inbox/muted/",
        "/review/",
        "/review/asked/",
        "/review/decided/",
        f"/review/ask/?f={results[0]}",
        "/help/accessibility/",
        "/password/change/",
        "/manage/review/",
        "/manage/keeping/protected/",
        *(f"/manage/apps/{forms[1].rpartition('-')[2]}{page}/" for page in ("reset", "preview")),
        *whole.inside.ask("addresses", email=who, run=gallery.runs["card-long-names"]),
    ]


def _file_field(parameters: list[dict[str, Any]]) -> str:
    """Return the name of the form's first file field."""
    return next(f"p{number}" for number, parameter in enumerate(parameters) if parameter["type"] == "url")


# URL names that stand for a file or part of a page, rather than for a page of their own.
NO_PAGES = {
    *("healthz", "runs:app-news", "runs:app-cost", "runs:app-search", "runs:live", "runs:live-frame", "runs:live-team"),
    *("runs:run-status", "runs:run-people", "runs:upload-room", "runs:upload-detail", "runs:link-copies"),
    *("runs:file-original", "runs:file-thumb", "runs:result-text", "runs:results-download", "runs:mail-choices"),
    "runs:company-logo",
    *("runs:guest-file", "runs:guest-text", "runs:guest-preview", "runs:guest-download"),
    *("runs:guest-decide", "runs:guest-comment"),
}
# Pages that `scenes` opens in every state.
ELSEWHERE = {
    *("runs:review-many", "runs:run-comment", "runs:result-comment"),
    *("runs:comment-reply", "runs:comment-edit", "runs:comment-remove", "runs:bin-selected", "runs:guest-unknown"),
}


def names_of(paths: list[str]) -> set[str]:
    """Return the URL names of `paths`."""
    return {resolve(path.partition("?")[0]).view_name for path in paths if path != "/nowhere/"}
