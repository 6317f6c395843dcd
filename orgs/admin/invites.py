"""Invitations: pending, expired, used, withdrawn; renewed and taken back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from core.admin.base import ReadOnlyAdmin
from core.admin.pages import confirm, of_object
from core.errors import Denied
from orgs import rules
from orgs.models import Invite
from orgs.services import invites


def state_of(invite: Invite) -> tuple[str, Any]:
    """A tone and a word."""
    if invite.accepted_at:
        return "good", gettext("used")
    if invite.erased_at or invite.withdrawn_at:
        return "none", gettext("withdrawn")
    if invites.is_expired(invite):
        return "warn", gettext("expired")
    return "info", gettext("pending")


class StateFilter(admin.SimpleListFilter):
    """By what became of it."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Four states."""
        return [
            ("pending", _("pending")),
            ("expired", _("expired")),
            ("used", _("used")),
            ("withdrawn", _("withdrawn")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Expiry is a day."""
        today = timezone.localdate()
        return {
            "pending": lambda: queryset.pending().filter(expires_on__gte=today),
            "expired": lambda: queryset.pending().filter(expires_on__lt=today),
            "used": lambda: queryset.exclude(accepted_at=None),
            "withdrawn": lambda: queryset.exclude(withdrawn_at=None),
        }.get(self.value() or "", lambda: queryset)()


class InviteAdmin(ReadOnlyAdmin):
    """Made from a community, a unit or a person; here they are followed."""

    list_display = ("email", "person", "community", "unit", "invited_at", "expires_on", "state")
    list_filter = (StateFilter, "kind")
    search_fields = ("email", "last_name", "first_name")
    list_select_related = ("community", "unit", "tenant", "contact", "invited_by")
    ordering = ("-id",)
    fields = (
        "state_text", "kind", "person", "email", "community", "unit", "readable_code", "invited_by", "invited_at",
        "expires_on", "opened_at", "accepted_at", "withdrawn_at",
    )  # fmt: skip
    actions_detail = ("renew", "withdraw")

    @display(description=_("person"))
    def person(self, invite: Invite) -> str:
        """As in the register, else as sent."""
        return str(invite.contact or f"{invite.first_name} {invite.last_name}".strip() or "–")

    @display(description=_("state"), label={"good": "success", "warn": "warning", "info": "info", "none": "default"})
    def state(self, invite: Invite) -> tuple[str, Any]:
        """In one word."""
        return state_of(invite)

    @display(description=_("state"))
    def state_text(self, obj: Any) -> Any:
        """The word alone, for the form."""
        return self.state(obj)[1]

    def buttons(self, actor: Any, obj: Any) -> tuple[str, ...]:
        """A used or withdrawn invitation is over."""
        return ("renew", "withdraw") if state_of(obj)[0] in ("info", "warn") else ()

    @display(description=_("code"))
    def readable_code(self, invite: Invite) -> str:
        """As letters show it; only while it works."""
        if invite.accepted_at or invite.withdrawn_at or invite.erased_at:
            return "–"
        return invites.readable(invite.code)

    def _handled(self, request: HttpRequest, object_id: str) -> Invite:
        invite: Invite = of_object(self, request, object_id)
        answer = rules.may_handle_invite(request.actor, invite)  # type: ignore[attr-defined]
        if not answer:
            raise Denied(answer.reason)
        return invite

    @action(description=_("Renew"), url_path="renew", icon="refresh")
    def renew(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The same code works again, and is mailed again."""
        invite = self._handled(request, object_id)
        return confirm(
            self, request, invite,
            title=_("Renew the invitation"),
            text=gettext("%(who)s gets the mail again; the same code works for the full period from today.") % {"who": invite.email},
            button=_("Renew and send"),
            work=lambda: invites.renew(invite),
            done=_("The invitation was renewed and sent again."),
        )  # fmt: skip

    @action(description=_("Withdraw"), url_path="withdraw", icon="undo", variant=ActionVariant.DANGER)
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The code stops working."""
        invite = self._handled(request, object_id)
        return confirm(
            self, request, invite,
            title=_("Withdraw the invitation"),
            text=gettext("The code of %(who)s stops working at once.") % {"who": invite.email},
            button=_("Withdraw"),
            danger=True,
            work=lambda: invites.withdraw(invite),
            done=_("The invitation was withdrawn."),
        )  # fmt: skip
