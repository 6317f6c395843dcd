"""Group administrators: what a tenant lets them do with the people of their groups (DOCMS-067 … 085).

Who administers no group, and everybody while `groupadmin_active` is off, is refused; so is what a switch forbids. People
outside the administered groups do not exist, and administrators of the tenant are none of their business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Case, Count, F, Q, Value, When
from django.utils.translation import gettext as _

from core.errors import Denied, NotFound
from core.text import Plain, holding
from docms.models import Group, GroupMember
from docms.services import groups, members
from docms.services.audiences import group_ids_of, people_by_key
from docms.services.names import refuse_unknown
from orgs import rules as org_rules
from orgs.audience import people_of
from orgs.models import Membership, OrganizationSettings
from orgs.services import licences
from orgs.services import members as org_members

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.db.models import QuerySet

    from orgs.actor import Actor
    from orgs.models import Organization

# What is done → the switch of the tenant that it needs beside `groupadmin_active` (DOCMS-067, 069 … 073).
SWITCHES = {
    "read_group": "groupadmin_active",
    "create_user": "groupadmin_user_create",
    "change_user": "groupadmin_user_edit",
    "set_members": "groupadmin_user_edit",
    "send_link": "groupadmin_user_reset_password",
    "reset_second_factor": "groupadmin_user_reset_tfa",
    "reset_attempts": "groupadmin_user_reset_attempts",
}
# Permission flag → the switch with which it is taken over (DOCMS-074 … 080).
FLAG_SWITCHES = {
    "read_perm": "groupadmin_perm_read",
    "download_perm": "groupadmin_perm_download",
    "upload_file_perm": "groupadmin_perm_upload",
    "edit_file_perm": "groupadmin_perm_edit_file",
    "edit_own_file_perm": "groupadmin_perm_edit_own_file",
    "log_perm": "groupadmin_perm_log",
    "mail_perm": "groupadmin_perm_mail",
}
# What is done with one person.
WITH_PERSON = ("change_user", "send_link", "reset_second_factor", "reset_attempts")


# --- Who and whom ---------------------------------------------------------------------------------------


def administered(actor: Actor, tenant: Organization) -> dict[int, Group]:
    """The groups of the tenant that the caller administers, by id."""
    return {group.pk: group for group in Group.objects.administered_by(actor).filter(tenant=tenant.pk)}


def require_switch(actor: Actor, tenant: Organization, what: str) -> OrganizationSettings:
    """The tenant's switches, if they let the caller do something of `SWITCHES`.

    Raises `Denied`, with code ``feature_disabled`` for what a switch forbids, and ``license_required`` where group
    administration is not licensed.
    """
    chosen = OrganizationSettings.objects.get(organization=tenant.pk)
    if not chosen.groupadmin_active:
        raise Denied(_("Group administration is switched off."), code="feature_disabled")
    if not licences.may_use(tenant.pk, licences.GROUP_ADMINISTRATORS):
        raise Denied(_("Group administration needs an add-on that is not licensed."), code="license_required")
    if not administered(actor, tenant):
        raise Denied(_("You administer no group."))
    if not getattr(chosen, SWITCHES[what]):
        raise Denied(_("Group administrators may not do this."), code="feature_disabled")
    return chosen


def allowed(actor: Actor, tenant: Organization) -> frozenset[str]:
    """What of `SWITCHES` the caller may do. Raises `Denied` where that is nothing (DOCMS-067)."""
    chosen = require_switch(actor, tenant, "read_group")
    return frozenset(what for what, switch in SWITCHES.items() if getattr(chosen, switch))


def fields_to_change(*, actor: Actor, tenant: Organization, membership: Membership | None = None) -> frozenset[str]:
    """What the caller may set of a person: names of columns, and ``name``; without ``membership``, of a new person."""
    chosen = OrganizationSettings.objects.get(organization=tenant.pk)
    flags = {flag for flag, switch in FLAG_SWITCHES.items() if getattr(chosen, switch)}
    account = {"name", "username", "email", "language"}
    if membership is None:
        return frozenset(account | flags)
    if chosen.lock_perm:  # DOCMS-085
        flags = set()
    if not org_rules.may_act_on_account(actor, membership):
        account = {"name", "language"} if membership.user_id == actor.user_id else set()
    if _is_guarded_staff(actor, membership):
        account -= {"username", "email"}
    return frozenset({"description"} | account | flags)


def _group(actor: Actor, tenant: Organization, group_id: int) -> Group:
    """An administered group. Raises `NotFound` for any other."""
    group = administered(actor, tenant).get(group_id)
    if group is None:
        raise NotFound
    return group


def _person(actor: Actor, tenant: Organization, user_id: int) -> Membership:
    """A member of an administered group who is no administrator of the tenant.

    Raises `NotFound` for people outside (DOCMS-068), `Denied` for administrators (DOCMS-082).
    """
    membership = (
        Membership.objects.living()
        .select_related("user", "organization", "login_logo")
        .filter(user=user_id, organization=tenant.pk)
        .first()
    )
    if membership is None or not administered(actor, tenant).keys() & set(group_ids_of(membership)):
        raise NotFound
    if is_administrator(membership):
        raise Denied(_("Administrators are changed by administrators only."))
    return membership


def is_administrator(membership: Membership) -> bool:
    """Whether somebody is out of reach of group administrators: what they see of the person is the name (DOCMS-082)."""
    return membership.admin_perm or membership.super_admin_perm or membership.user.is_superuser


def _people(tenant: Organization, own: Iterable[Group]) -> set[int]:
    """The accounts of some groups, in three queries at most."""
    own = list(own)
    manual = [group.pk for group in own if group.kind == Group.Kind.MANUAL]
    keys = [group.audience_key for group in own if group.kind == Group.Kind.DERIVED and group.audience_key]
    listed = GroupMember.objects.filter(group__in=manual).values_list("membership__user_id", flat=True)
    return set(listed) | (people_of(keys, tenant) if keys else set())


# --- Groups ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Circle:
    """A group that one administers, and how many people are in it."""

    group: Group
    number: int


def has_circles(actor: Actor) -> bool:
    """Whether the caller administers a group anywhere at present: one query for most people, who administer none."""
    groups_ = Group.objects.administered_by(actor).order_by()
    return any(_is_on(tenant_id) for tenant_id in groups_.values_list("tenant_id", flat=True).distinct())


def circles(actor: Actor) -> list[Circle]:
    """The groups that the caller administers at present, in all companies: queries by the number of companies."""
    listed = Count("members", filter=Q(members__membership__user__erased_at=None))
    found = Group.objects.administered_by(actor).select_related("tenant").annotate(listed=listed)
    rows_ = list(found.order_by("tenant__name", "tenant_id", "sort_key", "id"))
    tenants = {group.tenant_id: group.tenant for group in rows_}
    on = {pk for pk in tenants if _is_on(pk)}
    derived = {group.tenant_id for group in rows_ if group.kind == Group.Kind.DERIVED} & on
    held = {pk: people_by_key(tenants[pk]) for pk in derived}
    return [
        Circle(
            group,
            len(held[group.tenant_id].get(group.audience_key or "", ()))
            if group.kind == Group.Kind.DERIVED
            else group.listed,
        )
        for group in rows_
        if group.tenant_id in on
    ]


def require_circle(actor: Actor) -> None:
    """Raise `Denied` for who administers no group at present: there is none, or why the first of them is of no use."""
    found = Group.objects.administered_by(actor).select_related("tenant").order_by("tenant_id", "id").first()
    if found is None:
        raise Denied(_("You administer no group."))
    require_switch(actor, found.tenant, "read_group")


def _is_on(tenant_id: int) -> bool:
    chosen = OrganizationSettings.objects.get(organization=tenant_id)
    return chosen.groupadmin_active and bool(licences.may_use(tenant_id, licences.GROUP_ADMINISTRATORS))


def people(*, actor: Actor, tenant: Organization, group_id: int) -> QuerySet[Membership]:
    """The members of an administered group by name. Raises `Denied` (DOCMS-067), `NotFound`."""
    return _memberships(tenant, _people(tenant, [group_to_read(actor=actor, tenant=tenant, group_id=group_id)]))


def leaders(group: Group) -> set[int]:
    """The accounts that administer a group."""
    return set(GroupMember.objects.filter(group=group, is_admin=True).values_list("membership__user_id", flat=True))


def candidates(
    *, actor: Actor, tenant: Organization, group: Group, words: str = "", by_address: bool = False
) -> QuerySet[Membership]:
    """People of the other groups that the caller administers: nobody else can be put into this one (DOCMS-068).

    With ``words`` those whose name holds them; ``by_address`` also by e-mail address, for who sees it.
    """
    own = _people(tenant, administered(actor, tenant).values())
    found = _memberships(tenant, own - _people(tenant, [group]))
    texts: list[Any] = ["user__first_name", "user__last_name"]
    if by_address:
        administers = Q(admin_perm=True) | Q(super_admin_perm=True) | Q(user__is_superuser=True)
        texts.append(Case(When(~administers, then=F("user__email")), default=Value("")))
    return holding(found, words, *texts)


def _memberships(tenant: Organization, user_ids: set[int]) -> QuerySet[Membership]:
    found = Membership.objects.living().filter(organization=tenant.pk, user__in=user_ids)
    return found.select_related("user").order_by(Plain("user__last_name"), Plain("user__first_name"), "user_id")


def group_to_read(*, actor: Actor, tenant: Organization, group_id: int) -> Group:
    """An administered group. Raises `Denied` (DOCMS-067), `NotFound`."""
    require_switch(actor, tenant, "read_group")
    return _group(actor, tenant, group_id)


@transaction.atomic
def set_members(*, actor: Actor, tenant: Organization, group_id: int, user_ids: Iterable[int]) -> Group:
    """Replace the members of an administered group, except those who administer it (DOCMS-070, 084).

    Side effects: audit. Raises `Denied`, `NotFound`, and `Invalid` for people whom the caller does not administer
    (DOCMS-068), told like unknown ones, or other people of a derived group.
    """
    require_switch(actor, tenant, "set_members")
    group = _group(actor, tenant, group_id)
    wanted = set(user_ids)
    refuse_unknown("user_ids", wanted - _people(tenant, administered(actor, tenant).values()))
    groups.set_members(group=group, user_ids=wanted)
    return group


@transaction.atomic
def put_in(*, actor: Actor, tenant: Organization, group_id: int, user_id: int) -> None:
    """Add one person to an administered group; raises as `set_members`."""
    now = _locked_people(actor, tenant, group_id)
    set_members(actor=actor, tenant=tenant, group_id=group_id, user_ids=now | {user_id})


@transaction.atomic
def take_out(*, actor: Actor, tenant: Organization, group_id: int, user_id: int) -> None:
    """Let one person leave an administered group; raises as `set_members`, and `Denied` for who administers it."""
    now = _locked_people(actor, tenant, group_id)
    if user_id not in now:
        raise NotFound
    if user_id in leaders(_group(actor, tenant, group_id)):
        raise Denied(_("Whoever administers a group stays in it."))
    set_members(actor=actor, tenant=tenant, group_id=group_id, user_ids=now - {user_id})


def _locked_people(actor: Actor, tenant: Organization, group_id: int) -> set[int]:
    """Who is in the group; the lock keeps what somebody else adds at the same time."""
    require_switch(actor, tenant, "set_members")
    group = _group(actor, tenant, group_id)
    Group.objects.select_for_update().filter(pk=group.pk).first()
    return _people(tenant, [group])


# --- People ---------------------------------------------------------------------------------------------


@transaction.atomic
def create_user(*, actor: Actor, tenant: Organization, values: Mapping[str, Any], welcome: bool) -> Membership:
    """Add a person to administered groups; see `members.create_member` for ``values``, side effects and refusals.

    Flags whose switch is off are false (DOCMS-081). Raises `Denied` without the switch, for a group that the caller does
    not administer (DOCMS-069) and for administrator flags (DOCMS-082), `Invalid` for unknown groups.
    """
    chosen = require_switch(actor, tenant, "create_user")
    _refuse_administrators(values)
    _require_own(actor, tenant, set(values["group_ids"]))
    return members.create_member(actor=actor, tenant=tenant, values=_taken_over(chosen, values), welcome=welcome)


def person_of(*, actor: Actor, tenant: Organization, user_id: int) -> Membership:
    """A member whom the caller may act on somehow. Raises `Denied`, `NotFound` as the single acts do."""
    require_switch(actor, tenant, "read_group")
    return _person(actor, tenant, user_id)


def person_to_change(*, actor: Actor, tenant: Organization, user_id: int) -> Membership:
    """The member whom `change_user` would change, as stored now. Raises `Denied`, `NotFound` as that does."""
    require_switch(actor, tenant, "change_user")
    return _person(actor, tenant, user_id)


@transaction.atomic
def change_user(*, actor: Actor, tenant: Organization, user_id: int, values: Mapping[str, Any]) -> Membership:
    """Store what really differs; see `members.change_member` for ``values``, side effects and refusals.

    Flags whose switch is off keep their value (DOCMS-081). Groups that the caller does not administer stay as they are,
    and so do the groups that the person administers. Raises `Denied` without the switch, for administrators and their
    flags (DOCMS-082), for permission flags while they are locked (DOCMS-085), for another's group, and for names of staff
    where the caller is none; `NotFound` for people outside (DOCMS-068).
    """
    chosen = require_switch(actor, tenant, "change_user")
    membership = _person(actor, tenant, user_id)
    _refuse_administrators(values)
    _protect_staff(actor, membership, values)
    values = _taken_over(chosen, values)
    if "group_ids" in values:
        values["group_ids"] = _groups_after(actor, tenant, membership, set(values["group_ids"]))
    members.change_member(actor=actor, membership=membership, values=values, is_admin=True, is_super=False)
    return membership


def _refuse_administrators(values: Mapping[str, Any]) -> None:
    if any(values.get(flag) for flag in members.ADMIN_FLAGS):
        raise Denied(_("Group administrators may not make administrators."))


def _protect_staff(actor: Actor, membership: Membership, values: Mapping[str, Any]) -> None:
    """A resident who gave a clerk another address could have the account, and the back office, by a password link."""
    if _is_guarded_staff(actor, membership) and values.keys() & {"username", "email"}:
        raise Denied(_("Staff are changed by staff only."))


def _is_guarded_staff(actor: Actor, membership: Membership) -> bool:
    is_staff = membership.role in (Membership.Role.OWNER, Membership.Role.STAFF, Membership.Role.AFFILIATE)
    return is_staff and membership.tenant_id not in actor.staff_tenants


def _taken_over(chosen: OrganizationSettings, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values without the flags whose switch is off."""
    return {
        name: value
        for name, value in values.items()
        if name not in FLAG_SWITCHES or getattr(chosen, FLAG_SWITCHES[name])
    }


def _require_own(actor: Actor, tenant: Organization, group_ids: set[int]) -> None:
    known = set(Group.objects.filter(tenant=tenant.pk, pk__in=group_ids).values_list("pk", flat=True))
    refuse_unknown("group_ids", group_ids - known)
    if group_ids - administered(actor, tenant).keys():
        raise Denied(_("You do not administer all of these groups."))


def _groups_after(actor: Actor, tenant: Organization, membership: Membership, wanted: set[int]) -> list[int]:
    """The groups of a person when these are wished for: only administered ones are joined or left."""
    now, own = set(group_ids_of(membership)), administered(actor, tenant).keys()
    _require_own(actor, tenant, wanted - now)
    led = set(GroupMember.objects.filter(membership=membership, is_admin=True).values_list("group_id", flat=True))
    return sorted(wanted | (now - own) | (now & led))


def send_link(*, actor: Actor, tenant: Organization, user_id: int) -> None:
    """Mail a password link (DOCMS-071); see `members.send_link`. Raises `Denied`, `NotFound`."""
    require_switch(actor, tenant, "send_link")
    members.send_link(actor=actor, membership=_person(actor, tenant, user_id))


def reset_second_factor(*, actor: Actor, tenant: Organization, user_id: int) -> None:
    """Remove the tenant's key of a person (DOCMS-072); see `orgs.services.members`. Raises `Denied`, `NotFound`."""
    require_switch(actor, tenant, "reset_second_factor")
    org_members.reset_tenant_key(membership=_person(actor, tenant, user_id))


def reset_attempts(*, actor: Actor, tenant: Organization, user_id: int) -> None:
    """Clear failed attempts (DOCMS-073); see `orgs.services.members`. Raises `Denied`, `NotFound`."""
    require_switch(actor, tenant, "reset_attempts")
    org_members.reset_attempts(actor=actor, membership=_person(actor, tenant, user_id))
