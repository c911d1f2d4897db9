"""For admins: who is here, who is invited, and what happens to the work of those who leave."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from runs.models import Invite, Member
from runs.team import invites, mail, members, passwords, sessions
from runs.team.forms import HandOverForm, InviteForm, RoleForm
from runs.team.members import RefusedError
from runs.team.reauthentication import recent_password_required
from runs.web.http import PortalRequest, admins_only, go_to, render_page
from runs.web.posted import posted_of

NO_MAIL = "The mail could not be sent just now. Copy the link and hand it over yourself."


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admins_only
@recent_password_required
def manage_people(request: PortalRequest) -> HttpResponse:
    """The list, and the form that invites."""
    form = InviteForm(posted_of(request))
    if form.is_valid():
        given = form.cleaned_data
        try:
            invite = invites.invite(request.user, given["email"], given["name"], given["role"])
        except RefusedError as refused:
            form.add_error("email", str(refused))
        else:
            _send(request, invite)
            return go_to(request, f"{reverse('runs:manage-people')}?invite={invite.public_id}#fresh")
    waiting = invites.open_invites()
    context = {
        "section": "manage",
        "form": form,
        "people": members.people(),
        "invites": waiting,
        "fresh": next((one for one in waiting if one.invite.public_id == request.GET.get("invite", "")), None),
        "has_mail": mail.is_set_up(),
    }
    return render_page(request, "team/manage_people.html", context, status=422 if form.errors else 200)


def _send(request: PortalRequest, invite: Invite) -> None:
    """Mail it when there is an address and a mail server, and say how it went."""
    if not invite.email or not mail.is_set_up():
        return  # the page shows the link, and that is all there is to say
    if invites.send(invite):
        messages.success(request, f"The invite is on its way to {invite.email}.")
    else:
        messages.warning(request, NO_MAIL)


@require_POST
@admins_only
@recent_password_required
def invite_send(request: PortalRequest, invite_id: str) -> HttpResponse:
    """Once more, open for another seven days."""
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
    messages.success(request, f"The invite for {_whom(invite)} is taken back. Its link opens nothing any more.")
    return go_to(request, reverse("runs:manage-people"))


def _waiting_invite(invite_id: str) -> Invite:
    waiting = Invite.objects.filter(accepted_at=None, revoked_at=None).select_related("invited_by")
    return get_object_or_404(waiting, public_id=invite_id)


def _whom(invite: Invite) -> str:
    return invite.name or invite.email or "whoever has the link"


def _person(member_id: str) -> Member:
    return get_object_or_404(Member, public_id=member_id)


def _person_address(member: Member) -> str:
    return reverse("runs:manage-person", args=[member.public_id])


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admins_only
@recent_password_required
def manage_person(request: PortalRequest, member_id: str) -> HttpResponse:
    """One person; a POST gives them another role."""
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
        messages.success(request, f"{member.display_name} is {_with_article(member)} now.")
        steps_down = member == request.user and not member.is_admin
        return go_to(request, reverse("runs:home") if steps_down else _person_address(member))
    return _person_page(request, member, form=form, status=422)


def _with_article(member: Member) -> str:
    word = member.get_role_display().lower()
    return f"an {word}" if word[0] == "a" else f"a {word}"


def _person_page(request: PortalRequest, member: Member, *, status: int = 200, **context: Any) -> HttpResponse:
    whole = {
        "section": "manage",
        "person": member,
        "form": RoleForm(initial={"role": member.role}),
        "left": members.left_by(member),
        "seen_at": members.seen_at(member),
        "can_hand_over": members.successors(member).exists(),
    }
    return render_page(request, "team/manage_person.html", whole | context, status=status)


@require_POST
@never_cache
@admins_only
@recent_password_required
def person_new_password(request: PortalRequest, member_id: str) -> HttpResponse:
    """A link with which they set a new password; it stands on the page and nowhere else."""
    member = _person(member_id)
    if not member.is_active:
        messages.warning(request, f"{member.display_name} cannot sign in. Reactivate them first.")
        return go_to(request, _person_address(member))
    return _person_page(request, member, address=passwords.new_password_address(member, passwords.BY_HAND))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admins_only
@recent_password_required
def person_deactivate(request: PortalRequest, member_id: str) -> HttpResponse:
    """Asks on GET, does it on POST."""
    member = _person(member_id)
    refusal = ""
    if request.method == "POST":
        try:
            members.deactivate(member)
        except RefusedError as refused:
            refusal = str(refused)
        else:
            messages.success(request, f"{member.display_name} can no longer sign in. Their runs are still here.")
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
    messages.success(request, f"{member.display_name} can sign in again, with the password they had.")
    return go_to(request, _person_address(member))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admins_only
@recent_password_required
def person_hand_over(request: PortalRequest, member_id: str) -> HttpResponse:
    """Asks on GET, with who and how much; does it on POST."""
    member = _person(member_id)
    form = HandOverForm(member, posted_of(request))
    if form.is_valid():
        to: Member = form.cleaned_data["to"]
        try:
            members.hand_over(member, to)
        except RefusedError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"Everything {member.display_name} made is {to.display_name}'s now.")
            return go_to(request, _person_address(member))
    context = {"section": "manage", "person": member, "left": members.left_by(member), "form": form}
    return render_page(request, "team/person_transfer.html", context, status=422 if form.errors else 200)
