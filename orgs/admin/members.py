"""Members: staff and everybody else with an account in a tenant; their flags, their sign-in, their leaving."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import nh3
from django.contrib import admin
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from core.admin.base import HouseAdmin
from core.admin.pages import Cell, Section, change_url, confirm, of_object, picture
from core.admin.pickers import picker
from core.answers import YES, Answer, require
from core.errors import Denied
from core.services.pictures import store_logo
from orgs import rules
from orgs.admin import ids
from orgs.admin.member_form import PICTURE, MemberForm, picture_page, picture_url
from orgs.models import Community, CommunityAssignment, Contact, Membership, Organization, SecondFactor
from orgs.services import accounts, members

DOCUMENT_FLAGS = (
    ("read_perm", "download_perm"), ("upload_file_perm", "mail_perm"), ("edit_file_perm", "edit_own_file_perm"),
    "log_perm",
)  # fmt: skip
# Flags that would make somebody mightier than the one who grants them (DOCMS-057).
FOR_SUPER_ADMINS = ("super_admin_perm",)

RIGHTS = ("role", *members.NO_RIGHTS)

SIGN_IN = ("password_link", "reset_attempts", "reset_second_factor")


class ActiveFilter(admin.SimpleListFilter):
    """Active or deactivated."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Two states."""
        return [("active", _("active")), ("deactivated", _("deactivated"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """At this moment."""
        if self.value() == "active":
            return queryset.active()
        if self.value() == "deactivated":
            return queryset.filter(deactivated_at__lte=timezone.now())
        return queryset


class MembershipAdmin(HouseAdmin):
    """Members of the tenant in view."""

    form = MemberForm
    list_display = ("person", "email", "role", "rights", "state")
    list_filter = (ActiveFilter, "role", "admin_perm")
    search_fields = ("user__last_name", "user__first_name", "user__email", "user__username")
    list_select_related = ("user", "organization")
    ordering = ("user__last_name", "user__first_name", "id")
    actions_detail = ({"title": _("Sign-in"), "items": list(SIGN_IN)}, "deactivate", "reactivate")
    add_fieldsets = (
        (None, {"fields": ("email", ("first_name", "last_name"), "language", "role")}),
        (_("Works with"), {"fields": ("all_communities", "communities", "admin_perm")}),
        (_("Papers"), {"fields": DOCUMENT_FLAGS}),
    )
    fieldsets = (
        (
            None,
            {"fields": ("person", "email_address", "mobile", "role", "state_text", "deactivated_at", "description")},
        ),
        (
            _("Works with"),
            {"fields": ("all_communities", "communities", ("admin_perm", "super_admin_perm"), "support_perm")},
        ),
        (_("Papers"), {"fields": DOCUMENT_FLAGS}),
        (
            _("Cases"),
            {"fields": ("process_create_perm", "process_update_perm", "process_delete_perm"), "classes": ("collapse",)},
        ),
        (
            _("Sign-in"),
            {
                "fields": ("tfa_force", "token_sec", "login_popup_enabled", "login_logo_now", *PICTURE, "login_text"),
                "classes": ("collapse",),
            },
        ),
    )

    # --- Rights ----------------------------------------------------------------------------------------

    def may_see(self, actor: Any) -> bool:
        """Administrators and the operator."""
        return bool(actor.is_operator or actor.admin_tenants)

    def may_add(self, actor: Any) -> bool:
        """Administrators, for the tenant in view."""
        return actor.tenant_id is not None and bool(rules.may_administer(actor, actor.tenant_id))

    def may_change(self, actor: Any, obj: Any) -> bool:
        """Administrators; a super administrator's row only by another one."""
        if obj is None:
            return True
        if obj.super_admin_perm:
            return bool(rules.may_change_security(actor, obj.tenant_id))
        return bool(rules.may_administer(actor, obj.tenant_id))

    def seen_by(self, actor: Any) -> models.QuerySet[Any]:
        """Those whose rights one keeps; colleagues see each other, but not here. Nobody keeps those of an erased account."""
        return Membership.objects.administered_by(actor).living()

    def offered(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Members who were not let go."""
        found: Any = self.get_queryset(request)
        return found.active().select_related("user")

    def name_in_picker(self, obj: Any) -> str:
        """With the address: people share names."""
        return f"{obj.user} · {obj.user.email}"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A picture is shown and taken away only where there is one, and put up by those who change the row."""
        found = super().get_fieldsets(request, obj)
        if obj is None:
            return found
        without = set() if self.has_change_permission(request, obj) else set(PICTURE)
        if obj.login_logo_id is None:
            without |= {"login_logo_now", "drop_login_logo"}
        return [(n, {**o, "fields": tuple(f for f in o["fields"] if f not in without)}) for n, o in found]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who it is stays; what only super administrators grant is shown to others."""
        if obj is None:
            return ()
        shown: tuple[str, ...] = ("person", "email_address", "state_text", "login_logo_now")
        actor = request.actor  # type: ignore[attr-defined]
        if obj.user_id == actor.user_id:
            shown = (*shown, "deactivated_at")
        if not rules.may_change_rights(actor, obj):
            return (*shown, *RIGHTS)
        return shown if rules.may_change_security(actor, obj.tenant_id) else (*shown, *FOR_SUPER_ADMINS)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """With the communities of the tenant, and without the account's fields for a member who is there."""
        form = super().get_form(request, obj, change=change, **kwargs)
        fields = dict(form.base_fields)
        if "communities" in fields:
            origin = CommunityAssignment._meta.get_field("community")
            field = picker(self, request, fields["communities"], origin)
            field.queryset = field.queryset.filter(tenant=obj.tenant_id if obj else request.actor.tenant_id)  # type: ignore[attr-defined]
            fields["communities"] = field
        if obj is None:
            for name in ("mobile", *PICTURE):
                fields.pop(name, None)
        else:
            for name in ("email", "first_name", "last_name", "language"):
                fields.pop(name, None)
            if obj.login_logo_id is None:
                fields.pop("drop_login_logo", None)
            answer = self._may_call(request.actor, obj)  # type: ignore[attr-defined]
            if "mobile" in fields and not answer:
                field = copy.deepcopy(fields["mobile"])
                field.disabled, field.help_text = True, answer.reason
                fields["mobile"] = field
        form.base_fields = fields
        return form

    def _may_call(self, actor: Any, obj: Membership) -> Answer:
        """Change the mobile number: one's own, and that of accounts that are this company's alone (DOCMS-198)."""
        return YES if obj.user_id == actor.user_id else rules.may_act_on_account(actor, obj)

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Ownership is offered by invitation, a place at a branch by the branch (ORGS-044)."""
        if db_field.name == "role":
            kwargs["choices"] = [c for c in Membership.Role.choices if c[0] not in ("owner", "affiliate")]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    # --- Writing ---------------------------------------------------------------------------------------

    def insert(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        """See `members.take_in`."""
        tenant = Organization.objects.get(pk=request.actor.tenant_id)  # type: ignore[attr-defined]
        communities = [c.pk for c in values.pop("communities", ())]
        return members.take_in(actor=request.actor, tenant=tenant, communities=communities, **values)  # type: ignore[attr-defined]

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> Any:
        """See `members.change`. Ownership and a place at a branch are none of this form's business."""
        communities, mobile = values.pop("communities", None), values.pop("mobile", obj.user.mobile)
        file, dropped = values.pop("new_login_logo", None), values.pop("drop_login_logo", False)
        if file is not None:
            values["login_logo"] = store_logo(file, tenant_id=obj.tenant_id, field="new_login_logo")
        elif dropped:
            values["login_logo"] = None
        if "login_text" in values:
            values["login_text"] = nh3.clean(values["login_text"])
        if mobile != obj.user.mobile:
            require(self._may_call(request.actor, obj))  # type: ignore[attr-defined]
            accounts.change_profile(obj.user, {"mobile": mobile})
        if values.get("token_sec", obj.token_sec) != obj.token_sec:
            members.require_session_length(obj.organization.settings, values)
        if obj.role in ("owner", "affiliate"):
            values.pop("role", None)
        members.change(
            membership=obj,
            changes=values,
            communities=None if communities is None else [c.pk for c in communities],
            expected=expected,
        )

    def get_urls(self) -> list[URLPattern]:
        """With the picture of the notice after the sign-in."""
        view = self.admin_site.admin_view(partial(picture_page, self))
        return [
            path("<path:object_id>/picture/", view, name="orgs_membership_picture"),  # type: ignore[arg-type]
            *super().get_urls(),
        ]

    # --- Lists -----------------------------------------------------------------------------------------

    @display(description=_("person"), ordering="user__last_name")
    def person(self, membership: Membership) -> str:
        """The account's name."""
        return str(membership.user)

    @display(description=_("e-mail address"), ordering="user__email")
    def email(self, membership: Membership) -> str:
        """The account's address."""
        return membership.user.email

    email_address = email

    @display(description=_("rights"))
    def rights(self, membership: Membership) -> str:
        """The mightiest in words."""
        words = [
            gettext("super administrator")
            if membership.super_admin_perm
            else gettext("administrator")
            if membership.admin_perm
            else "",
            gettext("all communities") if membership.all_communities and not membership.admin_perm else "",
            gettext("uploads") if membership.upload_file_perm else "",
        ]
        return ", ".join(word for word in words if word) or "–"

    @display(description=_("state"), label={"active": "success", "deactivated": "default"})
    def state(self, membership: Membership) -> tuple[str, Any]:
        """At this moment."""
        return ("deactivated", gettext("deactivated")) if membership.is_deactivated else ("active", gettext("active"))

    @display(description=_("state"))
    def state_text(self, obj: Any) -> Any:
        """The word alone, for the form."""
        return self.state(obj)[1]

    @display(description=_("mobile"))
    def mobile(self, membership: Membership) -> str:
        """For those who only read the row: the account's."""
        return membership.user.mobile

    @display(description=_("looks after"))
    def communities(self, membership: Membership) -> str:
        """For those who only read the row."""
        return ", ".join(
            str(c) for c in Community.objects.filter(assignments__membership=membership).order_by("name", "id")
        )

    @display(description=_("picture now"))
    def login_logo_now(self, membership: Membership) -> Any:
        """The stored one."""
        return picture(membership.login_logo, picture_url(membership))

    def buttons(self, actor: Any, obj: Any) -> tuple[str, ...]:
        """For whoever may change the row."""
        if not self.may_change(actor, obj):
            return ()
        return (*SIGN_IN, "reactivate" if obj.is_deactivated else "deactivate")

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """The person's entries in the register, the keys of the second factor, and what programs call the person."""
        register = Contact.objects.visible_to(request.actor).living()  # type: ignore[attr-defined]
        people = register.filter(user=obj.user_id, tenant=obj.tenant_id)
        keys = SecondFactor.objects.filter(user=obj.user_id, confirmed_at__isnull=False).filter(
            Q(organization=None) | Q(organization=obj.organization_id)
        )
        return [
            Section(
                _("In the register"),
                [_("Contact"), _("Number")],
                [[Cell(c, change_url(c)), Cell(c.number)] for c in people],
                _("No contact is linked to this account."),
            ),
            Section(
                _("Second factor"),
                [_("Key"), _("Confirmed")],
                [
                    [Cell(_("of this tenant") if k.organization_id else _("personal")), Cell(k.confirmed_at)]  # type: ignore[list-item]
                    for k in keys
                ],
                _("None."),
            ),
            *ids.of_person(obj),
        ]

    # --- Buttons ---------------------------------------------------------------------------------------

    def _member(self, request: HttpRequest, object_id: str) -> Membership:
        membership: Membership = of_object(self, request, object_id)
        if not self.may_change(request.actor, membership):  # type: ignore[attr-defined]
            raise Denied
        return membership

    @action(description=_("Send a password link"), url_path="password-link", icon="key")
    def password_link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """By mail to the account's own address, never shown here."""
        member = self._member(request, object_id)
        return confirm(
            self, request, member,
            title=_("Send a password link"),
            text=gettext("%(who)s gets a mail with a link for a new password. Earlier links stop working.") % {"who": member.user.email},
            button=_("Send"),
            work=lambda: members.send_link(actor=request.actor, membership=member),  # type: ignore[attr-defined]
            done=_("The link is on its way."),
        )  # fmt: skip

    @action(description=_("Reset attempts"), url_path="reset-attempts", icon="lock_open")
    def reset_attempts(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """After too many wrong passwords (DOCMS-040)."""
        member = self._member(request, object_id)
        return confirm(
            self, request, member,
            title=_("Reset attempts"),
            text=gettext("%(who)s may sign in again at once after too many wrong passwords.") % {"who": member.user},
            button=_("Reset"),
            work=lambda: members.reset_attempts(actor=request.actor, membership=member),  # type: ignore[attr-defined]
            done=_("The failed attempts are forgotten."),
        )  # fmt: skip

    @action(description=_("Reset second factor"), url_path="reset-second-factor", icon="phonelink_erase")
    def reset_second_factor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The tenant's key; the personal one only of an account that belongs to this tenant alone."""
        member = self._member(request, object_id)
        personal = rules.may_reset_personal_key(member)
        return confirm(
            self, request, member,
            title=_("Reset second factor"),
            text=gettext("%(who)s signs in without a code until a new key is set up.") % {"who": member.user}
            + ("" if personal else f" {personal.reason}"),
            button=_("Reset"),
            danger=True,
            work=lambda: members.reset_second_factor(membership=member),
            done=_("The second factor was reset."),
        )  # fmt: skip

    @action(description=_("Deactivate"), url_path="deactivate", icon="person_off", variant=ActionVariant.DANGER)
    def deactivate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Every door of this tenant closes at once."""
        member = self._member(request, object_id)
        return confirm(
            self, request, member,
            title=_("Deactivate"),
            text=gettext("%(who)s reaches nothing of %(tenant)s any more from now on. What was done stays in the history.")
            % {"who": member.user, "tenant": member.organization},
            button=_("Deactivate"),
            danger=True,
            work=lambda: members.deactivate(actor=request.actor, membership=member),  # type: ignore[attr-defined]
            done=gettext("%(who)s was deactivated.") % {"who": member.user},
        )  # fmt: skip

    @action(description=_("Reactivate"), url_path="reactivate", icon="person_check")
    def reactivate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The place is as it was."""
        member = self._member(request, object_id)
        return confirm(
            self, request, member,
            title=_("Reactivate"),
            text=gettext("%(who)s reaches %(tenant)s again, with the rights shown here.") % {"who": member.user, "tenant": member.organization},
            button=_("Reactivate"),
            work=lambda: members.reactivate(membership=member),
            done=gettext("%(who)s is active again.") % {"who": member.user},
        )  # fmt: skip
