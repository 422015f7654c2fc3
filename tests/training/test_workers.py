"""Two machines train as one on the whole batch."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from runs import begun, figures, points_file, small

from ganmedic import settings

pytestmark = pytest.mark.tensorflow


def free_ports(count: int) -> list[int]:
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in listening]
    for server in listening:
        server.close()
    return ports


def test_two_workers_come_to_the_losses_of_one(tmp_path: Path) -> None:
    few = {"training.steps": 12, "checkpoints.every": 6, "samples.every": 12}
    data = points_file(tmp_path)
    workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
    several = small(data, tmp_path / "both", **few, **{"distribute.strategy": "multi_worker"})
    # One of them is told by its configuration which it is, the other by the environment.
    first = settings.changed(several, {"distribute.workers": workers, "distribute.index": 0})
    told = json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": 1}})
    processes = []
    for name, chosen, more in (("first", first, {}), ("second", several, {"TF_CONFIG": told})):
        (tmp_path / f"{name}.toml").write_text(settings.dumps(chosen))
        program = ["-c", "from ganmedic.cli import main; main()", "train", str(tmp_path / f"{name}.toml")]
        processes.append(
            subprocess.Popen(
                [sys.executable, *program],
                env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"} | more,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    begun(small(data, tmp_path / "one", **few))
    try:
        said = [process.communicate(timeout=200)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0], said
    one, both = figures(tmp_path / "one"), figures(tmp_path / "both")
    assert one[0] == both[0]
    np.testing.assert_allclose(np.array(both[1:], float), np.array(one[1:], float), rtol=1e-3, atol=1e-4)
    losses = [one[0].index(name) for name in ("d_loss", "g_loss")]
    np.testing.assert_allclose(np.array(both[1:], float)[:, losses], np.array(one[1:], float)[:, losses], atol=1e-4)
    assert "step 12 of 12" in said[0]
    assert "step 12 of 12" not in said[1], "only the first of them shows and writes"
