"""The averaged generator: its weights as a moving average over the steps of training."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ganmedic import checking, replicas
from ganmedic.correction import Correction
from ganmedic.networks_inside import layers_of, takes_training
from ganmedic.variable_lists import ForVariables


class ExponentialMovingAverage(Correction):
    """w̄ ← β w̄ + (1 - β) w after each step of the generator.

    By steps: β = `decay`, while training is young min(`decay`, (1 + n)/(10 + n)) with n the steps so far. By images: β =
    0.5^(batch / half-life), so that the average reaches back as many images whatever the size of the batch, with the half-life no
    longer than `ramp` times the images seen so far.

    Weights are averaged. What is not trained, the moving statistics of batch normalisation above all, is an average already and is
    copied. Copied statistics are those of the current weights; `recalibrate` measures them anew with the averaged ones.

    Args:
        decay: β, 0 to below 1; None where `half_life` is given.
        half_life: in images, above 0; 10 000 in StyleGAN2 for batches of 32, 500 000 in R3GAN at 64 pixels; None where `decay` counts.
        ramp: share of the images seen that the half-life is limited to, above 0; None for no limit, 0.05 in StyleGAN2-ADA. Only with `half_life`.
        warm_up: whether the average reaches back less at the beginning. Only with `decay`.

    Raises:
        ValueError, TypeError: an argument is out of its range, or both `decay` and `half_life` are given.

    Example:
        >>> generator = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
        >>> average = ExponentialMovingAverage(decay=0.5, warm_up=False)
        >>> average.build(generator)
        >>> generator.set_weights([np.array([[generator.get_weights()[0].item() + 1.0]])])
        >>> average.update(generator)
        >>> z = tf.ones([1, 1])
        >>> round(float(generator(z)[0, 0] - average(generator, z)[0, 0]), 4)
        0.5

    References:
        Karras et al. 2017, *Progressive Growing of GANs*, arXiv 1710.10196, section 4; Karras et al. 2020, arXiv 2006.06676,
        appendix (half-life and ramp). Yazıcı et al. 2018, *The Unusual Effectiveness of Averaging in GAN Training*, arXiv 1806.04498.
    """

    def __init__(
        self,
        decay: float | None = None,
        half_life: float | None = None,
        ramp: float | None = None,
        warm_up: bool = True,
    ) -> None:
        super().__init__()
        name = "ExponentialMovingAverage"
        if (decay is None) == (half_life is None):
            raise ValueError(
                f"{name}: decay is {decay!r} and half_life {half_life!r}; one of them is expected: decay=0.999 counts steps, "
                "half_life=10_000 counts images."
            )
        if ramp is not None and half_life is None:
            raise ValueError(
                f"{name}: ramp is {ramp!r}; it goes with half_life. With decay the beginning is warm_up's."
            )
        self.decay = None if decay is None else checking.number(name, "decay", decay, low=0.0, below=1.0)
        self.half_life = None if half_life is None else checking.number(name, "half_life", half_life, above=0.0)
        self.ramp = None if ramp is None else checking.number(name, "ramp", ramp, above=0.0)
        self.warm_up = checking.flag(name, "warm_up", warm_up)
        self._averages: Averages | None = None
        with tf.init_scope():
            # Steps, and images, so far; float64 counts up to 9e15 of them.
            self._seen = tf.Variable(
                np.zeros([2], np.float64), trainable=False, aggregation=replicas.SAME_EVERYWHERE, name="ema_seen"
            )

    def build(self, network: Any) -> None:
        """Begins the average at the weights as they are; the first `update` does it otherwise. The network is built."""
        if self._averages is None:
            self._averages = Averages(_floats(network))
        elif not self._averages.serves(_floats(network)):
            raise ValueError(
                "ExponentialMovingAverage: another network came than the one it averages. Make one average for each network."
            )

    def copy_from(self, network: Any) -> None:
        """Begins anew at the weights as they are: after loading a checkpoint of the network alone, or before another run."""
        self.build(network)
        for average, variable in zip(self._held.values, _floats(network), strict=True):
            average.assign(tf.convert_to_tensor(variable))
        self._seen.assign(tf.zeros([2], tf.float64))

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def update(self, network: Any, batch_size: Any = None) -> None:
        """Takes up the weights after a step.

        Args:
            network: the network whose weights are averaged, always the same.
            batch_size: images in the step, over all replicas; needed with `half_life`.

        Raises:
            ValueError: another network came, or `batch_size` is missing.
        """
        if batch_size is None and self.half_life is not None:
            raise ValueError(
                "ExponentialMovingAverage counts images (half_life), and no batch_size came: update(network, batch_size=...)."
            )
        self.build(network)
        images = tf.cast(0 if batch_size is None else batch_size, tf.float64)
        old = self._seen.read_value()
        beta = self._beta(old, images)
        self._seen.assign(tf.stack([old[0] + 1.0, old[1] + images]))
        trained = {id(variable) for variable in network.trainable_variables}
        for average, variable in zip(self._held.values, _floats(network), strict=True):
            value = tf.convert_to_tensor(variable)
            mean = average.read_value()
            moved = mean + tf.cast(1.0 - beta, value.dtype) * (value - mean)
            average.assign(moved if id(variable) in trained else value)

    def __call__(self, network: Any, *arguments: Any, **options: Any) -> Any:
        """What the network gives with the averaged weights; in inference mode unless `training` is said.

        Args:
            network: the network whose weights are averaged.
            *arguments, **options: of its call.
        """
        if takes_training(network):
            options = {"training": False, **options}
        if all(isinstance(variable, keras.Variable) for variable in self._served(network)):
            mapping = [(v, a.read_value()) for v, a in zip(_floats(network), self._held.values, strict=True)]
            with keras.StatelessScope(state_mapping=mapping) as scope:
                result = network(*arguments, **options)
            # Nothing is written but the place in streams of random numbers: two calls draw two maps of noise.
            for variable in network.variables:
                moved = None if tf.as_dtype(variable.dtype).is_floating else scope.get_current_value(variable)
                if moved is not None:
                    variable.assign(moved)
            return result
        with self.applied(network):
            return network(*arguments, **options)

    @contextlib.contextmanager
    def applied(self, network: Any) -> Iterator[Any]:
        """The network itself with the averaged weights inside a `with` block, and as it was behind it."""
        variables = self._served(network)
        before = [tf.identity(tf.convert_to_tensor(variable)) for variable in variables]
        self.copy_to(network)
        try:
            yield network
        finally:
            for variable, value in zip(variables, before, strict=True):
                variable.assign(value)

    def copy_to(self, network: Any) -> None:
        """Writes the averaged weights into a network of the same structure, the averaged one or a clone of it.

        Raises:
            ValueError: nothing was averaged yet, or the network is of another structure.
        """
        variables = _floats(network)
        shapes = [tuple(variable.shape) for variable in variables]
        if shapes != [tuple(average.shape) for average in self._held.values]:
            raise ValueError(
                f"ExponentialMovingAverage: the network has {len(shapes)} variables of other shapes than the averaged one "
                f"({len(self._held.values)}). Hand over the same network, or one made by keras.models.clone_model."
            )
        for variable, average in zip(variables, self._held.values, strict=True):
            variable.assign(average.read_value())

    def recalibrate(self, network: Any, inputs: Iterable[Any]) -> int:
        """Measures the statistics of batch normalisation anew, with the averaged weights.

        Every batch counts alike: the moving means become the mean of the batches' means, the moving variances that of their
        variances. The network itself is as before afterwards; its averaged statistics are the new ones.

        Args:
            network: the network whose weights are averaged.
            inputs: batches of latents, 10 to 100 of the size used in training.

        Returns:
            How many batches were used; 0 where the network has no batch normalisation.

        Raises:
            ValueError: there is no batch.
        """
        layers = [layer for layer in layers_of(network) if isinstance(layer, keras.layers.BatchNormalization)]
        if not layers:
            return 0
        momenta = [layer.momentum for layer in layers]
        held = {id(v): a for v, a in zip(self._served(network), self._held.values, strict=True)}
        count = 0
        with self.applied(network):
            try:
                for count, batch in enumerate(inputs, start=1):
                    for layer in layers:
                        # The running mean of n batches.
                        layer.momentum = (count - 1) / count
                    network(batch, training=True)
            finally:
                for layer, momentum in zip(layers, momenta, strict=True):
                    layer.momentum = momentum
            if not count:
                raise ValueError("recalibrate: no batch of inputs came; 10 to 100 batches of latents are expected.")
            for layer in layers:
                for variable in (layer.moving_mean, layer.moving_variance):
                    held[id(variable)].assign(tf.convert_to_tensor(variable))
        return count

    @property
    def _held(self) -> Averages:
        if self._averages is None:
            raise ValueError(
                "ExponentialMovingAverage: nothing is averaged yet. Call build(network) or update(network) first."
            )
        return self._averages

    def _served(self, network: Any) -> list[Any]:
        variables = _floats(network)
        if not self._held.serves(variables):
            raise ValueError(
                "ExponentialMovingAverage: another network came than the one it averages. copy_to writes into a clone."
            )
        return variables

    def _beta(self, seen: Any, images: Any) -> Any:
        if self.half_life is not None:
            half_life = tf.constant(self.half_life, tf.float64)
            if self.ramp is not None:
                half_life = tf.minimum(half_life, (seen[1] + images) * self.ramp)
            return tf.pow(tf.constant(0.5, tf.float64), images / tf.maximum(half_life, 1e-8))
        beta = tf.constant(self.decay, tf.float64)
        return tf.minimum(beta, (1.0 + seen[0]) / (10.0 + seen[0])) if self.warm_up else beta


class Averages(ForVariables):
    """The averages of the variables of one network."""

    def __init__(self, variables: Sequence[Any]) -> None:
        super().__init__(variables)
        self.values = []
        for variable in variables:
            with tf.init_scope():
                value = tf.Variable(
                    tf.convert_to_tensor(variable),
                    trainable=False,
                    aggregation=replicas.SAME_EVERYWHERE,
                    name="average",
                )
            self.values.append(value)


def _floats(network: Any) -> list[Any]:
    """The variables that can be averaged: not the integers of random generators."""
    variables = [v for v in network.variables if tf.as_dtype(v.dtype).is_floating]
    if not variables:
        raise ValueError(
            f"ExponentialMovingAverage: {network!r} has no variables. Build the network first: call it once on latents."
        )
    return variables
