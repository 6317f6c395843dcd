"""The groups that one administers: who is in, and what the company's switches let one do with these people.

A group that one does not administer is not there, whoever asks; what a switch forbids is refused in words (DOCMS-067 … 085).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.errors import Conflict, Denied, Invalid, NotFound
from docms.api.people import display_name
from docms.models import Group
from docms.services import group_admins
from docms.services.members import ADMIN_FLAGS
from docms.services.names import check_one_line
from orgs.languages import USER_LANGUAGES
from portal.web.forms import PortalForm
from portal.web.pages import page
from portal.web.shell import enter, number_in

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from orgs.actor import Actor
    from orgs.models import Membership

PAGE = 50
FEW = 8  # people who are looked over without a search
# What the buttons of a person's page do: the service, and what is said afterwards.
ACTIONS: dict[str, Any] = {
    "send_link": (group_admins.send_link, gettext_lazy("A link for a new password is on its way.")),
    "reset_second_factor": (group_admins.reset_second_factor, gettext_lazy("The second step is reset.")),
    "reset_attempts": (group_admins.reset_attempts, gettext_lazy("The failed sign-ins are cleared.")),
}


class PersonForm(PortalForm):
    """A new person, or one of the group; only what the caller may set."""

    name = forms.CharField(
        label=pgettext_lazy("person", "Name"), help_text=gettext_lazy("Surname, first name"), max_length=201,
        validators=[check_one_line],
    )  # fmt: skip
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"), max_length=254,
        error_messages={"invalid": gettext_lazy("This is not an e-mail address. Example: name@example.org")},
        widget=forms.EmailInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )  # fmt: skip
    username = forms.CharField(
        label=gettext_lazy("User name"), max_length=150, validators=[check_one_line],
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )  # fmt: skip
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=USER_LANGUAGES)
    description = forms.CharField(
        label=gettext_lazy("Remark"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
    read_perm = forms.BooleanField(label=gettext_lazy("May read documents"), required=False)
    download_perm = forms.BooleanField(label=gettext_lazy("May download documents"), required=False)
    upload_file_perm = forms.BooleanField(label=gettext_lazy("May upload documents"), required=False)
    edit_file_perm = forms.BooleanField(label=gettext_lazy("May change documents"), required=False)
    edit_own_file_perm = forms.BooleanField(label=gettext_lazy("May change own documents"), required=False)
    log_perm = forms.BooleanField(label=gettext_lazy("May see who read documents"), required=False)
    mail_perm = forms.BooleanField(label=gettext_lazy("May choose who is told by mail"), required=False)
    welcome = forms.BooleanField(label=gettext_lazy("Send a welcome mail"), required=False, initial=True)

    def __init__(self, *args: Any, may: frozenset[str], **kwargs: Any) -> None:
        """What the caller may not set is not drawn. Raises `Denied` when it is sent nevertheless, permissions apart.

        Their switches may have been turned while somebody filled in the form: where one was sent that differs from what is
        stored, it is drawn as it is stored, with an error, and nothing is lost of what else was typed.
        """
        super().__init__(*args, **kwargs)
        closed = self.fields.keys() - may
        flags = closed & group_admins.FLAG_SWITCHES.keys()
        if self.data.keys() & (closed - flags | set(ADMIN_FLAGS)):
            raise Denied(_("Group administrators may not do this."))
        self.refused = {name for name in flags & self.data.keys() if self._sent(name) != self.initial.get(name, False)}
        for name in closed - self.refused:
            del self.fields[name]
        for name in self.refused:
            self.fields[name].disabled = True

    def _sent(self, name: str) -> bool:
        return bool(self.fields[name].widget.value_from_datadict(self.data, self.files, self.add_prefix(name)))

    def clean(self) -> None:
        """Say at each refused permission that it stays."""
        for name in self.refused:
            self.add_error(
                name, _("Your property manager does not let you set this. It stays as it is; please save again.")
            )


# --- Groups ---------------------------------------------------------------------------------------------


@require_GET
@page
def mine(request: HttpRequest) -> HttpResponse:
    """The groups that one administers. Refused to who administers none, or while that is switched off."""
    shell = enter(request, None, "profile")
    found = group_admins.circles(shell.actor)
    if not found:
        group_admins.require_circle(shell.actor)
    several = len({circle.group.tenant_id for circle in found}) > 1
    return render(request, "portal/groups.html", {"circles": found, "names_company": several})


def _entered(request: HttpRequest, group_id: int) -> tuple[Actor, Group, frozenset[str]]:
    """The frame of a page, an administered group, and what the caller may do. Raises `NotFound`, `Denied`."""
    actor = enter(request, None, "profile").actor
    found = Group.objects.administered_by(actor).select_related("tenant").filter(pk=group_id).first()
    if found is None:
        raise NotFound
    return actor, found, group_admins.allowed(actor, found.tenant)


def _member(actor: Actor, group: Group, user_id: int) -> Membership:
    people = group_admins.people(actor=actor, tenant=group.tenant, group_id=group.pk)
    found = people.filter(user=user_id).select_related("user", "organization").first()
    if found is None:
        raise NotFound
    return found


def _words(query: QueryDict) -> str:
    """What is looked for."""
    return query.get("q", "").replace("\x00", "").strip()[:100]


def _candidates(actor: Actor, group: Group, may: frozenset[str], words: str) -> QuerySet[Membership]:
    """Whom the caller can put in; found by their addresses where these are shown."""
    return group_admins.candidates(
        actor=actor, tenant=group.tenant, group=group, words=words, by_address="change_user" in may
    )


@require_GET
@page
def group(request: HttpRequest, group_id: int) -> HttpResponse:
    """Who is in, and the ways to change that."""
    actor, found, may = _entered(request, group_id)
    listed = group_admins.people(actor=actor, tenant=found.tenant, group_id=found.pk)
    people = Paginator(listed, PAGE).get_page(request.GET.get("page"))
    is_manual = found.kind == Group.Kind.MANUAL
    may_set = is_manual and "set_members" in may
    words = _words(request.GET) if may_set else ""
    offered = list(_candidates(actor, found, may, words)[: PAGE + 1]) if may_set else []
    context = {
        "group": found,
        "people": people,
        "leaders": group_admins.leaders(found),
        "administrators": {m.user_id for m in [*people, *offered] if group_admins.is_administrator(m)},
        "may_set": may_set,
        "may_create": is_manual and "create_user" in may,
        "may_open": bool(may.intersection(group_admins.WITH_PERSON)),
        "shows_addresses": "change_user" in may,
        "is_derived": not is_manual,
        "words": words,
        "candidates": offered[:PAGE],
        "has_more": len(offered) > PAGE,
        "may_search": words or len(offered) > FEW,
    }
    return render(request, "portal/group.html", context)


@require_POST
@page
def add(request: HttpRequest, group_id: int) -> HttpResponse:
    """Put somebody in who is in another group of one's own. A search that finds more people stays on the page."""
    actor, found, may = _entered(request, group_id)
    back = reverse("portal:group", args=[group_id])
    user_id = number_in(request.POST.get("user_id", ""))
    if not user_id:
        messages.warning(request, _("Please choose a person."))
        return redirect(back)
    group_admins.put_in(actor=actor, tenant=found.tenant, group_id=group_id, user_id=user_id)
    messages.success(request, _("%(name)s is in the group now.") % {"name": _member(actor, found, user_id)})
    words = _words(request.POST)
    if words and _candidates(actor, found, may, words).exists():
        back = f"{back}?{urlencode({'q': words})}"
    return redirect(back)


@require_http_methods(["GET", "POST"])
@page
def remove(request: HttpRequest, group_id: int, user_id: int) -> HttpResponse:
    """Ask, and on POST take somebody out."""
    actor, found, _may = _entered(request, group_id)
    group_admins.require_switch(actor, found.tenant, "set_members")
    member = _member(actor, found, user_id)
    if request.method == "POST":
        group_admins.take_out(actor=actor, tenant=found.tenant, group_id=group_id, user_id=user_id)
        messages.success(request, _("%(name)s is no longer in the group.") % {"name": member})
        return redirect("portal:group", group_id)
    return render(request, "portal/group_remove.html", {"group": found, "member": member})


# --- People ---------------------------------------------------------------------------------------------


def _attempted(form: PersonForm, work: Any) -> bool:
    """Whether a service did it; what it refuses stands in the form."""
    try:
        work()
    except (Conflict, Invalid) as error:
        form.take(error)
    except ValidationError as error:
        wrong = (
            error.message_dict if hasattr(error, "error_dict") else {"username": error.messages}
        )  # the one constraint
        for name, texts in wrong.items():
            form.add_error(name if name in form.fields else None, texts)
    return not form.errors


@require_http_methods(["GET", "POST"])
@page
def create(request: HttpRequest, group_id: int) -> HttpResponse:
    """A new person of the group, or one whom another company knows by the same user name and address."""
    actor, found, _may = _entered(request, group_id)
    group_admins.require_switch(actor, found.tenant, "create_user")
    may = group_admins.fields_to_change(actor=actor, tenant=found.tenant) | {"welcome"}
    language = found.tenant.language
    form = PersonForm(request.POST if request.method == "POST" else None, may=may, initial={"language": language})
    if request.method == "POST" and form.is_valid():
        values = {name: value for name, value in form.cleaned_data.items() if name != "welcome"}
        values["group_ids"] = [found.pk]
        welcome = form.cleaned_data["welcome"]
        if _attempted(
            form,
            lambda: group_admins.create_user(actor=actor, tenant=found.tenant, values=values, welcome=welcome),
        ):
            messages.success(request, _("%(name)s is in the group now.") % {"name": values["name"]})
            return redirect("portal:group", group_id)
    return render(
        request, "portal/group_person.html", {"group": found, "form": form}, status=422 if form.errors else 200
    )


@require_http_methods(["GET", "POST"])
@page
def person(request: HttpRequest, group_id: int, user_id: int) -> HttpResponse:
    """Show and change somebody of the group, as far as the switches go. Nothing is shown while none is on."""
    actor, found, may = _entered(request, group_id)
    if not may.intersection(group_admins.WITH_PERSON):
        raise Denied(_("Group administrators may not do this."))
    member = _member(actor, found, user_id)
    name = str(member)
    if (wanted := request.POST.get("do", "")) in ACTIONS:
        work, text = ACTIONS[wanted]
        work(actor=actor, tenant=found.tenant, user_id=user_id)
        messages.success(request, f"{name}: {text}")
        return redirect("portal:group-person", group_id, user_id)
    if request.method == "POST" or "change_user" in may:
        member = group_admins.person_to_change(actor=actor, tenant=found.tenant, user_id=user_id)
        form = _form_of(request, actor, found, member)
    else:
        group_admins.person_of(actor=actor, tenant=found.tenant, user_id=user_id)
        form = None
    if form is not None and request.method == "POST" and form.is_valid():
        values = {key: value for key, value in form.cleaned_data.items() if value != form.initial[key]}
        if _attempted(
            form, lambda: group_admins.change_user(actor=actor, tenant=found.tenant, user_id=user_id, values=values)
        ):
            messages.success(request, _("Your changes are saved."))
            return redirect("portal:group", group_id)
    context = {
        "group": found,
        "member": member,
        "name": name,
        "form": form,
        "may": may,
        "has_actions": may & ACTIONS.keys(),
    }
    return render(request, "portal/group_person.html", context, status=422 if form is not None and form.errors else 200)


def _form_of(request: HttpRequest, actor: Actor, group: Group, member: Membership) -> PersonForm:
    user = member.user
    may = group_admins.fields_to_change(actor=actor, tenant=group.tenant, membership=member)
    initial = {
        "name": display_name(user.first_name, user.last_name, user.name_as_given) or user.username,
        "email": user.email, "username": user.username, "language": user.language, "description": member.description or "",
        **{flag: getattr(member, flag) for flag in group_admins.FLAG_SWITCHES},
    }  # fmt: skip
    return PersonForm(request.POST if request.method == "POST" else None, may=may, initial=initial)
