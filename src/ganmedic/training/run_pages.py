"""What a person finds in the folder of a run: samples, curves, the audit of the data, metrics, and the README."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ganmedic.settings import Settings
from ganmedic.training.building import chosen_network
from ganmedic.training.healing import ENOUGH, Trouble
from ganmedic.training.reading import Samples
from ganmedic.training.run_folder import RunFolder, RunState
from ganmedic.training.showing.curves import save_curves
from ganmedic.training.showing.history import read_history
from ganmedic.training.showing.pictures import data_range, save_grid
from ganmedic.training.showing.replacing import replaced
from ganmedic.training.showing.run_readme import RunSummary, write_readme
from ganmedic.training.showing.scatter import save_scatter

#: Real points that are drawn behind generated ones.
_POINTS = 2000


class RunPages:
    """Writes them.

    Args:
        run: the folder.
        known: what is known of the run.
    """

    def __init__(self, run: RunFolder, known: RunState) -> None:
        self.run, self.known = run, known
        self._data_line, self._networks_line, self._title = "", "", run.path.name

    def describe(self, gan: Any, samples: Samples, settings: Settings) -> None:
        """Takes up what the README says of data and networks."""
        values = samples.values
        shape = " x ".join(map(str, values.shape[1:]))
        kind = "images of" if values.ndim == 4 else "rows of"
        classes = f", {samples.classes} classes" if gan.classes else ""
        self._data_line = f"{len(values)} {kind} {shape}{classes}, from {settings.data.path}"
        name = "networks of your own" if settings.networks.generator else chosen_network(settings, samples)
        counts = [f"{network.count_params():,}" for network in (gan.generator, gan.discriminator)]
        self._networks_line = f"{name}; generator {counts[0]} and discriminator {counts[1]} parameters; latents of {gan.latent_shape[0]} numbers"
        self._title = f"{name} on {Path(settings.data.path).name}" + (
            f", {values.shape[1]} pixels" if values.ndim == 4 else ""
        )
        self.readme(settings, self.known, int(gan.steps.numpy()), None)

    def audit(self, settings: Settings, say: Callable[[str], None]) -> None:
        """Looks at the data before training, and keeps what was found."""
        from ganmedic.data import audit
        from ganmedic.report.data_json import write_json

        chosen = settings.data
        result = audit(chosen.path, limit=chosen.limit, pictures=True)
        write_json(result, self.run.path / "audit.json")
        result.write_html(self.run.audit)
        told = [finding for finding in result.findings if finding.severity != "note"]
        say(
            f"Data: {result.samples:,} samples, {len(told) or 'no'} finding{'' if len(told) == 1 else 's'}; see audit.html."
        )
        for finding in told:
            say(f"  {finding.severity}: {finding.summary}")

    def draw(self, gan: Any, samples: Samples, settings: Settings, step: int) -> None:
        """Samples at fixed latents, and the curves so far."""
        seed, count = settings.samples.seed, settings.samples.count
        made = gan.generate(count, seed=seed)
        path = self.run.samples / f"step-{step:09d}.png"
        if made.ndim == 4:
            ends = None if made.dtype == np.uint8 else data_range(samples.values[:_POINTS], gan.normalisation)
            columns = None
            if gan.classes is not None:
                columns = min(gan.classes, count)
            save_grid(path, made, columns=columns, value_range=ends, step=step, seed=seed)
        else:
            more = gan.generate(max(count, min(_POINTS, len(samples.values))), seed=seed)
            save_scatter(path, more, np.asarray(samples.values[:_POINTS]), step=step, seed=seed)
        with replaced(self.run.samples / "latest.png") as temporary:
            shutil.copyfile(path, temporary)
        self.curves()
        self.readme(settings, self.known, step, None)

    def curves(self) -> None:
        """Draws the history."""
        marks = [{"step": each["back_to_step"], "change": each["text"]} for each in self.known.interventions]
        save_curves(self.run.history, self.run.curves, marks, self._title)

    def usual_norms(self, step: int) -> dict[str, float]:
        """Of each player, the gradient norm that nine of ten finite steps up to this one stayed below; none of too few steps."""
        history = read_history(self.run.history)
        norms = {}
        for player, column in (("generator", "g_gradient_norm"), ("discriminator", "d_gradient_norm")):
            values = history.columns.get(column, np.zeros(0))
            values = values[(history.steps <= step)[: len(values)]]
            values = values[np.isfinite(values)]
            if values.size >= ENOUGH:
                norms[player] = float(np.percentile(values, 90))
        return norms

    def measure(self, gan: Any, samples: Samples, settings: Settings, step: int) -> list[str]:
        """Measures the samples; what came out, a sentence each."""
        from ganmedic import metrics

        chosen = settings.metrics
        count = min(chosen.samples, len(samples.values))
        real = np.asarray(
            samples.values[np.random.default_rng(settings.run.seed).permutation(len(samples.values))[:count]]
        )
        fake = gan.generate(count, seed=settings.samples.seed)
        extractor: Any = chosen.extractor
        if extractor == "classifier":
            extractor = self._classifier(samples)
        scores = metrics.measure(
            real, fake, names=list(chosen.names), extractor=extractor, seed=settings.run.seed, samples=count
        )
        kept = [each for each in self._measured() if each["step"] != step]
        told = [str(score) for score in scores]
        kept.append({"step": step, "told": told, "scores": [score.as_dict() for score in scores]})
        with replaced(self.run.metrics) as temporary:
            temporary.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        return [f"step {step}: {line}" for line in told]

    def _measured(self) -> list[dict[str, Any]]:
        """What was measured so far, the last step last."""
        if not self.run.metrics.exists():
            return []
        found: list[dict[str, Any]] = json.loads(self.run.metrics.read_text(encoding="utf-8"))
        return found

    def readme(self, settings: Settings, known: RunState, step: int, trouble: Trouble | None) -> None:
        """The page that explains the folder."""
        figures: dict[str, float] = {}
        if self.run.history.exists():
            history = read_history(self.run.history)
            figures = {name: float(values[-1]) for name, values in history.columns.items() if len(values)}
        folder = self.run.path
        summary = RunSummary(
            title=self._title,
            command=known.command,
            data_line=self._data_line,
            networks_line=self._networks_line,
            state=known.state,
            step=min(step, settings.training.steps),
            total_steps=settings.training.steps,
            seconds=known.seconds,
            images_per_second=figures.pop("images_per_second", None),
            figures=figures,
            findings=known.findings,
            interventions=[
                f"step {each['step']}: {each['trouble']}. Back to step {each['back_to_step']}, with {each['text']} ({each['name']})."
                for each in known.interventions
            ],
            metrics=[f"step {each['step']}: {line}" for each in self._measured()[-1:] for line in each["told"]],
            versions=known.versions,
            error="" if trouble is None else f"step {trouble.step}: {trouble.text}",
            commands={
                "go on with it": f"ganmedic train --resume {folder}",
                "draw samples": f"ganmedic sample {folder} -n 64",
                "export the generator": f"ganmedic export {folder}",
            },
            files={
                "run.json": "how the run stands, for programs",
                "records": "what ganmedic measured, one file for each part of the run: ganmedic replay FILE",
                "report.json": "what ganmedic found, for programs",
                "data": "the data set as it was trained with",
            },
        )
        write_readme(folder, summary)

    def _classifier(self, samples: Samples) -> Any:
        from ganmedic import metrics

        if samples.labels is None:
            raise ValueError(
                "metrics.extractor is 'classifier', and the data have no labels. Set data.labels = true, or take 'random'."
            )
        return metrics.extractors.train_classifier(np.asarray(samples.values), samples.labels)
