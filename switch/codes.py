"""What the books' decisions are called on the wire: ISO 8583:1987 response codes (DE39)."""

from __future__ import annotations

from typing import Final

from ..ledger.operations import Reason

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
}

APPROVED: Final = "00"
FORMAT_ERROR: Final = "30"
DUPLICATE: Final = "94"
MALFUNCTION: Final = "96"
