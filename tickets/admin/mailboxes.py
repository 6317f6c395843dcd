"""The mailbox of a company, a try of its settings, and what became of each mail that came in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from core.admin import pages
from core.admin.base import HouseAdmin
from core.admin.logs import LogAdmin, PeriodFilter
from core.admin.pages import Section, change_url
from core.errors import Denied
from orgs import rules
from orgs.admin import between
from orgs.admin.between import Page
from tickets.models import InboundMail, Mailbox
from tickets.services import mailboxes

# Why a mail added nothing. What the services refuse has their codes.
REASONS = {
    "automatic": _("an automatic answer"),
    "bounce": _("a mail that came back"),
    "list": _("sent through a mailing list"),
    "loop": _("one of our own mails"),
    "unknown_sender": _("no answer to a ticket"),
    "no_sender": _("without a sender, or with several"),
    "wrong_token": _("the reply address is not genuine"),
    "ticket_gone": _("the ticket does not exist any more"),
    "other_sender": _("sent by somebody else than the mail went to"),
    "unverified": _("the mail server found the sender to be forged"),
    "not_allowed": _("the sender takes no part in the ticket"),
    "denied": _("the sender may not do this"),
    "ticket_closed": _("the ticket was closed more than 30 days ago"),
    "empty": _("nothing was written"),
    "too_large": _("too large"),
    "too_many": _("too many mails of one sender in a short time"),
    "nobody_there": _("nobody manages the community of new tickets"),
    "broken": _("cannot be read"),
    "invalid": _("contains what tickets do not take"),
    "failed": _("an error; the system log has details"),
}


class MailboxAdmin(HouseAdmin):
    """One per company."""

    list_display = ("address", "host", "is_active", "checked_at", "error_text")
    list_select_related = ("tenant",)
    autocomplete_fields = ("community",)
    readonly_fields = ("checked_at", "error_text")
    fieldsets = (
        (None, {"fields": ("address", "is_active", "checked_at", "error_text")}),
        (_("IMAP server"), {"fields": ("host", "port", "security", "user_name", "password", "folder")}),
        (_("New tickets"), {"fields": ("unknown_senders", "community")}),
    )

    def may_see(self, actor: Any) -> bool:
        """Administrators and the operator."""
        return bool(actor.is_operator or actor.admin_tenants)

    def may_add(self, actor: Any) -> bool:
        """The first one of a company."""
        tenant_id = actor.tenant_id
        return bool(
            tenant_id
            and rules.may_administer(actor, tenant_id)
            and not Mailbox.objects.visible_to(actor).filter(tenant=tenant_id).exists()
        )

    def may_change(self, actor: Any, obj: Any) -> bool:
        """Administrators."""
        return obj is None or bool(rules.may_administer(actor, obj.tenant_id))

    may_delete = may_change

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """Every page asks this for its navigation: without the question whether there is a mailbox already."""
        sees = self.has_view_permission(request)
        return {"add": False, "change": sees, "delete": sees, "view": sees}

    def seen_by(self, actor: Any) -> Any:
        """Those of companies one administers."""
        found = Mailbox.objects.visible_to(actor)
        return found if actor.is_operator else found.filter(tenant__in=actor.admin_tenants)

    @display(description=_("last error"))
    def error_text(self, mailbox: Mailbox) -> str:
        """In words."""
        return mailboxes.explain(mailbox.error) or "–"

    def insert(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        """See `mailboxes.save`."""
        tenant_id = request.actor.tenant_id  # type: ignore[attr-defined]
        return mailboxes.save(None, values, tenant_id=tenant_id)

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> Any:
        """See `mailboxes.save`."""
        return mailboxes.save(obj, values, tenant_id=obj.tenant_id, expected=expected)

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """The try, and what came in."""
        return [
            Section(
                _("Try it out"),
                note=_("Signs in with the stored settings and opens the folder. Nothing is read or changed."),
                links=[(_("Test the connection"), f"{reverse('admin:test-mailbox')}?mailbox={obj.pk}")],
            ),
            Section(
                _("Mails that came in"),
                note=_("What became of each mail, and why."),
                links=[(_("Show the mails"), pages.list_url(InboundMail))],
            ),
        ]


class InboundMailAdmin(LogAdmin):
    """The log of what came in."""

    list_display = ("created_at", "sender", "subject", "outcome_word", "reason_text", "ticket_link")
    list_display_links = ("subject",)
    list_filter = ("outcome", ("created_at", PeriodFilter))
    search_fields = ("sender", "subject")
    list_select_related = ("ticket",)
    ordering = ("-id",)
    fields = ("created_at", "sender", "subject", "message_id", "outcome_text", "reason_text", "ticket_link")

    def may_see(self, actor: Any) -> bool:
        """Administrators and the operator."""
        return bool(actor.is_operator or actor.admin_tenants)

    def seen_by(self, actor: Any) -> Any:
        """Those of companies one administers."""
        found = InboundMail.objects.visible_to(actor)
        return found if actor.is_operator else found.filter(tenant__in=actor.admin_tenants)

    @display(
        description=_("what became of it"), ordering="outcome",
        label={"comment": "success", "ticket": "success", "ignored": "default", "refused": "danger"},
    )  # fmt: skip
    def outcome_word(self, mail: InboundMail) -> tuple[str, Any]:
        """In one word."""
        return mail.outcome, mail.get_outcome_display()

    @display(description=_("what became of it"))
    def outcome_text(self, mail: InboundMail) -> str:
        """The word alone, for the form."""
        return str(mail.get_outcome_display())

    @display(description=_("reason"))
    def reason_text(self, mail: InboundMail) -> str:
        """In words."""
        return str(REASONS.get(mail.reason, mail.reason)) or "–"

    @display(description=_("ticket"))
    def ticket_link(self, mail: InboundMail) -> str:
        """Where it went."""
        if mail.ticket is None:
            return "–"
        try:
            return format_html('<a href="{}">{}</a>', change_url(mail.ticket), mail.ticket)
        except NoReverseMatch:
            return str(mail.ticket)


def trial(site: AdminSite) -> Page:
    """The page that tries the stored settings of a mailbox."""

    def page(request: HttpRequest) -> HttpResponse:
        with between.unit(request):
            mailbox = _mailbox(request)
            back = change_url(mailbox)
        if request.method == "POST":
            problem = mailboxes.explain(mailboxes.test(mailbox))
            if problem:
                messages.error(request, problem)
            else:
                messages.success(request, gettext("The connection works."))
            return redirect(back)
        text = gettext("Signs in at %(host)s as %(user)s and opens the folder “%(folder)s”.") % {
            "host": mailbox.host or "–", "user": mailbox.user_name or "–", "folder": mailbox.folder,
        }  # fmt: skip
        return between.shown(
            site, request, "admin/house/confirm.html", title=_("Test the connection"), text=text,
            button=_("Test the connection"), back=back,
        )  # fmt: skip

    return between.guarded(site, page)


def _mailbox(request: HttpRequest) -> Mailbox:
    """The one that is asked for. Raises `Denied`, also for one that does not exist."""
    actor = request.actor  # type: ignore[attr-defined]
    found = Mailbox.objects.visible_to(actor).filter(pk=pages.id_in(request.GET.get("mailbox", "")) or 0).first()
    if found is None or not rules.may_administer(actor, found.tenant_id):
        raise Denied
    return found
