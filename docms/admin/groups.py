"""Circles of people: chosen by hand, or whoever lives somewhere."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db.models import OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget

from core.admin.base import count_of
from core.admin.forms import HouseForm, Refusable
from core.admin.pages import Cell, Section, change_url, form_page
from core.admin.pickers import picker
from core.errors import Denied, Invalid
from docms import rules
from docms.admin.base import AdministratorsAdmin
from docms.models import Folder, FolderAccess, Group, GroupMember
from docms.services import folders, groups
from orgs.models import Building, Community, Contact, Membership, Organization, Unit, User

SHOWN = 500


class GroupForm(HouseForm):
    """Name, people and who of them administers the group, folders."""

    refused_at: ClassVar = {"exists": "name"}

    people = forms.ModelMultipleChoiceField(label=_("people"), queryset=Membership.objects.none(), required=False)
    groupadmin_ids = forms.ModelMultipleChoiceField(
        label=_("group administrators"), queryset=Membership.objects.none(), required=False,
        help_text=_("People of this group. What they may do with the others, the settings of the tenant say."),
    )  # fmt: skip
    folders = forms.ModelMultipleChoiceField(
        label=_("folders"), queryset=Folder.objects.none(), required=False,
        help_text=_("Access begins and ends with saving."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_new:
            return
        if "groupadmin_ids" in self.fields:
            rows = dict(self.instance.members.values_list("membership_id", "is_admin"))
            self.initial["people"] = list(rows)
            self.initial["groupadmin_ids"] = [pk for pk, is_admin in rows.items() if is_admin]
        if "folders" in self.fields:
            self.initial["folders"] = list(self.instance.access.values_list("folder_id", flat=True))

    def clean_groupadmin_ids(self) -> Any:
        """Of a derived group: people who are in it today, or None where nobody touched the field, so that whoever has left
        since keeps no one from saving. Of one made by hand, the service compares them with the people chosen here."""
        chosen = self.cleaned_data["groupadmin_ids"]
        if self.instance.kind != Group.Kind.DERIVED:
            return chosen
        offered: Any = self.fields["groupadmin_ids"]
        shown = offered.queryset.filter(pk__in=self.initial["groupadmin_ids"]).values_list("pk", flat=True)
        if set(shown) == {m.pk for m in chosen}:
            return None
        today = groups.members_of(self.instance)
        if outside := [str(m.user) for m in chosen if m.user_id not in today]:
            raise forms.ValidationError(_("Not in this group today: %(who)s"), params={"who": ", ".join(outside)})
        return chosen

    class Meta:
        model = Group
        fields = ("name", "show_check_mark")


class AddressForm(Refusable, forms.Form):
    """To whom: a community, an entrance, a unit or a person; a role narrows it."""

    community = forms.ModelChoiceField(label=_("community"), queryset=Community.objects.none(), required=False)
    building = forms.ModelChoiceField(label=_("entrance"), queryset=Building.objects.none(), required=False)
    unit = forms.ModelChoiceField(label=_("unit"), queryset=Unit.objects.none(), required=False)
    contact = forms.ModelChoiceField(label=_("person"), queryset=Contact.objects.none(), required=False)
    role = forms.ChoiceField(
        label=_("role"), required=False, choices=[("", _("everyone")), *Group.Role.choices], widget=UnfoldAdminSelectWidget,
        help_text=_("Goes with a community or a unit."),
    )  # fmt: skip
    folder = forms.ModelChoiceField(
        label=_("folder"), queryset=Folder.objects.none(), required=False, help_text=_("The group reaches it at once.")
    )

    def __init__(self, *args: Any, admin: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, origin in (
            ("community", Group), ("building", Group), ("unit", Group), ("contact", Group), ("folder", FolderAccess),
        ):  # fmt: skip
            declared: Any = self.fields[name]
            reference: Any = origin._meta.get_field(name)
            self.fields[name] = picker(admin, request, declared, reference)

    def clean(self) -> dict[str, Any]:
        """Exactly one place or person."""
        values = super().clean() or {}
        if sum(values.get(name) is not None for name in ("community", "building", "unit", "contact")) != 1:
            raise forms.ValidationError(_("Choose a community, an entrance, a unit or a person: one of them."))
        return values


class GroupAdmin(AdministratorsAdmin):
    """Groups."""

    form = GroupForm
    list_display = ("name", "kind", "stands_for", "people_total", "admins_total", "folder_total")
    list_filter = ("kind",)
    search_fields = ("name",)
    list_select_related = ("community", "building", "unit__community", "contact")
    ordering = ("sort_key", "id")
    actions_list = ("address",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """With counts."""
        return (
            super()
            .get_queryset(request)
            .annotate(
                member_total=count_of(GroupMember.objects.filter(group=OuterRef("pk"))),
                admin_total=count_of(GroupMember.objects.filter(group=OuterRef("pk"), is_admin=True)),
                folders_total=count_of(FolderAccess.objects.filter(group=OuterRef("pk"))),
            )
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A derived group's people follow from who lives there."""
        derived = obj is not None and obj.kind == Group.Kind.DERIVED
        who = "stands_for" if derived else "people"
        return [(None, {"fields": ("name", who, "groupadmin_ids", "folders", "show_check_mark")})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What it stands for."""
        return ("stands_for",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """With the people and folders of the tenant."""
        form = super().get_form(request, obj, change=change, **kwargs)
        tenant_id = obj.tenant_id if obj else request.actor.tenant_id  # type: ignore[attr-defined]
        fields = dict(form.base_fields)
        for name, origin in (
            ("people", GroupMember._meta.get_field("membership")),
            ("groupadmin_ids", GroupMember._meta.get_field("membership")),
            ("folders", FolderAccess._meta.get_field("folder")),
        ):
            if name in fields:
                field = picker(self, request, fields[name], origin)
                field.queryset = field.queryset.filter(tenant=tenant_id)
                fields[name] = field
        if obj is not None and obj.kind == Group.Kind.DERIVED:
            fields.pop("people", None)
        form.base_fields = fields
        return form

    def insert(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        """See `groups.create_group`."""
        return groups.create_group(
            actor=request.actor,  # type: ignore[attr-defined]
            tenant=Organization.objects.get(pk=request.actor.tenant_id),  # type: ignore[attr-defined]
            name=values["name"],
            user_ids=[m.user_id for m in values.get("people", ())],
            folder_ids=[f.pk for f in values["folders"]],
            groupadmin_ids=[m.user_id for m in values.get("groupadmin_ids", ())],
            show_check_mark=values["show_check_mark"],
        )

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> Any:
        """See `groups.change_group`."""
        people, admins = values.get("people"), values.get("groupadmin_ids")
        if admins is not None:
            derived = obj.kind == Group.Kind.DERIVED
            admins = [m.user_id for m in admins] if derived else _kept(obj, admins, is_admin=True)
        return groups.change_group(
            actor=request.actor,  # type: ignore[attr-defined]
            group=obj,
            changes={k: values[k] for k in ("name", "show_check_mark")},
            user_ids=None if people is None else _kept(obj, people),
            folder_ids=[f.pk for f in values["folders"]],
            groupadmin_ids=admins,
            expected=expected,
        )

    def erase(self, request: HttpRequest, obj: Any) -> None:
        """People, folders and papers stay."""
        groups.delete_group(actor=request.actor, group=obj)  # type: ignore[attr-defined]

    @display(description=_("stands for"))
    def stands_for(self, group: Group) -> str:
        """The place or person of a derived group."""
        place = group.community or group.building or group.contact
        if group.unit is not None:
            place = f"{group.unit.community} · {group.unit}"  # type: ignore[assignment]
        if place is None:
            return "–"
        return f"{place}: {group.get_role_display()}" if group.role else str(place)

    @display(description=_("people"))
    def people_total(self, group: Any) -> Any:
        """Of a manual group its rows; a derived one is worked out on its own page."""
        return group.member_total if group.kind == Group.Kind.MANUAL else _("who lives there")

    @display(description=_("group administrators"))
    def admins_total(self, group: Any) -> int:
        """How many administer it."""
        return int(group.admin_total)

    @display(description=_("folders"))
    def folder_total(self, group: Any) -> int:
        """How many it reaches."""
        return int(group.folders_total)

    @action(description=_("Address by place or person"), url_path="address", icon="apartment")
    def address(self, request: HttpRequest) -> HttpResponse:
        """The group of whoever lives somewhere: found or made, and given a folder."""
        actor = request.actor  # type: ignore[attr-defined]
        if actor.tenant_id is None:
            messages.warning(request, gettext("Choose a tenant first."))
            return redirect("admin:docms_group_changelist")
        answer = rules.may_administer(actor, actor.tenant_id)
        if not answer:
            raise Denied(answer.reason)
        form = AddressForm(request.POST or None, initial=request.GET.dict(), admin=self, request=request)
        made: list[Group] = []

        def work() -> None:
            values = dict(form.cleaned_data)
            folder = values.pop("folder")
            group = groups.derived_group(tenant=Organization.objects.get(pk=actor.tenant_id), **values)
            if folder is not None:
                if folder.tenant_id != group.tenant_id:
                    raise Invalid
                current = set(folder.access.values_list("group_id", flat=True))
                folders.set_groups(folder=folder, group_ids=current | {group.pk})
            made.append(group)

        if request.method == "POST" and form.is_valid() and form.attempt(work):
            messages.success(request, gettext("“%(group)s” is ready.") % {"group": made[0]})
            return redirect(change_url(made[0]))
        return form_page(
            self, request, form, title=_("Address by place or person"), button=_("Make the group"),
            text=_("The people of such a group are never copied: who moves in belongs to it from the first day, who moves "
                   "out is gone after the last."),
            back=reverse("admin:docms_group_changelist"),
        )  # fmt: skip

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """Who is in today, and who of them administers the group."""
        ids = groups.members_of(obj)
        admins = set(obj.members.filter(is_admin=True).values_list("membership__user_id", flat=True))
        users = User.objects.filter(pk__in=ids).order_by("last_name", "first_name", "id")[:SHOWN]
        return [
            Section(
                _("People today: %(count)d") % {"count": len(ids)},
                [_("Person"), _("E-mail address"), _("Rights")],
                [
                    [Cell(u), Cell(u.shown_email), Cell(_("administers the group") if u.pk in admins else "")]
                    for u in users
                ],
                _("Nobody has an account yet."),
            )
        ]


def _kept(group: Group, chosen: Any, **rows: Any) -> list[int]:
    """The accounts of the chosen members, and of former ones, whom the form does not show: it takes nobody out."""
    gone = GroupMember.objects.filter(group=group, membership__deactivated_at__lte=timezone.now(), **rows)
    return [m.user_id for m in chosen] + list(gone.values_list("membership__user_id", flat=True))
