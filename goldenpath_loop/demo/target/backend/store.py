"""Threads and messages, in SQLite."""

import sqlite3
import uuid
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS threads (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    title TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    thread_id TEXT NOT NULL REFERENCES threads(id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_by_thread ON messages (thread_id, id);
"""


class Store:
    """The database of the backend; in memory unless there is a folder for it."""

    def __init__(self, folder: str = "") -> None:
        database = str(Path(folder) / "backend.sqlite3") if folder else ":memory:"
        self.connection = sqlite3.connect(database)
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.connection.executescript(SCHEMA)

    def create_thread(self, user: str, title: str) -> dict[str, Any]:
        """A new, empty thread of the user."""
        thread = {"id": uuid.uuid4().hex, "user": user, "title": title}
        with self.connection:
            self.connection.execute("INSERT INTO threads VALUES (:id, :user, :title)", thread)
        return thread

    def threads(self, user: str) -> list[dict[str, Any]]:
        """All threads of the user, newest first."""
        rows = self.connection.execute(
            "SELECT id, user, title FROM threads WHERE user = ? ORDER BY rowid DESC", (user,)
        )
        return [dict(row) for row in rows]

    def thread(self, user: str, thread_id: str) -> dict[str, Any] | None:
        """One thread, if it is the user's own."""
        row = self.connection.execute(
            "SELECT id, user, title FROM threads WHERE id = ? AND user = ?", (thread_id, user)
        ).fetchone()
        return dict(row) if row else None

    def rename_thread(self, thread_id: str, title: str) -> None:
        """Give a thread another title."""
        with self.connection:
            self.connection.execute("UPDATE threads SET title = ? WHERE id = ?", (title, thread_id))

    def delete_thread(self, thread_id: str) -> None:
        """Remove a thread and its messages."""
        with self.connection:
            self.connection.execute("DELETE FROM threads WHERE id = ?", (thread_id,))

    def add_message(self, thread_id: str, role: str, text: str) -> dict[str, Any]:
        """Append a message to a thread."""
        with self.connection:
            cursor = self.connection.execute(
                "INSERT INTO messages (thread_id, role, text) VALUES (?, ?, ?)",
                (thread_id, role, text),
            )
        return {"id": cursor.lastrowid, "thread_id": thread_id, "role": role, "text": text}

    def messages(self, thread_id: str, after: int = 0, limit: int = 100) -> list[dict[str, Any]]:
        """Messages of a thread in order, beginning after the given id."""
        rows = self.connection.execute(
            "SELECT id, thread_id, role, text FROM messages"
            " WHERE thread_id = ? AND id > ? ORDER BY id LIMIT ?",
            (thread_id, after, limit),
        )
        return [dict(row) for row in rows]

    async def check(self) -> None:
        """Raise when the database does not answer."""
        self.connection.execute("SELECT count(*) FROM threads").fetchone()
