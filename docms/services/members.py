"""Members of a tenant as docms administers them: who may change what, and what follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nh3
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from core.answers import require
from core.errors import Conflict, Denied, Invalid
from core.services import audit, rows
from docms.models import Folder, FolderMark, Group, GroupMember
from docms.reach import MEMBER_FLAGS
from docms.services import marks, pictures
from docms.services.audiences import group_ids_of
from docms.services.names import refuse_unknown
from orgs import rules
from orgs.models import Membership, Organization, OrganizationSettings, User
from orgs.services import accounts, passwords, tenants
from orgs.services import members as org_members
from orgs.signals import user_created

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orgs.actor import Actor

ADMIN_FLAGS = ("admin_perm", "super_admin_perm")
FLAGS = (*MEMBER_FLAGS.values(), *ADMIN_FLAGS)
PREFERENCES = frozenset({"language", "darkmode", "mobile", "last_folder_id"})  # everybody's own to change (DOCMS-054)
_ACCOUNT = ("username", "email", "language", "darkmode", "mobile")
_PLACE = ("token_sec", "tfa_force", "description", "deactivated_at", "login_popup_enabled", *FLAGS)


@transaction.atomic
def create_member(*, actor: Actor, tenant: Organization, values: Mapping[str, Any], welcome: bool) -> Membership:
    """Add a person to the tenant: a new account with a link for its password, or an existing one as it is.

    ``values`` are columns of account and membership, ``name`` as one text, ``group_ids``, ``last_folder_id``, and
    ``login_logo`` in Base64. The caller is administrator. Side effects: the mails (DOCMS-051, 053), groups, audit.

    Raises `Conflict` (``account_exists``) when user name or address is taken (DOCMS-052), `Denied` for rights the
    caller may not give (DOCMS-057) or without points of the licence (DOCMS-174), `Invalid` for wrong values.
    """
    chosen = OrganizationSettings.objects.get(organization=tenant.pk)
    values = dict(values)
    values.setdefault("token_sec", chosen.token_min_sec)
    org_members.require_session_length(chosen, values)
    if values.get("super_admin_perm") and tenant.pk not in actor.super_admin_tenants:
        raise Denied(_("Only super administrators may do this."))
    user, is_new = _account(tenant, values)
    place = _place(values, tenant_id=tenant.pk)
    place["admin_perm"] = bool(place.get("admin_perm") or place.get("super_admin_perm"))
    role = Membership.Role.STAFF if place["admin_perm"] else Membership.Role.GUEST
    membership = tenants.add_member(user=user, organization=tenant, role=role, **place)
    if "group_ids" in values:
        _set_groups(membership, values["group_ids"])
    if values.get("last_folder_id") is not None:
        _set_last_folder(actor, membership, values["last_folder_id"])
    if is_new:
        passwords.welcome_link(user, tenant=tenant)
    user_created.send(sender=Membership, membership=membership, welcome=welcome)
    return membership


def _account(tenant: Organization, values: Mapping[str, Any]) -> tuple[User, bool]:
    username, email = values["username"].strip().lower(), values["email"].strip().lower()
    found = list(
        User.objects.annotate(u=Lower("username"), e=Lower("email")).filter(
            Q(u__in=[username, email]) | Q(e__in=[username, email])
        )
    )
    if found:
        same = found[0] if len(found) == 1 else None
        if same is None or same.username.lower() != username or same.email.lower() != email or same.erased_at:
            raise Conflict(_("There is an account with this name or address already."), code="account_exists")
        if Membership.objects.filter(user=same, organization=tenant).exists():
            raise Conflict(_("This person belongs to the company already."), code="account_exists")
        return same, False
    first, last = accounts.split_name(values["name"])
    user = accounts.create_account(
        email=values["email"],
        username=values["username"],
        first_name=first,
        last_name=last,
        name_as_given=values["name"],
        language=values.get("language", "de"),
        darkmode=values.get("darkmode", False),
        mobile=values.get("mobile", ""),
    )
    return user, True


def _place(values: Mapping[str, Any], *, tenant_id: int) -> dict[str, Any]:
    """The columns of the membership among the values."""
    columns = {name: values[name] for name in _PLACE if name in values}
    if "login_text" in values:
        columns["login_text"] = nh3.clean(values["login_text"])
    if "login_logo" in values:
        columns["login_logo"] = pictures.from_base64(values["login_logo"], tenant_id=tenant_id, field="login_logo")
    return columns


@transaction.atomic
def change_member(
    *, actor: Actor, membership: Membership, values: Mapping[str, Any], is_admin: bool, is_super: bool
) -> None:
    """Store what really differs. ``values`` as in `create_member`, only those that differ from the stored ones.

    Side effects: groups, last folder, audit. An administrator's flag makes a resident or guest staff.

    Raises `Denied` when the caller may not change one of them (DOCMS-054, 055, 057, 198) or without points of the
    licence (DOCMS-174), `Conflict` when the last super administrator or owner would leave (DOCMS-058), `Invalid` for
    wrong values.
    """
    if not is_admin:
        if values.keys() - PREFERENCES:
            raise Denied(_("Only administrators may change this."))
    else:
        _check_rights(membership, values, is_super=is_super)
        own = PREFERENCES | {"name"} if membership.user_id == actor.user_id else frozenset()
        if {*_ACCOUNT, "name"} & values.keys() - own:  # the account is one for all companies (DOCMS-198)
            require(rules.may_act_on_account(actor, membership))
    place = _place(values, tenant_id=membership.organization_id)
    if set(ADMIN_FLAGS) & place.keys():
        place["super_admin_perm"] = place.get("super_admin_perm", membership.super_admin_perm)
        place["admin_perm"] = bool(place.get("admin_perm", membership.admin_perm) or place["super_admin_perm"])
        if place["admin_perm"] and membership.role not in ("owner", "staff", "affiliate"):
            place["role"] = Membership.Role.STAFF
    org_members.change(membership=membership, changes=place)
    _change_account(membership, values)
    if "group_ids" in values:
        _set_groups(membership, values["group_ids"])
    if "last_folder_id" in values:
        _set_last_folder(actor, membership, values["last_folder_id"])


def _check_rights(membership: Membership, values: Mapping[str, Any], *, is_super: bool) -> None:
    """Whoever could change a super administrator's address could have the account by a link for its password."""
    chosen = OrganizationSettings.objects.get(organization=membership.organization_id)
    org_members.require_session_length(chosen, values)
    flags = set(FLAGS) & values.keys()
    guarded = (
        (chosen.lock_perm and flags)
        or "super_admin_perm" in flags
        or (membership.super_admin_perm and (flags or values.keys() & {"deactivated_at", "username", "email"}))
    )
    if guarded and not is_super:
        raise Denied(_("Only super administrators may do this."))


def _change_account(membership: Membership, values: Mapping[str, Any]) -> None:
    changes: dict[str, Any] = {name: values[name] for name in _ACCOUNT if name in values}
    if "name" in values:
        first, last = accounts.split_name(values["name"])
        changes |= {"first_name": first, "last_name": last, "name_as_given": values["name"]}
    for name in ("username", "email"):
        if name in changes:
            _refuse_taken(membership.user, changes[name])
    rows.change(membership.user, changes)


def _refuse_taken(user: User, value: str) -> None:
    taken = User.objects.annotate(u=Lower("username"), e=Lower("email")).exclude(pk=user.pk)
    if taken.filter(Q(u=value.lower()) | Q(e=value.lower())).exists():
        raise Conflict(_("There is an account with this name or address already."), code="account_exists")


def _set_groups(membership: Membership, wanted: list[int]) -> None:
    """Replace the groups made by hand; derived ones follow from where the person lives and must stay as they are."""
    tenant_id = membership.organization_id
    known = dict(Group.objects.filter(tenant=tenant_id, pk__in=wanted).values_list("pk", "kind"))
    refuse_unknown("group_ids", set(wanted) - known.keys())
    now = set(group_ids_of(membership))
    derived_now = set(Group.objects.filter(pk__in=now, kind=Group.Kind.DERIVED).values_list("pk", flat=True))
    derived_wanted = {pk for pk, kind in known.items() if kind == Group.Kind.DERIVED}
    if derived_now != derived_wanted:
        problem = _("Groups that follow from where a person lives cannot be chosen.")
        raise Invalid(f"group_ids: {problem}", code="derived_group", fields={"group_ids": [problem]})
    before, after = now - derived_now, set(wanted) - derived_wanted
    if before == after:
        return
    GroupMember.objects.filter(membership=membership, group__in=before - after).delete()
    GroupMember.objects.bulk_create(
        [GroupMember(tenant_id=tenant_id, group_id=g, membership=membership) for g in sorted(after - before)],
        ignore_conflicts=True,
    )
    audit.record("groups_set", membership, {"group_ids": [sorted(before), sorted(after)]})


def _set_last_folder(actor: Actor, membership: Membership, folder_id: int | None) -> None:
    if folder_id is None:
        FolderMark.objects.filter(membership=membership).update(opened_at=None)
        return
    folder = Folder.objects.visible_to(actor, all=True).filter(pk=folder_id).first()
    if folder is None:
        refuse_unknown("last_folder_id", [folder_id])
    assert folder is not None
    marks.opened(folder, membership)


def send_link(*, actor: Actor, membership: Membership) -> None:
    """Mail a member a link for a password (DOCMS-035); beyond three an hour nothing is sent or said (DOCMS-036).

    Raises `Denied` for accounts that are not this company's alone.
    """
    try:
        org_members.send_link(actor=actor, membership=membership)
    except Conflict as error:
        if error.code != "too_many_links":
            raise
