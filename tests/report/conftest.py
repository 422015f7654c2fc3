"""A faulty script on disk, the findings it would give, and consoles that write what a log file would hold."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from ganmedic.finding import (
    Diagnosis,
    Finding,
    Location,
    Network,
    PathStep,
    Remedy,
    ScriptError,
    Unchecked,
)

SCRIPT = """\
import tensorflow as tf

def train_step(real):
    noise = tf.random.normal((64, 16))
    with tf.GradientTape() as tape:
        fake = generator(noise, training=True)
        tokens = tf.argmax(fake, axis=-1)
        score = discriminator(tf.one_hot(tokens, 12), training=True)
        g_loss = bce(tf.ones_like(score), score)
    variables = generator.trainable_variables
    gradients = tape.gradient(g_loss, variables)
    g_opt.apply_gradients(zip(gradients, variables))
"""
LAYERS = ("dense", "dense_1", "dense_2", "dense_3")


@dataclass
class Terminal:
    """A console that is no terminal: 80 columns, no colour, UTF-8."""

    console: Console
    stream: io.StringIO

    @property
    def text(self) -> str:
        return self.stream.getvalue()


@pytest.fixture
def terminal() -> Terminal:
    return make_terminal()


@pytest.fixture
def new_terminal() -> Callable[..., Terminal]:
    return make_terminal


def make_terminal(width: int = 80, *, colour: bool = False) -> Terminal:
    stream = io.StringIO()
    colours = {"force_terminal": True, "color_system": "truecolor"} if colour else {"color_system": None}
    return Terminal(Console(file=stream, width=width, **colours), stream)


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`train.py` in the current directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "train.py"
    path.write_text(SCRIPT, encoding="utf-8")
    return path


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`train.ipynb` in the current directory, with the script's step as its second code cell."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "train.ipynb"
    cells = [
        {"cell_type": "code", "source": ["import tensorflow as tf\n"]},
        {"cell_type": "markdown", "source": ["# The step"]},
        {"cell_type": "code", "source": SCRIPT.split("\n\n", 1)[1].splitlines(keepends=True)},
    ]
    path.write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}), encoding="utf-8")
    return path


def location(file: Path | str, line: int, role: str = "fault", **fields: object) -> Location:
    text = SCRIPT.splitlines()[line - 1] if str(file).endswith("train.py") else ""
    return Location(str(file), line, role, **{"function": "train_step", "text": text, **fields})  # type: ignore[arg-type]


@pytest.fixture
def cut_finding(script: Path) -> Finding:
    """The path is cut by an operation: every part of a finding is filled."""
    fault = location(script, 7, column=17, end_column=41)
    loss = location(script, 9, "loss")
    return Finding(
        cause="non-differentiable-op",
        severity="error",
        confidence=0.98,
        network="generator",
        summary="The generator gets no gradient: tf.argmax cuts the path from g_loss to all 8 of its variables.",
        evidence=(
            "8 of 8 gradients that tape.gradient returned at step 0 are None",
            "the path from g_loss ends at ArgMax, whose gradient is not defined; up to there it is whole",
        ),
        locations=(fault, loss, location(script, 11, "gradient")),
        variables=tuple(f"gen/{layer}/{part}" for layer in LAYERS for part in ("kernel", "bias")),
        remedies=(
            Remedy(
                "Feed the discriminator a soft choice, and keep the hard one for sampling.",
                "tokens = tf.nn.softmax(fake / 0.5)",
                keeps_objective=False,
                location=fault,
            ),
            Remedy(
                "Pass the gradient straight through the hard choice.",
                "hard = tf.one_hot(tf.argmax(fake, axis=-1), 12)\n"
                "tokens = fake + tf.stop_gradient(hard - fake)\n"
                "score = discriminator(tokens, training=True)",
                location=location(script, 8),
            ),
        ),
        explains=("not-applied",),
        path=(
            PathStep("g_loss", "loss", loss),
            PathStep("BinaryCrossentropy"),
            PathStep("layer dense_5", repeated=3),
            PathStep("OneHot", location=location(script, 8)),
            PathStep("ArgMax", "cut", fault, "no gradient is defined for ArgMax"),
            PathStep("Softmax"),
            PathStep("generator: 8 variables", "variable"),
        ),
        network_name="gen",
        variables_total=8,
    )


@pytest.fixture
def follow_finding(script: Path) -> Finding:
    """A consequence of the first one, less sure and with little to say."""
    return Finding(
        cause="not-applied",
        severity="warning",
        confidence=0.5,
        network="generator",
        summary="The generator's weights never change in 20 steps.",
        locations=(location(script, 12, "apply"),),
        remedies=(Remedy("Mend the gradient first."),),
        network_name="gen",
        variables_total=8,
        step=19,
    )


@pytest.fixture
def diagnosis(script: Path, cut_finding: Finding, follow_finding: Finding) -> Diagnosis:
    """A run that failed, with every section filled."""
    return Diagnosis(
        findings=(cut_finding, follow_finding),
        networks=(
            Network("gen", "generator", 8, 12_345, 0, 0, ("Adam(learning_rate=0.0002)",)),
            Network("discriminator", "discriminator", 6, 2_345, 6, 6, ("Adam(learning_rate=0.0002)",), ("gen",)),
            Network("gen_ema", "generator", 8, 12_345, 0, 8, trained=False, note="moving average of gen"),
        ),
        unchecked=(Unchecked("the gradient penalty", "its operations run in a compiled function"),),
        error=ScriptError(
            "ValueError",
            "No gradients provided for any variable.",
            explained_by="non-differentiable-op",
            location=location(script, 12),
        ),
        ended="failed",
        steps=20,
        elapsed_seconds=3.21,
        script="train.py",
        versions={"ganmedic": "0.1.0", "tensorflow": "2.21.0", "keras": "3.15.1", "python": "3.11.7"},
        tool_errors=("causes.dead_relu: KeyError: 'dense_3'",),
    )


@pytest.fixture
def healthy() -> Diagnosis:
    return Diagnosis(
        networks=(
            Network("generator", "generator", 8, 12_345, 8, 8, ("Adam(learning_rate=0.0002)",)),
            Network("discriminator", "discriminator", 6, 2_345, 6, 6, ("Adam(learning_rate=0.0002)",), ("generator",)),
        ),
        steps=20,
        elapsed_seconds=64.5,
        script="train.py",
        ended="steps",
    )
