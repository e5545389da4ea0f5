"""Who has what and what was decided: accounts, entries, transactions, deliveries, in SQLite or PostgreSQL.

What may be asked of the books, and what they answer, is in `junctor.ledger.operations`.
"""

from .migrate import expected_version, migrate, schema_version
from .operations import OutcomeUnknown, StoreUnavailable
from .ports import Limits
from .reader import Reader, open_reader
from .store import Store, open_store
from .vault import Vault, VaultFault, make_key_file

__all__ = [
    "Limits",
    "OutcomeUnknown",
    "Reader",
    "Store",
    "StoreUnavailable",
    "Vault",
    "VaultFault",
    "expected_version",
    "make_key_file",
    "migrate",
    "open_reader",
    "open_store",
    "schema_version",
]
