"""Networks by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ganmedic import checking
from ganmedic.networks.dcgan import dcgan
from ganmedic.networks.dense import dense
from ganmedic.networks.pair import Networks
from ganmedic.networks.resnet import resnet
from ganmedic.networks.style import style

_MAKERS: dict[str, Callable[..., Networks]] = {"dcgan": dcgan, "dense": dense, "resnet": resnet, "style": style}


def names() -> tuple[str, ...]:
    """The names that `get` knows."""
    return tuple(_MAKERS)


def get(
    name: str,
    *,
    resolution: int = 64,
    channels: int = 3,
    width: int | None = None,
    latent_size: int | None = None,
    classes: int | None = None,
    output: str = "linear",
    seed: int | None = None,
    **further: Any,
) -> Networks:
    """A generator and the discriminator that fits it, by name; both are built.

    Args:
        name: `dcgan`, `dense`, `resnet` or `style`.
        resolution: of the images, a power of two from 16 to 1024.
        channels: of the images, whole number from 1 to 16. `dense` takes `shape`, that of one sample, in place of both; without it
            its samples are images all the same, and any resolution will do.
        width: channels of the widest stages, or units of a dense layer; None for one that a CPU trains at a sensible pace.
        latent_size: whole number from 1; None for the network's own.
        classes: whole number from 2; None without labels.
        output: last activation of the generator: `linear`, `tanh` or `sigmoid`.
        seed: whole number from 0; None for other weights each time.
        **further: what the network of the name takes besides.

    Returns:
        The networks.

    Raises:
        TypeError: an argument is unknown; the nearest is named.
        ValueError: no network has this name, or an argument is out of its range.

    Example:
        >>> pair = get("dcgan", resolution=16, channels=1, width=16, seed=3)
        >>> pair.generator.output_shape, pair.discriminator.output_shape
        ((None, 16, 16, 1), (None, 1))
    """
    if name not in _MAKERS:
        raise ValueError(
            f"network: there is no {name!r}; {checking.listed(_MAKERS)} is expected.{checking.nearest(name, _MAKERS)}"
        )
    maker = _MAKERS[name]
    known = list(inspect.signature(maker).parameters)
    for option in further:
        if option not in known:
            raise TypeError(
                f"network {name!r} takes no argument {option!r}; it takes {', '.join(known)}."
                f"{checking.nearest(option, known)}"
            )
    if "shape" in known:
        further.setdefault("shape", (resolution, resolution, channels))
    else:
        further.update(resolution=resolution, channels=channels)
    return maker(width=width, latent_size=latent_size, classes=classes, output=output, seed=seed, **further)
