"""Every kind of data set is read, and comes to the same statistics as NumPy's."""

from __future__ import annotations

import io
import os
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from making import array, example, folder, photographs, tfrecord
from PIL import Image

from ganmedic.data import DataError, audit, open_source
from ganmedic.data.sources import needs


def png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def check(result, values, samples=60):
    """Mean, spread, ends and histogram against NumPy."""
    flat = values.reshape(-1, values.shape[-1]).astype(np.float64)
    assert result.samples == samples
    assert np.allclose([channel.mean for channel in result.channels], flat.mean(0))
    assert np.allclose([channel.spread for channel in result.channels], flat.std(0))
    assert [channel.minimum for channel in result.channels] == flat.min(0).tolist()
    assert [channel.maximum for channel in result.channels] == flat.max(0).tolist()
    assert [sum(channel.counts) for channel in result.channels] == [len(flat)] * flat.shape[1]


def test_a_folder_with_classes(tmp_path):
    result = audit(folder(tmp_path / "set", photographs(60), classes=3))
    check(result, array())
    assert result.classes == {"c0": 20, "c1": 20, "c2": 20}
    assert result.modes == {"RGB": 60}
    assert result.shapes == (((48, 48, 3), 60),)


def test_an_array_in_memory():
    result = audit(array(), np.repeat(["cat", "dog"], 30))
    check(result, array())
    assert result.classes == {"cat": 30, "dog": 30}


def test_npy_and_npz(tmp_path):
    np.save(tmp_path / "a.npy", array())
    np.savez_compressed(tmp_path / "a.npz", x_train=array(), y_train=np.arange(60) % 5)
    check(audit(tmp_path / "a.npy"), array())
    packed = audit(tmp_path / "a.npz")
    check(packed, array())
    assert list(packed.classes.values()) == [12] * 5


def test_floats_channels_first_are_turned():
    values = array().astype(np.float32)
    result = audit(np.moveaxis(values, -1, 1))
    check(result, values)
    assert "channels-first" in result.notes[0]


def test_batches_of_a_program():
    values = array().astype(np.float32)
    result = audit(
        (values[begin : begin + 16], np.arange(begin, begin + len(values[begin : begin + 16])) % 2)
        for begin in range(0, 60, 16)
    )
    check(result, values)
    assert list(result.classes.values()) == [30, 30]


@pytest.mark.tensorflow
def test_a_tensorflow_dataset():
    import tensorflow as tf

    values = array().astype(np.float32)
    dataset = tf.data.Dataset.from_tensor_slices((values, np.arange(60) % 3))
    for given in (dataset, dataset.batch(16)):
        result = audit(given)
        check(result, values)
        assert result.kind == "tf.data.Dataset"
        assert list(result.classes.values()) == [20, 20, 20]
    with pytest.raises(DataError, match="repeats for ever"):
        audit(dataset.repeat())
    assert audit(dataset.repeat(), limit=100).samples == 100


def test_csv(tmp_path):
    values = np.random.default_rng(0).normal(size=(500, 3))
    lines = [",".join(map(repr, row.tolist())) + f",{'ab'[place % 2]}" for place, row in enumerate(values)]
    (tmp_path / "t.csv").write_text("x,y,z,label\n" + "\n".join(lines) + "\n")
    result = audit(tmp_path / "t.csv")
    check(result, values, 500)
    assert [channel.name for channel in result.channels] == ["x", "y", "z"]
    assert result.classes == {"a": 250, "b": 250}


def test_csv_with_odd_lines_and_cells(tmp_path):
    (tmp_path / "t.csv").write_text("p;q\n" + "1;2\n" * 50 + ";3\n" + "1;oops\n" + "1;2;3\n" + "inf;2\n")
    result = audit(tmp_path / "t.csv")
    assert result.samples == 53
    assert [channel.empty for channel in result.channels] == [1, 1]
    assert [channel.nonfinite for channel in result.channels] == [1, 0]
    assert "1 lines" in result.unreadable[0][0]


def test_parquet_and_arrow(tmp_path):
    values = np.random.default_rng(0).normal(size=(500, 2))
    table = pa.table({"a": values[:, 0], "b": values[:, 1], "target": [0, 1] * 250})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    pyarrow.feather.write_feather(table, tmp_path / "t.feather")
    for name in ("t.parquet", "t.feather"):
        result = audit(tmp_path / name)
        check(result, np.column_stack([values]), 500)
        assert result.classes == {"0": 250, "1": 250}


def test_a_hugging_face_folder(tmp_path):
    images = pa.array([{"bytes": png(image), "path": None} for image in photographs(60)])
    described = b'{"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}'
    table = pa.table({"image": images, "label": [0, 1] * 30}).replace_schema_metadata({b"huggingface": described})
    home = tmp_path / "set" / "train"
    home.mkdir(parents=True)
    (tmp_path / "set" / "dataset_dict.json").write_text('{"splits": ["test", "train"]}')
    with (
        pa.OSFile(str(home / "data-00000-of-00001.arrow"), "wb") as sink,
        pa.ipc.new_stream(sink, table.schema) as writer,
    ):
        writer.write_table(table)
    result = audit(tmp_path / "set")
    check(result, array())
    assert result.kind == "Hugging Face dataset"
    assert result.classes == {"cat": 30, "dog": 30}


def test_tfrecords_as_pictures_and_as_raw_bytes(tmp_path):
    encoded = [example(image=[png(image)], label=[number % 4]) for number, image in enumerate(photographs(60))]
    check(audit(tfrecord(tmp_path / "a.tfrecord", encoded)), array())
    raw = [example(image_raw=[one.tobytes()], height=[48], width=[48]) for one in array()]
    check(audit(tfrecord(tmp_path / "b.tfrecord", raw)), array())


def test_tfrecords_of_a_tfds_folder(tmp_path):
    records = [example(image=[png(image)], label=[number % 2]) for number, image in enumerate(photographs(60))]
    tfrecord(tmp_path / "pets-train.tfrecord-00000-of-00001", records)
    tfrecord(tmp_path / "pets-test.tfrecord-00000-of-00001", records[:5])
    (tmp_path / "features.json").write_text("{}")
    (tmp_path / "label.labels.txt").write_text("cat\ndog\n")
    result = audit(tmp_path)
    check(result, array())
    assert result.kind == "TensorFlow Datasets"
    assert result.classes == {"cat": 30, "dog": 30}


def test_a_damaged_tfrecord_is_named_and_the_rest_is_read(tmp_path):
    path = tfrecord(tmp_path / "a.tfrecord", [example(image=[png(image)]) for image in photographs(20)])
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(bytes(data[:-10]))
    result = audit(path)
    assert result.samples == 18
    assert result.unreadable_count == 2
    assert {reason for _, reason in result.unreadable} == {
        "the data of a record is damaged (its checksum differs)",
        "the file is cut off",
    }


def test_rows_of_numbers_are_a_table():
    result = audit(np.random.default_rng(0).normal(size=(300, 64)))
    assert result.content == "table"
    assert len(result.channels) == 64


def test_pickles_are_never_loaded(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "was-run"),)

    np.save(tmp_path / "a.npy", np.array([Bomb()], object), allow_pickle=True)
    np.savez(tmp_path / "a.npz", x=np.array([Bomb()], object))
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(Bomb()))
    for name in ("a.npy", "a.npz", "a.pkl"):
        with pytest.raises(DataError, match="pickle"):
            audit(tmp_path / name)
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.npy", None, "There is no"),
        ("a.xyz", b"?", "of no known kind"),
        ("a.npz", b"not a zip", "cannot be read as an .npz"),
        ("a.parquet", b"PAR1 no", "cannot be read as Parquet"),
        ("a.tfrecord", b"x" * 40, "holds no readable record"),
        ("a.csv", b"a,b\n", "holds no row"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        audit(tmp_path / name)


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(DataError, match="holds no image: 1 other files"):
        audit(tmp_path)


def test_a_missing_package_is_named(monkeypatch, tmp_path):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(needs.importlib, "import_module", missing)
    with pytest.raises(DataError, match=r"needs pillow, which is not installed: pip install 'ganmedic\[data\]'"):
        audit(np.zeros((4, 8, 8, 3), np.uint8))
    (tmp_path / "t.csv").write_text("a\n1\n")
    with pytest.raises(DataError, match=r"needs pyarrow"):
        open_source(tmp_path / "t.csv")


def test_a_fourth_channel_of_an_array_is_measured_too():
    values = np.concatenate([array(), array(seed=1)[..., :1]], axis=-1)
    check(audit(values), values)


def test_truth_values_are_looked_at_as_black_and_white():
    values = array() > 128
    result = audit(values)
    assert [channel.maximum for channel in result.channels] == [1.0] * 3
    assert "constant" not in result.looks


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1, 2], "batches of samples are expected"),
        ([np.zeros((300, 16, 16, 3)), np.zeros((9, 8, 8, 3))], "must have the same shape"),
        ([], "gives no element"),
        (None, "an iterable of batches is expected"),
    ],
)
def test_what_is_no_data_of_a_program_is_refused(given, message):
    with pytest.raises(DataError, match=message):
        audit(given)
