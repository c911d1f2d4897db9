"""The actions that the audit record can contain (`audit.record`). Their wording is in `words.verbs`.

The log page groups actions by the part before the dot. Rows store these codes, so a code must stay here as long as the
record may contain it.
"""

from enum import StrEnum


class Verb(StrEnum):
    """Something that a person did, or that the portal did on its own."""

    RUN_STARTED = "run.started"
    RUN_SENT = "run.sent"  # Lamina accepted the run
    RUN_FOUND = "run.found"  # after an unclear response, the run was found on Lamina
    RUN_ENDED = "run.ended"
    RUN_CANCELLED = "run.cancelled"  # someone asked to cancel it
    RUN_STARTED_AGAIN = "run.started-again"
    RUN_LEFT = "run.left"
    RUN_RENAMED = "run.renamed"
    RUN_STARRED = "run.starred"
    RUN_UNSTARRED = "run.unstarred"
    RUN_SHARED = "run.shared"
    RUN_UNSHARED = "run.unshared"
    RUN_TRANSFERRED = "run.transferred"
    RUN_BINNED = "run.binned"
    RUN_RESTORED = "run.restored"
    RUN_PURGED = "run.purged"  # permanently deleted
    RUN_HELD = "run.held"
    RUN_RELEASED = "run.released"
    RUN_OPENED = "run.opened"  # an admin saw something of someone's private run

    RESULT_STARRED = "result.starred"
    RESULT_UNSTARRED = "result.unstarred"
    RESULT_DESCRIBED = "result.described"  # someone wrote or changed its description
    RESULT_FETCHED_AGAIN = "result.fetched-again"
    RESULT_GIVEN_UP = "result.given-up"
    RESULT_DECIDED = "result.decided"
    RESULT_WITHDRAWN = "result.withdrawn"
    RESULT_UNDONE = "result.undone"
    RESULT_SET_ASIDE = "result.set-aside"
    RESULT_PURGED = "result.purged"
    RESULT_KEPT = "result.kept"  # someone kept a rejected result that was due to be removed
    RESULTS_DOWNLOADED = "result.downloaded"

    REVIEW_ASKED = "review.asked"
    REVIEW_REMINDED = "review.reminded"
    REVIEW_CLOSED = "review.closed"

    COMMENT_POSTED = "comment.posted"
    COMMENT_EDITED = "comment.edited"
    COMMENT_REMOVED = "comment.removed"
    COMMENT_RESOLVED = "comment.resolved"
    COMMENT_REOPENED = "comment.reopened"
    COMMENT_CARRIED = "comment.carried"
    COMMENT_MOVED_BACK = "comment.moved-back"

    PRESET_SAVED = "preset.saved"
    PRESET_CHANGED = "preset.changed"
    PRESET_REMOVED = "preset.removed"
    VIEW_SAVED = "view.saved"
    VIEW_CHANGED = "view.changed"
    VIEW_REMOVED = "view.removed"
    UPLOAD_ADDED = "upload.added"
    UPLOAD_PURGED = "upload.purged"

    LINK_MADE = "link.made"
    LINK_CHANGED = "link.changed"
    LINK_EXTENDED = "link.extended"
    LINK_REPLACED = "link.replaced"
    LINK_REVOKED = "link.revoked"
    LINK_RESTORED = "link.restored"
    GUESTS_JOINED = "link.guests-joined"  # two guests of a link are the same person

    APP_STARRED = "app.starred"
    APP_UNSTARRED = "app.unstarred"
    APP_SHAPED = "app.shaped"  # an admin changed how the app is shown
    APP_MOVED = "app.moved"
    APP_RESET = "app.reset"
    APP_PAUSED = "app.paused"
    APP_RESUMED = "app.resumed"
    APP_PRICED = "app.priced"

    PERSON_INVITED = "person.invited"
    PERSON_INVITED_AGAIN = "person.invited-again"
    PERSON_UNINVITED = "person.uninvited"
    PERSON_JOINED = "person.joined"
    PERSON_CHANGED = "person.changed"
    PERSON_DEACTIVATED = "person.deactivated"
    PERSON_REACTIVATED = "person.reactivated"
    PERSON_TRANSFERRED = "person.transferred"  # everything they owned was transferred
    PERSON_SIGNED_IN = "person.signed-in"
    PERSON_REFUSED = "person.refused"  # the first refused sign-in in an hour
    PERSON_SIGNED_OUT = "person.signed-out"
    PERSON_BROWSER_ENDED = "person.browser-ended"
    PERSON_NEW_PASSWORD = "person.new-password"  # noqa: S105 - no password
    PERSON_PASSWORD_LINK = "person.password-link"  # noqa: S105 - no password
    PERSON_MAIL_AGAIN = "person.mail-again"
    PERSON_ASKED_FOR_MORE = "person.asked-for-more"
    PERSON_LIMITED = "person.limited"

    RULES_CHANGED = "portal.rules-changed"
    LIMITS_CHANGED = "portal.limits-changed"
    ALERTED = "portal.alerted"
    CHAT_SET = "portal.chat-set"
    CHAT_TESTED = "portal.chat-tested"
    CHAT_REMOVED = "portal.chat-removed"
    CHAT_SWITCHED_OFF = "portal.chat-switched-off"
    MAIL_TESTED = "portal.mail-tested"
    EXAMPLES_REMOVED = "portal.examples-removed"
    EXAMPLES_RESTORED = "portal.examples-restored"
    EXPORTED = "portal.exported"
    COMMAND_RUN = "portal.command-run"
    ENTRIES_REMOVED = "portal.entries-removed"  # old entries were removed by the retention rule

    @property
    def group(self) -> str:
        """The verb's group on the log page: the part before the dot."""
        return self.value.partition(".")[0]
