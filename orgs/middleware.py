"""Session, account, language, and the transaction around each view."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions import middleware as sessions
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

from core import scope
from core.errors import Unavailable
from core.middleware import door_of
from core.outages import ATTEMPTS, is_clash
from orgs.actor import enter
from orgs.languages import user_language

if TYPE_CHECKING:
    from orgs.models import Organization
    from orgs.session import SessionStore


class SessionMiddleware(sessions.SessionMiddleware):
    """Django's, telling the store where the browser is."""

    def process_request(self, request: HttpRequest) -> None:
        """Open the session of the cookie."""
        super().process_request(request)
        session = cast("SessionStore", request.session)
        session.browser = request.headers.get("User-Agent", "")
        session.ip = request.client_ip  # type: ignore[attr-defined]

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Save what changed, and renew the idle time."""
        if request.session.accessed:
            cast("SessionStore", request.session).touch()
        return super().process_response(request, response)


class AuthenticationMiddleware(auth.AuthenticationMiddleware):
    """Django's: `request.user` from the session."""


class LanguageMiddleware:
    """The person's language, else a choice made on this browser, else Accept-Language (PORTAL-095).

    Where none of them names one, a page that belongs to a company speaks the company's: see `speak_for`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.COOKIES.get(settings.SESSION_COOKIE_NAME) and request.user.is_authenticated:
            language = request.user.language
        else:
            language = user_language(request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""), default="")
        language = language or _accepted(request)
        request.language_named = bool(language)  # type: ignore[attr-defined]
        _speak(request, language or settings.LANGUAGE_CODE)
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response


def _accepted(request: HttpRequest) -> str:
    """The one of the four languages that the browser asks for first; nothing where any other will do as well."""
    for tag, quality in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        if tag == "*" or not quality:
            break
        if language := user_language(tag, default=""):
            return language
    return ""


def _speak(request: HttpRequest, language: str) -> None:
    translation.activate(language)
    request.LANGUAGE_CODE = language


def speak_for(request: HttpRequest, tenant: Organization) -> None:
    """Continue in the company's language, unless person or browser have named theirs (PORTAL-095)."""
    if not request.language_named:  # type: ignore[attr-defined]
        _speak(request, user_language(tenant.language))


class UnitOfWorkMiddleware:
    """One transaction around the view. An answer of 400 or above undoes what the view wrote. What another transaction was in
    the way of is done again, and answered by what there is then; as at the doors of the APIs (`core.api.DoorView`).

    Views marked by `core.middleware.own_transactions` open theirs: sign-in doors, whose failures must survive
    a refusal, and streamed uploads.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Run the view inside the unit of work. Raises `Unavailable` for files sent into something that goes meanwhile: they
        have been read, and the person must send them again.
        """
        if getattr(view, "own_transactions", False):
            return None
        known = set(vars(request))
        for left in reversed(range(ATTEMPTS)):
            try:
                return _in_unit(request, view, args, kwargs)
            except Exception as error:
                if not left or not is_clash(error):
                    raise
                if request.FILES:
                    raise Unavailable from error
            _forget(request, known)
        return None


def _in_unit(
    request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> HttpResponse:
    """The view's answer; one that is a template is rendered inside the unit of work, too."""
    with scope.unit_of_work(
        door=door_of(request.path_info),
        ip=request.client_ip,  # type: ignore[attr-defined]
        request_id=request.request_id,  # type: ignore[attr-defined]
    ) as unit:
        if request.COOKIES.get(settings.SESSION_COOKIE_NAME) and request.user.is_authenticated:
            request.actor = enter(request.user, door=unit.door)  # type: ignore[attr-defined]
        response: HttpResponse = view(request, *args, **kwargs)
        if hasattr(response, "render") and callable(response.render):
            response = response.render()
        if response.status_code >= 400:
            transaction.set_rollback(True)
    return response


def _forget(request: HttpRequest, known: Set[str]) -> None:
    """What a view that is undone has left at the request: session, account, messages and notes of its own. The body stays as
    it was parsed.
    """
    for name in [name for name in vars(request) if name not in known and not name.startswith("_")]:
        delattr(request, name)
    vars(request).pop("_cached_user", None)
    SessionMiddleware(_nothing).process_request(request)
    AuthenticationMiddleware(_nothing).process_request(request)
    MessageMiddleware(_nothing).process_request(request)


def _nothing(request: HttpRequest) -> HttpResponse:
    """What follows a middleware of which only the first half is wanted."""
    return HttpResponse()
