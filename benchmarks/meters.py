#!/usr/bin/env python3
"""What watching costs per training step: CPU time of the variants in turn, as ratios to the bare training.

    python benchmarks/meters.py                          all groups, about half an hour
    python benchmarks/meters.py --quick                  the same in a few minutes, less certain
    python benchmarks/meters.py --only c e --json FILE   these groups, figures also as JSON

    a  DCGAN at 64x64, batch 32, as a tf.function: ganmedic beside TensorFlow's own means of debugging
    b  the same in an eager loop
    c  a small dense GAN, where watching shows most, as a tf.function and eager
    d  a DCGAN at 32x32 in keras fit with jit_compile=False
    e  a tf.function with many small variables: a step, and the first call
    f  the small dense GAN over a long run: a step at its begin and its end, and the size of the record

Every variant is a process of its own that builds and trains the same GAN and then waits. In each round all of them make a few
steps, one after the other, so that a machine that gets slower or busier does so for all; no two train at the same time. A ratio
is taken within a round; told are the median of the rounds and, in brackets, the quartiles. ``mean`` is all CPU time of the
variant over that of the bare one, and so holds the steps too that were run again to look closely. ``once`` is what the first
steps cost beyond those of the bare training: tracing, recording, the first look. CPU time is that of all threads; for ganmedic
the clock stands still while a process waits. Histograms need TensorBoard and are left out without it. The exit status is 1 where a median is above its target.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

Tick = Callable[[], None]


@dataclass(frozen=True)
class Plan:
    """One GAN, its variants and how long they train.

    Attributes:
        gan: key in :data:`GANS`.
        warm: steps before the first round.
        steps: a round.
    """

    group: str
    title: str
    gan: str
    variants: tuple[str, ...]
    warm: int
    steps: int
    rounds: int


BARE, LIGHT, FULL = "bare", "light", "full"
RIVALS = ("check_numerics", "tfdbg_full_health", "histograms")
#: Group -> variant -> greatest median ratio.
TARGETS = {"a": {LIGHT: 1.03, FULL: 1.15}, "b": {LIGHT: 1.10}}

PLANS = (
    Plan("a", "DCGAN 64x64, tf.function", "dcgan_function", (BARE, LIGHT, FULL, *RIVALS), 5, 2, 9),
    Plan("b", "DCGAN 64x64, eager", "dcgan_eager", (BARE, LIGHT, FULL), 16, 2, 11),
    Plan("c", "dense GAN, tf.function", "dense_function", (BARE, LIGHT, FULL), 600, 200, 15),
    Plan("c", "dense GAN, eager", "dense_eager", (BARE, LIGHT, FULL), 150, 20, 15),
    Plan("d", "DCGAN 32x32, fit", "fit", (BARE, LIGHT), 20, 5, 11),
    *(
        Plan("e", f"{count} variables, tf.function", f"variables_{count}", (BARE, LIGHT), 20, steps, 11)
        for count, steps in ((10, 300), (100, 100), (1000, 10), (3000, 4))
    ),
    Plan("f", "long run, tf.function", "dense_function", (BARE, LIGHT), 20, 1000, 10),
    Plan("f", "long run, eager", "dense_eager", (BARE, LIGHT), 20, 150, 10),
)


def quick(plan: Plan) -> Plan:
    """The same in less time."""
    values = asdict(plan)
    values["rounds"] = 5 if plan.group != "f" else 10
    values["steps"] = max(1, plan.steps // (2 if plan.group != "f" else 10))
    return Plan(**values)


# --- the trainings ----------------------------------------------------------------------------------------------------
# Each is given ``tick`` and calls it after every step, for ever; ``histograms`` asks for a summary of every gradient.


def dcgan(size: int, width: int) -> tuple[Any, Any, int]:
    """A generator and a discriminator as in Radford et al. 2016 for images of size x size."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    normal = keras.initializers.RandomNormal(stddev=0.02)
    halvings = (size // 4).bit_length() - 1
    widths = [width >> index for index in range(halvings)]
    generator = [keras.Input((100,)), layers.Dense(16 * width, kernel_initializer=normal)]
    generator += [layers.Reshape((4, 4, width)), layers.BatchNormalization(), layers.ReLU()]
    for channels in widths[1:]:
        generator += [
            layers.Conv2DTranspose(channels, 4, 2, "same", use_bias=False, kernel_initializer=normal),
            layers.BatchNormalization(),
            layers.ReLU(),
        ]
    generator += [layers.Conv2DTranspose(3, 4, 2, "same", activation="tanh", kernel_initializer=normal)]
    discriminator = [keras.Input((size, size, 3))]
    for index, channels in enumerate(reversed(widths)):
        discriminator += [layers.Conv2D(channels, 4, 2, "same", use_bias=index == 0, kernel_initializer=normal)]
        discriminator += [layers.BatchNormalization()] if index else []
        discriminator += [layers.LeakyReLU(0.2)]
    discriminator += [layers.Flatten(), layers.Dense(1)]
    return keras.Sequential(generator), keras.Sequential(discriminator), 100


def dense() -> tuple[Any, Any, int]:
    """Two small networks."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    generator = keras.Sequential(
        [
            keras.Input((32,)),
            layers.Dense(128, activation="relu"),
            layers.BatchNormalization(),
            layers.Dense(128, activation="relu"),
            layers.Dense(64, activation="tanh"),
        ]
    )
    discriminator = keras.Sequential(
        [keras.Input((64,)), layers.Dense(128), layers.LeakyReLU(0.2), layers.Dense(64), layers.Dense(1)]
    )
    return generator, discriminator, 32


def loop(nets: tuple[Any, Any, int], batch: int, tick: Tick, *, traced: bool, histograms: bool) -> None:
    """Trains with a loop of one's own."""
    import keras
    import tensorflow as tf

    generator, discriminator, codes = nets
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    g_adam, d_adam = keras.optimizers.Adam(2e-4, 0.5), keras.optimizers.Adam(2e-4, 0.5)
    g_adam.build(generator.trainable_variables)
    d_adam.build(discriminator.trainable_variables)
    real = tf.random.uniform((batch, *discriminator.input_shape[1:]), -1.0, 1.0)
    writer, count = None, None
    if histograms:
        writer, count = tf.summary.create_file_writer(tempfile.mkdtemp()), tf.Variable(0, dtype=tf.int64)

    def step(real: Any) -> None:
        codes_now = tf.random.normal((batch, codes))
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fake = generator(codes_now, training=True)
            of_real, of_fake = discriminator(real, training=True), discriminator(fake, training=True)
            g_loss = entropy(tf.ones_like(of_fake), of_fake)
            d_loss = entropy(tf.ones_like(of_real), of_real) + entropy(tf.zeros_like(of_fake), of_fake)
        g_gradients = g_tape.gradient(g_loss, generator.trainable_variables)
        d_gradients = d_tape.gradient(d_loss, discriminator.trainable_variables)
        g_adam.apply_gradients(zip(g_gradients, generator.trainable_variables, strict=True))
        d_adam.apply_gradients(zip(d_gradients, discriminator.trainable_variables, strict=True))
        if writer is not None:
            with writer.as_default():
                for index, gradient in enumerate([*g_gradients, *d_gradients]):
                    tf.summary.histogram(f"gradient_{index}", gradient, step=count)
            count.assign_add(1)

    run = tf.function(step) if traced else step
    while True:
        run(real)
        tick()


def fit(tick: Tick) -> None:
    """Trains with Keras."""
    import keras
    import tensorflow as tf

    generator, discriminator, codes = dcgan(32, 128)

    class Gan(keras.Model):
        """A model whose training step trains both networks."""

        def __init__(self) -> None:
            super().__init__()
            self.generator, self.discriminator = generator, discriminator
            self.entropy = keras.losses.BinaryCrossentropy(from_logits=True)
            self.g_adam, self.d_adam = keras.optimizers.Adam(2e-4, 0.5), keras.optimizers.Adam(2e-4, 0.5)

        def train_step(self, real: Any) -> dict[str, Any]:
            noise = tf.random.normal((tf.shape(real)[0], codes))
            with tf.GradientTape() as d_tape:
                of_real = self.discriminator(real, training=True)
                of_fake = self.discriminator(self.generator(noise, training=True), training=True)
                d_loss = self.entropy(tf.ones_like(of_real), of_real) + self.entropy(tf.zeros_like(of_fake), of_fake)
            weights = self.discriminator.trainable_variables
            self.d_adam.apply_gradients(zip(d_tape.gradient(d_loss, weights), weights, strict=True))
            with tf.GradientTape() as g_tape:
                score = self.discriminator(self.generator(noise, training=True), training=True)
                g_loss = self.entropy(tf.ones_like(score), score)
            weights = self.generator.trainable_variables
            self.g_adam.apply_gradients(zip(g_tape.gradient(g_loss, weights), weights, strict=True))
            return {"d_loss": d_loss, "g_loss": g_loss}

    class Pace(keras.callbacks.Callback):
        """Ticks after every batch."""

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            tick()

    gan = Gan()
    gan.compile(jit_compile=False)
    images = tf.data.Dataset.from_tensors(tf.random.uniform((32, 32, 32, 3), -1.0, 1.0)).repeat()
    gan.fit(images, steps_per_epoch=10**9, verbose=0, callbacks=[Pace()])


def many(count: int, tick: Tick) -> None:
    """Trains so many variables of 16 numbers."""
    import tensorflow as tf

    variables = [tf.Variable(tf.random.stateless_normal((16,), (index, 1))) for index in range(count)]

    @tf.function(autograph=False)
    def step(data: Any) -> None:
        with tf.GradientTape() as tape:
            loss = tf.add_n([tf.reduce_mean(tf.square(variable - data)) for variable in variables])
        for gradient, variable in zip(tape.gradient(loss, variables), variables, strict=True):
            variable.assign_sub(0.01 * gradient)

    data = tf.random.normal((16,))
    while True:
        step(data)
        tick()


GANS: dict[str, Callable[[Tick, bool], None]] = {
    "dcgan_function": lambda tick, summed: loop(dcgan(64, 512), 32, tick, traced=True, histograms=summed),
    "dcgan_eager": lambda tick, summed: loop(dcgan(64, 512), 32, tick, traced=False, histograms=summed),
    "dense_function": lambda tick, summed: loop(dense(), 64, tick, traced=True, histograms=summed),
    "dense_eager": lambda tick, summed: loop(dense(), 64, tick, traced=False, histograms=summed),
    "fit": lambda tick, summed: fit(tick),
    **{f"variables_{count}": lambda tick, summed, count=count: many(count, tick) for count in (10, 100, 1000, 3000)},
}


# --- a process that trains when it is told to -------------------------------------------------------------------------


class Over(BaseException):
    """Ends a training."""


class Worker:
    """Trains so many steps as a line on the standard input says, answers what they cost, and waits."""

    def __init__(self) -> None:
        self.asleep = 0.0
        self.left = 1
        self.session: Any = None
        self._began = (0.0, 0.0)

    def awake(self) -> float:
        """Seconds that the process did not spend waiting."""
        return time.monotonic() - self.asleep

    def begin(self) -> None:
        """The first step begins."""
        self._began = (cpu_seconds(), time.monotonic())

    def tick(self) -> None:
        """A step is over."""
        self.left -= 1
        if self.left:
            return
        cpu, wall = cpu_seconds() - self._began[0], time.monotonic() - self._began[1]
        asleep = time.monotonic()
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        record = size_of(self.session.record) if self.session is not None else 0
        print(json.dumps({"cpu": cpu, "wall": wall, "rss": memory, "record": record}), flush=True)
        self.left = int(sys.stdin.readline() or 0)
        self.asleep += time.monotonic() - asleep
        if not self.left:
            raise Over
        self.begin()


def work(gan: str, variant: str, threads: int) -> None:
    """Trains one GAN in one variant."""
    import tensorflow as tf

    if threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    worker = Worker()
    with contextlib.suppress(Over), watching(variant, worker):
        worker.begin()
        GANS[gan](worker.tick, variant == "histograms")


@contextlib.contextmanager
def watching(variant: str, worker: Worker) -> Iterator[None]:
    """What stands around a training."""
    import tensorflow as tf

    if variant in (LIGHT, FULL):
        import ganmedic
        from ganmedic.capture import meters, probes

        meters.time = probes.time = SimpleNamespace(monotonic=worker.awake)
        with ganmedic.watch(preset=variant) as examination:
            worker.session = examination._session
            yield
        faults = examination.diagnosis().tool_errors
        if faults:
            print(*faults, sep="\n", file=sys.stderr)
    else:
        if variant == "check_numerics":
            tf.debugging.enable_check_numerics()
        elif variant == "tfdbg_full_health":
            tf.debugging.experimental.enable_dump_debug_info(tempfile.mkdtemp(), tensor_debug_mode="FULL_HEALTH")
        yield


def cpu_seconds() -> float:
    """CPU time of all threads of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def size_of(thing: object) -> int:
    """Bytes that a record takes in memory: everything in it, each thing once; a shared tensor or type is not entered."""
    seen: set[int] = set()
    todo, total = [thing], 0
    while todo:
        one = todo.pop()
        if id(one) in seen or isinstance(one, type):
            continue
        seen.add(id(one))
        total += sys.getsizeof(one)
        if isinstance(one, dict):
            todo.extend(one.keys())
            todo.extend(one.values())
        elif isinstance(one, (list, tuple, set, frozenset)):
            todo.extend(one)
        elif type(one).__module__.startswith("ganmedic"):
            todo.append(getattr(one, "__dict__", None))
            names = [name for cls in type(one).__mro__ for name in getattr(cls, "__slots__", ())]
            todo.extend(getattr(one, name, None) for name in names)
    return total


# --- measuring --------------------------------------------------------------------------------------------------------


class Process:
    """A worker as its parent sees it."""

    def __init__(self, gan: str, variant: str, threads: int) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (open as long as the process)
        self._folder = tempfile.TemporaryDirectory()
        command = [sys.executable, str(Path(__file__).resolve()), "--worker", gan, variant, "--threads", str(threads)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "TMPDIR": self._folder.name},
        )
        self.first = self._answer()

    def run(self, steps: int) -> dict[str, float]:
        """Trains so many steps."""
        self._say(steps)
        return self._answer()

    def end(self) -> None:
        """Ends the training."""
        self._say(0)
        self._process.wait()
        self._errors.seek(0)
        text = self._errors.read()
        if self._process.returncode or "Error" in text:
            print(text[-2000:], file=sys.stderr)
        self._folder.cleanup()

    def _say(self, steps: int) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{steps}\n")
        self._process.stdin.flush()

    def _answer(self) -> dict[str, float]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise RuntimeError(f"A training ended by itself:\n{self._errors.read()[-4000:]}")
        return json.loads(line)


def measure(plan: Plan, threads: int) -> list[dict[str, Any]]:
    """The figures of each variant."""
    variants = [variant for variant in plan.variants if variant != "histograms" or find_spec("tensorboard")]
    workers = {variant: Process(plan.gan, variant, threads) for variant in variants}
    warm = {variant: worker.run(plan.warm - 1) for variant, worker in workers.items()}
    rounds: dict[str, list[dict[str, float]]] = {variant: [] for variant in workers}
    order = list(workers)
    for number in range(plan.rounds):
        for variant in order[number % len(order) :] + order[: number % len(order)]:
            rounds[variant].append(workers[variant].run(plan.steps))
    for worker in workers.values():
        worker.end()
    found = []
    for variant in variants:
        times, bare = ([one["cpu"] / plan.steps for one in rounds[name]] for name in (variant, BARE))
        ratios = sorted(mine / others for mine, others in zip(times, bare, strict=True))
        low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
        first, others = workers[variant].first["cpu"], workers[BARE].first["cpu"]
        found.append(
            {
                "group": plan.group,
                "title": plan.title,
                "variant": variant,
                "cpu_ms_per_step": statistics.median(times) * 1e3,
                "ratio": statistics.median(ratios),
                "quartiles": [low, high],
                "mean_ratio": sum(times) / sum(bare),
                "wall_ratio": sum(one["wall"] for one in rounds[variant]) / sum(one["wall"] for one in rounds[BARE]),
                "once_seconds": first + warm[variant]["cpu"] - others - warm[BARE]["cpu"],
                "first_call_seconds": first,
                "begin_to_end": [times[0] * 1e3, times[-1] * 1e3],
                "record_bytes": [rounds[variant][0]["record"], rounds[variant][-1]["record"]],
                "rss_bytes": [rounds[variant][0]["rss"], rounds[variant][-1]["rss"]],
                "target": TARGETS.get(plan.group, {}).get(variant),
                "rounds": plan.rounds,
                "steps": plan.steps,
                "cpu_ms_by_round": [time * 1e3 for time in times],
            }
        )
    return found


def show(row: dict[str, Any]) -> None:
    """Prints the figures of one variant."""
    low, high = row["quartiles"]
    line = (
        f"{row['group']}  {row['title']:28} {row['variant']:18} {row['cpu_ms_per_step']:9.2f} ms   "
        f"{row['ratio']:6.3f} [{low:.3f} {high:.3f}]   mean {row['mean_ratio']:6.3f}   once {row['once_seconds']:7.2f} s"
    )
    if row["target"] is not None:
        line += f"   target {row['target']:.2f} {'kept' if row['ratio'] <= row['target'] else 'MISSED'}"
    if row["group"] == "e":
        line += f"   first call {row['first_call_seconds']:.2f} s"
    if row["group"] == "f":
        (begin, end), (small, large) = row["begin_to_end"], row["record_bytes"]
        line += f"   begin {begin:.2f} ms, end {end:.2f} ms"
        if row["variant"] != BARE:
            line += f"   record {small / 1e6:.1f} MB, then {large / 1e6:.1f} MB"
    print(line, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer steps and rounds")
    parser.add_argument("--only", nargs="+", choices=sorted({plan.group for plan in PLANS}), help="these groups")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file as well")
    parser.add_argument(
        "--threads", type=int, default=1, help="of each of TensorFlow's pools; 0 leaves it to TensorFlow"
    )
    parser.add_argument("--worker", nargs=2, metavar=("GAN", "VARIANT"), help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.worker:
        work(*args.worker, args.threads)
        return 0
    rows: list[dict[str, Any]] = []
    for plan in PLANS:
        if args.only and plan.group not in args.only:
            continue
        for row in measure(quick(plan) if args.quick else plan, args.threads):
            show(row)
            rows.append(row)
        if args.json:
            args.json.write_text(json.dumps(rows, indent=1))
    return int(any(row["target"] is not None and row["ratio"] > row["target"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
