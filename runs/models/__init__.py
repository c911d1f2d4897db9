"""The portal's database models: people, apps, files, runs, and small tables that coordinate processes."""

from runs.models.app import App, AppSchema
from runs.models.app_change import AppChange
from runs.models.app_rules import AppRule, FieldRule
from runs.models.app_search import AppSearch
from runs.models.comments import Comment, CommentChange, Mention
from runs.models.coordination import Heartbeat, Incident, LaminaStatus, Lease, RequestWindow
from runs.models.decisions import Decision, ReviewRules
from runs.models.entry import Entry, EntryOrigin
from runs.models.file import StoredFile, Upload
from runs.models.file_access import files_visible_to, files_with_small_picture_for
from runs.models.guest import Guest, SentAnswer
from runs.models.guest_notice import GuestContact, GuestNotice
from runs.models.held_outputs import HeldOutputs
from runs.models.member import KnownAddress, Member, ThrottleHit
from runs.models.notice import (
    ChatChannel,
    ChatMessage,
    Mail,
    MailWhenReady,
    Mute,
    Notice,
    NoticeChoice,
    NoticeKind,
    Way,
)
from runs.models.output import Output, OutputFile, for_page
from runs.models.people import BrowserSession, Invite
from runs.models.retention import RetentionRules, StorageUse
from runs.models.reuse import Draft, Preset, SavedView, form_hash
from runs.models.review_requests import ReviewItem, ReviewRequest
from runs.models.run import ACTIVE, AT_LAMINA, FINAL, Run, RunInput
from runs.models.run_count import RunCount
from runs.models.search import KnownWord, RunWords, WordTrigram
from runs.models.selection import Selection
from runs.models.sharing import GuestCopy, GuestLink, GuestLinkOutput, SharingRules
from runs.models.spending import AccountReading, Charge, MemberLimit, MonthTotal, SpendingLimits, SpendingSum
from runs.models.verbs import Verb

__all__ = [
    "ACTIVE",
    "AT_LAMINA",
    "FINAL",
    "AccountReading",
    "App",
    "AppChange",
    "AppRule",
    "AppSchema",
    "AppSearch",
    "BrowserSession",
    "Charge",
    "ChatChannel",
    "ChatMessage",
    "Comment",
    "CommentChange",
    "Decision",
    "Draft",
    "Entry",
    "EntryOrigin",
    "FieldRule",
    "Guest",
    "GuestContact",
    "GuestCopy",
    "GuestLink",
    "GuestLinkOutput",
    "GuestNotice",
    "Heartbeat",
    "HeldOutputs",
    "Incident",
    "Invite",
    "KnownAddress",
    "KnownWord",
    "LaminaStatus",
    "Lease",
    "Mail",
    "MailWhenReady",
    "Member",
    "MemberLimit",
    "Mention",
    "MonthTotal",
    "Mute",
    "Notice",
    "NoticeChoice",
    "NoticeKind",
    "Output",
    "OutputFile",
    "Preset",
    "RequestWindow",
    "RetentionRules",
    "ReviewItem",
    "ReviewRequest",
    "ReviewRules",
    "Run",
    "RunCount",
    "RunInput",
    "RunWords",
    "SavedView",
    "Selection",
    "SentAnswer",
    "SharingRules",
    "SpendingLimits",
    "SpendingSum",
    "StorageUse",
    "StoredFile",
    "ThrottleHit",
    "Upload",
    "Verb",
    "Way",
    "WordTrigram",
    "files_visible_to",
    "files_with_small_picture_for",
    "for_page",
    "form_hash",
]
