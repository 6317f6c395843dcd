"""Tickets in the back office: which rows and pages there are. The pages stand in modules of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_GET, require_POST

from core.admin.base import HouseAdmin
from core.admin.pages import id_in
from tickets import rules
from tickets.admin import bulk, export, links, new_ticket, posts, reports, ticket_page, worklist
from tickets.models import Ticket
from tickets.services import changes, merging, sharing


class TicketAdmin(HouseAdmin):
    """Tickets of the communities that somebody looks after; nobody else finds them here."""

    ordering = ("-id",)
    search_fields = ("identifier",)
    fields = ("title",)  # its pages are of its own; none shows this form

    def may_see(self, actor: Any) -> bool:
        """Who looks after a community, administrators, and the operator."""
        return bool(rules.may_see_desk(actor))

    def may_add(self, actor: Any) -> bool:
        """Who looks after a community, for the tenant in view."""
        return actor.tenant_id is not None and bool(actor.managed)

    def may_change(self, actor: Any, obj: Any) -> bool:
        """Managers of its community."""
        return obj is None or bool(rules.may_work_on(actor, obj))

    def may_delete(self, actor: Any, obj: Any) -> bool:
        """Managers of its community; a hold, the service keeps."""
        return self.may_change(actor, obj)

    def seen_by(self, actor: Any) -> QuerySet[Any]:
        """See `TicketQuerySet.worked_on_by`."""
        return Ticket.objects.worked_on_by(actor)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what its page shows."""
        return (
            super()
            .get_queryset(request)
            .select_related(
                "community__tenant", "tenant", "unit", "contact__user", "created_by", "assignee__user", "ticket_type",
                "merged_into", "parent",
            )
        )  # fmt: skip

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """None: its pages have forms of their own."""
        return []

    def erase(self, request: HttpRequest, obj: Any) -> None:
        """See `changes.delete`."""
        changes.delete(actor=request.actor, ticket=obj)  # type: ignore[attr-defined]

    # --- Pages -----------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """Own pages before Django's, whose last route takes everything."""

        def page(route: str, name: str, view: Callable[..., Any]) -> URLPattern:
            return path(route, self.admin_site.admin_view(view), name=f"tickets_ticket_{name}")

        of_ticket = (
            ("reply", posts.reply), ("draft", posts.draft), ("presence", posts.presence), ("watch", posts.watch),
            ("withdraw", posts.withdraw), ("take", posts.take),
        )  # fmt: skip
        pages_of = (("share", links.share), ("merge", links.merge), ("parent", links.parent))
        return [
            page("filters/", "filters", require_POST(self._seen(worklist.filters))),
            page("bulk/", "bulk", require_POST(self._seen(bulk.preview))),
            page("bulk/<int:run_id>/", "run", self._seen(bulk.run_page)),
            page("export/", "export", require_GET(self._seen(export.page))),
            page("reports/", "reports", require_GET(self._seen(reports.page))),
            page("<int:object_id>/files/<str:key>/", "file", require_GET(self._of(posts.file))),
            *(page(f"<int:object_id>/{name}/", name, require_POST(self._of(view))) for name, view in of_ticket),
            *(page(f"<int:object_id>/{name}/", name, self._of(view)) for name, view in pages_of),
            *super().get_urls(),
        ]

    def _seen(self, view: Callable[..., Any]) -> Callable[..., Any]:
        """A page for whoever may see the list."""

        def seen(request: HttpRequest, **url: Any) -> Any:
            rules.require(rules.may_see_desk(request.actor))  # type: ignore[attr-defined]
            return view(self, request, **url)

        return seen

    def _of(self, view: Callable[..., Any]) -> Callable[..., Any]:
        """A page of one ticket that the person works on."""

        def of(request: HttpRequest, object_id: int, **url: Any) -> Any:
            return view(self, request, self.ticket(request, object_id), **url)

        return of

    def ticket(self, request: HttpRequest, object_id: Any) -> Ticket:
        """Raises `Http404` for one that the person does not work on."""
        number = id_in(object_id)
        found: Ticket | None = self.get_queryset(request).filter(pk=number).first() if number is not None else None
        if found is None:
            raise Http404
        return found

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """With the circles it is shared with by their names."""
        response: Any = super().history_view(request, object_id, extra_context)
        names = dict(sharing.choices(response.context_data["object"].community))
        label = str(Ticket._meta.get_field("shared_with").verbose_name)  # type: ignore[union-attr]
        for change in (change for step in response.context_data["steps"] for change in step.changes):
            if change.label == label:
                change.old, change.new = (
                    "; ".join(str(names.get(key, key)) for key in text.split("; ")) for text in (change.old, change.new)
                )
        return cast("HttpResponse", response)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The work list."""
        return self._seen(worklist.page)(request)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A ticket for a resident who called."""
        return self._seen(new_ticket.page)(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The ticket; a merged one leads to where it went."""
        ticket = self.ticket(request, unquote(object_id))
        target = merging.target_of(ticket)
        if (
            request.method == "GET"
            and target.pk != ticket.pk
            and self.get_queryset(request).filter(pk=target.pk).exists()
        ):
            return redirect(f"{reverse('admin:tickets_ticket_change', args=[target.pk])}?from={ticket.pk}")
        return ticket_page.page(self, request, ticket)
