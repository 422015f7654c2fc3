"""A compiled GAN as the settings say."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import ganmedic
from ganmedic import augmentation, balance, clipping, losses, penalties
from ganmedic.averaging import ExponentialMovingAverage
from ganmedic.data.normalisation import Normalisation
from ganmedic.settings import Optimizer, Part, Settings, SettingsError
from ganmedic.training import fitting_data
from ganmedic.training.gan import GAN
from ganmedic.training.parts import default_penalties, penalty_weight
from ganmedic.training.reading import Samples

_OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop", "sgd": "SGD"}
#: What a generator ends in for data brought to this range; DCGAN's ends in tanh.
_OUTPUTS = {"tanh": "tanh", "sigmoid": "sigmoid", "auto": "linear", "standard": "linear", "none": "linear"}


def build(settings: Settings, samples: Samples, *, jit_compile: bool = False) -> GAN:
    """Networks and parts of a run, compiled; inside the strategy's scope, with the seeds set and the precision chosen.

    Args:
        settings: of the run.
        samples: the data set.
        jit_compile: whether the step is compiled with XLA.

    Raises:
        SettingsError: networks of the user's own cannot be had, or something does not go together.
    """
    generator, discriminator = _networks(settings, samples)
    classes = samples.classes if settings.data.labels else None
    try:
        gan = GAN(
            generator,
            discriminator,
            classes=classes,
            normalisation=_normalisation(settings, samples, generator),
            seed=settings.run.seed,
        )
        gan.compile(**compile_arguments(settings, gan), jit_compile=jit_compile)
    except (TypeError, ValueError) as error:
        raise SettingsError(str(error)) from error
    if gan.sample_shape != tuple(samples.values.shape[1:]):
        raise SettingsError(
            f"The generator gives samples of shape {gan.sample_shape}, and the data are of shape {samples.values.shape[1:]}. Set "
            "data.resolution and data.channels to what it gives, or make a generator for these data."
        )
    return gan


def compile_arguments(settings: Settings, gan: GAN) -> dict[str, Any]:
    """The arguments of `GAN.compile` that the settings ask for."""
    given = settings.penalties
    weight = penalty_weight(gan.sample_shape)
    loss = settings.loss.build(losses.get)
    if given is None:
        chosen = default_penalties(loss, gan.discriminator, gan.sample_shape)
    else:
        chosen = [part.weighed(weight).build(penalties.get) for part in given]
    return {
        "loss": loss,
        "penalties": chosen,
        "clip": {
            player: None if part is None else part.build(clipping.get)
            for player, part in (("generator", settings.clip.generator), ("discriminator", settings.clip.discriminator))
        },
        "generator_optimizer": _optimizer(settings.optimizers.generator, _updates(settings)[0]),
        "discriminator_optimizer": _optimizer(settings.optimizers.discriminator, _updates(settings)[1]),
        "balance": _balance(settings),
        "ema": _average(settings),
        "augment": None if settings.augmentation.name == "none" else settings.augmentation.build(augmentation.get),
        "accumulation": settings.training.accumulation,
    }


def chosen_network(settings: Settings, samples: Samples) -> str:
    """The kind of networks: what is named, or what fits the data."""
    if settings.networks.name != "auto":
        return settings.networks.name
    if samples.values.ndim != 4:
        return "dense"
    # A residual network of grouped convolutions takes a CPU ten times as long.
    return "resnet" if tf.config.list_physical_devices("GPU") else "dcgan"


def _networks(settings: Settings, samples: Samples) -> tuple[Any, Any]:
    chosen = settings.networks
    if chosen.generator is not None and chosen.discriminator is not None:
        return _own(chosen.generator), _own(chosen.discriminator)
    shape = samples.values.shape[1:]
    name = chosen_network(settings, samples)
    arguments: dict[str, Any] = {"latent_size": chosen.latent_size, "width": chosen.width, **chosen.arguments}
    arguments = {key: value for key, value in arguments.items() if value is not None}
    if name == "dense":
        arguments["shape"] = tuple(shape)
    elif len(shape) != 3:
        raise SettingsError(
            f"networks.name is {name!r}, which makes images, and the data are rows of {shape[0]} numbers. Take 'dense' or 'auto'."
        )
    else:
        arguments |= {"resolution": shape[0], "channels": shape[2]}
    arguments.setdefault("output", "tanh" if name == "dcgan" else _OUTPUTS[settings.data.normalise])
    arguments |= {"classes": samples.classes if settings.data.labels else None, "seed": settings.run.seed}
    packed = dict(arguments)
    if settings.balance.packing > 1 and name == "dense":
        packed["shape"] = balance.get("packing", settings.balance.packing).input_shape(tuple(shape))
    elif settings.balance.packing > 1:
        packed["channels"] = settings.balance.packing * shape[2]
    try:
        pair = ganmedic.networks.get(name, **arguments)
        # PacGAN's discriminator sees several samples side by side.
        other = pair if packed == arguments else ganmedic.networks.get(name, **packed)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"[networks]: {error}") from error
    return pair.generator, other.discriminator


def _own(place: str) -> Any:
    """What a function of the user's file gives."""
    path, _, name = place.rpartition(":")
    try:
        spec = importlib.util.spec_from_file_location(Path(path).stem, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} is no Python file")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        network = getattr(module, name)()
    except Exception as error:
        raise SettingsError(
            f"{place} cannot be used: {type(error).__name__}: {error}. A Python file with a function of that name, which takes no argument "
            "and returns a Keras model, is expected."
        ) from error
    if not isinstance(network, keras.Model):
        raise SettingsError(f"{place} returned {type(network).__name__}; a keras.Model is expected.")
    return network


def _normalisation(settings: Settings, samples: Samples, generator: Any) -> Normalisation | None:
    asked, declared = settings.data.normalise, settings.data.source_range
    if asked == "none":
        return None
    values = samples.values
    activation = fitting_data.output_activation(generator)
    if asked == "auto" and declared is None:
        return fitting_data.normalisation_for(values, activation)
    target = asked if asked != "auto" else activation if activation != "linear" else "tanh"
    if declared is None and values.dtype == np.uint8 and target != "standard":
        declared = (0.0, 255.0)
    try:
        if target == "standard":
            return Normalisation.fit(_blocks(values), to="standard")
        return Normalisation.fit(_blocks(values), to=target, source_range=declared)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"[data]: {error}") from error


def _blocks(values: Any) -> Any:
    return (np.asarray(values[begin : begin + 1024]) for begin in range(0, len(values), 1024))


def _updates(settings: Settings) -> tuple[int, int]:
    """How many updates the generator and the discriminator make in the run: a schedule counts those."""
    steps, of_g, of_d = settings.training.steps, settings.balance.generator_steps, settings.balance.n_critic
    accumulation = settings.training.accumulation
    if (of_g, of_d) == (1, 1):
        return (max(1, steps // accumulation),) * 2
    return max(1, steps * of_g // (of_g + of_d) // accumulation), max(1, steps * of_d // (of_g + of_d) // accumulation)


def _optimizer(chosen: Optimizer, steps: int) -> Any:
    rate: Any = chosen.learning_rate
    if chosen.final_learning_rate is not None:
        rate = keras.optimizers.schedules.CosineDecay(rate, steps, alpha=chosen.final_learning_rate / rate)
    kind = getattr(keras.optimizers, _OPTIMIZERS[chosen.name])
    return kind(learning_rate=rate, **chosen.arguments)


def _balance(settings: Settings) -> list[Any]:
    chosen = settings.balance
    ways: list[Any] = []
    if chosen.n_critic > 1 or chosen.generator_steps > 1:
        ways.append(balance.get("n_critic", chosen.n_critic, chosen.generator_steps))
    if chosen.packing > 1:
        ways.append(balance.get("packing", chosen.packing))
    for name in ("update_skipping", "adaptive_weights", "instance_noise", "top_k"):
        arguments: Mapping[str, Any] | None = getattr(chosen, name)
        if arguments is not None:
            ways.append(balance.get(name, **arguments))
    return ways


def _average(settings: Settings) -> Any:
    ema = settings.ema
    if not ema.enabled:
        return None
    if ema.decay is not None:
        return ExponentialMovingAverage(decay=ema.decay)
    return ExponentialMovingAverage(half_life=ema.half_life, ramp=ema.ramp)


def described(part: Part) -> str:
    """A part in one line: `r1(weight=1.0)`."""
    arguments = ", ".join(
        f"{name}={described(value) if isinstance(value, Part) else value!r}" for name, value in part.arguments.items()
    )
    return f"{part.name}({arguments})"
