"""The tree of folders on one page: who reaches what, moving, and the tree as one person sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from core.admin import pages
from core.admin.forms import Refusable
from core.admin.pages import id_in, list_url
from docms import rules
from docms.admin.explaining import find_members, member_of
from docms.models import Document, Folder, FolderAccess, FolderPermission, Group
from docms.services import folders
from orgs.actor import actor_for

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from docms.admin.folders import FolderAdmin
    from orgs.actor import Actor

INDENTED = 12  # levels; deeper ones stand where the last of these does, with their number
_RELATED = ("community", "unit", "contact", "tenant")


@dataclass
class Line:
    """One folder of the tree."""

    folder: Folder
    reached: bool = True
    has_children: bool = False
    groups: list[Group] = field(default_factory=list)
    papers: int = 0
    marks: list[tuple[str, str]] = field(default_factory=list)  # text and tone
    rights: list[str] = field(default_factory=list)

    @property
    def depth(self) -> int:
        """How many folders lie above it."""
        return len(self.folder.ancestors)

    @property
    def indent(self) -> int:
        """How far it stands to the right."""
        return min(self.depth, INDENTED)

    @property
    def level(self) -> int | None:
        """Its level, counted from one, where it can no longer be seen from the indentation."""
        return self.depth + 1 if self.depth > INDENTED else None


# --- Lines --------------------------------------------------------------------------------------------------


def lines_for(actor: Actor, *, tenant_id: int | None, everything: bool) -> list[Line]:
    """The folders that somebody sees, from the top down, with their papers.

    ``everything`` adds what administrators reach beyond their own folders. Of a folder that is only on the way to a
    visible one nothing but the name is filled in. The number of queries does not depend on the number of folders.
    """
    found = Folder.objects.with_ancestors(actor, all=everything).select_related(*_RELATED)
    if tenant_id is not None:
        found = found.filter(tenant=tenant_id)
    lines = [
        Line(node.folder, reached=node.folder.is_reached, has_children=bool(node.children))  # type: ignore[attr-defined]
        for top in folders.tree_of(found.order_by("tenant__name", "sort_key", "id"))
        for node in top.walk()
    ]
    reached = {line.folder.pk: line for line in lines if line.reached}
    papers = Document.objects.visible_to(actor, all=everything).filter(folder__in=reached).order_by()
    for folder_id, count in papers.values("folder").annotate(n=Count("id")).values_list("folder", "n"):
        reached[folder_id].papers = count
    for line in reached.values():
        line.marks = marks_of(line.folder)
    return lines


def _add_groups(lines: Iterable[Line], groups: Any = None) -> None:
    """The groups that reach the folders: all, or only some."""
    reached = {line.folder.pk: line for line in lines if line.reached}
    found = FolderAccess.objects.filter(folder__in=reached).select_related("group").order_by("group__sort_key")
    for access in found if groups is None else found.filter(group__in=groups):
        reached[access.folder_id].groups.append(access.group)


def marks_of(folder: Folder) -> list[tuple[str, str]]:
    """What a folder's dates mean at this moment, with a tone."""
    now, found = timezone.now(), []
    if folder.hidden_from is not None:
        if folder.hidden_from <= now:
            found.append((gettext("hidden"), "warn"))
        else:
            found.append((gettext("hidden from %(day)s") % {"day": moment(folder.hidden_from)}, "warn"))
    until = folder.allow_delete_files
    if until is not None and until > now:
        found.append((gettext("protected until %(day)s") % {"day": moment(until)}, "info"))
        if folder.auto_delete_files:
            found.append((gettext("is emptied then"), "bad"))
    if folder.file_delete_files:
        days = folder.file_delete_files
        found.append((gettext("papers go %(days)d days after the first access") % {"days": days}, "bad"))
    return found


def moment(value: datetime) -> str:
    """Day and time as people read them."""
    return formats.date_format(timezone.localtime(value), "SHORT_DATETIME_FORMAT")


# --- The tree -----------------------------------------------------------------------------------------------


def tree_page(admin: FolderAdmin, request: HttpRequest) -> HttpResponse:
    """All folders, indented, with who reaches them."""
    actor = request.actor  # type: ignore[attr-defined]
    lines = lines_for(actor, tenant_id=actor.tenant_id, everything=True)
    _add_groups(lines)
    may_add = admin.has_add_permission(request)
    return pages.render(
        admin.admin_site,
        request,
        "admin/house/folders.html",
        title=_("Folders"),
        opts=admin.opts,
        lines=lines,
        may_add=may_add,
        may_move=may_add,  # with one tenant in view: nothing moves to another
        add_url=reverse("admin:docms_folder_add"),
        upload_url=reverse("admin:docms_document_upload"),
        seen_url=reverse("admin:docms_folder_seen") if may_add else "",
        documents_url=list_url(Document),
        several=actor.tenant_id is None,
    )


# --- Moving -------------------------------------------------------------------------------------------------


class MoveForm(Refusable, forms.Form):
    """Where to. ``version`` is that of the folder when the page was loaded."""

    parent = forms.CharField(label=_("new place"), required=False, widget=UnfoldAdminSelectWidget)
    version = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, folder: Folder, others: Iterable[Folder], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.others = {other.pk: other for other in others}
        self.fields["parent"].widget.choices = [  # type: ignore[attr-defined]
            ("", _("On top, in no folder")),
            *(
                (other.pk, other.full_path_name)
                for other in self.others.values()
                if other.pk != folder.pk and folder.pk not in other.ancestors
            ),
        ]

    def clean_parent(self) -> Folder | None:
        """The folder; none for the top. Whether it fits, the service says."""
        chosen = self.cleaned_data["parent"]
        if not chosen:
            return None
        found = self.others.get(id_in(chosen) or 0)
        if found is None:
            raise forms.ValidationError(_("Choose a folder from the list."))
        return found

    def clean_version(self) -> int | None:
        """A number, or nothing."""
        return id_in(self.cleaned_data["version"])


def move_page(admin: FolderAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """GET: the form "move to …". POST, from it or from the tree: moves, or says why not."""
    folder: Folder = pages.of_object(admin, request, object_id)
    rules.require(rules.may_administer(request.actor, folder.tenant_id))  # type: ignore[attr-defined]
    actor = request.actor  # type: ignore[attr-defined]
    others = Folder.objects.visible_to(actor, all=True).filter(tenant=folder.tenant_id)
    form = MoveForm(
        request.POST or None, folder=folder, others=others.order_by("full_path_name", "id"),
        initial={"parent": folder.parent_id or "", "version": folder.row_version},
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        parent, version = form.cleaned_data["parent"], form.cleaned_data["version"]
        if form.attempt(
            lambda: folders.change_folder(actor=actor, folder=folder, changes={"parent": parent}, expected=version)
        ):
            if parent is None:
                told = gettext("“%(folder)s” is on top now.") % {"folder": folder.name}
            else:
                told = gettext("“%(folder)s” is in “%(parent)s” now.") % {"folder": folder.name, "parent": parent.name}
            messages.success(request, told)
            return redirect(f"{list_url(Folder)}#folder-{folder.pk}")
    return pages.form_page(
        admin, request, form, title=_("Move the folder"), button=_("Move"), obj=folder, back=list_url(Folder),
        text=gettext("Everything below goes along. Who reaches the folders stays as it is."),
    )  # fmt: skip


# --- As seen by somebody ------------------------------------------------------------------------------------


def seen_page(admin: FolderAdmin, request: HttpRequest) -> HttpResponse:
    """Choose somebody, and look at the tree with that person's eyes. Reads only."""
    actor = request.actor  # type: ignore[attr-defined]
    if not admin.has_view_permission(request):
        raise PermissionDenied
    if actor.tenant_id is None:
        messages.warning(request, gettext("Choose a tenant first."))
        return redirect(list_url(Folder))
    rules.require(rules.may_administer(actor, actor.tenant_id))
    words, chosen = request.GET.get("q", "").strip(), request.GET.get("user", "")
    seen: dict[str, Any] = {}
    if chosen:
        member = member_of(actor.tenant_id, chosen)
        if member is None:
            raise Http404
        lines = _seen_by(actor_for(member.user, door="explain", tenant_id=actor.tenant_id))
        reached = [line for line in lines if line.reached]
        seen = {
            "person": member.user,
            "lines": lines,
            "folder_total": len(reached),
            "paper_total": sum(line.papers for line in reached),
            "is_former": member.is_deactivated,
            "is_administrator": member.admin_perm or member.super_admin_perm,
        }
    return pages.render(
        admin.admin_site,
        request,
        "admin/house/folders_seen.html",
        title=_("As seen by …"),
        opts=admin.opts,
        words=words,
        found=find_members(actor.tenant_id, words),
        back=list_url(Folder),
        **seen,
    )


def _seen_by(person: Actor) -> list[Line]:
    """The folders in the person's own lists, through which groups, and what is allowed there."""
    lines = lines_for(person, tenant_id=person.tenant_id, everything=False)
    _add_groups(lines, Group.objects.held_by(person).order_by().values("id"))
    flags = rules.effective_many(person, [line.folder for line in lines if line.reached])
    names = {name: str(_flag_name(name)) for name in rules.flag_names()}
    for line in lines:
        if line.reached:
            line.rights = [word for name, word in names.items() if getattr(flags[line.folder.pk], name)]
    return lines


def _flag_name(flag: str) -> Any:
    if flag == "show_checkmark":
        return _("check off")
    return FolderPermission._meta.get_field(flag).verbose_name  # type: ignore[union-attr]
