"""Every operation of `/v1`, by the first word of its path. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.api.approvals import ApprovalsApi, AsyncApprovalsApi
from control_plane.client.api.audit import AsyncAuditApi, AuditApi
from control_plane.client.api.census import AsyncCensusApi, CensusApi
from control_plane.client.api.channels import AsyncChannelsApi, ChannelsApi
from control_plane.client.api.checks import AsyncChecksApi, ChecksApi
from control_plane.client.api.compatibility import AsyncCompatibilityApi, CompatibilityApi
from control_plane.client.api.delegations import AsyncDelegationsApi, DelegationsApi
from control_plane.client.api.drafts import AsyncDraftsApi, DraftsApi
from control_plane.client.api.grants import AsyncGrantsApi, GrantsApi
from control_plane.client.api.health import AsyncHealthApi, HealthApi
from control_plane.client.api.holds import AsyncHoldsApi, HoldsApi
from control_plane.client.api.inbox import AsyncInboxApi, InboxApi
from control_plane.client.api.keys import AsyncKeysApi, KeysApi
from control_plane.client.api.library import AsyncLibraryApi, LibraryApi
from control_plane.client.api.people import AsyncPeopleApi, PeopleApi
from control_plane.client.api.promotions import AsyncPromotionsApi, PromotionsApi
from control_plane.client.api.prompts import AsyncPromptsApi, PromptsApi
from control_plane.client.api.proposals import AsyncProposalsApi, ProposalsApi
from control_plane.client.api.releases import AsyncReleasesApi, ReleasesApi
from control_plane.client.api.retention import AsyncRetentionApi, RetentionApi
from control_plane.client.api.returns import AsyncReturnsApi, ReturnsApi
from control_plane.client.api.reviews import AsyncReviewsApi, ReviewsApi
from control_plane.client.api.roles import AsyncRolesApi, RolesApi
from control_plane.client.api.rollbacks import AsyncRollbacksApi, RollbacksApi
from control_plane.client.api.schedule import AsyncScheduleApi, ScheduleApi
from control_plane.client.api.session import AsyncSessionApi, SessionApi
from control_plane.client.api.sessions import AsyncSessionsApi, SessionsApi
from control_plane.client.api.sources import AsyncSourcesApi, SourcesApi
from control_plane.client.api.tokens import AsyncTokensApi, TokensApi
from control_plane.client.api.trials import AsyncTrialsApi, TrialsApi
from control_plane.client.api.unsigned import AsyncUnsignedApi, UnsignedApi
from control_plane.client.api.webhooks import AsyncWebhooksApi, WebhooksApi
from control_plane.client.api.withdrawals import AsyncWithdrawalsApi, WithdrawalsApi
from control_plane.client.api.withdrawn import AsyncWithdrawnApi, WithdrawnApi
from control_plane.client.calls import AsyncSender, Sender

__all__ = ["AsyncOperations", "Operations"]


class Operations:
    """The operations, one call after the other."""

    def __init__(self, sender: Sender) -> None:
        self.approvals = ApprovalsApi(sender)
        self.audit = AuditApi(sender)
        self.census = CensusApi(sender)
        self.channels = ChannelsApi(sender)
        self.checks = ChecksApi(sender)
        self.compatibility = CompatibilityApi(sender)
        self.delegations = DelegationsApi(sender)
        self.drafts = DraftsApi(sender)
        self.grants = GrantsApi(sender)
        self.health = HealthApi(sender)
        self.holds = HoldsApi(sender)
        self.inbox = InboxApi(sender)
        self.keys = KeysApi(sender)
        self.library = LibraryApi(sender)
        self.people = PeopleApi(sender)
        self.promotions = PromotionsApi(sender)
        self.prompts = PromptsApi(sender)
        self.proposals = ProposalsApi(sender)
        self.releases = ReleasesApi(sender)
        self.retention = RetentionApi(sender)
        self.returns = ReturnsApi(sender)
        self.reviews = ReviewsApi(sender)
        self.roles = RolesApi(sender)
        self.rollbacks = RollbacksApi(sender)
        self.schedule = ScheduleApi(sender)
        self.session = SessionApi(sender)
        self.sessions = SessionsApi(sender)
        self.sources = SourcesApi(sender)
        self.tokens = TokensApi(sender)
        self.trials = TrialsApi(sender)
        self.unsigned = UnsignedApi(sender)
        self.webhooks = WebhooksApi(sender)
        self.withdrawals = WithdrawalsApi(sender)
        self.withdrawn = WithdrawnApi(sender)


class AsyncOperations:
    """The operations, for `await`."""

    def __init__(self, sender: AsyncSender) -> None:
        self.approvals = AsyncApprovalsApi(sender)
        self.audit = AsyncAuditApi(sender)
        self.census = AsyncCensusApi(sender)
        self.channels = AsyncChannelsApi(sender)
        self.checks = AsyncChecksApi(sender)
        self.compatibility = AsyncCompatibilityApi(sender)
        self.delegations = AsyncDelegationsApi(sender)
        self.drafts = AsyncDraftsApi(sender)
        self.grants = AsyncGrantsApi(sender)
        self.health = AsyncHealthApi(sender)
        self.holds = AsyncHoldsApi(sender)
        self.inbox = AsyncInboxApi(sender)
        self.keys = AsyncKeysApi(sender)
        self.library = AsyncLibraryApi(sender)
        self.people = AsyncPeopleApi(sender)
        self.promotions = AsyncPromotionsApi(sender)
        self.prompts = AsyncPromptsApi(sender)
        self.proposals = AsyncProposalsApi(sender)
        self.releases = AsyncReleasesApi(sender)
        self.retention = AsyncRetentionApi(sender)
        self.returns = AsyncReturnsApi(sender)
        self.reviews = AsyncReviewsApi(sender)
        self.roles = AsyncRolesApi(sender)
        self.rollbacks = AsyncRollbacksApi(sender)
        self.schedule = AsyncScheduleApi(sender)
        self.session = AsyncSessionApi(sender)
        self.sessions = AsyncSessionsApi(sender)
        self.sources = AsyncSourcesApi(sender)
        self.tokens = AsyncTokensApi(sender)
        self.trials = AsyncTrialsApi(sender)
        self.unsigned = AsyncUnsignedApi(sender)
        self.webhooks = AsyncWebhooksApi(sender)
        self.withdrawals = AsyncWithdrawalsApi(sender)
        self.withdrawn = AsyncWithdrawnApi(sender)
