"""Threads and messages in the database."""

from backend.store import Store


def test_threads_are_listed_newest_first():
    store = Store()
    for title in ("one", "two"):
        store.create_thread("ada", title)
    assert [thread["title"] for thread in store.threads("ada")] == ["two", "one"]


def test_thread_of_somebody_else_is_not_there():
    store = Store()
    thread = store.create_thread("ada", "mine")
    assert store.thread("bob", thread["id"]) is None


def test_messages_go_with_their_thread():
    store = Store()
    thread = store.create_thread("ada", "mine")
    store.add_message(thread["id"], "user", "hello")
    store.delete_thread(thread["id"])
    assert store.messages(thread["id"]) == []
