"""The register of people: found by name, address or telephone; where they live; their invitation."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin import EmptyFieldListFilter
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from core.admin.base import HouseAdmin
from core.admin.pages import Cell, Section, change_url, of_object
from orgs import rules
from orgs.admin import ids
from orgs.admin.holding import holds_section, place_link
from orgs.admin.imports import OfImportFilter
from orgs.admin.invites import state_of
from orgs.admin.inviting import invite_page, visible_occupants
from orgs.admin.occupancies import occupancy_section
from orgs.models import Contact, Hold, Invite, Membership, Occupancy, Organization
from orgs.services import contacts, invites

HOMES = 2  # that a picker names


class ContactAdmin(HouseAdmin):
    """Contacts."""

    list_display = ("name", "number", "email", "telephone", "homes", "account")
    list_filter = ("kind", ("user", EmptyFieldListFilter), OfImportFilter)
    search_fields = ("index__text",)
    search_help_text = _("Name, e-mail address, telephone number, reference")
    list_select_related = ("user",)
    ordering = ("sort_key", "id")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "kind",
                    ("salutation", "title"),
                    ("first_name", "last_name"),
                    "company",
                    "email",
                    ("telephone", "mobile"),
                    "language",
                )
            },
        ),
        (_("Address"), {"fields": ("street", ("postal_code", "city"), "country"), "classes": ("collapse",)}),
        (_("Register"), {"fields": (("number", "reference_id"), "account", "joined_at")}),
    )
    readonly_fields = ("number", "account", "joined_at")
    actions_detail = ("invite",)

    def may_add(self, actor: Any) -> bool:
        """Staff with a tenant in view."""
        return actor.tenant_id is not None

    def may_change(self, actor: Any, obj: Any) -> bool:
        """Whoever sees a contact in the back office looks after it; the company's own party stays as it is."""
        return obj is None or obj.kind != Contact.Kind.SELF

    def seen_by(self, actor: Any) -> models.QuerySet[Any]:
        """The register's own rule, without the erased and the merged."""
        return Contact.objects.visible_to(actor).living()

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """With where they live today, in one query for the page."""
        living = Occupancy.objects.valid_on(timezone.localdate()).select_related("unit__community").order_by("id")
        return (
            super()
            .get_queryset(request)
            .prefetch_related(models.Prefetch("occupancies", queryset=living, to_attr="living"))
        )

    def name_in_picker(self, obj: Any) -> str:
        """With where they live, and the number: people share names."""
        homes = ", ".join(f"{home.unit.community} {home.unit}" for home in getattr(obj, "living", [])[:HOMES])
        return " · ".join(part for part in (self.name(obj), homes, obj.number) if part)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Through the index: each word somewhere in name, address or digits."""
        for word in search_term.split():
            queryset = queryset.found_by(word)
        return queryset, False

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The company's own party is made with the tenant, never by hand."""
        if db_field.name == "kind":
            kwargs["choices"] = [c for c in Contact.Kind.choices if c[0] != Contact.Kind.SELF]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def insert(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        """With a number, and findable at once."""
        tenant = Organization.objects.get(pk=request.actor.tenant_id)  # type: ignore[attr-defined]
        return contacts.create_contact(tenant=tenant, **values)

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """To the person's page: there they move in, and from there they are invited."""
        return redirect(change_url(obj))

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> Any:
        """With what it is found and sorted by."""
        contacts.change_contact(obj, values, expected=expected)

    @display(description=_("name"), ordering="sort_key")
    def name(self, contact: Contact) -> str:
        """Last name first, as it is sorted."""
        if contact.last_name:
            return ", ".join(part for part in (contact.last_name, contact.first_name) if part)
        return contact.full_name or contact.number

    @display(description=_("lives in"))
    def homes(self, contact: Any) -> str:
        """The units of today."""
        living = getattr(contact, "living", [])
        return "; ".join(f"{o.unit.community} · {o.unit}" for o in living[:3]) or "–"

    @display(description=_("account"), boolean=True)
    def account(self, contact: Contact) -> bool:
        """Whether the person has signed up."""
        return contact.user_id is not None

    @action(description=_("Invite"), url_path="invite", icon="forward_to_inbox")
    def invite(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """This person, for each home that this member of staff looks after."""
        contact = of_object(self, request, object_id)
        mine = visible_occupants(request.actor, invites.occupants_of(contact=contact))  # type: ignore[attr-defined]
        if not mine:
            messages.warning(
                request, gettext("This person lives in none of your communities today and cannot be invited.")
            )
            return redirect(change_url(contact))
        return invite_page(self, request, contact, mine)

    def buttons(self, actor: Any, obj: Any) -> tuple[str, ...]:
        """Whoever has an account needs no invitation."""
        return () if obj.user_id or obj.kind == Contact.Kind.SELF else ("invite",)

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """Homes, invitations and holds; where the account's rights are explained, and what programs call the person."""
        actor = request.actor  # type: ignore[attr-defined]
        homes = (
            Occupancy.objects.visible_to(actor)
            .filter(contact=obj)
            .select_related("unit__community", "contact", "tenant")
        )
        sent = Invite.objects.visible_to(actor).filter(contact=obj).select_related("tenant", "unit", "community")
        found = [
            occupancy_section(
                list(homes.order_by("-period", "id")), title=_("Where this person lives or owns"), show="unit",
                links=self.add_link(request, Occupancy, _("Move in"), contact=obj.pk),
            ),
            Section(
                _("Invitations"),
                [_("Sent"), _("To"), _("Unit"), _("State")],
                [_invite_line(invite) for invite in sent.order_by("-id")[:20]],
                _("Not invited yet."),
            ),
        ]  # fmt: skip
        seen = Membership.objects.visible_to(actor).select_related("user")
        member = seen.filter(user=obj.user_id, organization=obj.tenant_id).first() if obj.user_id else None
        if member is not None and rules.may_administer(actor, obj.tenant_id):
            found[1].links.append((_("Account and rights"), change_url(member)))
        on_person = Hold.objects.filter(contact=obj)
        found += holds_section(self, request, obj, on_person, place_link(self, request, contact=obj.pk))
        return found + ids.of_person(member)


def _invite_line(invite: Invite) -> list[Cell]:
    tone, word = state_of(invite)
    return [
        Cell(formats.date_format(invite.invited_at, "SHORT_DATE_FORMAT"), change_url(invite)),
        Cell(invite.email),
        Cell(invite.unit or invite.community or "–"),
        Cell(word, tone=tone),
    ]
