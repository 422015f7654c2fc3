#!/usr/bin/env python3
"""What ``ganmedic check`` costs: each script alone and under ``check``, in turn, with the ratio pair by pair.

    python benchmarks/overhead.py                     the sound scripts of the cases
    python benchmarks/overhead.py --runs 3 SCRIPT ... these scripts

The bound that ``check`` keeps is 1.3 times the script's own time plus 5 seconds. Beside whole processes, ``--steps`` in a
steady state are timed by the two loops at the end (one eager, one tf.function), which print seconds a step.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
FACTOR, EXTRA_SECONDS = 1.3, 5.0


def seconds(command: list[str]) -> float:
    """Wall time of a command whose output is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        subprocess.run(
            command, cwd=folder, capture_output=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}, check=False
        )
        return time.monotonic() - began


def steady(script: pathlib.Path, watched: bool) -> float:
    """Seconds a step that a script prints as its last word."""
    tool = [str(pathlib.Path(sys.executable).parent / "ganmedic"), "check", "--quiet"] if watched else [sys.executable]
    done = subprocess.run(
        [*tool, str(script)],
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=False,
    )
    return float(done.stdout.split()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scripts", nargs="*", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--most", type=int, default=12, help="so many of the cases, evenly spread")
    args = parser.parse_args()
    found = sorted((HERE / "cases").glob("*/fixed.py")) + sorted((HERE / "cases").glob("*/healthy.py"))
    scripts = [path.resolve() for path in args.scripts] or found[:: max(1, len(found) // args.most)]
    ganmedic = str(pathlib.Path(sys.executable).parent / "ganmedic")
    over = 0
    ratios = []
    for script in scripts:
        for _ in range(args.runs):
            alone = seconds([sys.executable, str(script)])
            checked = seconds([ganmedic, "check", str(script)])
            bound = FACTOR * alone + EXTRA_SECONDS
            over += checked > bound
            ratios.append(checked / alone)
            print(
                f"{script.parent.name:26} {script.name:10} alone {alone:6.1f}s  check {checked:6.1f}s  ratio {checked / alone:4.2f}  "
                f"bound {bound:6.1f}s  {'OVER' if checked > bound else 'kept'}",
                flush=True,
            )
    print(f"\n{len(ratios)} pairs: median ratio {statistics.median(ratios):.2f}, {over} over the bound")
    for name in ("steady_eager.py", "steady_function.py"):
        script = HERE / name
        pairs = [(steady(script, False), steady(script, True)) for _ in range(3)]
        alone, watched = (statistics.median(times) for times in zip(*pairs, strict=True))
        print(
            f"{name:20} {alone * 1e3:8.3f} ms a step alone, {watched * 1e3:8.3f} ms watched: ratio {watched / alone:.2f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
