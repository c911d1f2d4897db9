"""Admin pages for members and invites, and for transferring everything that someone who has left owns."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from runs.models import Invite, Member, RunCount
from runs.notices import bounces
from runs.team import invite_mail, invites, mail, members, passwords, sessions, transfers
from runs.team.forms import InviteForm, RoleForm, TransferForm
from runs.team.members import RefusedError
from runs.team.reauthentication import recent_password_required
from runs.web.http import PortalRequest, admins_only, go_to, render_page
from runs.web.posted import posted_of


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admins_only
@recent_password_required
def manage_people(request: PortalRequest) -> HttpResponse:
    """Show the list of people, and invite new ones."""
    form = InviteForm(posted_of(request))
    if form.is_valid():
        data = form.cleaned_data
        try:
            invite = invites.invite(request.user, data["email"], data["name"], data["role"])
        except RefusedError as refused:
            form.add_error("email", str(refused))
        else:
            _send(request, invite)
            return go_to(request, f"{reverse('runs:manage-people')}?invite={invite.public_id}#fresh")
    waiting = invites.open_invites()
    fresh = next((one for one in waiting if one.public_id == request.GET.get("invite", "")), None)
    run_counts = RunCount.objects.if_many()
    context = {
        "section": "manage",
        "form": form,
        "people": members.people(run_counts),
        "counted_at": run_counts[0].counted_at if run_counts else None,
        "invites": waiting,
        "fresh": fresh,
        "fresh_address": invites.address_of(fresh) if fresh else "",
        "has_mail": mail.is_set_up(),
    }
    return render_page(request, "team/manage_people.html", context, status=422 if form.errors else 200)


def _send(request: PortalRequest, invite: Invite) -> None:
    """Email the invite if it has an email address and there is a mail server; tell the admin whether that worked."""
    if not invite.email or not mail.is_set_up():
        return  # the page shows the link, so no message is needed
    if invite_mail.send(invite):
        messages.success(request, _("The invite is on its way to %(email)s.") % {"email": invite.email})
    else:
        messages.warning(request, _("The email couldn't be sent. Copy the link and send it yourself."))


@require_POST
@admins_only
@recent_password_required
def invite_send(request: PortalRequest, invite_id: str) -> HttpResponse:
    """Resend an invite, valid for seven more days."""
    invite = _waiting_invite(invite_id)
    invites.renew(invite)
    _send(request, invite)
    return go_to(request, f"{reverse('runs:manage-people')}?invite={invite.public_id}#fresh")


@require_POST
@admins_only
@recent_password_required
def invite_revoke(request: PortalRequest, invite_id: str) -> HttpResponse:
    invite = _waiting_invite(invite_id)
    invites.revoke(invite)
    whom = invite.name or invite.email
    words = _("The invite for %(name)s was revoked.") % {"name": whom} if whom else _("The invite was revoked.")
    messages.success(request, words)
    return go_to(request, reverse("runs:manage-people"))


def _waiting_invite(invite_id: str) -> Invite:
    waiting = Invite.objects.filter(accepted_at=None, revoked_at=None).select_related("invited_by")
    return get_object_or_404(waiting, public_id=invite_id)


def _person(member_id: str) -> Member:
    return get_object_or_404(Member, public_id=member_id)


def _person_address(member: Member) -> str:
    return reverse("runs:manage-person", args=[member.public_id])


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admins_only
@recent_password_required
def manage_person(request: PortalRequest, member_id: str) -> HttpResponse:
    """Show one person; a POST changes their role."""
    member = _person(member_id)
    if request.method != "POST":
        return _person_page(request, member)
    form = RoleForm(request.POST)
    if form.is_valid():
        try:
            members.change_role(member, form.cleaned_data["role"])
        except RefusedError as refused:
            form.add_error("role", str(refused))
            return _person_page(request, member, form=form, status=422)
        messages.success(request, _role_sentence(member) % {"name": member.display_name})
        steps_down = member == request.user and not member.is_admin
        return go_to(request, reverse("runs:home") if steps_down else _person_address(member))
    return _person_page(request, member, form=form, status=422)


def _role_sentence(member: Member) -> str:
    """Return a sentence about the current role of `member`, with a placeholder for their name."""
    sentences = {
        "viewer": _("%(name)s is now a viewer."),
        "maker": _("%(name)s is now a maker."),
        "approver": _("%(name)s is now an approver."),
        "admin": _("%(name)s is now an admin."),
    }
    return sentences[member.role]


def _person_page(request: PortalRequest, member: Member, *, status: int = 200, **context: Any) -> HttpResponse:
    whole = {
        "section": "manage",
        "person": member,
        "form": RoleForm(initial={"role": member.role}),
        "left": members.left_by(member),
        "seen_at": members.seen_at(member),
        "can_transfer": members.successors(member).exists(),
    }
    return render_page(request, "team/manage_person.html", whole | context, status=status)


@require_POST
@never_cache
@admins_only
@recent_password_required
def person_new_password(request: PortalRequest, member_id: str) -> HttpResponse:
    """Create a link for setting a new password. The link is shown only on this page."""
    member = _person(member_id)
    if not member.is_active:
        messages.warning(request, _("%(name)s can't sign in. Reactivate them first.") % {"name": member.display_name})
        return go_to(request, _person_address(member))
    return _person_page(request, member, address=passwords.link_to_hand_over(member))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admins_only
@recent_password_required
def person_deactivate(request: PortalRequest, member_id: str) -> HttpResponse:
    """GET asks for confirmation; POST deactivates the person."""
    member = _person(member_id)
    refusal = ""
    if request.method == "POST":
        try:
            members.deactivate(member)
        except RefusedError as refused:
            refusal = str(refused)
        else:
            words = _("%(name)s can no longer sign in. Their runs are still here.") % {"name": member.display_name}
            messages.success(request, words)
            return go_to(request, _person_address(member))
    context = {
        "section": "manage",
        "person": member,
        "left": members.left_by(member),
        "places": len(sessions.sessions_of(member, None)),
        "refusal": refusal,
    }
    return render_page(request, "team/person_deactivate.html", context, status=422 if refusal else 200)


@require_POST
@admins_only
@recent_password_required
def person_reactivate(request: PortalRequest, member_id: str) -> HttpResponse:
    member = _person(member_id)
    members.reactivate(member)
    words = _("%(name)s can now sign in again with their old password.") % {"name": member.display_name}
    messages.success(request, words)
    return go_to(request, _person_address(member))


@require_POST
@admins_only
@recent_password_required
def person_mail_again(request: PortalRequest, member_id: str) -> HttpResponse:
    """Resume emailing someone whose email address had stopped working."""
    member = _person(member_id)
    bounces.resume(member)
    messages.success(request, _("%(name)s will get emails again.") % {"name": member.display_name})
    return go_to(request, _person_address(member))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admins_only
@recent_password_required
def person_transfer(request: PortalRequest, member_id: str) -> HttpResponse:
    """GET asks for the new owner and shows what will be transferred; POST transfers it."""
    member = _person(member_id)
    form = TransferForm(member, posted_of(request))
    if form.is_valid():
        to: Member = form.cleaned_data["to"]
        try:
            has_rest = transfers.transfer(member, to)
        except RefusedError as refused:
            form.add_error(None, str(refused))
        else:
            names = {"name": member.display_name, "to": to.display_name}
            words = _("Everything %(name)s owned now belongs to %(to)s.")
            if has_rest:
                words = _("%(to)s now owns everything that %(name)s owned. Moving all the runs may take a few minutes.")
            messages.success(request, words % names)
            return go_to(request, _person_address(member))
    context = {"section": "manage", "person": member, "left": members.left_by(member), "form": form}
    return render_page(request, "team/person_transfer.html", context, status=422 if form.errors else 200)
