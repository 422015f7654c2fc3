"""Dense networks, for points and tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras

from ganmedic import checking
from ganmedic.networks._arguments import checked_rest
from ganmedic.networks._ends import (
    CLASS_SPREAD,
    finished,
    head_dtype,
    latents_and_labels,
    model,
    projected_score,
    samples_and_labels,
    with_classes,
)
from ganmedic.networks._weights import LEAKY_GAIN, SLOPE, Seeds
from ganmedic.networks.pair import Networks

_OWNER = "dense"


def dense(
    shape: Sequence[int] | int = (2,),
    *,
    width: int | None = None,
    depth: int = 3,
    latent_size: int | None = None,
    classes: int | None = None,
    output: str = "linear",
    seed: int | None = None,
) -> Networks:
    """Two stacks of dense layers, for points, rows of tables and whatever has no neighbourhood.

    LeakyReLU of slope 0.2 and no normalisation: nothing ties the samples of a batch together, so R1, R2 and every other gradient
    penalty hold. Kernels are drawn from N(0, 2/((1 + 0.2²) fan_in)), which keeps the size of the signal and of the gradient at
    any width and depth (He et al. 2015); the last layer of each network from N(0, 1/fan_in). Biases start at 0. With classes the
    generator reads a learned vector of the class, as long as the latents, beside them, and the discriminator is a projection
    discriminator.

    Args:
        shape: of one sample, whole numbers from 1; its entries are laid in a row.
        width: whole number from 1, units of each hidden layer; 64 for None.
        depth: whole number from 1, hidden layers of each network.
        latent_size: whole number from 1; 16 for None.
        classes: whole number from 2; None without labels.
        output: last activation of the generator: `linear`, `tanh` or `sigmoid`. It must reach what the data reach.
        seed: whole number from 0; None for other weights each time.

    Returns:
        The networks, built.

    Raises:
        TypeError, ValueError: an argument is out of its range.

    Example:
        >>> pair = dense((2,), width=32, latent_size=4, seed=1)
        >>> pair.discriminator(pair.generator(np.zeros((5, 4), "float32"))).shape
        TensorShape([5, 1])

    References:
        He, Zhang, Ren, Sun, *Delving Deep into Rectifiers*, 2015 (arXiv:1502.01852), section 2.2. Miyato, Koyama, *cGANs with
        Projection Discriminator*, 2018 (arXiv:1802.05637).
    """
    sizes = (shape,) if isinstance(shape, int) else shape
    if isinstance(sizes, str) or not isinstance(sizes, Sequence) or not sizes:
        raise TypeError(
            f"{_OWNER}: shape is {shape!r}; the shape of one sample is expected, such as (2,) or (28, 28, 1)."
        )
    form = tuple(checking.whole(_OWNER, f"shape[{place}]", size) for place, size in enumerate(sizes))
    units = checking.whole(_OWNER, "width", 64 if width is None else width)
    checking.whole(_OWNER, "depth", depth)
    latent_size = checking.whole(_OWNER, "latent_size", 16 if latent_size is None else latent_size)
    checked_rest(_OWNER, classes, output, seed)
    return Networks(
        _generator(form, units, depth, latent_size, classes, output, Seeds(seed, 0)),
        _discriminator(form, units, depth, classes, Seeds(seed, 1)),
    )


def _generator(
    shape: tuple[int, ...],
    width: int,
    depth: int,
    latent_size: int,
    classes: int | None,
    output: str,
    seeds: Seeds,
) -> keras.Model:
    latents, labels = latents_and_labels(latent_size, classes)
    values = _hidden(with_classes(latents, labels, classes, latent_size, CLASS_SPREAD, seeds), width, depth, seeds)
    values = keras.layers.Dense(math.prod(shape), kernel_initializer=seeds.scaled(width), name="entries")(values)
    if len(shape) > 1:
        values = keras.layers.Reshape(shape, name="shaped")(values)
    return model("generator", latents, labels, finished(values, output))


def _discriminator(shape: tuple[int, ...], width: int, depth: int, classes: int | None, seeds: Seeds) -> keras.Model:
    samples, labels = samples_and_labels(shape, classes)
    values = keras.layers.Flatten(name="row")(samples) if len(shape) > 1 else samples
    features = _hidden(values, width, depth, seeds)
    score = keras.layers.Dense(1, kernel_initializer=seeds.scaled(width), dtype=head_dtype(), name="score")(features)
    return model("discriminator", samples, labels, projected_score(features, score, labels, classes, seeds))


def _hidden(values: Any, width: int, depth: int, seeds: Seeds) -> Any:
    for place in range(1, depth + 1):
        kernel = seeds.scaled(int(values.shape[-1]), LEAKY_GAIN)
        values = keras.layers.Dense(width, kernel_initializer=kernel, name=f"hidden_{place}")(values)
        values = keras.layers.LeakyReLU(SLOPE, name=f"active_{place}")(values)
    return values
