"""What every view of the portal shares: who may come in, how errors look, where one may be sent next."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme

from core import typed
from core.errors import Denied, DomainError, NotFound
from orgs.models import Session, User
from orgs.services import second_factor

View = Callable[..., HttpResponseBase]


def before_second_factor(view: View) -> View:
    """Mark a page about the own account, which is open also to who owes a second factor. Below `page`."""
    view.before_second_factor = True  # type: ignore[attr-defined]
    return view


def page(view: View) -> View:
    """A page for signed-in people: others are sent to sign in; errors of the domain become pages.

    Whoever owes a second factor is sent to set it up first (ORGS-054), but for pages marked by `before_second_factor`.

    Answers that are pages are never kept by the browser: on a shared device "back" shows nothing after signing out.
    """

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            if is_fragment(request):
                return HttpResponse(status=401, headers={"HX-Redirect": reverse("portal:login")})
            return redirect_to_login(_place(request, view, kwargs), reverse("portal:login"))
        if not hasattr(view, "before_second_factor") and second_factor.owed(request.actor):  # type: ignore[attr-defined]
            return _to_enrolment(request)
        with timezone.override(None):
            response: HttpResponseBase
            try:
                response = view(request, *args, **kwargs)
            except NotFound as error:
                request.__dict__.pop("shell", None)  # the same body, wherever one comes from (PORTAL-014)
                raise Http404 from error
            except Denied as error:
                raise PermissionDenied(str(error.message)) from error
            except DomainError as error:
                response = render(request, "portal/refused.html", {"reason": error.message}, status=error.status)
                response.failure = error  # type: ignore[attr-defined]
                if wait := getattr(error, "retry_after", 0):
                    response.headers["Retry-After"] = str(wait)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            add_never_cache_headers(response)
        return response

    return inner


def _place(request: HttpRequest, view: View, kwargs: dict[str, Any]) -> str:
    """Where somebody goes on who has to sign in first; what was typed meanwhile is kept (`core.typed`)."""
    if request.method != "POST" or not hasattr(view, "place"):
        return request.get_full_path()
    place: str = view.place(**kwargs)
    typed.keep(request, place)
    return place


def _to_enrolment(request: HttpRequest) -> HttpResponse:
    if is_fragment(request):
        return HttpResponse(status=403, headers={"HX-Redirect": reverse("portal:second-factor")})
    wanted = urlencode({"next": request.get_full_path() if request.method == "GET" else reverse("portal:home")})
    return redirect(f"{reverse('portal:second-factor')}?{wanted}")


def account(request: HttpRequest) -> User:
    """The row of the signed-in person, to change it: `request.user` is a lazy stand-in."""
    return User.objects.get(pk=request.user.pk)


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page; going back in history asks for the whole one."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-History-Restore-Request") != "true"


def next_page(request: HttpRequest, default: str = "") -> str:
    """Where to go next: the `next` of the request when it stays in this house (DOCMS-037), else the default."""
    wanted = str(request.POST.get("next") or request.GET.get("next") or "")
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None, require_https=False) and wanted.startswith("/"):
        return wanted
    return default or reverse("portal:home")


def blocked(request: HttpRequest, template: str, context: dict[str, Any], seconds: int) -> HttpResponse:
    """An answer that tells the seconds to wait, for people and for programs."""
    response = render(request, template, {**context, "wait": seconds}, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response


def trouble(error: DomainError) -> dict[str, list[str]]:
    """The messages of an error by field; those without a field stand under ``""``."""
    return error.fields or {"": [str(error.message)]}


def this_session(request: HttpRequest) -> Session | None:
    """The stored row of this browser's session."""
    return getattr(request.session, "row", None)
