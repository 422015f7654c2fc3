"""A run from its data to its report: trained, watched, put right where it goes wrong, and taken up where it stopped."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from rich.console import Console

from ganmedic import networks_inside
from ganmedic.finding import Finding
from ganmedic.report.terminal import render_finding
from ganmedic.settings import Settings, changed
from ganmedic.training import building, choosing_xla, parts, run_data, sampling, state
from ganmedic.training.checkpoints import Checkpoints
from ganmedic.training.epochs import EachEpoch
from ganmedic.training.gan import GAN
from ganmedic.training.healing import Trouble, Vigilance, variety_of
from ganmedic.training.history import History
from ganmedic.training.keeping import Duties, Keeper
from ganmedic.training.order import Batches
from ganmedic.training.reading import Samples
from ganmedic.training.recovering import Recovery
from ganmedic.training.run_folder import RunFolder, RunState
from ganmedic.training.run_pages import RunPages
from ganmedic.training.showing.progress import Progress
from ganmedic.training.stopping import Stopping

#: Seconds that a run without XLA must take before XLA is tried: to compile takes up to a minute.
_WORTH_TRYING = 120.0


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        state: `finished`, `stopped` or `failed`.
        step: batches done.
        trouble: what could not be put right; None if there is nothing.
        findings: how many errors and warnings were found in the end.
    """

    state: str
    step: int
    trouble: Trouble | None
    findings: int

    @property
    def healthy(self) -> bool:
        """Whether it was trained to its end with nothing wrong."""
        return self.state == "finished" and self.trouble is None and not self.findings


@dataclass(frozen=True)
class Ended:
    """How a leg of a run ended: at its end, in a trouble, or because it was asked to stop."""

    step: int
    trouble: Trouble | None = None
    stopped: bool = False
    batch_normalised: bool = False
    told: Trouble | None = None


class Trainer:
    """Trains a run.

    Args:
        run: its folder.
        settings: as they are by now.
        known: what is known of the run beside its checkpoints.
        console: where it is shown.
        strategy: of `tf.distribute`; the default one where None.
    """

    def __init__(
        self, run: RunFolder, settings: Settings, known: RunState, console: Console, strategy: Any = None
    ) -> None:
        self.run, self.settings, self.known, self.console = run, settings, known, console
        self.strategy = tf.distribute.get_strategy() if strategy is None else strategy
        resolver = self.strategy.cluster_resolver
        self.workers = (
            1
            if resolver is None or not resolver.cluster_spec()
            else len(resolver.cluster_spec().as_dict().get("worker", [0]))
        )
        self.worker = 0 if self.workers == 1 else int(resolver.task_id)
        self.chief = self.worker == 0
        self.store = Checkpoints(run.checkpoints, settings.checkpoints.keep) if self.chief else None
        self.pages = RunPages(run, known)
        self.recovery = Recovery(run, known, self._say)
        self._stopping = Stopping(self._say)
        self._shown: set[tuple[str, str]] = set()
        self._monitor: Any = None
        self._progress: Progress | None = None
        self._unwritten = ""

    def train(self) -> Outcome:
        """Trains to the end, or until it is asked to stop.

        Raises:
            RunError, SettingsError, DataError: it cannot be begun or gone on with.
        """
        with self._stopping:
            if self.chief and self.settings.data.audit and not self.run.audit.exists():
                self.pages.audit(self.settings, self._say)
            samples = run_data.read(self.settings, self.run.data if self.chief else None, self._say)
            if self.settings.networks.generator is None:
                # Kept, so that the run goes on with the same on another machine.
                self.known.network = self.known.network or building.chosen_network(self.settings, samples)
                self.settings = changed(self.settings, {"networks.name": self.known.network})
            while True:
                ended = self._leg(samples)
                if ended.trouble is None:
                    return self._end("stopped" if ended.stopped else "finished", ended.step, ended.told)
                settings = self.recovery.intervene(
                    ended.trouble,
                    self.settings,
                    norms=self.pages.usual_norms,
                    weight=parts.penalty_weight(tuple(samples.values.shape[1:])),
                    images=samples.values.ndim == 4,
                    batch_normalised=ended.batch_normalised,
                )
                self._save_state()
                if settings is None:
                    return self._end("failed", ended.step, ended.trouble)
                self.settings = settings

    # --- one leg ------------------------------------------------------------------------------------------------------

    def _leg(self, samples: Samples) -> Ended:
        """Trains from the last checkpoint on."""
        settings, total = self.settings, self.settings.training.steps
        set_up(settings)
        with self.strategy.scope():
            gan = building.build(settings, samples, jit_compile=bool(self.known.jit_compile))
        self._describe(gan, samples)
        checkpoint, about = self.recovery.restore(gan)
        step = int(gan.steps.numpy())
        batches = run_data.batches(settings, samples, self.worker, self.workers)
        if self.known.jit_compile is None:
            self._choose_xla(gan, batches)
        turns = gan.parts.turns
        first = 1 if turns is None else turns.discriminator_steps + 1
        vigilance = Vigilance(gan.row_names, about.get("vigilance"), first)
        history = None
        if self.chief:
            aside = self.run.path / f"history-before-change-{self.known.leg}.csv"
            kept = None if not self.known.leg or aside.exists() else aside
            history = History(self.run.history, gan.row_names, step, kept)
            if checkpoint is None:
                self._checkpoint(gan, 0, state.snapshot(gan), vigilance)
                self._draw(gan, samples, 0)
        normalised = networks_inside.batch_normalised(gan.discriminator) is not None
        if step >= total:
            self._finish(gan, samples, step)
            return Ended(step, batch_normalised=normalised)
        began = time.monotonic()
        with Progress(total, step, self.console) if self.chief else contextlib.nullcontext() as progress:
            self._progress = progress
            keeper = Keeper(self._duties(gan, samples, history, vigilance), vigilance, step, total)
            try:
                gan.fit(
                    run_data.dealt_out(batches, self.strategy, step, total),
                    epochs=1,
                    verbose=0,
                    steps_per_epoch=total - step,
                    callbacks=[
                        *self._watching(gan),
                        self._epochs(gan, samples, step),
                        keeper,
                        *self._tensorboard(step),
                    ],
                )
            finally:
                self._progress = None
                self.known.seconds += time.monotonic() - began
                self._flush(history)
        self._save_state()
        if keeper.stopped:
            self._say(f"Stopped at step {keeper.step}. Go on with: ganmedic train --resume {self.run.path}")
        elif keeper.trouble is None:
            self._finish(gan, samples, keeper.step)
        return Ended(keeper.step, keeper.trouble, keeper.stopped, normalised, keeper.told)

    def _choose_xla(self, gan: GAN, batches: Batches) -> None:
        asked = self.settings.training.jit_compile
        if isinstance(asked, bool):
            self.known.jit_compile, self.known.jit_reason = asked, "as the configuration says"
        elif self.settings.run.deterministic:
            # Keras leaves XLA out under deterministic operations, for XLA does not have all of them.
            self.known.jit_compile, self.known.jit_reason = False, "without XLA, for run.deterministic is on"
        elif self.workers > 1:
            self.known.jit_compile, self.known.jit_reason = False, "without XLA: with several workers it is not tried"
        else:
            few = run_data.dealt_out(batches, self.strategy, 0, 64)
            worth = _WORTH_TRYING / self.settings.training.steps
            self.known.jit_compile, self.known.jit_reason = choosing_xla.choose(gan, few, worth_seconds=worth)
        self._say(f"Compiled {self.known.jit_reason}.")
        choosing_xla.set_mode(gan, self.known.jit_compile)
        self._save_state()

    def _duties(self, gan: GAN, samples: Samples, history: History | None, vigilance: Vigilance) -> Duties:
        settings = self.settings
        usual = max(50, settings.training.steps // 40)

        def rows(first: int, figures: Any, rate: float) -> None:
            if history is not None:
                history.add(first, figures, rate)
            if self._progress is not None:
                last = dict(zip(gan.row_names, (float(value) for value in figures[-1]), strict=True))
                self._progress.update(first + len(figures) - 1, **last, images_per_second=rate)

        def draw(step: int) -> None:
            if self.chief:
                self._flush(history)
                self._draw(gan, samples, step)

        def keep(step: int, arrays: dict[str, Any]) -> None:
            if self.chief:
                self._flush(history)
                self._checkpoint(gan, step, arrays, vigilance)

        def measure(step: int) -> None:
            if self.chief:
                self._measure(gan, samples, step)

        compared = min(settings.watch.samples, len(samples.values))
        chosen = Batches(samples, compared, seed=settings.run.seed).indices(0)
        real = np.asarray(samples.values[chosen])
        real = real if gan.normalisation is None else gan.normalisation.apply(real)
        # The same classes, so that as many of each are compared.
        labels = None if gan.classes is None or samples.labels is None else samples.labels[chosen]

        def variety() -> float:
            made = sampling.raw(gan, compared, settings.samples.seed, labels, averaged=False)
            return variety_of(made, real, labels, labels)

        return Duties(
            rows=rows,
            samples=draw,
            checkpoint=keep,
            metrics=measure,
            variety=variety if settings.watch.enabled and compared > 1 else None,
            samples_every=settings.samples.every or usual,
            checkpoints_every=settings.checkpoints.every or usual,
            metrics_every=settings.metrics.every if settings.metrics.names else None,
            batch_size=settings.training.batch_size,
            # Workers that stopped at different steps would wait for one another.
            stop_asked=lambda: self.workers == 1 and self._stopping.asked,
            tell=None if settings.watch.enabled and settings.watch.intervene and self.workers == 1 else self._tell,
            by_the_clock=self.workers == 1,
        )

    # --- files --------------------------------------------------------------------------------------------------------

    def _checkpoint(self, gan: GAN, step: int, arrays: dict[str, Any], vigilance: Vigilance) -> None:
        if self.store is None:
            return
        weights = all(
            np.isfinite(array).all()
            for name, array in arrays.items()
            if name.startswith(("generator/", "discriminator/"))
        )
        about = {
            "healthy": bool(weights and vigilance.is_well),
            "vigilance": vigilance.remembered(),
        }
        try:
            self.store.save(step, self.known.leg, arrays, about)
        except OSError as error:
            self._not_written(f"The checkpoint of step {step}", error)
            return
        healthy = self.recovery.last_healthy()
        self.store.prune({each for each in (self.recovery.held, healthy and healthy.path) if each})
        self._save_state()

    def _draw(self, gan: GAN, samples: Samples, step: int) -> None:
        with self._tolerating("Samples and curves"):
            self.pages.draw(gan, samples, self.settings, step)

    def _measure(self, gan: GAN, samples: Samples, step: int) -> None:
        try:
            for line in self.pages.measure(gan, samples, self.settings, step):
                self._say(line)
        except (OSError, ValueError, TypeError, ImportError) as error:
            self._say(f"The metrics of step {step} could not be measured: {error} Training goes on.")

    def _finish(self, gan: GAN, samples: Samples, step: int) -> None:
        if self.chief and self.settings.metrics.names:
            self._measure(gan, samples, step)

    def _flush(self, history: History | None) -> None:
        if history is not None:
            with self._tolerating("The history"):
                history.flush()

    def _save_state(self) -> None:
        if self.chief:
            with self._tolerating("run.json"):
                self.run.write(self.known)

    @contextlib.contextmanager
    def _tolerating(self, what: str) -> Iterator[None]:
        """A disk that is full ends no training."""
        try:
            yield
        except OSError as error:
            self._not_written(what, error)

    def _not_written(self, what: str, error: OSError) -> None:
        text = f"{what} could not be written: {error.strerror or error}. Training goes on."
        if text != self._unwritten:
            self._unwritten = text
            self._say(text)

    def _describe(self, gan: GAN, samples: Samples) -> None:
        if self.chief:
            with self._tolerating("normalisation.json"):
                if gan.normalisation is not None and not self.run.normalisation.exists():
                    gan.normalisation.save(self.run.normalisation)
            with self._tolerating("The README of the run"):
                self.pages.describe(gan, samples, self.settings)

    # --- beside the training ------------------------------------------------------------------------------------------

    def _watching(self, gan: GAN) -> list[Any]:
        if not self.settings.watch.enabled:
            return []
        from ganmedic.monitor import Monitor

        self.known.parts += 1
        record = self.run.records / f"part-{self.known.parts:03d}.ganmedic" if self.chief else None
        self._monitor = Monitor(on_finding=self._found, record_path=record, preset=self.settings.watch.preset)
        return [self._monitor]

    def _epochs(self, gan: GAN, samples: Samples, step: int) -> Any:
        gan.counts_epochs = False
        return EachEpoch(gan, len(samples.values), self.settings.training.batch_size, step)

    def _tensorboard(self, step: int) -> list[Any]:
        chosen = self.settings.tensorboard
        if not chosen.enabled or not self.chief:
            return []
        from ganmedic.training.tensorboard import TensorBoard

        return [TensorBoard(self.run.tensorboard, histograms=chosen.histograms)]

    def _tell(self, trouble: Trouble) -> None:
        why = "interventions are switched off" if self.workers == 1 else "several workers cannot go back"
        self._say(f"Trouble at step {trouble.step}: {trouble.text}. Nothing is changed: {why}.")

    def _found(self, finding: Finding) -> None:
        key = (finding.cause, finding.summary)
        if key in self._shown or not self.chief:
            return
        self._shown.add(key)
        render_finding(self.console, finding, number=len(self._shown))

    def _end(self, how: str, step: int, trouble: Trouble | None) -> Outcome:
        self.known.state = how
        if self._monitor is not None and self.chief:
            diagnosis = self._monitor.diagnosis()
            self.known.serious = sum(finding.severity in ("error", "warning") for finding in diagnosis.findings)
            self.known.findings = [f"{each.cause}: {each.summary}" for each in diagnosis.findings]
            for finding in diagnosis.findings:
                self._found(finding)
            with self._tolerating("report.json"):
                from ganmedic.report.json_report import write_json

                write_json(diagnosis, self.run.report)
        self._save_state()
        findings = self.known.serious
        if self.chief:
            with self._tolerating("The README of the run"):
                self.pages.readme(self.settings, self.known, step, trouble)
            words = {"finished": "Finished", "stopped": "Stopped", "failed": "Ended in a trouble"}[how]
            told = f"{findings} finding{'' if findings == 1 else 's'}" if findings else "nothing found"
            self._say(f"{words} at step {step}, {told}. Look at {self.run.path / 'README.md'}")
        return Outcome(how, step, trouble, findings)

    def _say(self, text: str) -> None:
        if not self.chief:
            return
        if self._progress is not None:
            self._progress.say(text)
        else:
            self.console.print(text, markup=False, highlight=False, soft_wrap=True)


def set_up(settings: Settings) -> None:
    """Seeds, the order of operations and the precision, before anything of a GAN is made."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(settings.run.seed)
    if settings.run.deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.mixed_precision.set_global_policy(settings.training.precision)
