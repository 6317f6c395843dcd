"""The frame of the back office: who gets in, what the browser may run there, and how refusals look."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from csp.constants import NONCE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from core import typed
from core.admin.pickers import PickerView
from core.errors import Denied, NotFound

# The theme's interactions are Alpine expressions in attributes, which Alpine compiles with `new Function`: that is
# 'unsafe-eval'. It also writes one <style> element for its colours and a few style attributes: 'unsafe-inline', for
# styles only. Scripts still come from this house alone, none stands in a page, and no other door is relaxed.
POLICY = {"script-src": [SELF, UNSAFE_EVAL, NONCE], "style-src": [SELF, UNSAFE_INLINE]}


class HouseSite(UnfoldAdminSite):
    """The one site at `/admin/`. `config.admin_site` fills it."""

    empty_value_display = "–"
    index_title = _("Back office")
    enable_nav_sidebar = True

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Of the lists that this person may open; worked out once somebody looks. The frame of every page is handed it, and
        shows a navigation of ours instead."""
        return SimpleLazyObject(lambda: super(HouseSite, self).get_app_list(request, app_label))

    def enter(self, request: HttpRequest) -> None:
        """Narrow `request.actor` to the tenant in view; upper floors know how."""

    def turn_away(self, request: HttpRequest) -> HttpResponse | None:
        """Where to send somebody who may not come in yet; upper floors know."""
        return None

    def has_permission(self, request: HttpRequest) -> bool:
        """The operator, and active staff of a tenant. The actor knows; nothing is asked again."""
        actor = getattr(request, "actor", None)
        return bool(actor and actor.user and (actor.is_operator or actor.staff_tenants))

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., HttpResponse]:
        """Django's guard, the tenant in view, the policy of the browser, and refusals as 404 and 403.

        NUL names nothing and would only upset the database: filters and searches take their words from the address.
        """
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if "%00" in request.META.get("QUERY_STRING", ""):
                raise Http404
            self.enter(request)
            if request.method == "POST" and not request.user.is_authenticated and view != self.logout:
                return self.too_late(request)
            if request.user.is_authenticated and not self.has_permission(request):
                raise PermissionDenied(_("The back office is for staff."))
            elsewhere = self.turn_away(request)
            if elsewhere is not None:
                return elsewhere
            try:
                response: HttpResponse = inner(request, *args, **kwargs)
            except NotFound as error:
                raise Http404 from error
            except Denied as error:
                raise PermissionDenied(str(error.message)) from error
            if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED:  # which has no page
                response._csp_replace = POLICY  # type: ignore[attr-defined]
            return response

        return update_wrapper(guarded, view)

    def too_late(self, request: HttpRequest) -> HttpResponse:
        """Somebody sends a form after the session has ended: sign in, then the page it was sent from, with what was typed.

        Not the address it was sent to: that may be one that takes forms alone.
        """
        try:
            sent_from = urlsplit(request.headers.get("Referer", ""))
        except ValueError:
            sent_from = urlsplit("")
        is_ours = sent_from.netloc == request.get_host() and sent_from.path.startswith(reverse("admin:index"))
        page = urlunsplit(("", "", sent_from.path, sent_from.query, "")) if is_ours else reverse("admin:index")
        if is_ours:
            typed.keep(request, sent_from.path)
        return redirect_to_login(page, settings.LOGIN_URL)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponseBase:
        """See `core.admin.pickers`."""
        return PickerView.as_view(admin_site=self)(request)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """There is one sign-in for all pages."""
        target = request.GET.get("next") or reverse("admin:index")
        if self.has_permission(request):
            return redirect("admin:index")
        return redirect_to_login(target, settings.LOGIN_URL)

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """End the session and go to the sign-in."""
        if request.method == "POST":
            logout(request)
        return redirect(settings.LOGIN_URL)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """People change their password in their profile, where it ends their other sign-ins."""
        return redirect("/app/profile")
