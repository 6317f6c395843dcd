"""Programs of others: the page on which one lets them act for oneself, and the two addresses at which they exchange and end
their tokens. What the programs send and get, the OAuth library reads and writes.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST
from oauth2_provider.exceptions import FatalClientError, OAuthToolkitError
from oauth2_provider.http import OAuth2ResponseRedirect
from oauth2_provider.oauth2_backends import OAuthLibCore, get_oauthlib_core

from core import scope
from core.errors import Blocked, NotFound
from core.middleware import own_transactions
from core.services import rate
from orgs.models import OAuthClient
from orgs.services import oauth
from portal.web.context import outside
from portal.web.pages import account, page

DOOR = "portal"
MOST_BYTES = 16 * 1024  # of a question; the library reads it as a whole


@cache
def _core() -> OAuthLibCore:
    return get_oauthlib_core()


@never_cache
@require_http_methods(["GET", "POST"])
@page
def authorize(request: HttpRequest) -> HttpResponse:
    """Ask whether a program may act for oneself, and send the answer back to it.

    The form is sent to the same address, so what was asked is read from there both times. A request that names no
    registered program, or an address that is not its own, is answered here and leads nowhere (PORTAL-004).
    """
    try:
        scopes, asked = _core().validate_authorization_request(request)
    except FatalClientError as error:
        reason = error.oauthlib_error.description or error.oauthlib_error.error
        return render(request, "portal/consent_dead.html", {"reason": reason}, status=400)
    except OAuthToolkitError as error:
        return _refused(error)
    client: OAuthClient = asked.pop("request").client
    if client.organization is not None:
        outside(request, client.organization)
    if client.organization_id not in (None, *request.actor.tenants):  # type: ignore[attr-defined]
        return render(request, "portal/consent_dead.html", {"client": client}, status=403)
    if request.method == "POST":
        return _answer(request, client, scopes, asked)
    return _allowing(
        render(request, "portal/consent.html", _asked(client, scopes, asked["redirect_uri"])), asked["redirect_uri"]
    )


def _answer(request: HttpRequest, client: OAuthClient, scopes: list[str], asked: dict[str, Any]) -> HttpResponse:
    allowed = "allow" in request.POST
    try:
        address, *_rest = _core().create_authorization_response(request, scopes, asked, allowed)
    except OAuthToolkitError as error:
        return _refused(error)
    oauth.record_consent(client=client, scopes=scopes)
    return _leading(address, client.get_allowed_schemes())


def _refused(error: OAuthToolkitError) -> HttpResponse:
    """Tell the program, at an address that is known to be its own by now."""
    found = error.oauthlib_error
    address = found.in_uri(found.redirect_uri)
    return _leading(address, [urlsplit(address).scheme])


def _leading(address: str, schemes: list[str]) -> HttpResponse:
    response: HttpResponse = OAuth2ResponseRedirect(address, schemes)
    return response


def _asked(client: OAuthClient, scopes: list[str], address: str) -> dict[str, Any]:
    names: Any = settings.OAUTH2_PROVIDER["SCOPES"]
    parts = urlsplit(address)
    on_device = parts.scheme != "https"
    return {"client": client, "scopes": [names[name] for name in scopes], "host": "" if on_device else parts.hostname}


def _allowing(response: HttpResponse, address: str) -> HttpResponse:
    """Browsers ask the policy also where the answer to a form leads."""
    parts = urlsplit(address)
    where = f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
    response._csp_update = {"form-action": [where]}  # type: ignore[attr-defined]
    return response


@require_POST
@page
def end(request: HttpRequest, client_id: int) -> HttpResponse:
    """Take back what one has allowed; the program gets no further."""
    try:
        oauth.withdraw(user=account(request), client_id=client_id)
    except NotFound:
        messages.info(request, _("This program had no access any more."))
    else:
        messages.success(request, _("The program has no access any more."))
    return redirect(f"{reverse('portal:profile')}#programs")


# --- What programs ask ---------------------------------------------------------------------------------------


@csrf_exempt
@own_transactions
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """A code or a refresh token for a pair of new tokens (TICKETS-005, PORTAL-006)."""
    return _told(request, lambda: _core().create_token_response(request))


@csrf_exempt
@own_transactions
@require_POST
def revoke(request: HttpRequest) -> HttpResponse:
    """End a token and what hangs on it (RFC 7009): also an unknown one is answered with 200."""
    return _told(request, lambda: _core().create_revocation_response(request))


def _told(request: HttpRequest, work: Any) -> HttpResponse:
    """What the library says. Its refusals are kept like anything else: one may have ended a family of tokens."""
    ip = request.client_ip  # type: ignore[attr-defined]
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        return JsonResponse({"error": "invalid_request", "error_description": "Too large."}, status=413)
    try:
        rate.check("oauth", f"address:{ip}", settings.OAUTH_RATE_LIMIT)
    except Blocked as error:
        body = {"error": "temporarily_unavailable", "error_description": str(error.message)}
        return JsonResponse(body, status=429, headers={"Retry-After": str(error.retry_after)})
    with scope.unit_of_work(door=DOOR, ip=ip):
        _address, headers, body, status = work()
    response = HttpResponse(body or "", status=status)
    for name, value in headers.items():
        response.headers[name] = value
    return response
