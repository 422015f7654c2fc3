"""The page of a run tells how it stands, and what comes from outside stays text."""

from __future__ import annotations

import dataclasses
import math

import pytest

from ganmedic.training.showing.run_readme import RunSummary, write_readme

SUMMARY = RunSummary(
    title="dcgan on shapes, 32 pixels",
    command="ganmedic train shapes.toml",
    data_line="60000 images of 32 x 32 x 3",
    networks_line="generator 1.2 M, discriminator 0.8 M parameters",
    state="finished",
    step=20000,
    total_steps=20000,
    seconds=3909,
    images_per_second=812.4,
    figures={"d_loss": 0.6931, "g_loss": math.nan},
    interventions=["step 400: the learning rate of D was halved, because its scores ran away"],
    commands={"make samples": "ganmedic sample runs/shapes"},
)


def page(folder, **changes) -> str:
    return write_readme(folder, dataclasses.replace(SUMMARY, **changes)).read_text(encoding="utf-8")


def test_the_page_has_what_a_person_asks(tmp_path) -> None:
    text = page(tmp_path)
    for words in (
        "# dcgan on shapes, 32 pixels\n",
        "**Finished**: 20000 steps in 1:05:09, 812 images a second.",
        "60000 images of 32 x 32 x 3",
        "| D loss | 0.693 |",
        "| G loss | **NaN** |",
        "- step 400: the learning rate of D was halved, because its scores ran away",
        "Make samples:\n\n    ganmedic sample runs/shapes\n",
        "## What was found\n\nNothing.",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("running", "**Running**: step 500 of 20000 (2 %) after 1:05:09"),
        ("stopped", "**Stopped** at step 500 of 20000 (2 %)"),
        ("failed", "**Ended by an error** at step 500 of 20000 (2 %)"),
    ],
)
def test_the_state_is_told(tmp_path, state: str, words: str) -> None:
    assert words in page(tmp_path, state=state, step=500)


def test_only_what_is_there_is_told_of(tmp_path) -> None:
    assert "![" not in page(tmp_path)
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "latest.png").touch()
    (tmp_path / "odd.bin").touch()
    text = page(tmp_path, files={"odd.bin": "odd things", "absent": "nothing"})
    assert "![Samples of the generator](samples/latest.png)" in text
    assert "curves.png" not in text
    assert "| `samples/` |" in text
    assert "| `odd.bin` | odd things |" in text
    assert "absent" not in text
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["README.md", "odd.bin", "samples"]


def test_text_from_outside_is_text(tmp_path) -> None:
    text = page(
        tmp_path,
        title="<script>alert(1)</script>\n# x",
        findings=["a | b [c](javascript:x) \x1b[31m `d`", "- e"],
        state="failed",
        error="ValueError: x\n```\n<b>",
    )
    assert r"\<script\>alert(1)\</script\> \# x" in text
    assert r"- a \| b \[c\](javascript:x) \\x1b\[31m \`d\`" in text
    assert r"- \- e" in text
    # Indented lines are code, whatever is in them.
    assert "    ValueError: x\n    ```\n    <b>\n" in text
    assert "\x1b" not in text


def test_an_unknown_state_and_a_missing_folder_are_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="Did you mean 'finished'"):
        dataclasses.replace(SUMMARY, state="finish")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        write_readme(tmp_path / "none", SUMMARY)
