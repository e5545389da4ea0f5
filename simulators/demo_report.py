"""What the demonstration found: figures, and checks that hold or fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from .correspondence import MailCounts
from .journal import Journal
from .tally import Counts


@attrs.frozen
class Check:
    """One sentence that must be true, and what was seen when it is not."""

    sentence: str
    ok: bool
    seen: str = ""


@attrs.frozen
class Mail:
    """MT103s: sent to the switch and answered, and arrived at the other bank (reference -> copies, acknowledged)."""

    sent: int
    acknowledged: int
    rejected: int
    flagged: int
    onward: int
    delivered: Mapping[str, int]
    resent: int
    problems: tuple[str, ...]


@attrs.frozen
class DemoReport:
    """A whole demonstration; `ok` when every check holds."""

    seconds: float
    counts: Counts
    mail: Mail
    reversals_delivered: int
    advices_delivered: int
    issuer: Mapping[str, int]
    trial_balance: Mapping[str, int]
    """Currency -> sum of all accounts in minor units."""
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        return bool(self.checks) and all(check.ok for check in self.checks)

    @property
    def per_second(self) -> float:
        """Requests answered per second of traffic."""
        return round(self.counts.once / self.seconds, 1) if self.seconds else 0.0

    def as_json(self) -> dict[str, Any]:
        """Give the report as JSON values."""
        counts = attrs.asdict(self.counts)
        counts["outcomes"] = [
            {"scenario": scenario, "code": code, "count": count}
            for (scenario, code), count in self.counts.outcomes.items()
        ]
        mail = attrs.asdict(self.mail)
        mail["delivered"] = sum(self.mail.delivered.values())
        return {
            "ok": self.ok,
            "seconds": self.seconds,
            "per_second": self.per_second,
            "terminals": counts,
            "mt103": mail,
            "reversals_delivered": self.reversals_delivered,
            "advices_delivered": self.advices_delivered,
            "issuer": dict(self.issuer),
            "trial_balance": dict(self.trial_balance),
            "checks": [attrs.asdict(check) for check in self.checks],
        }


def check_terminals(counts: Counts) -> list[Check]:
    """Check that each request was answered exactly once, and rightly."""
    good = f"{counts.sent} sent, {counts.once} once, {counts.cut} cut"
    bad = f"{counts.never} unanswered, {counts.twice} twice, {counts.unexpected} unexpected"
    return [
        Check(
            "every request was answered exactly once (but those whose terminal hung up by script)",
            counts.sent > 0
            and counts.once + counts.cut == counts.sent
            and not (counts.never or counts.twice or counts.unexpected or counts.unreachable),
            f"{good}, {bad}, {counts.unreachable} unreachable",
        ),
        Check(
            "every answer was right for its scenario",
            not counts.wrong,
            "; ".join(counts.problems[:5]) or f"{counts.wrong} wrong",
        ),
    ]


def check_issuer(journal: Journal) -> list[Check]:
    """Check the issuer's journal: what it did not answer was reversed, and nothing twice."""
    unreversed, twice = journal.unreversed(), journal.over_reversed()
    return [
        Check(
            "everything that the issuer left unanswered was reversed there exactly once",
            not unreversed and not twice and not journal.forgotten,
            f"{len(unreversed)} not reversed, {len(twice)} reversed twice, {journal.forgotten} forgotten",
        )
    ]


def check_mail(mail: Mail, expected: Sequence[str]) -> list[Check]:
    """Check that each MT103 was answered rightly, and that those passed on arrived exactly once."""
    missing = [reference for reference in expected if mail.delivered.get(reference, 0) != 1]
    strangers = [reference for reference in mail.delivered if reference not in set(expected)]
    return [
        Check(
            "every MT103 was acknowledged or rejected as it should", not mail.problems, "; ".join(mail.problems[:5])
        ),
        Check(
            "every MT103 for the other bank was delivered there exactly once",
            not missing and not strangers,
            f"{len(missing)} not once, {len(strangers)} unknown",
        ),
    ]


def check_books(trial_balance: Mapping[str, int]) -> list[Check]:
    """Check that the books balance in each currency."""
    wrong = {currency: total for currency, total in trial_balance.items() if total}
    return [
        Check(
            "the trial balance is zero in each currency",
            bool(trial_balance) and not wrong,
            ", ".join(f"{currency} {total}" for currency, total in wrong.items()) or "no currency",
        )
    ]


def sum_up_mail(counts: MailCounts, received: Sequence[tuple[str, bool, bool]]) -> Mail:
    """Sum up from both ends; `received`: reference, whether it said it may be a duplicate, whether it was taken."""
    delivered: dict[str, int] = {}
    for reference, _, is_taken in received:
        delivered[reference] = delivered.get(reference, 0) + is_taken
    return Mail(
        sent=counts.sent,
        acknowledged=counts.acknowledged,
        rejected=counts.rejected,
        flagged=counts.flagged,
        onward=len(counts.onward),
        delivered=delivered,
        resent=sum(is_again for _, is_again, _ in received),
        problems=tuple(counts.problems),
    )
