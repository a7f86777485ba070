"""Writes the README's links for the package index, where a path of the project leads nowhere."""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(!?)\[([^]]+)\]\((?!\w+:|#)([^)]+)\)")


class ReadmeHook(MetadataHookInterface):
    """Puts `home` of pyproject.toml before them; without one, links become names of files and pictures are left out."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the readme of the package."""
        home = self.config["home"]

        def write(link: re.Match[str]) -> str:
            picture, words, path = link.groups()
            if not home:
                return "" if picture else f"{words} (`{path}`)"
            return f"{picture}[{words}]({home.replace('/blob/', '/raw/') if picture else home}{path})"

        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": _LINK.sub(write, text)}
