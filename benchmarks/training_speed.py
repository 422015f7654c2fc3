"""How fast `ganmedic.GAN` trains beside loops written by hand, in TensorFlow and PyTorch.

    python benchmarks/training_speed.py                             # 32 px grey and 64 px in colour
    python benchmarks/training_speed.py --quick --resolutions 32
    python benchmarks/training_speed.py --torch /path/to/python     # an interpreter that has PyTorch: the same DCGAN there

Every form is a process of its own, told over a pipe to train so many steps and then to wait: one trains at a time, all forms have
a turn in each round, and each round begins with another form. So the state of the machine is the same for all, and what one form
puts into its process costs no other. What happens before the first turn (tracing, compiling, the first looks of a watched run) is in the
column `start`, not in the speed.

All forms train the DCGAN of `ganmedic.networks` (no normalisation in the discriminator, batch normalisation in the generator), float32,
on batches of the same kind of data: noise in [-1, 1], shuffled anew each epoch and read from memory.

| form | what it is |
|---|---|
| tutorial | TensorFlow's DCGAN tutorial: one `tf.function`, two tapes over one pass: G(z), D(real), D(fake) |
| keras | the DCGAN of keras.io: `train_step` and `fit`; D on the concatenated batch, then G on latents of its own |
| simultaneous | `GAN`, non-saturating loss, no penalties, no average, `simultaneous=True`, through `fit`: the passes of `tutorial` |
| watched | the same with `callbacks=[ganmedic.Monitor()]` |
| alternating | the same as `simultaneous` with `simultaneous=False`: the passes of `keras` |
| by hand | the relativistic loss, R1, R2 and an averaged generator as they are usually written: a pass for the scores, another for the penalty |
| defaults | `GAN` with its defaults: the same mathematics, scores and penalties from the same pass |
| tutorial+xla, simultaneous+xla, defaults+xla | with `jit_compile=True`; where `--jit` is given |
| torch | PyTorch's DCGAN tutorial: D(real), D(fake.detach()), then D(fake) for the generator |

CPU time is that of all threads of the process. Ratios are formed round by round, to the fastest TensorFlow form; medians, with 95 %
intervals by bootstrap over the rounds.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

LATENT, RATE, IMAGES, GAMMA, DECAY = 100, 2e-4, 1024, 1.0, 0.999
#: Channels, width and batch of a resolution.
SIZES = {32: (1, 128, 64), 64: (3, 256, 32)}
FORMS = ("tutorial", "keras", "simultaneous", "watched", "alternating", "by hand", "defaults")
COMPILED = ("tutorial+xla", "simultaneous+xla", "defaults+xla")
TORCH = "torch"
#: Whose ratio says what shared passes gain, and what watching costs.
COMPARED = (
    ("defaults", "by hand", "shared passes: `defaults` takes {} of the CPU time of `by hand`"),
    ("watched", "simultaneous", "watching: `watched` takes {} of the CPU time of `simultaneous`"),
    ("simultaneous", "tutorial", "the model: `simultaneous` takes {} of the CPU time of `tutorial`"),
    ("alternating", "keras", "the model: `alternating` takes {} of the CPU time of `keras`"),
    ("tutorial", "torch", "the framework: `tutorial` takes {} of the CPU time of `torch`"),
)

Block = Callable[[int], None]


# --- in the child: TensorFlow -----------------------------------------------------------------------------------------


def serve(form: str, resolution: int, threads: int) -> None:
    """Trains as it is told: reads a number of steps a line, answers with the seconds they took."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import tensorflow as tf

    from ganmedic import networks

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    keras.utils.set_random_seed(0)
    channels, width, batch = SIZES[resolution]
    pair = networks.get(
        "dcgan", resolution=resolution, channels=channels, width=width, latent_size=LATENT, output="tanh", seed=0
    )
    images = np.random.default_rng(0).uniform(-1, 1, (IMAGES, *pair.sample_shape)).astype(np.float32)
    dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(IMAGES, seed=0).repeat()
    dataset = dataset.batch(batch, drop_remainder=True).prefetch(tf.data.AUTOTUNE)
    weights = [
        sum(int(np.prod(v.shape)) for v in one.trainable_variables) for one in (pair.generator, pair.discriminator)
    ]
    turns = _turns(answers, weights)
    name, _, compiled = form.partition("+")
    if name in ("tutorial", "by hand"):
        step = {"tutorial": tutorial, "by hand": by_hand}[name](pair, batch)
        step = tf.function(step, jit_compile=bool(compiled))
        batches = iter(dataset)
        for steps in turns:
            for _ in range(steps):
                step(next(batches))
    else:
        fit(name, bool(compiled), pair, dataset, turns)
    answers.close()
    os._exit(0)  # TensorFlow takes seconds to put itself away


def _turns(answers: Any, weights: list[int]) -> Iterator[int]:
    """Numbers of steps as they are asked for; the time until the next one is asked of it is told."""
    for line in sys.stdin:
        used, began = _cpu_seconds(), time.perf_counter()
        yield int(line)
        wall = time.perf_counter() - began
        print(json.dumps({"wall": wall, "cpu": _cpu_seconds() - used, "weights": weights}), file=answers, flush=True)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def tutorial(pair: Any, batch: int) -> Any:
    """TensorFlow's DCGAN tutorial."""
    import keras
    import tensorflow as tf

    generator, discriminator = pair.generator, pair.discriminator
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    optimizers = [keras.optimizers.Adam(RATE, beta_1=0.5) for _ in range(2)]

    def step(images: Any) -> None:
        noise = tf.random.normal([batch, LATENT])
        with tf.GradientTape() as gen_tape, tf.GradientTape() as disc_tape:
            generated = generator(noise, training=True)
            real_output = discriminator(images, training=True)
            fake_output = discriminator(generated, training=True)
            gen_loss = entropy(tf.ones_like(fake_output), fake_output)
            disc_loss = entropy(tf.ones_like(real_output), real_output)
            disc_loss += entropy(tf.zeros_like(fake_output), fake_output)
        for optimizer, network, tape, loss in (
            (optimizers[0], generator, gen_tape, gen_loss),
            (optimizers[1], discriminator, disc_tape, disc_loss),
        ):
            gradients = tape.gradient(loss, network.trainable_variables)
            optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))

    return step


def by_hand(pair: Any, batch: int) -> Any:
    """R3GAN's training with a pass for each thing that is asked: scores, R1, R2, and both scores again for the generator."""
    import keras
    import tensorflow as tf

    generator, discriminator = pair.generator, pair.discriminator
    optimizers = [keras.optimizers.Adam(RATE, beta_1=0.0, beta_2=0.99) for _ in range(2)]
    average = [tf.Variable(variable, trainable=False) for variable in generator.trainable_variables]

    def penalty(samples: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(samples)
            scores = tf.reduce_sum(discriminator(samples, training=True))
        squares = tf.square(tape.gradient(scores, samples))
        return 0.5 * GAMMA * tf.reduce_mean(tf.reduce_sum(squares, axis=[1, 2, 3]))

    def step(images: Any) -> None:
        fake = generator(tf.random.normal([batch, LATENT]), training=True)
        with tf.GradientTape() as tape:
            apart = discriminator(images, training=True) - discriminator(fake, training=True)
            loss = tf.reduce_mean(tf.nn.softplus(-apart)) + penalty(images) + penalty(fake)
        variables = discriminator.trainable_variables
        optimizers[1].apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        with tf.GradientTape() as tape:
            fake = generator(tf.random.normal([batch, LATENT]), training=True)
            apart = discriminator(fake, training=True) - discriminator(images, training=True)
            loss = tf.reduce_mean(tf.nn.softplus(-apart))
        variables = generator.trainable_variables
        optimizers[0].apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        for mean, variable in zip(average, variables, strict=True):
            mean.assign(DECAY * mean + (1.0 - DECAY) * variable)

    for optimizer, network in zip(optimizers, (generator, discriminator), strict=True):
        optimizer.build(network.trainable_variables)
    return step


def fit(form: str, compiled: bool, pair: Any, dataset: Any, turns: Iterator[int]) -> None:
    """Trains by `fit`, which is held up between two turns."""
    import keras

    import ganmedic

    class Turns(keras.callbacks.Callback):
        """Holds the training up until the next turn."""

        def on_train_begin(self, logs: Any = None) -> None:
            self.left = next(turns, 0)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.left -= 1
            if self.left == 0:
                self.left = next(turns, 0)
                self.model.stop_training = self.left == 0

    callbacks: list[Any] = [Turns()]
    if form == "keras":
        model = keras_model(pair)
    else:
        model = ganmedic.GAN(pair.generator, pair.discriminator, normalisation=None, seed=0)
        plain = {
            "loss": "non_saturating",
            "penalties": None,
            "ema": None,
            "simultaneous": form != "alternating",
            "generator_optimizer": keras.optimizers.Adam(RATE, beta_1=0.5),
            "discriminator_optimizer": keras.optimizers.Adam(RATE, beta_1=0.5),
        }
        model.compile(**({} if form == "defaults" else plain), jit_compile=compiled)
        if form == "watched":
            callbacks.insert(0, ganmedic.Monitor(on_finding=None))
    model.fit(dataset, steps_per_epoch=10**9, epochs=1, verbose=0, callbacks=callbacks, shuffle=False)


def keras_model(pair: Any) -> Any:
    """The DCGAN of keras.io."""
    import keras
    import tensorflow as tf

    entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    class DCGAN(keras.Model):
        """A generator and a discriminator."""

        def __init__(self) -> None:
            super().__init__()
            self.generator, self.discriminator = pair.generator, pair.discriminator
            self.d_optimizer, self.g_optimizer = (keras.optimizers.Adam(RATE, beta_1=0.5) for _ in range(2))
            self.d_loss, self.g_loss = keras.metrics.Mean(name="d_loss"), keras.metrics.Mean(name="g_loss")

        @property
        def metrics(self) -> list[Any]:
            return [self.d_loss, self.g_loss]

        def train_step(self, real: Any) -> dict[str, Any]:
            batch = tf.shape(real)[0]
            generated = self.generator(tf.random.normal([batch, LATENT]), training=True)
            combined = tf.concat([generated, real], axis=0)
            labels = tf.concat([tf.zeros((batch, 1)), tf.ones((batch, 1))], axis=0)
            with tf.GradientTape() as tape:
                d_loss = entropy(labels, self.discriminator(combined, training=True))
            variables = self.discriminator.trainable_variables
            self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, variables), variables, strict=True))
            latents = tf.random.normal([batch, LATENT])
            with tf.GradientTape() as tape:
                predictions = self.discriminator(self.generator(latents, training=True), training=True)
                g_loss = entropy(tf.ones((batch, 1)), predictions)
            variables = self.generator.trainable_variables
            self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, variables), variables, strict=True))
            self.d_loss.update_state(d_loss)
            self.g_loss.update_state(g_loss)
            return {"d_loss": self.d_loss.result(), "g_loss": self.g_loss.result()}

    model = DCGAN()
    model.d_optimizer.build(pair.discriminator.trainable_variables)
    model.g_optimizer.build(pair.generator.trainable_variables)
    model.compile(jit_compile=False)
    return model


# --- in the child: PyTorch --------------------------------------------------------------------------------------------

#: Runs under an interpreter of its own, which need not have ganmedic: the same layers, batch and protocol.
TORCH_SCRIPT = """
import json, os, resource, sys, time
import torch
from torch import nn

resolution, channels, width, batch, latent, count, threads = map(int, sys.argv[1:])
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
torch.manual_seed(0)
torch.set_num_threads(threads)
sizes, size = [], 4
while size < resolution:
    sizes.append((size, max(min(width, 16), width * 4 // size)))
    size *= 2


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(latent, 16 * width, bias=False)
        layers = [nn.BatchNorm2d(width), nn.ReLU(True)]
        widths = [each for _, each in sizes]
        for one, other in zip(widths, widths[1:]):
            layers += [nn.ConvTranspose2d(one, other, 4, 2, 1, bias=False), nn.BatchNorm2d(other), nn.ReLU(True)]
        self.rest = nn.Sequential(*layers, nn.ConvTranspose2d(widths[-1], channels, 4, 2, 1), nn.Tanh())

    def forward(self, z):
        return self.rest(self.first(z).view(-1, width, 4, 4))


layers, before = [], channels
for _, filters in reversed(sizes):
    layers += [nn.Conv2d(before, filters, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    before = filters
generator, discriminator = Generator(), nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * before, 1))
loss = nn.BCEWithLogitsLoss()
adams = [torch.optim.Adam(each.parameters(), 2e-4, (0.5, 0.999), eps=1e-7) for each in (generator, discriminator)]
images = torch.rand(count, channels, resolution, resolution) * 2 - 1
ones, zeros = torch.ones(batch, 1), torch.zeros(batch, 1)
weights = [sum(p.numel() for p in each.parameters()) for each in (generator, discriminator)]


def batches():
    while True:
        for places in torch.randperm(count).split(batch):
            if len(places) == batch:
                yield images[places]


def step(real):
    discriminator.zero_grad()
    loss(discriminator(real), ones).backward()
    fake = generator(torch.randn(batch, latent))
    loss(discriminator(fake.detach()), zeros).backward()
    adams[1].step()
    generator.zero_grad()
    loss(discriminator(fake), ones).backward()
    adams[0].step()


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


source = batches()
for line in sys.stdin:
    used, began = cpu_seconds(), time.perf_counter()
    for _ in range(int(line)):
        step(next(source))
    wall = time.perf_counter() - began
    print(json.dumps({"wall": wall, "cpu": cpu_seconds() - used, "weights": weights}), file=answers, flush=True)
"""


# --- measuring --------------------------------------------------------------------------------------------------------


class Child:
    """A form at work in its process."""

    def __init__(self, form: str, resolution: int, threads: int, torch: str | None) -> None:
        self.form = form
        self.said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - open as long as the process
        channels, width, batch = SIZES[resolution]
        if form == TORCH:
            numbers = (resolution, channels, width, batch, LATENT, IMAGES, threads)
            command = [str(torch), "-c", TORCH_SCRIPT, *map(str, numbers)]
        else:
            command = [sys.executable, __file__, "--child", form, "--resolutions", str(resolution)]
            command += ["--threads", str(threads)]
        # PyTorch reads the number of its threads from these as well.
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said, text=True, env=environment
        )

    def train(self, steps: int) -> dict[str, Any]:
        """Seconds that so many steps took, wall and CPU.

        Raises:
            RuntimeError: the process has ended; the message is the last that it said.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            print(steps, file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.process.wait()
            self.said.seek(0)
            last = [each for each in self.said.read().splitlines() if each.strip()]
            raise RuntimeError(f"{self.form} ended with status {self.process.returncode}: {' '.join(last[-1:])}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        """Tells it that no more turns come."""
        assert self.process.stdin is not None
        if not self.process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()

    def close(self) -> None:
        """Waits until it has ended."""
        self.end()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.said.close()


def measure(resolution: int, forms: Sequence[str], args: argparse.Namespace) -> str:
    """Markdown: a table of the forms at a resolution."""
    batch = SIZES[resolution][2]
    children: list[Child] = []
    starts: dict[str, float] = {}
    notes: list[str] = []
    weights: dict[str, list[int]] = {}
    try:
        for form in forms:
            child = Child(form, resolution, args.threads, args.torch)
            began = time.perf_counter()
            try:
                weights[form] = child.train(args.warm_up)["weights"]
            except RuntimeError as error:
                notes.append(str(error))
                child.close()
                continue
            starts[form] = time.perf_counter() - began
            children.append(child)
        if not children:
            return "\n".join(notes)
        steps = args.steps or _steps_for(children, args.block_seconds)
        times: dict[str, list[tuple[float, float]]] = {child.form: [] for child in children}
        for number in range(args.rounds):
            turn = number % len(children)
            for child in children[turn:] + children[:turn]:
                found = child.train(steps)
                times[child.form].append((found["wall"] / steps, found["cpu"] / steps))
            print(f"{resolution} px: round {number + 1} of {args.rounds}", file=sys.stderr, flush=True)
    finally:
        for child in children:
            child.end()
        for child in children:
            child.close()
    if len({tuple(each) for each in weights.values()}) > 1:
        notes.append(f"The networks differ in their trained weights: {weights}")
    sizes = " and ".join(f"{each:,}" for each in next(iter(weights.values())))
    title = (
        f"\n### {resolution} px, {SIZES[resolution][0]} channel{'s' if SIZES[resolution][0] > 1 else ''}, batch {batch}\n\n"
        f"{sizes} trained weights (G and D); {args.rounds} rounds of {steps} steps.\n"
    )
    return "\n".join([title, _table(times, starts, batch), "", *(f"- {note}" for note in [*_compared(times), *notes])])


def _steps_for(children: Sequence[Child], seconds: float) -> int:
    """So many steps that a turn of the fastest takes about so long."""
    return max(2, round(seconds / min(child.train(4)["wall"] / 4 for child in children)))


def _table(times: dict[str, list[tuple[float, float]]], starts: dict[str, float], batch: int) -> str:
    walls = {form: np.array([wall for wall, _ in each]) for form, each in times.items()}
    cpus = {form: np.array([cpu for _, cpu in each]) for form, each in times.items()}
    of_tensorflow = [form for form in times if form != TORCH]
    lines = [
        "| form | images/s | CPU, ms a step | time over the fastest | CPU time over it | start, s |",
        "|---|---|---|---|---|---|",
    ]
    fastest = min(of_tensorflow or times, key=lambda form: float(np.median(walls[form])))
    for form in times:
        cells = [
            _median(batch / walls[form], ".0f"),
            _median(1e3 * cpus[form], ".1f"),
            "1" if form == fastest else _median(walls[form] / walls[fastest], ".2f"),
            "1" if form == fastest else _median(cpus[form] / cpus[fastest], ".2f"),
            f"{starts[form]:.1f}",
        ]
        lines.append(f"| {form} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _compared(times: dict[str, list[tuple[float, float]]]) -> Iterator[str]:
    for one, other, words in COMPARED:
        if one in times and other in times:
            pairs = zip(times[one], times[other], strict=True)
            yield words.format(_median(np.array([mine[1] / its[1] for mine, its in pairs]), ".2f"))


def _median(values: np.ndarray, form: str) -> str:
    """The median with its 95 % interval, by percentiles of 2 000 resamples."""
    places = np.random.default_rng(0).integers(len(values), size=(2000, len(values)))
    low, high = np.percentile(np.median(values[places], axis=1), (2.5, 97.5))
    return f"{np.median(values):{form}} [{low:{form}}, {high:{form}}]"


def machine(threads: int, torch: str | None) -> str:
    """The machine and the versions, in a line."""
    from importlib.metadata import version

    cpuinfo = Path("/proc/cpuinfo")
    named = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.split(":", 1)[1].strip() for line in named if "model name" in line]
    packages = [
        f"{name} {version(name)}" for name in ("tensorflow", "tensorflow-cpu", "keras", "numpy") if _installed(name)
    ]
    if torch:
        said = subprocess.run([torch, "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True)
        packages.append(f"PyTorch {said.stdout.strip() or 'missing'}")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{models[0] if models else platform.machine()}, {cores} cores, load {os.getloadavg()[0]:.1f}; {threads} threads a form; "
        f"{', '.join(packages)}, Python {platform.python_version()}"
    )


def _installed(name: str) -> bool:
    from importlib.metadata import PackageNotFoundError, version

    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures what was asked for; status 0 where it ran."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolutions", nargs="+", type=int, choices=SIZES, default=list(SIZES))
    parser.add_argument("--only", nargs="+", choices=(*FORMS, *COMPILED, TORCH), metavar="FORM")
    parser.add_argument("--rounds", type=int, help="21 unless told, 5 with --quick")
    parser.add_argument("--steps", type=int, help="in a turn; as many as fill --block-seconds unless told")
    parser.add_argument(
        "--block-seconds", type=float, help="of a turn of the fastest form; 2 unless told, 0.5 with --quick"
    )
    parser.add_argument("--warm-up", type=int, help="steps before the first turn; 20 unless told, 4 with --quick")
    parser.add_argument("--threads", type=int, default=cores, help="of each form; all cores unless told")
    parser.add_argument("--jit", action="store_true", help="the forms compiled with XLA as well")
    parser.add_argument("--torch", metavar="PYTHON", help="an interpreter that has PyTorch")
    parser.add_argument("--quick", action="store_true", help="fewer rounds of shorter turns")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.child:
        serve(args.child, args.resolutions[0], args.threads)
        return 0
    args.rounds = args.rounds or (5 if args.quick else 21)
    args.block_seconds = args.block_seconds or (0.5 if args.quick else 2.0)
    args.warm_up = args.warm_up or (4 if args.quick else 20)
    forms = [*FORMS, *(COMPILED if args.jit else ()), *((TORCH,) if args.torch else ())]
    if args.only:
        forms = [form for form in (*FORMS, *COMPILED, TORCH) if form in args.only]
    if TORCH in forms and not args.torch:
        parser.error("the form torch was asked for, and no interpreter; name one that has PyTorch: --torch PYTHON")
    began = time.monotonic()
    print(textwrap.fill(machine(args.threads, args.torch), 120), flush=True)
    for resolution in args.resolutions:
        print(measure(resolution, forms, args), flush=True)
    print(f"\n{time.monotonic() - began:.0f} s in all, load {os.getloadavg()[0]:.1f} at the end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
