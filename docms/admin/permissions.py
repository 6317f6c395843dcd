"""What one person may do in one folder, whatever else they may do, and who is told of what they upload there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldBooleanWidget

from core.admin import pages
from core.admin.forms import Refusable
from core.admin.pages import Cell, Section
from core.admin.pickers import merge_lists, picker
from docms import rules
from docms.admin.explaining import member_of, person_url
from docms.models import Folder, FolderPermission, MailRule, MailRuleRecipient
from docms.reach import MEMBER_FLAGS
from docms.services import permissions
from orgs.models import Membership

if TYPE_CHECKING:
    from docms.admin.folders import FolderAdmin
    from orgs.actor import Actor
    from orgs.models import User

NAMES = 12  # of recipients, in a line
BY_NAME = ("user__last_name", "user__first_name", "id")
HELP = {
    "active": _("Then only the marks below count in this folder. Without: what the person may do everywhere."),
    "upload": _("Changing papers needs it, too."),
    "mail": _("After an upload the person may tell others of it."),
    "log": _("Who has read what, and who reaches the folder."),
}  # fmt: skip


class PermissionForm(Refusable, forms.Form):
    """Whether the marks count, and the marks, named as the row names them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("active", *MEMBER_FLAGS):
            column: Any = FolderPermission._meta.get_field(name)
            self.fields[name] = forms.BooleanField(
                label=column.verbose_name, required=False, widget=UnfoldBooleanWidget, help_text=HELP.get(name, "")
            )


class UploadRuleForm(Refusable, forms.Form):
    """Whether the rule is in force, and who is told."""

    custom = forms.BooleanField(
        label=_("in force"), required=False, widget=UnfoldBooleanWidget,
        help_text=_("Without: as the folder says for everybody's uploads."),
    )  # fmt: skip
    recipients = forms.ModelMultipleChoiceField(
        label=_("recipients"), queryset=Membership.objects.none(), required=False,
        help_text=_("Of these, only who reaches the paper gets a mail. Empty = nobody."),
    )  # fmt: skip

    def __init__(self, *args: Any, admin: Any, request: HttpRequest, tenant_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        declared: Any = self.fields["recipients"]
        reference: Any = MailRuleRecipient._meta.get_field("membership")
        self.fields["recipients"] = field = picker(admin, request, declared, reference)
        field.queryset = field.queryset.filter(tenant=tenant_id)
        merge_lists(self)


def permission_page(admin: FolderAdmin, request: HttpRequest, object_id: str, user_id: int) -> HttpResponse:
    """The form; it begins with what the person may do today.

    Raises `Denied` for who may not change permissions, also while they are locked; `Http404` for unknown folders and people.
    """
    folder: Folder = pages.of_object(admin, request, object_id)
    actor = request.actor  # type: ignore[attr-defined]
    rules.require(rules.may_change_permissions(actor, folder.tenant_id))
    member = _member(folder, user_id)
    form = PermissionForm(request.POST if request.method == "POST" else None, initial=_today(folder, member))

    def work() -> None:
        flags = dict(form.cleaned_data)
        active = flags.pop("active")
        permissions.set_permission(actor=actor, folder=folder, user_id=user_id, flags=flags, active=active)

    if request.method == "POST" and form.is_valid() and form.attempt(work):
        messages.success(request, gettext("What %(who)s may do here was saved.") % {"who": member.user})
        return redirect(person_url(folder, user_id))
    return pages.form_page(
        admin, request, form, title=_("What %(who)s may do here") % {"who": member.user}, button=_("Save"), obj=folder,
        text=_("It opens no folder that no group of the person reaches, and goes for no subfolder."),
        back=person_url(folder, user_id),
    )  # fmt: skip


def upload_rule_page(admin: FolderAdmin, request: HttpRequest, object_id: str, user_id: int) -> HttpResponse:
    """Whom an upload of one person into the folder notifies (DOCMS-143).

    Raises `Denied` for everybody but administrators, `Http404` for unknown folders and people.
    """
    folder: Folder = pages.of_object(admin, request, object_id)
    actor = request.actor  # type: ignore[attr-defined]
    rules.require(rules.may_administer(actor, folder.tenant_id))
    member = _member(folder, user_id)
    rule = MailRule.objects.filter(folder=folder, membership=member).first()
    told = MailRuleRecipient.objects.filter(rule=rule)
    initial = {
        "custom": rule is not None and rule.custom,
        "recipients": list(told.values_list("membership_id", flat=True)),
    }
    sent = request.POST if request.method == "POST" else None
    form = UploadRuleForm(sent, initial=initial, admin=admin, request=request, tenant_id=folder.tenant_id)

    def work() -> None:
        gone = told.filter(membership__deactivated_at__lte=timezone.now())  # whom the form does not show
        chosen = [m.user_id for m in form.cleaned_data["recipients"]]
        chosen += gone.values_list("membership__user_id", flat=True)
        if chosen or form.cleaned_data["custom"]:
            permissions.set_mail_rule(
                actor=actor, folder=folder, user_id=user_id, custom=form.cleaned_data["custom"], recipient_ids=chosen
            )
        elif rule is not None:  # one that says nothing would stand in the list of the folder for ever
            permissions.delete_mail_rule(actor=actor, folder=folder, user_id=user_id)

    if request.method == "POST" and form.is_valid() and form.attempt(work):
        messages.success(request, gettext("The rule for uploads of %(who)s was saved.") % {"who": member.user})
        return redirect(person_url(folder, user_id))
    return pages.form_page(
        admin, request, form, title=_("Whom uploads of %(who)s notify") % {"who": member.user}, button=_("Save"),
        obj=folder, back=person_url(folder, user_id),
    )  # fmt: skip


def upload_rules_section(actor: Actor, folder: Folder) -> list[Section]:
    """Whose uploads into a folder follow a rule of their own, for its form; nothing for whom the rules are not."""
    if not rules.may_administer(actor, folder.tenant_id):
        return []
    told = Prefetch("recipients", Membership.objects.select_related("user").order_by(*BY_NAME))
    stored = MailRule.objects.visible_to(actor).filter(folder=folder).select_related("membership__user")
    lines = [
        [
            Cell(
                rule.membership.user,
                reverse("admin:docms_folder_upload_rule", args=[folder.pk, rule.membership.user_id]),
            ),
            Cell(_("in force"), tone="good") if rule.custom else Cell(_("not in force"), tone="none"),
            Cell(_names([m.user for m in rule.recipients.all()])),
        ]
        for rule in stored.order_by(*(f"membership__{name}" for name in BY_NAME)).prefetch_related(told)
    ]
    return [
        Section(
            _("Whom uploads of single people notify"), [_("Person"), _("State"), _("Recipients")], lines,
            _("Nobody has a rule of their own: the folder's goes for everybody."),
            links=[(_("A rule for another person"), reverse("admin:docms_folder_person", args=[folder.pk]))],
        )
    ]  # fmt: skip


def _names(people: list[User]) -> str:
    """The first of them, and how many more."""
    shown, more = ", ".join(str(person) for person in people[:NAMES]), len(people) - NAMES
    return " ".join((shown, gettext("and %(more)s more") % {"more": more})) if more > 0 else shown or gettext("nobody")


def _member(folder: Folder, user_id: int) -> Membership:
    """Raises `Http404` for people who are not of the folder's tenant."""
    member = member_of(folder.tenant_id, str(user_id))
    if member is None:
        raise Http404
    return member


def _today(folder: Folder, member: Membership) -> dict[str, bool]:
    """The stored marks; without any, what the person may do everywhere."""
    stored = FolderPermission.objects.filter(folder=folder, membership=member).first()
    if stored is None:
        return {"active": False, **{flag: getattr(member, column) for flag, column in MEMBER_FLAGS.items()}}
    return {name: getattr(stored, name) for name in ("active", *MEMBER_FLAGS)}
