"""The records that a server answers with. Written by `tests.client_api`."""

from control_plane.client.records.approvals import ItemInput
from control_plane.client.records.audit import (
    AsOf,
    ControlsReport,
    Deed,
    Evidence,
    Filed,
    Found,
    Gap,
    Hit,
    Lack,
    LedgerReport,
    Live,
)
from control_plane.client.records.census import (
    CensusDay,
    PackageCount,
    ReleaseCount,
    RunsCount,
    StateCount,
    WithdrawalsCount,
)
from control_plane.client.records.channels import ChannelInfo, ChannelWithdrawn, Staged
from control_plane.client.records.compatibility import Break, Verdict
from control_plane.client.records.drafts import DraftInfo, DraftProblem, SavedDraft
from control_plane.client.records.grants import Checklist, Open
from control_plane.client.records.health import Health
from control_plane.client.records.holds import Hold
from control_plane.client.records.inbox import Task
from control_plane.client.records.library import Count, Detail, Item, Page, Reference
from control_plane.client.records.people import Enrolled, Erasable, Erasure, Holds, Invited, Left, Me
from control_plane.client.records.prompts import PromptDetail, PromptInfo
from control_plane.client.records.proposals import (
    CaseEffect,
    Change,
    CheckResult,
    Comment,
    Conflicting,
    Course,
    Lines,
    Meaning,
    Missing,
    Objection,
    ProposalDetail,
    ProposalEffects,
    Requested,
    Seen,
    Signature,
    Thread,
    Underneath,
)
from control_plane.client.records.releases import Reviewed
from control_plane.client.records.retention import SettingChanged
from control_plane.client.records.reviews import PendingReview
from control_plane.client.records.roles import HeldRole
from control_plane.client.records.schedule import Planned
from control_plane.client.records.session import SignedIn
from control_plane.client.records.sessions import OpenSession
from control_plane.client.records.shared import (
    FieldDiff,
    GrantRecord,
    Material,
    Person,
    Proposal,
    Proving,
    Release,
    Span,
    Stated,
    VersionInfo,
    Window,
)
from control_plane.client.records.sources import LiveSource, Snapshot
from control_plane.client.records.tokens import NewToken, Token
from control_plane.client.records.trials import WindowInfo
from control_plane.client.records.unsigned import Terms, Words
from control_plane.client.records.webhooks import Delivery, NewWebhook, Webhook
from control_plane.client.records.withdrawals import Withdrawal
from control_plane.client.records.withdrawn import Standing

__all__ = [
    "AsOf",
    "Break",
    "CaseEffect",
    "CensusDay",
    "Change",
    "ChannelInfo",
    "ChannelWithdrawn",
    "CheckResult",
    "Checklist",
    "Comment",
    "Conflicting",
    "ControlsReport",
    "Count",
    "Course",
    "Deed",
    "Delivery",
    "Detail",
    "DraftInfo",
    "DraftProblem",
    "Enrolled",
    "Erasable",
    "Erasure",
    "Evidence",
    "FieldDiff",
    "Filed",
    "Found",
    "Gap",
    "GrantRecord",
    "Health",
    "HeldRole",
    "Hit",
    "Hold",
    "Holds",
    "Invited",
    "Item",
    "ItemInput",
    "Lack",
    "LedgerReport",
    "Left",
    "Lines",
    "Live",
    "LiveSource",
    "Material",
    "Me",
    "Meaning",
    "Missing",
    "NewToken",
    "NewWebhook",
    "Objection",
    "Open",
    "OpenSession",
    "PackageCount",
    "Page",
    "PendingReview",
    "Person",
    "Planned",
    "PromptDetail",
    "PromptInfo",
    "Proposal",
    "ProposalDetail",
    "ProposalEffects",
    "Proving",
    "Reference",
    "Release",
    "ReleaseCount",
    "Requested",
    "Reviewed",
    "RunsCount",
    "SavedDraft",
    "Seen",
    "SettingChanged",
    "Signature",
    "SignedIn",
    "Snapshot",
    "Span",
    "Staged",
    "Standing",
    "StateCount",
    "Stated",
    "Task",
    "Terms",
    "Thread",
    "Token",
    "Underneath",
    "Verdict",
    "VersionInfo",
    "Webhook",
    "Window",
    "WindowInfo",
    "Withdrawal",
    "WithdrawalsCount",
    "Words",
]
