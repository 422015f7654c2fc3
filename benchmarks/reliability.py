"""Says how often findings of a confidence are right: a reliability table over labelled cases.

    python benchmarks/reliability.py --reports DIR [--cases DIR ...]

A finding above a note counts as right where its cause is a root cause of the case, one that a fair judge accepts, or one that a
finding of such a cause explains; of a fixed or healthy script no finding is right but those its label tolerates. The reports,
``NAME-KIND.json`` or the records ``NAME-KIND.rec``, stay in the folder; what is missing there is made by running the case.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
#: Confidences from one bound to the next share a row.
BOUNDS = (0.0, 0.65, 0.775, 0.825, 0.875, 0.915, 1.01)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=pathlib.Path, required=True, help="folder of the reports")
    parser.add_argument("--cases", type=pathlib.Path, nargs="+", default=[HERE / "cases"])
    parser.add_argument("--present", action="store_true", help="take the reports that are there, run nothing")
    parser.add_argument("--family", nargs="+", help="of these families only")
    options = parser.parse_args()
    options.reports.mkdir(parents=True, exist_ok=True)
    judged = list(_judged(options))
    if not judged:
        sys.exit("no finding in any report; give --reports a folder with reports, or leave --present out to make them")
    print(f"{'confidence':>14} {'findings':>9} {'right':>7} {'said':>7}")
    for low, high in itertools.pairwise(BOUNDS):
        row = [(confidence, right) for confidence, right in judged if low <= confidence < high]
        if row:
            said = sum(confidence for confidence, _ in row) / len(row)
            right = sum(right for _, right in row) / len(row)
            print(f"{low:>6.2f} to {min(high, 1):<4.2f} {len(row):>9} {100 * right:>5.0f} % {100 * said:>5.0f} %")
    error = sum(abs(confidence - right) ** 2 for confidence, right in judged) / len(judged)
    print(f"Brier score {error:.3f} over {len(judged)} findings")


def _judged(options: argparse.Namespace) -> Iterator[tuple[float, bool]]:
    """Confidence of each finding, and whether it is right."""
    for folder in sorted(path for cases in options.cases for path in cases.iterdir() if (path / "case.json").exists()):
        case = json.loads((folder / "case.json").read_text())
        if options.family and case["family"] not in options.family:
            continue
        for script in sorted(folder.glob("*.py")):
            findings = _findings(script, options)
            accepted = {*case["root_cause"], *case.get("also_acceptable", [])}
            if script.stem != "faulty":
                accepted = set(case.get("tolerated_in_fixed", []))
            explained = {cause for one in findings if one["cause"] in accepted for cause in one["explains"]}
            for one in findings:
                if one["severity"] != "note":
                    yield one["confidence"], one["cause"] in accepted | explained


def _findings(script: pathlib.Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    stem = options.reports / f"{script.parent.name}-{script.stem}"
    record, report = stem.with_name(stem.name + ".rec"), stem.with_name(stem.name + ".json")
    if record.exists():
        from ganmedic.diagnosis import diagnose
        from ganmedic.record.store import RecordError, load
        from ganmedic.report.json_report import to_json

        try:
            return list(to_json(diagnose(load(record)))["findings"])
        except RecordError as error:
            print(f"left out: {error}", file=sys.stderr)
            return []
    if not report.exists() and not options.present:
        command = [
            sys.executable,
            "-c",
            "from ganmedic.cli import main; main()",
            "check",
            "--json",
            str(report),
            str(script),
        ]
        subprocess.run(command, capture_output=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}, timeout=300)
    return list(json.loads(report.read_text())["findings"]) if report.exists() else []


if __name__ == "__main__":
    main()
