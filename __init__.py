"""Junctor, the open payment message switch."""

__version__ = "0.1.0"
