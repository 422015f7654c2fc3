#!/usr/bin/env python3
"""How fast ``ganmedic data`` looks at a folder of pictures, beside CleanVision, and how much memory it takes.

    python benchmarks/data_audit.py                                  10,000 pictures, then the memory of 10,000 and 100,000
    python benchmarks/data_audit.py --pictures 2000 --runs 1         quicker
    python benchmarks/data_audit.py --cleanvision /path/to/python    a Python with CleanVision (pip install cleanvision)

Both look at the same folder on all cores, in turn, each in a process of its own, after the folder was read once. CleanVision
looks for all of its issues (dark, light, uninformative, blurry, odd aspect ratio, odd size, grey, exact and near duplicates).
ganmedic looks for the same, and measures every pixel, the order and the diversity beside it. Without CleanVision only ganmedic
is timed.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np
from PIL import Image

_GANMEDIC = [sys.executable, "-c", "from ganmedic.cli import main; main()", "data"]
_CLEANVISION = """
import sys, time, json
from cleanvision import Imagelab
lab = Imagelab(data_path=sys.argv[1])
lab.find_issues()
print(json.dumps({name: int(lab.issues[name].sum()) for name in lab.issues.columns if name.startswith("is_")}))
"""
#: Sizes, JPEG quality, and how often a PNG is made: as in folders that were gathered from the web.
_SIDES, _QUALITIES, _PNG = (128, 512), (70, 95), 0.25
_TEXTURES, _TEXTURE_SIDE = 24, 640


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=10_000, help="pictures of mixed size for the comparison")
    parser.add_argument("--runs", type=int, default=2, help="how often each is timed")
    parser.add_argument("--cleanvision", default=sys.executable, help="a Python that has CleanVision")
    parser.add_argument(
        "--memory", type=int, nargs="*", default=[10_000, 100_000], help="small pictures for the memory"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="data-audit-") as folder:
        _compare(pathlib.Path(folder, "mixed"), options.pictures, options.runs, options.cleanvision)
        _memory(pathlib.Path(folder), options.memory)


def _compare(folder: pathlib.Path, count: int, runs: int, python: str) -> None:
    begin = time.monotonic()
    make(folder, count, _SIDES)
    size = sum(path.stat().st_size for path in folder.rglob("*.*"))
    print(
        f"{count:,} pictures of {_SIDES[0]} to {_SIDES[1]} pixels, {size / 1e6:,.0f} MB, made in {time.monotonic() - begin:.0f} s"
    )
    for path in folder.rglob("*.*"):
        path.read_bytes()
    has = subprocess.run([python, "-c", "import cleanvision"], capture_output=True, check=False).returncode == 0
    if not has:
        print(f"CleanVision is not installed for {python}: only ganmedic is timed (pip install cleanvision)")
    times: dict[str, list[float]] = {"ganmedic": [], "CleanVision": []}
    for run in range(runs):
        seconds, peak, output = watched(_GANMEDIC, folder)
        times["ganmedic"].append(seconds)
        print(
            f"run {run}: ganmedic    {seconds:6.1f} s, {count / seconds:7.0f} pictures/s, {peak / 1e6:5.0f} MB in all processes"
        )
        if not run:
            print(f"       {output}")
        if has:
            seconds, peak, output = watched([python, "-c", _CLEANVISION], folder)
            times["CleanVision"].append(seconds)
            print(
                f"run {run}: CleanVision {seconds:6.1f} s, {count / seconds:7.0f} pictures/s, {peak / 1e6:5.0f} MB in all processes"
            )
            if not run:
                print(f"       {output}")
    if has and runs:
        ratios = [slow / fast for slow, fast in zip(times["CleanVision"], times["ganmedic"], strict=True)]
        print(
            f"ganmedic is {statistics.median(ratios):.2f} times as fast (run by run: {', '.join(f'{one:.2f}' for one in ratios)})"
        )


def _memory(folder: pathlib.Path, counts: list[int]) -> None:
    for count in counts:
        small = folder / f"small-{count}"
        make(small, count, (32, 48))
        seconds, peak, _ = watched(_GANMEDIC, small)
        print(
            f"{count:>9,} small pictures: {peak / 1e6:5.0f} MB at most in all processes, {seconds:6.1f} s, {count / seconds:6.0f} pictures/s"
        )


def watched(command: list[str], folder: pathlib.Path) -> tuple[float, float, str]:
    """Run a command on a folder.

    Returns:
        wall time in seconds, the most memory of its own that it and its children held together in bytes, and the last line
        that it printed.
    """
    begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen([*command, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    peak = 0.0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.1):
            peak = max(peak, _memory_of(process.pid))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    output, errors = process.communicate()
    seconds = time.monotonic() - begin
    done.set()
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"       processor time {after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime:.1f} s (tells more on a busy machine)"
    )
    if process.returncode not in (0, 1):
        raise RuntimeError(f"{command[0]} ended with {process.returncode}: {errors[-2000:]}")
    lines = [line for line in output.splitlines() if line.strip()]
    return seconds, peak, (lines[0] if command == _GANMEDIC else lines[-1]) if lines else ""


def _memory_of(root: int) -> float:
    """Resident memory of a process and its descendants, what they share counted once each."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                parent = int(pathlib.Path("/proc", entry, "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError, ValueError):
                continue
            children.setdefault(parent, []).append(int(entry))
    total, left = 0.0, [root]
    while left:
        one = left.pop()
        left += children.get(one, [])
        try:
            rows = pathlib.Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(1024 * float(row.split()[1]) for row in rows if row.startswith("Pss:"))
    return total


# --- pictures ---------------------------------------------------------------------------------------------------------


def make(folder: pathlib.Path, count: int, sides: tuple[int, int]) -> None:
    """Fill a folder with pictures like photographs: soft and fine structure together, in few colours, with edges."""
    jobs = os.cpu_count() or 1
    with concurrent.futures.ProcessPoolExecutor(jobs) as pool:
        list(pool.map(_make_some, [str(folder)] * jobs, range(jobs), [jobs] * jobs, [count] * jobs, [sides] * jobs))


def _make_some(folder: str, worker: int, workers: int, count: int, sides: tuple[int, int]) -> None:
    textures = [_texture(np.random.default_rng(seed)) for seed in range(_TEXTURES)]
    for number in range(worker, count, workers):
        random = np.random.default_rng([7, number])
        home = pathlib.Path(folder, f"class {number % 10}")
        home.mkdir(parents=True, exist_ok=True)
        image = picture(random, textures, sides)
        if random.random() < _PNG:
            image.save(home / f"{number:06}.png")
        else:
            image.save(home / f"{number:06}.jpg", quality=int(random.integers(*_QUALITIES)))


def picture(random: np.random.Generator, textures: list[Image.Image], sides: tuple[int, int]) -> Image.Image:
    """One picture: parts of two textures, one seen through the shape of a third."""
    width, height = (int(side) for side in random.integers(sides[0], sides[1] + 1, 2))
    height = int(np.clip(height, width // 2, 2 * width))
    parts = []
    for place in random.choice(len(textures), 3, replace=False):
        part = int(random.integers(_TEXTURE_SIDE // 4, _TEXTURE_SIDE))
        left, top = (int(end) for end in random.integers(0, _TEXTURE_SIDE - part + 1, 2))
        cut = textures[place].resize((width, height), Image.Resampling.BILINEAR, (left, top, left + part, top + part))
        parts.append(cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if random.random() < 0.5 else cut)
    level = int(random.integers(90, 165))
    mask = parts[2].convert("L").point([255 if value > level else 0 for value in range(256)])
    return Image.composite(parts[0], parts[1], mask)


def _texture(random: np.random.Generator) -> Image.Image:
    """Noise whose power falls with the square of the frequency, as that of photographs does, in three mixed colours."""
    side = _TEXTURE_SIDE
    distance = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    distance[0, 0] = 1.0
    noise = [np.fft.irfft2(np.fft.rfft2(random.standard_normal((side, side))) / distance**1.2) for _ in range(3)]
    planes = np.stack([one / one.std() for one in noise], axis=-1)
    mixed = planes @ (0.75 * np.ones((3, 3)) / 1.7 + 0.5 * random.standard_normal((3, 3)))
    shifted = 128 + 45 * mixed + 25 * random.standard_normal(3)
    return Image.fromarray(np.clip(shifted, 0, 255).astype(np.uint8))


if __name__ == "__main__":
    main()
