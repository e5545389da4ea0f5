"""`python -m junctor.switch` is the command `junctor`."""

from __future__ import annotations

from .cli import main

main()
