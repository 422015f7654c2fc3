"""The lines of a script that decide on its data."""

from __future__ import annotations

import ast

import pytest

from ganmedic.analysis import data_lines
from ganmedic.analysis.run import Run
from record.building import Script


def script(text: str) -> tuple[Script, Run]:
    """A script and its run; the line that a test is about is marked with ``# here``."""
    made = Script(text)
    return made, Run.of(made.record)


def lines(text: str) -> list[str]:
    """The text of the lines that prepare the data."""
    made, run = script(text)
    return [made.record.line(one.place.file, one.place.line) for one in data_lines.preparation(run)]


def parsed(text: str) -> ast.AST:
    return ast.parse(text).body[0]


# --- preparation ------------------------------------------------------------------------------------------------------

ALL = {
    "a data set": """
        (images, _), _ = keras.datasets.mnist.load_data()
        images = images.astype("float32")
        images = images / 127.5 - 1.0
        other = 3
        dataset = tf.data.Dataset.from_tensor_slices(images).batch(64)
        optimizer = Adam(1e-4)
    """,
    "fit": """
        rows = np.loadtxt("table.csv")
        rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
        gan.fit(rows, epochs=3)
        rate = 0.5
    """,
    "slices in a loop": """
        data = np.load("data.npy")
        for index in range(100):
            step(data[index * 32 : index * 32 + 32])
    """,
    "a name for each stage": """
        first = np.load("data.npy")
        second = first / 255.0
        third = second.reshape(-1, 64)
        dataset = Dataset.from_tensor_slices(third)
    """,
}
TOLD = {
    "a data set": ["load_data()", "astype", "127.5"],
    "fit": ["loadtxt", "mean(axis=0)"],
    "slices in a loop": ["np.load"],
    "a name for each stage": ["np.load", "255.0", "reshape"],
}


@pytest.mark.parametrize("name", ALL)
def test_preparation_is_what_leads_to_what_is_trained_on(name):
    found = lines(ALL[name])
    assert len(found) == len(TOLD[name])
    assert all(piece in line for piece, line in zip(TOLD[name], found, strict=True))


def test_what_a_function_does_to_the_data_belongs_to_it():
    found = lines("""
        def load():
            raw = np.load("data.npy")
            return raw // 255
        def unrelated():
            return 7 / 2
        images = load()
        dataset = Dataset.from_tensor_slices(images)
    """)
    assert [line.strip() for line in found] == ['raw = np.load("data.npy")', "return raw // 255", "images = load()"]


@pytest.mark.parametrize(("mapped", "piece"), [("scale", "255.0"), ("lambda one: one / 127.5 - 1.0", "127.5")])
def test_what_a_data_set_is_mapped_through_belongs_to_it(mapped, piece):
    found = lines(f"""
        def scale(one):
            return one / 255.0
        images = np.load("data.npy")
        dataset = Dataset.from_tensor_slices(images).map({mapped})
    """)
    assert len(found) == 2
    assert sum(piece in line for line in found) == 1


def test_a_script_without_data_has_no_preparation():
    assert lines("x = 3\n") == []
    assert lines("") == []
    assert lines("x = (\n") == []
    _, run = script("x = 3\n")
    assert data_lines.handover(run) is None


# --- which line -------------------------------------------------------------------------------------------------------

HANDED = {
    "the last arithmetic": """
        images = load_data()
        images = images / 255.0
        images = images / 255.0  # here
        images = images.astype("float32")
        dataset = Dataset.from_tensor_slices(images)
    """,
    "else the last cast": """
        images = load_data()
        images = images.astype("float32")  # here
        images = images[..., None]
        dataset = Dataset.from_tensor_slices(images)
    """,
    "else the last line": """
        images = load_data()
        images = images[..., None]  # here
        dataset = Dataset.from_tensor_slices(images)
    """,
}


@pytest.mark.parametrize("name", HANDED)
def test_the_handover_is_the_last_line_that_changes_values(name):
    made, run = script(HANDED[name])
    found = data_lines.handover(run)
    assert found is not None
    assert (found.file, found.line) == (made.place("# here").file, made.place("# here").line)


def test_the_last_line_that_calls_a_function_is_found():
    made, run = script("""
        rows = np.log(load_data())
        rows = np.log(rows)  # here
        rows = rows * 2
        dataset = Dataset.from_tensor_slices(rows)
        loss = np.log(3)
    """)
    assert data_lines.last_where(run, data_lines.calls("log", "log10")).line == made.place("# here").line
    assert data_lines.last_where(run, data_lines.calls("sqrt")) is None


def test_a_call_is_found_wherever_it_stands_and_with_its_keyword():
    made, run = script("""
        dataset = dataset.shuffle(10)
        gan.fit(
            data,
            shuffle=False,  # here
        )
        gan.fit(data)
    """)
    assert data_lines.place_of_call(run, "fit", keyword="shuffle").line == made.place("# here").line
    assert data_lines.place_of_call(run, "shuffle").line == made.place("shuffle(10)").line
    assert data_lines.place_of_call(run, "fit").line == made.place("gan.fit(data)").line
    assert data_lines.place_of_call(run, "fit", keyword="epochs") is None


def test_of_a_chain_over_several_lines_the_line_of_the_call_is_told():
    made, run = script("""
        dataset = (
            Dataset.from_tensor_slices(images)
            .shuffle(10)  # here
            .batch(64)
        )
    """)
    assert data_lines.place_of_call(run, "shuffle").line == made.place("# here").line


# --- what a line does -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = y // 255", True),
        ("x = (y / 255.0).astype('uint8')", True),
        ("x = (y / 127.5 - 1).astype(int)", True),
        ("x = tf.cast(y / 255, tf.int32)", True),
        ("x = np.round(y / 255)", True),
        ("x = np.array(y / 255, dtype='int64')", True),
        ("x = y / 255.0", False),
        ("x = (y / 255.0).astype('float32')", False),
        ("x = y.astype('int32')", False),
        ("n = len(y) // 64", False),
        ("x = tf.cast(y, tf.float32) / 127.5", False),
    ],
)
def test_lines_that_leave_whole_numbers_are_told(text, expected):
    assert bool(data_lines.makes_whole(parsed(text))) is expected


@pytest.mark.parametrize(
    ("text", "division", "cast"),
    [
        ("x = y / 2", True, False),
        ("x = y // 2", True, False),
        ("x = y.astype('float32')", False, True),
        ("x = tf.cast(y, tf.float32) / 255", True, True),
        ("x = np.float32(y)", False, True),
        ("x = y * 2", False, False),
    ],
)
def test_divisions_and_casts_are_told(text, division, cast):
    assert data_lines.is_arithmetic(parsed(text)) is division
    assert data_lines.is_cast(parsed(text)) is cast


def test_whole_numbers_by_the_type_of_a_call_are_told():
    made, run = script("""
        good = tf.constant(rows / 255, dtype="float32")
        bad = tf.constant(rows / 255, dtype=tf.int32)  # here
    """)
    assert data_lines.whole_by_keyword(run).line == made.place("# here").line
    _, run = script("good = tf.constant(rows / 255, dtype='float32')\n")
    assert data_lines.whole_by_keyword(run) is None
