"""Forms of the back office: the service writes, and what it refuses is an error of the form."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction
from django.forms.widgets import HiddenInput
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget

from core.admin.pickers import merge_lists
from core.errors import DomainError
from core.fields import EncryptedTextField

VERSION = "expected_version"


class SecretInput(UnfoldAdminPasswordWidget):
    """A secret goes in and never comes out: the stored value is not rendered, an empty field keeps it."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"autocomplete": "new-password", **(attrs or {})}, render_value=False)


class MomentField(forms.SplitDateTimeField):
    """Day and time. Nobody touched it: it stays as ``stored``, to the microsecond, which its two inputs do not show; nor
    which of the two hours is meant that a clock change makes of one."""

    stored: datetime.datetime | None = None

    def clean(self, value: Any) -> Any:
        """Django's, for what is not as it was shown."""
        if self.stored is not None and not self.has_changed(self.stored.replace(microsecond=0), value):
            return self.stored
        return super().clean(value)


def add_refusal(form: forms.BaseForm, error: DomainError | ValidationError) -> None:
    """Put what a service refused where the person can see it: at the field it names, else on top.

    A form whose fields are not called like what they fill says so in ``refused_at``, and which field a refusal is about
    that names none, by its code.
    """
    elsewhere: Mapping[str, str] = getattr(form, "refused_at", {})
    if isinstance(error, ValidationError):
        by_field: Mapping[str, list[Any]] = (
            error.error_dict if hasattr(error, "error_dict") else {str(NON_FIELD_ERRORS): error.error_list}
        )
    else:
        by_field = error.fields or {elsewhere.get(error.code, str(NON_FIELD_ERRORS)): [str(error.message)]}
    for refused, problems in by_field.items():
        name = elsewhere.get(refused, refused)
        known = name in form.fields and not isinstance(form.fields[name].widget, HiddenInput)
        for problem in problems:
            form.add_error(name if known else None, problem)


class Refusable:
    """For plain forms of own pages: `form.attempt(service)` runs it and turns its refusal into form errors."""

    def attempt(self, work: Callable[[], Any]) -> bool:
        """Run a service in a savepoint; True when it went through, else the form carries the errors."""
        try:
            with transaction.atomic():
                work()
        except (DomainError, ValidationError) as error:
            add_refusal(self, error)  # type: ignore[arg-type]
            return False
        return True


class HouseForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form over one row that leaves the row alone: `write` is called with the values as the last step of checking.

    Django's own way puts the input into the instance first, and a service could no longer tell what changed.
    `write(form)` returns the row as it is now; it is set by `HouseAdmin.get_form`.
    """

    write: ClassVar[Callable[[HouseForm], models.Model] | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_new = self.instance.pk is None or self.instance._state.adding
        self.secrets = {
            f.name for f in self._meta.model._meta.fields if isinstance(f, EncryptedTextField) and f.name in self.fields
        }
        for name in self.secrets:
            self.fields[name].required = False
            self.fields[name].initial = self.initial[name] = ""
            if getattr(self.instance, name, ""):
                self.fields[name].help_text = _("A value is stored. Leave empty to keep it.")
        for name, field in self.fields.items():
            if isinstance(field, MomentField) and not self.is_new:
                field.stored = getattr(self.instance, name)
            if field.label:
                field.label = capfirst(field.label)
        if not self.is_new:
            merge_lists(self)
        if hasattr(self.instance, "row_version"):
            self.fields[VERSION] = forms.IntegerField(
                required=False, widget=HiddenInput, initial=self.instance.row_version
            )

    @property
    def version_field(self) -> Any:
        """The hidden field with the version the person has before their eyes."""
        return self[VERSION] if VERSION in self.fields else ""

    @property
    def expected(self) -> int | None:
        """The version the change is based on; none for a new row."""
        return None if self.is_new else self.cleaned_data.get(VERSION)

    @property
    def values(self) -> dict[str, Any]:
        """The input as a service takes it: without the version and without secrets that were left empty."""
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if name != VERSION and not (name in self.secrets and not value)
        }

    def _post_clean(self) -> None:
        """The instance stays as it is stored."""

    def full_clean(self) -> None:
        """Check the input, then let the service write; its refusal is an error of the form."""
        super().full_clean()
        write = type(self).write
        if not self.is_bound or self.errors or write is None:
            return
        try:
            with transaction.atomic():
                self.instance = write(self)
        except (DomainError, ValidationError) as error:
            if not self.is_new:
                self.instance.refresh_from_db()
            add_refusal(self, error)

    def save(self, commit: bool = True) -> Any:
        """Nothing is left to do: `full_clean` has written."""
        self.save_m2m = lambda: None  # type: ignore[method-assign]
        return self.instance
