"""Papers: the list, the form, and below it versions, readers and log as they are at this request."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from core import sizes
from core.admin.base import HouseAdmin, count_of
from core.admin.forms import HouseForm
from core.admin.pages import Cell, Section, of_object
from core.admin.pickers import PickedFilter
from core.models import Blob
from core.services.blobs import held_because
from docms import rules
from docms.admin import upload
from docms.admin.explaining import people_page, person_page
from docms.admin.holds import hold_papers, holds_url
from docms.admin.sharing import notify_page, share_page, shares_section, withdraw_page
from docms.models import Document, DocumentLog, FolderLabel, ReadMark
from docms.services import documents, holds, intake
from docms.services.groups import people_of_folder
from docms.services.search import close_to
from orgs.admin.holding import holds_section
from orgs.models import User

DOOR = upload.DOOR
SHOWN = 300
# Why there is no preview, in the words of the portal.
NO_PREVIEW: dict[str, Any] = {
    Blob.Preview.PENDING: _("The preview is being made. Look again in a moment."),
    Blob.Preview.NONE: _("There is no preview for this kind of file."),
    Blob.Preview.ENCRYPTED: _(
        "No preview: the file is protected by a password. You can download it and open it with the password."
    ),
    Blob.Preview.BROKEN: _("No preview: the file is damaged. You can still download it as it is."),
}


class DocumentForm(HouseForm):
    """A paper's data; a new file makes a new version."""

    label_name = forms.ChoiceField(label=_("label"), required=False, widget=UnfoldAdminSelectWidget)
    new_file = forms.FileField(
        label=_("new version"), required=False, widget=UnfoldAdminFileFieldWidget,
        help_text=_("Replaces the content; the earlier versions stay. People are told as of a new paper."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "label_name" in self.fields:
            names = list(FolderLabel.objects.filter(folder=self.instance.folder_id).values_list("name", flat=True))
            self.fields["label_name"].choices = [("", "–"), *((n, n) for n in names)]  # type: ignore[attr-defined]
            self.initial["label_name"] = self.instance.label.name if self.instance.label else ""

    class Meta:
        model = Document
        fields = (
            "title", "description", "folder", "version_label", "allow_download", "active_from", "active_until",
            "identifier", "internal_note", "delete_after_next_download",
        )  # fmt: skip


class DocumentAdmin(HouseAdmin):
    """Papers."""

    form = DocumentForm
    sees_all = True
    list_display = ("__str__", "folder", "size", "created_at", "visible", "virus_check", "readers", "access_counter")
    list_filter = (("folder", PickedFilter), "allow_download", "current__blob__scan")
    list_filter_submit = True
    search_fields = ("title",)  # see `get_search_results`
    search_help_text = _("Title, file name, label, description, identifier, and what the paper says")
    list_select_related = ("folder", "label", "uploaded_by", "current__blob")
    autocomplete_fields = ("folder",)
    ordering = ("-created_at", "-id")
    actions = ("hold_several",)
    actions_list = ("upload",)
    actions_detail = ("people", "person", "share", "withdraw_share", "notify", "hold")
    readonly_fields = ("size", "virus_check_text", "preview", "uploaded_by", "created_at")
    fieldsets = (
        (None, {"fields": ("title", "description", "folder", "label_name")}),
        (_("Visibility"), {"fields": ("active_from", "active_until", "allow_download")}),
        (
            _("More"),
            {
                "fields": ("identifier", "version_label", "new_file", "internal_note", "delete_after_next_download"),
                "classes": ("collapse",),
            },
        ),
        (_("File"), {"fields": ("size", "virus_check_text", "preview", "uploaded_by", "created_at")}),
    )

    # --- Rights ----------------------------------------------------------------------------------------

    def may_change(self, actor: Any, obj: Any) -> bool:
        """Whoever may change it in its folder (DOCMS-111)."""
        return obj is None or bool(rules.may_edit(actor, obj))

    def may_delete(self, actor: Any, obj: Any) -> bool:
        """Administrators, and group administrators where the tenant lets them."""
        return obj is None or bool(answer := rules.may_delete(actor, obj)) or answer.denied_status == 409

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the number of people who have opened the current version."""
        marks = ReadMark.objects.filter(document=OuterRef("pk"), version_no__gte=OuterRef("current__number"))
        return super().get_queryset(request).annotate(reader_total=count_of(marks))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """As the portal searches, and within names; where nothing has the words, what was perhaps meant."""
        if not search_term.strip():
            return queryset, False
        actor: Any = request.actor  # type: ignore[attr-defined]
        hits = queryset.filter(pk__in=Document.objects.search_also_within(actor, search_term).values("pk"))
        if not hits.exists():
            hits = queryset.filter(pk__in=close_to(actor, search_term).values("pk"))
        return hits, False

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> Any:
        """See `documents.change_document`."""
        actor: Any = request.actor  # type: ignore[attr-defined]
        file = values.pop("new_file", None)
        content: dict[str, Any] = {}
        if file:
            (handle,) = intake.receive([file], actor=actor, tenant_id=obj.tenant_id, door=DOOR)
            claimed = intake.claim(handle, actor=actor, tenant_id=obj.tenant_id, door=DOOR)
            content = {"blob": claimed.blob, "filename": claimed.name}
        return documents.change_document(
            actor=actor,
            document=obj,
            changes=values,
            expected=expected,
            **content,
        )

    def erase(self, request: HttpRequest, obj: Any) -> None:
        """With all versions; a destruction record stays."""
        documents.delete_document(actor=request.actor, document=obj)  # type: ignore[attr-defined]

    # --- List ------------------------------------------------------------------------------------------

    @display(description=_("size"), ordering="size_bytes")
    def size(self, document: Document) -> str:
        """For people."""
        return sizes.readable(document.size_bytes)

    @display(description=_("Preview"))
    def preview(self, document: Document) -> Any:
        """That there is one, or why there is none."""
        if document.current is None:
            return "–"
        blob = document.current.blob
        if held := held_because(blob):
            return held
        return NO_PREVIEW.get(blob.preview_state) or blob.get_preview_state_display()

    @display(
        description=_("virus check"),
        ordering="current__blob__scan",
        label={
            "pending": "info",
            "infected": "danger",
            "too_large": "warning",
            "clean": "success",
            "skipped": "default",
        },
    )
    def virus_check(self, document: Document) -> tuple[str, Any] | None:
        """What the scanner said of the current version, or that nobody asked it."""
        if document.current is None:
            return None
        blob = document.current.blob
        return blob.scan, blob.get_scan_display()

    @display(description=_("virus check"))
    def virus_check_text(self, obj: Any) -> Any:
        """The word alone, for the form."""
        return obj.current.blob.get_scan_display() if obj.current else "–"

    @display(description=_("visible"), label={"now": "success", "later": "info", "over": "default"})
    def visible(self, document: Document) -> tuple[str, Any]:
        """Now, later, or over."""
        now = timezone.now()
        if document.active_from and document.active_from > now:
            return "later", gettext("from %(day)s") % {"day": _moment(document.active_from)}
        if document.active_until and document.active_until <= now:
            return "over", gettext("over")
        return "now", gettext("now")

    @display(description=_("read by"), ordering="reader_total")
    def readers(self, document: Any) -> int:
        """How many have opened the current version."""
        return int(document.reader_total)

    # --- Below the form --------------------------------------------------------------------------------

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """Versions; who has read, who has not; the log; whom outside it was given to; holds."""
        actor = request.actor  # type: ignore[attr-defined]
        found = [
            Section(
                _("Versions"),
                [_("Number"), _("File"), _("Size"), _("Uploaded by"), _("Uploaded"), ""],
                [
                    [
                        Cell(v.number),
                        Cell(v.filename),
                        Cell(sizes.readable(v.size_bytes)),
                        Cell(v.uploaded_by),
                        Cell(_moment(v.created_at)),
                        Cell(gettext("current") if v.pk == obj.current_id else "", tone="good"),
                    ]
                    for v in documents.versions(obj)
                ],
            )
        ]
        opened = reverse("portal:document", args=[obj.pk])
        if rules.may_read(actor, obj):
            found[0].links.append((_("Open"), opened))
        if rules.may_notify(actor, obj.folder):
            found[0].links.append((_("Notify"), reverse("admin:docms_document_notify", args=[obj.pk])))
        sees_log = rules.may_see_log(actor, obj)
        if sees_log or rules.may_administer(actor, obj.tenant_id):
            found += _readers(obj)
        if sees_log:
            entries = DocumentLog.objects.filter(document_id=obj.pk).select_related("user").order_by("-id")[:100]
            found.append(
                Section(
                    _("Log"),
                    [_("When"), _("Who"), _("What")],
                    [[Cell(_moment(e.created_at)), Cell(e.user or "–"), Cell(_action(e))] for e in entries],
                    _("Nothing has happened yet."),
                )
            )
        found += shares_section(actor, obj)
        place = [(_("Place a hold"), holds_url([obj.pk]))]
        return found + holds_section(self, request, obj, holds.covering(obj), place)

    # --- Pages -----------------------------------------------------------------------------------------

    @action(description=_("Upload papers"), url_path="upload", icon="upload_file")
    def upload(self, request: HttpRequest) -> HttpResponse:
        """Drag several papers into a folder; see first who will get them."""
        return upload.page(self, request)

    @action(description=_("Who can see this and why"), url_path="people", icon="groups")
    def people(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Everyone who reaches it today."""
        return people_page(self, request, object_id)

    @action(description=_("Can this person see it?"), url_path="person", icon="person_search")
    def person(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One person, with every reason."""
        return person_page(self, request, object_id)

    def buttons(self, actor: Any, obj: Any) -> tuple[str, ...]:
        """Administrators place holds. Sharing and notifying begin below the form: the row of buttons is full."""
        return ("people", "person", *(("hold",) if rules.may_administer(actor, obj.tenant_id) else ()))

    @action(description=_("Share"), url_path="share", icon="share")
    def share(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """With somebody outside."""
        return share_page(self, request, object_id)

    @action(description=_("Withdraw"), url_path="withdraw-share")
    def withdraw_share(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One share, from its line in the list."""
        return withdraw_page(self, request, object_id)

    @action(description=_("Notify"), url_path="notify", icon="mail")
    def notify(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """People of the folder, by hand."""
        return notify_page(self, request, object_id)

    @action(description=_("Place a hold"), url_path="hold", icon="gavel")
    def hold(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """On this paper alone."""
        document: Document = of_object(self, request, object_id)
        if not rules.may_administer(request.actor, document.tenant_id):  # type: ignore[attr-defined]
            raise PermissionDenied
        return redirect(holds_url([document.pk]))

    def get_actions(self, request: HttpRequest) -> Any:
        """Administrators place holds on several papers at once."""
        actions = super().get_actions(request)
        if not (request.actor.is_operator or request.actor.admin_tenants):  # type: ignore[attr-defined]
            actions.pop("hold_several", None)
        return actions

    @admin.action(description=_("Place a hold"))
    def hold_several(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """On the chosen papers, at most as many as a page shows."""
        chosen = list(queryset.values_list("pk", flat=True)[: self.list_per_page + 1])
        if len(chosen) <= self.list_per_page:
            return redirect(holds_url(chosen))
        messages.warning(
            request,
            gettext(
                "At most %(count)d papers at once. A hold on the community or the unit covers all papers in its folders."
            )
            % {"count": self.list_per_page},
        )
        return None

    def get_custom_urls(self) -> Any:
        """The fragment of the upload page that says who will see what is put into a folder; the page of a new hold."""
        return (
            ("upload/recipients/", "docms_document_recipients", upload.recipients),
            ("hold/", "docms_document_holds", hold_papers),
        )

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Papers come in by the upload page."""
        return False


def _readers(document: Document) -> list[Section]:
    """Who has read and downloaded when, and who has not yet; former members stay among the readers."""
    marks = list(
        ReadMark.objects.filter(document=document).select_related("membership__user").order_by("first_at", "id")[:SHOWN]
    )
    current = document.current.number if document.current else 1
    read = {m.membership.user_id for m in marks if m.version_no >= current}
    expected = rules.holders(document.folder, "read", people_of_folder(document.folder))
    missing = User.objects.filter(pk__in=expected - read - {document.uploaded_by_id}).order_by(
        "last_name", "first_name", "id"
    )
    lines = [
        [
            Cell(m.membership.user),
            Cell(_moment(m.first_at)),
            Cell(_moment(m.downloaded_at) if m.downloaded_at else "–"),
            Cell(
                "" if m.version_no >= current else gettext("version %(number)d only") % {"number": m.version_no},
                tone="warn",
            ),
        ]
        for m in marks
    ]
    total = len(expected - read - {document.uploaded_by_id})
    return [
        Section(
            gettext("Read by %(count)d") % {"count": len(read)},
            [_("Person"), _("Opened"), _("Downloaded"), ""],
            lines,
            _("Nobody has opened it yet."),
        ),
        Section(
            gettext("Not read yet by %(count)d") % {"count": total},
            [_("Person"), _("E-mail address")],
            [[Cell(u), Cell(u.shown_email)] for u in missing[:SHOWN]],
            _("Everyone who reaches it has read it."),
        ),
    ]


def _action(entry: DocumentLog) -> str:
    return f"{entry.get_action_display()}: {entry.label}" if entry.label else str(entry.get_action_display())


def _moment(moment: Any) -> str:
    return formats.date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")
