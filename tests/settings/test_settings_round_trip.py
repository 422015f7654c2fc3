"""What is written is read back, whatever the settings; and single keys are changed as a person expects."""

from __future__ import annotations

import copy
import os
import pickle
import re
import tomllib
from dataclasses import FrozenInstanceError
from pathlib import Path
from random import Random

import drawing
import pytest

from ganmedic.settings import Part, Settings, SettingsError, changed, dumps, for_data, load


def reread(settings: Settings, folder: Path) -> Settings:
    file = folder / "written.toml"
    file.write_text(dumps(settings), encoding="utf-8", newline="")
    return load(file)


def attempt(file: Path) -> tuple[Settings | None, str]:
    """The settings of a file, or why there are none."""
    try:
        return load(file), ""
    except SettingsError as error:
        return None, str(error)


@pytest.mark.parametrize("seed", range(120))
def test_what_is_written_is_read_back(seed, tmp_path):
    random = Random(seed)
    settings = for_data(drawing.text(random), **drawing.changes(random))
    assert reread(settings, tmp_path) == settings
    assert changed(settings, {}) == settings
    assert pickle.loads(pickle.dumps(settings)) == copy.deepcopy(settings) == settings


@pytest.mark.parametrize("seed", range(40))
def test_written_text_cut_or_spoilt_anywhere_is_read_or_refused(seed, tmp_path):
    random = Random(seed)
    content = bytearray(dumps(for_data("faces", **drawing.changes(random))).encode())
    for _ in range(random.randint(1, 5)):
        place = random.randrange(len(content))
        spoilt = random.choice([b"", bytes([random.randrange(256)]), b"[", b'"', b"=", b"\n", b"{", b"'''"])
        content[place : place + random.randint(0, 40)] = spoilt
    file = tmp_path / "spoilt.toml"
    file.write_bytes(content)
    settings, refused = attempt(file)
    if settings is None:
        assert refused.startswith(str(file))
    else:
        assert reread(settings, tmp_path) == settings


def test_the_smallest_file_has_the_defaults(tmp_path):
    file = tmp_path / "train.toml"
    file.write_text('[data]\npath = "faces"\n')
    settings = load(file)
    assert settings == for_data(str(tmp_path / "faces"))
    assert settings.loss == Part("relativistic", {})
    assert settings.penalties is None
    assert settings.ema.half_life == 10_000
    assert settings.ema.ramp == 0.05
    adam = {"beta_1": 0.0, "beta_2": 0.99, "epsilon": 1e-8}
    assert settings.optimizers.generator.arguments == adam == settings.optimizers.discriminator.arguments
    with pytest.raises(FrozenInstanceError):
        settings.run.seed = 3  # type: ignore[misc]


def test_paths_are_relative_to_the_file(tmp_path, monkeypatch):
    (tmp_path / "inner").mkdir()
    file = tmp_path / "inner" / "train.toml"
    file.write_text(
        'data.path = "../faces"\nrun.folder = "runs/a"\nnetworks.generator = "n.py:g"\nnetworks.discriminator = "/n.py:d"\n'
    )
    monkeypatch.chdir(tmp_path)
    settings = load("inner/train.toml")
    assert settings.data.path == str(tmp_path / "faces")
    assert settings.run.folder == str(tmp_path / "inner" / "runs" / "a")
    assert settings.networks.generator == f"{tmp_path / 'inner' / 'n.py'}:g"
    assert settings.networks.discriminator == f"{os.path.abspath('/n.py')}:d"
    assert for_data("~/faces").data.path == os.path.expanduser("~/faces")


def test_every_key_is_written_with_what_it_is():
    text = dumps(for_data("faces"))
    rows = [row for row in text.splitlines()[1:] if row and not re.match(r"#? ?\[", row)]
    bare = [row for row in rows if not re.match(r"(# )?\w+ = .+  # \S.+", row)]
    assert bare == ['# name = "r1"', "# weight = 10.0", '# name = "r2"', "# weight = 10.0"]
    assert "\n\n\n" not in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    # All comments of a table begin in one column, two places behind the longest line.
    for table in text.split("\n\n")[1:]:
        lines = [row for row in table.splitlines()[1:] if "  # " in row[2:]]
        if lines:
            columns = {row.index("  # ", 2) for row in lines}
            assert columns == {max(len(row[: row.index("  # ", 2)].rstrip()) for row in lines)}


def test_every_example_behind_an_unset_key_can_be_taken(tmp_path):
    rows = dumps(for_data("faces")).splitlines()
    alone, refused = [], {}
    for number, row in enumerate(rows):
        if "(unset: " in row and not row.startswith("# [["):
            file = tmp_path / "taken.toml"
            file.write_text("\n".join(each[2:] if place == number else each for place, each in enumerate(rows)))
            settings, reason = attempt(file)
            name = row.split()[1]
            if settings is None:
                refused[name] = reason
            else:
                alone.append(name)
    assert len(alone) >= 15
    # These need another key, or take the place of one, and say so.
    needed = {
        "generator": "Add discriminator",
        "discriminator": "Add generator",
        "adaptive_weights": "'relativistic_average'",
        "decay": "one of them is expected",
        "devices": "strategy = 'mirrored'",
        "workers": "strategy = 'multi_worker'",
        "index": "strategy = 'multi_worker'",
    }
    assert refused.keys() == needed.keys()
    assert [name for name, words in needed.items() if words not in refused[name]] == []


def test_unset_penalties_can_be_taken_from_the_comment(tmp_path):
    text = dumps(for_data("faces"))
    file = tmp_path / "taken.toml"
    begin = text.index("# [[penalties]]")
    block = text[begin : text.index("\n\n", begin)]
    file.write_text(text.replace(block, re.sub("(?m)^# ", "", block)))
    assert load(file).penalties == (Part("r1", {"weight": 10.0}), Part("r2", {"weight": 10.0}))


def test_no_penalties_are_others_than_unset_ones(tmp_path):
    none = for_data("faces", penalties=[])
    assert none.penalties == ()
    assert tomllib.loads(dumps(none))["penalties"] == []
    assert "penalties" not in tomllib.loads(dumps(for_data("faces")))
    assert reread(none, tmp_path).penalties == ()


def test_a_new_name_brings_its_own_arguments():
    smooth = for_data("faces", **{"loss.name": "minimax", "loss.label_smoothing": 0.1})
    assert changed(smooth, {"loss.name": "hinge"}).loss == Part("hinge", {})
    assert changed(smooth, {"loss.name": "minimax"}).loss.arguments["label_smoothing"] == 0.1
    clipped = for_data("faces", **{"clip.discriminator": {"name": "global_norm", "bound": 5.0}})
    assert changed(clipped, {"clip.discriminator.name": "weights"}).clip.discriminator == Part(
        "weights", {"bound": 0.01, "non_finite": "keep"}
    )
    slow = changed(clipped, {"optimizers.generator.learning_rate": 1e-5, "optimizers.generator.beta_1": 0.5})
    other = changed(slow, {"optimizers.generator": {"name": "sgd", "momentum": 0.5}}).optimizers.generator
    assert (other.name, other.learning_rate, other.arguments) == ("sgd", 1e-5, {"momentum": 0.5})


def test_names_count_before_arguments_whatever_their_order():
    settings = for_data(
        "faces",
        **{"loss.label_noise": 0.2, "loss.name": "minimax", "augmentation.pipeline": "ogb"},
        augmentation={"name": "adaptive"},
    )
    assert settings.loss.arguments["label_noise"] == 0.2
    # The order in which the groups are applied, as the class keeps them.
    assert settings.augmentation.arguments["pipeline"] == "bgo"


def test_single_arguments_of_penalties_change():
    settings = for_data("faces", penalties=[{"name": "r1"}, {"name": "roth"}])
    lighter = changed(settings, {"penalties.1.weight": 2})
    assert lighter.penalties == (Part("r1", {"weight": 10.0}), Part("roth", {"weight": 2.0}))
    assert changed(lighter, {"penalties.1.name": "consensus"}).penalties[1].arguments == {"weight": 10.0}
    assert changed(lighter, {"penalties": None}).penalties is None
    assert settings.penalties[1].arguments == {"weight": 0.1}


def test_decay_and_half_life_take_each_others_place():
    steps = for_data("faces", **{"ema.decay": 0.999})
    assert (steps.ema.decay, steps.ema.half_life, steps.ema.ramp) == (0.999, None, None)
    images = changed(steps, {"ema.half_life": 500})
    assert (images.ema.decay, images.ema.half_life, images.ema.ramp) == (None, 500.0, 0.05)
    assert changed(steps, {"ema.decay": None}) == for_data("faces")


def test_changed_parts_of_settings_can_be_given_back():
    settings = for_data(
        "faces", penalties=[{"name": "lazy", "penalty": {"name": "path_length"}}], loss={"name": "hinge"}
    )
    copied = for_data("faces", penalties=settings.penalties, loss=settings.loss)
    assert copied.penalties == settings.penalties
    assert copied.loss == settings.loss


def test_a_weight_by_resolution_is_put_in():
    part = Part("lazy", {"penalty": Part("r1", {"weight": "auto"}), "every": 4})
    assert part.weighed(0.5) == Part("lazy", {"penalty": Part("r1", {"weight": 0.5}), "every": 4})
    assert Part("r1", {"weight": 3.0}).weighed(0.5) == Part("r1", {"weight": 3.0})
