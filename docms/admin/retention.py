"""Retention: what will go in the next days and why, what holds keep, and what has gone."""

from __future__ import annotations

import datetime
import functools
import json
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from core import sizes
from core.admin import pages
from core.admin.base import ReadOnlyAdmin
from core.admin.logs import PeriodFilter
from core.admin.pages import Cell, Section, change_url, list_url
from core.models import DestructionRecord
from docms.services import retention
from orgs.admin.holding import covers, place_link
from orgs.models import Hold

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

AHEAD = datetime.timedelta(days=30)
SHOWN = 200


class DestructionRecordAdmin(ReadOnlyAdmin):
    """Records of what was deleted: by whom or by which rule. They outlive the papers, without their content."""

    list_display = ("created_at", "kind_name", "paper", "filename", "reason", "person", "bytes")
    list_filter = ("reason", ("created_at", PeriodFilter))
    list_filter_submit = True
    search_fields = ("title", "filename")
    list_select_related = ("user",)
    ordering = ("-id",)
    actions_list = ("due",)
    fields = (
        "created_at", "kind_name", "paper", "filename", "object_id", "folder_id", "bytes", "hash_value", "reason", "person",
        "rule_facts",
    )  # fmt: skip

    def may_see(self, actor: Any) -> bool:
        """Administrators and the operator."""
        return bool(actor.is_operator or actor.admin_tenants)

    @display(description=_("kind"), ordering="kind")
    def kind_name(self, record: DestructionRecord) -> str:
        """What it was, by the name that its table has for people: the records of all floors stand here."""
        return capfirst(str(_nouns().get(record.kind, record.kind)))

    @display(description=_("title"), ordering="title")
    def paper(self, record: DestructionRecord) -> str:
        """Its title, or its number when it had none, or when that was erased with a person."""
        return record.title or f"#{record.object_id}"

    @display(description=_("person"), ordering="user__last_name")
    def person(self, record: DestructionRecord) -> str:
        """Who did it; nobody, where a rule did."""
        return str(record.user or "–")

    @display(description=_("size"), ordering="size")
    def bytes(self, record: DestructionRecord) -> str:
        """For people."""
        return sizes.readable(record.size) if record.size is not None else "–"

    @display(description="SHA-256")
    def hash_value(self, record: DestructionRecord) -> str:
        """In hexadecimal digits, as other programs write it."""
        return bytes(record.sha256).hex() if record.sha256 else "–"

    @display(description=_("rule that applied"))
    def rule_facts(self, record: DestructionRecord) -> SafeString | str:
        """As it was stored, line by line."""
        facts = [(key, value if isinstance(value, str) else json.dumps(value)) for key, value in record.rule.items()]
        if not facts:
            return "–"
        lines = format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", facts)
        return format_html('<table class="q-facts"><tbody>{}</tbody></table>', lines)

    @action(description=_("What is due, and what is held"), url_path="due", icon="event_upcoming")
    def due(self, request: HttpRequest) -> HttpResponse:
        """The papers that will go in the next 30 days, and the legal holds."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        actor = request.actor  # type: ignore[attr-defined]
        tenants = actor.admin_tenants & {actor.tenant_id} if actor.tenant_id is not None else actor.admin_tenants
        return pages.render(
            self.admin_site, request, "admin/house/page.html", title=_("Retention"),
            sections=[_due(tenants), _holds(actor, tenants, place_link(self, request))], opts=self.opts, back=list_url(DestructionRecord),
        )  # fmt: skip


@functools.cache
def _nouns() -> dict[str | None, Any]:
    """What each table calls a row of its own, by the name of its model; said in the language of the moment."""
    return {model._meta.model_name: model._meta.verbose_name for model in apps.get_models()}


def _moment(moment: datetime.datetime) -> str:
    return formats.date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")


def _due(tenants: frozenset[int]) -> Section:
    """The next papers to go, as the jobs will find them."""
    now = timezone.now()
    found = retention.due_soon(now + AHEAD).filter(tenant__in=tenants).select_related("folder", "current")
    papers: list[Any] = list(found[: SHOWN + 1])
    reasons = dict(DestructionRecord.Reason.choices)
    return Section(
        _("Due in the next 30 days"),
        [_("When"), _("Paper"), _("Folder"), _("Reason")],
        [
            [
                Cell(_("at the next run"), tone="warn") if paper.due_at <= now else Cell(_moment(paper.due_at)),
                Cell(paper) if paper.claimed_at else Cell(paper, change_url(paper)),
                Cell(paper.folder, change_url(paper.folder)),
                Cell(reasons[paper.policy]),
            ]
            for paper in papers[:SHOWN]
        ],
        _("Nothing is due."),
        note=_("Only the next %(count)d are shown.") % {"count": SHOWN} if len(papers) > SHOWN else "",
    )


def _holds(actor: Any, tenants: frozenset[int], links: list[tuple[Any, str]]) -> Section:
    """Holds that apply, the newest first."""
    found: list[Any] = list(
        Hold.objects.visible_to(actor)
        .in_force()
        .filter(tenant__in=tenants)
        .select_related("contact", "unit", "community", "placed_by")
        .annotate(papers=Count("document_holds", filter=Q(document_holds__document__isnull=False)))[: SHOWN + 1]
    )
    return Section(
        _("Legal holds"),
        [_("Title"), _("Covers"), _("Papers by name"), _("Placed by"), _("Since")],
        [
            [
                Cell(hold.title, change_url(hold)),
                Cell(covers(hold) or "–"),
                Cell(hold.papers),
                Cell(hold.placed_by),
                Cell(_moment(hold.created_at)),
            ]
            for hold in found[:SHOWN]
        ],
        _("No hold applies."),
        links=[*links, (_("All holds, the released ones, too"), list_url(Hold))],
        note=_("Only the next %(count)d are shown.") % {"count": SHOWN} if len(found) > SHOWN else "",
    )
