"""Pickers: fields that look up what is typed instead of carrying every choice, and offer what a person may see."""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.utils.html import format_html
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm

from core.admin.pages import id_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db import models
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    from core.admin.base import HouseAdmin

_F = TypeVar("_F", bound=forms.ModelChoiceField)


class _ById:
    """A form that is shown again leaves out what is no id; Django's would ask the database for it and fall over."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        """Django's, for ids."""
        return super().optgroups(name, [v for v in value if id_in(v) is not None], attr)  # type: ignore[misc]


class One(_ById, AutocompleteSelect):
    """Picks one row."""


class _Several(_ById, AutocompleteSelectMultiple):
    """Picks several. Without the cross that empties the field: the script puts it between the items of its list, where
    no list may have it, and every item has a cross of its own.

    It sends along what was ``stored`` when the page was made. So what comes back says who was put in and who was taken out
    here, and that alone is done to the list as it is by then: nobody undoes what somebody else did meanwhile.
    """

    stored: Callable[[], Any] | None = None

    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        """Django's, but for that cross."""
        return {**super().build_attrs(base_attrs, extra_attrs), "data-allow-clear": "false"}

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Django's, with what is stored."""
        field = super().render(name, value, attrs, renderer)
        if self.stored is None:
            return field
        shown = ",".join(sorted(self._ids()))
        return field + format_html('<input type="hidden" name="{}" value="{}">', _shown(name), shown)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """What is chosen now, when what was chosen here is done to what is stored."""
        chosen = super().value_from_datadict(data, files, name)
        if self.stored is None or _shown(name) not in data:
            return chosen
        shown, now = set(data[_shown(name)].split(",")), self._ids()
        put_in = now - shown - set(chosen)
        offered: Any = self.choices
        more = offered.queryset.filter(pk__in=put_in).values_list("pk", flat=True) if put_in else ()
        return [pk for pk in chosen if pk in now or pk not in shown] + [str(pk) for pk in more]

    def _ids(self) -> set[str]:
        return {str(pk) for pk in (self.stored() if self.stored else None) or ()}


def _shown(name: str) -> str:
    """The hidden field beside a field."""
    return f"shown-{name}"


def merge_lists(form: forms.BaseForm) -> None:
    """For forms whose initial lists are what is stored: see `_Several`."""
    for name, field in form.fields.items():
        if isinstance(field.widget, _Several):
            field.widget.stored = partial(form.get_initial_for_field, field, name)


class PickerView(AutocompleteJsonView):
    """What a picker asks for: rows that the noun's own admin offers this person, named as the admin names them."""

    def get_queryset(self) -> models.QuerySet[Any]:
        """Django's, from `HouseAdmin.offered` instead of the whole list."""
        admin: HouseAdmin = self.model_admin  # type: ignore[assignment]
        found = admin.offered(self.request).complex_filter(self.source_field.get_limit_choices_to())
        found, doubled = admin.get_search_results(self.request, found, self.term)
        return found.distinct() if doubled else found

    def serialize_result(self, obj: models.Model, to_field_name: str) -> dict[str, str]:
        """With the name that tells rows of the same name apart."""
        admin: HouseAdmin = self.model_admin  # type: ignore[assignment]
        return {**super().serialize_result(obj, to_field_name), "text": admin.name_in_picker(obj)}


class _OfferedForm(AutocompleteDropdownForm):
    """Unfold's looks up the name of any row that the address names; this one, of rows that are offered."""

    def __init__(
        self, request: HttpRequest, name: str, label: str, choices: Any, field: Any, model_admin: Any, **kwargs: Any
    ) -> None:
        super().__init__(request, name, label, choices, field, model_admin, **kwargs)
        related: HouseAdmin = model_admin.admin_site._registry[field.remote_field.model]
        chosen: Any = self.fields[name]
        chosen.queryset = related.offered(request)
        chosen.label_from_instance = related.name_in_picker


class PickedFilter(AutocompleteSelectFilter):
    """A list's filter by one row of another noun, which is looked up by typing."""

    form_class = _OfferedForm


def picker(admin: HouseAdmin, request: HttpRequest, field: _F, origin: models.Field[Any, Any]) -> _F:
    """A copy of a form's field that looks its choices up: those of the table that `origin`, a reference, leads to.

    A copy, because the fields a form class declares are shared by all requests.
    """
    related: HouseAdmin = admin.admin_site._registry[origin.remote_field.model]  # type: ignore[assignment, union-attr]
    field = copy.deepcopy(field)
    kind = _Several if isinstance(field, forms.ModelMultipleChoiceField) else One
    field.widget = kind(origin, admin.admin_site, attrs={"class": "unfold-admin-autocomplete"})
    field.widget.is_required = field.required
    field.queryset = related.offered(request)
    field.label_from_instance = related.name_in_picker  # type: ignore[method-assign]
    return field
