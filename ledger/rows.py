"""Rows of the page as tuples for the database and back; what is sealed is sealed and opened on this way.

Each table's tuple has the columns named here, in this order.
"""

from __future__ import annotations

from functools import partial
from struct import Struct
from typing import Any, Final

from .chain import FORM, FORMS, private_hash
from .operations import Facts, NewDelivery
from .page import Page
from .state import (
    INT64_MAX,
    INT64_MIN,
    REMOVED,
    Account,
    AccountEvent,
    Comparison,
    Day,
    DeadLetter,
    Delivery,
    Flight,
    Holder,
    Lane,
    Leg,
    Message,
    Sealed,
    Txn,
    reveal,
)
from .vault import Vault

FACTS: Final = (
    "fingerprint", "source", "destination", "type", "received_us", "trace", "processing_code", "amount", "currency",
    "stan", "rrn", "terminal", "pan_masked", "card_ref", "auth_code", "reference", "purpose",
)  # fmt: skip
MESSAGE: Final = (*FORMS[FORM].message, "pan_masked", "card_ref", "response", "salt")
KNOWN_MESSAGE: Final = (
    "idem_key", "fingerprint", "step", "txn_key", "type", "destination", "currency", "sent_trace", "response",
)  # fmt: skip
TXN: Final = (
    "txn_key", "state", "currency", "authorised", "amount", "legs", "entries", "expires_us", "reversal_key",
    "created_us", "updated_us",
)  # fmt: skip
FLIGHT: Final = (
    "idem_key", *FACTS, "link", "until_us", "sent_trace", "silence_code", "silence_response", "reversal_lane",
    "reversal_kind", "reversal_settles", "reversal_expires_us", "reversal", "legs", "entries", "keeps_hold",
    "expires_us",
)  # fmt: skip
AMENDED: Final = ("posted", "held", "seq", "floor", "ceiling", "flags", "overdraw", "overfill")
BALANCE: Final = (
    "account_id", "currency", "posted", "held", "seq", "floor", "ceiling", "flags", "overdraw", "overfill",
)  # fmt: skip
ENTRY: Final = (
    "account_id", "seq", "bdate", "txn_key", "kind", "amount", "balance", "held_delta", "held", "at_us", "chain_id",
    "batch_n",
)  # fmt: skip
ACCOUNT: Final = ("account_id", "code", "kind", "currency", "institution", "name", "created_us")
HOLDER: Final = (*ACCOUNT, "floor")
ACCOUNT_EVENT: Final = ("account_id", "seq", "bdate", "at_us", "who", "action", "reason", "change")
CARD: Final = ("card_ref", "ordinal", "account_id")
LANE: Final = ("lane", "tail_seq", "session")
DELIVERY: Final = (
    "lane", "seq", "kind", "origin", "settles", "created_us", "not_before_us", "expires_us", "attempts",
    "last_result", "body",
)  # fmt: skip
DEAD_LETTER: Final = (
    "lane", "seq", "kind", "origin", "settles", "created_us", "attempts", "last_result", "reason", "died_us",
    "dropped_us", "body",
)  # fmt: skip
DAY: Final = ("bdate", "state", "opened_us", "cut_us", "cut_by")
DAY_TOTAL: Final = ("bdate", "institution", "role", "currency", "class", "shard", "n", "amount")
COMPARISON: Final = ("idem_key", "bdate", "institution", "role", "currency", "compared", "at_us")
BREAK: Final = ("idem_key", "element", "theirs", "ours")


Row = tuple[Any, ...]

_LEG: Final = Struct(">qqqh")
_ENTRY_PLACE: Final = Struct(">qq")
_N_FACTS: Final = len(FACTS)


def pack_legs(legs: tuple[Leg, ...]) -> bytes:
    """Pack movements into the bytes that are stored."""
    return _LEG.pack(*legs[0]) if len(legs) == 1 else b"".join([_LEG.pack(*leg) for leg in legs])


def unpack_legs(packed: bytes) -> tuple[Leg, ...]:
    """Read movements from the bytes that are stored."""
    return tuple(_LEG.iter_unpack(packed))


def unpack_places(packed: bytes) -> list[tuple[int, int]]:
    """Give the (account, seq) of each entry of a transaction."""
    return list(_ENTRY_PLACE.iter_unpack(packed))


def place_row(lane: str, seq: int) -> bytes:
    """Name a delivery or dead letter where its body is sealed."""
    return f"{lane}|{seq}".encode()


def _bounded(amount: int) -> int:
    """Give an amount that the column holds; one that does not fit was declined."""
    return amount if 0 <= amount <= INT64_MAX else min(max(amount, INT64_MIN), INT64_MAX)


def _facts_out(facts: Facts) -> Row:
    return (
        facts.fingerprint,
        facts.source,
        facts.destination,
        facts.type,
        facts.received_us,
        facts.trace,
        facts.processing_code,
        _bounded(facts.amount_minor),
        facts.currency,
        facts.stan,
        facts.rrn,
        facts.terminal,
        facts.pan_masked,
        facts.card_ref,
        facts.auth_code,
        facts.reference,
        facts.purpose,
    )


def message_out(row: Message, page: Page, vault: Vault) -> Row:
    """Give a message to be inserted."""
    assert row.facts is not None, "a message that is written has its facts"
    facts = row.facts
    response, salt = reveal(row.response), vault.salt()
    return (
        row.key,
        row.fingerprint,
        facts.source,
        facts.destination,
        facts.type,
        facts.received_us,
        facts.trace,
        facts.processing_code,
        _bounded(facts.amount_minor),
        facts.currency,
        facts.stan,
        facts.rrn,
        facts.terminal,
        row.auth_code,
        facts.reference,
        facts.purpose,
        row.bdate,
        int(row.step),
        int(row.result),
        row.reason,
        row.code,
        row.sent_trace,
        row.txn_key,
        page.now_us,
        page.chain_id,
        page.batch_n,
        private_hash(salt, row.key, facts.pan_masked, facts.card_ref, response),
        facts.pan_masked,
        facts.card_ref,
        vault.seal(response, table="message", column="response", row=row.key),
        salt,
    )


def message_in(row: Row, vault: Vault) -> Message:
    """Read what is kept of a message for its repeats and corrections."""
    key, fingerprint, step, txn_key, type_, destination, currency, sent_trace, response = row
    opened = (
        Sealed(partial(vault.open, response, table="message", column="response", row=key)) if response else REMOVED
    )
    return Message(key, fingerprint, step, txn_key, type_, destination, currency, sent_trace, opened)


def txn_out(row: Txn, page: Page) -> Row:
    """Give a transaction to be inserted or updated."""
    return (
        row.key,
        int(row.state),
        row.currency,
        row.authorised,
        row.amount,
        pack_legs(row.legs),
        row.entries,
        row.expires_us,
        row.reversal_key,
        row.created_us,
        page.now_us,
    )


def txn_in(row: Row) -> Txn:
    """Read a transaction."""
    key, state, currency, authorised, amount, legs, entries, expires_us, reversal_key, created_us, _ = row
    return Txn(
        key, state, currency, authorised, amount, unpack_legs(legs), entries, expires_us, reversal_key, created_us
    )


def flight_out(row: Flight, vault: Vault) -> Row:
    """Give an open transaction to be inserted."""
    key = row.facts.key
    reversal = row.reversal
    body = None
    if reversal is not None:
        plain = reveal(row.sealed_reversal or reversal.body)
        body = vault.seal(plain, table="in_flight", column="reversal", row=key)
    return (
        key,
        *_facts_out(row.facts),
        row.link,
        row.until_us,
        row.sent_trace,
        row.silence_code,
        vault.seal(reveal(row.silence_response), table="in_flight", column="silence_response", row=key),
        None if reversal is None else reversal.lane,
        None if reversal is None else reversal.kind,
        None if reversal is None else reversal.settles,
        None if reversal is None else reversal.expires_us,
        body,
        pack_legs(row.legs),
        row.entries,
        row.keeps_hold,
        row.expires_us,
    )


def flight_in(row: Row, vault: Vault) -> Flight:
    """Read an open transaction; its prepared words stay sealed."""
    key = row[0]
    fingerprint, source, destination, type_, received_us, trace, *kept = row[1 : 1 + _N_FACTS]
    (
        link, until_us, sent_trace, silence_code, silence_response, lane, kind, settles, reversal_expires_us, body,
        legs, entries, keeps_hold, expires_us,
    ) = row[1 + _N_FACTS :]  # fmt: skip
    opened = Sealed(partial(vault.open, silence_response, table="in_flight", column="silence_response", row=key))
    reversal, sealed_reversal = None, None
    if body is not None:
        reversal = NewDelivery(lane, kind, b"", settles, reversal_expires_us)
        sealed_reversal = Sealed(partial(vault.open, body, table="in_flight", column="reversal", row=key))
    return Flight(
        Facts(key, fingerprint, source, destination, type_, received_us, trace, *kept),
        link,
        until_us,
        sent_trace,
        opened,
        silence_code,
        reversal,
        sealed_reversal,
        unpack_legs(legs),
        entries,
        bool(keeps_hold),
        expires_us,
    )


def balance_out(row: Account) -> Row:
    """Give the balance of a new account."""
    return (
        row.account_id, row.currency, row.posted, row.held, row.seq, row.floor, row.ceiling, row.flags, row.overdraw,
        row.overfill,
    )  # fmt: skip


def account_out(row: Holder) -> Row:
    """Give a new account."""
    return (row.account_id, row.code, row.kind, row.currency, row.institution, row.name, row.created_us)


def amended_out(row: Account) -> Row:
    """Give what may change of a balance whose limits changed, after its key."""
    return (
        row.account_id, row.posted, row.held, row.seq, row.floor, row.ceiling, row.flags, row.overdraw, row.overfill,
    )  # fmt: skip


def cards_anew(page: Page) -> list[Row]:
    """Give the cards that lost an account, whose rows are written anew."""
    return [(card,) for card, accounts in page.cards.changed.items() if not _gained(page, card, accounts or ())]


def cards_out(page: Page) -> list[Row]:
    """Give the accounts that cards gained; all of them for a card that lost one."""
    return [
        (card, ordinal, account_id)
        for card, accounts in page.cards.changed.items()
        for ordinal, account_id in enumerate(accounts or ())
        if ordinal >= len(page.cards.loaded.get(card) or ()) or not _gained(page, card, accounts or ())
    ]


def _gained(page: Page, card: bytes, accounts: tuple[int, ...]) -> bool:
    before = page.cards.loaded.get(card) or ()
    return accounts[: len(before)] == before


def account_event_out(row: AccountEvent) -> Row:
    """Give an event to be inserted."""
    return (row.account_id, row.seq, row.bdate, row.at_us, row.who, row.action, row.reason, row.change)


def holder_in(row: Row) -> Holder:
    """Read what an account is."""
    account_id, code, kind, currency, institution, name, created_us, floor = row
    return Holder(account_id, code, kind, currency, institution, name, floor, created_us)


def lane_in(row: Row) -> Lane:
    """Read a lane."""
    lane, tail, session = row
    return Lane(lane, tail, session)


def lane_out(row: Lane) -> Row:
    """Give a lane to be inserted or updated."""
    return (row.lane, row.tail, row.session)


def delivery_out(row: Delivery, vault: Vault) -> Row:
    """Give a delivery to be inserted."""
    body = vault.seal(reveal(row.body), table="delivery", column="body", row=place_row(row.lane, row.seq))
    return (
        row.lane, row.seq, row.kind, row.origin, row.settles, row.created_us, row.not_before_us, row.expires_us,
        row.attempts, row.last_result, body,
    )  # fmt: skip


def delivery_in(row: Row, vault: Vault) -> Delivery:
    """Read a delivery; its body stays sealed."""
    lane, seq, kind, origin, settles, created_us, not_before_us, expires_us, attempts, last_result, body = row
    opened = Sealed(partial(vault.open, body, table="delivery", column="body", row=place_row(lane, seq)))
    return Delivery(
        lane, seq, kind, opened, origin, settles, created_us, not_before_us, expires_us, attempts, last_result
    )


def dead_letter_out(row: DeadLetter, vault: Vault) -> Row:
    """Give a dead letter to be inserted."""
    body = None
    if row.body is not None:
        body = vault.seal(reveal(row.body), table="dead_letter", column="body", row=place_row(row.lane, row.seq))
    return (
        row.lane, row.seq, row.kind, row.origin, row.settles, row.created_us, row.attempts, row.last_result,
        row.reason, row.died_us, row.dropped_us, body,
    )  # fmt: skip


def dead_letter_in(row: Row, vault: Vault) -> DeadLetter:
    """Read a dead letter; its body stays sealed."""
    lane, seq, kind, origin, settles, created_us, attempts, last_result, reason, died_us, dropped_us, body = row
    opened = None
    if body is not None:
        opened = Sealed(partial(vault.open, body, table="dead_letter", column="body", row=place_row(lane, seq)))
    return DeadLetter(
        lane, seq, kind, opened, origin, settles, created_us, attempts, last_result, reason, died_us, dropped_us
    )


def day_in(row: Row) -> Day:
    """Read a business day."""
    return Day(*row)


def day_out(row: Day) -> Row:
    """Give a business day to be inserted or updated."""
    return (row.bdate, int(row.state), row.opened_us, row.cut_us, row.cut_by)


def totals_out(page: Page) -> list[Row]:
    """Give what is added to the totals; a writer adds to rows of its own chain, so that none waits for another."""
    added = ((*key, page.chain_id, *each) for key, each in page.counted.changed.items() if each is not None)
    return sorted(added)


def comparison_out(row: Comparison, page: Page) -> Row:
    """Give a comparison to be inserted."""
    return (row.key, row.bdate, row.institution, row.role, row.currency, row.compared, page.now_us)


def breaks_out(row: Comparison) -> list[Row]:
    """Give the figures that differ."""
    return [(row.key, each.element, each.theirs, each.ours) for each in row.breaks]
