"""Data that nobody vouches for: nothing in it ends the audit, leads out of its folder or takes the memory."""

from __future__ import annotations

import os
import struct
import zlib

import pytest
from making import finding, folder, photographs
from PIL import Image

from ganmedic.data import audit
from ganmedic.data.image_reading import UnreadableError, read_file


def reasons(result) -> dict[str, str]:
    return dict(result.unreadable)


def test_unreadable_files_are_named_and_not_fatal(tmp_path):
    folder(tmp_path, photographs(20))
    whole = (tmp_path / "000.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "page.jpg").write_bytes(b"<html>404</html>")
    os.mkfifo(tmp_path / "pipe.png")
    result = audit(tmp_path)
    assert set(reasons(result)) == {"cut.png", "empty.jpg", "page.jpg", "pipe.png"}
    assert reasons(result)["empty.jpg"] == "an empty file"
    assert result.samples == 23
    found = finding(result, "unreadable-files")
    assert found.severity == "error"
    assert found.numbers["unreadable"] == 4


def test_what_became_a_pipe_since_the_folder_was_listed_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(UnreadableError, match="no regular file"):
        read_file(str(tmp_path / "pipe.png"), str(tmp_path))


def test_links_out_of_the_folder_are_not_followed(tmp_path):
    outside = tmp_path / "outside"
    folder(outside, photographs(1, seed=9))
    home = folder(tmp_path / "home", photographs(12))
    (home / "link.png").symlink_to(outside / "000.png")
    (home / "within.png").symlink_to(home / "001.png")
    (home / "folder").symlink_to(outside)
    (home / "round").symlink_to(home)
    result = audit(home)
    assert list(reasons(result)) == ["link.png"]
    assert "was not followed" in reasons(result)["link.png"]
    assert result.samples == 13
    assert result.exact_extra == 1


def test_a_decompression_bomb_is_refused_without_unpacking(tmp_path):
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    folder(tmp_path, photographs(9))
    for side, name in ((30_000, "bomb.png"), (12_000, "small-bomb.png")):
        header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100_000)) + chunk(b"IEND", b"")
        (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    found = reasons(audit(tmp_path))
    assert "not unpacked" in found["small-bomb.png"]
    assert "pixels" in found["bomb.png"]


def test_a_worker_that_dies_costs_one_picture(tmp_path, monkeypatch):
    """A decoder that takes its process down is stood in for by a worker that ends at a mark in the file."""
    home = folder(tmp_path / "set", photographs(70, side=16))
    (home / "013.png").write_bytes(b"killer")
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import sys, os\n"
        "if any('worker' in one for one in sys.orig_argv):\n"
        "    import ganmedic.data.measuring as measuring\n"
        "    real = measuring.decode\n"
        "    measuring.decode = lambda data: os._exit(9) if data == b'killer' else real(data)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(site))
    result = audit(home, jobs=2)
    assert result.samples == 70
    assert any("ended its decoder" in reason for reason in reasons(result).values())
    assert any(name.endswith("013.png") for name in reasons(result))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F"])
def test_every_mode_is_read(tmp_path, mode):
    suffix = {"CMYK": "tif", "YCbCr": "tif", "F": "tif", "I": "tif", "I;16": "tif"}.get(mode, "png")
    for number, image in enumerate(photographs(8, side=24)):
        wanted = Image.new("I;16", image.size, number * 1000) if mode == "I;16" else image.convert(mode)
        wanted.save(tmp_path / f"{number}.{suffix}")
    result = audit(tmp_path)
    assert result.unreadable_count == 0
    assert sum(result.modes.values()) == 8
    if mode == "I;16":
        # 7,000 of 65,535, told in bytes.
        assert result.channels[0].maximum == 7000 * 255 // 65535
