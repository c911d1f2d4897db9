"""Invitations, and the browsers in which members are signed in."""

from django.db import models
from django.utils import timezone

from runs.models.ids import new_public_id
from runs.models.member import Member


class Invite(models.Model):
    """An invitation to join the team. Anyone with the link can accept it; only a hash of the token is stored.

    The token is derived from `nonce` and the portal's secret key, so an admin can copy the link again, but nobody can
    work it out from the database alone.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    nonce = models.CharField(max_length=43)
    token_hash = models.CharField(max_length=64, unique=True)  # SHA-256 in hex
    email = models.EmailField(max_length=254, blank=True, default="")  # if empty, the invited person enters it
    name = models.CharField(max_length=150, blank=True, default="")
    role = models.CharField(max_length=10, choices=Member.Role, default=Member.Role.MAKER)
    invited_by = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="invites")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.email or self.public_id

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()


class BrowserSession(models.Model):
    """A browser in which a member is signed in. Members can see their own browsers and sign them out."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="signed_in")
    session_key = models.CharField(max_length=40, unique=True)  # its hash, as in the session's own row
    browser = models.CharField(max_length=100, blank=True, default="")  # "Firefox on Windows"
    created_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "runs_signedin"
        ordering = ("-seen_at",)

    def __str__(self) -> str:
        return f"{self.member_id} {self.browser}"
