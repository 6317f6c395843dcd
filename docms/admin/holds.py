"""Legal holds: placed on people, places and papers, followed, and released."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from core.admin.base import HouseAdmin, count_of
from core.admin.forms import HouseForm, Refusable
from core.admin.pages import Cell, Section, change_url, form_page, id_in, list_url, of_object
from docms.models import Document, DocumentHold
from docms.services import holds
from orgs import rules
from orgs.admin.holding import covers, state_of
from orgs.models import Hold
from orgs.services import holds as places

SHOWN = 200
COUNTED = 10_000  # papers of a hold; beyond it the exact number helps nobody
PLACES = ("contact", "unit", "community")


class StateFilter(admin.SimpleListFilter):
    """In force or released."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Two states."""
        return [("open", _("in force")), ("released", _("released"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """A released one has a moment of release."""
        return {
            "open": lambda: queryset.filter(released_at=None),
            "released": lambda: queryset.exclude(released_at=None),
        }.get(self.value() or "", lambda: queryset)()


class KindFilter(admin.SimpleListFilter):
    """By what it is on."""

    title = _("covers")
    parameter_name = "on"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Four kinds; a hold may be of several."""
        return [("contact", _("person")), ("unit", _("unit")), ("community", _("community")), ("papers", _("papers"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """A place that is set, or papers by name."""
        kind = self.value()
        if kind == "papers":
            return queryset.filter(models.Exists(DocumentHold.objects.filter(hold=OuterRef("pk"))))
        return queryset.exclude(**{kind: None}) if kind in PLACES else queryset


class HoldForm(HouseForm):
    """A new hold on a person or a place."""

    class Meta:
        model = Hold
        fields = ("title", "reason", "contact", "unit", "community")
        help_texts = {
            "title": _("For the list, such as the number of a case."),
            "reason": _("Why nothing may be deleted. Only administrators read it."),
            "contact": _(
                "Papers in folders that name this person, the logs of what the person did, and mails to the person. "
                "Not the papers of the person's flat: for those, place a hold on the unit."
            ),
            "unit": _("Papers of this unit's folders, and the unit itself."),
            "community": _("Papers of the folders of the community and all its units, and the units themselves."),
        }


class ReleaseForm(Refusable, forms.Form):
    """Why a hold is over."""

    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=UnfoldAdminTextareaWidget)


class PapersForm(Refusable, forms.Form):
    """A hold on papers."""

    title = forms.CharField(
        label=_("Title"), max_length=200, widget=UnfoldAdminTextInputWidget, help_text=HoldForm.Meta.help_texts["title"]
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=2000, widget=UnfoldAdminTextareaWidget,
        help_text=HoldForm.Meta.help_texts["reason"],
    )  # fmt: skip


class HoldAdmin(HouseAdmin):
    """Holds. They are never changed: one is released, and another one is placed."""

    form = HoldForm
    change_form_before_template = None  # type: ignore[assignment]
    list_display = ("title", "covered", "papers", "placed_by", "created_at", "state")
    list_filter = (StateFilter, KindFilter)
    search_fields = ("title", "contact__last_name", "contact__company", "unit__name", "community__name")
    list_select_related = ("contact", "unit", "community", "placed_by", "released_by")
    autocomplete_fields = PLACES
    ordering = ("-id",)
    actions_detail = ("release",)
    readonly_fields = (
        "state_text",
        "covered_now",
        "placed_by",
        "created_at",
        "released_by",
        "released_at",
        "release_reason",
    )

    def may_see(self, actor: Any) -> bool:
        """Administrators and the operator."""
        return bool(actor.is_operator or actor.admin_tenants)

    def may_add(self, actor: Any) -> bool:
        """Administrators, for the tenant in view."""
        return actor.tenant_id is not None and bool(rules.may_administer(actor, actor.tenant_id))

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """With the number of papers that are covered by name."""
        named = DocumentHold.objects.filter(hold=OuterRef("pk"))
        return super().get_queryset(request).annotate(paper_total=count_of(named))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new one; one that stands; one that is over."""
        if obj is None:
            return [(None, {"fields": ("title", "reason")}), (_("What it covers"), {"fields": PLACES})]
        fieldsets: list[Any] = [(None, {"fields": ("title", "state_text", "reason", "placed_by", "created_at")})]
        on = [name for name in PLACES if getattr(obj, f"{name}_id")]
        if obj.released_at is None:
            on.append("covered_now")
        if on:
            fieldsets.append((_("What it covers"), {"fields": on}))
        if obj.released_at is not None:
            fieldsets.append((_("Released"), {"fields": ("released_by", "released_at", "release_reason")}))
        return fieldsets

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """What the fields mean is for whoever fills them."""
        return super().get_form(request, obj, change, **({"help_texts": {}} if obj else {}), **kwargs)

    def insert(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        """See `orgs.services.holds.place`."""
        actor = request.actor  # type: ignore[attr-defined]
        return places.place(actor=actor, tenant_id=actor.tenant_id, **values)

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """To its page, which shows that it is in force."""
        return redirect(change_url(obj))

    @display(description=_("covers"))
    def covered(self, hold: Hold) -> str:
        """The person and the places."""
        return covers(hold) or "–"

    @display(description=_("papers by name"), ordering="paper_total")
    def papers(self, hold: Any) -> int:
        """How many."""
        return int(hold.paper_total)

    @display(description=_("state"), label={"warn": "warning", "none": "default"})
    def state(self, hold: Hold) -> tuple[str, Any]:
        """In one word."""
        return state_of(hold)

    @display(description=_("state"))
    def state_text(self, obj: Any) -> Any:
        """The word alone, for the form."""
        return state_of(obj)[1]

    @display(description=_("papers it covers now"))
    def covered_now(self, obj: Any) -> str:
        """How many, by name and through folders."""
        count = len(holds.covered(obj).order_by().values_list("pk")[: COUNTED + 1])
        if count > COUNTED:
            return gettext("more than %(count)s") % {"count": formats.number_format(COUNTED)}
        return formats.number_format(count)

    def buttons(self, actor: Any, obj: Any) -> tuple[str, ...]:
        """What is released stays so."""
        return ("release",) if obj.released_at is None and rules.may_administer(actor, obj.tenant_id) else ()

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """The papers that are covered by name."""
        named = list(
            DocumentHold.objects.visible_to(request.actor)  # type: ignore[attr-defined]
            .filter(hold=obj)
            .select_related("document__folder")
            .order_by("id")[: SHOWN + 1]
        )
        return [
            Section(
                _("Papers by name"),
                [_("Paper"), _("Folder"), _("Since")],
                [
                    [
                        Cell(row.document, "" if row.document.claimed_at else change_url(row.document)),
                        Cell(row.document.folder, change_url(row.document.folder)),
                        Cell(formats.date_format(timezone.localtime(row.created_at), "SHORT_DATETIME_FORMAT")),
                    ]
                    for row in named[:SHOWN]
                ],
                _("None by name. Papers in the folders of the person or place are covered without being listed."),
                note=_("Only the next %(count)d are shown.") % {"count": SHOWN} if len(named) > SHOWN else "",
            )
        ]

    @action(description=_("Release"), url_path="release", icon="lock_open", variant=ActionVariant.DANGER)
    def release(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the reason first; what is due goes with the next run."""
        hold: Hold = of_object(self, request, object_id)
        actor = request.actor  # type: ignore[attr-defined]
        if hold.released_at is not None:
            messages.warning(request, gettext("This hold was released already."))
            return redirect(change_url(hold))
        form = ReleaseForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            if form.attempt(lambda: places.release(actor=actor, hold=hold, reason=reason)):
                messages.success(request, gettext("The hold was released."))
                return redirect(change_url(hold))
        text = _(
            "What it covers can be deleted again. What is due goes with the next run of its job, and does not come back."
        )
        return form_page(self, request, form, title=_("Release the hold"), button=_("Release"), text=text, obj=hold)


# --- Papers -----------------------------------------------------------------------------------------------


def holds_url(document_ids: list[int]) -> str:
    """The page that places a hold on these papers."""
    return f"{reverse('admin:docms_document_holds')}?ids={','.join(map(str, document_ids))}"


def hold_papers(request: HttpRequest, model_admin: HouseAdmin) -> HttpResponse:
    """Place a hold on the papers that the address names."""
    actor = request.actor  # type: ignore[attr-defined]
    if not (actor.is_operator or actor.admin_tenants):
        raise PermissionDenied
    ids = [found for part in request.GET.get("ids", "").split(",")[:SHOWN] if (found := id_in(part)) is not None]
    papers = list(model_admin.get_queryset(request).filter(pk__in=ids))
    if not papers:
        raise Http404
    tenants = {paper.tenant_id for paper in papers}
    if len(tenants) > 1:
        messages.warning(request, gettext("A hold covers papers of one company. Please choose the company first."))
        return redirect(list_url(Document))
    [tenant_id] = tenants
    if not rules.may_administer(actor, tenant_id):
        raise PermissionDenied
    form = PapersForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        placed: list[holds.Placed] = []
        chosen = [paper.pk for paper in papers]
        if form.attempt(
            lambda: placed.append(
                holds.place(actor=actor, tenant_id=tenant_id, document_ids=chosen, **form.cleaned_data)
            )
        ):
            return _placed(request, placed[0])
    text = ngettext("%(count)d paper will be kept.", "%(count)d papers will be kept.", len(papers)) % {
        "count": len(papers)
    }
    back = change_url(papers[0]) if len(papers) == 1 else list_url(Document)
    return form_page(
        model_admin, request, form, title=_("Place a hold"), button=_("Place the hold"), text=text, back=back,
        obj=papers[0] if len(papers) == 1 else None,
    )  # fmt: skip


def _placed(request: HttpRequest, placed: holds.Placed) -> HttpResponse:
    count = len(placed.covered)
    messages.success(
        request,
        ngettext("The hold covers %(count)d paper.", "The hold covers %(count)d papers.", count) % {"count": count},
    )
    if placed.gone:
        messages.warning(
            request,
            ngettext(
                "%(count)d paper was deleted before the hold could be placed.",
                "%(count)d papers were deleted before the hold could be placed.",
                len(placed.gone),
            )
            % {"count": len(placed.gone)},
        )
    return redirect(change_url(placed.hold))
