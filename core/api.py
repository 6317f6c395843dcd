"""What every API door leans on: a view that is one unit of work, a schema in the contract's names. Each door adds its dialect
(`errors.py`), its sign-in (`auth.py`) and its resources."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Empty
from rest_framework.views import APIView

from core import scope
from core.errors import DomainError, Invalid
from core.http import LimitedJSONParser, ORJSONRenderer
from core.logs import mask
from core.middleware import own_transactions
from core.outages import ATTEMPTS, is_clash
from core.problems import Problem, problem_of
from core.services import rate, system_log

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase
    from rest_framework.request import Request
    from rest_framework.response import Response

log = logging.getLogger(__name__)

SHORT_BODY = 4 * 1024 * 1024  # bytes that are received before it is known who sends them; a photo, a scanned letter


class JSONOnly(BaseContentNegotiation):
    """The doors speak JSON whatever Accept says; views that stream bytes look at the header themselves."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        """The first parser whose type matches the body's, as the framework does."""
        from rest_framework.utils.mediatypes import media_type_matches

        for parser in parsers:
            if media_type_matches(parser.media_type, request.content_type):
                return parser
        return None

    def select_renderer(self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None) -> Any:
        """Always the first."""
        first = next(iter(renderers))
        return first, first.media_type


class DoorSchema(AutoSchema):
    """drf-spectacular's, with component names exactly as the serializer classes are called."""

    def _get_serializer_name(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> str:
        # Requests have serializers of their own, named like the contract's schemas: no suffix.
        return str(super()._get_serializer_name(serializer, "response", bypass_extensions))

    def _get_request_body(self, direction: Any = "request") -> Any:
        # The framework takes a body of which no field is required for one that may be left out; no contract says so.
        body = super()._get_request_body(direction)
        return body and {**body, "required": not getattr(self.view, "body_is_optional", False)}

    def get_tags(self) -> list[str]:
        """Only tags that an operation names."""
        return []


class DoorView(APIView):
    """One resource of a door; each request is one unit of work, and an error undoes it. What another transaction was in the
    way of is done again: it is answered by what there is then.

    ``keeps_refusals``: what was written before a refusal stays (counted failures of sign-in doors).
    ``takes_bytes``: the body is received between two units of work, so that a slow line holds no transaction; a short one
    before the only one, because it costs less than two.
    """

    door = ""
    keeps_refusals = False
    takes_bytes = False
    authentication_classes: Sequence[Any] = ()
    permission_classes: Sequence[Any] = ()
    content_negotiation_class = JSONOnly
    _units: contextlib.ExitStack

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """The view opens its own units of work."""
        return own_transactions(super().as_view(**initkwargs))

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The framework's, with the unit of work inside the handling of errors: a failing commit is one, too."""
        self.args, self.kwargs = args, kwargs
        drf_request: Request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        for left in reversed(range(ATTEMPTS)):
            self.request = drf_request
            try:
                response = self._answer(drf_request, *args, **kwargs)
            except Exception as error:
                if left and is_clash(error) and not _has_files(drf_request):
                    drf_request = self._renewed(drf_request)
                    continue
                response = self.handle_exception(error)
            break
        self.response = self.finalize_response(drf_request, cast("Response", response), *args, **kwargs)
        return self.response

    def _renewed(self, request: Request) -> Request:
        """The same request before anybody has signed in, with the body as it was parsed."""
        renewed: Request = self.initialize_request(request._request, *self.args, **self.kwargs)
        for name in ("_data", "_files", "_full_data"):
            setattr(renewed, name, vars(request)[name])
        return renewed

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """The framework's; a body that would not be read as it was meant is refused in words."""
        super().initial(request, *args, **kwargs)
        if request.method in ("POST", "PUT", "PATCH"):
            _require_plain_body(request)

    def _answer(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        refusal: Exception | None = None
        response: HttpResponseBase | None = None
        is_short = self.takes_bytes and _length_of(request) <= SHORT_BODY
        unread = _receive(request) if is_short else None
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.unit(request))
            try:
                self.initial(request, *args, **kwargs)
                self._units = stack
                if unread is not None:
                    try:
                        raise unread
                    finally:  # else this frame and the error keep each other alive, and the half of a file with them
                        unread = None
                if self.takes_bytes and not is_short:
                    with self.between_units():
                        request.data  # noqa: B018 - receives and parses the body
                response = self._handler(request)(request, *args, **kwargs)
            except (DomainError, exceptions.APIException) as error:
                if not self.keeps_refusals:
                    raise
                refusal = error
        if refusal is not None:
            raise refusal
        assert response is not None
        return response

    @contextlib.contextmanager
    def between_units(self) -> Iterator[None]:
        """No transaction is open in here: for whatever waits for somebody else. What was done before is committed.

        Afterwards the request goes on in a new unit of work, as the same person in the same tenants.
        """
        now = scope.current()
        self._units.pop_all().close()
        try:
            yield
        finally:
            self._units.enter_context(self.unit(self.request))
            scope.identify(now.user_id)
            scope.enter_tenants(now.tenants)

    def _handler(self, request: Request) -> Any:
        method = (request.method or "").lower()
        if method in self.http_method_names:
            return getattr(self, method, self.http_method_not_allowed)
        return self.http_method_not_allowed

    @contextlib.contextmanager
    def unit(self, request: Request | HttpRequest) -> Iterator[None]:
        """A unit of work of this request."""
        with scope.unit_of_work(
            door=self.door,
            ip=getattr(request, "client_ip", None),
            request_id=getattr(request, "request_id", ""),
        ):
            yield

    def handle_exception(self, exc: Exception) -> Response:
        """Answer in the door's dialect; the unexpected goes to the logs and to the system log."""
        problem = problem_of(exc)
        if problem.status >= 500:
            self._report(exc)
        response = self.refuse(problem)
        response.exception = True
        return response

    def refuse(self, problem: Problem) -> Response:
        """The error body of the door."""
        raise NotImplementedError

    def _report(self, error: Exception) -> None:
        """An error of ours, for the operator."""
        log.error("%s %s failed", self.request.method, mask(self.request.path), exc_info=error)
        system_log.report(self.request, error)


def _has_files(request: Request) -> bool:
    """Bytes that arrived as parts of a form go with the unit of work that took them."""
    files = vars(request)["_files"]  # `Empty` until the body is parsed
    return files is not Empty and bool(files)


def _length_of(request: Request) -> int:
    """Bytes announced; of a body that announces none, more than any limit."""
    length = str(request.META.get("CONTENT_LENGTH") or "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 19 else sys.maxsize


def _receive(request: Request) -> Exception | None:
    """Receive and parse the body. What is wrong with it is told after who sends it is known to be allowed to."""
    try:
        request.data  # noqa: B018
    except Exception as error:
        return error
    return None


class CountedView(DoorView):
    """Of a door of JSON whose requests are counted by token; ``rate_setting`` names the setting with their number a
    window.
    """

    rate_setting = ""
    rate_window = rate.WINDOW  # seconds
    schema: Any = DoorSchema()
    renderer_classes = (ORJSONRenderer,)
    parser_classes: Sequence[Any] = (LimitedJSONParser,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Signs in, and counts the request before anything is done (DOCMS-182).

        NUL characters name nothing and would only upset the database. Who has no valid token counts by address, so
        guessed tokens do not begin anew each time.
        """
        if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            raise Invalid(_("The address contains characters that are not allowed."))
        try:
            super().initial(request, *args, **kwargs)
        except DomainError:
            self._count(None)
            raise
        self._count(request.auth)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Nothing of such a door is kept in a cache, unless an answer says so itself."""
        final: HttpResponseBase = super().finalize_response(request, response, *args, **kwargs)
        final.headers.setdefault("Cache-Control", "no-store")
        return final

    def body(self, serializer: type[serializers.Serializer[Any]], **kwargs: Any) -> Any:
        """The fields that were sent, checked; unknown ones are ignored. Raises the framework's `ValidationError`."""
        form = serializer(data=plain_body(self.request, many=bool(kwargs.get("many"))), **kwargs)
        form.is_valid(raise_exception=True)
        return form.validated_data

    def _count(self, token: Any) -> None:
        """Raise `Blocked` above the limit. An address whose calls are refused has a tenth of a token's, by the minute: so
        somebody who tries a few times is told why.
        """
        limit = getattr(settings, self.rate_setting)
        if token is None:
            address, a_minute = getattr(self.request, "client_ip", None), limit * rate.WINDOW // self.rate_window
            rate.check(self.door, f"address:{address}", -(-a_minute // 10))
        elif self.rate_window < rate.WINDOW:
            rate.check_within(self.door, f"{token._meta.model_name}:{token.pk}", limit, window=self.rate_window)
        else:
            rate.check(self.door, f"{token._meta.model_name}:{token.pk}", limit)


def plain_body(request: Request, *, many: bool = False) -> Any:
    """The parsed body. Raises `Invalid` for what is no object, or with ``many`` no list: before any field can be named."""
    data: Any = request.data
    if many and not isinstance(data, list):
        raise Invalid(_("The body must be a JSON list."))
    if not many and not isinstance(data, Mapping):
        raise Invalid(_("The body must be a JSON object."))
    return data


def _require_plain_body(request: Request) -> None:
    """Raise `Invalid` for a packed body, whose bytes are no JSON, and for one in pieces: Django reads none of it, and a
    change of nothing would be answered as done.
    """
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise Invalid(_("Please send the body as it is: Content-Encoding is not supported."), code="encoded_body")
    if request.headers.get("Transfer-Encoding"):
        raise Invalid(_("Please say how long the body is: Content-Length is missing."), code="length_required")


# --- Schema -----------------------------------------------------------------------------------------------


class Operations:
    """Declares operations of one door: its error body under each status that the contract lists."""

    def __init__(self, error: type[serializers.Serializer[Any]], descriptions: Mapping[int, str]) -> None:
        self.error, self.descriptions = error, descriptions

    def __call__(
        self,
        name: str,
        *,
        tag: str,
        summary: str,
        description: str = "",
        takes: Any = None,
        gives: Any = None,
        refusals: Iterable[int] = (),
        parameters: Sequence[OpenApiParameter] = (),
    ) -> Any:
        """Decorator of a view's method. Success is 200; ``gives`` none = empty body."""
        success = {200: OpenApiResponse(description="Done; no body.")} if gives is None else gives
        if not isinstance(success, dict):
            success = {200: OpenApiResponse(gives, description="Result.")}
        errors = {
            status: OpenApiResponse(self.error, description=self.descriptions[status]) for status in (*refusals, 429)
        }
        return extend_schema(
            operation_id=name,
            tags=[tag],
            summary=summary,
            description=description or summary + ".",
            request=takes,
            responses={**success, **errors},
            parameters=list(parameters),
        )


def flag(request: Request, name: str, *, default: bool = False) -> bool:
    """A boolean query parameter. Raises the framework's `ValidationError` for anything else."""
    value = request.query_params.get(name)
    if value is None:
        return default
    if value.lower() not in ("true", "false", "1", "0"):
        raise exceptions.ValidationError({name: [_("Must be true or false.")]})
    return value.lower() in ("true", "1")


def whole(request: Request, name: str, *, default: int, least: int, most: int) -> int:
    """A whole number in a query parameter. Raises the framework's `ValidationError` outside its bounds."""
    value = request.query_params.get(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and len(value) < 19 and least <= int(value) <= most):
        raise exceptions.ValidationError({name: [_("Must be a whole number from %d to %d.") % (least, most)]})
    return int(value)
