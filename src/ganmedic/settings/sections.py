"""The sections of a configuration, each a frozen dataclass; a field's metadata say what it may hold and what it is."""

# ruff: noqa: RUF009 (each `key` is a dataclasses.field of its own)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganmedic.settings import parts
from ganmedic.settings.kinds import (
    Choice,
    Ends,
    Flag,
    FreeTable,
    ListOf,
    Number,
    Or,
    Text,
    Whole,
    WholeChoice,
)
from ganmedic.settings.tables import REQUIRED, Arguments, Part, PartKind, PartList, Section, key

_SEED = Whole(low=0)
_EVERY = "a fortieth of the run, at least 50"
_BUILDER = Text("'file.py:function', a function that returns a Keras model,", r"[^\0]*[^\s/\\]\.py:[^\W\d]\w*")
NETWORKS = ("auto", "dcgan", "resnet", "style", "dense")
METRICS = ("precision_recall", "density_coverage", "kid", "frechet", "sliced_wasserstein", "ms_ssim", "vendi")


@dataclass(frozen=True)
class Run:
    """Where the run is kept, and what makes it the same again."""

    folder: str | None = key(
        Text("a folder in quotes"), None, "folder of the run", unset="runs/DATA-DATE-TIME", example="runs/faces"
    )
    seed: int = key(_SEED, 0, "of weights, latents and the order of the data")
    deterministic: bool = key(Flag(), True, "operations in a fixed order, so that --resume is bit for bit")


@dataclass(frozen=True)
class Data:
    """What is learnt from."""

    path: str = key(Text("a folder or file in quotes"), REQUIRED, "folder or file of the data set")
    labels: bool = key(Flag(), False, "learn each class by its label; the classes are those of the data")
    resolution: int | None = key(
        Whole(low=4, high=4096),
        None,
        "height and width in pixels; images are resized to it",
        unset="from the images",
        example=64,
    )
    channels: int | None = key(
        WholeChoice((1, 3, 4)), None, "1 grey, 3 colour, 4 colour and opacity", unset="from the images", example=3
    )
    normalise: str = key(
        Choice(("auto", "tanh", "sigmoid", "standard", "none")), "auto", "what the values are brought to"
    )
    source_range: tuple[float, float] | None = key(
        Ends(), None, "lowest and highest value that the data can have", unset="from the data", example=(0.0, 255.0)
    )
    mirror: bool = key(Flag(), False, "half of the images are mirrored left and right, at random")
    limit: int | None = key(Whole(), None, "so many samples at most", unset="all", example=10_000)
    audit: bool = key(Flag(), True, "look at the data before training, as `ganmedic data` does")


@dataclass(frozen=True)
class Networks:
    """The two networks."""

    name: str = key(Choice(NETWORKS), "auto", "kind (auto: dense for points and tables, resnet for images)")
    width: int | None = key(Whole(), None, "channels, or units of a layer", unset="the network's default", example=64)
    latent_size: int | None = key(
        Whole(), None, "numbers that a sample is made from", unset="the network's default", example=128
    )
    arguments: Mapping[str, Any] = key(FreeTable(), {}, "further arguments of the network")
    generator: str | None = key(
        _BUILDER, None, "your own generator", unset="by name", example="networks.py:make_generator"
    )
    discriminator: str | None = key(
        _BUILDER, None, "your own discriminator", unset="by name", example="networks.py:make_discriminator"
    )


@dataclass(frozen=True)
class Training:
    """How long, and how."""

    steps: int = key(Whole(), 20_000, "how many batches of real samples")
    batch_size: int = key(Whole(), 64, "samples in a batch, over all devices")
    accumulation: int = key(Whole(), 1, "gradients of so many batches make one step")
    precision: str = key(
        Choice(("float32", "mixed_bfloat16", "mixed_float16")), "float32", "of what the networks compute"
    )
    jit_compile: bool | str = key(
        Or("auto", Flag()), "auto", "compile with XLA; auto: where it is faster and run.deterministic is off"
    )


@dataclass(frozen=True)
class Clip:
    """What gradients, or a critic's weights, are held to."""

    generator: Part | None = key(
        PartKind("clip", parts.CLIPS),
        None,
        "of the generator",
        unset="none",
        example=Part("global_norm", {"bound": 1.0}),
    )
    discriminator: Part | None = key(
        PartKind("clip", parts.CLIPS),
        None,
        "of the discriminator",
        unset="none",
        example=Part("global_norm", {"bound": 1.0}),
    )


@dataclass(frozen=True)
class Optimizer(Part):
    """An optimizer of Keras; `arguments` are those beside the learning rate."""

    learning_rate: float = key(Number(above=0.0), 2e-4, "size of the steps")
    final_learning_rate: float | None = key(
        Number(low=0.0), None, "where a cosine over the run takes it", unset="stays as it is", example=2e-5
    )


_OPTIMIZER = PartKind("optimizer", parts.OPTIMIZERS, "adam", Optimizer)


@dataclass(frozen=True)
class Optimizers:
    """One optimizer each."""

    generator: Optimizer = key(_OPTIMIZER, _OPTIMIZER.part("adam"), "of the generator")
    discriminator: Optimizer = key(_OPTIMIZER, _OPTIMIZER.part("adam"), "of the discriminator")


def _balance(name: str) -> Any:
    description = parts.BALANCE[name]
    return key(Arguments(name, description), None, description.about, unset="without", example={})


@dataclass(frozen=True)
class Balance:
    """That neither player leaves the other behind."""

    n_critic: int = key(Whole(), 1, "steps of the discriminator in a round")
    generator_steps: int = key(Whole(), 1, "steps of the generator in a round")
    packing: int = key(Whole(), 1, "samples that the discriminator judges together (PacGAN)")
    update_skipping: Mapping[str, Any] | None = _balance("update_skipping")
    adaptive_weights: Mapping[str, Any] | None = _balance("adaptive_weights")
    instance_noise: Mapping[str, Any] | None = _balance("instance_noise")
    top_k: Mapping[str, Any] | None = _balance("top_k")


@dataclass(frozen=True)
class Ema:
    """The averaged generator, which samples are drawn from."""

    enabled: bool = key(Flag(), True, "average the generator's weights")
    decay: float | None = key(
        Number(low=0.0, below=1.0), None, "of the average, a step", unset="half_life counts", example=0.999
    )
    half_life: float | None = key(
        Number(above=0.0),
        None,
        "images in which a weight's part halves",
        unset="10000 where decay is unset",
        example=10_000.0,
    )
    ramp: float | None = key(
        Number(above=0.0),
        None,
        "half_life is at most this part of the images so far; large: no limit",
        unset="0.05 with half_life",
        example=0.05,
    )

    def __post_init__(self) -> None:
        if self.decay is None and self.half_life is None:
            object.__setattr__(self, "half_life", 10_000.0)
        if self.half_life is not None and self.ramp is None:
            object.__setattr__(self, "ramp", 0.05)


@dataclass(frozen=True)
class Watch:
    """The examination that goes on beside the training."""

    enabled: bool = key(Flag(), True, "look for what keeps the GAN from learning")
    preset: str = key(Choice(("light", "full")), "light", "how much may be measured")
    intervene: bool = key(Flag(), True, "change what a finding says is to be changed")
    interventions: int = key(Whole(low=0), 3, "so many times at most")
    samples: int = key(Whole(low=2), 256, "how many samples are looked at for a collapse")


@dataclass(frozen=True)
class Samples:
    """Pictures of what the generator makes."""

    every: int | None = key(Whole(), None, "steps between two", unset=_EVERY, example=500)
    count: int = key(Whole(high=4096), 64, "samples in one")
    seed: int = key(_SEED, 0, "of their latents, the same all through the run")


@dataclass(frozen=True)
class Checkpoints:
    """What a run is resumed from."""

    every: int | None = key(Whole(), None, "steps between two", unset=_EVERY, example=500)
    keep: int = key(Whole(), 3, "so many of the last are kept")


@dataclass(frozen=True)
class Metrics:
    """How good and how varied the samples are, in figures."""

    names: tuple[str, ...] = key(
        ListOf(Choice(METRICS), "a list of metrics, such as ['kid', 'precision_recall'],"),
        (),
        "any of " + ", ".join(METRICS),
    )
    every: int | None = key(Whole(), None, "steps between two", unset="at the end only", example=5_000)
    samples: int = key(Whole(low=2), 2_000, "real and generated samples that are compared")
    extractor: str = key(Choice(("random", "classifier", "inception")), "random", "network that gives the features")


@dataclass(frozen=True)
class Tensorboard:
    """Event files for TensorBoard."""

    enabled: bool = key(Flag(), False, "write them")
    histograms: bool = key(Flag(), False, "of all weights, too")


@dataclass(frozen=True)
class Distribute:
    """Several devices or machines."""

    strategy: str = key(Choice(("none", "mirrored", "multi_worker")), "none", "how the batch is dealt out")
    devices: tuple[str, ...] | None = key(
        ListOf(
            Text("a device such as 'GPU:0'", r"(CPU|GPU|TPU):\d{1,4}"),
            "a list of devices, such as ['GPU:0', 'GPU:1'],",
            least=1,
        ),
        None,
        "of mirrored",
        unset="all GPUs",
        example=("GPU:0", "GPU:1"),
    )
    workers: tuple[str, ...] | None = key(
        ListOf(Text("'host:port'", r"[^\s:/]+:\d{1,5}|\[[0-9a-fA-F:.]+\]:\d{1,5}"), "a list of 'host:port'", least=1),
        None,
        "host:port of every machine of multi_worker",
        unset="from TF_CONFIG",
        example=("first:12345", "second:12345"),
    )
    index: int | None = key(
        Whole(low=0), None, "which of the workers this machine is, from 0 on", unset="from TF_CONFIG", example=0
    )


_LOSS = PartKind("loss", parts.LOSSES, "relativistic")
_AUGMENTATION = PartKind("augmentation", parts.AUGMENTATIONS, "none")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The configuration of one training run; made by `load`, `for_data` and `changed`, which check it.

    Example:
        >>> from ganmedic.settings import for_data
        >>> settings = for_data("faces", **{"training.steps": 500})
        >>> settings.training.steps, settings.loss.name, settings.optimizers.generator.arguments["beta_2"]
        (500, 'relativistic', 0.99)
    """

    run: Run = key(Section(Run), Run(), "where the run is kept, and what makes it the same again")
    data: Data = key(Section(Data), REQUIRED, "what is learnt from")
    networks: Networks = key(Section(Networks), Networks(), "the two networks")
    training: Training = key(Section(Training), Training(), "how long, and how")
    loss: Part = key(_LOSS, _LOSS.part("relativistic"), "the adversarial loss, and its arguments")
    penalties: tuple[Part, ...] | None = key(
        PartList(PartKind("penalty", parts.PENALTIES)),
        None,
        "what is added to the loss",
        unset="as fits the loss; penalties = [] at the top of the file: none",
        example=(Part("r1", {"weight": 10.0}), Part("r2", {"weight": 10.0})),
    )
    clip: Clip = key(Section(Clip), Clip(), "what gradients, or a critic's weights, are held to")
    optimizers: Optimizers = key(Section(Optimizers), Optimizers(), "one optimizer each")
    balance: Balance = key(Section(Balance), Balance(), "that neither player leaves the other behind")
    augmentation: Part = key(
        _AUGMENTATION, _AUGMENTATION.part("none"), "what the discriminator sees is transformed; for little data"
    )
    ema: Ema = key(Section(Ema), Ema(), "the averaged generator, which samples are drawn from")
    watch: Watch = key(Section(Watch), Watch(), "the examination beside the training")
    samples: Samples = key(Section(Samples), Samples(), "pictures of what the generator makes")
    checkpoints: Checkpoints = key(Section(Checkpoints), Checkpoints(), "what a run is resumed from")
    metrics: Metrics = key(Section(Metrics), Metrics(), "how good and how varied the samples are")
    tensorboard: Tensorboard = key(Section(Tensorboard), Tensorboard(), "event files for TensorBoard")
    distribute: Distribute = key(Section(Distribute), Distribute(), "several devices or machines")
