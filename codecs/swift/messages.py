"""The message types: which fields, in which order, how often, and how long a message may be.

A format is a list of slots as the manual prints it: number and fixed letter, M or O, the options the letter may
take (`-` for none), `*` when the field may be repeated. Sources: the MT103 format specification of SR 2025; the
lengths of the FIN manual, which differ between editions and are data for that reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

REPEATED: Final = 10_000
"""The limit of a slot that may be repeated without one: more fields than a message of any type has room for."""


@attrs.frozen
class Slot:
    """One place in a message type: the tags that may stand there, whether one must, and how many may."""

    label: str
    """As the manual names it: `"32A"`, or with a small letter for a choice, `"50a"`."""
    tags: tuple[str, ...]
    is_mandatory: bool
    count_max: int


@attrs.frozen
class MessageFormat:
    """One message type in one variant (tag 119)."""

    message_type: str
    variant: str | None
    title: str
    slots: tuple[Slot, ...]
    bytes_max: int
    is_uetr_mandatory: bool

    def find_slot(self, tag: str) -> int | None:
        """Find the place of the slot that a tag belongs to."""
        return next((index for index, slot in enumerate(self.slots) if tag in slot.tags), None)


def _slots(table: str) -> Iterator[Slot]:
    for row in table.strip().splitlines():
        tag, presence, *rest = row.split()
        letters = [word for word in rest if word != "*"]
        tags = tuple(tag + letter.replace("-", "") for letter in letters) or (tag,)
        yield Slot(
            label=f"{tag}a" if letters else tag,
            tags=tags,
            is_mandatory=presence == "M",
            count_max=REPEATED if "*" in rest else 1,
        )


_MT103: Final = """
20   M
13C  O  *
23B  M
23E  O  *
26T  O
32A  M
33B  O
36   O
50   M  A F K
51   O  A
52   O  A D
53   O  A B D
54   O  A B D
55   O  A B D
56   O  A C D
57   O  A B C D
59   M  - A F
70   O
71A  M
71F  O  *
71G  O
72   O
77B  O
"""

_MT103_STP: Final = """
20   M
13C  O  *
23B  M
23E  O  *
26T  O
32A  M
33B  O
36   O
50   M  A F K
52   O  A
53   O  A B
54   O  A
55   O  A
56   O  A
57   O  A
59   M  - A F
70   O
71A  M
71F  O  *
71G  O
72   O
77B  O
"""

_FORMATS: Final = (
    MessageFormat("103", None, "Single customer credit transfer", tuple(_slots(_MT103)), 10_000, True),
    MessageFormat("103", "STP", "Single customer credit transfer, STP", tuple(_slots(_MT103_STP)), 10_000, True),
)
_BY_TYPE: Final = {(row.message_type, row.variant): row for row in _FORMATS}
_TYPES: Final = frozenset(row.message_type for row in _FORMATS)

BYTES_MAX: Final = 10_000
"""The longest message of a type without a row."""


def find_message_format(message_type: str, variant: str | None = None) -> MessageFormat | None:
    """Find the format of a message type in a variant; None when there is no row for that variant."""
    return _BY_TYPE.get((message_type, variant))


def is_known_type(message_type: str) -> bool:
    """Tell whether a message type has a format in some variant."""
    return message_type in _TYPES
