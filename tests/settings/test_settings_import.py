"""A configuration is read without TensorFlow."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from pathlib import Path
from ganmedic.settings import SettingsError, changed, dumps, for_data, load, reference
file = Path(sys.argv[1])
file.write_text(dumps(changed(for_data("faces"), {"loss.name": "wasserstein", "augmentation.name": "adaptive"})))
load(file)
file.write_text("[loss]\\nname = 'wasserstein'\\nlabel_smoothing = 3\\n[[penalties]]\\n")
try:
    load(file)
    sys.exit("nothing was refused")
except SettingsError as error:
    assert "data.path" in str(error)
reference()
heavy = {"tensorflow", "keras", "numpy", "jax", "torch"} & set(sys.modules)
sys.exit(f"{heavy} were imported" if heavy else 0)
"""


def test_nothing_heavy_is_imported(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "a.toml")], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
