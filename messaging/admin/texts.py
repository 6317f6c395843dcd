"""The texts of mails and text messages: a list, a form with preview and placeholders, and the way back to the standard.

With a tenant in view they are the tenant's; for the operator without one, the installation's, in each language.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from core.admin import pages
from core.admin.forms import Refusable
from core.answers import require
from core.errors import Denied
from messaging.models import Template
from messaging.services import preview, templates
from messaging.services.catalogue import EXPLAINED, FILLED, required_of, sent_as
from messaging.services.render import SUBJECT_MAX
from messaging.services.templates import BODY_MAX, PLAIN_KINDS, TEXT_FIELDS
from messaging.services.texts import Overrides
from orgs import rules
from orgs.languages import USER_LANGUAGES
from orgs.models import Organization

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite

SMS_MAX = 1000  # characters
NAMES = {
    "welcome": _("Welcome"),
    "notification": _("New document"),
    "share_mail": _("Shared document: mail with the link"),
    "share_sms": _("Shared document: text message with the code"),
    "pw_init": _("First password"),
    "pw_reset": _("New password"),
}
OF_TENANT = ("welcome", "notification", "share_mail", "share_sms")


@dataclass(frozen=True)
class Level:
    """Whose texts these are: a tenant's, or the installation's in one language."""

    tenant: Organization | None
    language: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What can be written here."""
        return OF_TENANT if self.tenant else tuple(NAMES)

    @property
    def query(self) -> str:
        """What addresses of this level end with."""
        return f"?language={self.language}" if self.language else ""

    @property
    def readers(self) -> list[str]:
        """The languages whose readers are shown in the preview."""
        return preview.readers_of(self.tenant) if self.tenant else [self.language]

    def standard(self, kind: str) -> Overrides:
        """What applies without a text of this level."""
        if self.tenant:
            return templates.starting_point(sent_as(kind), self.tenant)
        return templates.built_in(sent_as(kind), self.language)

    def address(self, kind: str, page: str = "text") -> str:
        """Of a page about one text."""
        return reverse(f"admin:{page}", args=[kind]) + self.query


class TextForm(Refusable, forms.Form):
    """One text: for readers of the tenant's language and for all others, or of one language."""

    subject = forms.CharField(
        label=_("subject"), required=False, max_length=SUBJECT_MAX, widget=UnfoldAdminTextInputWidget
    )
    body = forms.CharField(label=_("text"), required=False, max_length=BODY_MAX, widget=UnfoldAdminTextareaWidget)
    subject_en = forms.CharField(
        label=_("subject for readers of other languages"), required=False, max_length=SUBJECT_MAX,
        widget=UnfoldAdminTextInputWidget,
    )  # fmt: skip
    body_en = forms.CharField(
        label=_("text for readers of other languages"), required=False, max_length=BODY_MAX,
        widget=UnfoldAdminTextareaWidget,
    )  # fmt: skip
    rest_bcc = forms.BooleanField(
        label=_("one mail for everybody, in BCC"), required=False, widget=UnfoldBooleanSwitchWidget,
        help_text=_("Else each person gets a mail of their own, in their own language and with their name."),
    )  # fmt: skip
    to_email = forms.EmailField(
        label=_("visible recipient"), required=False, widget=UnfoldAdminEmailInputWidget,
        help_text=_("Needed with BCC: the address that everybody sees in “To”."),
    )  # fmt: skip

    def __init__(self, *args: Any, kind: str, level: Level, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        gone = set()
        if kind in PLAIN_KINDS:
            gone |= {"subject", "subject_en"}
            for name in ("body", "body_en"):
                self.fields[name] = forms.CharField(
                    label=self.fields[name].label, required=False, max_length=SMS_MAX, widget=UnfoldAdminTextareaWidget,
                    help_text=_("A text without the code gets it at its end."),
                )  # fmt: skip
        else:
            self.fields["body"].help_text = _("HTML is allowed, scripts are not. Plain text keeps its line breaks.")
        if level.tenant is None:
            gone |= {"subject_en", "body_en"}
        if kind != "notification" or level.tenant is None:
            gone |= {"to_email", "rest_bcc"}
        for name in gone:
            del self.fields[name]


# --- Pages --------------------------------------------------------------------------------------------------


def may_see(actor: Any) -> bool:
    """Whether the pages exist for this person: administrators of a tenant, and the operator."""
    return bool(actor.is_operator or actor.admin_tenants)


def list_page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Every kind in every language it is written in: standard, or a text of one's own."""
    actor, tenant = _tenant(request)
    found = Template.objects.visible_to(actor).filter(tenant=tenant)
    rows = {(row.kind, row.language): row for row in found}
    level = Level(tenant)
    lines = []
    for kind in level.kinds:
        if tenant:
            row = rows.get((kind, ""))
            spoken = [(dict(USER_LANGUAGES)[level.readers[0]], "", ""), (gettext("other languages"), "", "_en")]
            versions = [(word, level.address(kind), _has(row, ending)) for word, _code, ending in spoken]
        else:
            versions = [
                (word, Level(None, code).address(kind), _has(rows.get((kind, code)), ""))
                for code, word in USER_LANGUAGES
            ]
        lines.append({"name": NAMES[kind], "is_sms": kind in PLAIN_KINDS, "versions": versions})
    return pages.render(
        site, request, "admin/house/texts.html", title=_("Texts of mails and text messages"), lines=lines, tenant=tenant
    )


def edit_page(site: AdminSite, request: HttpRequest, kind: str) -> HttpResponse:
    """The form of one text; "Preview" shows what is in it without storing anything."""
    actor, level = _level(request, kind)
    own = _own(actor, level, kind)
    columns = TextForm(kind=kind, level=level).fields
    stored = {name: getattr(own, name) for name in columns} if own else {}
    if request.GET.get("start") == "standard":
        stored |= {name: getattr(level.standard(kind), name) for name in TEXT_FIELDS if name in columns}
    form = TextForm(request.POST or None, kind=kind, level=level, initial=stored)
    shown: Any = Overrides(**stored) if stored else None
    if request.method == "POST" and form.is_valid():
        if "_preview" not in request.POST:
            if form.attempt(lambda: _store(level, kind, form.cleaned_data)):
                messages.success(request, gettext("The text is stored. Mails from now on use it."))
                return redirect(level.address(kind))
        elif form.attempt(lambda: templates.cleaned(kind, form.cleaned_data)):
            shown = Overrides(**templates.cleaned(kind, form.cleaned_data))
    return pages.render(
        site, request, "admin/house/text.html", title=NAMES[kind], form=form, media=form.media, level=level,
        is_own=own is not None, is_previewed="_preview" in request.POST and not form.errors,
        subtitle_text=level.tenant or dict(USER_LANGUAGES).get(level.language),
        placeholders=[
            (f"{{{{{name}}}}}", text, name in required_of(kind)) for name, text in EXPLAINED.items() if name in FILLED[kind]
        ],
        previews=[] if form.errors else _previews(level, kind, shown),
        standard_url=level.address(kind, "text-standard"),
        start_url=f"{level.address(kind)}{'&' if level.query else '?'}start=standard", back=reverse("admin:texts"),
    )  # fmt: skip


def standard_page(site: AdminSite, request: HttpRequest, kind: str) -> HttpResponse:
    """Asks, then takes a text of one's own away."""
    actor, level = _level(request, kind)
    if _own(actor, level, kind) is None:
        raise Http404
    if request.method == "POST":
        templates.delete_text(tenant=level.tenant, kind=kind, language=level.language)
        messages.success(request, gettext("The standard text applies again."))
        return redirect(level.address(kind))
    return pages.render(
        site, request, "admin/house/confirm.html", title=_("Back to the standard text"), button=_("Back to the standard text"),
        text=gettext("Your own text “%(name)s” is removed, in every language of this page.") % {"name": NAMES[kind]},
        danger=True, back=level.address(kind),
    )  # fmt: skip


# --- Parts --------------------------------------------------------------------------------------------------


def _tenant(request: HttpRequest) -> tuple[Any, Organization | None]:
    """Who asks, and the tenant in view; none = the installation, for the operator. Raises `Denied`."""
    actor = request.actor  # type: ignore[attr-defined]
    if not may_see(actor):
        raise Denied
    if actor.tenant_id is None:
        return actor, None
    require(rules.may_administer(actor, actor.tenant_id))
    return actor, Organization.objects.tenants().get(pk=actor.tenant_id)


def _level(request: HttpRequest, kind: str) -> tuple[Any, Level]:
    """Who asks, and whose text. Raises `Denied` while the settings are locked, too, and `Http404` for unknown kinds."""
    actor, tenant = _tenant(request)
    if tenant:
        require(rules.may_change_settings(actor, tenant.pk))
        level = Level(tenant)
    else:
        level = Level(None, request.GET.get("language", USER_LANGUAGES[0][0]))
    if kind not in level.kinds or (tenant is None and level.language not in dict(USER_LANGUAGES)):
        raise Http404
    return actor, level


def _own(actor: Any, level: Level, kind: str) -> Template | None:
    """The text of this level, if it says anything."""
    found = Template.objects.visible_to(actor).filter(tenant=level.tenant, kind=kind, language=level.language).first()
    return (
        found
        if found is not None and (found.rest_bcc or found.to_email or _has(found, "") or _has(found, "_en"))
        else None
    )


def _has(row: Template | None, ending: str) -> bool:
    return row is not None and any(getattr(row, f"{name}{ending}").strip() for name in ("subject", "body"))


def _store(level: Level, kind: str, values: dict[str, Any]) -> None:
    if level.tenant:
        templates.store_tenant_text(tenant=level.tenant, kind=kind, changes=values)
    else:
        templates.write(tenant=None, kind=kind, language=level.language, columns=templates.cleaned(kind, values))


def _previews(level: Level, kind: str, shown: Any) -> list[dict[str, Any]]:
    spoken = dict(USER_LANGUAGES)
    return [
        {
            "reader": spoken[language],
            "shown": preview.preview(kind, language=language, tenant=level.tenant, texts=shown),
        }
        for language in level.readers
    ]
