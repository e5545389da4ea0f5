"""Migrations of the ledger's schema, in `versions`, oldest first."""
