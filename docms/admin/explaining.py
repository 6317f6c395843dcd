"""Who sees a folder or a paper, and why: for everybody at a glance, for one person in every detail."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.options import ModelAdmin
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.admin import pages
from core.admin.pages import Cell, Section, change_url, id_in
from docms import explain, rules
from docms.models import Document, Folder, FolderPermission, Group
from docms.services.groups import members_of, people_of_folder
from orgs.models import Membership, User

SHOWN = 500
FOUND = 25


def people_page(admin: ModelAdmin[Any], request: HttpRequest, object_id: str) -> HttpResponse:
    """Everyone who reaches the folder through a group today, and through which; the administrators apart."""
    obj: Folder | Document = pages.of_object(admin, request, object_id)
    folder = obj if isinstance(obj, Folder) else obj.folder
    _demand(request, folder)
    groups = list(Group.objects.filter(access__folder=folder).select_related("tenant").order_by("sort_key"))
    through: dict[int, list[str]] = {}
    for group in groups:
        for user_id in members_of(group):
            through.setdefault(user_id, []).append(group.name)
    reached = people_of_folder(folder)
    readers = rules.holders(folder, "read", reached)
    users = list(User.objects.filter(pk__in=reached).order_by("last_name", "first_name", "id")[:SHOWN])
    admins = Membership.objects.active().administrators().filter(organization=folder.tenant_id).select_related("user")
    may_change = rules.may_change_permissions(request.actor, folder.tenant_id)  # type: ignore[attr-defined]
    own = set(FolderPermission.objects.filter(folder=folder, active=True).values_list("membership__user_id", flat=True))
    lines = [
        [
            Cell(user, f"../person/?user={user.pk}"),
            Cell(user.shown_email),
            Cell(", ".join(through.get(user.pk, []))),
            Cell(_("reads"), tone="good") if user.pk in readers else Cell(_("sees it, may not read"), tone="warn"),
            Cell(
                _("own rights here") if user.pk in own else _("as everywhere"),
                permission_url(folder, user.pk) if may_change else "",
            ),
        ]
        for user in users
    ]
    sections = [
        Section(
            _("People of its groups: %(count)d") % {"count": len(reached)},
            [_("Person"), _("E-mail address"), _("Through"), _("Rights"), _("Permissions")],
            lines,
            _("Nobody reaches this folder through a group."),
            note=_(
                "A click on a name shows every reason; a click on the last column changes what the person may do here."
            )
            if may_change
            else _("A click on a name shows every reason."),
        ),
        Section(
            _("Groups"),
            [_("Group"), _("Kind")],
            [[Cell(g.name, change_url(g)), Cell(g.get_kind_display())] for g in groups],
            _("No group reaches this folder."),
        ),
        Section(
            _("Administrators"),
            [_("Person"), _("E-mail address")],
            [[Cell(m.user, f"../person/?user={m.user_id}"), Cell(m.user.email)] for m in admins],
            _("Nobody."),
            note=_("They reach every folder by its address and in search, and are told of no upload."),
        ),
    ]
    return pages.render(
        admin.admin_site, request, "admin/house/page.html", title=_("Who can see this and why"),
        sections=sections, opts=admin.opts, original=obj, back=change_url(obj),
    )  # fmt: skip


def person_page(admin: ModelAdmin[Any], request: HttpRequest, object_id: str) -> HttpResponse:
    """Choose somebody, read the answer and its reasons."""
    obj: Folder | Document = pages.of_object(admin, request, object_id)
    folder = obj if isinstance(obj, Folder) else obj.folder
    _demand(request, folder)
    words = request.GET.get("q", "").strip()
    user, reasons, links = None, [], []
    chosen = request.GET.get("user", "")
    if chosen:
        member = member_of(folder.tenant_id, chosen)
        if member is None:
            raise Http404
        user, reasons = member.user, explain.why(member.user, obj)
        if rules.may_change_permissions(request.actor, folder.tenant_id):  # type: ignore[attr-defined]
            links.append((_("Change what this person may do here"), permission_url(folder, user.pk)))
        if rules.may_administer(request.actor, folder.tenant_id):  # type: ignore[attr-defined]
            uploads = reverse("admin:docms_folder_upload_rule", args=[folder.pk, user.pk])
            links.append((_("Whom uploads of this person notify"), uploads))
    return pages.render(
        admin.admin_site, request, "admin/house/person.html", title=_("Can this person see it?"),
        words=words, found=find_members(folder.tenant_id, words), person=user, conclusion=reasons[0] if reasons else "", reasons=reasons[1:],
        links=links, opts=admin.opts, original=obj, back=change_url(obj),
    )  # fmt: skip


def person_url(folder: Folder, user_id: int) -> str:
    """The page that says whether a person sees a folder, and why."""
    return f"{reverse('admin:docms_folder_person', args=[folder.pk])}?user={user_id}"


def permission_url(folder: Folder, user_id: int) -> str:
    """The page about what a person may do in a folder."""
    return reverse("admin:docms_folder_permission", args=[folder.pk, user_id])


def find_members(tenant_id: int, words: str) -> list[Membership]:
    """Members of a tenant whose name or address holds all the words, former ones too; nobody without words."""
    if not words:
        return []
    found = Membership.objects.living().filter(organization=tenant_id).select_related("user")
    for word in words.split():
        found = found.filter(
            Q(user__first_name__icontains=word) | Q(user__last_name__icontains=word) | Q(user__email__icontains=word)
        )
    return list(found.order_by("user__last_name", "user__first_name", "id")[:FOUND])


def member_of(tenant_id: int, chosen: str) -> Membership | None:
    """The member whose account an address names; none that is erased."""
    user_id = id_in(chosen)
    if user_id is None:
        return None
    return Membership.objects.living().filter(organization=tenant_id, user=user_id).select_related("user").first()


def _demand(request: HttpRequest, folder: Folder) -> None:
    """Who else reaches a folder is for administrators, and for who may see its logs."""
    actor = request.actor  # type: ignore[attr-defined]
    answer = rules.may_administer(actor, folder.tenant_id)
    if not answer and not rules.effective(actor, folder).log:
        rules.require(answer)
