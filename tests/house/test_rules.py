"""Which rules of the contracts a test claims. What is claimed once stays claimed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
CLAIMED = TESTS / "contracts_claimed.txt"
_RULE = re.compile(r"^(?:\d+\.|\W)*\s*\**([A-Z]+-\d{3})\b")


def _rules() -> dict[str, str]:
    """Each rule's id and the contract it stands in."""
    return {
        found.group(1): document.stem
        for document in sorted((TESTS / "contracts").glob("*.md"))
        for line in document.read_text(encoding="utf-8").splitlines()
        if (found := _RULE.match(line))
    }


def _claims() -> Iterator[tuple[str, str]]:
    """The ids in every `pytest.mark.rule(…)`, with the file that names them."""
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("pytest.mark.rule", "mark.rule"):
                for argument in node.args:
                    assert isinstance(argument, ast.Constant), f"{path}:{node.lineno}: name the rules literally"
                    yield str(argument.value), path.relative_to(TESTS).as_posix()


def test_only_rules_that_exist_are_claimed() -> None:
    rules = _rules()
    unknown = [f"{rule} in {path}" for rule, path in _claims() if rule not in rules]
    assert not unknown


def test_no_rule_loses_its_test() -> None:
    """`contracts_claimed.txt` lists the rules that have a test; it may only grow."""
    listed = CLAIMED.read_text().split()
    assert listed == sorted(set(listed)), "keep the list sorted, one rule once"
    lost = sorted(set(listed) - {rule for rule, _ in _claims()})
    assert not lost, "these rules had a test"


def test_the_list_of_claimed_rules_is_complete() -> None:
    missing = sorted({rule for rule, _ in _claims()} - set(CLAIMED.read_text().split()))
    assert not missing, "add these to tests/contracts_claimed.txt"


def test_rules_without_a_test_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """Not a gate yet: `script/test tests/house/test_rules.py -s` shows what is left."""
    rules, claimed = _rules(), {rule for rule, _ in _claims()}
    with capsys.disabled():
        for contract in sorted(set(rules.values())):
            ids = sorted(rule for rule, home in rules.items() if home == contract)
            left = [rule for rule in ids if rule not in claimed]
            print(f"\n{contract}: {len(ids) - len(left)} of {len(ids)} rules claimed, left: {' '.join(left)}")
    assert rules
