"""The tables of sections and keys, as Markdown, from what the keys themselves say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ganmedic import checking
from ganmedic.settings import parts
from ganmedic.settings.building import plain
from ganmedic.settings.sections import Optimizer, Settings
from ganmedic.settings.tables import REQUIRED, Arguments, Description, Key, PartKind, Section, keys_of
from ganmedic.settings.writing import written

_NAME = Key(
    PartKind("optimizer", parts.OPTIMIZERS), "adam", "one of [these](#the-optimizers), whose arguments stand beside it"
)
_PLURALS = {"clip": "clips", "penalty": "penalties"}
_ANCHORS = {"loss": "the-losses", "augmentation": "the-augmentations"}


def reference() -> str:
    """Every section, key and part, as Markdown.

    Example:
        >>> "| `batch_size` |" in reference()
        True
    """
    sections = [text for name, entry in keys_of(Settings).items() for text in _section(name, entry)]
    catalogues = (
        ("The losses", "`[loss]`", parts.LOSSES),
        ("The penalties", "`[[penalties]]`", parts.PENALTIES),
        ("The clips", "`[clip.generator]` and `[clip.discriminator]`", parts.CLIPS),
        (
            "The optimizers",
            "`[optimizers.generator]` and `[optimizers.discriminator]`, beside the learning rates",
            parts.OPTIMIZERS,
        ),
        ("The ways of balance", "`[balance.update_skipping]` and so on", parts.BALANCE),
        ("The augmentations", "`[augmentation]`", parts.AUGMENTATIONS),
    )
    return "\n".join([*sections, *(_catalogue(*each) for each in catalogues)])


def _section(name: str, entry: Key) -> Iterator[str]:
    title = f"[[{name}]]" if name == "penalties" else f"[{name}]"
    about = f"{entry.about[0].upper()}{entry.about[1:]}."
    if isinstance(entry.kind, Section):
        keys = keys_of(entry.kind.made)
        if name == "optimizers":
            title, keys = "[optimizers.generator], [optimizers.discriminator]", {"name": _NAME, **keys_of(Optimizer)}
        yield f"### `{title}`\n\n{about}\n\n{_rows(keys)}"
    elif name == "penalties":
        yield f"### `{title}`\n\n{about} A table each, with its `name` and arguments, see [penalties](#the-penalties). Unset: {entry.unset}.\n"
    else:
        default = entry.default.name
        yield f"### `{title}`\n\n{about} Its `name`, `{default}` unless said, and that one's arguments, see [below](#{_ANCHORS[name]}).\n"


def _rows(keys: Mapping[str, Key]) -> str:
    rows = [f"| `{name}` | {_value(entry)} | {_default(entry)} | {entry.about} |" for name, entry in keys.items()]
    return "\n".join(["| key | value | default | what it is |", "|---|---|---|---|", *rows]) + "\n"


def _catalogue(title: str, where: str, members: Mapping[str, Description]) -> str:
    rows = []
    for name, member in members.items():
        rows.append(f"| **`{name}`** | | | {member.about}{_left_out(member)} |")
        rows += [
            f"| `{each}` | {_value(entry)} | {_default(entry)} | {entry.about} |"
            for each, entry in member.arguments.items()
        ]
    head = "| **name**, arguments | value | default | what it is |\n|---|---|---|---|\n"
    return f"### {title}\n\nIn {where}.\n\n{head}" + "\n".join(rows) + "\n"


def _left_out(member: Description) -> str:
    return f"; `{'`, `'.join(member.left_out)}` in a program only" if member.left_out else ""


def _value(entry: Key) -> str:
    if entry is _NAME:
        return checking.listed(parts.OPTIMIZERS)
    if isinstance(entry.kind, PartKind):
        return f"table with a name, see [{_PLURALS[entry.kind.what]}](#the-{_PLURALS[entry.kind.what]})"
    if isinstance(entry.kind, Arguments):
        return "table, see [below](#the-ways-of-balance)"
    return entry.kind.expected.rstrip(",").replace("|", "\\|")


def _default(entry: Key) -> str:
    if entry.default is REQUIRED:
        return "to be given"
    if entry.default is None:
        return f"unset: {entry.unset}"
    value: Any = plain(entry.default)
    return f"`{written(value)}`"
