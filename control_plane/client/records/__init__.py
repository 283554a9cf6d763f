"""The records that a server answers with. Written by `tests.client_api`."""

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
from control_plane.client.records.health import Health
from control_plane.client.records.inbox import Task
from control_plane.client.records.people import Holds, Me
from control_plane.client.records.prompts import PromptDetail, PromptInfo, VersionInfo
from control_plane.client.records.proposals import Change, CheckResult, Missing, ProposalDetail, Signature
from control_plane.client.records.session import SignedIn
from control_plane.client.records.shared import FieldDiff, Person, Proposal, Release, Span
from control_plane.client.records.sources import LiveSource, Snapshot
from control_plane.client.records.tokens import NewToken, Token
from control_plane.client.records.withdrawals import Withdrawal

__all__ = [
    "AsOf",
    "Change",
    "CheckResult",
    "ControlsReport",
    "Deed",
    "Evidence",
    "FieldDiff",
    "Filed",
    "Found",
    "Gap",
    "Health",
    "Hit",
    "Holds",
    "Lack",
    "LedgerReport",
    "Live",
    "LiveSource",
    "Me",
    "Missing",
    "NewToken",
    "Person",
    "PromptDetail",
    "PromptInfo",
    "Proposal",
    "ProposalDetail",
    "Release",
    "Signature",
    "SignedIn",
    "Snapshot",
    "Span",
    "Task",
    "Token",
    "VersionInfo",
    "Withdrawal",
]
