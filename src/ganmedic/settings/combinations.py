"""What is known to fail together, as far as the configuration alone tells; `ganmedic.combination` sees the networks, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ganmedic.settings import parts
from ganmedic.settings.faults import Faults, KeyPath, shown
from ganmedic.settings.sections import Settings
from ganmedic.settings.tables import Part

_Found = Iterator[tuple[KeyPath, str]]
_Check = Callable[[Settings], _Found]
_CHECKS: list[tuple[tuple[KeyPath, ...], _Check]] = []
_LOWEST, _HIGHEST = 16, 1024


def check(settings: Settings, faults: Faults) -> None:
    """Adds what does not go together; of keys that have no fault of their own."""
    found = [
        fault
        for keys, looked in _CHECKS
        if not any(faults.touches(each) for each in keys)
        for fault in looked(settings)
    ]
    for path, text in found:
        faults.add(path, text)


def _reads(*keys: str) -> Callable[[_Check], _Check]:
    """Says which keys a check looks at."""

    def registered(looked: _Check) -> _Check:
        _CHECKS.append((tuple(tuple(each.split(".")) for each in keys), looked))
        return looked

    return registered


@_reads("loss", "penalties", "clip", "networks")
def _bare_wasserstein(settings: Settings) -> _Found:
    loss, clip = settings.loss, settings.clip.discriminator
    if loss.name != "wasserstein" or loss.arguments["bounded"] or settings.penalties is None:
        return
    if (clip is not None and clip.name == "weights") or settings.networks.discriminator is not None:
        return
    if any("spectral" in str(name) and value for name, value in settings.networks.arguments.items()):
        return
    if any(_per_sample(penalty) and _counts(penalty) for penalty in settings.penalties):
        return
    yield (
        ("loss", "name"),
        " is 'wasserstein', and it is bare: nothing keeps the critic Lipschitz, so its scores grow without end. Add a penalty "
        "{ name = 'gradient_penalty' }, or clip the critic's weights: [clip.discriminator] with name = 'weights'. Where something "
        "else bounds it, say so: bounded = true.",
    )


@_reads("loss", "penalties")
def _lazy_relativistic(settings: Settings) -> _Found:
    if "needs_real" not in parts.LOSSES[settings.loss.name].traits:
        return
    for index, penalty in enumerate(settings.penalties or ()):
        if penalty.name == "lazy" and penalty.arguments["every"] > 1 and _per_sample(penalty):
            yield (
                ("penalties", index),
                f" is a lazy gradient penalty with the loss '{settings.loss.name}': R3GAN found complete convergence failure with "
                "penalties every 8 steps (Huang et al. 2024, appendix). Apply the penalty in every step, or take the loss "
                "'non_saturating'.",
            )


@_reads("loss", "balance.adaptive_weights")
def _adaptive_weights_of_pairs(settings: Settings) -> _Found:
    if settings.balance.adaptive_weights is not None and "pairs" in parts.LOSSES[settings.loss.name].traits:
        yield (
            ("balance", "adaptive_weights"),
            f" weighs the loss on real samples against that on generated ones; '{settings.loss.name}' holds one sample against "
            "another and has no such halves. Take the loss 'relativistic_average', or leave adaptive_weights out.",
        )


@_reads("clip.generator")
def _clipped_generator(settings: Settings) -> _Found:
    clip = settings.clip.generator
    if clip is not None and clip.name == "weights":
        yield (
            ("clip", "generator", "name"),
            " is 'weights', which keeps a critic Lipschitz; a generator with clipped weights cannot reach the data. A clip of "
            "gradients is expected: take 'global_norm', or [clip.discriminator].",
        )


@_reads("networks")
def _own_networks(settings: Settings) -> _Found:
    networks = settings.networks
    own = {"generator": networks.generator, "discriminator": networks.discriminator}
    given = [name for name, value in own.items() if value is not None]
    if len(given) == 1:
        other = "discriminator" if given == ["generator"] else "generator"
        yield (
            ("networks", given[0]),
            f" is there and {other} is not; both or neither are expected, for they have to fit each other. Add "
            f"{other} = 'file.py:function'.",
        )
    if given and networks.name != "auto":
        yield (
            ("networks", "name"),
            f" is '{networks.name}' beside {' and '.join(given)} of your own; one of both is expected. Take the name out.",
        )
    for name in ("width", "latent_size", "arguments"):
        value = getattr(networks, name)
        if given and value:
            yield (
                ("networks", name),
                f" is {shown(value)} beside {' and '.join(given)} of your own, which it cannot change. Take it out.",
            )


@_reads("networks", "data.resolution")
def _resolution(settings: Settings) -> _Found:
    networks, resolution = settings.networks, settings.data.resolution
    if resolution is None or networks.generator is not None or networks.name == "dense":
        return
    allowed = [2**power for power in range(_LOWEST.bit_length() - 1, _HIGHEST.bit_length())]
    if resolution not in allowed:
        nearest = min(allowed, key=lambda each: abs(each - resolution))
        yield (
            ("data", "resolution"),
            f" is {resolution}; the networks are built for {', '.join(map(str, allowed))} pixels. Take {nearest}, or networks of "
            "your own.",
        )


@_reads("data.channels", "augmentation")
def _augmented_channels(settings: Settings) -> _Found:
    augmentation = settings.augmentation
    if settings.data.channels == 4 and augmentation.name == "adaptive" and "c" in augmentation.arguments["pipeline"]:
        yield (
            ("augmentation", "pipeline"),
            f" is '{augmentation.arguments['pipeline']}' with data.channels = 4; its group c turns the colours of 1 or 3 channels. "
            "Take pipeline = 'bg', or data.channels = 3.",
        )


@_reads("training.batch_size", "balance.packing", "distribute")
def _batch(settings: Settings) -> _Found:
    size, packing, distribute = settings.training.batch_size, settings.balance.packing, settings.distribute
    shared = {"mirrored": distribute.devices, "multi_worker": distribute.workers}.get(distribute.strategy)
    count = len(shared or [None])
    if size % (count * packing) == 0:
        return
    why = [f"balance.packing = {packing} samples are judged together"] if packing > 1 else []
    why += (
        [f"{count} {'devices' if distribute.strategy == 'mirrored' else 'workers'} take equal parts"]
        if count > 1
        else []
    )
    step = count * packing
    near = max(step, round(size / step) * step)
    yield (
        ("training", "batch_size"),
        f" is {size}; a multiple of {step} is expected, for {' and '.join(why)}. Take {near}.",
    )


@_reads("ema")
def _average(settings: Settings) -> _Found:
    ema = settings.ema
    if ema.decay is not None and ema.half_life is not None:
        yield (
            ("ema", "decay"),
            f" is {ema.decay:g} and half_life {ema.half_life:g}; one of them is expected: decay counts steps, half_life images. "
            "Take one of them out.",
        )
    elif ema.decay is not None and ema.ramp is not None:
        yield ("ema", "ramp"), f" is {ema.ramp:g} beside decay; it goes with half_life. Take it out."


@_reads("optimizers")
def _final_rates(settings: Settings) -> _Found:
    for player in ("generator", "discriminator"):
        optimizer = getattr(settings.optimizers, player)
        final = optimizer.final_learning_rate
        if final is not None and final > optimizer.learning_rate:
            yield (
                ("optimizers", player, "final_learning_rate"),
                f" is {final:g}, and learning_rate is {optimizer.learning_rate:g}; a number of at most that is expected, for the "
                "rate falls. Exchange the two, or lower it.",
            )


@_reads("metrics", "data")
def _classifier(settings: Settings) -> _Found:
    if settings.metrics.names and settings.metrics.extractor == "classifier" and not settings.data.labels:
        yield (
            ("metrics", "extractor"),
            " is 'classifier', which learns from labels, and data.labels is false. Set data.labels = true, or take 'random'.",
        )


@_reads("run", "training")
def _compiled(settings: Settings) -> _Found:
    if settings.training.jit_compile is True and settings.run.deterministic:
        yield (
            ("training", "jit_compile"),
            " is true, and Keras leaves XLA out where operations are deterministic. Set run.deterministic = false, and give up that "
            "--resume is bit for bit, or leave jit_compile out.",
        )


@_reads("distribute")
def _strategy(settings: Settings) -> _Found:
    distribute = settings.distribute
    for name, strategy in (("devices", "mirrored"), ("workers", "multi_worker"), ("index", "multi_worker")):
        if getattr(distribute, name) is not None and distribute.strategy != strategy:
            yield (
                ("distribute", name),
                f" goes with strategy = '{strategy}', and the strategy is '{distribute.strategy}'. Take it out, or take that strategy.",
            )
    if (distribute.workers is None) != (distribute.index is None):
        given, missing = ("workers", "index") if distribute.index is None else ("index", "workers")
        yield (
            ("distribute", given),
            f" is there and {missing} is not; both or neither are expected. Add {missing}, or leave both to TF_CONFIG.",
        )
    elif (
        distribute.workers is not None and distribute.index is not None and distribute.index >= len(distribute.workers)
    ):
        yield (
            ("distribute", "index"),
            f" is {distribute.index}; a whole number below {len(distribute.workers)}, the number of workers, is expected.",
        )


def _per_sample(penalty: Part) -> bool:
    return "per_sample" in parts.PENALTIES[_inner(penalty).name].traits


def _counts(penalty: Part) -> bool:
    return bool(_inner(penalty).arguments["weight"] != 0)


def _inner(penalty: Part) -> Part:
    inner = penalty.arguments.get("penalty", penalty)
    return inner if isinstance(inner, Part) else penalty
