"""Findings of one chain are linked, and the root comes first."""

from __future__ import annotations

from ganmedic.causes.links import EXPLAINS, explained_by
from ganmedic.causes.table import CAUSES
from ganmedic.diagnosis import _link, rank
from ganmedic.finding import Finding


def finding(cause: str, confidence: float = 0.9) -> Finding:
    return Finding(cause, "error", confidence, "generator", cause)


def test_links_are_between_causes_that_exist() -> None:
    slugs = {name.replace("_", "-") for name in CAUSES}
    assert set(EXPLAINS) <= slugs
    assert {cause for causes in EXPLAINS.values() for cause in causes} <= slugs
    assert all(cause not in causes for cause, causes in EXPLAINS.items())


def test_a_root_is_first_though_it_is_less_sure() -> None:
    found = [finding("depth-attenuation", 0.99), finding("weight-clipping", 0.6)]
    ranked = rank(_link(found))
    assert [one.cause for one in ranked] == ["weight-clipping", "depth-attenuation"]
    assert ranked[0].explains == ("depth-attenuation",)
    assert ranked[1].explains == ()


def test_a_chain_is_followed_to_its_end() -> None:
    others = frozenset({"saturated-activation", "depth-attenuation"})
    assert set(explained_by("output-loss-mismatch", others)) == {"saturated-activation", "depth-attenuation"}


def test_what_is_not_there_is_not_explained() -> None:
    assert explained_by("saturated-activation", frozenset()) == ()


def test_findings_that_have_nothing_to_do_with_one_another_stay_in_order_of_weight() -> None:
    found = [finding("dead-relu", 0.7), finding("clip-too-tight", 0.9)]
    assert [one.cause for one in rank(_link(found))] == ["clip-too-tight", "dead-relu"]
