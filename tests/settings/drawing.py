"""Draws settings at random: for every key a value that it may hold, written down by hand and not read from the package."""

from __future__ import annotations

from random import Random
from typing import Any


def changes(random: Random) -> dict[str, Any]:
    """Changes of the defaults that go together, by dotted key."""
    drawn = {key: make(random) for key, make in VALUES.items() if random.random() < 0.4}
    if random.random() < 0.3:
        drawn |= {"networks.generator": "own nets.py:make", "networks.discriminator": "a/b.py:d"}
        drawn = {
            key: value for key, value in drawn.items() if key not in ("networks.latent_size", "networks.arguments")
        }
    else:
        drawn |= {"networks.name": random.choice(["auto", "dcgan", "resnet", "style"]), "networks.width": 12}
    drawn |= random.choice([{}, {"ema.decay": 0.875}, {"ema.half_life": 3.5}, {"ema.half_life": 2e6, "ema.ramp": 1e9}])
    drawn |= random.choice(LOSSES)
    drawn |= random.choice(STRATEGIES)
    for player in ("generator", "discriminator"):
        drawn |= {f"optimizers.{player}.{key}": value for key, value in random.choice(OPTIMIZERS).items()}
    return drawn


def text(random: Random) -> str:
    """Text with all that is hard to write."""
    return (
        "".join(
            random.choice("aZ0 _-.#=[]{}'\"\\/\n\t\r\b\f\x01\x1f\x7f\x85 äß漢🦊") for _ in range(random.randint(1, 12))
        )
        + "x"
    )


def free(random: Random, depth: int = 0) -> dict[str, Any]:
    """A table as TOML can hold it."""
    makers = [
        lambda: random.randint(-(10**20), 10**20),
        lambda: random.uniform(-1e9, 1e9) * 10.0 ** random.randint(-30, 30),
        lambda: text(random),
        lambda: "",
        lambda: random.random() < 0.5,
        lambda: [random.randint(0, 9) for _ in range(random.randint(0, 4))],
        lambda: [text(random), 1.5, False, {"a": 1}, []],
    ]
    if depth < 3:
        makers.append(lambda: free(random, depth + 1))
    return {
        text(random) if random.random() < 0.5 else f"key_{index}": random.choice(makers)()
        for index in range(random.randint(0, 4))
    }


VALUES = {
    "run.folder": text,
    "run.seed": lambda r: r.choice([0, 7, 2**31 - 1]),
    "run.deterministic": lambda r: r.random() < 0.5,
    "data.labels": lambda r: r.random() < 0.5,
    "data.resolution": lambda r: r.choice([16, 32, 64, 128, 256, 512, 1024]),
    "data.channels": lambda r: r.choice([1, 3]),
    "data.normalise": lambda r: r.choice(["auto", "tanh", "sigmoid", "standard", "none"]),
    "data.source_range": lambda r: r.choice([(0, 255), [-1.5, 1e-7]]),
    "data.mirror": lambda r: r.random() < 0.5,
    "data.limit": lambda r: r.randint(1, 10**9),
    "data.audit": lambda r: r.random() < 0.5,
    "networks.latent_size": lambda r: r.randint(1, 512),
    "networks.arguments": free,
    "training.steps": lambda r: r.randint(1, 10**7),
    "training.accumulation": lambda r: r.randint(1, 8),
    "training.precision": lambda r: r.choice(["float32", "mixed_bfloat16", "mixed_float16"]),
    "training.jit_compile": lambda r: r.choice([False, "auto"]),
    "clip.generator": lambda r: r.choice([{"name": "norm"}, {"name": "auto", "percentile": 90}, None]),
    "clip.discriminator": lambda r: r.choice(
        [{"name": "adaptive", "bound": 0.1}, {"name": "weights", "non_finite": "zero"}]
    ),
    "balance.n_critic": lambda r: r.randint(1, 5),
    "balance.generator_steps": lambda r: r.randint(1, 2),
    "balance.packing": lambda r: r.choice([1, 2, 4]),
    "balance.update_skipping": lambda r: r.choice([{}, {"low": 0.1, "patience": 3}, None]),
    "balance.instance_noise": lambda r: r.choice([{}, {"spread": r.random(), "seed": 3}]),
    "balance.top_k": lambda r: {"decay": 1},
    "augmentation": lambda r: r.choice(
        [
            {"name": "diff_augment", "policy": "flip, color"},
            {"name": "adaptive", "pipeline": "cb", "images": 1000},
            {"name": "none"},
        ]
    ),
    "ema.enabled": lambda r: r.random() < 0.5,
    "watch": lambda r: {"enabled": r.random() < 0.5, "preset": "full", "interventions": 0, "samples": 2},
    "samples": lambda r: {"every": r.randint(1, 999), "count": 4096, "seed": 1},
    "checkpoints": lambda r: {"every": r.randint(1, 999), "keep": 1},
    "metrics.names": lambda r: r.sample(["kid", "frechet", "vendi", "ms_ssim", "precision_recall"], r.randint(0, 4)),
    "metrics.every": lambda r: r.randint(1, 999),
    "metrics.extractor": lambda r: r.choice(["random", "inception"]),
    "tensorboard": lambda r: {"enabled": True, "histograms": r.random() < 0.5},
}
LOSSES: list[dict[str, Any]] = [
    {},
    {"penalties": []},
    {"penalties": [{"name": "r1", "weight": "auto"}, {"name": "r2", "weight": 0.05}, {"name": "lecam", "start": 0}]},
    {"loss": {"name": "wasserstein"}, "penalties": [{"name": "gradient_penalty", "weight": 0.1, "seed": 5}]},
    {"loss.name": "wasserstein", "loss.bounded": True, "penalties": []},
    {
        "loss.name": "hinge",
        "penalties": [{"name": "lazy", "every": 4, "penalty": {"name": "r1", "weight": "auto"}}],
        "balance.adaptive_weights": {},
    },
    {"loss.label_noise": 0.2, "loss.name": "non_saturating", "loss.label_smoothing": 0.3},
    {"loss": {"name": "least_squares", "fake_target": -1, "generator_target": 0}, "penalties": [{"name": "consensus"}]},
    {"loss.name": "relativistic_average", "balance.adaptive_weights": {"low": 0.5, "high": 0.5}},
]
STRATEGIES: list[dict[str, Any]] = [
    {"training.batch_size": 8},
    {"training.jit_compile": True, "run.deterministic": False},
    {"metrics.extractor": "classifier", "data.labels": True},
    {"training.batch_size": 48, "distribute": {"strategy": "mirrored", "devices": ["CPU:0", "CPU:1", "GPU:13"]}},
    {"distribute.strategy": "mirrored"},
    {
        "distribute": {"strategy": "multi_worker", "workers": ["a.b:1", "[::1]:2"], "index": 1},
        "training.batch_size": 16,
    },
]
OPTIMIZERS: list[dict[str, Any]] = [
    {},
    {"name": "adamw", "weight_decay": 0.01, "learning_rate": 1},
    {"beta_2": 0.999, "final_learning_rate": 0},
    {"name": "rmsprop", "rho": 0.5, "learning_rate": 5e-5},
    {"name": "sgd", "momentum": 0.9, "final_learning_rate": 1e-9},
]
