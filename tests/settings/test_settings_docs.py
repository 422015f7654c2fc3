"""docs/train-config.md is the reference of the package, and its examples are read."""

from __future__ import annotations

import dataclasses
import doctest
import importlib
import os
import re
from pathlib import Path

import pytest

from ganmedic.settings import Settings, load, parts, reference
from ganmedic.settings.write_docs import MARKER, main, with_reference

PAGE = Path(__file__).parents[2] / "docs" / "train-config.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


def test_the_page_holds_the_reference_as_it_is():
    assert TEXT.split(MARKER)[1] == reference(), "python -m ganmedic.settings.write_docs docs/train-config.md"
    assert main([str(PAGE), "--check"]) == 0


def test_a_page_that_is_out_of_date_is_told_and_renewed(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text(TEXT.replace("| `batch_size` |", "| `batch` |"))
    assert main([str(page), "--check"]) == 1
    assert "out of date" in capsys.readouterr().err
    assert main([str(page)]) == 0
    assert page.read_text() == TEXT
    with pytest.raises(ValueError, match="has no line"):
        with_reference("# A page without a marker\n")


def test_every_key_and_every_part_is_in_the_reference():
    text = reference()
    for section in dataclasses.fields(Settings):
        assert re.search(rf"### `\[+{section.name}[\].]", text), section.name
    for table in (parts.LOSSES, parts.PENALTIES, parts.CLIPS, parts.BALANCE, parts.AUGMENTATIONS, parts.OPTIMIZERS):
        for name, described in table.items():
            rows = text.split(f"| **`{name}`** |")
            assert len(rows) == 2 or name == "adaptive", name
            assert any(all(f"| `{each}` |" in row for each in described.arguments) for row in rows[1:])


def test_links_within_the_page_lead_somewhere():
    anchors = {
        re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in re.findall(r"(?m)^#+ (.*)$", TEXT)
    }
    links = re.findall(r"\]\(#([^)]*)\)", TEXT)
    assert links
    assert [link for link in links if link not in anchors] == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_are_read(example, tmp_path):
    file = tmp_path / "train.toml"
    file.write_text(example, encoding="utf-8")
    assert load(file).data.path.startswith(os.fspath(tmp_path))


def test_the_examples_are_what_they_say(tmp_path):
    assert len(EXAMPLES) == 3
    read = []
    for number, example in enumerate(EXAMPLES):
        file = tmp_path / f"{number}.toml"
        file.write_text(example, encoding="utf-8")
        read.append(load(file))
    assert read[0].penalties is None
    assert (read[1].loss.name, read[1].penalties[0].name, read[1].balance.n_critic) == (
        "wasserstein",
        "gradient_penalty",
        5,
    )
    assert (read[2].augmentation.name, read[2].data.mirror) == ("adaptive", True)


@pytest.mark.parametrize(
    "name", ["changing", "faults", "lines", "reading", "sections", "tables", "writing", "describing"]
)
def test_the_examples_of_docstrings_run(name):
    module = importlib.import_module(f"ganmedic.settings.{name}")
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.testmod(module, optionflags=options).failed == 0


@pytest.mark.parametrize("program", re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL))
def test_the_program_of_the_page_runs(program, capsys):
    exec(compile(program, str(PAGE), "exec"), {})
    assert 'name = "hinge"' in capsys.readouterr().out
