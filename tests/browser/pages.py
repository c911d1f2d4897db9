"""Addresses of every kind of page, each with something on it."""

from tests.browser.apps import LEFT_ALONE
from tests.browser.visitors import Gallery
from tests.browser.whole import Whole

APPS = ("card-many-pictures", "card-long-names", "card-rtl", "card-emoji", "card-options-25", "card-twelve")


def pages_of(gallery: Gallery, whole: Whole) -> list[str]:
    """Every kind of page that a signed-in admin or a guest can open."""
    runs = list(gallery.runs.values())
    who, name = gallery.email, "card-long-names"
    runs.append(whole.inside.ask("stay", email=who, remote_id=name, status="checking", asks=True))
    runs.append(whole.inside.ask("stay", email=who, remote_id=LEFT_ALONE, status="starting"))
    forms = [whole.inside.ask("app", remote_id=app)["path"] for app in APPS]
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
    ]
