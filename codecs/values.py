"""How values that are made for every message are declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

__all__ = ["often"]

if TYPE_CHECKING:
    from attrs import frozen as often
else:
    # Frozen for the type checker alone: a setter that refuses at run time makes them three times as expensive.
    often: Any = attrs.define(unsafe_hash=True)
