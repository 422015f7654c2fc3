"""A generator and a discriminator as one Keras model, trained as it is known to stay healthy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ganmedic import checking, replicas
from ganmedic.data.normalisation import Normalisation
from ganmedic.data.normalising_layer import Normalise
from ganmedic.data.sources import Source
from ganmedic.randomness import RandomStream
from ganmedic.training import fitting_data, keras_file, sampling
from ganmedic.training.epochs import EachEpoch
from ganmedic.training.network_pair import NetworkPair
from ganmedic.training.parts import Parts
from ganmedic.training.playing import Play
from ganmedic.training.row import Row, for_keras, names_for
from ganmedic.training.turn_taking import TurnTaking, in_the_place_of_train_step


@keras.saving.register_keras_serializable(package="ganmedic")
class GAN(keras.Model):  # type: ignore[misc]
    """A GAN for any two Keras networks: images, tables or points, with classes or without.

        gan = ganmedic.GAN(generator, discriminator)
        gan.compile()
        gan.fit(images, epochs=20)
        gan.generate(16, seed=0)

    The defaults are those of R3GAN: the relativistic loss with R1 and R2 in every step, Adam without momentum, an averaged
    generator. Each can be replaced by its argument of `compile`.

    Args:
        generator: takes latents float32 (batch, *latent_shape), with classes [latents, labels]; gives samples (batch, ...).
        discriminator: takes samples, with classes [samples, labels]; gives raw scores (batch, ...), without a sigmoid.
        latent_shape: shape of one latent; read off the generator where it is None.
        classes: number of classes, whose labels are whole numbers from 0 on; None for none.
        normalisation: how data are brought to what the generator gives, and back in `generate`; a `data.Normalisation`, None for data
            that are scaled already, or "auto": 8-bit integers are taken as colours, floats beyond the generator's range are measured.
        seed: of the latents; None for one that Python's `random` draws (`keras.utils.set_random_seed` fixes it).
        name: as for every Keras model.

    Attributes:
        steps: int64 variable, batches so far.
        last_row, row_names: the figures of the last step, float32 (figures,), on the device, and their names.
        ema: the average of the generator; None where there is none.

    Raises:
        TypeError, ValueError: the networks do not fit each other; the message says where.

    Example:
        >>> generator = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        >>> discriminator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> gan = GAN(generator, discriminator, seed=0)
        >>> gan.compile()
        >>> history = gan.fit(np.random.default_rng(0).normal(size=(64, 2)), batch_size=32, verbose=0)
        >>> gan.generate(3, seed=0).shape, int(gan.steps)
        ((3, 2), 2)

    References:
        Huang, Gokaslan, Kuleshov, Tompkin 2024, *The GAN is dead; long live the GAN!*, arXiv 2501.05441.
    """

    def __init__(
        self,
        generator: Any,
        discriminator: Any,
        *,
        latent_shape: tuple[int, ...] | None = None,
        classes: int | None = None,
        normalisation: Normalisation | Mapping[str, Any] | str | None = "auto",
        seed: int | None = None,
        name: str = "gan",
        **options: Any,
    ) -> None:
        super().__init__(name=name, **options)
        pair = NetworkPair(generator, discriminator, latent_shape, classes)
        self.generator, self.discriminator = generator, discriminator
        self.classes = pair.classes
        self.latent_shape, self.sample_shape = tuple(pair.latent_shape), tuple(pair.sample_shape)
        self.random = RandomStream(seed)
        self.seed = self.random.seed
        with tf.init_scope():
            self.steps = tf.Variable(
                0, dtype=tf.int64, trainable=False, aggregation=replicas.SAME_EVERYWHERE, name="gan_steps"
            )
        self._normalisation = fitting_data.declared(normalisation)
        self._layer: Normalise | None = None
        self._normalised_for()
        #: Whether `fit` tells the parts of the end of an epoch; a run counts samples itself.
        self.counts_epochs = True
        self.parts: Any = None
        self.row: Any = None
        self.built = True

    # --- what it is made of -------------------------------------------------------------------------------------------

    @property
    def normalisation(self) -> Normalisation | None:
        """How data are brought to what the generator gives; None where they are there already, or nothing was seen yet."""
        return None if isinstance(self._normalisation, str) else self._normalisation

    @property
    def ema(self) -> Any:
        """The averaged generator; None before `compile`, or where there is none."""
        return None if self.parts is None else self.parts.ema

    @property
    def row_names(self) -> tuple[str, ...]:
        """Names of the figures of a step."""
        return () if self.row is None else tuple(self.row.names)

    @property
    def last_row(self) -> Any:
        """The figures of the last step, float32 (figures,); NaN for those that there were none of yet."""
        return self._compiled().last.read_value()

    @property
    def metrics(self) -> list[Any]:
        """None of Keras' own: the figures are summed up in one variable."""
        return []

    def reset_metrics(self) -> None:
        """Begins the means of the figures anew."""
        if self.row is not None:
            self.row.reset()

    # --- compile ------------------------------------------------------------------------------------------------------

    def compile(
        self,
        loss: Any = "relativistic",
        penalties: Any = "auto",
        clip: Any = None,
        generator_optimizer: Any = None,
        discriminator_optimizer: Any = None,
        balance: Any = None,
        ema: Any = "auto",
        augment: Any = None,
        *,
        accumulation: int = 1,
        simultaneous: bool = False,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
    ) -> None:
        """Puts the parts in their places. Each is an object of ganmedic, its name, or its configuration.

        Args:
            loss: from `ganmedic.losses`.
            penalties: a list from `ganmedic.penalties`; "auto" for R1 and R2 of a weight that fits the samples, the gradient penalty
                for a Wasserstein loss, and none for a discriminator with batch normalisation, which no such penalty goes with.
            clip: from `ganmedic.clipping`, for both, or a dictionary with `generator` and `discriminator`.
            generator_optimizer, discriminator_optimizer: Keras optimizers; Adam(2e-4, 0, 0.99) each where None. Under
                `mixed_float16` each is given loss scaling.
            balance: one or a list of `ganmedic.balance`.
            ema: an `ExponentialMovingAverage`, a decay, "auto" for a half-life of 10 000 images with a ramp, or None.
            augment: from `ganmedic.augmentation`.
            accumulation: batches whose gradients make one step.
            simultaneous: both gradients are taken from one pass: less work a step, simultaneous instead of alternating descent.
            run_eagerly, steps_per_execution, jit_compile: as for every Keras model; "auto" takes XLA on accelerators only, for on a CPU
                it is slower for most GANs.

        Raises:
            ValueError, TypeError: a part is unknown, or parts are known to fail together.
        """
        jit = bool(tf.config.list_physical_devices("GPU")) if jit_compile == "auto" else jit_compile
        super().compile(
            optimizer=None,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=checking.flag("GAN.compile", "jit_compile", jit) and not run_eagerly,
        )
        given = {"generator": generator_optimizer, "discriminator": discriminator_optimizer}
        with self.distribute_strategy.scope():
            self.parts = Parts(
                loss=loss,
                penalties=penalties,
                clip=clip,
                optimizers=given,
                balance=balance,
                ema=ema,
                augment=augment,
                accumulation=accumulation,
                simultaneous=simultaneous,
                discriminator=self.discriminator,
                sample_shape=self.sample_shape,
            )
            if self.parts.turns is not None and steps_per_execution > 1:
                raise ValueError(
                    f"GAN.compile: steps_per_execution is {steps_per_execution}; 1 is expected with n_critic, whose steps differ."
                )
            if self.parts.packing is not None and self.classes is not None:
                raise ValueError(
                    "GAN.compile: packing puts samples of several classes together. Leave it out with classes."
                )
            trained = {
                "generator": self.generator.trainable_variables,
                "discriminator": self.discriminator.trainable_variables,
            }
            self.parts.build(trained, self.generator)
            self.row = Row(names_for(self.parts))
        self.train_function: Any = None
        self._play = Play(self.generator, self.discriminator, self.parts, self._latents)
        self._arguments = {
            "accumulation": accumulation,
            "simultaneous": simultaneous,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }

    def get_compile_config(self) -> dict[str, Any] | None:
        """The arguments of `compile`, as plain data; None before it."""
        return None if self.parts is None else keras_file.compile_config(self.parts, self._arguments)

    def compile_from_config(self, config: Mapping[str, Any]) -> None:
        """Compiles as `get_compile_config` said."""
        self.compile(**config)

    # --- training -----------------------------------------------------------------------------------------------------

    def fit(self, x: Any = None, y: Any = None, batch_size: int | None = None, **options: Any) -> Any:
        """Trains, as every Keras model does.

        Args:
            x: samples: an array (n, ...), a batched `tf.data.Dataset`, a source of `ganmedic.data.open_source`, or what else Keras
                takes. With classes, a dataset gives (samples, labels).
            y: labels (n,) with an array.
            batch_size: of arrays and sources, 64 where None.
            **options: `epochs`, `callbacks`, `verbose`, `initial_epoch`, `steps_per_epoch` and others of Keras.

        Returns:
            Keras' History: `d_loss`, `g_loss`, the mean scores and gradient norms of each epoch, and more.

        Raises:
            ValueError: data are missing, of another shape than the networks', or cannot be scaled to the generator's range.
        """
        self._parts()
        if isinstance(x, Source):
            from ganmedic.training.reading import arrays_of

            x, y = arrays_of(x, self.sample_shape, labels=self.classes is not None)
        if isinstance(x, tf.data.Dataset | tf.distribute.DistributedDataset):
            # Its order is its own.
            options["shuffle"] = False
        if isinstance(x, tf.data.Dataset):
            fitting_data.accept_spec(x.element_spec, self.sample_shape)
            self._take_normalisation(x)
        elif x is not None and (isinstance(x, np.ndarray | tf.Tensor | list) or hasattr(x, "__array__")):
            x = np.asarray(x)
            fitting_data.accept_arrays(x, y, self.sample_shape, self.classes)
            self._take_normalisation(x)
            size = checking.whole("GAN.fit", "batch_size", 64 if batch_size is None else batch_size)
            size = min(size, len(x)) if batch_size is None else size
            x, y, batch_size = fitting_data.batches(x, y, size, self.seed + int(self.steps.numpy())), None, None
            options["shuffle"] = False
        self.restored()
        if batch_size is not None:
            options["batch_size"] = batch_size
        if self.counts_epochs and self.parts.top_k is not None:
            given = options.get("callbacks") or []
            options["callbacks"] = [*(given if isinstance(given, list | tuple) else [given]), EachEpoch(self)]
        history = super().fit(x, y, **options)
        for optimizer in self.parts.optimizers.values():
            inner = getattr(optimizer, "inner_optimizer", optimizer)
            if getattr(inner, "use_ema", False):
                network = self.generator if optimizer is self.parts.optimizers["generator"] else self.discriminator
                inner.finalize_variable_values(network.trainable_variables)
        return history

    def train_step(self, data: Any) -> dict[str, Any]:
        """One round on one batch; the means of the epoch's figures so far."""
        real, labels = self._unpacked(data)
        self.steps.assign_add(1)
        return dict(self.row.add(self._play.round(real, labels)))

    def _discriminator_step(self, data: Any) -> dict[str, Any]:
        real, labels = self._unpacked(data)
        self.steps.assign_add(1)
        return dict(self.row.add(self._play.of_discriminator(real, labels)[0]))

    def _generator_step(self, data: Any) -> dict[str, Any]:
        real, labels = self._unpacked(data)
        self.steps.assign_add(1)
        return dict(self.row.add(self._play.of_generator(real, labels)))

    def test_step(self, data: Any) -> dict[str, Any]:
        """Losses and scores on held-out samples, with the networks as they are used."""
        real, labels = self._unpacked(data)
        latents = self._latents(tf.shape(real)[0])
        fake = self(latents if labels is None else [latents, labels], training=False)
        if self.parts.packing is not None:
            real, fake = self.parts.packing(real), self.parts.packing(fake)
        scores = [
            self.discriminator(samples if labels is None else [samples, labels], training=False)
            for samples in (real, fake)
        ]
        loss = self.parts.loss
        figures = {
            "d_loss": loss.discriminator(*scores),
            "g_loss": loss.generator(*scores),
            "real_score": tf.reduce_mean(scores[0]),
            "fake_score": tf.reduce_mean(scores[1]),
        }
        return for_keras(figures)

    def make_train_function(self, force: bool = False) -> Any:
        """The compiled step; with n_critic two of them, which take turns."""
        turns = self._parts().turns
        if turns is None or (self.train_function is not None and not force):
            return super().make_train_function(force=force)
        functions = {}
        for player, step in ((True, self._discriminator_step), (False, self._generator_step)):
            with in_the_place_of_train_step(self, step):
                super().make_train_function(force=True)
            functions[player] = self.train_function
        self.train_function = TurnTaking(turns, self.steps, functions)
        return self.train_function

    # --- use ----------------------------------------------------------------------------------------------------------

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        """What the averaged generator makes of latents, or of [latents, labels], as the networks see it."""
        if self.ema is None or training:
            return self.generator(inputs, training=training)
        return self.ema(self.generator, inputs)

    def generate(
        self,
        count: int,
        seed: int = 0,
        labels: Any = None,
        *,
        averaged: bool = True,
        batch_size: int = 64,
    ) -> NDArray[Any]:
        """Samples as the data were: the normalisation is taken back.

        Args:
            count: how many, 1 or more.
            seed: the same seed gives the same samples of the same weights, 0 to 2³¹ - 1; sample i does not depend on `count`.
            labels: classes (count,), or one for all; each in turn where None.
            averaged: whether the averaged generator makes them, or the one that is trained.
            batch_size: how many at once.

        Returns:
            Array (count, ...), of the data's type where it was measured as integers, else float32.

        Raises:
            ValueError, TypeError: an argument is out of its range.
        """
        return sampling.generated(self, count, seed, labels, averaged=averaged, batch_size=batch_size)

    # --- state --------------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The networks and the arguments, as plain data."""
        normalisation = self._normalisation
        return {
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "latent_shape": list(self.latent_shape),
            "classes": self.classes,
            "normalisation": normalisation.to_dict() if isinstance(normalisation, Normalisation) else normalisation,
            "seed": self.seed,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> GAN:
        """Makes it again from what `get_config` gave."""
        config = dict(config)
        for player in ("generator", "discriminator"):
            config[player] = keras.saving.deserialize_keras_object(config[player], custom_objects)
        return cls(**config)

    def save_own_variables(self, store: Any) -> None:
        """Into a `.keras` file goes all that training needs to go on, beside what Keras itself keeps there."""
        keras_file.save(self, store)

    def load_own_variables(self, store: Any) -> None:
        """Takes it back."""
        keras_file.load(self, store)

    def restored(self) -> None:
        """To be called when variables were given values from outside."""
        if isinstance(self.train_function, TurnTaking):
            self.train_function.begin()

    # --- inside -------------------------------------------------------------------------------------------------------

    def _parts(self) -> Parts:
        if self.parts is None:
            raise ValueError("This GAN is not compiled. Call gan.compile() first; it needs no argument.")
        return self.parts  # type: ignore[no-any-return]

    def _compiled(self) -> Row:
        self._parts()
        return self.row  # type: ignore[no-any-return]

    def _latents(self, count: Any) -> Any:
        return self.random.batch(count, self.latent_shape)

    def _take_normalisation(self, data: Any) -> None:
        if self._normalisation == "auto":
            self._normalisation = fitting_data.normalisation_for(data, fitting_data.output_activation(self.generator))
            self._normalised_for()

    def _normalised_for(self) -> None:
        known = self.normalisation
        self._layer = None if known is None else Normalise(known, dtype="float32")

    def _unpacked(self, data: Any) -> tuple[Any, Any]:
        return fitting_data.unpacked(data, self.classes, self._layer)
