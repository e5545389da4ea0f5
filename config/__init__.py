"""What an operator says: typed settings, and the reading and checking of their file."""

from __future__ import annotations

from .faults import SettingsFault, SettingsFaults
from .load import load_settings
from .settings import Settings

__all__ = ["Settings", "SettingsFault", "SettingsFaults", "load_settings"]
