"""Features of Inception-v3, trained on ImageNet."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ganmedic import checking
from ganmedic.metrics.extractors.extractor import Extractor
from ganmedic.metrics.extractors.keras_here import keras_for
from ganmedic.metrics.samples import Floats

_FILE = "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
_SIDE = 299


class Inception(Extractor):
    """The 2,048 numbers before the last layer of Inception-v3, as Keras has it.

    A Fréchet distance of these features is no FID: the FID of papers uses the weights of 2015 in TF-Slim's graph, with that
    graph's own resizing. Its values differ from these, and only values made by one program compare.

    Args:
        weights_file: file of the weights; None for Keras's own, which is looked for in its folder of models.
        download: whether Keras may fetch its file (88 MB) where it is not there. Otherwise nothing is ever downloaded.

    Raises:
        FileNotFoundError: the weights are not there.
        ImportError: Keras is not installed.

    References:
        Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2015, *Rethinking the Inception Architecture for Computer Vision*, arXiv 1512.00567.
        Parmar, Zhang, Zhu 2022, *On Aliased Resizing and Surprising Subtleties in GAN Evaluation*, arXiv 2104.11222.
    """

    name = "keras inception_v3 imagenet avg-pool"
    note = "not the FID of papers, which uses other weights (TF-Slim, 2015) and another resizing; compare with scores of ganmedic only"
    at_once = 32

    def __init__(self, weights_file: str | os.PathLike[str] | None = None, download: bool = False) -> None:
        keras = keras_for("Inception")
        checking.flag("Inception", "download", download)
        weights = str(weights_file) if weights_file is not None else _found(download)
        if weights != "imagenet" and not Path(weights).is_file():
            raise FileNotFoundError(
                f"Inception: there is no file {weights}; the weights of Inception-v3 without its top are expected there. "
                "Name the file that you have, or leave weights_file out."
            )
        if weights_file is not None:
            self.name = f"keras inception_v3 {Path(weights_file).name} avg-pool"
        self._network = keras.applications.InceptionV3(
            include_top=False, weights=weights, pooling="avg", input_shape=(_SIDE, _SIDE, 3)
        )

    def _extract(self, samples: Floats) -> Floats:
        if samples.ndim != 4 or samples.shape[-1] not in (1, 3):
            raise ValueError(
                f"{self.name}: samples of shape {samples.shape[1:]} came; images of 1 or 3 channels are expected. "
                "Use extractor='random' for others."
            )
        import keras

        coloured = np.broadcast_to(samples, (*samples.shape[:3], 3))
        resized = keras.ops.image.resize(
            np.ascontiguousarray(coloured), (_SIDE, _SIDE), interpolation="bilinear", antialias=True
        )
        features: Floats = np.asarray(self._network(resized, training=False), np.float32)
        return features


def _found(download: bool) -> str:
    path = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models" / _FILE
    if path.is_file():
        return str(path)
    if download:
        return "imagenet"
    raise FileNotFoundError(
        f"Inception: the weights are not at {path}, and nothing is downloaded unasked; a file named {_FILE} is expected. "
        "Put it there, name it with weights_file=, allow download=True, or use extractor='random'."
    )
