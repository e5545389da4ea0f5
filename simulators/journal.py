"""The issuer simulator's own books: what it was asked, what it did, and what was reversed or completed since.

At the end of a run they are held against the switch's: every request that got no usable answer must have been
reversed, and each reversal must have come as one message, however often it was repeated.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from typing import Any

import attrs

from ..codecs.iso8583 import Message
from ..codecs.masking import mask_pan
from .rules import Act

Identity = tuple[str, str, str, str]
"""How an issuer knows a message: MTI class (three digits), DE11, DE7, DE32 without leading zeros."""


def identity_of(message: Message) -> Identity:
    """Give the identity of a message as it came."""
    return (message.mti[:3], str(message[11]), str(message[7]), str(message.get(32) or "").lstrip("0"))


def identity_named(message: Message) -> Identity | None:
    """Give the identity of the original that DE90 names, None without a whole DE90."""
    named = message.get(90)
    if not isinstance(named, str) or len(named) != 42:
        return None
    return (named[:3], named[4:10], named[10:20], named[20:31].lstrip("0"))


@attrs.define
class Entry:
    """One request at the issuer and everything that followed it.

    reversals and completions: identity of each that named this request, with how often it came. heard: how often the
    request itself came. reached: False when the link was gone before the answer could be written.
    """

    identity: Identity
    processing_code: str
    pan_masked: str
    currency: str
    amount_minor: int
    act: Act
    code: str
    heard: int = 1
    reached: bool = True
    reversals: Counter[Identity] = attrs.field(factory=Counter)
    completions: Counter[Identity] = attrs.field(factory=Counter)

    @property
    def must_be_reversed(self) -> bool:
        """True when the asker cannot know what we decided."""
        return not self.act.is_answered or not self.reached

    def describe(self) -> dict[str, Any]:
        """Give the entry as JSON values; the card number is masked."""
        return {
            "type": self.identity[0] + "0",
            "stan": self.identity[1],
            "transmitted": self.identity[2],
            "processing_code": self.processing_code,
            "pan": self.pan_masked,
            "currency": self.currency,
            "amount_minor": self.amount_minor,
            "act": self.act.value,
            "code": self.code,
            "heard": self.heard,
            "reached": self.reached,
            "reversals": sum(self.reversals.values()),
            "distinct_reversals": len(self.reversals),
            "completions": sum(self.completions.values()),
        }


class Journal:
    """Keeps the last `entries_max` requests; older ones are forgotten and counted."""

    def __init__(self, entries_max: int) -> None:
        self._entries: OrderedDict[Identity, Entry] = OrderedDict()
        self._entries_max = entries_max
        self._strays: Counter[tuple[Identity, Identity | None]] = Counter()
        self.forgotten = 0
        self.strays_dropped = 0

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, identity: Identity) -> Entry | None:
        return self._entries.get(identity)

    def open(self, message: Message, act: Act, code: str) -> Entry:
        """Enter a request, or count that it came again; the first decision stands."""
        identity = identity_of(message)
        found = self._entries.get(identity)
        if found is not None:
            found.heard += 1
            return found
        entry = Entry(
            identity=identity,
            processing_code=str(message.get(3) or ""),
            pan_masked=mask_pan(str(message.get(2) or "")),
            currency=str(message.get(49) or ""),
            amount_minor=int(str(message.get(4) or "0")),
            act=act,
            code=code,
        )
        self._entries[identity] = entry
        if len(self._entries) > self._entries_max:
            self._entries.popitem(last=False)
            self.forgotten += 1
        return entry

    def follow(self, message: Message) -> bool:
        """Enter a reversal, completion or advice under what it names; False when it came before.

        One that names nothing we know is a stray; strays share the limit of the entries.
        """
        identity, named = identity_of(message), identity_named(message)
        entry = None if named is None else self._entries.get(named)
        if entry is None:
            if len(self._strays) >= self._entries_max and (identity, named) not in self._strays:
                self.strays_dropped += 1
                return True
            self._strays[identity, named] += 1
            return self._strays[identity, named] == 1
        followers = entry.reversals if message.mti[1] == "4" else entry.completions
        followers[identity] += 1
        return followers[identity] == 1

    @property
    def stray_reversals(self) -> int:
        """How many distinct reversals named no request that is known here."""
        return sum(1 for identity, _ in self._strays if identity[0][1] == "4")

    @property
    def stray_advices(self) -> int:
        """How many distinct advices came that named no request known here: most stand for themselves."""
        return sum(1 for identity, _ in self._strays if identity[0][1] != "4")

    def unreversed(self) -> list[Entry]:
        """Give what must have been reversed and was not."""
        return [entry for entry in self if entry.must_be_reversed and not entry.reversals]

    def over_reversed(self) -> list[Entry]:
        """Give what two different reversals named: money given back twice."""
        return [entry for entry in self if len(entry.reversals) > 1]

    def counts(self) -> dict[str, int]:
        """Count entries per act, reversals and repeats, for a report."""
        counts: Counter[str] = Counter({act.value: 0 for act in Act})
        for entry in self:
            counts[entry.act.value] += 1
            counts["reversed"] += bool(entry.reversals)
            counts["completed"] += bool(entry.completions)
            counts["reversals repeated"] += sum(entry.reversals.values()) - len(entry.reversals)
            counts["requests repeated"] += entry.heard - 1
        counts["advices and strays"] = len(self._strays)
        return dict(counts)
