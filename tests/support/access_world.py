"""Data for the access test: Alice's private run, a run that she shares with the team, and everyone who requests
them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.test import Client
from django.utils import timezone

from runs.models import (
    App,
    BrowserSession,
    Comment,
    Decision,
    GuestLink,
    Invite,
    Member,
    Output,
    OutputFile,
    Preset,
    ReviewRequest,
    Run,
    SharingRules,
    StoredFile,
    Upload,
)
from runs.models.run import RunInputUpload
from runs.notices.channels import set_channel
from runs.review.comments import post
from runs.review.deciders import Reviewer
from runs.review.verdicts import decide
from runs.sharing import make_guest_copies
from runs.sharing.links import make_link, revoke
from runs.web import secret_links
from tests.support.clients import client_of
from tests.support.factories import make_app, make_kept, make_run, make_stored

OUTSIDE = ("nobody", "guest", "guest, revoked", "guest, other run")
MEMBERS = ("stranger or teammate", "viewer", "approver", "owner", "admin")
PEOPLE = (*OUTSIDE, *MEMBERS)


@dataclass
class Subject:
    """One finished run with everything that belongs to it. `word` appears only in private details, such as titles,
    inputs, file names and comments; `shown` appears only in the run's text result."""

    word: str
    shown: str
    run: Run
    output: Output
    file: StoredFile
    input_file: StoredFile
    upload: Upload
    preset: Preset
    preset_file: StoredFile  # belongs to no run
    binned: Run  # a different run, in the bin
    binned_file: StoredFile  # the binned run's result
    decision: Decision  # made by an admin, on another result of the run
    link: GuestLink
    revoked: GuestLink
    request: ReviewRequest
    comment: Comment  # written by the maker, for the team only


def make_subject(owner: Member, admin: Member, app: App, word: str, shown: str, *, is_shared: bool) -> Subject:
    """Make a run for `owner` with `word` in every private detail, and two guest links to it, one of them revoked."""
    run = make_run(
        owner,
        app,
        status="completed",
        title=f"The {word} title",
        shared_at=timezone.now() if is_shared else None,
    )
    run.inputs.update(value=f"{word} style")
    run.summary = [{"name": "Style", "text": f"{word} style", "type": "options"}]
    run.search_text = f"{app.name} {word}".casefold()
    file = make_stored((40, 30) if is_shared else (44, 33))
    input_file = make_stored((50, 30) if is_shared else (55, 33))
    run.input_picture = input_file
    run.save()
    StoredFile.objects.filter(pk=file.pk).update(name=f"{word}.png")
    StoredFile.objects.filter(pk=input_file.pk).update(name=f"{word} photo.png")
    output, written = run.outputs.all()
    OutputFile.objects.create(output=output, source_url="https://x.test/a.png", status="saved", file=file)
    Output.objects.filter(pk=written.pk).update(kind="text", text=f"{shown} text")
    upload = Upload.objects.create(member=owner, file=input_file, status="ready", name=f"{word} photo.png")
    photo = run.inputs.create(position=1, name="Photo", type="url", value=[])
    RunInputUpload.objects.create(input=photo, upload=upload, position=0)
    binned = make_run(owner, app, status="completed", title=f"The {word} mistake", deleted_at=timezone.now())
    binned_file = make_stored((500, 400) if is_shared else (550, 440))
    make_kept(binned, binned_file)
    links = [make_link(owner, list(run.outputs.all())) for _ in range(2)]
    GuestLink.objects.filter(pk=links[0].pk).update(may_download=True, lets_decide=True, lets_comment=True)
    make_guest_copies.COPIES.run()
    revoke(links[1], owner)
    preset = Preset.objects.create(app=app, member=owner, name=f"{word} preset", is_team=is_shared)
    preset_file = make_stored((60, 30) if is_shared else (66, 33))
    preset.uploads.add(Upload.objects.create(member=owner, file=preset_file, status="ready", name=f"{word} sketch.png"))
    kept_for_later = (preset, preset_file, binned, binned_file)
    request = ReviewRequest.objects.create(asker=owner, audience="guests", link=links[0])
    request.items.create(output=output, position=0)
    decision = decide(written, "approved", f"{word} praise", Reviewer(admin), None)
    comment = post(Reviewer(member=owner), run, output, f"The {word} light is too warm")
    live, revoked = links
    made = (word, shown, run, output, file, input_file, upload)
    return Subject(*made, *kept_for_later, decision, live, revoked, request, comment)


def token_of(link: GuestLink) -> str:
    return secret_links.token_of(secret_links.Purpose.GUEST, link.nonce)


class World:
    """Alice's two runs and everyone who may request them; `subject` is the run under test."""

    def __init__(self, make_member: Callable[..., Member]) -> None:
        roles = {"stranger or teammate": "maker", "viewer": "viewer", "approver": "approver", "admin": "admin"}
        self.owner = make_member("alice")
        self.members = {who: make_member(who.split()[0], role=role) for who, role in roles.items()}
        self.members["owner"] = self.owner
        self.app: App = make_app()
        self.private = make_subject(self.owner, self.members["admin"], self.app, "quartz", "marble", is_shared=False)
        self.shared = make_subject(self.owner, self.members["admin"], self.app, "basalt", "chalk", is_shared=True)
        self.subject = self.private
        self.who = "nobody"
        link = secret_links.new_link(secret_links.Purpose.INVITE)
        self.invite_token = link.token
        self.invite = Invite.objects.create(
            nonce=link.nonce,
            token_hash=link.token_hash,
            invited_by=self.members["admin"],
            expires_at=timezone.now() + timedelta(days=7),
        )
        self.logo = make_stored((50, 20))
        SharingRules.objects.create(logo=self.logo)
        set_channel("teams", "https://127.0.0.1/", [], [], "")  # a private address, so nothing is sent
        self._cookies = {who: client_of(member).cookies for who, member in self.members.items()}
        self.signed_in = BrowserSession.objects.get(member=self.owner)

    @property
    def other(self) -> Subject:
        return self.shared if self.subject is self.private else self.private

    @property
    def token(self) -> str:
        """Return the link token that `who` has; members have the active one."""
        links = {"guest, revoked": self.subject.revoked, "guest, other run": self.other.link}
        return token_of(links.get(self.who, self.subject.link)) if self.who != "nobody" else "made-up"

    def client(self, who: str) -> Client:
        """Return a browser for `who`, just signed in; only members have cookies."""
        self.who = who
        client = Client()
        client.cookies.load({name: morsel.value for name, morsel in self._cookies.get(who, {}).items()})
        return client
