"""Accounts and their passwords, in SQLite."""

import hashlib
import hmac
import os
import sqlite3

STAGING_ACCOUNTS = {
    "staging-e2e-user-001@chat.example": "golden-path-001",
    "staging-e2e-user-002@chat.example": "golden-path-002",
    "probe@chat.example": "golden-path-probe",
}


def digest(password: str, salt: bytes) -> bytes:
    """The stored form of a password."""
    return hashlib.scrypt(password.encode(), salt=salt, n=2**10, r=8, p=1)


class Accounts:
    """The table of accounts."""

    def __init__(self, database: str = ":memory:") -> None:
        self.connection = sqlite3.connect(database)
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS accounts (user TEXT PRIMARY KEY, salt BLOB, digest BLOB)"
        )

    def add(self, user: str, password: str) -> None:
        """Create an account, or set its password."""
        salt = os.urandom(16)
        self.connection.execute(
            "INSERT OR REPLACE INTO accounts VALUES (?, ?, ?)",
            (user.lower(), salt, digest(password, salt)),
        )

    def password_is_right(self, user: str, password: str) -> bool:
        """Whether the account exists and the password is its own."""
        row = self.connection.execute(
            "SELECT salt, digest FROM accounts WHERE user = ?", (user.lower(),)
        ).fetchone()
        return row is not None and hmac.compare_digest(row[1], digest(password, row[0]))

    async def check(self) -> None:
        """Raise when the database does not answer."""
        self.connection.execute("SELECT count(*) FROM accounts").fetchone()
