"""Running a run again with the same inputs."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from runs import catalog
from runs.audit.admin_access import record_openings
from runs.connection import balance
from runs.display.run_page import wanted_words
from runs.engine import create_run
from runs.engine.changed_by_rules import RulesRefuseError, hidden_places
from runs.engine.create_run import TokenSpentError, launch_run
from runs.launching import presets, rerun
from runs.launching.forms import RunAgainForm
from runs.models import Member, Run, for_page
from runs.notices import alerts
from runs.schema_forms.answers import Answer
from runs.sharing import visibility
from runs.spending.estimates import cost_line
from runs.spending.limits import LimitReached
from runs.web.http import PortalRequest, go_to, refuse_viewers, render_page

OLD_PAGE = gettext_noop("This page was open too long, or you've switched accounts. Nothing was started; try again.")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def run_rerun(request: PortalRequest, run_id: str) -> HttpResponse:
    """GET asks for confirmation, because a run costs credits. POST starts a single run, no matter how often it is
    sent."""
    run = get_object_or_404(for_page(Run.objects.visible_to(request.user)), public_id=run_id)
    if request.method != "POST":
        balance.request_balance_if_stale()
        return _ask(request, run)
    refuse_viewers(request.user)
    token = RunAgainForm.read(request.POST)["token"]
    if spent := create_run.run_of_form(request.user, token):
        return go_to(request, spent.get_absolute_url())
    if catalog.check_before_run(run.app):
        run = get_object_or_404(for_page(Run.objects.visible_to(request.user)), public_id=run_id)
    plan = rerun.again(request.user, run)
    if plan.reason or cost_line(run.app, request.user, run.wanted_outputs).is_blocked:
        # If the button was pressed twice, the first press may have used up what was left to spend
        if spent := create_run.run_of_form(request.user, token):
            return go_to(request, spent.get_absolute_url())
        return _ask(request, run, status=422)
    if create_run.read_form_token(token) != request.user.pk:
        return _ask(request, run, message=_(OLD_PAGE), status=422)
    try:
        started = launch_run(request.user, rerun.press_again(request.user, run, plan, token))
    except TokenSpentError as error:
        started = error.run
    except (LimitReached, RulesRefuseError) as refused:
        return _ask(request, run, message=refused.sentence, status=422)
    return go_to(request, started.get_absolute_url())


def _shown_answers(member: Member, run: Run, answers: list[Answer]) -> list[Answer]:
    """Return the `answers` that `member` may see. Only admins see the answers in hidden fields."""
    hidden = hidden_places(run.app, run.app.schema, answers) if run.app.schema and not member.is_admin else set()
    return [answer for place, answer in enumerate(answers) if place not in hidden]


def _ask(request: PortalRequest, run: Run, *, message: str = "", status: int = 200) -> HttpResponse:
    record_openings(request, [run])
    plan, cost = rerun.again(request.user, run), cost_line(run.app, request.user, run.wanted_outputs)
    reason = (plan.reason if request.user.can_run else "") or cost.reason
    context = {
        "section": "history",
        "run": run,
        "lines": presets.answer_lines(_shown_answers(request.user, run, plan.answers), run.app),
        "changed": plan.changed,
        "wanted_words": wanted_words(run),
        "reason": reason,
        "has_form": run.app.is_runnable_by(request.user),
        "is_form_better": bool(plan.reason),
        "said": message if message != reason else "",
        "cost": cost,
        "has_asked": cost.can_ask and alerts.has_asked(request.user),
        "audience_words": visibility.audience_words(run),
        "token": create_run.new_form_token(request.user),
    }
    return render_page(request, "launching/run_rerun.html", context, status=status)
