"""Every fault is told: where, which key, what came, what is expected and what to do; all of them at once."""

from __future__ import annotations

import dataclasses
import os
import pickle
import time
from pathlib import Path

import pytest

from ganmedic.settings import Settings, SettingsError, changed, dumps, for_data, load

#: Lines behind `[data] path = "x"` at line 2 and an empty third one, so that the first of these is line 4; the line of the
#: fault; and words that the message has to have.
FAULTS = [
    ("[training]\nsteps = 0", 5, ["training.steps is 0", "whole number of at least 1"]),
    ("[training]\nsteps = 10.0", 5, ["training.steps is 10.0", "Write 10, without the point"]),
    ("[training]\nsteps = 10.5", 5, ["training.steps is 10.5", "whole number"]),
    ("[training]\nsteps = true", 5, ["training.steps is true", "whole number"]),
    ('[training]\nsteps = "500"', 5, ["training.steps is '500'", "Write 500, without quotes"]),
    ("[training]\nsteps = 99999999999", 5, ["training.steps", "The largest is 2147483647"]),
    ('[training]\nprecision = "float16"', 5, ["training.precision is 'float16'", "Did you mean 'mixed_float16'?"]),
    ("[training]\njit_compile = true", 5, ["training.jit_compile is true", "run.deterministic = false"]),
    ("[training]\njit_compile = 1", 5, ["training.jit_compile is 1", "true or false, or 'auto'"]),
    ("[training]\nlearning_rate = 1e-4", 5, ["training.learning_rate", "no such key", "[optimizers.generator]"]),
    ("[trainig]\nsteps = 3", 4, ["trainig", "no such key", "Did you mean 'training'?"]),
    ("[training]\nstep = 3", 5, ["training.step:", "Did you mean 'steps'?"]),
    ("[run]\nseed = -1", 5, ["run.seed is -1", "at least 0"]),
    ("[run]\nseed = 2147483648", 5, ["run.seed is 2147483648", "2147483647"]),
    ('[run]\ndeterministic = "true"', 5, ["run.deterministic is 'true'", "Write true, without quotes"]),
    ('[run]\nfolder = "  "', 5, ["run.folder is '  '", "a folder"]),
    ("[networks]\nname = 'stlye'", 5, ["networks.name is 'stlye'", "Did you mean 'style'?"]),
    ("[networks]\narguments = [1]", 5, ["networks.arguments is [1]", "a table"]),
    ("[networks]\narguments = { a = { b = nan } }", 5, ["networks.arguments.a.b is nan", "finite"]),
    ("[networks]\narguments = { day = 2024-01-01 }", 5, ["networks.arguments.day", "2024"]),
    ('[networks]\ngenerator = "n.py:g"', 5, ["discriminator is not", "both or neither"]),
    (
        '[networks]\nname = "style"\ngenerator = "n.py:g"\ndiscriminator = "n.py:d"',
        5,
        ["of your own", "Take the name out"],
    ),
    (
        '[networks]\nwidth = 8\ngenerator = "n.py:g"\ndiscriminator = "n.py:d"',
        5,
        ["networks.width is 8", "of your own"],
    ),
    (
        '[networks]\ngenerator = "n:g"\ndiscriminator = "n.py:d"',
        5,
        ["networks.generator is 'n:g'", "'file.py:function'"],
    ),
    (
        '[networks]\narguments = { a = 1 }\ngenerator = "n.py:g"\ndiscriminator = "n.py:d"',
        5,
        ["networks.arguments is {a = 1}", "of your own"],
    ),
    ("[loss]\nname = 'wgan'", 5, ["loss.name is 'wgan'", "'wasserstein'"]),
    (
        "[loss]\nname = 'hinge'\nlabel_smoothing = 0.1",
        6,
        ["loss.label_smoothing", "'hinge' has none", "'non_saturating'"],
    ),
    (
        "[loss]\nname = 'minimax'\nlabel_smoothing = 0.7",
        6,
        ["loss.label_smoothing is 0.7", "at most 0.5", "calls real samples generated"],
    ),
    ("[loss]\nname = 'minimax'\nlabel_smoothing = 0.3\nlabel_noise = 0.3", 7, ["loss.label_noise is 0.3", "together"]),
    ("[loss]\nname = 'least_squares'\nreal_target = -1", 6, ["loss.real_target is -1", "above fake_target, 0"]),
    ("[loss]\nname = 'wasserstein'\n[[penalties]]\nname = 'lecam'", 5, ["bare", "gradient_penalty", "bounded = true"]),
    ("[loss]\nname = 'wasserstein'\n[[penalties]]\nname = 'gradient_penalty'\nweight = 0", 5, ["bare"]),
    ("[loss]\nname = 3", 5, ["loss.name is 3", "'hinge'"]),
    ("loss.name = 'x'", None, ["data.loss", "no such key"]),
    (
        "[[penalties]]\nname = 'r1'\n[[penalties]]\nname = 'r2'\nweight = -1",
        8,
        ["penalties.1.weight is -1", "at least 0", "'auto'"],
    ),
    ("[[penalties]]\nname = 'roth'\nweight = 'auto'", 6, ["penalties.0.weight is 'auto'", "a number"]),
    ("[[penalties]]\nweight = 1", 4, ["penalties.0.name is missing", "'r1'"]),
    ("[[penalties]]\nname = 'consistency'\naugment = 'flip'", 6, ["penalties.0.augment", "in a program only"]),
    ("[[penalties]]\nname = 'lazy'", 4, ["penalties.0.penalty is missing"]),
    ("[[penalties]]\nname = 'lazy'\npenalty = { name = 'lecam' }", 6, ["penalties.0.penalty.name is 'lecam'"]),
    (
        "[[penalties]]\nname = 'lazy'\n[penalties.penalty]\nname = 'r1'",
        4,
        ["lazy", "relativistic", "convergence failure"],
    ),
    ("[penalties]\nname = 'r1'", 4, ["penalties is {name = 'r1'}", "[[penalties]] with two brackets"]),
    ("[clip]\ngenerator = 'norm'", 5, ["clip.generator is 'norm'", "Write { name = 'norm' }"]),
    ("[clip.generator]\nname = 'weights'", 5, ["clip.generator.name is 'weights'", "critic"]),
    ("[clip.discriminator]\nname = 'norm'\nbond = 1", 6, ["clip.discriminator.bond", "Did you mean 'bound'?"]),
    ("[clip.discriminator]\nname = 'auto'\npercentile = 101", 6, ["percentile is 101", "above 0 and at most 100"]),
    ("[optimizers.generator]\nlearning_rate = 0", 5, ["optimizers.generator.learning_rate is 0", "above 0"]),
    ("[optimizers.generator]\nlearning_rate = inf", 5, ["learning_rate is inf", "above 0"]),
    ("[optimizers.generator]\nfinal_learning_rate = 1", 5, ["final_learning_rate is 1", "learning_rate is 0.0002"]),
    ("[optimizers.generator]\nbeta_1 = 1", 5, ["beta_1 is 1", "below 1"]),
    ("[optimizers.discriminator]\nrho = 0.9", 5, ["optimizers.discriminator.rho", "'rmsprop' has"]),
    ("[optimizers]\nlearning_rate = 0.1", 5, ["optimizers.learning_rate", "[optimizers.discriminator]"]),
    ("[balance]\ntop_k = true", 5, ["balance.top_k is true", "Write top_k = {}"]),
    (
        "[balance]\nupdate_skipping = { low = 0.9, high = 0.5 }",
        5,
        ["balance.update_skipping.low is 0.9", "below high, 0.5"],
    ),
    ("[balance]\nadaptive_weights = {}", 5, ["balance.adaptive_weights", "'relativistic_average'"]),
    (
        "[balance]\npacking = 3\n[training]\nbatch_size = 64",
        7,
        ["training.batch_size is 64", "multiple of 3", "Take 63"],
    ),
    ("[augmentation]\nname = 'ada'", 5, ["augmentation.name is 'ada'", "'adaptive'"]),
    (
        "[augmentation]\nname = 'diff_augment'\npolicy = 'colour'",
        6,
        ["augmentation.policy is 'colour'", "Did you mean 'color'?"],
    ),
    ("[augmentation]\nname = 'adaptive'\npipeline = 'bgf'", 6, ["augmentation.pipeline is 'bgf'", "There is no 'f'"]),
    (
        "[augmentation]\nname = 'adaptive'\ninitial_probability = 0.9\nmax_probability = 0.5",
        6,
        ["at most max_probability, 0.5"],
    ),
    ("[ema]\ndecay = 0.9\nhalf_life = 10", 5, ["ema.decay is 0.9 and half_life 10", "one of them"]),
    ("[ema]\ndecay = 0.9\nramp = 0.1", 6, ["ema.ramp is 0.1", "goes with half_life"]),
    ("[watch]\npreset = 'ful'", 5, ["watch.preset is 'ful'", "Did you mean 'full'?"]),
    ("[samples]\ncount = 5000", 5, ["samples.count is 5000", "from 1 to 4096"]),
    ("[metrics]\nnames = 'kid'", 5, ["metrics.names is 'kid'", "Write ['kid']"]),
    ("[metrics]\nnames = [\n  'kid',\n  'fid',\n]", 7, ["metrics.names.1 is 'fid'", "Did you mean 'kid'?"]),
    ("[metrics]\nnames = ['kid', 'kid']", 5, ["second time"]),
    ("[distribute]\nstrategy = 'mirrored'\ndevices = ['gpu0']", 6, ["distribute.devices.0 is 'gpu0'", "'GPU:0'"]),
    ("[distribute]\ndevices = ['GPU:0']", 5, ["goes with strategy = 'mirrored'"]),
    ("[distribute]\nstrategy = 'multi_worker'\nworkers = ['a:1', 'b:1']", 6, ["index is not", "TF_CONFIG"]),
    ("[distribute]\nstrategy = 'multi_worker'\nworkers = ['a:1', 'b:1']\nindex = 2", 7, ["index is 2", "below 2"]),
    (
        "[distribute]\nstrategy = 'mirrored'\ndevices = ['GPU:0', 'GPU:1', 'GPU:2']",
        None,
        ["batch_size is 64", "3 devices"],
    ),
    ("channels = 2", 4, ["data.channels is 2", "1, 3 or 4"]),
    ("resolution = 100", 4, ["data.resolution is 100", "Take 128"]),
    ("source_range = [255, 0]", 4, ["data.source_range is [255, 0]", "the lower one first"]),
    ("source_range = [0, nan]", 4, ["data.source_range is [0, nan]", "two numbers"]),
    ("channels = 4\n[augmentation]\nname = 'adaptive'", None, ["augmentation.pipeline", "1 or 3 channels"]),
    ('limit = "none"', 4, ["data.limit is 'none'", "leave the key out"]),
    ('"\\u001b[31m" = 1', 4, ["data.'\\x1b[31m'", "no such key"]),
]


def told(file: Path, text: str | bytes) -> SettingsError:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError) as caught:
        load(file)
    return caught.value


@pytest.mark.parametrize(("text", "line", "words"), FAULTS, ids=[row[0].replace("\n", " ") for row in FAULTS])
def test_a_fault_is_told(text, line, words, tmp_path):
    file = tmp_path / "train.toml"
    error = told(file, f'[data]\npath = "x"\n\n{text}\n')
    assert len(error.faults) == 1, error
    assert str(error).startswith(f"{file}: " if line is None and error.faults[0].line is None else f"{file}, line ")
    if line is not None:
        assert error.faults[0].line == line
    assert [word for word in words if word not in str(error)] == []
    assert str(error).isprintable()


def test_all_faults_are_told_at_once_in_the_order_of_the_lines(tmp_path):
    together = "[data]\nchannels = 2\n[training]\nsteps = 0\nbatch = 4\n[loss]\nname = 'hing'\n[clip]\ngenerator = 1\n"
    error = told(tmp_path / "train.toml", together)
    assert [(fault.key, fault.line) for fault in error.faults] == [
        ("data.path", 1),
        ("data.channels", 2),
        ("training.steps", 4),
        ("training.batch", 5),
        ("loss.name", 7),
        ("clip.generator", 9),
    ]
    assert len(str(error).split("\n\n")) == 6


@pytest.mark.parametrize("section", [field.name for field in dataclasses.fields(Settings)])
def test_a_number_for_a_section_is_one_fault(section, tmp_path):
    data = "" if section == "data" else "data.path = 'x'\n"
    error = told(tmp_path / "train.toml", f"{data}{section} = 3\n")
    assert [fault.key for fault in error.faults] == [section]
    assert f"{section} is 3; a " in str(error)


def test_a_fault_brings_about_no_other(tmp_path):
    text = "[data]\npath = 'x'\n[loss]\nname = 'wasserstein'\n[[penalties]]\nname = 'gradient_penality'\n"
    assert [fault.key for fault in told(tmp_path / "train.toml", text).faults] == ["penalties.0.name"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[run]\ndeterministic = True", 2, "true and false are written in small letters"),
        ("[run]\nseed = None", 2, "leave it out"),
        ("[run]\nseed: 1", 2, "joined by =, not by a colon"),
        ('[data]\npath = "C:\\Users\\me"', 2, "'single quotes'"),
        ("[data]\npath = images", 2, "Text stands in quotes"),
        ("[data]\npath = \n[run]", 2, "A value is missing"),
        ("[data\npath = 'x'", 1, "[section]"),
        ("[data]\npath = 'x'\n[data]\nlimit = 3", 3, "there twice"),
        ("[run]\nseed = 1\nseed = 2", 3, "there twice"),
        ("[data]\npath = '''x", 2, "no TOML"),
        ("[run]\n\nseed = " + "9" * 5000, 3, "thousands of digits"),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(text, line, words, tmp_path):
    error = told(tmp_path / "train.toml", text)
    assert error.faults[0].line == line
    assert words.lower() in str(error).lower()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"# nothing\n", "empty"),
        (pickle.dumps({"data": 1}), "pickle"),
        ("[data]\npath = 'ä'".encode("latin-1"), "UTF-8"),
        ("[data]\npath = 'x'".encode("utf-16"), "UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0", "binary"),
        (b"a = 1\n" * 17_000_000, "64 kB"),
        (b"\0" * 100_000_000, "binary"),
        (b"[networks]\narguments.a = " + b"[" * 30_000, "nested too deeply"),
        (b"[networks]\narguments.a = " + b"[" * 400 + b"]" * 400, "data.path"),
    ],
    ids=["empty", "comment", "pickle", "latin", "utf16", "png", "text_100MB", "zeros_100MB", "nested", "nested_less"],
)
def test_what_is_no_configuration_is_refused(content, words, tmp_path):
    error = told(tmp_path / "train.toml", content)
    assert words in str(error)
    assert str(error).startswith(str(tmp_path / "train.toml"))


def test_a_path_that_is_no_file_is_refused(tmp_path):
    (tmp_path / "right.toml").write_text("[data]\npath = 'x'\n")
    os.mkfifo(tmp_path / "pipe.toml")
    cases = {
        "wrong.toml": "'right.toml'",
        "": "folder",
        "pipe.toml": "no regular file",
        "right.toml/x": "cannot be read",
        "a\0b": "a\\x00b",
    }
    for name, words in cases.items():
        with pytest.raises(SettingsError) as caught:
            load(os.path.join(tmp_path, name))
        assert words in str(caught.value)
        assert "expected" in str(caught.value)


def test_a_file_with_a_mark_and_carriage_returns_is_read(tmp_path):
    file = tmp_path / "train.toml"
    file.write_bytes(b"\xef\xbb\xbf[data]\r\npath = 'x'\r\n[run]\r\nseed = 4\r\n")
    assert load(file).run.seed == 4
    assert told(file, b"\xef\xbb\xbf[data]\r\npath = 'x'\r\n\r\n[run]\r\nseed = -4\r\n").faults[0].line == 5


def test_a_file_full_of_faults_is_cut_short(tmp_path):
    started = time.process_time()
    error = told(tmp_path / "train.toml", "[data]\npath = 'x'\n" + "[[penalties]]\nname = 'r'\n" * 2500)
    assert len(error.faults) == 2500
    assert len(str(error).split("\n\n")) == 101
    assert "2400 faults more" in str(error)
    # A runaway comparison takes minutes.
    assert time.process_time() - started < 20


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"loss.nam": "hinge"}, "loss.nam", "Did you mean 'name'?"),
        ({"run.seed.x": 1}, "run.seed.x", "no keys of its own"),
        ({"penalties.3.weight": 1}, "penalties.3.weight", "Give the whole list"),
        ({"penalties": [{"name": "r1"}, {"name": "r9"}]}, "penalties.1.name", "'r2'"),
        ({"training": {"steps": 3, "bach_size": 1}}, "training.bach_size", "Did you mean 'batch_size'?"),
        ({"training.steps": float("nan")}, "training.steps", "whole number"),
        ({"optimizers.generator.learning_rate": 10**400}, "optimizers.generator.learning_rate", "too large"),
        ({"data.path": "a\udc80b"}, "data.path", "no UTF-8 file"),
        ({"data": None}, "data.path", "missing"),
        ({"clip.generator": object()}, "clip.generator", "a table with the name"),
    ],
)
def test_changes_are_checked_as_files_are(changes, key, words):
    settings = for_data("faces", penalties=[{"name": "r1"}])
    with pytest.raises(SettingsError) as caught:
        changed(settings, changes)
    assert [fault.key for fault in caught.value.faults] == [key]
    assert str(caught.value).startswith(key)
    assert words in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)


@pytest.mark.parametrize(
    "sound",
    [
        {"loss.name": "wasserstein"},
        {"loss.name": "wasserstein", "penalties": [], "clip.discriminator": {"name": "weights"}},
        {"loss.name": "wasserstein", "penalties": [], "networks.arguments": {"spectral_normalisation": True}},
        {
            "loss.name": "wasserstein",
            "penalties": [],
            "networks.generator": "n.py:g",
            "networks.discriminator": "n.py:d",
        },
        {"loss.name": "wasserstein", "penalties": [{"name": "lazy", "penalty": {"name": "dragan"}}]},
        {"loss.name": "hinge", "penalties": [{"name": "lazy", "penalty": {"name": "r1"}}]},
        {"penalties": [{"name": "lazy", "every": 1, "penalty": {"name": "r1"}}]},
        {"penalties": [{"name": "lazy", "every": 4, "penalty": {"name": "path_length"}}]},
        {"balance.n_critic": 2, "balance.update_skipping": {}},
        {"data.resolution": 100, "networks.name": "dense"},
        {"data.channels": 4, "augmentation.name": "adaptive", "augmentation.pipeline": "bg"},
    ],
)
def test_what_goes_together_is_let_through(sound, tmp_path):
    settings = for_data("faces", **sound)
    file = tmp_path / "train.toml"
    file.write_text(dumps(settings))
    assert load(file) == settings
    assert settings != for_data("faces")
