"""The base of every list and form: what one sees, what one may do, and that services do the writing."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import models, transaction
from django.db.models import Count, IntegerField, ProtectedError, RestrictedError, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from core.admin import history
from core.admin.forms import HouseForm, MomentField, SecretInput
from core.admin.pages import Section, change_url, problem
from core.admin.pickers import One
from core.errors import DomainError
from core.fields import EncryptedTextField
from core.services import rows

COUNT_LIMIT = 1000


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts to 1,000 and no further; `1001` is shown as "1,000+" (one-model, conflict 57)."""

    @cached_property
    def count(self) -> int:
        """At most `COUNT_LIMIT` + 1, whatever the size of the table."""
        if isinstance(self.object_list, models.QuerySet):
            return self.object_list.order_by().values("pk")[: COUNT_LIMIT + 1].count()
        return len(self.object_list)


def count_of(found: models.QuerySet[Any]) -> Coalesce:
    """A correlated count: worked out for the rows of the page, while a join would group the whole table."""
    counted = found.order_by().annotate(_one=Value(1)).values("_one").annotate(n=Count("*")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


class HouseChangeList(ChangeList):
    """Django's and unfold's. A filter in the address that turns out to be nonsense when it is run, such as the year 99999,
    is ignored like one that is nonsense at once."""

    def get_results(self, request: HttpRequest) -> None:
        """The rows of the page. Raises `IncorrectLookupParameters`."""
        try:
            super().get_results(request)
        except (ValueError, OverflowError) as error:
            if not self.get_filters_params():
                raise
            raise IncorrectLookupParameters from error


class HouseAdmin(ModelAdmin):
    """A noun of the back office.

    Rows come through ``visible_to`` of whoever asks, narrowed to the tenant in view; a foreign id does not exist.
    `may_*` decide who may do what, by the predicates of the floors. `insert`, `update` and `erase` write: through
    `core.services.rows`, or in a subclass through the noun's own service; what they refuse becomes a form error.
    """

    form = HouseForm
    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    list_filter_submit = False
    save_as_continue = False
    change_form_before_template = "admin/house/version.html"
    change_form_outer_after_template = "admin/house/sections.html"
    object_history_template = "admin/object_history.html"
    formfield_overrides: ClassVar[dict[Any, Any]] = {
        EncryptedTextField: {"widget": SecretInput},
        models.DateTimeField: {"form_class": MomentField},
    }
    tenant_lookup = "tenant"
    # Reads `all` of the queryset, where it has that word: what an administrator finds by address and in search.
    sees_all: ClassVar[bool] = False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """See `HouseChangeList`."""
        return HouseChangeList

    # --- Who sees what ---------------------------------------------------------------------------------

    def seen_by(self, actor: Any) -> models.QuerySet[Any]:
        """The rows this person may see: the queryset's own rule."""
        rule = self.model._default_manager.all().visible_to  # type: ignore[attr-defined]
        found: models.QuerySet[Any] = rule(actor, all=True) if self.sees_all else rule(actor)
        return found

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Visible rows of the tenant in view."""
        actor = request.actor  # type: ignore[attr-defined]
        found = self.seen_by(actor)
        if actor.tenant_id is not None and self.tenant_lookup:
            found = found.filter(**{self.tenant_lookup: actor.tenant_id})
        ordering = self.get_ordering(request)
        return found.order_by(*ordering) if ordering else found

    def offered(self, request: HttpRequest) -> models.QuerySet[Any]:
        """What pickers of other forms offer of this noun."""
        return self.get_queryset(request)

    def name_in_picker(self, obj: Any) -> str:
        """How pickers name a row: so that two of the same name can be told apart."""
        return str(obj)

    def may_see(self, actor: Any) -> bool:
        """Whether the list exists for this person at all."""
        return bool(actor.is_operator or actor.staff_tenants)

    def may_add(self, actor: Any) -> bool:
        """Whether this person adds rows; a tenant must be in view, since the row will be its."""
        return False

    def may_change(self, actor: Any, obj: Any) -> bool:
        """Whether this person changes a row they see; without row: any row."""
        return False

    def may_delete(self, actor: Any, obj: Any) -> bool:
        """Whether this person deletes a row they see; without row: any row."""
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        """See `may_see`."""
        return self.may_see(request.actor)  # type: ignore[attr-defined]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """See `may_see`; which rows, the queryset says."""
        return self.may_see(request.actor)  # type: ignore[attr-defined]

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """See `may_add`."""
        return self.may_see(request.actor) and self.may_add(request.actor)  # type: ignore[attr-defined]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """See `may_change`."""
        return self.may_see(request.actor) and self.may_change(request.actor, obj)  # type: ignore[attr-defined]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """See `may_delete`."""
        return self.may_see(request.actor) and self.may_delete(request.actor, obj)  # type: ignore[attr-defined]

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        raise Http404

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """A visible row. The parts of a page that ask for the same row while it is read share one look-up."""
        if request.method != "GET" or from_field:
            return super().get_object(request, object_id, from_field)
        found: dict[tuple[Any, str], Any] = request.__dict__.setdefault("house_rows", {})
        key = (self.model, str(object_id))
        if key not in found:
            found[key] = super().get_object(request, object_id)
        return found[key]

    def buttons(self, actor: Any, obj: Any) -> Collection[str]:
        """Which of `actions_detail` fit the row in its present state. Each page decides again when it is opened."""
        return self._extract_action_names(self.actions_detail)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Only buttons that would do something."""
        obj = self.get_object(request, unquote(str(object_id)))
        if obj is None:
            return []
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        fitting = {f"{prefix}{name}" for name in self.buttons(request.actor, obj)}  # type: ignore[attr-defined]
        return [a for a in super().get_actions_detail(request, object_id) if a.action_name in fitting]

    # --- Forms -----------------------------------------------------------------------------------------

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form class with this request's `write`."""
        form_class = super().get_form(request, obj, change=change, **kwargs)
        write: Callable[[HouseForm], Any] = (
            (lambda form: self.update(request, form.instance, form.values, form.expected) or form.instance)
            if obj is not None
            else (lambda form: self.insert(request, form.values))
        )
        return type(form_class.__name__, (form_class,), {"write": staticmethod(write)})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without the right to change, secrets are not even named: a read-only field would show its value."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        secrets = {f.name for f in self.model._meta.fields if isinstance(f, EncryptedTextField)}
        if not secrets & set(flatten_fieldsets(fieldsets)):
            return fieldsets
        return [
            (name, {**options, "fields": [f for f in flatten_fieldsets([(None, options)]) if f not in secrets]})
            for name, options in fieldsets
        ]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only rows the person may see, of the tenant in view."""
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", One(db_field, self.admin_site))
        if "queryset" not in kwargs:
            related = self.admin_site._registry.get(db_field.remote_field.model)
            if isinstance(related, HouseAdmin):
                kwargs["queryset"] = related.offered(request)
                field = super().formfield_for_foreignkey(db_field, request, **kwargs)
                if field is not None:
                    field.label_from_instance = related.name_in_picker  # type: ignore[method-assign]
                return field
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Beside a picker nothing is deleted: a folder would go with all its papers, from the form of something else."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget.can_delete_related = False
        return field

    def add_link(self, request: HttpRequest, model: type[models.Model], label: Any, **query: Any) -> list[Any]:
        """A section's link to the form for a new row of a noun; none for whom that form would not open."""
        if not self.admin_site._registry[model].has_add_permission(request):
            return []
        form = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
        return [(label, f"{form}?{urlencode(query)}" if query else form)]

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """What is shown below the form of a row: what hangs on it."""
        return []

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The form, with the sections of its row below."""
        obj = self.get_object(request, unquote(object_id)) if request.method == "GET" else None
        found = self.sections(request, obj) if obj is not None and self.has_view_permission(request, obj) else []
        response: HttpResponse = super().change_view(
            request, object_id, form_url, {"sections": found, **(extra_context or {})}
        )
        return response

    def insert(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        """Write a new row of the tenant in view."""
        return rows.create(self.model, tenant_id=request.actor.tenant_id, **values)  # type: ignore[attr-defined]

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> Any:
        """Write what changed; a row that moved on since the form was loaded is not overwritten."""
        rows.change(obj, values, expected=expected)

    def erase(self, request: HttpRequest, obj: Any) -> None:
        """Delete a row."""
        rows.delete(obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """The form has written (`HouseForm.full_clean`)."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Services write related rows, too."""

    # --- Deleting --------------------------------------------------------------------------------------

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """The row itself; what keeps it from going, the service or the database says."""
        return [str(obj) for obj in objs], {}, set(), []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """See `erase`."""
        self.erase(request, obj)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Django's, but a refusal leads back to the row with its reason."""
        try:
            with transaction.atomic():
                response: HttpResponse = super().delete_view(request, object_id, extra_context)
            return response
        except (DomainError, ValidationError) as error:
            problem(request, error)
        except (ProtectedError, RestrictedError):
            messages.error(request, _("Other things still refer to this; it cannot be deleted."))
        obj = self.get_object(request, unquote(object_id))
        return redirect(change_url(obj))

    def get_actions(self, request: HttpRequest) -> Any:
        """No deleting in bulk: each deletion has its own reasons to be refused."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    # --- History ---------------------------------------------------------------------------------------

    def log_addition(self, *args: Any, **kwargs: Any) -> None:
        """The audit has it; Django's own log is not written."""

    log_change = log_deletion = log_deletions = log_addition

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Who changed what and when, with old and new values, from the audit."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        page = CappedPaginator(history.entries_of(obj), 50).get_page(request.GET.get("p"))
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]
        return TemplateResponse(
            request,
            self.object_history_template,
            {
                **self.admin_site.each_context(request),
                "title": _("History"),
                "subtitle": str(obj),
                "opts": self.opts,
                "object": obj,
                "original": obj,
                "page": page,
                "steps": history.steps(self.model, list(page.object_list)),
                **(extra_context or {}),
            },
        )


class ReadOnlyAdmin(HouseAdmin):
    """A noun that people look at: logs, runs, what others wrote."""

    change_form_before_template = None  # type: ignore[assignment]
    readonly_title = gettext_lazy("View")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Everything."""
        return (
            list(flatten_fieldsets(self.get_fieldsets(request, obj)))
            if self.fieldsets
            else (self.fields or super().get_readonly_fields(request, obj))
        )
