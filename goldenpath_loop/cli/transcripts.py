"""`loop transcripts`: which agents were asked in a run, and every word that was said."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from goldenpath_loop.errors import LogError, UsageError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from goldenpath_loop.review.charges import Charge
    from goldenpath_loop.review.conversation import Conversation
    from goldenpath_loop.review.dispatches import Dispatch
    from goldenpath_loop.session.folder import RunFolder

__all__ = ["transcripts"]

_INTERRUPTED = 130
_LABEL_CHARS = 11
"""Before what is said: its time."""


def transcripts(
    run: Annotated[
        str | None, typer.Argument(help="Run id, its beginning, or a path; default: the newest.")
    ] = None,
    dispatch: Annotated[
        str | None,
        typer.Argument(
            help="Whose conversation to show: its key, a part of it, or the number of its row.",
            show_default=False,
        ),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Briefs, arguments and results whole, not only how they begin.")
    ] = False,
    search: Annotated[
        str | None,
        typer.Option(
            help="Show lines with this text, capitals or not, and the lines around.", show_default=False
        ),
    ] = None,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", "-f", help="Print new lines as they come until the dispatch or the run is over."
        ),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print one JSON object; of one dispatch its lines as an array, with --follow one a line.",
        ),
    ] = False,
    runs: Annotated[Path | None, typer.Option(help="Folder of all runs.", show_default=False)] = None,
) -> None:
    """List the dispatches of a run, or show what one agent was told, asked for, and answered.

    On a terminal a conversation is shown with $PAGER (default: less). Nothing in it acts on the terminal.

    Exit codes: 0 shown; 1 a transcript cannot be read, or --search found nothing; 2 there is no such dispatch; 130
    --follow was ended by Ctrl-C.
    """
    from goldenpath_loop.cli.runs import runs_folder
    from goldenpath_loop.review.dispatches import dispatches_of, find_dispatch
    from goldenpath_loop.review.reading import read_lines
    from goldenpath_loop.session.folder import find_run
    from goldenpath_loop.session.lock import is_held
    from goldenpath_loop.session.session import load

    if search is not None and (follow or not search.strip()):
        raise UsageError(
            "--search and --follow do not go together" if follow else "--search needs a text",
            advice="Search what was said so far, or follow what is being said.",
        )
    folder = find_run(runs_folder(runs), run)
    held = is_held(folder.log)
    known = dispatches_of(read_lines(load(folder)[0]), is_held=held)
    one = find_dispatch(known, dispatch) if dispatch is not None else None
    if follow:
        if one is None and not held:
            raise UsageError(f"{folder.id} is not running", advice="`loop status` says how it stands.")
        _follow(folder, one, full=full, as_json=as_json)
    elif search is not None:
        _search(folder, (one,) if one else known, search, as_json=as_json)
    elif one is not None:
        _show(folder, one, full=full, as_json=as_json)
    elif as_json:
        typer.echo(json.dumps(_run_record(folder, known), indent=2))
    else:
        _list(folder, known)


def _list(folder: RunFolder, known: Sequence[Dispatch]) -> None:
    from goldenpath_loop.cli.list import wide_console
    from goldenpath_loop.review.dispatch_table import dispatch_table, legend
    from goldenpath_loop.review.wording import amount

    if not known:
        typer.echo(f"{folder.id}: no agent was asked")
        return
    typer.echo(f"{folder.id}: {amount(len(known), 'dispatch').replace('dispatchs', 'dispatches')}\n")
    console = wide_console()
    console.print(dispatch_table(known, width=console.width))
    signs = legend(known)
    if signs:
        typer.echo(f"\n{signs}")


def _show(folder: RunFolder, one: Dispatch, *, full: bool, as_json: bool) -> None:
    from goldenpath_loop.review.conversation import Conversation

    lines = _lines(folder, one)
    _warn(folder, one)
    if as_json:
        typer.echo(json.dumps(lines, indent=2))
        return
    conversation = Conversation(full=full)
    texts = [*_title(one), *(text for line in lines for text in conversation.tell(line))]
    if one.state != "answered" and not (lines and lines[-1].get("type") == "end"):
        texts.append(_ending(one))
    _page(texts)


def _search(folder: RunFolder, chosen: Sequence[Dispatch], wanted: str, *, as_json: bool) -> None:
    from goldenpath_loop.review.passages import passage_text, passages

    found: list[dict[str, Any]] = []
    texts: list[Text] = []
    for one in chosen:
        try:
            hits = list(passages(_lines(folder, one), wanted))
        except LogError as error:
            typer.echo(f"note: {one.key} was not searched: {error}", err=True)
            continue
        found += [{"dispatch": one.key, **hit.model_dump(mode="json")} for hit in hits]
        if hits:
            texts += [*_title(one), *(text for hit in hits for text in passage_text(hit, wanted))]
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    elif texts:
        _page(texts)
    else:
        typer.echo(f"nothing that was said holds {wanted!r}", err=True)
    if not found:
        raise typer.Exit(1)


def _follow(folder: RunFolder, one: Dispatch | None, *, full: bool, as_json: bool) -> None:
    from rich.console import Console

    from goldenpath_loop.cli.following import follow
    from goldenpath_loop.review.conversation import Conversation

    console = Console()
    conversations: dict[Path, Conversation] = {}
    speaking: list[Path] = []

    def said(who: Dispatch, path: Path, line: dict[str, Any]) -> None:
        if as_json:
            typer.echo(json.dumps(line if one else {"dispatch": who.key, **line}))
            return
        if speaking[-1:] != [path]:
            speaking.append(path)
            _print(console, _title(who))
        conversation = conversations.setdefault(path, Conversation(full=full))
        _print(console, conversation.tell(line))

    def began() -> None:
        if one is None:
            typer.echo(f"waiting for what agents of {folder.id} say; Ctrl-C ends this", err=True)

    try:
        for over in follow(folder, one.key if one else None, said, began=began):
            if over.state in ("failed", "cut off") and not as_json:
                _print(console, [_ending(over)])
    except KeyboardInterrupt:
        raise typer.Exit(_INTERRUPTED) from None


def _lines(folder: RunFolder, one: Dispatch) -> list[dict[str, Any]]:
    """What was said so far; nothing yet when the conversation has not begun."""
    from goldenpath_loop.review.dispatches import transcript_of
    from goldenpath_loop.session.transcripts import read_transcript

    path = transcript_of(folder, one)
    return list(read_transcript(path)) if path is not None else []


def _warn(folder: RunFolder, one: Dispatch) -> None:
    """A conversation that was changed can be read, but not without saying so."""
    from goldenpath_loop.session.transcripts import transcript_digest

    if one.transcript and transcript_digest(folder, one.transcript) != one.digest:
        typer.echo(f"note: {one.transcript} is not as it was written: its SHA-256 is not the log's", err=True)


def _title(one: Dispatch) -> list[Text]:
    from rich.text import Text

    from goldenpath_loop.review.dispatch_table import result_words
    from goldenpath_loop.system.plain import plain_line

    words = f"{one.number}  {one.key}  {one.agent} about {one.subject}"
    title = Text(plain_line(words, max_chars=300), style="bold")
    return [title.append(f"  {plain_line(result_words(one), max_chars=300)}", style="not bold dim")]


def _ending(one: Dispatch) -> Text:
    """What the transcript itself does not say of a conversation without an end."""
    from rich.text import Text

    from goldenpath_loop.review.dispatch_table import result_words
    from goldenpath_loop.system.plain import plain_line

    return Text(f"{one.key} {plain_line(result_words(one), max_chars=1000)}", style="yellow")


def _page(texts: Iterable[Text]) -> None:
    """Through the pager on a terminal, as it is elsewhere."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        _print(console, texts)
        return
    # What fits on one screen is left there; only colours pass, and those are ours.
    keeps_colours = "r" in os.environ.setdefault("LESS", "FRX").lower()
    with console.pager(styles=keeps_colours):
        _print(console, texts)


def _print(console: Console, texts: Iterable[Text]) -> None:
    for text in texts:
        for line in _folded(console, text) if console.is_terminal else (text,):
            console.print(line, soft_wrap=True, markup=False, highlight=False)


def _folded(console: Console, text: Text) -> Iterator[Text]:
    """`text` on as many lines as it takes, all but the first as far in as what it says."""
    from rich.text import Text

    leading = len(text.plain) - len(text.plain.lstrip(" "))
    label = leading if leading >= _LABEL_CHARS else min(_LABEL_CHARS, len(text))
    indent = min(max(leading, _LABEL_CHARS + 2), console.width // 2)
    room = console.width - max(indent, label) - 1
    if room < 1 or len(text) <= console.width:
        yield text
        return
    for number, line in enumerate(text[label:].wrap(console, room)):
        yield (text[:label] if number == 0 else Text(" " * indent)).append_text(line)


def _run_record(folder: RunFolder, known: Sequence[Dispatch]) -> dict[str, object]:
    from goldenpath_loop.review.dispatches import total_of

    return {
        "run": folder.id,
        "folder": str(folder.path),
        "dispatches": [_dispatch_record(folder, one) for one in known],
        "total": _charge_record(total_of(known)),
    }


def _dispatch_record(folder: RunFolder, one: Dispatch) -> dict[str, object]:
    from goldenpath_loop.review.dispatches import transcript_of

    path = transcript_of(folder, one)
    return {
        **one.model_dump(mode="json", exclude={"charge", "transcript"}),
        **_charge_record(one.charge),
        "transcript": str(path) if path is not None else None,
    }


def _charge_record(charge: Charge) -> dict[str, object]:
    return {
        "calls": charge.calls,
        "tokens": charge.usage.tokens,
        **charge.usage.model_dump(mode="json"),
        "is_least": charge.is_least,
        "cached_share": charge.cached_share,
        "latency_s": charge.latency_s,
    }
