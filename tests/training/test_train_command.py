"""`ganmedic train`, `sample` and `export`, from the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from runs import begun, figures, points_file, small

from ganmedic import settings
from ganmedic.cli import main
from ganmedic.training.run_folder import RunFolder

pytestmark = pytest.mark.tensorflow

#: Runs each list of arguments in one process, and sees to it that none needs TensorFlow.
WITHOUT_TENSORFLOW = """
import contextlib, io, json, sys
from ganmedic.cli import main
answers = []
for arguments in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as ended:
            status = ended.code
    answers.append([status, out.getvalue(), err.getvalue()])
    heavy = {"tensorflow", "keras"} & set(sys.modules)
    if heavy:
        sys.exit(f"{arguments}: {heavy} were imported")
print(json.dumps(answers))
"""


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out + printed.err


def test_misuse_is_refused_without_tensorflow(tmp_path: Path) -> None:
    data = points_file(tmp_path)
    config = tmp_path / "train.toml"
    config.write_text(f'[data]\npath = "{data}"\n[loss]\nname = "hing"\n')
    gone = tmp_path / "gone.toml"
    gone.write_text('[data]\npath = "gone"\n')
    nets = ["--set", f"networks.generator={tmp_path}/no.py:g", "--set", f"networks.discriminator={tmp_path}/no.py:d"]
    cases = [
        ([], "nothing came; one of CONFIG.toml, --data PATH and --resume RUN is expected"),
        ([str(config), "--data", str(data)], "CONFIG.toml and --data came"),
        ([str(config)], "train.toml, line 4: loss.name is 'hing'"),
        ([str(tmp_path / "no.toml")], "no.toml"),
        ([str(gone)], "there is nothing. A folder of images or a file of data is expected"),
        (["--data", str(tmp_path / "no")], "there is nothing"),
        (["--data", str(data), "--set", "steps"], "--set steps came; KEY=VALUE is expected"),
        (["--data", str(data), "--set", "training.step=3"], "training.step"),
        (["--data", str(data), "--set", "training.batch_size=0"], "training.batch_size is 0"),
        (["--data", str(data), "--steps", "0"], "training.steps is 0"),
        (["--data", str(data), *nets], "there is no such file. A Python file and a function in it are expected"),
        (["--resume", str(tmp_path / "norun")], "is no folder of a run"),
        (["--resume", str(tmp_path), "--steps", "3"], "training.steps was given with --resume"),
        (["--resume", str(tmp_path), "--set", "loss.name=hinge"], "loss.name was given with --resume"),
    ]
    given = [["train", *arguments] for arguments, _ in cases]
    given.append(["train", "--data", str(data), "--steps", "7", "--set", "loss.name=hinge", "--show-config"])
    program = [sys.executable, "-c", WITHOUT_TENSORFLOW]
    done = subprocess.run(program, input=json.dumps(given), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    *answers, shown = json.loads(done.stdout)
    for (arguments, expected), (status, _, said) in zip(cases, answers, strict=True):
        assert (status, expected in said) == (2, True), (arguments, status, said)
        assert said.count("\n") <= 3, said
    assert shown[0] == 0
    (tmp_path / "shown.toml").write_text(shown[1])
    read = settings.load(tmp_path / "shown.toml")
    assert (read.training.steps, read.loss.name) == (7, "hinge")
    assert not (tmp_path / "runs").exists()


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on points, stopped by nothing."""
    folder = tmp_path_factory.mktemp("points")
    begun(small(points_file(folder), folder / "run", training__steps=4, checkpoints__every=2, samples__every=4))
    return folder / "run"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on grey pictures of two classes."""
    folder = tmp_path_factory.mktemp("images")
    for number in range(8):
        path = folder / "data" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(number).integers(0, 256, (8, 8), np.uint8)).save(path)
    changes = {"data.labels": True, "data.resolution": 16, "networks.name": "dcgan", "training.steps": 1}
    begun(small(folder / "data", folder / "run", **changes))
    return folder / "run"


def test_a_run_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "train.toml"
    config.write_text(settings.dumps(small(points_file(tmp_path), tmp_path / "unused", training__steps=9)))
    arguments = ["--out", tmp_path / "run", "--steps", "3", "--set", "training.batch_size=4", "--no-intervene"]
    status, said = run(capsys, "train", config, *arguments)
    assert (status, (tmp_path / "unused").exists()) == (0, False)
    assert f"Run: {tmp_path / 'run'}" in said.replace("\n", "")
    chosen = RunFolder.open(tmp_path / "run")[1]
    assert (chosen.training.steps, chosen.training.batch_size, chosen.watch.intervene) == (3, 4, False)
    assert len(figures(tmp_path / "run")) == 4
    status, said = run(capsys, "train", config, *arguments)
    assert status == 2
    assert "holds a run already" in said
    assert run(capsys, "train", "--resume", tmp_path / "run")[0] == 0


def test_samples_of_points(points: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [tmp_path / f"{number}.npy" for number in range(4)]
    ways: list[list[object]] = [["-n", 5], ["-n", 3], ["-n", 5, "--seed", 1], ["-n", 5, "--trained"]]
    for file, way in zip(files, ways, strict=True):
        assert run(capsys, "sample", points, *way, "--out", file)[0] == 0
    five, three, other, trained = (np.load(file) for file in files)
    assert five.shape == (5, 2)
    np.testing.assert_allclose(five[:3], three, rtol=1e-5)
    assert not np.allclose(five, other)
    assert not np.array_equal(five, trained)
    status, said = run(capsys, "sample", points, "-n", 5)
    assert (status, (points / "drawn-seed-0.png").exists()) == (0, True)
    assert "5 samples: " in said
    for arguments, expected in (
        (["--out", tmp_path / "folder"], "a .npy or a .png is expected"),
        (["--label", 1], "was trained without classes"),
        (["-n", 0], "greater than or equal to 1"),
    ):
        status, said = run(capsys, "sample", points, *arguments)
        assert (status, expected in said) == (2, True), said
    assert run(capsys, "sample", tmp_path)[0] == 2
    assert not list(tmp_path.glob("*partial*"))


def test_samples_of_pictures(images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "sample", images, "-n", 3, "--out", tmp_path / "all.npy")[0] == 0
    made = np.load(tmp_path / "all.npy")
    assert (made.shape, made.dtype) == ((3, 16, 16, 1), np.uint8)
    assert run(capsys, "sample", images, "-n", 3, "--out", tmp_path / "each")[0] == 0
    singles = sorted((tmp_path / "each").iterdir())
    for path, expected in zip(singles, made, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(path)), expected[..., 0])
    assert run(capsys, "sample", images, "-n", 3, "--label", 1, "--out", tmp_path / "grid.png")[0] == 0
    assert Image.open(tmp_path / "grid.png").size[0] >= 16
    status, said = run(capsys, "sample", images, "--label", 2)
    assert (status, "0 to 1" in said) == (2, True), said


def test_an_export(points: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("safetensors")
    out = tmp_path / "exported"
    status, said = run(capsys, "export", points, "--out", out, "--format", "safetensors")
    assert status == 0, said
    assert list(out.rglob("*.safetensors"))
    status, said = run(capsys, "export", points, "--out", tmp_path / "more", "--format", "gif")
    assert (status, "gif" in said) == (2, True)


def test_what_was_found_is_in_the_exit_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nets = tmp_path / "nets.py"
    nets.write_text(
        "import keras\n"
        "def g():\n"
        "    z = keras.Input((4,))\n"
        "    return keras.Model(z, keras.ops.sqrt(keras.layers.Dense(2)(z) - 1e6))\n"
        "def d():\n"
        "    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])\n"
    )
    own = {"networks.width": None, "networks.latent_size": None}
    own |= {"networks.generator": f"{nets}:g", "networks.discriminator": f"{nets}:d"}
    config = tmp_path / "train.toml"
    config.write_text(settings.dumps(small(points_file(tmp_path), tmp_path / "run", **own)))
    status, said = run(capsys, "train", config)
    assert status == 1
    assert "interventions are switched off" in " ".join(said.split())
    nets.write_text("def g(): return 3\ndef d(): return 4\n")
    status, said = run(capsys, "train", config, "--out", tmp_path / "other")
    assert (status, "returned int; a keras.Model is expected" in said) == (2, True), said
    assert os.environ.get("TF_CPP_MIN_LOG_LEVEL")
