"""The arguments that the networks have in common, checked where they come in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ganmedic import checking

#: What the last activation of a generator may be.
OUTPUTS = ("linear", "tanh", "sigmoid")
#: Resolutions of the image networks.
RESOLUTIONS = (16, 32, 64, 128, 256, 512, 1024)
#: The side of the first feature maps of a generator and of the last ones of a discriminator.
SMALLEST = 4
#: No stage is narrower than this, unless the network is.
_NARROWEST = 16


def checked_resolution(owner: str, resolution: Any) -> int:
    """A power of two from 16 to 1024.

    Raises:
        TypeError, ValueError: something else came; the nearest resolution is named.
    """
    hint = f"The resolutions are {', '.join(map(str, RESOLUTIONS))}."
    value = checking.whole(owner, "resolution", resolution, low=RESOLUTIONS[0], high=RESOLUTIONS[-1], hint=hint)
    if value not in RESOLUTIONS:
        near = min(RESOLUTIONS, key=lambda one: abs(math.log2(one / value)))
        raise ValueError(
            f"{owner}: resolution is {value}; a power of two is expected, one of {', '.join(map(str, RESOLUTIONS))}. "
            f"The nearest is {near}: resize the images to {near}x{near}, or pad them."
        )
    return value


def checked_common(owner: str, channels: Any, classes: Any, output: Any, seed: Any) -> None:
    """What every network takes, apart from its sizes.

    Raises:
        TypeError, ValueError: an argument is out of its range.
    """
    checking.whole(owner, "channels", channels, high=16, hint="1 for grey images, 3 for colours, 4 with transparency.")
    checked_rest(owner, classes, output, seed)


def checked_rest(owner: str, classes: Any, output: Any, seed: Any) -> None:
    """Classes, output and seed.

    Raises:
        TypeError, ValueError: an argument is out of its range.
    """
    if classes is not None:
        checking.whole(owner, "classes", classes, low=2, hint="Take None for data without labels.")
    checking.choice(owner, "output", output, OUTPUTS)
    if seed is not None:
        checking.whole(owner, "seed", seed, low=0, high=2**31 - 1)


def stage_sizes(resolution: int) -> tuple[int, ...]:
    """The sides of the feature maps, 4 up to the resolution, each twice the one before."""
    return tuple(SMALLEST * 2**stage for stage in range(int(math.log2(resolution // SMALLEST)) + 1))


def stage_width(width: int, size: int, widest_until: int) -> int:
    """Channels at a size: the full width up to `widest_until` pixels, half of it at twice that, but not below 16."""
    return max(min(width, _NARROWEST), width * widest_until // max(size, widest_until))


def per_stage(owner: str, name: str, value: Any, count: int, *, low: int = 1) -> tuple[int, ...]:
    """A whole number for each stage, from 4 pixels upwards; one number stands for all.

    Raises:
        TypeError, ValueError: no such numbers came, or another count of them.
    """
    if isinstance(value, Sequence) and not isinstance(value, str):
        if len(value) != count:
            raise ValueError(
                f"{owner}: {name} is {value!r}, {len(value)} numbers; one for each of the {count} stages is expected, from "
                f"{SMALLEST} pixels upwards, or a single one for all."
            )
        return tuple(checking.whole(owner, f"{name}[{place}]", one, low=low) for place, one in enumerate(value))
    return (checking.whole(owner, name, value, low=low),) * count
