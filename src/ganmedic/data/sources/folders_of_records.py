"""Folders that a library wrote: Hugging Face datasets (saved, or as on the hub) and TensorFlow Datasets."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ganmedic.data.sources.image_folder import is_within
from ganmedic.data.sources.source import DataError, Source
from ganmedic.data.sources.tables import open_arrow, open_parquet
from ganmedic.data.sources.tfrecord import TFRecords

_MOST_JSON = 16 << 20
_SPLITS = ("train", "training")


def open_records_folder(folder: str, limit: int | None = None) -> Source | None:
    """Open a folder of Arrow, Parquet or TFRecord files; `None` if it is none."""
    root = Path(folder)
    splits = _json(root / "dataset_dict.json").get("splits")
    if isinstance(splits, list) and splits:
        split = _preferred([str(one) for one in splits])
        inner = root / split
        if not is_within(inner, os.path.realpath(root)):
            raise DataError(
                f"{folder} names the split {split!r}, which is not within it. Give the folder of one split."
            )
        source = open_records_folder(str(inner), limit)
        if source is not None:
            source.title = folder
            source.notes.append(f"audited: the split {split!r} of {', '.join(map(str, splits))}")
        return source
    arrow = _files(root, "*.arrow")
    if arrow:
        features = _json(root / "dataset_info.json").get("features")
        return open_arrow(arrow, title=folder, kind="Hugging Face dataset", limit=limit, features=_described(features))
    parquet = _files(root, "*.parquet") or _files(root, "data/*.parquet") or _files(root, "*/*.parquet")
    if parquet:
        chosen, note = _one_split(parquet)
        table = open_parquet(chosen, title=folder, kind="Hugging Face dataset", limit=limit)
        table.notes += note
        return table
    records = _files(root, "*.tfrecord*") or _files(root, "*.tfrecords*") or _files(root, "*/*.tfrecord*")
    if records:
        chosen, note = _one_split(records)
        made = TFRecords(chosen, title=folder, class_names=_tfds_names(Path(chosen[0]).parent), limit=limit)
        if (Path(chosen[0]).parent / "features.json").exists():
            made.kind = "TensorFlow Datasets"
        made.notes += note
        return made
    return None


def _files(root: Path, pattern: str) -> list[str]:
    inside = os.path.realpath(root)
    return sorted(str(path) for path in root.glob(pattern) if path.is_file() and is_within(path, inside))


def _one_split(files: list[str]) -> tuple[list[str], list[str]]:
    """The files of the training split, where files are named after splits."""
    train = [
        file
        for file in files
        if any(split in os.path.basename(file).split(".tfrecord")[0].split("-") for split in _SPLITS)
    ]
    train = train or [file for file in files if os.path.basename(os.path.dirname(file)) in _SPLITS]
    if train and len(train) < len(files):
        return train, [f"audited: the {len(train)} files of the training split, of {len(files)}"]
    return files, []


def _preferred(splits: list[str]) -> str:
    return next((split for split in splits if split in _SPLITS), splits[0])


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_JSON:
            return {}
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _described(features: Any) -> dict[str, Any] | None:
    return features if isinstance(features, dict) else None


def _tfds_names(folder: Path) -> list[str]:
    """Names of the classes, which TensorFlow Datasets writes into a file beside the records."""
    for path in sorted(folder.glob("*label*.labels.txt")):
        try:
            if path.stat().st_size < _MOST_JSON:
                return path.read_text("utf-8").split("\n")[:-1] or []
        except (OSError, ValueError):
            continue
    return []
