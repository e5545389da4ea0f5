"""What the books' decisions are called on the wire: ISO 8583:1987 response codes (DE39)."""

from __future__ import annotations

from typing import Final

from ..ledger.operations import Approved, Decision, Reason

APPROVED: Final = "00"
FORMAT_ERROR: Final = "30"
NOT_PERMITTED: Final = "57"
DUPLICATE: Final = "94"
MALFUNCTION: Final = "96"

CODE_OF: Final[dict[Reason, str]] = {
    Reason.ALREADY_REVERSED: "12",  # invalid transaction
    Reason.UNKNOWN_ACCOUNT: "14",  # invalid card number (no such number)
    Reason.UNKNOWN_COUNTERPARTY: "39",  # no credit account
    Reason.CLOSED: "62",  # restricted card
    Reason.BLOCKED: "62",
    Reason.WRONG_CURRENCY: "57",  # transaction not permitted to cardholder
    Reason.INVALID_AMOUNT: "13",  # invalid amount
    Reason.EXCEEDS_FUNDS: "51",  # not sufficient funds
    Reason.EXCEEDS_CEILING: "61",  # exceeds amount limit
    Reason.UNKNOWN_ORIGINAL: "25",  # unable to locate record
    Reason.EXCEEDS_REFUNDABLE: "13",  # invalid amount
    Reason.EXCEEDS_LIMIT: "61",
    Reason.EXCEEDS_COUNT: "65",  # exceeds frequency limit
}


def code_of(decision: Decision) -> str:
    """Give the response code of a decision; a peer's own code where a peer declined."""
    if isinstance(decision, Approved):
        return APPROVED
    if decision.reason is None:
        return decision.code or MALFUNCTION
    return CODE_OF[decision.reason]
