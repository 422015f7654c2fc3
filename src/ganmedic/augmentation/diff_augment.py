"""DiffAugment: the same few transformations all the time, strong enough for a hundred images."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic import checking
from ganmedic.augmentation import batches
from ganmedic.augmentation.augmentation import Augmentation, Drawn
from ganmedic.augmentation.cutout import cut
from ganmedic.augmentation.draws import Draws
from ganmedic.augmentation.resampling import pixels

_POLICIES = ("color", "translation", "cutout", "flip")


class DiffAugment(Augmentation):
    """Colour, translation, cutout and flip, applied to every sample in the order in which the policy names them.

    For data sets of 100 to a few 10 000 images. More policies are stronger: the paper takes all three for 100 to 1000 images,
    and `translation,cutout` for larger ones.

    With u uniform on [0, 1), drawn anew for every sample and parameter:

    * `color`: brightness x + u - 0.5; then saturation 2u (x - m) + m with m the mean over the channels; then contrast
      (u + 0.5) (x - m) + m with m the mean of the image. Saturation is left out where there is one channel; several
      channels of any meaning are taken alike.
    * `translation`: by up to height // 8 rows and width // 8 columns either way, zeros coming in.
    * `cutout`: height // 2 by width // 2 pixels set to zero around a place in the image, less where the border cuts it off.
    * `flip`: left and right exchanged for half of the samples. Not for digits and letters.

    Augmenting the real images alone teaches the generator the augmentation: fake images have to go through it as well, in
    the step of D and in that of G, and the gradient passes. In the usual use real and fake have a draw each, from
    the same distribution; `pair` draws once for sample i of both.

    Args:
        policy: one or more of `color`, `translation`, `cutout`, `flip`, separated by commas. The constants are made for
            images in [-1, 1]; in [0, 1] brightness is twice as strong.
        seed: of the stream of draws; None for one that Python's `random` draws.

    Raises:
        ValueError: the policy names nothing, something unknown or something twice.

    Example:
        >>> augment = DiffAugment(policy="translation,cutout", seed=1)
        >>> augment(tf.ones((8, 32, 32, 3))).shape
        TensorShape([8, 32, 32, 3])

    References:
        Zhao, Liu, Lin, Zhu, Han, *Differentiable Augmentation for Data-Efficient GAN Training*, 2020,
        https://arxiv.org/abs/2006.10738, section 3 and the authors' TensorFlow code, whose rounding of the sizes is taken.
    """

    def __init__(self, policy: str = "color,translation,cutout", seed: int | None = None) -> None:
        super().__init__(seed)
        self._steps = _steps(policy)
        self.policy = ",".join(self._steps)

    def _parameters(self, draws: Draws, images: Any) -> Drawn:
        # All are drawn whatever the policy is, so that a part of it draws the same with and without the others.
        brightness, saturation, contrast, down, along, cut_down, cut_along, flip = draws.uniform(8)
        return {
            "brightness": brightness - 0.5,
            "saturation": 2.0 * saturation,
            "contrast": contrast + 0.5,
            "translation": tf.stack([down, along], axis=1),
            "cutout": tf.stack([cut_down, cut_along], axis=1),
            "flip": flip < 0.5,
        }

    def _applied(self, images: Any, drawn: Drawn) -> Any:
        for step in self._steps:
            images = _APPLY[step](images, drawn)
        return images


def _color(images: Any, drawn: Drawn) -> Any:
    images = images + batches.per_sample(drawn["brightness"], images)
    if images.shape[-1] != 1:
        images = _around(images, drawn["saturation"], axis=[3])
    return _around(images, drawn["contrast"], axis=[1, 2, 3])


def _around(images: Any, factor: Any, axis: list[int]) -> Any:
    mean = tf.reduce_mean(images, axis=axis, keepdims=True)
    return (images - mean) * batches.per_sample(factor, images) + mean


def _translation(images: Any, drawn: Drawn) -> Any:
    height, width = tf.unstack(tf.shape(images)[1:3])
    down = _whole(drawn["translation"][:, 0], 2 * (height // 8) + 1) - height // 8
    along = _whole(drawn["translation"][:, 1], 2 * (width // 8) + 1) - width // 8
    rows = tf.range(height)[tf.newaxis] - down[:, tf.newaxis]
    columns = tf.range(width)[tf.newaxis] - along[:, tf.newaxis]
    return pixels(images, rows[:, :, tf.newaxis], columns[:, tf.newaxis, :], border="zero")


def _cutout(images: Any, drawn: Drawn) -> Any:
    height, width = tf.unstack(tf.shape(images)[1:3])
    top, bottom = _span(drawn["cutout"][:, 0], height)
    left, right = _span(drawn["cutout"][:, 1], width)
    return cut(images, top, bottom, left, right)


def _span(drawn: Any, size: Any) -> tuple[Any, Any]:
    """From where to where half of `size` pixels are cut out; an even length may have its middle on either border."""
    length = size // 2
    start = _whole(drawn, size + 1 - length % 2) - length // 2
    return tf.cast(start, tf.float32), tf.cast(start + length, tf.float32)


def _flip(images: Any, drawn: Drawn) -> Any:
    return tf.where(drawn["flip"][:, tf.newaxis, tf.newaxis, tf.newaxis], images[:, :, ::-1], images)


def _whole(drawn: Any, count: Any) -> Any:
    """0 to count - 1, each as likely, from numbers uniform on [0, 1)."""
    return tf.cast(tf.floor(drawn * tf.cast(count, drawn.dtype)), tf.int32)


_APPLY = {"color": _color, "translation": _translation, "cutout": _cutout, "flip": _flip}


def _steps(policy: Any) -> tuple[str, ...]:
    if not isinstance(policy, str):
        raise TypeError(
            f"DiffAugment: policy is {policy!r}; words separated by commas are expected, such as 'color,cutout'."
        )
    steps = tuple(step.strip() for step in policy.split(",") if step.strip())
    if not steps:
        raise ValueError(
            f"DiffAugment: policy is {policy!r}; at least one of {checking.listed(_POLICIES)} is expected. "
            "Leave the augmentation out to train without."
        )
    for step in steps:
        checking.choice("DiffAugment", "policy", step, _POLICIES)
        if steps.count(step) > 1:
            raise ValueError(
                f"DiffAugment: policy is {policy!r}; each of its words is expected once. Leave one {step!r} out."
            )
    return steps
