"""The page behind the link of a shared document: whoever has the code from the text message takes it away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_cookie

from core import scope
from core.errors import DomainError, NotFound
from core.middleware import own_transactions
from core.services import delivery
from docms.services import shares
from docms.services.shares import WrongCode
from portal.web.context import outside
from portal.web.forms import ShareCodeForm

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

    from docms.models import DocumentShare


@never_cache
@vary_on_cookie
@require_http_methods(["GET", "HEAD", "POST"])
@own_transactions
def shared(request: HttpRequest, share_token: str) -> HttpResponseBase:
    """Ask for the code, and answer the right one with the document (DOCMS-160, 161): as `POST /shares/{shareToken}`.

    Before the code the page tells no more than whose it is and until when. Unknown, withdrawn and ended links look alike.
    """
    form = ShareCodeForm(request.POST if request.method == "POST" else None)
    row: DocumentShare | None = None
    problem: DomainError | None = None
    # Committed although it is refused: a wrong code counts.
    with scope.unit_of_work(door="web", ip=request.client_ip):  # type: ignore[attr-defined]
        try:
            row = shares.find(share_token)
            tenant = row.document.folder.tenant
            outside(request, tenant)
            if request.method == "POST" and form.is_valid():
                return _document(request, share_token, form.cleaned_data["code"])
        except DomainError as error:
            problem = error
    if row is None or (isinstance(problem, WrongCode) and not problem.left):
        return render(request, "portal/share_dead.html", status=404)
    context: dict[str, Any] = {"form": form, "company": tenant.name, "until": row.expires_at.astimezone(tenant.zone)}
    if problem is None:
        return render(request, "portal/share.html", context, status=422 if form.is_bound else 200)
    return _refused(request, form, context, problem)


def _document(request: HttpRequest, token: str, code: str) -> HttpResponseBase:
    row = shares.admit(token=token, code=code)
    with transaction.atomic():
        _paper, version, blob = shares.fetch(row)
        return delivery.deliver(blob, filename=version.filename, inline=False, request=request)


def _refused(
    request: HttpRequest, form: ShareCodeForm, context: dict[str, Any], problem: DomainError
) -> HttpResponseBase:
    if isinstance(problem, WrongCode):
        form.add_error("code", _("This code is not right. Attempts left: %(left)d.") % {"left": problem.left})
        return render(request, "portal/share.html", context, status=422)
    if isinstance(problem, NotFound) and problem.code == NotFound.code:  # another download was faster
        return render(request, "portal/share_dead.html", status=404)
    form.add_error(None, str(problem.message))
    response = render(request, "portal/share.html", context, status=problem.status)
    if wait := getattr(problem, "retry_after", 0):
        response.headers["Retry-After"] = str(wait)
    return response
