"""Tokens with which programs act as oneself: made, shown once, listed, revoked."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from core.errors import DomainError, NotFound
from core.services import throttle
from core.services.throttle import Counter
from orgs.services import api_tokens, second_factor
from portal.web.forms import PortalForm
from portal.web.pages import account, page
from portal.web.shell import enter


class TokenForm(PortalForm):
    """What for, what it may do, how long, and the password."""

    name = forms.CharField(
        label=gettext_lazy("What is it for?"), max_length=api_tokens.NAME_MAX,
        error_messages={"required": gettext_lazy("Please give it a name.")},
    )  # fmt: skip
    may_write = forms.TypedChoiceField(
        label=gettext_lazy("It may"), coerce=lambda value: value == "write", initial="read",
        choices=(("read", gettext_lazy("read only")), ("write", gettext_lazy("read and change"))),
    )  # fmt: skip
    days = forms.TypedChoiceField(label=gettext_lazy("Valid for"), coerce=int, initial=90)
    password = forms.CharField(
        label=gettext_lazy("Your password"), strip=False, max_length=1000,
        error_messages={"required": gettext_lazy("Please enter your present password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )  # fmt: skip

    code = forms.CharField(
        label=gettext_lazy("Code of your authenticator app"), max_length=20,
        error_messages={"required": gettext_lazy("Please enter the code.")},
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )  # fmt: skip

    def __init__(self, *args: Any, asks_code: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not asks_code:
            del self.fields["code"]
        lives = [
            (n, ngettext("%(n)d day", "%(n)d days", n) % {"n": n} if n else _("until I revoke it"))
            for n in api_tokens.DAYS
        ]
        self.fields["days"].choices = lives  # type: ignore[attr-defined]


@never_cache
@page
def tokens(request: HttpRequest) -> HttpResponse:
    """The list and the form; a new token stands on the answer, this once."""
    enter(request, None, "profile")
    user = account(request)
    asks_code = second_factor.confirmed(user) is not None
    form = TokenForm(request.POST if request.method == "POST" else None, asks_code=asks_code)
    made, counted = "", False
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        counter = Counter("token_password", f"user:{user.pk}")
        try:
            throttle.check(counter)
            made = api_tokens.issue_personal(
                user=user, password=values["password"], code=values.get("code", ""), name=values["name"],
                may_write=values["may_write"], days=values["days"],
            )  # fmt: skip
            form = TokenForm(asks_code=asks_code)
        except DomainError as error:
            if error.fields.keys() & {"password", "code"}:
                throttle.fail(counter)  # whoever found a browser open does not guess on
                counted = True
            form.take(error)
    context = {
        "form": form, "made": made, "tokens": api_tokens.of_person(user), "writes": api_tokens.WRITE,
    }  # fmt: skip
    # An answer of 422 undoes everything, and with it what was counted.
    return render(request, "portal/api_tokens.html", context, status=422 if form.errors and not counted else 200)


@require_POST
@page
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """End one; whoever uses it gets no further."""
    try:
        api_tokens.revoke_personal(user=account(request), token_id=token_id)
    except NotFound:
        messages.info(request, _("This token was gone already."))
    else:
        messages.success(request, _("The token is revoked."))
    return redirect("portal:api-tokens")
