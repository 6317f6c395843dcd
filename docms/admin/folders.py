"""The tree of folders: one page with all of it, and a form for each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.db import models
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from core.admin.base import HouseAdmin
from core.admin.forms import HouseForm
from core.admin.pages import Cell, Section, change_url, id_in, list_url
from core.admin.pickers import picker
from docms import rules
from docms.admin import folder_texts, permissions, tree
from docms.admin.explaining import people_page, permission_url, person_page
from docms.admin.labels import label_section
from docms.models import Document, Folder, FolderAccess, FolderMailUser, FolderPermission, Group
from docms.services import folders
from orgs.models import Membership, Organization


class FolderForm(HouseForm):
    """Name and place, who reaches it, and its rules."""

    refused_at: ClassVar = {"exists": "name"}

    groups = forms.ModelMultipleChoiceField(
        label=_("groups"),
        queryset=Group.objects.none(),
        required=False,
        help_text=_("Only people of these groups find the folder. Subfolders have their own groups."),
    )
    mail_users = forms.ModelMultipleChoiceField(
        label=_("chosen people"), queryset=Membership.objects.none(), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_new:
            return
        if "groups" in self.fields:
            self.initial["groups"] = list(self.instance.access.values_list("group_id", flat=True))
        if "mail_users" in self.fields:
            self.initial["mail_users"] = list(
                FolderMailUser.objects.filter(folder=self.instance).values_list("membership_id", flat=True)
            )

    def clean(self) -> dict[str, Any]:
        """Who wants the folder emptied says when. What a program has stored so keeps nobody from saving the rest."""
        values = super().clean() or {}
        is_touched = {"auto_delete_files", "allow_delete_files"} & set(self.changed_data)
        if is_touched and values.get("auto_delete_files") and values.get("allow_delete_files", "wrong") is None:
            self.add_error("allow_delete_files", _("Without a moment the folder is never emptied."))
        return values

    class Meta:
        model = Folder
        fields = (
            "name", "parent", "community", "unit", "contact", "show_check_mark", "inactive_at", "allow_delete_files",
            "auto_delete_files", "file_delete_files", "mail_after_upload_enable", "mail_after_upload_custom",
        )  # fmt: skip
        help_texts = {
            "parent": _("Empty = on top. Moving a folder takes everything below along."),
            "community": _("Where the portal shows it. Empty = as the folder above, else under every community."),
            "inactive_at": _("From then on only administrators find it, with everything below."),
            "allow_delete_files": _("Until then nobody deletes papers here."),
            "auto_delete_files": _("At that moment the folder is emptied."),
            "file_delete_files": _("0 = papers stay."),
            "mail_after_upload_enable": _("Everyone who reaches a new paper gets a mail."),
            "show_check_mark": _("Members of groups with the check mark tick papers off, for everybody."),
        }


class FolderAdmin(HouseAdmin):
    """Folders. The list is the tree."""

    form = FolderForm
    sees_all = True
    search_fields = ("full_path_name",)
    list_select_related = ("parent", "tenant")
    autocomplete_fields = ("parent", "community", "unit", "contact")
    actions_detail = ("people", "person", "move")
    actions_list = ("seen",)
    fieldsets = (
        (None, {"fields": ("name", "parent", "groups")}),
        (_("Mails"), {"fields": ("mail_after_upload_enable", "mail_after_upload_custom", "mail_users")}),
        (_("Where the portal shows it"), {"fields": ("community", "unit", "contact"), "classes": ("collapse",)}),
        (
            _("Rules"),
            {
                "fields": (
                    "show_check_mark",
                    "inactive_at",
                    "allow_delete_files",
                    "auto_delete_files",
                    "file_delete_files",
                ),
                "classes": ("collapse",),
            },
        ),
    )

    def may_add(self, actor: Any) -> bool:
        """Administrators, for the tenant in view."""
        return actor.tenant_id is not None and bool(rules.may_administer(actor, actor.tenant_id))

    def may_change(self, actor: Any, obj: Any) -> bool:
        """Administrators (DOCMS-184)."""
        return bool(rules.may_administer(actor, obj.tenant_id) if obj else actor.is_operator or actor.admin_tenants)

    def may_delete(self, actor: Any, obj: Any) -> bool:
        """Administrators; protected papers, the service keeps."""
        return self.may_change(actor, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """With the groups and the people of the tenant."""
        form = super().get_form(request, obj, change=change, **kwargs)
        tenant_id = obj.tenant_id if obj else request.actor.tenant_id  # type: ignore[attr-defined]
        fields = dict(form.base_fields)
        for name, origin in (
            ("groups", FolderAccess._meta.get_field("group")),
            ("mail_users", FolderMailUser._meta.get_field("membership")),
        ):
            if name in fields:
                field = picker(self, request, fields[name], origin)
                field.queryset = field.queryset.filter(tenant=tenant_id)
                fields[name] = field
        form.base_fields = fields
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A subfolder starts with its parent's groups; they can be changed."""
        initial = super().get_changeform_initial_data(request)
        parent = initial.get("parent")
        if id_in(parent) is not None and self.get_queryset(request).filter(pk=parent).exists():
            initial["groups"] = list(FolderAccess.objects.filter(folder=parent).values_list("group_id", flat=True))
        return initial

    def insert(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        """See `folders.create_folder`."""
        tenant = Organization.objects.get(pk=request.actor.tenant_id)  # type: ignore[attr-defined]
        groups, people = values.pop("groups"), values.pop("mail_users")
        place = {k: values.pop(k) for k in folders.PLACE}
        return folders.create_folder(
            actor=request.actor,  # type: ignore[attr-defined]
            tenant=tenant,
            group_ids=[g.pk for g in groups],
            mail_after_upload_users=[m.user_id for m in people],
            **{k: v for k, v in place.items() if v is not None},
            **values,
        )

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> Any:
        """See `folders.change_folder`; name and place are only handed over when they change."""
        groups, people = values.pop("groups"), values.pop("mail_users")
        same = [k for k in ("name", "parent", *folders.PLACE) if values.get(k) == getattr(obj, k)]
        for name in same:
            values.pop(name)
        return folders.change_folder(
            actor=request.actor,  # type: ignore[attr-defined]
            folder=obj,
            changes={**values, folders.MAIL_USERS: _kept(obj, people)},
            group_ids=[g.pk for g in groups],
            expected=expected,
        )

    def erase(self, request: HttpRequest, obj: Any) -> None:
        """With everything below, at once or not at all."""
        folders.delete_folder(actor=request.actor, folder=obj)  # type: ignore[attr-defined]

    def get_urls(self) -> list[URLPattern]:
        """With the texts of a folder, and what one person may do there."""

        def page(view: Callable[..., HttpResponse]) -> Any:
            return self.admin_site.admin_view(partial(view, self))

        text = "<path:object_id>/texts/<str:kind>/"
        return [
            path(text, page(folder_texts.text_page), name="docms_folder_text"),
            path(f"{text}standard/", page(folder_texts.standard_page), name="docms_folder_text_standard"),
            path(
                "<path:object_id>/permissions/<int:user_id>/",
                page(permissions.permission_page),
                name="docms_folder_permission",
            ),
            path(
                "<path:object_id>/uploads/<int:user_id>/",
                page(permissions.upload_rule_page),
                name="docms_folder_upload_rule",
            ),
            *super().get_urls(),
        ]

    # --- The tree --------------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The tree. Pickers and searches use `get_queryset`."""
        return tree.tree_page(self, request)

    @action(description=_("Move"), url_path="move", icon="drive_file_move")
    def move(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Below another folder, or on top."""
        return tree.move_page(self, request, object_id)

    def buttons(self, actor: Any, obj: Folder) -> tuple[str, ...]:
        """Moving is for administrators."""
        return ("people", "person", "move") if rules.may_administer(actor, obj.tenant_id) else ("people", "person")

    @action(description=_("As seen by …"), url_path="seen", icon="visibility")
    def seen(self, request: HttpRequest) -> HttpResponse:
        """The tree with the eyes of one person."""
        return tree.seen_page(self, request)

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """Papers, permissions of single people, subfolders."""
        actor = request.actor  # type: ignore[attr-defined]
        papers = Document.objects.visible_to(actor, all=True).filter(folder=obj).order_by("-created_at", "-id")
        children = Folder.objects.visible_to(actor, all=True).filter(parent=obj)
        own = (
            FolderPermission.objects.visible_to(actor)
            .filter(folder=obj, active=True)
            .select_related("membership__user")
        )
        found = [
            Section(
                _("Newest papers"),
                [_("Title"), _("Uploaded"), _("Accesses")],
                [
                    [Cell(d, change_url(d)), Cell(tree.moment(d.created_at)), Cell(d.access_counter)]
                    for d in papers[:10]
                ],
                _("No paper yet."),
                links=[
                    (_("Upload papers"), f"{reverse('admin:docms_document_upload')}?folder={obj.pk}"),
                    (_("All papers of this folder"), list_url(Document, folder__id__exact=obj.pk)),
                ],
            ),
            Section(
                _("Subfolders"),
                [_("Name"), _("Groups")],
                [
                    [Cell(f.name, change_url(f)), Cell(f.group_total)]
                    for f in children.annotate(group_total=Count("access"))
                ],
                _("None."),
                links=self.add_link(request, Folder, _("Add a subfolder"), parent=obj.pk),
            ),
            label_section(self, request, obj),
        ]
        flags = [(f.name, f.verbose_name) for f in FolderPermission._meta.fields if isinstance(f, models.BooleanField)]
        may_change = bool(own) and rules.may_change_permissions(actor, obj.tenant_id)
        lines = [
            [
                Cell(p.membership.user, permission_url(obj, p.membership.user_id) if may_change else ""),
                Cell(", ".join(str(v) for n, v in flags if n != "active" and getattr(p, n)) or "–"),
            ]
            for p in own
        ]
        if lines:
            found.append(Section(_("Permissions of single people here"), [_("Person"), _("Rights")], lines))
        return [*found, *permissions.upload_rules_section(actor, obj), *folder_texts.section(actor, obj)]

    # --- Who sees it -----------------------------------------------------------------------------------

    @action(description=_("Who can see this and why"), url_path="people", icon="groups")
    def people(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Everyone who reaches the folder today."""
        return people_page(self, request, object_id)

    @action(description=_("Can this person see it?"), url_path="person", icon="person_search")
    def person(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One person, with every reason."""
        return person_page(self, request, object_id)


def _kept(folder: Folder, chosen: Any) -> list[int]:
    """The accounts of the chosen members, and of former ones, whom the form does not show: it takes nobody out."""
    gone = FolderMailUser.objects.filter(folder=folder, membership__deactivated_at__lte=timezone.now())
    return [m.user_id for m in chosen] + list(gone.values_list("membership__user_id", flat=True))
