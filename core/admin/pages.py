"""Own pages beside Django's lists and forms: one frame, one way to ask "really?"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.options import ModelAdmin
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from core import once
from core.errors import DomainError
from core.services.blobs import held_because

if TYPE_CHECKING:
    from core.models import Blob


def render(site: AdminSite, request: HttpRequest, template: str, *, title: Any, **context: Any) -> HttpResponse:
    """A page inside the frame of the back office."""
    request.current_app = site.name  # type: ignore[attr-defined]
    return TemplateResponse(request, template, {**site.each_context(request), "title": title, **context})


def of_object(admin: ModelAdmin[Any], request: HttpRequest, object_id: Any) -> Any:
    """The row an own page is about, through the admin's own queryset: what one may not see does not exist."""
    obj = admin.get_object(request, str(object_id))
    if obj is None or not admin.has_view_permission(request, obj):
        raise Http404
    return obj


def id_in(text: object) -> int | None:
    """The id that an address or a form names, none for anything else: "²" is a digit, too, and no number."""
    written = str(text)
    return int(written) if written.isascii() and written.isdigit() and len(written) < 19 else None


def change_url(obj: models.Model) -> str:
    """The form of a row."""
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def list_url(model: type[models.Model], **query: Any) -> str:
    """The list of a noun, filtered."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{urlencode(query)}" if query else url


def picture(blob: Blob | None, address: str) -> Any:
    """A stored picture as a form shows it, or why it does not leave the store; nothing without one."""
    if blob is None:
        return ""
    return held_because(blob) or format_html('<img class="q-picture" src="{}" alt="">', address)


def problem(request: HttpRequest, error: DomainError | ValidationError) -> None:
    """Say in a message what a service refused."""
    texts = error.messages if isinstance(error, ValidationError) else [str(error.message)]
    for text in texts:
        messages.error(request, text)


def confirm(
    admin: ModelAdmin[Any],
    request: HttpRequest,
    obj: models.Model,
    *,
    title: Any,
    text: Any,
    button: Any,
    work: Callable[[], Any],
    done: Any,
    danger: bool = False,
    facts: list[tuple[Any, Any]] | None = None,
) -> HttpResponse:
    """Ask first (GET), act then (POST), and go back to the row with a word about what happened."""
    if request.method == "POST":
        try:
            with transaction.atomic():
                work()
            messages.success(request, str(done))
        except (DomainError, ValidationError) as error:
            problem(request, error)
        return redirect(change_url(obj))
    return render(
        admin.admin_site,
        request,
        "admin/house/confirm.html",
        title=title,
        text=text,
        button=button,
        danger=danger,
        facts=facts or [],
        opts=admin.opts,
        original=obj,
        back=change_url(obj),
    )


def form_page(
    admin: ModelAdmin[Any],
    request: HttpRequest,
    form: forms.Form,
    *,
    title: Any,
    button: Any,
    text: Any = "",
    obj: models.Model | None = None,
    back: str = "",
    **context: Any,
) -> HttpResponse:
    """A page with one plain form."""
    return render(
        admin.admin_site,
        request,
        "admin/house/form.html",
        title=title,
        text=text,
        form=form,
        button=button,
        opts=admin.opts,
        original=obj,
        back=back or (change_url(obj) if obj is not None else list_url(admin.model)),
        media=form.media,
        **context,
    )


def sent_again(request: HttpRequest) -> bool:
    """Whether a form whose answer shows a secret was sent a second time, which is said then; see `core.once`."""
    if request.method != "POST" or once.is_first(request):
        return False
    messages.warning(
        request, _("This was sent already. What it made is shown once only: revoke it if you have no copy.")
    )
    return True


@dataclass
class Cell:
    """One cell of a section: text, where it leads, and a tone for a word of state."""

    text: Any
    link: str = ""
    tone: str = ""


@dataclass
class Section:
    """A table below a form: what hangs on the row, each line leading to its own page."""

    title: Any
    heads: list[Any] = field(default_factory=list)
    rows: list[list[Cell]] = field(default_factory=list)
    empty: Any = ""
    links: list[tuple[Any, str]] = field(default_factory=list)
    note: Any = ""
    more: str = ""
