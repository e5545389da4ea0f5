"""The rules of the books applied to a batch: items and what is known go in, outcomes and changes come out.

No input or output, no clock, no randomness: the same items on the same page give the same outcomes, whatever the
batches into which they are cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any, Final

import attrs

from . import administration, approvals, corrections, flights, mail, opening, payments, settling
from .account_items import BlockAccount, CloseAccount, LimitAccount, UpdateAccount
from .approval_items import Approve, Reject, RequestApproval
from .operations import (
    Abandon,
    Attempt,
    Authorise,
    Bury,
    Capture,
    Conclude,
    Delivered,
    Dispatch,
    Drop,
    ExpireHolds,
    Failed,
    Inquire,
    Item,
    NextSession,
    OpenAccount,
    Outcome,
    Postpone,
    Redirect,
    Refuse,
    Reverse,
    Revive,
    Silence,
    SilenceOverdue,
)
from .page import Missing, Page
from .settlement_items import CutOver, Reconcile

_RULES: Final[dict[type, Callable[[Page, Any], Outcome]]] = {
    Authorise: payments.authorise,
    Inquire: payments.inquire,
    Refuse: payments.refuse,
    Capture: corrections.capture,
    Reverse: corrections.reverse,
    ExpireHolds: corrections.expire_holds,
    Dispatch: flights.dispatch,
    Redirect: flights.redirect,
    Conclude: flights.conclude,
    Abandon: flights.abandon,
    Silence: flights.silence,
    SilenceOverdue: flights.silence_overdue,
    Delivered: mail.delivered,
    Attempt: mail.attempt,
    Postpone: mail.postpone,
    Bury: mail.bury,
    Revive: mail.revive,
    Drop: mail.drop,
    NextSession: mail.next_session,
    OpenAccount: opening.open_account,
    UpdateAccount: administration.update_account,
    BlockAccount: administration.block_account,
    CloseAccount: administration.close_account,
    CutOver: settling.cut_over,
    RequestApproval: approvals.request,
    Approve: approvals.approve,
    Reject: approvals.reject,
    Reconcile: settling.reconcile,
    LimitAccount: administration.limit_account,
}


@attrs.frozen
class Lacks:
    """The rows that a batch needs and the page has not."""

    rows: list[Missing]


def decide(items: Sequence[Item], page: Page) -> list[Outcome] | Lacks:
    """Decide every item, in order, each seeing what those before it did.

    An item that raises is undone alone and becomes Failed. When the page lacks rows, it is left as it was, and what
    is missing, as far as can be told, is given.
    """
    outcomes: list[Outcome] = []
    missing: list[Missing] = []
    for item in items:
        mark = page.mark()
        try:
            outcomes.append(_RULES[type(item)](page, item))
        except Missing as lack:
            page.take_back(mark)
            missing.append(lack)
        except Exception as error:  # whatever is wrong with one item must not stop the others
            page.take_back(mark)
            outcomes.append(Failed(_place(error, item)))
    if missing:
        page.clear()
        return Lacks(missing)
    return outcomes


def _place(error: Exception, item: Item) -> str:
    """Tell where an error came from; never its text, which may hold content."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f" at {PurePath(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
    return f"{type(error).__name__}{where} in {type(item).__name__}"
