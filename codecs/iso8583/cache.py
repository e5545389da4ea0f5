"""A bounded store of compiled functions that only hot keys enter."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

Function = TypeVar("Function")

SIGHTINGS_TO_COMPILE: Final = 8
SIGHTINGS_TO_DISPLACE: Final = 64
"""How often a key is asked for before it is worth compiling: while there is room, and once the store has been
full, so that a peer who sends ever new bitmaps pays the table's price and never the compiler's."""


class CompiledCache(Generic[Function]):
    """Functions by key: at most `compiled_max` of them, of which the older half leaves when room is needed.

    Two generations approximate least-recently-used at no cost for a hit: what is asked for moves to the young
    one; when that is full it becomes the old one, and the old one is dropped. Keys that were seen but not
    compiled are counted in as small a space. A store of fewer than two functions keeps none.

    `young.get(key) or find(key)` spares a call where a hit is likely.
    """

    __slots__ = ("_counts", "_half", "_old", "_was_full", "compiled_max", "young")

    def __init__(self, compiled_max: int) -> None:
        self.compiled_max = compiled_max
        self._half = compiled_max // 2
        self.young: dict[bytes, Function] = {}
        self._old: dict[bytes, Function] = {}
        self._counts: dict[bytes, int] = {}
        self._was_full = False

    def find(self, key: bytes) -> Function | None:
        """Find the function of a key, and remember that it was asked for."""
        found = self.young.get(key)
        if found is None and key in self._old:
            found = self._old.pop(key)
            self._keep(key, found)
        return found

    def is_due(self, key: bytes) -> bool:
        """Count one sighting of a key that has no function, and tell whether it has earned one."""
        if self._half == 0:
            return False
        count = self._counts.get(key, 0) + 1
        if count >= (SIGHTINGS_TO_DISPLACE if self._was_full else SIGHTINGS_TO_COMPILE):
            self._counts.pop(key, None)
            return True
        if len(self._counts) >= self.compiled_max and key not in self._counts:
            self._counts.clear()
        self._counts[key] = count
        return False

    def add(self, key: bytes, function: Function) -> None:
        """Keep the function of a key that has none."""
        self._keep(key, function)

    def _keep(self, key: bytes, function: Function) -> None:
        if len(self.young) >= self._half:
            self._old, self.young = self.young, {}
        self.young[key] = function
        self._was_full = self._was_full or len(self) >= 2 * self._half

    def __len__(self) -> int:
        return len(self.young) + len(self._old)
