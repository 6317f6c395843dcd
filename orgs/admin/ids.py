"""The ids by which programs name things in their calls, read where people keep the thing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from core.admin.pages import Cell, Section

if TYPE_CHECKING:
    from orgs.models import Community, Membership, Organization


def of_organization(organization: Organization) -> list[Section]:
    """The network of the support API is the company; a branch is none."""
    return [_section([_network(organization)])] if organization.is_tenant else []


def of_community(community: Community) -> list[Section]:
    """The place of tickets, and the network it belongs to."""
    return [_section([(_("Community"), community.uuid, ("locationRef",)), _network(community.tenant)])]


def of_person(member: Membership | None) -> list[Section]:
    """The account and its place in the company; nothing for people of the register alone."""
    if member is None:
        return []
    account = (_("Account"), member.user.uuid, ("userRefRequester", "userRefAssignee"))
    place = (_("Membership"), member.uuid, ("membershipRefRequester", "membershipRefAssignee"))
    return [_section([account, place])]


def _network(organization: Organization) -> tuple[Any, Any, tuple[str, ...]]:
    return _("Network"), organization.uuid, ("spacebring-network-id",)


def _section(lines: list[tuple[Any, Any, tuple[str, ...]]]) -> Section:
    return Section(
        _("Ids for the interfaces"),
        [_("What"), _("Id"), _("Called in the support API")],
        [[Cell(what), Cell(value), Cell(", ".join(names))] for what, value, names in lines],
        note=_("Programs that call the interfaces of Quartier need them."),
    )
