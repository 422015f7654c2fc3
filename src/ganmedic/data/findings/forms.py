"""Pictures of different sizes and colour modes, turned ones, and ones that look odd."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ganmedic.data.facts import Facts, mode_counts
from ganmedic.data.looks import share_is_nature
from ganmedic.data.picture import MODES, READ, TURNED
from ganmedic.data.result import DataFinding

#: Shapes that differ less in height by width are the same to the eye.
_ASPECT = 1.1
_OPAQUE = frozenset({"RGB", "YCbCr"})
#: Looks that are told together; sizes, plain and grey pictures have findings of their own.
_ODD = ("dark", "light", "low information", "blurry", "odd aspect ratio", "odd size")
#: From this share on they weigh.
_WEIGHS = 0.02


def find(facts: Facts) -> Iterator[DataFinding]:
    if not facts.pictures or not len(facts.gathered.records):
        return
    yield from _sizes(facts)
    yield from _modes(facts)
    yield from _turned(facts)
    yield from _odd(facts)


def _sizes(facts: Facts) -> Iterator[DataFinding]:
    shapes = facts.gathered.shapes
    if len(shapes) < 2:
        return
    records = facts.gathered.records
    read = records[records["state"] == READ]
    width, height = read["width"].astype(float), read["height"].astype(float)
    aspects = width / height
    usual = float(np.median(aspects))
    distorted = float(((aspects > usual * _ASPECT) | (aspects < usual / _ASPECT)).mean())
    side = np.minimum(width, height)
    (common_height, common_width), count = shapes.most_common(1)[0]
    yield DataFinding(
        "mixed-sizes",
        "warning" if distorted >= _WEIGHS else "note",
        f"{len(shapes):,} sizes, from {int(side.min())} to {int(max(width.max(), height.max()))} pixels; the commonest, {common_width} x "
        f"{common_height}, has {count:,} of {len(read):,} pictures, and {100 * distorted:.0f} % are of another shape than most.",
        "A GAN has one size. Pictures that are squeezed to it look distorted, and ones that are enlarged blurred; the generator learns "
        "both, and the discriminator may tell real ones by it.",
        "Cut out the middle to one shape before scaling, scale down with antialias=True, and leave out those that would be enlarged.",
        "tf.keras.utils.image_dataset_from_directory(folder, image_size=(64, 64), crop_to_aspect_ratio=True)",
        numbers={"sizes": len(shapes), "smallest": float(side.min()), "share_other_shape": distorted},
    )


def _modes(facts: Facts) -> Iterator[DataFinding]:
    modes = mode_counts(facts)
    unusual = {mode for mode in modes if mode not in ("L", "RGB")}
    if len(modes) < 2 and not unusual & {"CMYK", "I;16", "I", "F", "LAB"}:
        return
    records = facts.gathered.records
    most = next(iter(modes))
    others = np.flatnonzero((records["state"] == READ) & (records["mode"] != MODES.index(most)))
    seen = set(modes)
    harmless = seen <= _OPAQUE | {"P"}
    several = ", ".join(f"{count:,} {mode}" for mode, count in modes.items())
    yield DataFinding(
        "mixed-modes",
        "note" if harmless else "warning",
        f"The colour modes are {several}.",
        "Grey, transparent and coloured pictures become different numbers of channels; where a loader adds or drops them, hidden colours "
        "under transparency appear, and grey ones stay grey among coloured ones.",
        "Bring all of them to one mode, transparency laid over one background colour.",
        "image = PIL.Image.open(path).convert('RGB')",
        numbers={"modes": len(modes), "others": len(others)},
        samples=facts.names(others),
    )


def _turned(facts: Facts) -> Iterator[DataFinding]:
    struck = np.flatnonzero(facts.gathered.records["flags"] & TURNED)
    if len(struck):
        yield DataFinding(
            "exif-rotation",
            "warning",
            f"{len(struck):,} pictures say in their EXIF data that they are to be turned or mirrored.",
            "TensorFlow's decoders and PIL.Image.open do not turn them: the GAN sees them lying on their side, and learns to make such.",
            "Turn the pixels and save the pictures again.",
            "PIL.ImageOps.exif_transpose(PIL.Image.open(path)).save(path)",
            numbers={"pictures": len(struck)},
            samples=facts.names(struck),
        )


def _odd(facts: Facts) -> Iterator[DataFinding]:
    struck = {name: facts.looks[name] for name in _ODD if len(facts.looks.get(name, ()))}
    single = {name: places for name, places in struck.items() if not share_is_nature(len(places), facts.read)}
    if not single:
        return
    together = np.unique(np.concatenate(list(single.values())))
    share = len(together) / max(1, facts.read)
    several = ", ".join(f"{len(places):,} {name}" for name, places in single.items())
    first = np.concatenate([places[:4] for places in single.values()])
    yield DataFinding(
        "odd-pictures",
        "note",
        f"{len(together):,} of {facts.read:,} pictures ({100 * share:.2g} %) look different from the others: {several}.",
        "Each is a small mode of its own: a generator leaves it out, or learns to make dark, blurred or empty pictures.",
        "Look at them, and take out what does not belong.",
        numbers={"pictures": len(together), "share": share},
        samples=facts.names(np.array(list(dict.fromkeys(first.tolist())))),
    )
