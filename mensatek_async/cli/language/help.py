"""Help in Spanish: cyclopts lays it out, and each of its texts is looked up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from attrs import evolve
from cyclopts.help import ColumnSpec, DefaultFormatter, HelpEntry, HelpPanel, InlineText
from cyclopts.help.specs import get_default_command_columns, get_default_parameter_columns
from rich.console import Console, ConsoleOptions
from rich.text import Text

from . import _, later

_TITLES = later("Commands", "Parameters", "Arguments")
_PLACES = later("COMMAND", "OPTIONS", "ARGS", "STR", "INT", "FLOAT", "DECIMAL", "CHOICE")
_PLACE = re.compile(r"[A-Z][A-Z-]+")
_DEFAULTS = later("True", "False")


class SpanishFormatter(DefaultFormatter):
    """Prints the help of a command."""

    def render_usage(self, console: Console, options: ConsoleOptions, usage: Any) -> None:
        """Print how the command is used."""
        console.print(Text(_("Usage: {}", _placed(str(usage))), style="bold"))

    def render_description(self, console: Console, options: ConsoleOptions, description: Any) -> None:
        """Print what the command does."""
        plain = str(getattr(description, "primary_renderable", ""))
        console.print("\n\n".join(map(_, said(plain))) + "\n", markup=False, highlight=False)

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Print its commands or its options."""
        find = get_default_command_columns if panel.format == "command" else get_default_parameter_columns
        columns = [
            evolve(column, renderer=_described) if column.header == "Description" else column
            for column in find(console, options, panel.entries)
        ]
        entries = [_named(entry) for entry in panel.entries]
        of_panel = DefaultFormatter(column_specs=tuple[ColumnSpec, ...](columns))
        of_panel(console, options, panel.copy(title=_(str(panel.title)), entries=entries))


def said(help_text: str) -> Iterator[str]:
    """The paragraphs of a help text, each as the catalogue has it."""
    return (" ".join(paragraph.split()) for paragraph in help_text.strip().split("\n\n"))


def _named(entry: HelpEntry) -> HelpEntry:
    label, metavar = entry.positional_label, entry.metavar
    return entry.copy(positional_label=label and _placed(label), metavar=metavar and _placed(metavar))


def _placed(words: str) -> str:
    return _PLACE.sub(lambda match: _(match[0]), words)


def _described(entry: HelpEntry) -> InlineText:
    plain = str(getattr(entry.description, "primary_renderable", ""))
    described = InlineText(Text("\n\n".join(map(_, said(plain)))))
    notes = {
        "choices": _("[choices: {}]", ", ".join(entry.choices)) if entry.choices else "",
        "env_var": _("[env var: {}]", ", ".join(entry.env_var)) if entry.env_var else "",
        "default": "" if entry.default is None else _("[default: {}]", _(entry.default)),
        "required": _("[required]") if entry.required else "",
    }
    for style, note in notes.items():
        if note:
            described.append(Text(note, f"cyclopts.{style}"))
    return described
