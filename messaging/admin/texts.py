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
from orgs.languages import NAMES as NAMES_OF_LANGUAGES
from orgs.languages import USER_LANGUAGES
from orgs.models import Organization

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite

    from messaging.services.texts import Texts

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

    @property
    def subtitle(self) -> Any:
        """Whose it is, for the page."""
        return self.tenant or dict(USER_LANGUAGES).get(self.language)

    @property
    def back(self) -> str:
        """Where the texts of this level are listed."""
        return reverse("admin:texts")

    def own(self, actor: Any, kind: str) -> Texts | None:
        """The text of this level, if it says anything."""
        found = Template.objects.visible_to(actor).filter(tenant=self.tenant, kind=kind, language=self.language).first()
        return found if says_something(found) else None

    def standard(self, kind: str) -> Overrides:
        """What applies without a text of this level."""
        if self.tenant:
            return templates.starting_point(sent_as(kind), self.tenant)
        return templates.built_in(sent_as(kind), self.language)

    def store(self, actor: Any, kind: str, values: dict[str, Any]) -> None:
        """Store the text. The page has settled who may."""
        if self.tenant:
            templates.store_tenant_text(tenant=self.tenant, kind=kind, changes=values)
        else:
            templates.write(tenant=None, kind=kind, language=self.language, columns=templates.cleaned(kind, values))

    def drop(self, actor: Any, kind: str) -> None:
        """Take the text away."""
        templates.delete_text(tenant=self.tenant, kind=kind, language=self.language)

    def preview(self, kind: str, language: str, texts: Texts | None) -> Any:
        """What a reader of a language gets with this text; without one, what is sent today."""
        return preview.preview(kind, language=language, tenant=self.tenant, texts=texts)

    def address(self, kind: str, page: str = "text") -> str:
        """Of a page about one text: ``text`` or ``text-standard``."""
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
    """The form of one text of a tenant or of the installation."""
    return edit(site, request, _level(request, kind), kind)


def standard_page(site: AdminSite, request: HttpRequest, kind: str) -> HttpResponse:
    """Asks, then takes a text of one's own away."""
    return give_up(site, request, _level(request, kind), kind)


def edit(site: AdminSite, request: HttpRequest, level: Level, kind: str) -> HttpResponse:
    """The form of one text of any level; "Preview" shows what is in it without storing anything."""
    actor = request.actor  # type: ignore[attr-defined]
    own = level.own(actor, kind)
    columns = TextForm(kind=kind, level=level).fields
    stored = {name: getattr(own, name) for name in columns} if own else {}
    if request.GET.get("start") == "standard":
        stored |= {name: getattr(level.standard(kind), name) for name in TEXT_FIELDS if name in columns}
    form = TextForm(request.POST or None, kind=kind, level=level, initial=stored)
    shown = Overrides(**stored) if stored else None
    if request.method == "POST" and form.is_valid():
        if "_preview" not in request.POST:
            if form.attempt(lambda: level.store(actor, kind, form.cleaned_data)):
                messages.success(request, gettext("The text is stored. Mails from now on use it."))
                return redirect(level.address(kind))
        elif form.attempt(lambda: templates.cleaned(kind, form.cleaned_data)):
            shown = Overrides(**templates.cleaned(kind, form.cleaned_data))
    return pages.render(
        site, request, "admin/house/text.html", title=NAMES[kind], form=form, media=form.media, level=level,
        is_own=own is not None, is_previewed="_preview" in request.POST and not form.errors, subtitle_text=level.subtitle,
        placeholders=[
            (f"{{{{{name}}}}}", text, name in required_of(kind)) for name, text in EXPLAINED.items() if name in FILLED[kind]
        ],
        previews=[] if form.errors else [
            {"reader": NAMES_OF_LANGUAGES[language], "shown": level.preview(kind, language, shown)}
            for language in level.readers
        ],
        standard_url=level.address(kind, "text-standard"),
        start_url=f"{level.address(kind)}{'&' if level.query else '?'}start=standard", back=level.back,
    )  # fmt: skip


def give_up(site: AdminSite, request: HttpRequest, level: Level, kind: str) -> HttpResponse:
    """Asks (GET), then takes the text of a level away (POST)."""
    actor = request.actor  # type: ignore[attr-defined]
    if level.own(actor, kind) is None:
        raise Http404
    if request.method == "POST":
        level.drop(actor, kind)
        messages.success(request, gettext("The standard text applies again."))
        return redirect(level.address(kind))
    return pages.render(
        site, request, "admin/house/confirm.html", title=_("Back to the standard text"), button=_("Back to the standard text"),
        text=gettext("Your own text “%(name)s” is removed, in every language of this page.") % {"name": NAMES[kind]},
        danger=True, back=level.address(kind),
    )  # fmt: skip


def says_something(row: Texts | None) -> bool:
    """Whether a stored text changes anything."""
    return row is not None and bool(row.rest_bcc or row.to_email or _has(row, "") or _has(row, "_en"))


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


def _level(request: HttpRequest, kind: str) -> Level:
    """Whose text. Raises `Denied` while the settings are locked, too, and `Http404` for unknown kinds."""
    actor, tenant = _tenant(request)
    if tenant:
        require(rules.may_change_settings(actor, tenant.pk))
        level = Level(tenant)
    else:
        level = Level(None, request.GET.get("language", USER_LANGUAGES[0][0]))
    if kind not in level.kinds or (tenant is None and level.language not in dict(USER_LANGUAGES)):
        raise Http404
    return level


def _has(row: Texts | None, ending: str) -> bool:
    return row is not None and any(getattr(row, f"{name}{ending}").strip() for name in ("subject", "body"))
