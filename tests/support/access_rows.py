"""The access test's table: one row for each URL and method, saying who may use it.

To add a URL, add one `Row(name, method, rule, status)` for each of its methods to `ROWS`. `rule` says who has access
(to a private run, and to one shared with the team), and `status` says what they get. Everybody else gets the default:
404, or the sign-in page if they have no account. `only` lists people who get a different status, `path` returns the
URL's arguments, and `data` returns what to send. `query` distinguishes rows with the same URL.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runs.notices import unsubscribe
from runs.review import guest_answers
from runs.sharing import guest_fields
from tests.support.access_world import MEMBERS, OUTSIDE, PEOPLE, World
from tests.support.guest_links import guest_of


@dataclass(frozen=True)
class Rule:
    """Who has access to a private run, and who has access to a run shared with the team."""

    private: tuple[str, ...]
    shared: tuple[str, ...]


ALL = Rule(PEOPLE, PEOPLE)  # no account is needed
IN = Rule(MEMBERS, MEMBERS)  # everyone who is signed in
SEES = Rule(("owner", "admin"), MEMBERS)  # parts of a run; the team gets access once the run is shared
CHANGES = Rule(("owner", "admin"), ("owner", "admin"))  # changes to a run, by its maker or an admin
OWN = Rule(("owner",), ("owner",))  # not even an admin
NOBODY = Rule((), ())  # the page doesn't exist, even for the run's maker
PRESET = Rule(("owner",), ("owner", "admin"))  # changes to a person's own presets, or to the team's
OPENS = Rule(("owner",), MEMBERS)  # parts of a preset
ADMIN = Rule(("admin",), ("admin",))
DECIDES_ALWAYS = Rule(*[("approver", "admin")] * 2)
NOT_DECIDING = {"stranger or teammate": 403, "viewer": 403, "owner": 403}
DECIDES = Rule(("admin",), ("approver", "admin"))  # for results that they can see
RUNS = Rule(*[("stranger or teammate", "approver", "owner", "admin")] * 2)  # everyone but viewers


LINK = Rule(("guest", *MEMBERS), ("guest", *MEMBERS))  # anyone who has the link; being a member makes no difference
GUESTS = {"nobody": 404, "guest, revoked": 410, "guest, other run": 404}


SAID = {"text": "Warmer light"}


def _nothing(_: World) -> Any:
    return []


def run(world: World) -> list[str]:
    return [world.subject.run.public_id]


def binned(world: World) -> list[str]:
    return [world.subject.binned.public_id]


def preset(world: World) -> list[str]:
    return [world.subject.preset.public_id]


def app(world: World) -> list[str]:
    return [world.app.public_id]


def shaped(world: World) -> dict[str, Any]:
    """Return what an admin posts to change an app's form."""
    return {"seen": 0, "name": "Another name"}


def person(world: World) -> list[str]:
    return [world.owner.public_id]


def unsubscribing(world: World) -> list[str]:
    return [unsubscribe.sign(world.owner, ["mention"])]


def link(world: World) -> list[str]:
    return [world.subject.link.public_id]


def comment(world: World) -> list[str]:
    return [world.subject.comment.public_id]


def token(world: World) -> list[str]:
    return [world.token]


def _kim(world: World) -> dict[str, str]:
    """Return the signed fields of a guest called Kim."""
    link = world.subject.link
    return {"opened": guest_fields.opened_now(link), "n": guest_fields.signed(guest_of(link))}


def approval(world: World) -> dict[str, str]:
    """Return what a guest with the subject's link sends to approve its result. Guests of another run post the same
    fields to their own link."""
    output = world.subject.output
    return _kim(world) | {"approve": output.public_id, f"seen-{output.public_id}": guest_answers.content_key(output)}


def remark(world: World) -> dict[str, str]:
    """Return what a guest with the subject's link sends to comment on its result."""
    output = world.subject.output.public_id
    return _kim(world) | {"comment": output, f"words-{output}": "Lovely"}


@dataclass(frozen=True)
class Row:
    """One URL and method."""

    name: str
    method: str
    rule: Rule
    status: int = 200
    path: Callable[[World], list[Any]] = _nothing
    data: Callable[[World], Any] = _nothing
    only: Mapping[str, int] = field(default_factory=dict)
    query: str = ""
    viewer: int = 0  # the status that a viewer with access gets, if it differs
    refused: int = 0  # the status for members who see the run but may not do this, unless it is 404

    def expected(self, who: str, *, is_shared: bool) -> int:
        """Return the status that `who` must get."""
        if who in self.only:
            return self.only[who]
        if who in (self.rule.shared if is_shared else self.rule.private):
            return self.viewer or self.status if who == "viewer" else self.status
        if self.refused and who in (SEES.shared if is_shared else SEES.private):
            return self.refused
        if who in OUTSIDE:
            # a GET is redirected to the sign-in page; a change gets that page as its response
            return 302 if self.method == "get" else 200
        return 404

    @property
    def is_for_guests(self) -> bool:
        return self.name.startswith("runs:guest")

    def asks_to_sign_in(self, who: str) -> bool:
        return who in OUTSIDE and who not in self.rule.private and who not in self.only


ROWS = [
    Row("runs:home", "get", IN),
    Row("runs:app-list", "get", IN),
    Row("runs:app-search", "get", IN, 302, data=lambda _: {"q": "a word"}),
    Row("runs:app-star", "post", IN, 302, path=app, data=lambda _: {"on": "1"}, viewer=403),
    Row("runs:app-detail", "get", IN, path=lambda w: [w.app.slug, w.app.public_id]),
    Row("runs:app-detail", "get", SEES, query="from", path=lambda w: [w.app.slug, w.app.public_id],
        data=lambda w: {"from": w.subject.run.public_id}),
    Row("runs:app-detail", "post", IN, 422, path=lambda w: [w.app.slug, w.app.public_id]),
    Row("runs:draft-save", "post", IN, 409, path=app),  # the form says whose it is, and this is nobody's
    Row("runs:draft-clear", "post", IN, 302, path=app),
    Row("runs:draft-drop", "post", IN, 302, path=app, data=lambda w: {"page": "home"}),
    Row("runs:draft-restore", "post", IN, 302, path=app),
    Row("runs:app-news", "get", IN, 302, path=app),
    Row("runs:app-cost", "get", IN, 302, path=app),
    Row("runs:history", "get", IN, viewer=302),  # viewers have no runs, so they are redirected to the team's runs
    Row("runs:history-bulk-action", "post", IN, 302, data=lambda w: {"do": "compare", "r": [w.subject.run.public_id]}),
    Row("runs:bin-selected", "get", IN, 302, viewer=403),  # nothing is selected
    Row("runs:history-select", "post", IN, 302, data=lambda w: {"r": [w.subject.run.public_id]}),
    Row("runs:review", "get", IN),
    Row("runs:review", "post", SEES, 422, data=lambda w: {"result": w.subject.output.public_id},
        viewer=403),
    Row("runs:review-undo", "post", IN, 303, viewer=403),
    Row("runs:review-asked", "get", IN),
    Row("runs:review-decided", "get", IN),
    Row("runs:review-many", "get", DECIDES_ALWAYS, only=NOT_DECIDING),
    Row("runs:review-many", "post", DECIDES_ALWAYS, 422, only=NOT_DECIDING),
    Row("runs:review-ask", "get", SEES, query="run", data=lambda w: {"run": w.subject.run.public_id}, viewer=403),
    Row("runs:review-ask", "get", SEES, query="result", data=lambda w: {"f": w.subject.output.public_id}, viewer=403),
    Row("runs:review-ask", "post", SEES, 302, data=lambda w: {"run": w.subject.run.public_id}, viewer=403),
    Row("runs:review-request-close", "post", CHANGES, 303, path=lambda w: [w.subject.request.public_id]),
    Row("runs:review-request-remind", "post", CHANGES, 303, path=lambda w: [w.subject.request.public_id]),
    Row("runs:view-save", "post", IN, 302, data=lambda _: {"name": "a view", "query": "q=a"}),
    Row("runs:view-change", "post", NOBODY, path=lambda _: ["nothing"]),
    Row("runs:help-keys", "get", IN),
    Row("runs:help-accessibility", "get", ALL),
    Row("runs:run-detail", "get", SEES, path=run),
    Row("runs:run-status", "get", SEES, path=run),
    Row("runs:run-cancel", "get", CHANGES, path=run),
    Row("runs:run-cancel", "post", CHANGES, 302, path=run),
    Row("runs:run-start-again", "post", CHANGES, 302, path=run),
    Row("runs:run-leave", "post", CHANGES, 302, path=run),
    Row("runs:run-mail", "post", SEES, 302, path=run),
    Row("runs:mail-stop", "get", ALL, path=unsubscribing),
    Row("runs:mail-stop", "post", ALL, path=unsubscribing),
    Row("runs:mail-stop", "get", ALL, 404, query="made up", path=lambda _: ["made-up"]),
    Row("runs:mail-stop", "post", ALL, 404, query="made up", path=lambda _: ["made-up"]),
    Row("runs:bin", "get", IN),
    Row("runs:bin-restore", "post", IN, 302, data=lambda w: {"r": [w.subject.binned.public_id]}, viewer=403),
    # These come before the row that deletes the file for good, because only database changes are undone after each row.
    Row("runs:file-thumb", "get", CHANGES, query="binned", path=lambda w: [w.subject.binned_file.public_id, 200]),
    Row("runs:file-thumb", "get", NOBODY, query="binned, large", path=lambda w: [w.subject.binned_file.public_id, 400]),
    Row("runs:file-original", "get", NOBODY, query="binned", path=lambda w: [w.subject.binned_file.public_id]),
    Row("runs:run-delete", "get", CHANGES, path=run),
    Row("runs:run-delete", "get", CHANGES, query="binned", path=binned),
    Row("runs:run-delete", "post", CHANGES, 302, path=run),
    Row("runs:run-delete", "post", CHANGES, 302, query="binned", path=binned, data=lambda _: {"sure": "for-good"}),
    Row("runs:run-restore", "post", CHANGES, 302, path=binned),
    Row("runs:run-detail", "get", NOBODY, query="binned", path=binned),
    Row("runs:run-status", "get", NOBODY, query="binned", path=binned),
    Row("runs:run-hold", "post", CHANGES, 302, path=run, data=lambda _: {"on": "1"}),
    Row("runs:result-keep", "post", CHANGES, 302, path=lambda w: [w.subject.output.public_id]),
    Row("runs:result-fetch-again", "post", CHANGES, 302, path=lambda w: [w.subject.output.public_id]),
    Row("runs:run-retry-failed", "post", SEES, 302, path=run, only={"viewer": 403}),
    Row("runs:live", "get", IN, 204),
    Row("runs:live-frame", "get", IN, 204, only={"owner": 200}),
    Row("runs:live-team", "get", IN, 204),
    Row("runs:inbox", "get", IN),
    Row("runs:inbox-read", "post", IN, 302),
    Row("runs:inbox-seen", "post", IN, 302),
    Row("runs:inbox-muted", "get", IN),
    Row("runs:inbox-mute", "post", SEES, 302, data=lambda w: {"what": w.subject.run.public_id}),
    Row("runs:inbox-unmute", "post", SEES, 302, data=lambda w: {"what": w.subject.run.public_id}),
    Row("runs:webhook", "post", ALL, 503, path=lambda w: [w.subject.run.hook_token]),  # also needs a signature
    Row("runs:examples-clear", "post", ADMIN, 302),
    Row("runs:examples-restore", "post", ADMIN, 302),
    Row("runs:manage", "get", ADMIN),
    Row("runs:result-detail", "get", SEES, path=lambda w: [w.subject.output.public_id]),
    Row("runs:library", "get", RUNS, 404, only={"viewer": 403}),
    Row("runs:library", "post", RUNS, 404, only={"viewer": 403}),
    Row("runs:result-use", "get", SEES, path=lambda w: [w.subject.output.public_id], only={"viewer": 403}),
    Row("runs:result-use", "post", SEES, 404, path=lambda w: [w.subject.output.public_id], only={"viewer": 403}),
    Row("runs:result-comment", "get", SEES, path=lambda w: [w.subject.output.public_id]),
    Row("runs:result-comment", "post", SEES, 302, path=lambda w: [w.subject.output.public_id], data=lambda _: SAID),
    Row("runs:run-comment", "get", SEES, path=run),
    Row("runs:run-comment", "post", SEES, 302, path=run, data=lambda _: SAID),
    Row("runs:run-people", "get", SEES, path=run),
    Row("runs:comment-reply", "get", SEES, path=comment),
    Row("runs:comment-reply", "post", SEES, 302, path=comment, data=lambda _: SAID),
    Row("runs:comment-edit", "get", SEES, 403, path=comment, only={"owner": 200}),
    Row("runs:comment-edit", "post", SEES, 403, path=comment, data=lambda _: SAID, only={"owner": 302}),
    Row("runs:comment-remove", "get", SEES, 403, path=comment, only={"owner": 200}),
    Row("runs:comment-remove", "post", SEES, 403, path=comment, only={"owner": 302}),
    Row("runs:comment-resolve", "post", SEES, 302, path=comment, data=lambda _: {"on": "1"}),
    Row("runs:result-carry-over", "post", SEES, 302, path=lambda w: [w.subject.output.public_id]),
    Row("runs:comment-move-back", "post", SEES, 302, path=comment),
    Row("runs:result-text", "get", SEES, path=lambda w: [w.subject.run.outputs.all()[1].public_id]),
    Row("runs:results-download", "get", SEES, query="r", data=lambda w: {"r": w.subject.run.public_id}),
    Row("runs:results-download", "get", NOBODY, query="selected", data=lambda _: {"selected": "mine"}),
    Row("runs:results-download", "get", SEES, query="f", data=lambda w: {"f": w.subject.output.public_id}),
    Row("runs:file-original", "get", SEES, path=lambda w: [w.subject.file.public_id]),
    Row("runs:file-original", "get", SEES, query="what went in", path=lambda w: [w.subject.input_file.public_id]),
    Row("runs:file-thumb", "get", SEES, path=lambda w: [w.subject.file.public_id, 200]),
    Row("runs:file-original", "get", OPENS, query="of a preset", path=lambda w: [w.subject.preset_file.public_id]),
    Row("runs:file-thumb", "get", OPENS, query="of a preset", path=lambda w: [w.subject.preset_file.public_id, 200]),
    Row("runs:upload-create", "post", IN, 422, data=lambda w: {"app": w.app.public_id, "field": "p0"}),
    Row("runs:upload-room", "get", IN, 204, data=lambda _: {"bytes": "5"}),
    Row("runs:upload-allowed", "get", ALL, 401, only=dict.fromkeys(MEMBERS, 204)),
    Row("runs:upload-detail", "get", OWN, path=lambda w: [w.subject.upload.public_id]),
    Row("runs:compare", "get", IN, data=lambda w: {"r": w.subject.run.public_id}),
    Row("runs:compare", "get", IN, query="results", data=lambda w: {
        "f": ",".join(output.public_id for output in w.subject.run.outputs.all())}),
    Row("runs:run-rerun", "get", SEES, path=run),
    Row("runs:run-rerun", "post", SEES, 422, path=run, viewer=403),  # the run's answers don't fit any form
    Row("runs:run-rename", "post", CHANGES, 302, path=run),
    Row("runs:result-describe", "post", CHANGES, 302, path=lambda w: [w.subject.output.public_id]),
    Row("runs:preset-new", "get", SEES, data=lambda w: {"from": w.subject.run.public_id}, viewer=403),
    Row("runs:preset-new", "post", IN, 404, data=lambda w: {"name": "One"}),  # nobody has a draft
    Row("runs:preset-edit", "get", PRESET, path=preset),
    Row("runs:preset-edit", "post", PRESET, 302, path=preset, data=lambda _: {"name": "Two"}),
    Row("runs:preset-delete", "post", PRESET, 302, path=preset),
    Row("runs:app-detail", "get", OPENS, query="preset",
        path=lambda w: [w.app.slug, w.app.public_id], data=lambda w: {"preset": w.subject.preset.public_id}),
    Row("runs:run-star", "post", SEES, 302, path=run, viewer=403),
    Row("runs:result-star", "post", SEES, 302, path=lambda w: [w.subject.output.public_id], viewer=403),
    Row("runs:result-decide", "post", DECIDES, 302, path=lambda w: [w.subject.output.public_id], refused=403,
        data=lambda w: {"verdict": "approved", "seen": w.subject.output.decided_in}),
    Row("runs:result-withdraw", "post", SEES, 302, path=lambda w: [w.subject.output.public_id], viewer=403),
    Row("runs:results-choose", "post", DECIDES, 302, refused=403, data=lambda w: {
        "chosen": w.subject.output.public_id, "on": f"{w.subject.output.public_id}:{w.subject.output.decided_in}"}),
    Row("runs:decision-undo", "post", ADMIN, 302, path=lambda w: [w.subject.decision.batch]),
    Row("runs:decision-set-aside", "post", Rule((), ("approver",)), 302, refused=403,
        path=lambda w: [w.subject.decision.public_id], data=lambda _: {"note": "Never mind"}),
    Row("runs:manage-review", "get", ADMIN),
    Row("runs:manage-review", "post", ADMIN, 302),
    Row("runs:manage-people", "get", ADMIN),
    Row("runs:manage-people", "post", ADMIN, 422),
    Row("runs:manage-person", "get", ADMIN, path=person),
    Row("runs:manage-person", "post", ADMIN, 422, path=person),
    Row("runs:person-new-password", "post", ADMIN, path=person),
    Row("runs:person-deactivate", "get", ADMIN, path=person),
    Row("runs:person-deactivate", "post", ADMIN, 302, path=person),
    Row("runs:person-reactivate", "post", ADMIN, 302, path=person),
    Row("runs:person-mail-again", "post", ADMIN, 302, path=person),
    Row("runs:mail-test", "post", ADMIN, 302),
    Row("runs:person-transfer", "get", ADMIN, path=person),
    Row("runs:person-transfer", "post", ADMIN, 422, path=person),
    Row("runs:invite-send", "post", ADMIN, 302, path=lambda w: [w.invite.public_id]),
    Row("runs:invite-revoke", "post", ADMIN, 302, path=lambda w: [w.invite.public_id]),
    Row("runs:invite", "get", ALL, path=lambda w: [w.invite_token]),
    Row("runs:invite", "post", ALL, 422, path=lambda w: [w.invite_token], only=dict.fromkeys(MEMBERS, 200)),
    Row("runs:password-reset", "get", ALL),
    Row("runs:password-reset", "post", ALL, 422),
    Row("runs:password-new", "get", ALL, 404, path=lambda w: ["made-up"]),
    Row("runs:password-new", "post", ALL, 404, path=lambda w: ["made-up"]),
    Row("runs:password-change", "get", IN, 302),
    Row("runs:password-change", "post", IN, 422),
    Row("runs:me", "get", IN),
    Row("runs:me", "post", IN, 422),
    Row("runs:mail-choices", "get", IN, 302),
    Row("runs:mail-choices", "post", IN, 422),
    Row("runs:mail-again", "post", IN, 302),
    Row("runs:session-end", "post", OWN, 302, path=lambda w: [w.signed_in.public_id]),
    Row("runs:session-end-others", "post", IN, 302),
    Row("runs:run-share", "get", CHANGES, path=run),
    Row("runs:run-share", "post", CHANGES, 302, path=run, data=lambda w: {"who": "team"}),
    Row("runs:link-list", "get", IN),
    Row("runs:link-new", "post", CHANGES, 302, data=lambda w: {"run": w.subject.run.public_id}),
    Row("runs:link-new", "post", CHANGES, 302, query="results", data=lambda w: {"o": w.subject.output.public_id}),
    Row("runs:link-detail", "get", CHANGES, path=link),
    Row("runs:link-detail", "post", CHANGES, 422, path=link),
    Row("runs:link-copies", "get", CHANGES, path=link),
    Row("runs:link-extend", "post", CHANGES, 302, path=link),
    Row("runs:link-replace", "post", CHANGES, 404, path=link),
    Row("runs:link-same-person", "post", CHANGES, 302, path=link),
    Row("runs:link-revoke", "post", CHANGES, 302, path=link),
    Row("runs:link-restore", "post", CHANGES, 302, path=lambda w: [w.subject.revoked.public_id]),
    Row("runs:manage-apps", "get", ADMIN),
    Row("runs:manage-apps", "post", ADMIN, 302, data=lambda w: {"act": f"down:{w.app.public_id}"}),
    Row("runs:manage-app", "get", ADMIN, path=lambda w: [w.app.slug, w.app.public_id]),
    Row("runs:manage-app", "post", ADMIN, 302, path=lambda w: [w.app.slug, w.app.public_id], data=shaped),
    Row("runs:manage-app-preview", "get", ADMIN, path=app),
    Row("runs:manage-app-reset", "get", ADMIN, path=app),
    Row("runs:manage-app-reset", "post", ADMIN, 302, path=app),
    Row("runs:manage-sharing", "get", ADMIN),
    Row("runs:manage-sharing", "post", ADMIN, 422),
    Row("runs:manage-notices", "get", ADMIN),
    Row("runs:chat-set", "post", ADMIN, 422, path=lambda w: ["slack"]),
    Row("runs:chat-test", "post", ADMIN, 302, path=lambda w: ["teams"]),
    Row("runs:chat-remove", "post", ADMIN, 302, path=lambda w: ["teams"]),
    Row("runs:manage-log", "get", ADMIN),
    Row("runs:manage-log-csv", "post", ADMIN),
    Row("runs:object-record", "get", CHANGES, path=lambda w: ["run", w.subject.run.public_id]),
    Row("runs:object-record", "get", CHANGES, query="of a link", path=lambda w: ["link", w.subject.link.public_id]),
    Row("runs:object-record", "get", ADMIN, query="of an app", path=lambda w: ["app", w.app.public_id]),
    Row("runs:object-record", "get", Rule(*[("owner", "admin")] * 2), query="of a person",
        path=lambda w: ["person", w.owner.public_id]),
    Row("runs:object-record", "get", NOBODY, query="of nothing", path=lambda _: ["nothing", "nothing"]),
    Row("runs:manage-storage", "get", ADMIN),
    Row("runs:manage-storage", "post", ADMIN, 302),
    Row("runs:manage-spending", "get", ADMIN),
    Row("runs:spending-sheet", "post", ADMIN, data=lambda _: {"month": "2026-11"}),
    Row("runs:manage-limits", "get", ADMIN),
    Row("runs:manage-limits", "post", ADMIN, 422, data=lambda _: {"default": "much"}),
    Row("runs:manage-limit", "get", ADMIN, path=person),
    Row("runs:manage-limit", "post", ADMIN, 422, path=person),
    Row("runs:app-price", "post", ADMIN, 422, path=app, data=lambda _: {"price": "much"}),
    Row("runs:ask-for-more", "post", IN, 302, viewer=403),
    Row("runs:manage-held", "get", ADMIN),
    Row("runs:manage-retention", "get", ADMIN),
    Row("runs:manage-retention", "post", ADMIN, 422, data=lambda w: {"ready_days": "1"}),
    Row("runs:guest", "get", LINK, path=token, only=GUESTS | {"guest, other run": 200}),
    Row("runs:guest", "post", LINK, path=token, only=GUESTS | {"guest, other run": 200}),
    Row("runs:guest-file", "get", LINK, only=GUESTS, path=lambda w: [w.token, w.subject.file.public_id, "original"]),
    Row("runs:guest-file", "get", LINK, only=GUESTS, query="small",
        path=lambda w: [w.token, w.subject.file.public_id, "400"]),
    Row("runs:guest-file", "get", LINK, 404, query="what went in",
        only=GUESTS, path=lambda w: [w.token, w.subject.input_file.public_id, "400"]),
    Row("runs:guest-text", "get", LINK, only=GUESTS,
        path=lambda w: [w.token, w.subject.run.outputs.all()[1].public_id]),
    Row("runs:guest-preview", "get", LINK, path=token, only=GUESTS | {"guest, other run": 200}),
    Row("runs:guest-download", "get", LINK, path=token, only=GUESTS | {"guest, other run": 200}),
    Row("runs:guest-download", "post", LINK, path=token, only=GUESTS | {"guest, other run": 200}),
    Row("runs:guest-decide", "get", LINK, 302, path=token, only=GUESTS | {"guest, other run": 302}),
    Row("runs:guest-decide", "post", LINK, path=token, data=approval, only=GUESTS | {"guest, other run": 403}),
    Row("runs:guest-comment", "get", LINK, 302, path=token, only=GUESTS | {"guest, other run": 302}),
    Row("runs:guest-comment", "post", LINK, path=token, data=remark, only=GUESTS | {"guest, other run": 403}),
    Row("runs:company-logo", "get", ALL, path=lambda w: [w.logo.public_id]),
    Row("runs:company-logo", "get", ALL, 404, query="another file", path=lambda w: [w.subject.file.public_id]),
    Row("runs:guest-unknown", "get", ALL, 404, path=lambda w: [f"{w.token}/anything"]),
    Row("runs:guest-unknown", "get", ALL, 302, query="no slash", path=lambda w: [w.token]),
    Row("login", "get", ALL, only=dict.fromkeys(MEMBERS, 302)),
    Row("login", "post", ALL, only=dict.fromkeys(MEMBERS, 302)),
    Row("logout", "post", ALL, 302),
    Row("healthz", "get", ALL),
]  # fmt: skip

NO_CSRF = ("runs:webhook", "runs:guest", "runs:mail-stop")  # these are authorized by a secret in their path
ANY_METHOD = ("login",)  # members are redirected, whatever the method
