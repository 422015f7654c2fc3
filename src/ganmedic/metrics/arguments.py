"""Arguments that come with a name, checked before anything is made."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ganmedic import checking


def refuse_unknown(owner: str, given: Iterable[str], known: Collection[str]) -> None:
    """Refuses an argument that is not among the known ones.

    Raises:
        TypeError: there is one; the nearest known one is named.
    """
    for name in given:
        if name not in known:
            raise TypeError(
                f"{owner} takes no argument {name!r}; it takes {', '.join(known) or 'none'}.{checking.nearest(name, known)}"
            )
