"""Pages and buttons for emails: asking for one when a run is ready, sending a test email, and unsubscribing."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.mail import EmailMessage
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from runs.audit.record import record
from runs.models import Member, NoticeKind, Run, Verb
from runs.notices import choices, guest_contacts, unsubscribe
from runs.notices.delivery import MailOutcome, hand_over
from runs.notices.forms import MailWhenReadyForm
from runs.team import mail
from runs.web.http import PortalRequest, admins_only, go_to, own_path
from runs.web.posted import BackForm
from runs.web.secret_links import full_address


@require_POST
def run_mail(request: PortalRequest, run_id: str) -> HttpResponse:
    """Turn on or off the email that the member gets when the run is ready."""
    run = get_object_or_404(Run.objects.visible_to(request.user), public_id=run_id)
    choices.ask(request.user, run, is_wanted=MailWhenReadyForm.read(request.POST)["wanted"])
    return go_to(request, run.get_absolute_url())


# --- The test -------------------------------------------------------------------------------------------------------
@require_POST
@admins_only
def mail_test(request: PortalRequest) -> HttpResponse:
    """Send the admin a test email; if that fails, show what the mail server said."""
    if mail.is_set_up():
        record(Verb.MAIL_TESTED, None)
        _say(request, hand_over(_test_mail(request.user)))
    else:
        messages.warning(
            request, _("Email isn't set up. To turn it on, ask the person who runs the portal to set EMAIL_URL.")
        )
    return go_to(request, own_path(BackForm.read(request.POST)["back"], reverse("runs:manage")))


def _test_mail(member: Member) -> EmailMessage:
    paragraphs = (
        _("Hello %(name)s,") % {"name": member.display_name},
        _("This is the test email you asked for. Emails from Lamina Portal are getting through."),
        full_address(reverse("runs:home")),
    )
    subject = _("Test email from Lamina Portal")
    return EmailMessage(subject, "\n\n".join(paragraphs) + "\n", settings.DEFAULT_FROM_EMAIL, [member.email])


def _say(request: PortalRequest, outcome: MailOutcome) -> None:
    values = {"email": request.user.email, "words": outcome.words}
    if outcome.is_sent:
        messages.success(request, _("The mail server accepted a test email to %(email)s.") % values)
    else:
        messages.error(request, _("The test email wasn't sent: “%(words)s”") % values)


# --- Stopping emails with one click ----------------------------------------------------------------------------------
@login_not_required
@csrf_exempt  # the signed URL is proof enough; mail programs send no cookies
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def mail_stop(request: HttpRequest, signed: str) -> HttpResponse:
    """GET asks for confirmation, because mail scanners open links. POST stops emails of the kinds named in the URL, as
    RFC 8058 requires."""
    unsubscription = unsubscribe.read(signed)
    if unsubscription is None:
        raise Http404
    if request.method == "POST" and unsubscription.member is not None:
        choices.turn_off(unsubscription.member, unsubscription.kinds)
    if request.method == "POST" and unsubscription.contact is not None:
        guest_contacts.forget(unsubscription.contact)
    if unsubscription.is_guest:
        is_stopped = request.method == "POST" or unsubscription.contact is None
        return render(request, "notices/guest_mail_stop.html", {"is_stopped": is_stopped})
    return render(
        request,
        "notices/mail_stop.html",
        {"kinds": [_words_of(kind) for kind in unsubscription.kinds], "is_stopped": request.method == "POST"},
    )


def _words_of(kind: str) -> str:
    return _("A decision you were asked to make is due") if kind == choices.REMINDER else str(NoticeKind(kind).label)
