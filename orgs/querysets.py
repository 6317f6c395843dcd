"""Read rules of people and places. Every list goes through ``visible_to``; nobody filters by hand."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from django.apps import apps
from django.contrib.auth.base_user import BaseUserManager
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone

from core.expressions import IsOneOf

if TYPE_CHECKING:
    from typing import Self

    from orgs.actor import Actor
    from orgs.models import Building, Community, Unit

_M = TypeVar("_M", bound=models.Model)


def valid_on(day: datetime.date, prefix: str = "") -> Q:
    """An occupancy or responsibility that holds on that day; `revoked_at` is asked by the caller's table."""
    return Q(**{f"{prefix}period__contains": day})


def _own(actor: Actor) -> Q:
    """Rows of the actor's account. Nobody's rows (``user`` null) are not those of a caller without account."""
    return Q(user=actor.user_id, user__isnull=False)


class OrganizationQuerySet(models.QuerySet["_M"]):
    """Nodes of the tree."""

    def tenants(self) -> Self:
        """Companies that were admitted and are not being erased."""
        return self.filter(is_tenant=True, closed_at=None)

    def visible_to(self, actor: Actor) -> Self:
        """The operator sees every organization, others those in whose tenant or node they have a place."""
        if actor.is_operator:
            return self.all()
        return self.filter(Q(id__in=actor.organizations) | Q(ancestors__overlap=list(actor.owned_organizations)))

    def open_to(self, actor: Actor) -> Self:
        """Those that are visible and not shut: a member without any second factor stays outside of an organization
        that demands one, itself or by an ancestor (ORGS-053, 054).
        """
        seen = self.visible_to(actor)
        if actor.is_operator or actor.user is None or actor.has_second_factor:
            return seen
        # By the key of those above, which are few: a scan for each of ten thousand rows took seconds.
        above = self.model._default_manager.filter(IsOneOf(F("id"), OuterRef("ancestors")), enforces_second_factor=True)
        return seen.filter(enforces_second_factor=False).exclude(Exists(above))

    def in_view(self, actor: Actor) -> Self:
        """In the back office: those that are open to somebody, of the tenant in view; and what lies outside of every tenant,
        for those who have a place there.
        """
        seen = self.open_to(actor).filter(closed_at=None)
        if actor.tenant_id is None:
            return seen
        here = Q(tenant=actor.tenant_id)
        return seen.filter(here if actor.is_operator else here | Q(tenant=None))

    def below(self, organization_id: int) -> Self:
        """An organization and everything below it."""
        return self.filter(Q(id=organization_id) | Q(ancestors__contains=[organization_id]))


class MembershipQuerySet(models.QuerySet["_M"]):
    """Places of people in organizations."""

    def active(self) -> Self:
        """Not deactivated at this moment (DOCMS-059), and the account is not erased."""
        return self.filter(Q(deactivated_at=None) | Q(deactivated_at__gt=timezone.now()), user__erased_at=None)

    def living(self) -> Self:
        """Whose account is not erased, deactivated or not: nobody finds, chooses or changes a tombstone."""
        return self.filter(user__erased_at=None)

    def staff(self) -> Self:
        """Owners, staff, and who works at a branch: the people of the back office."""
        return self.filter(role__in=("owner", "staff", "affiliate"))

    def available_first(self) -> Self:
        """For whoever assigns work: who is available, then who is on assignment, then who is not available; by name.

        With ``presence``, one of `orgs.services.availability.PRESENCES`. On assignment is who is tied up anywhere in the
        same tree (ORGS-057). Combine with `active` and `staff`; all is one query.
        """
        top = Coalesce(F("organization__ancestors__0"), F("organization_id"), output_field=models.IntegerField())
        tied_up = apps.get_model("orgs", "Engagement")._default_manager.alias(top=top)
        tied_up = tied_up.filter(user=OuterRef("user_id"), ended_at=None, top=OuterRef("top"))
        found = self.alias(top=top).annotate(
            presence=Case(
                When(Exists(tied_up), then=Value("engaged")),
                When(is_available=True, then=Value("available")),
                default=Value("unavailable"),
            )
        )
        rank = Case(When(presence="available", then=0), When(presence="engaged", then=1), default=2)
        return found.order_by(rank, Lower("user__last_name"), Lower("user__first_name"), "id")

    def administrators(self) -> Self:
        """`super_admin_perm` counts as `admin_perm` everywhere (DOCMS-056), and the operator has it where a member."""
        return self.filter(Q(admin_perm=True) | Q(super_admin_perm=True) | Q(user__is_superuser=True))

    def visible_to(self, actor: Actor) -> Self:
        """Staff see the members of their tenants, everybody the own memberships."""
        if actor.is_operator:
            return self.all()
        return self.filter(Q(tenant__in=actor.staff_tenants) | Q(user=actor.user_id))

    def administered_by(self, actor: Actor) -> Self:
        """Only those whose rights the caller keeps: on the tenant's own node, for its administrators (DOCMS-056)."""
        on_the_node = self.filter(organization=F("tenant"))
        if actor.is_operator and not actor.acting:
            return on_the_node
        return on_the_node.filter(tenant__in=actor.admin_tenants)


class UserManager(BaseUserManager["Any"]):
    """Accounts; `create_user` exists for Django's own tools, services use `orgs.services.accounts`."""

    def get_by_natural_key(self, username: str | None) -> Any:
        """Both the user name and the address sign in, without regard to case."""
        return self.named(username or "").get()

    def named(self, identifier: str) -> models.QuerySet[Any]:
        """Accounts, not erased, of this user name or address, without regard to case.

        By the lower case that the unique indexes hold: ``iexact`` compares in upper case and reads every account.
        """
        known = Lower(Value(identifier.strip()))
        found: models.QuerySet[Any] = self.alias(name_lower=Lower("username"), email_lower=Lower("email"))
        return found.filter(Q(name_lower=known) | Q(email_lower=known), erased_at=None)

    def with_address(self, email: str) -> models.QuerySet[Any]:
        """Accounts, not erased, of this address, like `named`."""
        found: models.QuerySet[Any] = self.alias(email_lower=Lower("email"))
        return found.filter(email_lower=Lower(Value(email.strip())), erased_at=None)

    def visible_to(self, actor: Actor) -> models.QuerySet[Any]:
        """Accounts that share a tenant with a member of staff, and the own one."""
        if actor.is_operator:
            return self.get_queryset()
        return self.filter(Q(id=actor.user_id) | Q(id__in=self._members_of(actor.staff_tenants)))

    def _members_of(self, tenants: Any) -> Any:
        membership = self.model._meta.get_field("memberships").related_model
        return membership._default_manager.filter(tenant__in=tenants).values("user_id")


class CommunityQuerySet(models.QuerySet["_M"]):
    """Managed properties."""

    def visible_to(self, actor: Actor) -> Self:
        """Residents by a valid occupancy or responsibility, staff by assignment or tenant-wide right."""
        if actor.is_operator and not actor.acting:
            return self.all()
        return self.filter(id__in=actor.communities | actor.managed)

    def managed_by(self, actor: Actor) -> Self:
        """Only those the caller manages (PORTAL-015)."""
        if actor.is_operator and not actor.acting:
            return self.all()
        return self.filter(id__in=actor.managed)


class UnitQuerySet(models.QuerySet["_M"]):
    """Flats, shops, parking spaces."""

    def visible_to(self, actor: Actor) -> Self:
        """The caller's units (PORTAL-017), and for staff all units of managed communities."""
        if actor.is_operator and not actor.acting:
            return self.all()
        return self.filter(Q(id__in=actor.units) | Q(community__in=actor.managed))

    def managed_by(self, actor: Actor) -> Self:
        """Only those of communities the caller manages."""
        if actor.is_operator and not actor.acting:
            return self.all()
        return self.filter(community__in=actor.managed)


class ContactQuerySet(models.QuerySet["_M"]):
    """The register of people."""

    def living(self) -> Self:
        """Neither erased nor merged into another."""
        return self.filter(erased_at=None, merged_into=None)

    def visible_to(self, actor: Actor) -> Self:
        """Tenant-wide staff see the register; other staff who belongs to their communities; people themselves.

        Who lives or lived there, and who is or was responsible: board, caretaker, manager.

        And all staff see who is only entered so far (`_entered`): else a clerk who takes somebody in could not find
        them again to move them in. Not the clerk's own entries alone: who entered somebody stands in the audit, which
        is evidence and no source of rights, and a colleague goes on with the work or enters the person once more.

        What neighbours may see of each other is not the register (PORTAL-022).
        """
        if actor.is_operator and not actor.acting:
            return self.all()
        return self.filter(
            Q(tenant__in=actor.wide_tenants)
            | Q(id__in=self._with("occupancies", unit__community__in=actor.managed))
            | Q(id__in=self._with("responsibilities", community__in=actor.managed))
            | Q(id__in=actor.contact_ids)
            | (Q(tenant__in=actor.staff_tenants - actor.wide_tenants) & self._entered())
        )

    def _entered(self) -> Q:
        """Belongs to no community, and never did: nobody's tie is ever deleted, it ends. Nor has it an account."""
        ties = [~Q(Exists(self._with(tie, contact=OuterRef("pk")))) for tie in ("occupancies", "responsibilities")]
        return Q(*ties, user=None) & ~Q(kind="self")

    def _with(self, tie: str, **where: Any) -> Any:
        rows: Any = self.model._meta.get_field(tie).related_model
        return rows._default_manager.filter(**where).values("contact_id")

    def found_by(self, text: str) -> Self:
        """Name, address or digits of a telephone number contain the text."""
        index: Any = self.model._meta.get_field("index").related_model
        return self.filter(id__in=index._default_manager.filter(text__icontains=text.strip()).values("contact_id"))


class OccupancyQuerySet(models.QuerySet["_M"]):
    """Who lives where and when."""

    def valid_on(self, day: datetime.date) -> Self:
        """Not revoked and the day lies in the period; the last day counts (PORTAL-018)."""
        return self.filter(valid_on(day), revoked_at=None)

    def full(self) -> Self:
        """Owner, renter, or additional user with `is_admin`."""
        return self.filter(Q(role__in=("owner", "renter")) | Q(is_admin=True))

    def visible_to(self, actor: Actor) -> Self:
        """Staff of the community, and the person concerned."""
        if actor.is_operator and not actor.acting:
            return self.all()
        return self.filter(Q(unit__community__in=actor.managed) | Q(contact__in=actor.contact_ids))

    def managed_by(self, actor: Actor) -> Self:
        """Only those in communities the caller manages."""
        if actor.is_operator and not actor.acting:
            return self.all()
        return self.filter(unit__community__in=actor.managed)


class ResponsibilityQuerySet(models.QuerySet["_M"]):
    """Contact persons and the advisory board."""

    def valid_on(self, day: datetime.date) -> Self:
        """The day lies in the period."""
        return self.filter(valid_on(day))

    def visible_to(self, actor: Actor) -> Self:
        """Everybody who reaches the community."""
        if actor.is_operator and not actor.acting:
            return self.all()
        return self.filter(community__in=actor.communities | actor.managed)


class InviteQuerySet(models.QuerySet["_M"]):
    """Invitations."""

    def pending(self) -> Self:
        """Neither used nor withdrawn; expired ones are pending, they can be renewed (PORTAL-048)."""
        return self.filter(accepted_at=None, withdrawn_at=None, erased_at=None)

    def visible_to(self, actor: Actor) -> Self:
        """Staff of the community; admin residents for the units they administer."""
        if actor.is_operator and not actor.acting:
            return self.all()
        return self.filter(
            Q(community__in=actor.managed)
            | Q(unit__in=actor.administered_units)
            | Q(community=None, tenant__in=actor.admin_tenants)
        )


class AccessRequestQuerySet(models.QuerySet["_M"]):
    """Requests to be let in."""

    def visible_to(self, actor: Actor) -> Self:
        """Staff of the tenant."""
        return self.filter(tenant__in=actor.staff_tenants)


class AccessTokenQuerySet(models.QuerySet["_M"]):
    """Bearer credentials."""

    def usable(self) -> Self:
        """Neither revoked nor expired."""
        now = timezone.now()
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)

    def visible_to(self, actor: Actor) -> Self:
        """One's own tokens, and for tenant administrators those bound to the tenant."""
        return self.filter(_own(actor) | Q(organization__in=actor.admin_tenants))


class SignInLogQuerySet(models.QuerySet["_M"]):
    """The login log."""

    def visible_to(self, actor: Actor) -> Self:
        """The person, super administrators for their tenant, the operator everything (DOCMS-164)."""
        if actor.is_operator:
            return self.all()
        return self.filter(_own(actor) | Q(tenant__in=actor.super_admin_tenants))


class HoldQuerySet(models.QuerySet["_M"]):
    """Legal holds. Their reasons tell of quarrels, so they are the administrators' alone."""

    def visible_to(self, actor: Actor) -> Self:
        """Administrators of the tenant, and the operator."""
        if actor.is_operator and not actor.acting:
            return self.all()
        return self.filter(tenant__in=actor.admin_tenants)

    def in_force(self) -> Self:
        """Not released."""
        return self.filter(released_at=None)

    def on_unit(self, unit: Unit) -> Self:
        """That cover a unit, by itself or with its community."""
        return self.filter(Q(unit=unit) | Q(community=unit.community_id), tenant=unit.tenant_id)

    def on_community(self, community: Community) -> Self:
        """That cover a community, or a unit of it."""
        return self.filter(Q(community=community) | Q(unit__community=community), tenant=community.tenant_id)

    def on_building(self, building: Building) -> Self:
        """That cover an entrance: with its community, or a unit behind it."""
        return self.filter(Q(unit__building=building) | Q(community=building.community_id), tenant=building.tenant_id)


class TenantStaffQuerySet(models.QuerySet["_M"]):
    """Rows that the staff of a tenant work with: assignments."""

    def visible_to(self, actor: Actor) -> Self:
        """Staff of the tenant, and the operator."""
        if actor.is_operator and not actor.acting:
            return self.all()
        return self.filter(tenant__in=actor.staff_tenants)


class ImportRunQuerySet(models.QuerySet["_M"]):
    """Imports of a register."""

    def visible_to(self, actor: Actor) -> Self:
        """Staff who work with the whole register, as `rules.may_import_register` asks: its files name everybody."""
        if actor.is_operator and not actor.acting:
            return self.all()
        return self.filter(tenant__in=actor.wide_tenants)


class TenantAdminQuerySet(models.QuerySet["_M"]):
    """Rows that administrators of a tenant keep: settings, identity providers."""

    def visible_to(self, actor: Actor) -> Self:
        """Administrators of the tenant, and the operator."""
        if actor.is_operator and not actor.acting:
            return self.all()
        return self.filter(tenant__in=actor.admin_tenants)


class ApplicationQuerySet(models.QuerySet["_M"]):
    """External applications."""

    def visible_to(self, actor: Actor) -> Self:
        """Administrators see those of the tenant, others those that act for them."""
        mine = Q(tenant__in=actor.tenants, application_users__user=actor.user_id)
        return self.filter(Q(tenant__in=actor.admin_tenants) | mine).distinct()


class BuildingQuerySet(models.QuerySet["_M"]):
    """Entrances."""

    def visible_to(self, actor: Actor) -> Self:
        """Whoever reaches the community."""
        if actor.is_operator and not actor.acting:
            return self.all()
        return self.filter(community__in=actor.communities | actor.managed)

    def managed_by(self, actor: Actor) -> Self:
        """Only those of communities the caller manages."""
        if actor.is_operator and not actor.acting:
            return self.all()
        return self.filter(community__in=actor.managed)
