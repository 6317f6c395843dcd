"""Folders: made, renamed, moved, hidden, deleted; and which groups reach them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from core.errors import Conflict, Invalid, NotFound
from core.services import audit, rows
from core.text import sort_key
from docms import rules
from docms.models import Document, Folder, FolderAccess, FolderLabel, FolderMailUser, Group
from docms.services import destruction, holds, tree
from docms.services.names import plain_name, refuse_unknown
from docms.services.tree import Node, tree_of
from docms.signals import folder_deleted
from orgs.models import Membership, Organization, OrganizationSettings
from orgs.services.holds import keep_still

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orgs.actor import Actor

__all__ = ["Node", "change_folder", "create_folder", "delete_folder", "set_groups", "tree_of"]

SETTINGS = frozenset(
    {
        "show_check_mark", "inactive_at", "allow_delete_files", "auto_delete_files", "file_delete_files",
        "mail_after_upload_enable", "mail_after_upload_custom",
    }
)  # fmt: skip
PLACE = ("community", "unit", "contact")
MAIL_USERS = "mail_after_upload_users"  # ids of accounts
_PATH_MAX = 4000


@transaction.atomic
def create_folder(
    *,
    actor: Actor,
    tenant: Organization,
    name: str,
    parent: Folder | None = None,
    group_ids: Iterable[int] = (),
    labels: Sequence[tuple[str, str]] = (),
    **settings: Any,
) -> Folder:
    """Make a folder that these groups reach; a subfolder gets only its own groups (DOCMS-100).

    ``settings`` are columns of the folder, ``mail_after_upload_users`` (ids of accounts) and the place where the
    portal shows it (``community``, ``unit``, ``contact``), which is the parent's unless given. ``labels`` are
    pairs of name and colour.

    Side effects: a new top-level folder gets the tenant's automatic child folders (DOCMS-101, 102).

    Raises `Denied` without administrator rights, `Conflict` (``exists``) when a sibling has the name in any
    case (DOCMS-099), `Invalid` for unknown ids or a wrong name, `ValidationError` for other wrong values.
    """
    rules.require(rules.may_administer(actor, tenant.pk))
    tree.lock(tenant.pk, shared=True)
    if parent is not None:
        parent = _parent(parent.pk, tenant.pk)
    folder = _insert(tenant, parent, name, settings)
    set_groups(folder=folder, group_ids=group_ids)
    _add_labels(folder, labels)
    if parent is None:
        _add_automatic_children(folder, list(group_ids), labels)
    return folder


def _insert(tenant: Organization, parent: Folder | None, name: str, settings: Mapping[str, Any]) -> Folder:
    _known(settings)
    name = plain_name(name, slashes=False)
    _refuse_twin(tenant.pk, parent, name)
    values = {key: settings[key] for key in SETTINGS & settings.keys()}
    values["hidden_from"] = tree.earliest(values.get("inactive_at"), parent.hidden_from if parent else None)
    values |= _place(settings, parent)
    try:
        folder = rows.create(
            Folder,
            tenant=tenant,
            parent=parent,
            ancestors=[*parent.ancestors, parent.pk] if parent else [],
            name=name,
            sort_key=sort_key(name),
            full_path_name=_path(parent, name),
            **values,
        )
    except ValidationError as error:
        raise _twin_or(error) from error
    if MAIL_USERS in settings:
        _set_mail_users(folder, settings[MAIL_USERS])
    return folder


def _known(settings: Mapping[str, Any], *more: str) -> None:
    unknown = settings.keys() - SETTINGS - {*PLACE, MAIL_USERS, *more}
    if unknown:
        raise TypeError(f"unknown settings of a folder: {', '.join(sorted(unknown))}")


def _parent(folder_id: int, tenant_id: int) -> Folder:
    """The parent as it is now that the tree is held still."""
    parent = Folder.objects.filter(pk=folder_id, tenant=tenant_id).first()
    if parent is None:
        refuse_unknown("parent", [folder_id])
    assert parent is not None
    return parent


def _path(parent: Folder | None, name: str) -> str:
    """All names from the top with slashes (DOCMS-098)."""
    path = f"{parent.full_path_name}/{name}" if parent else name
    if len(path) > _PATH_MAX:
        problem = _("The folder would lie too deep: its path has more than %(length)d characters.") % {
            "length": _PATH_MAX
        }
        raise Invalid(problem, fields={"name": [problem]})
    return path


def _place(settings: Mapping[str, Any], parent: Folder | None) -> dict[str, Any]:
    """Where the portal shows it: as given, else as the parent; a unit elsewhere overrides the inherited community."""
    place = {key: settings.get(key, getattr(parent, key) if parent else None) for key in PLACE}
    unit, community = place["unit"], place["community"]
    if unit is not None and community is not None and unit.community_id != community.pk:
        if settings.get("community") is not None:
            problem = _("The unit belongs to another community.")
            raise Invalid(problem, fields={"unit": [problem]})
        place["community"] = None
    return place


def _refuse_twin(tenant_id: int, parent: Folder | None, name: str, *, but: int = 0) -> None:
    """Names differ by more than case; compared here, because the database may know only ASCII letters."""
    twins = Folder.objects.filter(tenant=tenant_id, parent=parent, sort_key=sort_key(name)).exclude(pk=but)
    if any(other.casefold() == name.casefold() for other in twins.values_list("name", flat=True)):
        raise Conflict(_("A folder of that name exists here."), code="exists")


def _twin_or(error: ValidationError) -> Exception:
    """A sibling of that name that another transaction made first."""
    if getattr(error, "code", "") == "folder_name_once":
        return Conflict(_("A folder of that name exists here."), code="exists")
    return error


def _add_labels(folder: Folder, labels: Sequence[tuple[str, str]]) -> None:
    for name, color in labels:
        rows.create(FolderLabel, tenant_id=folder.tenant_id, folder=folder, name=name, color=color)


def _add_automatic_children(folder: Folder, group_ids: list[int], labels: Sequence[tuple[str, str]]) -> None:
    """The child folders of the tenant's settings; groups that are gone by now are left out."""
    chosen = OrganizationSettings.objects.filter(organization=folder.tenant_id).first()
    if chosen is None or not chosen.additional_child_folders:
        return
    listed = {group for child in chosen.additional_child_folders for group in child.get("group_ids", ())}
    known = set(Group.objects.filter(tenant=folder.tenant_id, pk__in=listed).values_list("pk", flat=True))
    for child in chosen.additional_child_folders:
        below = _insert(folder.tenant, folder, child["name"], {})
        groups = {group for group in child.get("group_ids", ()) if group in known}
        if chosen.additional_child_folders_group:
            groups |= set(group_ids)
        set_groups(folder=below, group_ids=groups)
        if chosen.additional_child_folders_labels:
            _add_labels(below, labels)


@transaction.atomic
def set_groups(*, folder: Folder, group_ids: Iterable[int]) -> set[int]:
    """Let exactly these groups reach the folder; access begins and ends at once. The caller has checked the rights.

    Side effects: one audit entry with the ids before and after. Raises `Invalid` for groups the tenant has not.
    """
    wanted = set(group_ids)
    known = set(Group.objects.filter(tenant=folder.tenant_id, pk__in=wanted).values_list("pk", flat=True))
    refuse_unknown("group_ids", wanted - known)
    current = set(FolderAccess.objects.filter(folder=folder).values_list("group_id", flat=True))
    if wanted == current:
        return wanted
    FolderAccess.objects.filter(folder=folder, group__in=current - wanted).delete()
    FolderAccess.objects.bulk_create(
        [FolderAccess(tenant_id=folder.tenant_id, folder=folder, group_id=g) for g in sorted(wanted - current)],
        ignore_conflicts=True,
    )
    audit.record("groups_set", folder, {"group_ids": [sorted(current), sorted(wanted)]})
    return wanted


def _set_mail_users(folder: Folder, user_ids: Iterable[int]) -> None:
    wanted = set(user_ids)
    members = dict(
        Membership.objects.living().filter(organization=folder.tenant_id, user__in=wanted).values_list("user_id", "pk")
    )
    refuse_unknown(MAIL_USERS, wanted - members.keys())
    current = set(FolderMailUser.objects.filter(folder=folder).values_list("membership__user_id", flat=True))
    if wanted == current:
        return
    FolderMailUser.objects.filter(folder=folder, membership__user__in=current - wanted).delete()
    FolderMailUser.objects.bulk_create(
        [
            FolderMailUser(tenant_id=folder.tenant_id, folder=folder, membership_id=members[user])
            for user in sorted(wanted - current)
        ],
        ignore_conflicts=True,
    )
    audit.record("mail_users_set", folder, {MAIL_USERS: [sorted(current), sorted(wanted)]})


@transaction.atomic
def change_folder(
    *,
    actor: Actor,
    folder: Folder,
    changes: Mapping[str, Any],
    group_ids: Iterable[int] | None = None,
    expected: int | None = None,
) -> Folder:
    """Rename, move (``parent``: a folder or none), hide or reconfigure a folder. Returns the row as it is now.

    Side effects: paths, ancestors and ``hidden_from`` of everything below are rewritten, at most three statements
    however many folders there are. A place taken over from the old parent is exchanged for that of the new one;
    subfolders of the same place follow.

    Raises `NotFound` when it is gone, `Denied` without administrator rights, `Conflict` for a move below itself
    (``folder_cycle``) or a sibling of that name (``exists``), `Changed` when somebody else was faster,
    `Invalid` and `ValidationError` for wrong values.
    """
    rules.require(rules.may_administer(actor, folder.tenant_id))
    _known(changes, "name", "parent")
    tree.lock(folder.tenant_id)
    if changes.keys() & {"parent", *PLACE}:
        keep_still([folder.tenant_id])
    fresh = Folder.objects.select_related("parent").filter(pk=folder.pk).first()
    if fresh is None:
        raise NotFound
    parent = _new_parent(fresh, changes["parent"]) if "parent" in changes else fresh.parent
    values: dict[str, Any] = {key: changes[key] for key in SETTINGS & changes.keys()}
    if "name" in changes or "parent" in changes:
        name = plain_name(changes.get("name", fresh.name), slashes=False)
        _refuse_twin(fresh.tenant_id, parent, name, but=fresh.pk)
        values |= {
            "name": name,
            "sort_key": sort_key(name),
            "parent": parent,
            "ancestors": [*parent.ancestors, parent.pk] if parent else [],
            "full_path_name": _path(parent, name),
        }
    values["hidden_from"] = tree.earliest(
        values.get("inactive_at", fresh.inactive_at), parent.hidden_from if parent else None
    )
    values |= _new_place(fresh, parent, changes)
    _write(fresh, values, expected)
    if MAIL_USERS in changes:
        _set_mail_users(fresh, changes[MAIL_USERS])
    if group_ids is not None:
        set_groups(folder=fresh, group_ids=group_ids)
    return fresh


def _new_parent(folder: Folder, parent: Folder | None) -> Folder | None:
    if parent is None:
        return None
    parent = _parent(parent.pk, folder.tenant_id)
    if parent.pk == folder.pk or folder.pk in parent.ancestors:
        raise Conflict(_("A folder cannot lie below itself."), code="folder_cycle")
    return parent


def _new_place(folder: Folder, parent: Folder | None, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Given places win; else a move exchanges what was inherited, and leaves alone what was chosen."""
    given = {key: changes[key] for key in PLACE if key in changes}
    moved = "parent" in changes and parent != folder.parent
    if not given and not moved:
        return {}
    old = {key: getattr(folder, f"{key}_id") for key in PLACE}
    above = {key: getattr(folder.parent, f"{key}_id", None) for key in PLACE}
    inherits = moved and parent is not None and (old == above or not any(old.values()))
    base = parent if inherits else folder
    return _place(given, base) if given or inherits else {}


def _write(folder: Folder, values: dict[str, Any], expected: int | None) -> None:
    """The row, then whatever below is derived from it."""
    old_path, old_ancestors, old_hidden = folder.full_path_name, list(folder.ancestors), folder.hidden_from
    old_place = {f"{key}_id": getattr(folder, f"{key}_id") for key in PLACE}
    below = Folder.objects.filter(tenant=folder.tenant_id, ancestors__contains=[folder.pk])
    if any(values.get(key, getattr(folder, key)) != getattr(folder, key) for key in PLACE):
        followers = below.filter(**old_place).order_by().values_list("pk", flat=True)
        holds.keep_folders([folder.pk, *followers])
    try:
        rows.change(folder, values, expected=expected)
    except ValidationError as error:
        raise _twin_or(error) from error
    if (folder.full_path_name, folder.ancestors) != (old_path, old_ancestors):
        longest = max((len(p) for p in below.values_list("full_path_name", flat=True)), default=0)
        if longest - len(old_path) + len(folder.full_path_name) > _PATH_MAX:
            _refuse_depth()
        tree.rewrite_paths(folder, old_path)
    if folder.hidden_from != old_hidden:
        tree.rewrite_hidden(folder)
    place = {f"{key}_id": getattr(folder, f"{key}_id") for key in PLACE}
    if place != old_place:
        below.filter(**old_place).update(**place)


def _refuse_depth() -> None:
    problem = _("A folder below would lie too deep: its path has more than %(length)d characters.") % {
        "length": _PATH_MAX
    }
    raise Invalid(problem, fields={"name": [problem]})


@transaction.atomic
def delete_folder(*, actor: Actor, folder: Folder) -> None:
    """Delete a folder with everything below it, at once or not at all (DOCMS-109).

    Side effects: a destruction record for each document (DOCMS-132), signals `document_deleted`, `folder_deleted`.

    Raises `NotFound` when it is gone, `Denied` without administrator rights, `Conflict` while any document below
    is protected by its folder's date (``deletion_locked``) or by a hold (``held``).
    """
    rules.require(rules.may_administer(actor, folder.tenant_id))
    tree.lock(folder.tenant_id)
    keep_still([folder.tenant_id])  # before any row is locked: whoever places a hold waits for no row of ours
    doomed = list(Folder.objects.below(folder.pk).filter(tenant=folder.tenant_id).select_for_update().order_by("id"))
    if not any(row.pk == folder.pk for row in doomed):
        raise NotFound
    ids = [row.pk for row in doomed]
    documents = Document.objects.filter(folder__in=ids)
    destruction.refuse_protected(documents)
    destruction.destroy(documents, user_id=actor.user_id, end=destruction.End("folder_deleted", {"folder": folder.pk}))
    audit.record("deleted", folder, {"full_path_name": [folder.full_path_name, None], "folders": [ids, None]})
    for depth in sorted({len(row.ancestors) for row in doomed}, reverse=True):  # PROTECT: children before parents
        Folder.objects.filter(pk__in=[row.pk for row in doomed if len(row.ancestors) == depth]).delete()
    folder_deleted.send(sender=Folder, tenant_id=folder.tenant_id, folder_ids=ids)
