"""Puts lines on a rich console: wraps prose, leaves code alone, and lets nothing through that is unsafe to show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console, RenderableType
from rich.text import Text

from ganmedic.report.visible import encodable, visible

#: A piece of a line: plain, or with the name of a style.
Part = str | tuple[str, str]
#: Prose is not set wider than this, however wide the terminal is.
_PROSE_WIDTH = 100
_LEAST_WIDTH = 24


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The few characters that draw: `station` and `last` hang on the gradient's way, the dotted ones lie past a cut."""

    way: str
    station: str
    last: str
    dotted_way: str
    dotted_station: str
    dotted_last: str
    cut: str
    ellipsis: str


UNICODE = Glyphs("│", "├─", "└─", "┊", "┊ ", "└┄", "✂", "…")
ASCII = Glyphs("|", "|-", "`-", ":", ": ", "`.", "X", "...")


class Printer:
    """Prints parts of lines; each part goes through `visible` on its way, so that no caller can forget it.

    Args:
        console: where to print; its encoding decides between Unicode and ASCII drawing.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.encoding = console.encoding
        self.glyphs = UNICODE if self.encoding.lower().startswith("utf") else ASCII
        self.room = max(console.width, _LEAST_WIDTH)

    def safe(self, text: str) -> str:
        """Return `text` as it can be shown on this console."""
        return encodable(visible(text), self.encoding)

    def text(self, *parts: Part) -> Text:
        """Return the parts as one styled text in which nothing is taken for markup."""
        pairs = [(part, "") if isinstance(part, str) else part for part in parts]
        return Text.assemble(*((self.safe(content), style) for content, style in pairs), end="")

    def line(self, *parts: Part) -> None:
        """Print one line, however long it is; without parts an empty one."""
        self._emit(self.text(*parts))

    def prose(self, *parts: Part, indent: int = 0, hang: int = 2) -> None:
        """Print the parts as a paragraph: `indent` columns in, every line but the first `hang` columns further."""
        width = max(min(self.room, _PROSE_WIDTH) - indent, _LEAST_WIDTH)
        text = self.text(*parts)
        first = text.wrap(self.console, width, overflow="fold")[0]
        first.rstrip()
        self._emit(Text.assemble(" " * indent, first))
        rest = text[len(first) :]
        rest = rest[len(rest) - len(rest.plain.lstrip(" ")) :]
        for line in rest.wrap(self.console, width - hang, overflow="fold") if rest else ():
            line.rstrip()
            self._emit(Text.assemble(" " * (indent + hang), line))

    def block(self, renderable: RenderableType, indent: int = 0) -> None:
        """Print a rich renderable such as a table, without the spaces that it pads its lines with."""
        options = self.console.options.update_width(self.room - indent)
        for segments in self.console.render_lines(renderable, options, pad=False):
            line = Text.assemble(*((segment.text, segment.style or "") for segment in segments))
            line.rstrip()
            self._emit(Text.assemble(" " * indent, line))

    def items(self, items: Iterable[str], indent: int) -> None:
        """Print a list, one paragraph an item."""
        for item in items:
            self.prose(f"- {item}", indent=indent)

    def _emit(self, line: Text) -> None:
        self.console.print(line, soft_wrap=True, highlight=False)
