"""The command: exit status, what it prints and writes, and that nothing in the data can forge it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from making import array, folder, photographs

from ganmedic.cli import main
from ganmedic.data import Normalisation, audit
from ganmedic.data.result import Audit


def run(capsys, *arguments) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["data", *map(str, arguments)])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.fixture
def sound(tmp_path):
    np.save(tmp_path / "sound.npy", array(120).astype(np.float32) / 127.5 - 1)
    return tmp_path / "sound.npy"


@pytest.fixture
def standard(tmp_path):
    np.save(tmp_path / "standard.npy", np.random.default_rng(0).normal(size=(300, 12, 12, 3)))
    return tmp_path / "standard.npy"


def test_exit_status_and_verdict(capsys, sound, standard, tmp_path):
    status, out, _ = run(capsys, sound, "--against", "tanh")
    assert (status, out.splitlines()[0]) == (0, "ganmedic: nothing found, 1 note, in 120 pictures")
    status, out, _ = run(capsys, standard, "--against", "tanh")
    assert status == 1
    assert "warning[range-mismatch]" in out
    assert run(capsys, tmp_path / "gone")[0] == 2
    status, _, err = run(capsys, sound, "--against", "everything")
    assert status == 2
    assert "LOW..HIGH" in err


def test_a_failure_of_the_tool_itself(capsys, sound, monkeypatch):
    from ganmedic.data import facts

    monkeypatch.setattr(facts, "statistics", lambda gathered: 1 / 0)
    assert run(capsys, sound)[0] == 3


def test_json(capsys, standard, tmp_path):
    assert run(capsys, standard, "--against", "tanh", "--json", tmp_path / "a.json")[0] == 1
    report = json.loads((tmp_path / "a.json").read_text())
    assert report["schema"] == 1
    assert report["healthy"] is False
    assert report["against"] == [-1, 1]
    assert [one["slug"] for one in report["findings"]][:1] == ["range-mismatch"]
    assert len(report["channels"]) == 3
    assert sum(report["channels"][0]["counts"]) == 300 * 144
    assert report["moments"]["count"] == [300 * 144] * 3


def test_stats_are_a_normalisation(capsys, standard, tmp_path):
    path = tmp_path / "stats.json"
    run(capsys, standard, "--against", "-2..2", "--stats", path)
    values = np.load(standard)
    made = Normalisation.load(path)
    assert made.target == (-2, 2)
    assert np.allclose(made.apply(values), Normalisation.fit(values, to=(-2, 2)).apply(values))
    folder(tmp_path / "set", photographs(20))
    run(capsys, tmp_path / "set", "--stats", path)
    assert Normalisation.load(path).source_range == (0, 255)
    assert run(capsys, standard, "--against", "relu", "--stats", path)[0] == 2


def test_stats_of_data_with_nan_are_not_written(capsys, tmp_path):
    values = array().astype(np.float32)
    values[0] = np.nan
    np.save(tmp_path / "a.npy", values)
    status, out, _ = run(capsys, tmp_path / "a.npy", "--stats", tmp_path / "s.json")
    assert status == 1
    assert "no normalisation was written" in out
    assert not (tmp_path / "s.json").exists()


def test_limit_and_jobs(capsys, sound):
    assert "in 10 pictures" in run(capsys, sound, "--limit", 10, "--jobs", 2)[1]
    assert run(capsys, sound, "--jobs", 0)[0] == 2


def test_outputs_may_not_overwrite_the_data(capsys, sound):
    before = sound.read_bytes()
    assert run(capsys, sound, "--json", sound)[0] == 2
    assert sound.read_bytes() == before


def test_hostile_names_are_shown_harmless(capsys, tmp_path):
    name = "x\x1b[31m\u202e<script>alert(1)</script>"
    home = folder(tmp_path / "set", photographs(20))
    os.rename(home / "003.png", home / f"{name.replace('/', '|')}.png")
    (home / f"{name.replace('/', '|')}.jpg").write_bytes(b"?")
    os.link(home / "004.png", home / "a\nb.png")
    _, out, _ = run(capsys, home, "--html", tmp_path / "p.html", "--json", tmp_path / "p.json")
    page = (tmp_path / "p.html").read_text()
    assert "\x1b" not in out + page
    assert "\u202e" not in out + page
    assert "<script" not in page
    assert "\\x1b[31m\\u202e&lt;script" in page
    assert "a\\nb.png" in out
    json.loads((tmp_path / "p.json").read_text())


def test_names_that_are_no_text(capsys, tmp_path):
    home = folder(tmp_path / "set", photographs(20))
    (home / os.fsdecode(b"\xff\xfe.png")).write_bytes(b"?")
    status, out, _ = run(capsys, home, "--json", tmp_path / "p.json", "--html", tmp_path / "p.html")
    assert status == 1
    assert "\\udcff" in out
    assert "\\udcff" in (tmp_path / "p.html").read_text()


def test_the_page_shows_duplicates_outliers_and_what_is_odd(tmp_path):
    images = photographs(40)
    dark = images[5].point(lambda value: value // 6)
    result = audit(folder(tmp_path, [*images, images[3], dark]), pictures=True)
    titles = {gallery.title: gallery for gallery in result.galleries}
    assert {"Drawn by lot", "Copies", "Furthest from all others", "Dark"} <= set(titles)
    assert [picture.name for picture in titles["Copies"].pictures] == ["003.png", "040.png"]
    assert all(picture.png.startswith(b"\x89PNG") for picture in titles["Copies"].pictures)
    result.write_html(tmp_path / "p.html")
    page = (tmp_path / "p.html").read_text()
    assert page.count('<img src="data:image/png;base64,') == sum(len(one.pictures) for one in result.galleries)
    assert "http://" not in page
    assert "https://" not in page
    assert "<svg" in result._repr_html_()


def test_pictures_of_a_program_are_shown_as_they_were_kept():
    batches = [array(48)[begin : begin + 16] for begin in range(0, 48, 16)]
    result = audit(batches, pictures=True)
    assert result.galleries[0].title == "Drawn by lot"
    assert "thumbnail" in result.galleries[0].pictures[0].caption


def test_an_ascii_terminal(tmp_path, sound):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    command = [sys.executable, "-c", "from ganmedic.cli import main; main()", "data", str(sound)]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == 0
    assert done.stdout.decode("ascii")


def test_the_command_imports_no_tensorflow(tmp_path, sound):
    program = (
        "import sys\n"
        "from ganmedic.cli import main\n"
        "try:\n    main(['data', *sys.argv[1:]])\n"
        "except SystemExit:\n    pass\n"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules\n"
    )
    for arguments in (["--help"], [str(sound), "--against", "tanh", "--stats", str(tmp_path / "s.json")]):
        subprocess.run([sys.executable, "-c", program, *arguments], check=True, capture_output=True)


def test_an_audit_without_findings_is_healthy():
    assert Audit("", "", "pictures", 0, ()).healthy
