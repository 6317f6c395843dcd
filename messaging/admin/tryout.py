"""The mails of the try-out: its mail server keeps each as a file, the operator reads them here. Never in production."""

from __future__ import annotations

import email
import email.policy
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.admin import pages

MOST = 500


@dataclass
class Mail:
    """One file as the list shows it."""

    name: str
    subject: str
    to: str
    date: str


def folder() -> Path | None:
    """Where the try-out keeps its mails; none anywhere else."""
    name = getattr(settings, "TRYOUT_MAILS", "")
    return Path(name) if name else None


def _demand(request: HttpRequest) -> Path:
    path = folder()
    if path is None:
        raise Http404
    if not request.actor.is_operator:  # type: ignore[attr-defined]
        raise PermissionDenied
    return path


def _read(path: Path, *, headers_only: bool = False) -> EmailMessage:
    with path.open("rb") as file:
        data = file.read(16384) if headers_only else file.read()
    return email.message_from_bytes(data, policy=email.policy.default)  # type: ignore[return-value]


def _file(request: HttpRequest, name: str) -> Path:
    path = _demand(request)
    found = next((p for p in path.glob("*.eml") if p.name == name), None)
    if found is None:
        raise Http404
    return found


def mails(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """The newest first."""
    path = _demand(request)
    words = request.GET.get("q", "").strip().casefold()
    files = sorted(path.glob("*.eml"), key=lambda p: (p.stat().st_mtime, p.name), reverse=True)[:MOST]
    if words:
        files = [p for p in files if words in " ".join(_heads(_read(p, headers_only=True))).casefold()]
    page = Paginator(files, 50).get_page(request.GET.get("p"))
    found = [Mail(p.name, *_heads(_read(p, headers_only=True))) for p in page.object_list]
    return pages.render(
        site, request, "admin/house/mails.html", title=_("Mails of the try-out"), mails=found, page=page,
        words=request.GET.get("q", ""), folder=path,
    )  # fmt: skip


def _heads(message: EmailMessage) -> tuple[str, str, str]:
    return (
        str(message["Subject"] or "–"),
        str(message["To"] or message["X-Envelope-To"] or "–"),
        str(message["Date"] or ""),
    )


def mail(site: AdminSite, request: HttpRequest, name: str) -> HttpResponse:
    """One mail: its text, and its HTML in a frame that runs nothing."""
    message = _read(_file(request, name))
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    return pages.render(
        site, request, "admin/house/mail.html", title=str(message["Subject"] or "–"),
        heads=[(k, str(message[k])) for k in ("From", "To", "Date", "Message-ID", "Reply-To") if message[k]],
        text=plain.get_content() if plain else "",
        html_url=reverse("admin:tryout-mail-html", args=[name]) if rich else "",
        files=[part.get_filename() or part.get_content_type() for part in message.iter_attachments()],
        back=reverse("admin:tryout-mails"),
    )  # fmt: skip


def html(request: HttpRequest, name: str) -> HttpResponse:
    """The HTML part as it is, for the frame: no script, no form, nothing from elsewhere."""
    rich = _read(_file(request, name)).get_body(("html",))
    if rich is None:
        raise Http404
    response = HttpResponse(rich.get_content(), content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; "
        "sandbox allow-popups allow-popups-to-escape-sandbox"
    )
    response._csp_exempt = True  # type: ignore[attr-defined]
    return response
