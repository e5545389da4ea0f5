"""Bytes to values and back: pure code, no reactor, no database, no clock."""
