"""Every cause has a complete page, the documentation holds the same pages, and every example does what it says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ganmedic.causes.pages import HEADINGS, page, pages
from ganmedic.causes.table import CAUSES
from ganmedic.causes.write_docs import documents, main, out_of_date

ROOT = Path(__file__).parents[2]
FAMILIES = {"missing", "vanishing", "exploding", "dynamics", "data"}
SLUGS = [name.replace("_", "-") for name in CAUSES]

#: Runs each example in a namespace of its own and prints what became of it, as JSON on the last line.
RUN_EXAMPLES = """
import json, sys, time, traceback
import keras
import tensorflow as tf
answers = {}
for name, code in json.load(sys.stdin).items():
    keras.utils.set_random_seed(0)
    begin = time.perf_counter()
    try:
        exec(compile(code, name, "exec"), {"__name__": name})
        failure = ""
    except BaseException:
        failure = traceback.format_exc()
    answers[name] = {"failure": failure, "seconds": time.perf_counter() - begin}
print(json.dumps(answers))
"""


def code_blocks(markdown: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", markdown, flags=re.MULTILINE | re.DOTALL)


def sections(markdown: str) -> list[str]:
    outside_of_code = re.sub(r"^```.*?^```$", "", markdown, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^## (.+)$", outside_of_code, flags=re.MULTILINE)


def test_pages_come_in_the_order_of_the_table() -> None:
    assert list(pages()) == SLUGS
    assert len(set(CAUSES)) == len(CAUSES)


@pytest.mark.parametrize("slug", SLUGS)
def test_page_is_complete(slug: str) -> None:
    found = page(slug)
    assert found.slug == slug
    assert found.family in FAMILIES
    assert 0 < len(found.title) <= 70
    assert not found.title.endswith(".")
    lines = found.markdown.splitlines()
    assert lines[0] == f"# {found.title}"
    assert re.fullmatch(r"[A-Z`].*[^.]\.", lines[4]), "the page begins with one sentence"
    assert sections(found.markdown) == list(HEADINGS)
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize("slug", SLUGS)
def test_page_shows_the_fault_and_its_correction(slug: str) -> None:
    faulty, corrected = code_blocks(page(slug).markdown)
    assert faulty.startswith("# faulty\n")
    assert corrected.startswith("# corrected\n")
    assert "assert" in faulty
    assert "assert" in corrected


@pytest.mark.parametrize("slug", SLUGS)
def test_page_names_only_causes_that_exist(slug: str) -> None:
    text = page(slug).markdown
    confused = text[text.index("## Not to be confused with") : text.index("## Remedy")]
    named = set(re.findall(r"^- `([a-z]+(?:-[a-z]+)+)`", confused, flags=re.MULTILINE))
    assert named
    assert slug not in named
    assert named & set(SLUGS)


def test_unknown_cause_is_answered_with_the_nearest() -> None:
    with pytest.raises(KeyError, match=r"There is no cause named 'stop-gradeint'\. Did you mean stop-gradient"):
        page("stop-gradeint")
    with pytest.raises(KeyError, match="Did you mean not-applied"):
        page("not_applied")
    with pytest.raises(KeyError, match="The causes are variable-unused, "):
        page("?")


def test_documentation_is_up_to_date() -> None:
    assert out_of_date(ROOT / "docs" / "causes") == []


def test_write_docs_writes_and_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "causes"
    assert main([str(target), "--check"]) == 1
    assert main([str(target)]) == 0
    assert {path.name for path in target.iterdir()} == set(documents())
    assert main([str(target), "--check"]) == 0
    (target / "frozen.md").write_text("something else", encoding="utf-8")
    (target / "no-such-cause.md").write_text("", encoding="utf-8")
    capsys.readouterr()
    assert main([str(target), "--check"]) == 1
    complaints = capsys.readouterr().err.splitlines()
    assert [Path(line.split(": ")[1]).name for line in complaints] == ["frozen.md", "no-such-cause.md"]


def test_every_cause_is_reached_from_the_questions() -> None:
    text = (ROOT / "docs" / "faq.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(causes/([a-z0-9-]+)\.md\)", text))
    assert linked == set(SLUGS)


def test_pages_are_read_without_tensorflow() -> None:
    check = "import sys; from ganmedic.causes.pages import pages; pages(); print('tensorflow' in sys.modules)"
    child = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "False"


@pytest.mark.tensorflow
def test_examples_run_and_hold() -> None:
    examples = {}
    for found in pages().values():
        for code in code_blocks(found.markdown):
            examples[f"{found.slug} {code.splitlines()[0].lstrip('# ')}"] = code
    assert len(examples) == 2 * len(CAUSES)
    child = subprocess.run(
        [sys.executable, "-c", RUN_EXAMPLES], input=json.dumps(examples), capture_output=True, text=True, check=False
    )
    assert child.returncode == 0, child.stderr
    answers = json.loads(child.stdout.splitlines()[-1])
    assert answers.keys() == examples.keys()
    failures = {name: answer["failure"] for name, answer in answers.items() if answer["failure"]}
    assert not failures, "\n\n".join(f"{name}\n{failure}" for name, failure in failures.items())
    slow = {name: answer["seconds"] for name, answer in answers.items() if answer["seconds"] > 10.0}
    assert not slow
