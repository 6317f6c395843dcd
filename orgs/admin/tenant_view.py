"""The tenant in view: staff of one company see that; who works in several, and the operator, choose."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from core import scope
from core.admin.pages import id_in
from orgs.actor import Actor, actor_for
from orgs.models import Community, Organization, User
from orgs.services import second_factor

KEY = "tenant_in_view"


@dataclass(frozen=True)
class OperatorActor(Actor):
    """The operator in the back office: everything of the tenants in view, without a membership there.

    Document flags still come from memberships alone, so an operator who is no member administers folders and groups
    but opens and uploads no paper.
    """

    in_view: frozenset[int] = frozenset()

    @cached_property
    def tenants(self) -> frozenset[int]:  # type: ignore[override]
        """The tenants in view."""
        return self.in_view

    @cached_property
    def staff_tenants(self) -> frozenset[int]:  # type: ignore[override]
        """As staff of each."""
        return self.in_view

    @cached_property
    def admin_tenants(self) -> frozenset[int]:  # type: ignore[override]
        """As administrator of each."""
        return self.in_view

    @cached_property
    def super_admin_tenants(self) -> frozenset[int]:  # type: ignore[override]
        """As super administrator of each."""
        return self.in_view

    @cached_property
    def wide_tenants(self) -> frozenset[int]:  # type: ignore[override]
        """As staff for the whole register of each."""
        return self.in_view


def enter(request: HttpRequest) -> None:
    """Narrow `request.actor`, and the tenants of this transaction, to what is in view."""
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None or actor.user is None or getattr(request, "choices", None) is not None:
        return
    request.owed = second_factor.owed(actor)  # type: ignore[attr-defined]  # before other companies go out of view
    if actor.is_operator:
        choices = list(Organization.objects.tenants().order_by("name", "id").values_list("id", "name"))
        request.actor = as_operator(actor, [c[0] for c in choices], _chosen(request, choices))  # type: ignore[attr-defined]
    else:
        tenants = actor.staff_tenants
        choices = (
            list(Organization.objects.filter(pk__in=tenants).order_by("name", "id").values_list("id", "name"))
            if tenants
            else []
        )
        if not choices:
            return
        tenant_id = _chosen(request, choices) or choices[0][0]
        request.actor = narrowed(actor, tenant_id)  # type: ignore[attr-defined]
    request.choices = choices  # type: ignore[attr-defined]
    if request.actor.tenants != scope.current().tenants:  # type: ignore[attr-defined]
        scope.enter_tenants(request.actor.tenants)  # type: ignore[attr-defined]


def _chosen(request: HttpRequest, choices: list[tuple[int, str]]) -> int | None:
    chosen = request.session.get(KEY)
    return chosen if any(chosen == tenant_id for tenant_id, _name in choices) else None


def narrowed(actor: Actor, tenant_id: int) -> Actor:
    """The same person in one tenant, and in organizations outside of all tenants: those belong to no other view."""
    if actor.tenants == {tenant_id}:
        return replace(actor, tenant_id=tenant_id, acting=True)
    with scope.all_tenants():
        found = actor_for(actor.user, door=actor.door, tenant_id=tenant_id)
    loose = tuple(m for m in actor.memberships_list if m.tenant_id is None)
    return replace(found, memberships_list=(*found.memberships_list, *loose))


def as_operator(actor: Actor, tenants: list[int], tenant_id: int | None) -> OperatorActor:
    """The operator with one tenant in view, or with all."""
    values = {f.name: getattr(actor, f.name) for f in fields(Actor)}
    values |= {
        "tenant_id": tenant_id,
        "acting": tenant_id is not None,
        "memberships_list": tuple(m for m in actor.memberships_list if tenant_id in (None, m.tenant_id)),
    }
    if tenant_id is not None:
        with scope.all_tenants():
            values["managed"] = frozenset(Community.objects.filter(tenant=tenant_id).values_list("id", flat=True))
    return OperatorActor(**values, in_view=frozenset([tenant_id] if tenant_id else tenants))


def actor_of(user: User) -> Actor:
    """The back office's actor outside of a page (uploads): the operator in all tenants, staff in theirs.

    Raises `Denied` for who owes a second factor (ORGS-054).
    """
    with scope.all_tenants():
        actor = actor_for(user, door="back_office")
        second_factor.require_none_owed(actor)
        if actor.is_operator:
            actor = as_operator(actor, list(Organization.objects.tenants().values_list("id", flat=True)), None)
    scope.identify(actor.user_id)
    scope.enter_tenants(actor.tenants)
    return actor


def choose(request: HttpRequest) -> HttpResponse:
    """Take another tenant into view, and stay on the page when it is a list."""
    if request.method == "POST":
        request.session[KEY] = id_in(request.POST.get("tenant", ""))
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}):
        target = reverse("admin:index")
    return redirect(target)


def context(request: HttpRequest) -> dict[str, Any]:
    """For the frame: what can be chosen, and what is."""
    actor: Actor | None = getattr(request, "actor", None)
    choices = getattr(request, "choices", None) or []
    chosen = actor.tenant_id if actor else None
    return {
        "tenant_choices": choices,
        "tenant_chosen": chosen,
        "tenant_name": dict(choices).get(chosen, ""),
        "tenant_all": bool(actor and actor.is_operator),
        "may_choose_tenant": len(choices) > 1 or bool(actor and actor.is_operator and choices),
    }
