"""Pages that ask another server: it may take its time, so no transaction is open meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse

from core import scope
from core.admin import pages
from core.middleware import own_transactions
from orgs.actor import enter

Page = Callable[[HttpRequest], HttpResponse]


def guarded(site: AdminSite, page: Page) -> Page:
    """The page behind the guard of the back office, with who asks, and without an open transaction."""
    inner = site.admin_view(page)

    def entered(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            with scope.unit_of_work(door="back_office"):
                request.actor = enter(request.user, door="back_office")  # type: ignore[arg-type,attr-defined]
                site.enter(request)  # type: ignore[attr-defined]
        return inner(request)

    return own_transactions(entered)


@contextmanager
def unit(request: HttpRequest) -> Iterator[None]:
    """A unit of work of who asks, in the tenants in view."""
    with scope.unit_of_work(
        door="back_office",
        user_id=request.user.pk,
        ip=request.client_ip,  # type: ignore[attr-defined]
        request_id=request.request_id,  # type: ignore[attr-defined]
        tenants=request.actor.tenants,  # type: ignore[attr-defined]
    ):
        yield


def shown(site: AdminSite, request: HttpRequest, template: str, *, title: Any, **context: Any) -> HttpResponse:
    """A page inside the frame, drawn within a unit of work: templates may ask the database."""
    with unit(request):
        response: Any = pages.render(site, request, template, title=title, **context)
        rendered: HttpResponse = response.render()
    return rendered
