"""The portal's models: people, apps, files, runs and the small rows that coordinate workers."""

from runs.models.app import App, AppSchema
from runs.models.app_search import AppSearch
from runs.models.coordination import Heartbeat, Incident, LaminaStatus, Lease, RequestLog
from runs.models.file import StoredFile, Upload
from runs.models.file_access import files_visible_to, files_with_small_picture_for
from runs.models.member import KnownAddress, Member, ThrottleHit
from runs.models.output import Output, OutputFile, for_page
from runs.models.people import BrowserSession, Invite
from runs.models.retention import RetentionRules
from runs.models.reuse import Draft, Preset, SavedView
from runs.models.run import ACTIVE, AT_LAMINA, FINAL, Run, RunInput
from runs.models.sharing import GuestCopy, GuestLink, GuestLinkOutput, SharingRules

__all__ = [
    "ACTIVE",
    "AT_LAMINA",
    "FINAL",
    "App",
    "AppSchema",
    "AppSearch",
    "BrowserSession",
    "Draft",
    "GuestCopy",
    "GuestLink",
    "GuestLinkOutput",
    "Heartbeat",
    "Incident",
    "Invite",
    "KnownAddress",
    "LaminaStatus",
    "Lease",
    "Member",
    "Output",
    "OutputFile",
    "Preset",
    "RequestLog",
    "RetentionRules",
    "Run",
    "RunInput",
    "SavedView",
    "SharingRules",
    "StoredFile",
    "ThrottleHit",
    "Upload",
    "files_visible_to",
    "files_with_small_picture_for",
    "for_page",
]
