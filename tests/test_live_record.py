"""``ganmedic check --record`` whose process is killed: what is on disk is the run up to its last second."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from ganmedic.record.store import load

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing to kill with here"),
]
GANMEDIC = str(Path(sys.executable).with_name("ganmedic"))
SCRIPT = """
import time
import tensorflow as tf

model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(8, "relu"), tf.keras.layers.Dense(1)])
optimizer = tf.keras.optimizers.Adam(1e-3)


def train_step(batch):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(batch) - 1.0))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))


if TRACED:
    train_step = tf.function(train_step)
for step in range(1_000_000):
    train_step(tf.random.normal((16, 2)))
    print(step, time.time(), flush=True)
"""


@pytest.mark.parametrize("traced", [True, False], ids=["tf.function", "eager"])
def test_a_run_that_is_killed_leaves_its_record(tmp_path: Path, traced: bool) -> None:
    script, record = tmp_path / "train.py", tmp_path / "run.ganmedic"
    script.write_text(SCRIPT.replace("TRACED", str(traced)))
    command = [GANMEDIC, "check", "--quiet", "--record", str(record), str(script)]
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=tmp_path, env=quiet
    ) as run:
        assert run.stdout is not None
        lines = [run.stdout.readline()]
        began = time.monotonic()
        while time.monotonic() - began < 4 or not record.exists() or len(lines) < 100:
            lines.append(run.stdout.readline())
        run.kill()
        killed = time.time()
        lines += run.stdout.readlines()

    known = load(record)

    assert not known.complete
    assert known.operations
    assert known.probes
    series = next(one for one in known.series.values() if not one.applied)
    assert series.steps[:64] == list(range(64))
    assert known.gradient_calls[series.call].sources == series.variables
    times = [float(line.split()[1]) for line in lines if line.endswith("\n")]
    slowest = max(after - before for before, after in pairwise(times[-20:]))
    lost = times[series.seen :]
    assert not lost or killed - lost[0] < 1 + slowest
