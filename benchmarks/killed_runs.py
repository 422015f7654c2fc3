"""Kills a training run at random moments and takes it up again: does it come to the same, bit for bit?

    python benchmarks/killed_runs.py [--kills 30] [--seed 0]

One run is left alone. Another of the same configuration is killed (SIGKILL) at random moments, in the middle of a checkpoint too, and
resumed after each, until it is at its end. Its history must be that of the first, figure by figure, and so must every variable of
the last checkpoint. Odd kills wait until a checkpoint is being written. Exit status 0 if all is the same.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

CONFIG = """
[data]
path = "points.npy"
audit = false
[training]
steps = {steps}
batch_size = 32
[balance]
instance_noise = {{spread = 0.1, steps = 1000}}
[clip]
discriminator = {{name = "auto"}}
[checkpoints]
every = 20
keep = 2
[samples]
every = 200
count = 16
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        np.save(folder / "points.npy", np.random.default_rng(0).normal(size=(500, 2)).astype(np.float32))
        (folder / "run.toml").write_text(CONFIG.format(steps=options.steps))
        begin = time.monotonic()
        subprocess.run([*command("run.toml", "--out", "alone")], cwd=folder, check=False, capture_output=True)
        print(f"left alone: {rows(folder / 'alone')} steps in {time.monotonic() - begin:.0f} s", flush=True)
        kills = done = 0
        while kills < options.kills:
            first = not (folder / "killed" / "run.json").exists()
            started = command("run.toml", "--out", "killed") if first else command("--resume", "killed")
            process = subprocess.Popen(started, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            moment = wait(process, folder / "killed", rng, in_a_checkpoint=kills % 2 == 1)
            if process.poll() is not None:
                done += 1
                if done > 1:
                    break
                continue
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            print(f"kill {kills}: {moment}, {rows(folder / 'killed')} steps written", flush=True)
        end = subprocess.run(command("--resume", "killed"), cwd=folder, check=False, capture_output=True, text=True)
        same = compare(folder)
        print(f"{kills} kills; the run ended with status {end.returncode}; {same}")
        return 0 if same.startswith("the same") and kills == options.kills else 1


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from ganmedic.cli import main; main()", "train", *arguments]


def wait(process: subprocess.Popen[bytes], run: Path, rng: random.Random, *, in_a_checkpoint: bool) -> str:
    """Waits for a random moment of the run; what it was."""
    until = time.monotonic() + rng.uniform(1.0, 20.0)
    if not in_a_checkpoint:
        while time.monotonic() < until and process.poll() is None:
            time.sleep(0.01)
        return "at a random moment"
    skipped = rng.randrange(1, 4)
    seen: set[str] = set()
    while process.poll() is None:
        for path in (run / "checkpoints").glob("*.partial") if run.exists() else ():
            seen.add(path.name)
            if len(seen) > skipped:
                return "while a checkpoint was written"
        time.sleep(0.0005)
    return "never"


def rows(run: Path) -> int:
    try:
        return len((run / "history.csv").read_text().splitlines()) - 1
    except OSError:
        return 0


def compare(folder: Path) -> str:
    histories = []
    for name in ("alone", "killed"):
        lines = (folder / name / "history.csv").read_text().splitlines()
        # The last figure is the speed.
        histories.append([line.rpartition(",")[0] for line in lines])
    if histories[0] != histories[1]:
        differing = [number for number, (a, b) in enumerate(zip(*histories, strict=False)) if a != b]
        return f"other figures from step {differing[0] if differing else 'of the end'} on ({len(histories[0])}, {len(histories[1])} lines)"
    files = [sorted((folder / name / "checkpoints").glob("*.npz"))[-1] for name in ("alone", "killed")]
    with np.load(files[0]) as alone, np.load(files[1]) as killed:
        for name in alone.files:
            if (
                not np.array_equal(alone[name], killed[name], equal_nan=alone[name].dtype.kind == "f")
                and name != "about"
            ):
                return f"{name} differs in the last checkpoint"
    return f"the same: {len(histories[0]) - 1} steps, figure by figure, and every variable"


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(main())
