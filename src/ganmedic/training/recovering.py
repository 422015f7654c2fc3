"""Where a run goes on: from its last whole checkpoint, or, after a trouble, from the last healthy one with a change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ganmedic.settings import Settings, SettingsError, changed
from ganmedic.training import state
from ganmedic.training.checkpoints import Checkpoint, CheckpointError, Checkpoints, about_of, load
from ganmedic.training.gan import GAN
from ganmedic.training.healing import Change, Trouble, changes_for
from ganmedic.training.run_folder import RunError, RunFolder, RunState


class Recovery:
    """Goes back, and knows what was changed already.

    Args:
        run: the folder of the run.
        known: what is known of it; interventions are added here.
        say: called with what a person should know.
    """

    def __init__(self, run: RunFolder, known: RunState, say: Callable[[str], None]) -> None:
        self.run, self.known, self._say = run, known, say

    def restore(self, gan: GAN) -> tuple[Checkpoint | None, Mapping[str, Any]]:
        """Gives the GAN the state of the last whole checkpoint; that one, None at the very beginning, and what belongs to it.

        Raises:
            RunError: there is none left to go on from.
        """
        leg, candidates = self.known.leg, self.candidates()
        for each in candidates:
            try:
                arrays, about = load(each.path)
            except CheckpointError as error:
                self._say(f"{error} The one before it is taken.")
                continue
            if each.leg == leg:
                state.restore(gan, arrays)
                return each, about
            # The change may be one of the learning rates, or of the figures; what was remembered belongs to the way that was left.
            kept = {
                name: array
                for name, array in arrays.items()
                if not name.endswith(state.LEARNING_RATE) and name != "row/last"
            }
            state.restore(gan, kept, strict=False)
            return each, {}
        if leg or candidates:
            raise RunError(f"{self.run.path} has no whole checkpoint left to go on from. Begin the run anew.")
        return None, {}

    def candidates(self) -> list[Checkpoint]:
        """Where the run may go on from, the best first: this leg's, then the one it went back to."""
        store = Checkpoints(self.run.checkpoints)
        return [*store.newest_first(self.known.leg), *(each for each in store.all() if each.path == self.held)]

    @property
    def held(self) -> Path | None:
        """The checkpoint that the run went back to; it must stay."""
        return self.run.checkpoints / self.known.interventions[-1]["back_to"] if self.known.leg else None

    def last_healthy(self) -> Checkpoint | None:
        """The newest checkpoint of this leg, or the one it began at, at which all was well."""
        for each in reversed(Checkpoints(self.run.checkpoints).all()):
            if each.leg != self.known.leg and each.path != self.held:
                continue
            try:
                if about_of(each.path).get("healthy"):
                    return each
            except CheckpointError:
                continue
        return None

    def intervene(
        self,
        trouble: Trouble,
        settings: Settings,
        *,
        norms: Callable[[int], Mapping[str, float]],
        weight: float,
        images: bool,
        batch_normalised: bool,
    ) -> Settings | None:
        """The settings to go on with, and the run told where from; None where there is nothing left to try.

        Args:
            trouble: what was seen.
            settings: as they are.
            norms: called with the step that was still healthy, gives the usual gradient norms up to there.
            weight, images, batch_normalised: as for `healing.changes_for`.
        """
        self._say(f"Trouble at step {trouble.step}: {trouble.text}.")
        watch = settings.watch
        if not (watch.enabled and watch.intervene):
            self._say("Nothing is changed: interventions are switched off.")
            return None
        if self.known.leg >= watch.interventions:
            self._say(f"Nothing is changed: {self.known.leg} of at most {watch.interventions} interventions were made.")
            return None
        made = {each["name"] for each in self.known.interventions}
        healthy = self.last_healthy()
        usual = norms(healthy.step) if healthy is not None else {}
        possible = changes_for(
            trouble, settings, norms=usual, weight=weight, images=images, batch_normalised=batch_normalised
        )
        change, after = _first_that_can_be((each for each in possible if each.name not in made), settings)
        if healthy is None or change is None or after is None:
            reason = "there is no healthy checkpoint" if healthy is None else "every change was made already"
            self._say(f"Nothing is changed: {reason}.")
            return None
        self.known.interventions.append(
            {
                "number": self.known.leg + 1,
                "step": trouble.step,
                "back_to": healthy.path.name,
                "back_to_step": healthy.step,
                "kind": trouble.kind,
                "trouble": trouble.text,
                "name": change.name,
                "text": change.text,
                "values": dict(change.values),
            }
        )
        self._say(
            f"Intervention {self.known.leg} of at most {watch.interventions}: back to step {healthy.step}, with {change.text} ({change.name})."
        )
        return after


def _first_that_can_be(changes: Iterable[Change], settings: Settings) -> tuple[Change | None, Settings | None]:
    """The first change that goes with the other settings, and the settings with it."""
    for change in changes:
        try:
            return change, changed(settings, change.values)
        except SettingsError:
            continue
    return None, None
