"""Lets every test build a run by hand: ``from record.building import Script``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
