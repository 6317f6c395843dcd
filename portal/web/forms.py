"""Forms of the portal: plain labels, hints and errors that belong to their field, a list of errors on top."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError
from orgs.languages import USER_LANGUAGES

UNKNOWN_CODE = _("We do not know this code. Please compare it with your letter once more.")


class PortalForm(forms.Form):
    """The look of all forms; `templates/components/field.html` draws one field."""

    required_css_class = ""
    error_css_class = ""
    use_required_attribute = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.error_messages["required"] = field.error_messages.get("missing") or _("Please fill in this field.")
            widget = field.widget
            if not isinstance(widget, forms.CheckboxInput | forms.RadioSelect | forms.HiddenInput):
                widget.attrs["class"] = f"input {widget.attrs.get('class', '')}".strip()

    def take(self, error: DomainError, names: dict[str, str] | None = None) -> None:
        """Show what a service refused at the fields it names; ``names`` translates them."""
        shown = False
        for name, messages in error.fields.items():
            field = (names or {}).get(name, name)
            self.add_error(field if field in self.fields else None, [str(m) for m in messages])
            shown = True
        if not shown:
            self.add_error(None, str(error.message))


def _email(**attrs: str) -> forms.EmailInput:
    return forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false", **attrs})


class SignInForm(PortalForm):
    """Address or user name, password (PORTAL-090 fixes the names of both inputs)."""

    username = forms.CharField(
        label=_("E-mail address or user name"),
        max_length=254,
        error_messages={"required": _("Please enter your e-mail address.")},
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false", "inputmode": "email"}
        ),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=1000,
        error_messages={"required": _("Please enter your password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    remember = forms.BooleanField(
        label=_("Stay signed in on this device"),
        help_text=_("For 30 days without a visit. Please not on a shared device."),
        required=False,
    )


class CodeForm(PortalForm):
    """The second step: the code of an authenticator app, or a recovery code."""

    code = forms.CharField(
        label=_("Code"),
        help_text=_("Six digits from your authenticator app, or one of your recovery codes."),
        max_length=20,
        error_messages={"required": _("Please enter the code.")},
        widget=forms.TextInput(attrs={"class": "code short", "autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, first: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if first:  # there are no recovery codes yet
            self.fields["code"].help_text = _("The six digits that your authenticator app shows now.")


class ShareCodeForm(PortalForm):
    """The code of a text message, which opens a shared document."""

    code = forms.CharField(
        label=_("Code"),
        help_text=_("The code that was sent to your mobile phone. Capital or small letters make no difference."),
        max_length=100,
        error_messages={"required": _("Please enter the code.")},
        widget=forms.TextInput(
            attrs={
                "class": "code short",
                "autocomplete": "one-time-code",
                "autocapitalize": "characters",
                "spellcheck": "false",
            }
        ),
    )


class ForgotForm(PortalForm):
    """Whose password is forgotten."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        error_messages={
            "required": _("Please enter your e-mail address."),
            "invalid": _("This is not an e-mail address. Example: name@example.org"),
        },
        widget=_email(),
    )


class NewPasswordForm(PortalForm):
    """A new password, typed once: who mistypes it asks for a link again."""

    password = forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=1000,
        error_messages={"required": _("Please choose a password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, hint: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = hint


class InviteCodeForm(PortalForm):
    """A code as it stands in a letter."""

    code = forms.CharField(
        label=_("Invitation code"),
        help_text=_("You find the code in your letter or e-mail. Capital or small letters make no difference."),
        min_length=6,
        max_length=64,
        error_messages={
            "required": _("Please enter the code."),
            "min_length": _("The code is longer than that. Please look again."),
        },
        widget=forms.TextInput(
            attrs={"class": "code", "autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )

    def clean_code(self) -> str:
        """Letters and digits alone, whatever people type between the groups; what holds others is no code.

        The lengths are asked once more: `ab-------` was long enough, and `ﬁ` becomes two letters.
        """
        field, typed = self.fields["code"], str(self.cleaned_data["code"])
        code = "".join(c for c in typed.upper() if c.isalnum())
        if not code.isascii() or len(code) > field.max_length:  # type: ignore[attr-defined]
            raise forms.ValidationError(UNKNOWN_CODE)
        if len(code) < field.min_length:  # type: ignore[attr-defined]
            raise forms.ValidationError(field.error_messages["min_length"])
        return code


class RegisterForm(PortalForm):
    """A new account from an invitation, in one screen."""

    first_name = forms.CharField(
        label=_("First name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "given-name"})
    )
    last_name = forms.CharField(
        label=_("Last name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "family-name"})
    )
    email = forms.EmailField(
        label=_("E-mail address"),
        help_text=_("You sign in with it, and we write to it when there is something new."),
        max_length=254,
        error_messages={"invalid": _("This is not an e-mail address. Example: name@example.org")},
        widget=_email(),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=1000,
        error_messages={"required": _("Please choose a password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    terms = forms.BooleanField(
        label=_("I have read the terms of use and agree to them."),
        error_messages={"required": _("Without your consent we cannot open an account.")},
    )

    def __init__(self, *args: Any, hint: str = "", ask_names: bool, ask_terms: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = hint
        if not ask_names:
            del self.fields["first_name"], self.fields["last_name"]
        if not ask_terms:
            del self.fields["terms"]


class ProfileForm(PortalForm):
    """What people may change about themselves."""

    first_name = forms.CharField(
        label=_("First name"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    last_name = forms.CharField(
        label=_("Last name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "family-name"})
    )
    telephone = forms.RegexField(
        r"^[0-9+()/ .\-]{0,40}$",
        label=_("Telephone"),
        required=False,
        error_messages={"invalid": _("Please use digits only. Example: 0171 39200-41")},
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    language = forms.ChoiceField(label=_("Language"), choices=USER_LANGUAGES)
    theme = forms.ChoiceField(
        label=_("Appearance"),
        choices=[("auto", _("Like the device")), ("light", _("Light")), ("dark", _("Dark"))],
        widget=forms.RadioSelect,
    )


class ChangePasswordForm(PortalForm):
    """Old and new password."""

    current = forms.CharField(
        label=_("Current password"),
        strip=False,
        max_length=1000,
        error_messages={"required": _("Please enter your present password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=1000,
        error_messages={"required": _("Please choose a password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, hint: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new"].help_text = hint
