"""Hands a trained generator out: as SavedModel, as ONNX, and its weights as safetensors.

What is exported takes latents (and labels) and gives samples in the units of the data, so that whoever uses it needs neither
ganmedic nor the normalisation.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganmedic import __version__, checking
from ganmedic.data.normalising_layer import Normalise
from ganmedic.training.showing.needs import need
from ganmedic.training.showing.replacing import replaced_folder

FORMATS = ("saved_model", "safetensors", "onnx")
#: In every folder that was exported; only such a folder is replaced.
MANIFEST = "export.json"
SAVED_MODEL, SAFETENSORS, ONNX = "saved_model", "generator.safetensors", "generator.onnx"


class ExportError(RuntimeError):
    """A generator could not be brought into a format; the message says which, why and what to do."""


def export(
    gan: Any,
    folder: str | os.PathLike[str],
    formats: Collection[str] = ("saved_model", "safetensors"),
    averaged: bool = True,
) -> Path:
    """Writes the generator into a folder, all formats or nothing.

    - `saved_model`: the folder `saved_model` for `tf.saved_model.load` and TensorFlow Serving. Its signature `serving_default`,
      and `serve`, take `latents`, and `labels` where there are classes.
    - `onnx`: `generator.onnx` with the same inputs, any number of samples at once, for ONNX Runtime and others. A generator that draws
      random numbers itself, as that of StyleGAN does for its noise, has no counterpart there.
    - `safetensors`: `generator.safetensors`, the weights under the paths of their variables; `load_weights` reads them.

    SavedModel and ONNX give samples in the units of the data: bytes where the data were. `export.json` tells what is there.

    Args:
        gan: a `ganmedic.GAN`.
        folder: is made anew; one that `export` wrote is replaced.
        formats: of `"saved_model"`, `"safetensors"` and `"onnx"`.
        averaged: whether the averaged weights are taken; where nothing is averaged it is the current ones, and the manifest says so.

    Returns:
        The folder.

    Raises:
        ValueError: a format is not known, or there is none.
        ImportError: a package is missing; the message names the extra that brings it.
        OSError: the folder holds something else, or cannot be written.
        ExportError: the generator cannot be brought into a format.

    Example:
        export(gan, "exported")
        served = tf.saved_model.load("exported/saved_model")
        images = served.serve(tf.random.normal([16, 128]))  # uint8, as the data were
    """
    wanted = _formats(formats)
    checking.flag("export", "averaged", averaged)
    uses_average = averaged and gan.ema is not None
    manifest = _manifest(gan, wanted, uses_average)
    weights = gan.ema.applied(gan.generator) if uses_average else contextlib.nullcontext()
    with replaced_folder(folder, MANIFEST) as temporary, weights:
        if "safetensors" in wanted:
            _write_safetensors(gan.generator, temporary / SAFETENSORS, manifest)
        if "saved_model" in wanted or "onnx" in wanted:
            served = in_data_units(gan)
            if "saved_model" in wanted:
                _write_saved_model(served, temporary / SAVED_MODEL)
            if "onnx" in wanted:
                _write_onnx(served, temporary / ONNX)
        (temporary / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return Path(folder)


def in_data_units(gan: Any) -> Any:
    """The generator as a Keras model whose samples are in the units of the data; it shares the generator's weights.

    Args:
        gan: with `generator`, `normalisation`, `latent_shape` and `classes`.

    Returns:
        `keras.Model` of `latents`, or of `[latents, labels]`.
    """
    inputs = [keras.Input(tuple(gan.latent_shape), dtype="float32", name="latents")]
    if gan.classes is not None:
        inputs.append(keras.Input((), dtype="int32", name="labels"))
    given = inputs[0] if len(inputs) == 1 else inputs
    samples = ops.cast(gan.generator(given, training=False), "float32")
    if gan.normalisation is not None:
        dtype = gan.normalisation.dtype
        whole = dtype is not None and np.dtype(dtype).kind in "iu"
        # What becomes of NaN in a cast is not defined; `generate` puts 0 before the normalisation is taken back.
        samples = ops.where(ops.isnan(samples), 0.0, samples) if whole else samples
        samples = Normalise(gan.normalisation, inverse=True, dtype="float32")(samples)
        if whole:
            ends = np.iinfo(np.dtype(dtype))
            samples = ops.cast(ops.clip(ops.round(samples), float(ends.min), float(ends.max)), dtype)
    return keras.Model(given, samples, name="generator_in_data_units")


def load_weights(generator: Any, path: str | os.PathLike[str]) -> dict[str, str]:
    """Gives a generator the weights of a safetensors file, all or none.

    Weights are found by the paths of the variables. A network that was built anew in the same process has other paths, for Keras
    counts its layers; the order in which the variables were written decides then, and every shape has to fit.

    Args:
        generator: a built network of the same structure.
        path: `generator.safetensors` of an export.

    Returns:
        What the file tells of itself: `ganmedic`, `step`, `averaged`, `normalisation` and more, as text.

    Raises:
        ImportError: safetensors is missing.
        OSError: the file cannot be read.
        ValueError: the weights are those of another network; nothing was changed.
    """
    safetensors = need("safetensors", "Reading weights", "export")
    try:
        with safetensors.safe_open(os.fspath(path), framework="numpy") as file:
            told = dict(file.metadata() or {})
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    except safetensors.SafetensorError as error:
        raise ValueError(f"'{path}' is no safetensors file ({error}). Give the file that export wrote.") from error
    variables = list(generator.variables)
    paths = [variable.path for variable in variables]
    order = paths if set(paths) == set(arrays) else json.loads(told.get("order", "[]"))
    shapes = [tuple(arrays[name].shape) for name in order if name in arrays]
    expected = [tuple(variable.shape) for variable in variables]
    if shapes != expected or len(arrays) != len(expected):
        raise ValueError(
            f"'{path}' holds {len(arrays)} arrays that do not fit the generator's {len(expected)} variables"
            f"{_first_difference(shapes, expected, paths)}. Build the generator with the arguments it was trained with."
        )
    for variable, name in zip(variables, order, strict=True):
        variable.assign(arrays[name])
    return told


def _formats(formats: Collection[str]) -> tuple[str, ...]:
    given = (formats,) if isinstance(formats, str) else tuple(formats)
    if not given:
        raise ValueError(f"export: formats is empty; {checking.listed(FORMATS)} is expected, one or more.")
    for name in given:
        checking.choice("export", "formats", name, FORMATS)
    # Before anything is written.
    if "safetensors" in given:
        need("safetensors.numpy", "Writing safetensors", "export")
    if "onnx" in given:
        need("tf2onnx", "Writing ONNX", "onnx")
    return given


def _manifest(gan: Any, formats: tuple[str, ...], averaged: bool) -> dict[str, Any]:
    files = {"saved_model": SAVED_MODEL, "safetensors": SAFETENSORS, "onnx": ONNX}
    return {
        "format": "ganmedic-export",
        "ganmedic": __version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "step": int(tf.convert_to_tensor(gan.steps)),
        "averaged": averaged,
        "latent_shape": list(gan.latent_shape),
        "classes": gan.classes,
        "files": {name: files[name] for name in formats},
        "normalisation": None if gan.normalisation is None else gan.normalisation.to_dict(),
    }


def _write_saved_model(served: Any, folder: Path) -> None:
    specs = [tf.TensorSpec([None, *entry.shape[1:]], entry.dtype, name=entry.name) for entry in served.inputs]

    def serve(*given: Any) -> Any:
        return served(given[0] if len(given) == 1 else list(given), training=False)

    archive = keras.export.ExportArchive()
    archive.track(served)
    archive.add_endpoint("serve", serve, input_signature=specs)
    archive.write_out(str(folder), verbose=False)


def _write_onnx(served: Any, path: Path) -> None:
    # Keras asks that the model has been called on values.
    given = [np.zeros([1, *entry.shape[1:]], entry.dtype) for entry in served.inputs]
    served(given[0] if len(given) == 1 else given)
    try:
        served.export(str(path), format="onnx", verbose=False)
    except Exception as error:
        raise ExportError(
            f"The generator could not be brought into ONNX by tf2onnx: {type(error).__name__}: {error}. Are its weights float32? "
            'If they are, leave "onnx" out of formats; "saved_model" takes every generator.'
        ) from error
    # tf2onnx writes operations that it cannot translate as they are, and no program can read that file.
    onnx = need("onnx", "Writing ONNX", "onnx")
    nodes = onnx.load(str(path)).graph.node
    unknown = sorted({node.op_type for node in nodes if not onnx.defs.has(node.op_type, node.domain)})
    if unknown:
        raise ExportError(
            f"The generator uses {', '.join(unknown)}, which ONNX has no counterpart for. Random numbers that layers of noise draw are "
            'among such operations. Leave "onnx" out of formats; "saved_model" takes every generator.'
        )


def _write_safetensors(generator: Any, path: Path, manifest: Mapping[str, Any]) -> None:
    paths = [variable.path for variable in generator.variables]
    twice = sorted({name for name in paths if paths.count(name) > 1})
    if twice:
        raise ExportError(
            f"Two variables of the generator have the path {twice[0]!r}, and a safetensors file has names. Give the layers different "
            'names, or leave "safetensors" out of formats.'
        )
    arrays = {v.path: np.ascontiguousarray(tf.convert_to_tensor(v).numpy()) for v in generator.variables}
    told = {name: value if isinstance(value, str) else json.dumps(value) for name, value in manifest.items()}
    told["order"] = json.dumps(paths)
    need("safetensors.numpy", "Writing safetensors", "export").save_file(arrays, str(path), metadata=told)


def _first_difference(shapes: list[Any], expected: list[Any], paths: list[str]) -> str:
    for came, wanted, name in zip(shapes, expected, paths, strict=False):
        if came != wanted:
            return f": {name} is {wanted}, and {came} came"
    return ""
