"""The register of a tenant: contacts, who lives where and when, who is responsible, who is invited."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedTextField
from core.models import Blob, MutableRow, Row, TenantBound, one_of
from orgs.languages import USER_LANGUAGES
from orgs.models.places import Community, Unit
from orgs.querysets import (
    AccessRequestQuerySet,
    ContactQuerySet,
    InviteQuerySet,
    OccupancyQuerySet,
    ResponsibilityQuerySet,
)

PARTY_TYPES = (1, 2, 3, 5, 7, 10, 11, 13, 14, 15)


class Contact(TenantBound, MutableRow):
    """A person or company the tenant knows: the portal's contact, the party of processes."""

    class Kind(models.TextChoices):
        PERSON = "person", _("person")
        COMPANY = "company", _("company")
        SELF = "self", _("the company itself")

    id = models.AutoField(primary_key=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.PERSON)
    party_type = models.PositiveSmallIntegerField(_("type of party"), default=7)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="contacts",
        verbose_name=_("account"),
    )
    is_primary = models.BooleanField(_("main entry of the account"), default=True)
    number = models.CharField(_("number"), max_length=30)
    reference_id = models.CharField(_("reference"), max_length=100, blank=True)
    salutation = models.CharField(_("salutation"), max_length=30, blank=True)
    title = models.CharField(_("title"), max_length=50, blank=True)
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    company = models.CharField(_("company"), max_length=200, blank=True)
    sort_key = models.CharField(max_length=420, editable=False, default="")
    email = models.EmailField(_("e-mail address"), max_length=254, blank=True)
    telephone = models.CharField(_("telephone"), max_length=40, blank=True)
    mobile = models.CharField(_("mobile"), max_length=40, blank=True)
    fax = models.CharField(_("fax"), max_length=40, blank=True)
    street = models.CharField(_("street"), max_length=200, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=12, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    language = models.CharField(_("language"), max_length=2, choices=USER_LANGUAGES, blank=True)
    picture = models.ForeignKey(
        Blob, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("picture")
    )
    joined_at = models.DateTimeField(_("joined at"), null=True, blank=True)
    from_invite = models.BooleanField(_("joined by invitation"), default=False)
    # The account that it had was erased, and none has come since: how long its tickets are kept (PORTAL-099).
    account_erased_at = models.DateTimeField(_("account erased at"), null=True, blank=True, editable=False)
    erased_at = models.DateTimeField(_("erased at"), null=True, blank=True)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("merged into")
    )

    objects = ContactQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ("sort_key", "id")
        constraints = (
            models.UniqueConstraint(fields=("tenant", "number"), name="contact_number_once"),
            models.UniqueConstraint(
                fields=("tenant", "reference_id"),
                condition=~Q(reference_id=""),
                name="contact_reference_once",
                violation_error_message=_("Another contact has this reference."),
            ),
            models.UniqueConstraint(fields=("tenant",), condition=Q(kind="self"), name="contact_one_self"),
            models.UniqueConstraint(
                fields=("tenant", "user"), condition=Q(user__isnull=False, is_primary=True), name="contact_one_primary"
            ),
            models.CheckConstraint(condition=Q(party_type__in=PARTY_TYPES), name="contact_party_type"),
            one_of("kind", ["person", "company", "self"], "contact_kind"),
            one_of("language", ["", *(code for code, _name in USER_LANGUAGES)], "contact_language"),
        )
        indexes = (models.Index(fields=("tenant", "sort_key", "id"), name="contact_sorted"),)

    def __str__(self) -> str:
        return self.full_name or self.number

    @property
    def full_name(self) -> str:
        """Title and names of a person, or the company; of an erased one that it is one."""
        if self.erased_at is not None:
            return gettext("Former contact")
        person = " ".join(part for part in (self.title, self.first_name, self.last_name) if part)
        return person or self.company


class ContactIndex(models.Model):
    """What a contact is found by. No policy and no rights of its own: read only as ``id IN (SELECT …)``."""

    contact = models.OneToOneField(Contact, primary_key=True, on_delete=models.CASCADE, related_name="index")
    text = models.TextField()

    class Meta:
        ordering = ("contact",)
        indexes = (GinIndex(fields=("text",), name="contact_index_text", opclasses=("gin_trgm_ops",)),)

    def __str__(self) -> str:
        return self.text[:50]


class Occupancy(TenantBound, MutableRow):
    """Contact × unit: who owns, rents or shares a unit, and when. Rights of residents come from here alone.

    ``period`` includes its last day for people; in the database it is the range ``[from, until + 1 day)``.
    ``revoked_at`` ends it at once (PORTAL-055), while a day ends at midnight (PORTAL-018).
    """

    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        RENTER = "renter", _("renter")
        ADDITIONAL = "additional", _("additional user")

    contact = models.ForeignKey(
        Contact, on_delete=models.PROTECT, related_name="occupancies", verbose_name=_("contact")
    )
    unit = models.ForeignKey(
        Unit, on_delete=models.PROTECT, related_name="occupancies", db_index=False, verbose_name=_("unit")
    )
    role = models.CharField(_("role"), max_length=10, choices=Role.choices)
    is_admin = models.BooleanField(_("may invite and sees everything of the unit"), default=False)
    period = DateRangeField(_("period"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    external_ref = models.CharField(_("reference"), max_length=100, blank=True)

    objects = OccupancyQuerySet.as_manager()

    class Meta:
        verbose_name = _("occupancy")
        verbose_name_plural = _("occupancies")
        ordering = ("unit", "id")
        constraints = (
            ExclusionConstraint(
                name="occupancy_no_overlap",
                expressions=[
                    ("contact", RangeOperators.EQUAL),
                    ("unit", RangeOperators.EQUAL),
                    ("role", RangeOperators.EQUAL),
                    ("period", RangeOperators.OVERLAPS),
                ],
                condition=Q(revoked_at=None),
                violation_error_message=_("This person already has this role in that period."),
            ),
            models.CheckConstraint(
                condition=Q(period__isempty=False),
                name="occupancy_period_not_empty",
                violation_error_message=_("The last day lies before the first."),
            ),
            one_of("role", ["owner", "renter", "additional"], "occupancy_role"),
        )
        indexes = (models.Index(fields=("unit", "role"), name="occupancy_unit_role"),)

    def __str__(self) -> str:
        return f"{self.contact} · {self.unit}"


class Responsibility(TenantBound, MutableRow):
    """Contact × community: the manager, the caretaker, the advisory board."""

    class Type(models.TextChoices):
        MANAGER = "MANAGER", _("manager")
        CARETAKER = "CARETAKER", _("caretaker")
        ADVISORY_BOARD = "ADVISORY_BOARD", _("advisory board")
        SERVICE_PROVIDER = "SERVICE_PROVIDER", _("service provider")
        EMERGENCY = "EMERGENCY", _("emergency")
        OTHER = "OTHER", _("other")

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="responsibilities")
    community = models.ForeignKey(Community, on_delete=models.CASCADE, related_name="responsibilities")
    type = models.CharField(_("kind"), max_length=20, choices=Type.choices)
    title = models.CharField(_("title"), max_length=200, blank=True)
    position = models.PositiveIntegerField(_("order"), default=0)
    show_on_dashboard = models.BooleanField(_("on the start page"), default=False)
    publish_email = models.BooleanField(_("publish e-mail address"), default=False)
    publish_telephone = models.BooleanField(_("publish telephone"), default=False)
    period = DateRangeField(_("period"))

    objects = ResponsibilityQuerySet.as_manager()

    class Meta:
        verbose_name = _("responsibility")
        verbose_name_plural = _("responsibilities")
        ordering = ("community", "position", "id")
        constraints = (
            ExclusionConstraint(
                name="responsibility_no_overlap",
                expressions=[
                    ("community", RangeOperators.EQUAL),
                    ("contact", RangeOperators.EQUAL),
                    ("type", RangeOperators.EQUAL),
                    ("period", RangeOperators.OVERLAPS),
                ],
                violation_error_message=_("This person already has this responsibility in that period."),
            ),
            one_of(
                "type",
                ["MANAGER", "CARETAKER", "ADVISORY_BOARD", "SERVICE_PROVIDER", "EMERGENCY", "OTHER"],
                "responsibility_type",
            ),
        )

    def __str__(self) -> str:
        return self.title or str(self.contact)


class Invite(TenantBound, MutableRow):
    """A person is invited with a code. The code is readable again, because letters and lists show it."""

    class Kind(models.TextChoices):
        RESIDENT = "resident", _("resident")
        STAFF = "staff", _("staff")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    community = models.ForeignKey(
        Community, null=True, blank=True, on_delete=models.PROTECT, related_name="invites", verbose_name=_("community")
    )
    unit = models.ForeignKey(
        Unit, null=True, blank=True, on_delete=models.PROTECT, related_name="invites", verbose_name=_("unit")
    )
    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="invites", verbose_name=_("contact")
    )
    membership_role = models.CharField(_("role"), max_length=12, blank=True)
    is_admin = models.BooleanField(_("may invite and sees everything of the unit"), default=False)
    email = models.EmailField(_("e-mail address"), max_length=254, blank=True)
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    code = EncryptedTextField(_("code"), blank=True)
    code_hash = models.BinaryField(max_length=32, unique=True)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("invited by")
    )
    invited_at = models.DateTimeField(_("invited at"))
    expires_on = models.DateField(_("valid until"))
    opened_at = models.DateTimeField(_("opened at"), null=True, blank=True)
    accepted_at = models.DateTimeField(_("accepted at"), null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("accepted by"),
    )
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)
    erased_at = models.DateTimeField(_("erased at"), null=True, blank=True)

    objects = InviteQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                F("tenant"),
                F("kind"),
                F("community"),
                F("unit"),
                Lower("email"),
                condition=Q(accepted_at=None, withdrawn_at=None, erased_at=None) & ~Q(email=""),
                nulls_distinct=False,
                name="invite_pending_once",
                violation_error_message=_("This address has a pending invitation already."),
            ),
            one_of("kind", ["resident", "staff"], "invite_kind"),
        )
        indexes = (models.Index(fields=("tenant", "-id"), name="invite_newest"),)

    def __str__(self) -> str:
        return self.email or f"{self.first_name} {self.last_name}".strip()


class AccessRequest(TenantBound, Row):
    """Somebody without an invitation asks to be let in."""

    first_name = models.CharField(_("first name"), max_length=100)
    last_name = models.CharField(_("last name"), max_length=100)
    email = models.EmailField(_("e-mail address"), max_length=254)
    street = models.CharField(_("street"), max_length=200, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=12, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    message = models.TextField(_("message"), max_length=2000, blank=True)
    handled_at = models.DateTimeField(_("done at"), null=True, blank=True)
    invite = models.ForeignKey(
        Invite, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("invitation")
    )

    objects = AccessRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("access request")
        verbose_name_plural = _("access requests")
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.email
