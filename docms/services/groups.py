"""Groups: circles made by hand, and circles that are whoever lives somewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from core.errors import Conflict, Invalid, NotFound
from core.services import audit, rows
from core.text import sort_key
from docms import rules
from docms.models import Folder, FolderAccess, Group, GroupMember
from docms.services.names import plain_name, refuse_unknown
from orgs.audience import people_of
from orgs.languages import user_language
from orgs.models import Building, Community, Contact, Membership, Organization, OrganizationSettings, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orgs.actor import Actor

# --- Who is in ------------------------------------------------------------------------------------------


def members_of(group: Group) -> set[int]:
    """The accounts of a group: its rows, or whoever holds the key of a derived group today (two queries at most)."""
    if group.kind == Group.Kind.DERIVED:
        return people_of([_key(group)], group.tenant)
    return set(GroupMember.objects.filter(group=group).values_list("membership__user_id", flat=True))


def _key(group: Group) -> str:
    """The audience key, which the database generates: a row just made does not know it yet."""
    if not group.audience_key:
        group.refresh_from_db(fields=["audience_key"])
    return str(group.audience_key)


def people_of_folder(folder: Folder) -> set[int]:
    """The accounts that reach a folder through a group today, in three queries whatever their number (DOCMS-061).

    Whoever is deactivated reaches nothing, and nobody a folder of a company that is being closed. Administrators who
    are in no group are not counted: they *may* see everything, but nobody assigned them.
    """
    if folder.tenant.closed_at is not None:
        return set()
    groups = list(Group.objects.filter(access__folder=folder).order_by().values_list("pk", "kind", "audience_key"))
    manual = [pk for pk, kind, _audience in groups if kind == Group.Kind.MANUAL]
    people = set(
        Membership.objects.active()
        .filter(pk__in=GroupMember.objects.filter(group__in=manual).order_by().values("membership_id"))
        .values_list("user_id", flat=True)
    )
    return people | people_of([key for _pk, _kind, key in groups if key], folder.tenant)


# --- By hand --------------------------------------------------------------------------------------------


@transaction.atomic
def create_group(
    *,
    actor: Actor,
    tenant: Organization,
    name: str,
    user_ids: Iterable[int] = (),
    folder_ids: Iterable[int] | None = None,
    groupadmin_ids: Iterable[int] = (),
    show_check_mark: bool = False,
) -> Group:
    """Make a group by hand with its people, folders and administrators.

    Raises `Denied` without administrator rights, `Conflict` (``exists``) when the name is taken in any case,
    `Invalid` for unknown ids or an administrator who is no member (DOCMS-064).
    """
    rules.require(rules.may_administer(actor, tenant.pk))
    group = _insert(tenant, plain_name(name), show_check_mark=show_check_mark)
    _set_people(group, set(user_ids), set(groupadmin_ids))
    if folder_ids is not None:
        set_folders(group=group, folder_ids=folder_ids)
    return group


@transaction.atomic
def change_group(
    *,
    actor: Actor,
    group: Group,
    changes: Mapping[str, Any] | None = None,
    user_ids: Iterable[int] | None = None,
    folder_ids: Iterable[int] | None = None,
    groupadmin_ids: Iterable[int] | None = None,
    expected: int | None = None,
) -> Group:
    """Change ``name`` and ``show_check_mark``; lists replace the stored ones, what is None stays (DOCMS-063).

    Nobody is put into or taken out of a derived group: other ``user_ids`` than today's are refused.

    Raises `NotFound` when it is gone, `Denied`, `Conflict` (``exists``), `Changed`, and `Invalid` for unknown
    ids, an administrator who is no member (DOCMS-064), or other people of a derived group.
    """
    rules.require(rules.may_administer(actor, group.tenant_id))
    fresh = Group.objects.select_for_update().filter(pk=group.pk).first()
    if fresh is None:
        raise NotFound
    changes = dict(changes or {})
    unknown = changes.keys() - {"name", "show_check_mark"}
    if unknown:
        raise TypeError(f"unknown columns of a group: {', '.join(sorted(unknown))}")
    if "name" in changes:
        name = plain_name(changes["name"])
        _refuse_twin(fresh.tenant_id, name, but=fresh.pk)
        changes |= {"name": name, "sort_key": sort_key(name)}
    try:
        rows.change(fresh, changes, expected=expected)
    except ValidationError as error:
        raise _twin_or(error) from error
    if user_ids is not None or groupadmin_ids is not None:
        _set_people(
            fresh,
            set(user_ids) if user_ids is not None else None,
            set(groupadmin_ids) if groupadmin_ids is not None else None,
        )
    if folder_ids is not None:
        set_folders(group=fresh, folder_ids=folder_ids)
    return fresh


@transaction.atomic
def delete_group(*, actor: Actor, group: Group) -> None:
    """End a group and the access it gave; people, folders and documents stay (DOCMS-065).

    Side effects: the settings that name the group forget it. Raises `NotFound` when it is gone, `Denied` without
    administrator rights.
    """
    rules.require(rules.may_administer(actor, group.tenant_id))
    fresh = Group.objects.select_for_update().filter(pk=group.pk).first()
    if fresh is None:
        raise NotFound
    chosen = OrganizationSettings.objects.select_for_update().filter(organization=fresh.tenant_id).first()
    if chosen is not None:
        children = [
            child | {"group_ids": [g for g in child["group_ids"] if g != fresh.pk]}
            if fresh.pk in child.get("group_ids", ())
            else child
            for child in chosen.additional_child_folders
        ]
        others = [g for g in chosen.additional_groups if g != fresh.pk]
        rows.change(chosen, {"additional_groups": others, "additional_child_folders": children}, check=False)
    rows.delete(fresh)


def _insert(tenant: Organization, name: str, **values: Any) -> Group:
    _refuse_twin(tenant.pk, name)
    try:
        return rows.create(Group, tenant=tenant, name=name, sort_key=sort_key(name), **values)
    except ValidationError as error:
        raise _twin_or(error) from error


def _refuse_twin(tenant_id: int, name: str, *, but: int = 0) -> None:
    """As for folders: the database may know only ASCII letters, so case is folded here."""
    twins = Group.objects.filter(tenant=tenant_id, sort_key=sort_key(name)).exclude(pk=but)
    if any(other.casefold() == name.casefold() for other in twins.values_list("name", flat=True)):
        raise Conflict(_("Another group has this name."), code="exists")


def _twin_or(error: ValidationError) -> Exception:
    if getattr(error, "code", "") == "group_name_once":
        return Conflict(_("Another group has this name."), code="exists")
    return error


def _set_people(group: Group, wanted: set[int] | None, admins: set[int] | None) -> None:
    """Write the rows of a group. None keeps what is stored, but for accounts that were erased meanwhile."""
    stored = {
        user: (pk, is_admin)
        for pk, user, is_admin in GroupMember.objects.filter(group=group).values_list(
            "pk", "membership__user_id", "is_admin"
        )
    }
    stored_admins = {user for user, (_pk, is_admin) in stored.items() if is_admin}
    derived = group.kind == Group.Kind.DERIVED
    if derived:
        people = members_of(group)
        if wanted is not None and wanted != people:
            problem = _("The people of this group follow from who lives there; they cannot be chosen.")
            raise Invalid(problem, code="derived_group", fields={"user_ids": [problem]})
    else:
        people = set(stored) if wanted is None else wanted
    listed = people | (stored_admins if admins is None else admins)
    members = dict(
        Membership.objects.living().filter(organization=group.tenant_id, user__in=listed).values_list("user_id", "pk")
    )
    if wanted is None and not derived:
        people &= members.keys()
    admins = stored_admins & members.keys() if admins is None else admins
    refuse_unknown("user_ids", people - members.keys() - (people if derived else set()))
    refuse_unknown("groupadmin_ids", admins - members.keys())
    if not (derived and admins == stored_admins) and admins - people:
        problem = _("Whoever administers a group must be a member of it.")
        raise Invalid(problem, code="admin_no_member", fields={"groupadmin_ids": [problem]})
    rows_wanted = admins if derived else people  # in a derived group a row only says who administers it
    if rows_wanted == set(stored) and admins == stored_admins:
        return
    GroupMember.objects.filter(pk__in=[pk for user, (pk, _a) in stored.items() if user not in rows_wanted]).delete()
    GroupMember.objects.bulk_create(
        [
            GroupMember(tenant_id=group.tenant_id, group=group, membership_id=members[user], is_admin=user in admins)
            for user in sorted(rows_wanted)
        ],
        update_conflicts=True,
        unique_fields=["membership", "group"],
        update_fields=["is_admin"],
    )
    audit.record(
        "people_set",
        group,
        {
            "user_ids": [sorted(stored), sorted(rows_wanted)],
            "groupadmin_ids": [sorted(stored_admins), sorted(admins)],
        },
    )


@transaction.atomic
def set_members(*, group: Group, user_ids: Iterable[int]) -> None:
    """Let exactly these people belong to the group; who administers it stays, and belongs to it. The caller has checked
    the rights.

    Side effects: one audit entry. Raises `NotFound` when it is gone, `Invalid` for unknown ids, or other people of a
    derived group.
    """
    fresh = Group.objects.select_for_update().filter(pk=group.pk).first()
    if fresh is None:
        raise NotFound
    admins = GroupMember.objects.filter(group=fresh, is_admin=True).values_list("membership__user_id", flat=True)
    wanted = set(user_ids) | (set(admins) if fresh.kind == Group.Kind.MANUAL else set())
    _set_people(fresh, wanted, None)


@transaction.atomic
def set_folders(*, group: Group, folder_ids: Iterable[int]) -> set[int]:
    """Let the group reach exactly these folders. The caller has checked the rights.

    Side effects: one audit entry. Raises `Invalid` for folders the tenant has not.
    """
    wanted = set(folder_ids)
    known = set(Folder.objects.filter(tenant=group.tenant_id, pk__in=wanted).values_list("pk", flat=True))
    refuse_unknown("folder_ids", wanted - known)
    current = set(FolderAccess.objects.filter(group=group).values_list("folder_id", flat=True))
    if wanted == current:
        return wanted
    FolderAccess.objects.filter(group=group, folder__in=current - wanted).delete()
    FolderAccess.objects.bulk_create(
        [FolderAccess(tenant_id=group.tenant_id, group=group, folder_id=f) for f in sorted(wanted - current)],
        ignore_conflicts=True,
    )
    audit.record("folders_set", group, {"folder_ids": [sorted(current), sorted(wanted)]})
    return wanted


# --- Derived --------------------------------------------------------------------------------------------


@transaction.atomic
def derived_group(
    *,
    tenant: Organization,
    community: Community | None = None,
    building: Building | None = None,
    unit: Unit | None = None,
    contact: Contact | None = None,
    role: str = "",
) -> Group:
    """The group of whoever lives there: found, or made under a name that says so. Exactly one anchor.

    Raises `ValidationError` for no anchor, several, or a role that does not go with it.
    """
    anchors = {"community": community, "building": building, "unit": unit, "contact": contact}
    group = Group.objects.filter(tenant=tenant, kind=Group.Kind.DERIVED, role=role, **anchors).first()
    if group is not None:
        return group
    name = derived_name(tenant, community=community, building=building, unit=unit, contact=contact, role=role)
    for number in range(1, 100):
        suffix = f" ({number})" if number > 1 else ""
        try:
            return _insert(tenant, name[: 200 - len(suffix)] + suffix, kind=Group.Kind.DERIVED, role=role, **anchors)
        except Conflict:
            continue  # the name is taken
        except ValidationError:
            made = Group.objects.filter(tenant=tenant, kind=Group.Kind.DERIVED, role=role, **anchors).first()
            if made is None:
                raise
            return made  # by another transaction
    raise Conflict(_("Another group has this name."), code="exists")


def derived_name(
    tenant: Organization,
    *,
    community: Community | None = None,
    building: Building | None = None,
    unit: Unit | None = None,
    contact: Contact | None = None,
    role: str = "",
) -> str:
    """In the tenant's language: "Ahornstraße 12: Eigentümer"."""
    name = ""
    if community is not None:
        name = community.name
    elif building is not None:
        name = f"{building.community.name} · {building.street}"
    elif unit is not None:
        name = f"{unit.community.name} · {unit.name}"
    elif contact is not None:
        name = f"{contact} ({contact.number})"
    with translation.override(user_language(tenant.language)):
        return f"{name[:170]}: {Group.Role(role).label}" if role else name
