"""Pictures for the page: a fair sample, duplicates side by side, outliers, and what looks odd."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from ganmedic.data.again import Again
from ganmedic.data.facts import Facts
from ganmedic.data.result import Gallery, Picture

_SAMPLE, _GROUPS, _MEMBERS, _EACH, _OUTLIERS = 24, 8, 4, 8, 8
#: Longest side on the page.
_SIDE = 128
_KEPT = "32 x 32 thumbnail"


def galleries(facts: Facts) -> tuple[Gallery, ...]:
    """Return the pictures; those that lie in files are read again, the others shown as they were kept."""
    if not facts.pictures:
        return ()
    wanted = _wanted(facts)
    thumbs = {int(index): facts.thumbs[place] for place, index in enumerate(facts.indices)}
    read = Again(facts.source, facts.gathered.starts).pictures({index for _, rows in wanted for index, _ in rows})
    made = []
    for title, rows in wanted:
        pictures = []
        for index, caption in rows:
            image = read.get(index)
            if image is None and index in thumbs:
                image, caption = Image.fromarray(thumbs[index]), f"{caption} {_KEPT}".strip()
            if image is not None:
                pictures.append(Picture(facts.source.name(index), caption, _png(image)))
        if pictures:
            made.append(Gallery(title, tuple(pictures)))
    return tuple(made)


def _wanted(facts: Facts) -> list[tuple[str, list[tuple[int, str]]]]:
    """Titles, and of each the indices with their captions."""
    found: list[tuple[str, list[tuple[int, str]]]] = []
    places = np.linspace(0, len(facts.indices) - 1, min(_SAMPLE, len(facts.indices))).astype(int)
    found.append(("Drawn by lot", [(int(facts.indices[place]), "") for place in places]))
    for what, groups in (("Copies", facts.exact.groups), ("Nearly the same", facts.near.groups)):
        rows = [
            (index, f"group {n}") for n, group in enumerate(groups[:_GROUPS], start=1) for index in group[:_MEMBERS]
        ]
        found.append((what, rows))
    if facts.diversity is not None:
        far = facts.diversity.outliers[:_OUTLIERS]
        found.append(("Furthest from all others", [(int(facts.indices[place]), f"{by:.1f} x") for place, by in far]))
    for name, struck in facts.looks.items():
        found.append((name.capitalize(), [(int(index), "") for index in struck[:_EACH]]))
    return [(title, rows) for title, rows in found if rows]


def _png(image: Image.Image) -> bytes:
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    if max(image.size) < _SIDE // 2:
        by = _SIDE // 2 // max(image.size)
        image = image.resize((image.width * by, image.height * by), Image.Resampling.NEAREST) if by > 1 else image
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()
