"""One right, one place: doors ask a queryset what an actor sees, they do not work it out (docs/architecture.md)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = ("core", "orgs", "messaging", "docms", "tickets", "processes", "portal")
DOORS = ("admin", "api", "web")
# Words of querysets that say who sees what; what comes after them only narrows.
RULES = {
    "visible_to", "managed_by", "administered_by", "held_by", "watched_by", "with_ancestors", "in_folder", "search",
    "tenants", "worked_on_by",
}  # fmt: skip
# What an actor reaches. A filter made of these is a read rule.
REACH = {
    "tenants", "staff_tenants", "admin_tenants", "super_admin_tenants", "wide_tenants", "managed", "communities",
    "units", "administered_units", "board_of", "contact_ids", "membership_ids", "organizations", "owned_organizations",
}  # fmt: skip
TENANT = {"tenant", "tenant_id", "tenant__in", "tenant_id__in"}
# Not a matter of seeing. Each with its reason.
KNOWN = {
    "docms/api/groups.py:group": "DOCMS-062 tells a group of the tenant from an unknown one",
    "docms/api/logs.py:get": "the log of a document that was found through `visible_to`",
    "core/admin/history.py:entries_of": "the history of one row that its page has found",
    "orgs/admin/tenant_view.py:as_operator": "builds the operator's actor, from which the rules read",
}


def flagged(source: str) -> list[tuple[str, int]]:
    """Function and line of each filter by hand: on a manager, by tenant or by what an actor reaches, without a rule."""
    found: list[tuple[str, int]] = []

    def walk(node: ast.AST, function: str) -> None:
        name = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else function
        if isinstance(node, ast.Call) and _is_by_hand(node):
            found.append((name, node.lineno))
        for child in ast.iter_child_nodes(node):
            walk(child, name)

    walk(ast.parse(source), "")
    return found


def _is_by_hand(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("filter", "exclude", "get"):
        return False
    words, root = _chain(call.func.value)
    if "objects" not in words or set(words) & RULES or not isinstance(root, ast.Name):
        return False
    asked = [*call.args, *(keyword.value for keyword in call.keywords)]
    reach = any(_is_reach(part) for value in asked for part in ast.walk(value))
    inner = {keyword.arg for value in asked for part in ast.walk(value) if _is_q(part) for keyword in part.keywords}  # type: ignore[attr-defined]
    return reach or bool(TENANT & ({keyword.arg for keyword in call.keywords} | inner))


def _chain(node: ast.AST) -> tuple[list[str], ast.AST]:
    """The words of `Model.objects.a(…).b`, and what they begin with."""
    words: list[str] = []
    while isinstance(node, ast.Attribute | ast.Call):
        if isinstance(node, ast.Attribute):
            words.append(node.attr)
            node = node.value
        else:
            node = node.func
    return words, node


def _is_reach(node: ast.AST) -> bool:
    if not (isinstance(node, ast.Attribute) and node.attr in REACH):
        return False
    whose = node.value
    return (isinstance(whose, ast.Name) and whose.id == "actor") or (
        isinstance(whose, ast.Attribute) and whose.attr == "actor"
    )


def _is_q(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Q"


def test_no_door_filters_by_hand() -> None:
    sources = [path for floor in FLOORS for door in DOORS for path in (ROOT / floor).glob(f"{door}/**/*.py")]
    sources += [path for floor in FLOORS for door in DOORS for path in (ROOT / floor).glob(f"{door}.py")]
    assert len(sources) > 60
    by_hand = {
        f"{path.relative_to(ROOT)}:{function}": line
        for path in sources
        for function, line in flagged(path.read_text(encoding="utf-8"))
    }
    assert by_hand.keys() - KNOWN.keys() == set(), by_hand
    assert KNOWN.keys() - by_hand.keys() == set()


@pytest.mark.parametrize(
    "code",
    [
        "def seen(actor): return Run.objects.filter(tenant__in=actor.wide_tenants)",
        "def seen(self, request): return Unit.objects.exclude(closed=True).filter(community__in=request.actor.managed)",
        "def seen(actor): return Unit.objects.filter(Q(community__in=actor.managed) | Q(pk=1))",
        "def seen(view): return Paper.objects.filter(pk=1, tenant=view.tenant.pk)",
        "def seen(view): return Paper.objects.filter(Q(tenant=view.tenant.pk) | Q(tenant=None))",
    ],
)
def test_a_filter_by_hand_is_flagged(code: str) -> None:
    assert flagged(code) == [("seen", 1)]


@pytest.mark.parametrize(
    "code",
    [
        "def seen(actor): return Run.objects.visible_to(actor).filter(tenant=actor.tenant_id)",
        "def seen(actor): return Unit.objects.visible_to(actor).filter(pk__in=actor.units)",
        "def seen(actor, folder): return Label.objects.filter(folder=folder)",
        "def made(tenant): return rows.create(Run, tenant=tenant)",
        "def shown(found, actor): return found.filter(tenant=actor.tenant_id)",
    ],
)
def test_narrowing_and_other_filters_are_not_flagged(code: str) -> None:
    assert flagged(code) == []
