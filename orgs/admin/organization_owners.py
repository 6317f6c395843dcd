"""Owners of an organization and their invitations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget

from core.admin.forms import Refusable, add_refusal
from core.admin.pages import Cell, Section, change_url, confirm, form_page, id_in, of_object
from core.answers import require
from core.errors import DomainError
from core.services import throttle
from orgs import rules
from orgs.admin.organization_tokens import day
from orgs.models import Membership
from orgs.services import owners

if TYPE_CHECKING:
    from orgs.admin.organizations import OrganizationAdmin
    from orgs.models import Organization

OFFERED = 200  # people of the list; everybody else is asked by address


class InviteForm(Refusable, forms.Form):
    """Whom: somebody of the company, or an address with an account."""

    person = forms.TypedChoiceField(
        label=_("somebody of the company"), coerce=int, empty_value=None, required=False, widget=UnfoldAdminSelectWidget
    )
    email = forms.EmailField(
        label=_("or the e-mail address of an account"), max_length=254, required=False,
        widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "off"}),
    )  # fmt: skip

    def __init__(self, *args: Any, offered: list[Membership], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.addresses = {m.user_id: m.user.email for m in offered}
        if offered:
            named = [(m.user_id, f"{m.user} · {m.user.email}") for m in offered]
            self.fields["person"].choices = [("", "–"), *named]  # type: ignore[attr-defined]
        else:
            del self.fields["person"]
            self.fields["email"].label = _("e-mail address of an account")

    def clean(self) -> dict[str, Any]:
        """One of the two."""
        values: dict[str, Any] = super().clean() or {}
        person, email = values.get("person"), values.get("email")
        if not self.errors and bool(person) == bool(email):
            raise forms.ValidationError(_("Choose a person, or write an address."))
        return values

    @property
    def address(self) -> str:
        """Where the invitation goes."""
        person = self.cleaned_data.get("person")
        return self.addresses[person] if person else str(self.cleaned_data["email"])


def sections(admin: OrganizationAdmin, request: HttpRequest, obj: Organization) -> list[Section]:
    """Its direct owners, for everybody who sees it; open invitations for owners."""
    actor = request.actor  # type: ignore[attr-defined]
    owns = bool(rules.may_own(actor, obj))
    owning = Membership.objects.active().filter(organization=obj, role=Membership.Role.OWNER).select_related("user")
    remove, withdraw = (
        reverse(f"admin:orgs_organization_{name}", args=[obj.pk]) for name in ("remove_owner", "withdraw_owner")
    )
    rows = [
        [Cell(m.user), Cell(m.user.email), *([Cell(_("Remove"), f"{remove}?user={m.user_id}")] if owns else [])]
        for m in owning.order_by("user__last_name", "user__first_name", "user_id")
    ]
    invite = [(_("Invite an owner"), reverse("admin:orgs_organization_invite_owner", args=[obj.pk]))] if owns else []
    heads = [_("Person"), _("E-mail address"), *([""] if owns else [])]
    found = [Section(_("Owners"), heads, rows, _("Nobody owns it directly."), links=invite)]
    if owns:
        asked = owners.open_invitations(actor=actor, organization=obj)
        lines = [
            [Cell(i.email), Cell(day(i.expires_at)), Cell(_("Withdraw"), f"{withdraw}?user={i.user_id}")] for i in asked
        ]
        heads = [_("E-mail address"), _("Valid until"), ""]
        found.append(Section(_("Invited as owner"), heads, lines, _("No invitation is open.")))
    return found


def invite_page(admin: OrganizationAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Whom. Unknown addresses, and mails to the same person again and again, make one wait, as at the API."""
    obj: Organization = of_object(admin, request, object_id)
    actor = request.actor  # type: ignore[attr-defined]
    require(rules.may_own(actor, obj))
    form = InviteForm(request.POST or None, offered=_offered(actor, obj))
    if request.method == "POST" and form.is_valid() and _invited(form, actor, obj):
        messages.success(request, gettext("%(email)s gets a mail with the invitation.") % {"email": form.address})
        return redirect(change_url(obj))
    return form_page(
        admin, request, form, title=_("Invite an owner"), button=_("Invite"), obj=obj,
        text=_("An owner may do everything here and in all organizations below. The invitation goes by mail and works for "
               "14 days."),
    )  # fmt: skip


def _invited(form: InviteForm, actor: Any, obj: Organization) -> bool:
    unknown, mails = owners.counters(actor=actor, email=form.address)
    try:
        throttle.check(unknown, mails)
    except DomainError as error:
        add_refusal(form, error)
        return False
    if form.attempt(lambda: owners.invite(actor=actor, organization=obj, email=form.address)):
        throttle.fail(mails)  # each is a mail to somebody who did not ask for it
        return True
    if not owners.is_known(form.address):
        throttle.fail(unknown)
    return False


def _offered(actor: Any, obj: Organization) -> list[Membership]:
    """Staff of the company who do not own the organization yet."""
    if obj.tenant_id is None:
        return []
    owning = Membership.objects.active().filter(organization=obj, role=Membership.Role.OWNER).values("user")
    staff = Membership.objects.visible_to(actor).active().staff().filter(organization=obj.tenant_id)
    found = staff.exclude(user__in=owning).select_related("user")
    return list(found.order_by("user__last_name", "user__first_name", "user_id")[:OFFERED])


def remove_page(admin: OrganizationAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Ask first. The last owner stays."""
    obj: Organization = of_object(admin, request, object_id)
    actor = request.actor  # type: ignore[attr-defined]
    require(rules.may_own(actor, obj))
    owning = Membership.objects.active().filter(organization=obj, role=Membership.Role.OWNER).select_related("user")
    row = owning.filter(user=id_in(request.GET.get("user")) or 0).first()
    if row is None:
        raise Http404
    return confirm(
        admin, request, obj, title=_("Remove the owner"), button=_("Remove"), danger=True,
        done=_("%(person)s is no owner any more.") % {"person": row.user},
        text=_("%(person)s stays as staff without any right, and keeps the account.") % {"person": row.user},
        work=lambda: owners.remove(actor=actor, organization=obj, user_id=row.user_id),
    )  # fmt: skip


def withdraw_page(admin: OrganizationAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Ask first."""
    obj: Organization = of_object(admin, request, object_id)
    actor = request.actor  # type: ignore[attr-defined]
    asked = {i.user_id: i for i in owners.open_invitations(actor=actor, organization=obj)}
    row = asked.get(id_in(request.GET.get("user")) or 0)
    if row is None:
        raise Http404
    return confirm(
        admin, request, obj, title=_("Withdraw the invitation"), button=_("Withdraw"), danger=True,
        done=_("The invitation is withdrawn."),
        text=_("The link in the mail to %(email)s works no longer.") % {"email": row.email},
        work=lambda: owners.withdraw(actor=actor, organization=obj, user_id=row.user_id),
    )  # fmt: skip
