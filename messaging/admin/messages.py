"""Every mail and text message: waiting, sent, failed, with the reason."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from core.admin.logs import LogAdmin, PeriodFilter
from core.admin.pages import Cell, Section, confirm, of_object
from core.errors import Denied
from core.text import sort_key
from messaging.models import Message, MessageRecipient
from messaging.services import outbox
from messaging.services.catalogue import IN_WORDS
from orgs import rules

TONES = {
    "queued": "info", "sending": "info", "sent": "good", "failed": "bad", "bounced": "bad", "cancelled": "none",
    "suppressed": "none",
}  # fmt: skip


class ErrorFilter(admin.SimpleListFilter):
    """The mail error log."""

    title = _("errors")
    parameter_name = "errors"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """One question."""
        return [("yes", _("with an error"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Messages that could not be sent, or not at once."""
        return queryset.exclude(error_msg="") if self.value() == "yes" else queryset


class KindFilter(admin.SimpleListFilter):
    """What a message is about."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """All there are, by their names."""
        return sorted(IN_WORDS.items(), key=lambda kind: sort_key(str(kind[1])))

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Messages of that kind."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


class MessageAdmin(LogAdmin):
    """The outbox and its history in one."""

    sees_all = True
    list_display = ("subject", "to", "kind_word", "state_word", "created_at", "sent_at", "attempts")
    list_filter = ("state", ErrorFilter, "channel", KindFilter, ("created_at", PeriodFilter))
    search_fields = ("subject", "recipients__address")
    list_select_related = ("tenant",)
    ordering = ("-id",)
    fields = (
        "subject", "state_text", "to", "channel", "kind_word", "language", "created_at", "not_before", "sent_at", "attempts",
        "error_msg", "caused_by", "text",
    )  # fmt: skip
    actions_detail = ("again", "cancel")

    def may_see(self, actor: Any) -> bool:
        """Administrators their tenant's, the operator everything (DOCMS-165)."""
        return bool(actor.is_operator or actor.admin_tenants)

    @display(description=_("to"))
    def to(self, message: Message) -> str:
        """The first address, and how many more."""
        addresses = [*message.to_emails, *message.bcc_emails] or [message.mobile_number]
        more = f" +{len(addresses) - 1}" if len(addresses) > 1 else ""
        return f"{addresses[0]}{more}" if addresses[0] else "–"

    @display(
        description=_("state"), ordering="state",
        label={"queued": "info", "sending": "info", "sent": "success", "failed": "danger", "bounced": "danger", "cancelled": "default"},
    )  # fmt: skip
    def state_word(self, message: Message) -> tuple[str, Any]:
        """In one word."""
        return message.state, message.get_state_display()

    @display(description=_("kind"), ordering="kind")
    def kind_word(self, message: Message) -> Any:
        """What it is about."""
        return IN_WORDS.get(message.kind, message.kind)

    @display(description=_("state"))
    def state_text(self, obj: Any) -> Any:
        """The word alone, for the form."""
        return self.state_word(obj)[1]

    def buttons(self, actor: Any, obj: Message) -> tuple[str, ...]:
        """Waiting ones are cancelled, failed ones sent again."""
        if obj.state == Message.State.QUEUED:
            return ("cancel",)
        ended = (Message.State.FAILED, Message.State.BOUNCED, Message.State.CANCELLED)
        return ("again",) if obj.state in ended else ()

    @display(description=_("text"))
    def text(self, message: Message) -> str:
        """Never shown: codes and links in it let people in."""
        if not message.body_text:
            return str(_("The text was removed 30 days after sending."))
        return str(_("The text may hold links that let people in; it is not shown."))

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """Evidence: to whom it went."""
        found = MessageRecipient.objects.filter(message=obj).select_related("user", "contact").order_by("id")[:500]
        return [
            Section(
                _("Recipients"),
                [_("Person"), _("Address"), _("State"), _("Opened")],
                [
                    [
                        Cell(r.user or r.contact or "–"),
                        Cell(r.address),
                        Cell(r.get_state_display(), tone=TONES[r.state]),
                        Cell(r.opened_at or "–"),
                    ]
                    for r in found
                ],
                _("None."),
            )
        ]

    def _mine(self, request: HttpRequest, object_id: str) -> Message:
        message: Message = of_object(self, request, object_id)
        answer = rules.may_administer(request.actor, message.tenant_id)  # type: ignore[attr-defined]
        if not answer:
            raise Denied(answer.reason)
        return message

    @action(description=_("Send again"), url_path="again", icon="forward")
    def again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """After a failure."""
        message = self._mine(request, object_id)
        return confirm(
            self, request, message,
            title=_("Send again"),
            text=gettext("“%(subject)s” goes back into the queue and is sent at once.") % {"subject": message},
            button=_("Send again"),
            work=lambda: outbox.resend(message),
            done=_("The message waits for being sent."),
        )  # fmt: skip

    @action(description=_("Cancel"), url_path="cancel", icon="cancel_schedule_send", variant=ActionVariant.DANGER)
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """While it waits."""
        message = self._mine(request, object_id)
        return confirm(
            self, request, message,
            title=_("Cancel the message"),
            text=gettext("“%(subject)s” is not sent.") % {"subject": message},
            button=_("Cancel the message"),
            danger=True,
            work=lambda: outbox.cancel(message),
            done=_("The message was cancelled."),
        )  # fmt: skip
