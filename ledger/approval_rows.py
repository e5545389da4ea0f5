"""Requests for approval as tuples for the database and back, and reading them for people."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

import attrs
from sqlalchemy import select

from . import views
from .approval_items import ApprovalState
from .settlement_schema import approval
from .state import Approval

APPROVAL: Final = (
    "approval_id", "action", "payload", "hash", "requested_by", "reason", "requested_us", "expires_us", "state",
    "decided_by", "decided_us",
)  # fmt: skip


def approval_in(row: Any) -> Approval:
    """Read a request."""
    return Approval(*row)


def approval_out(row: Approval) -> tuple[Any, ...]:
    """Give a request to be inserted."""
    return (
        row.approval_id, row.action, row.payload, row.hash, row.requested_by, row.reason, row.requested_us,
        row.expires_us, int(row.state), row.decided_by, row.decided_us,
    )  # fmt: skip


def decision_out(row: Approval) -> tuple[Any, ...]:
    """Give what a decision changes: key, state, who and when."""
    return (row.approval_id, int(row.state), row.decided_by, row.decided_us)


@attrs.frozen
class ApprovalReport:
    """A request for an entry by hand; `payload` is JSON, `hash` covers all that is approved."""

    approval_id: bytes
    action: str
    payload: str
    hash: bytes
    requested_by: str
    reason: str
    requested_us: int
    expires_us: int
    state: str
    decided_by: str | None
    decided_us: int | None


class Approvals:
    """Requests, over the connection of a reader."""

    def __init__(self, reading: Callable[[], AbstractContextManager[Any]]) -> None:
        self._reading = reading

    def find(self, *, waiting_at_us: int | None = None, most: int = 1000) -> list[ApprovalReport]:
        """List requests, the newest first; with a time, those that can still be approved then."""
        wanted = select(approval).order_by(approval.c.requested_us.desc(), approval.c.approval_id).limit(most)
        if waiting_at_us is not None:
            wanted = wanted.where(
                approval.c.state == int(ApprovalState.WAITING), approval.c.expires_us > waiting_at_us
            )
        with self._reading() as run:
            return [_report(row) for row in run(wanted)]


def _report(row: Any) -> ApprovalReport:
    names = (name for name in APPROVAL if name != "state")
    return ApprovalReport(**{name: getattr(row, name) for name in names}, state=views.words(ApprovalState(row.state)))
