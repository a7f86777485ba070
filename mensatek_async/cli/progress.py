"""How many rows were checked: a live line for people who watch, plain lines for those who read it later."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO, cast

from .output import Output

EVERY = 3.0  # seconds between two plain lines


@contextmanager
def checking(output: Output) -> Iterator[Callable[[int], None]]:
    """Show the checking of rows while the block lasts; nothing of it stays on a terminal.

    Args:
        output: where; on standard error.

    Yields:
        What takes the number of rows checked so far.
    """
    if output.err.isatty():
        from rich.console import Console
        from rich.live import Live

        console = Console(file=cast("TextIO", output.err), highlight=False, markup=False)
        with Live(console=console, transient=True) as live:
            yield lambda rows: live.update(f"{rows:,} rows checked")
        return
    due = time.monotonic() + EVERY

    def tell(rows: int) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + EVERY
            output.note(f"{rows:,} rows checked")

    yield tell
