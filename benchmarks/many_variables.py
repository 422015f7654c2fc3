"""How the time of a watched training grows with the number of its variables.

    python benchmarks/many_variables.py [--numbers 250 500 1000 2000]

For each number the same few steps plain and watched, eager and in a `tf.function`; the exponent is the slope between the last two
rows: 1 where the time is in proportion to the number, 2 where it grows with its square.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--numbers", type=int, nargs="+", default=[250, 500, 1000])
    numbers = parser.parse_args().numbers
    from capture import guest_programs as programs
    from ganmedic.examination import Examination

    def seconds(number: int, traced: bool, watched: bool) -> float:
        begin = time.perf_counter()
        with Examination() if watched else contextlib.nullcontext():
            programs.many_variables(number=number, rounds=3, traced=traced)
        return time.perf_counter() - begin

    for traced in (False, True):
        print(
            f"\n{'tf.function' if traced else 'eager'}\n\n| variables | plain, s | watched, s | ratio |\n|---:|---:|---:|---:|"
        )
        taken = []
        for number in numbers:
            plain = seconds(number, traced, watched=False)
            taken.append(seconds(number, traced, watched=True))
            print(f"| {number} | {plain:.2f} | {taken[-1]:.2f} | {taken[-1] / plain:.1f} |", flush=True)
        if len(numbers) > 1:
            slope = math.log(taken[-1] / taken[-2]) / math.log(numbers[-1] / numbers[-2])
            print(f"\nthe watched time grows with the number to the power of {slope:.2f}")


if __name__ == "__main__":
    main()
