#!/usr/bin/env python3
"""Score `ganmedic check` on labelled cases.

    python benchmarks/evaluate.py                         all cases under benchmarks/cases
    python benchmarks/evaluate.py --only NAME [NAME ...] --family missing
    python benchmarks/evaluate.py --cases DIR --tool "ganmedic check --json {out} {script}" --jobs 2

A case is a folder with case.json and faulty.py + fixed.py, or healthy.py (or notebooks of these names). The tool is run on each script and must write
a JSON report to {out} (its exit status is not judged):

    {"findings": [{"cause": SLUG, "severity": "error"|"warning"|"note", "network": "generator"|...,
                   "locations": [{"file": PATH, "line": N}, ...], ...}, ...]}      best first

Scored on faulty.py:
    first    the first finding's cause is the case's root cause (or one that a fair judge accepts)
    named    the root cause is among the findings
    line     the finding that names it points at a line that the fix edits (the first of its locations in the script)
    near     likewise, within 3 lines, any of its locations
Scored on fixed.py and healthy.py:
    quiet    no finding above "note" (other than what the label says is still visible in the fixed twin)
Prints a row a script and, last, the totals.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent / "cases"
TOOL = f"{shlex.quote(str(pathlib.Path(sys.executable).parent / 'ganmedic'))} check --json {{out}} {{script}}"
SCRIPTS = ("faulty.py", "fixed.py", "healthy.py", "faulty.ipynb", "fixed.ipynb", "healthy.ipynb")


def run(tool: str, script: pathlib.Path, timeout: float) -> tuple[dict | None, float, str]:
    """The tool's report on one script, the seconds it took, and what went wrong (empty if nothing)."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "report.json")
        command = [part.format(out=out, script=script) for part in shlex.split(tool)]
        began = time.monotonic()
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=timeout,
                env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            )
        except subprocess.TimeoutExpired:
            return None, timeout, "timeout"
        seconds = time.monotonic() - began
        try:
            return json.loads(out.read_text()), seconds, ""
        except (OSError, ValueError) as error:
            tail = (done.stderr.strip().splitlines() or ["nothing on stderr"])[-1]
            return None, seconds, f"no report (exit {done.returncode}): {error.__class__.__name__}; {tail[:120]}"


def lines_of(finding: dict, script: pathlib.Path) -> list[int]:
    return [
        place["line"]
        for place in finding.get("locations", [])
        if pathlib.Path(place.get("file", "")).name == script.name and isinstance(place.get("line"), int)
    ]


def judge_faulty(case: dict, script: pathlib.Path, report: dict | None) -> dict:
    findings = [f for f in (report or {}).get("findings", []) if f.get("severity") != "note"]
    root = case["root_cause"][0]
    accepted = {root, *case.get("also_acceptable", [])}
    named = next((f for f in findings if f["cause"] == root), None) or next(
        (f for f in findings if f["cause"] in accepted), None
    )
    at = lines_of(named, script) if named else []
    wanted = case.get("fault_lines", [])
    return {
        "first": bool(findings) and findings[0]["cause"] in accepted,
        "named": any(f["cause"] in accepted for f in findings),
        "line": bool(at) and at[0] in wanted,
        "near": any(abs(line - want) <= 3 for line in at for want in wanted),
        "says": ", ".join(f["cause"] for f in findings[:4]) or "-",
    }


def judge_sound(case: dict, report: dict | None) -> dict:
    tolerated = case.get("tolerated_in_fixed", [])
    loud = [
        f["cause"]
        for f in (report or {}).get("findings", [])
        if f.get("severity") != "note" and f["cause"] not in tolerated
    ]
    return {"quiet": report is not None and not loud, "says": ", ".join(loud[:4]) or "-"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=pathlib.Path, default=HERE)
    parser.add_argument("--tool", default=TOOL)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=180)
    parser.add_argument("--json", type=pathlib.Path, help="also write every score here")
    parser.add_argument("--faulty-only", action="store_true")
    parser.add_argument(
        "--family", nargs="*", default=[], help="only the faulty scripts of these families, and all sound ones"
    )
    args = parser.parse_args()

    args.cases = args.cases.resolve()  # each script runs in a folder of its own
    work = []
    for folder in sorted(path.parent for path in args.cases.glob("*/case.json")):
        if args.only and folder.name not in args.only:
            continue
        case = json.loads((folder / "case.json").read_text())
        for name in SCRIPTS:
            faulty = name.startswith("faulty")
            left_out = (args.faulty_only and not faulty) or (
                faulty and args.family and case.get("family") not in args.family
            )
            if (folder / name).exists() and not left_out:
                work.append((case, folder / name))
    if not work:
        print(f"no cases in {args.cases}", file=sys.stderr)
        return 2

    def score(item):
        case, script = item
        report, seconds, wrong = run(args.tool, script, args.timeout)
        judged = judge_faulty(case, script, report) if script.stem == "faulty" else judge_sound(case, report)
        return {
            "case": script.parent.name,
            "script": script.name,
            "family": case.get("family", "healthy"),
            "wanted": (case["root_cause"] or ["-"])[0],
            "seconds": round(seconds, 1),
            "wrong": wrong,
            **judged,
        }

    rows = []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for row in pool.map(score, work):
            rows.append(row)
            marks = " ".join(
                f"{key}={'yes' if row[key] else 'NO'}"
                for key in ("first", "named", "line", "near", "quiet")
                if key in row
            )
            print(
                f"{row['case']:28} {row['script']:10} {row['seconds']:6.1f}s  wanted {row['wanted']:26} {marks}  says: {row['says']}"
                + (f"  [{row['wrong']}]" if row["wrong"] else ""),
                flush=True,
            )

    def share(rows, key):
        return f"{sum(row[key] for row in rows)}/{len(rows)}" if rows else "-"

    faulty = [row for row in rows if "first" in row]
    sound = [row for row in rows if "quiet" in row]
    print()
    for family in sorted({row["family"] for row in faulty}):
        part = [row for row in faulty if row["family"] == family]
        print(f"{family:12} " + "  ".join(f"{key} {share(part, key)}" for key in ("first", "named", "line", "near")))
    print(
        f"{'all faulty':12} " + "  ".join(f"{key} {share(faulty, key)}" for key in ("first", "named", "line", "near"))
    )
    print(f"{'all sound':12} quiet {share(sound, 'quiet')}")
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
