"""Read rules of documents: which folders, and which papers in them, an actor may see at this moment.

A folder is reached through a group (DOCMS-061): the actor holds the key of a derived group, or is listed in a
manual one. Everything else follows from the folder. Two habits keep the cost with the caller's folders instead
of the table: sets of folders are handed over as arrays (`core.querysets.any_of`), and the newest papers are
taken folder by folder. What every list and upload asks is written as SQL in `docms.reach`.
"""

from __future__ import annotations

import operator
from functools import reduce
from typing import TYPE_CHECKING, Any, TypeVar

from django.apps import apps
from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import models
from django.db.models import BigIntegerField, Case, Exists, F, Func, OuterRef, Q, Value, When
from django.db.models.expressions import RawSQL
from django.utils import timezone

from core.querysets import any_of, any_of_sql
from core.text import search_query, words_of
from docms.reach import DECIDED, HELD, MEMBER_FLAGS, SEEN, SHOWN, held_values, hits, seen_values

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from orgs.actor import Actor
    from orgs.models import Community

_M = TypeVar("_M", bound=models.Model)

RESEMBLING_WORDS = 8  # of a mistyped search that are compared


def _rows(model: str) -> Any:
    """Another table of this floor, for subqueries: unordered, and named, because the models import this module."""
    return apps.get_model("docms", model)._default_manager.order_by()


def _whole(actor: Actor) -> bool:
    """Whether ``all`` covers every tenant in scope, so that no group needs to be asked."""
    return bool(actor.tenants) and actor.tenants <= actor.admin_tenants


def holds(actor: Actor, field: str) -> Q:
    """``field`` names a group whose circle the actor belongs to today."""
    return any_of_sql(field, HELD, held_values(actor))


def sees(actor: Actor, field: str) -> Q:
    """``field`` names a folder that a group of the actor reaches, and that is not hidden (DOCMS-103)."""
    return any_of_sql(field, SEEN, seen_values(actor))


def may(actor: Actor, flag: str) -> Q:
    """Documents in whose folder the actor has a flag: an active folder permission, else the membership's own."""
    column = MEMBER_FLAGS[flag]
    mine = [[m.pk for m in actor.memberships.values()]]
    by_default = [t for t, m in actor.memberships.items() if getattr(m, column)]
    return any_of_sql("folder", f"{DECIDED} AND p.{flag}", mine) | (
        Q(tenant__in=by_default) & ~any_of_sql("folder", DECIDED, mine)
    )


def _read_allowed(actor: Actor) -> Q:
    """`may` the actor ``read``, for rows that know a folder and no tenant: not in the few folders where it is withheld."""
    mine = [[m.pk for m in actor.memberships.values()]]
    allowed = ~any_of_sql("folder", f"{DECIDED} AND NOT p.read", mine)
    without = actor.tenants - {tenant for tenant, m in actor.memberships.items() if m.read_perm}
    if without:
        granted = any_of_sql("id", f"{DECIDED} AND p.read", mine)
        allowed &= ~any_of("folder", _rows("Folder").filter(~granted, tenant__in=without).values("id"))
    return allowed


def in_period(actor: Actor) -> Q:
    """Between ``active_from`` and ``active_until``; the uploader and administrators see it anyway (DOCMS-121)."""
    now = timezone.now()
    return (
        (Q(active_from=None) | Q(active_from__lte=now)) & (Q(active_until=None) | Q(active_until__gt=now))
        | Q(uploaded_by=actor.user_id)
        | Q(tenant__in=actor.admin_tenants)
    )


class OfTenant(models.QuerySet["_M"]):
    """Rows that every member of the tenant may read."""

    def visible_to(self, actor: Actor) -> Self:
        """Members of the tenant."""
        return self.filter(tenant__in=actor.tenants)


class OfAdministrators(models.QuerySet["_M"]):
    """Rows that only administrators of the tenant read."""

    def visible_to(self, actor: Actor) -> Self:
        """Administrators of the tenant."""
        return self.filter(tenant__in=actor.admin_tenants)


class GroupQuerySet(models.QuerySet["_M"]):
    """Groups."""

    def held_by(self, actor: Actor) -> Self:
        """Groups whose circle the actor belongs to today."""
        return self.filter(holds(actor, "id"))

    def administered_by(self, actor: Actor) -> Self:
        """Groups the actor administers; whether that means anything, the tenant's switches say (DOCMS-067)."""
        listed = _rows("GroupMember").filter(membership__in=actor.membership_ids, is_admin=True).values("group_id")
        return self.filter(any_of("id", listed), tenant__in=actor.tenants)

    def visible_to(self, actor: Actor) -> Self:
        """Administrators see every group, others those they belong to or administer."""
        if _whole(actor):
            return self.filter(tenant__in=actor.tenants)
        administered = _rows("Group").administered_by(actor).values("id")
        return self.filter(Q(tenant__in=actor.admin_tenants) | holds(actor, "id") | any_of("id", administered))


class GroupMemberQuerySet(models.QuerySet["_M"]):
    """Who is in a manual group."""

    def visible_to(self, actor: Actor) -> Self:
        """Administrators and the group's administrators; members learn nothing of each other (DOCMS-066)."""
        administered = _rows("Group").administered_by(actor).values("id")
        return self.filter(
            Q(tenant__in=actor.admin_tenants) | any_of("group", administered) | Q(membership__in=actor.membership_ids)
        )


class FolderAccessQuerySet(models.QuerySet["_M"]):
    """Which group reaches which folder."""

    def visible_to(self, actor: Actor) -> Self:
        """Administrators all of it, others where they see both the group and the folder."""
        folders = _rows("Folder").visible_to(actor).values("id")
        groups = _rows("Group").visible_to(actor).values("id")
        return self.filter(Q(tenant__in=actor.admin_tenants) | (any_of("folder", folders) & any_of("group", groups)))


class FolderQuerySet(models.QuerySet["_M"]):
    """Folders."""

    def visible_to(self, actor: Actor, *, all: bool = False) -> Self:  # noqa: A002 - the word of the contract
        """Folders reached through a group and not hidden.

        ``all`` adds every folder of the tenants the actor administers, and changes nothing for others
        (DOCMS-096). What is addressed by id, searched or paged takes ``all=True``; lists pass the caller's word.
        Administrators see hidden folders, too (DOCMS-103).
        """
        if all and _whole(actor):
            return self.filter(tenant__in=actor.tenants)
        seen = sees(actor, "id")
        if all and actor.is_admin:
            seen |= Q(tenant__in=actor.admin_tenants)
        return self.filter(seen)

    def with_ancestors(self, actor: Actor, *, all: bool = False) -> Self:  # noqa: A002 - the word of the contract
        """The visible folders and the ones above them, so that the tree can be drawn.

        Of a folder with ``is_reached`` false only the name may be shown; its documents stay unreachable
        (DOCMS-097), because every document rule asks `visible_to`.
        """
        reached = _rows("Folder").visible_to(actor, all=all)
        path = Func(F("ancestors"), F("id"), function="array_append")
        shown = reached.values_list(Func(path, function="unnest", output_field=BigIntegerField(), set_returning=True))
        return self.filter(any_of("id", shown), tenant__in=actor.tenants).annotate(
            is_reached=Case(When(any_of("id", reached.values("id")), then=Value(True)), default=Value(False))
        )

    def shown_in(self, community: Community) -> Self:
        """Where the portal shows a folder: its community, that of its unit, or under each one of the tenant."""
        return self.filter(
            Q(community=community)
            | Q(community=None, unit__community=community)
            | Q(community=None, unit=None, tenant=community.tenant_id)
        )

    def below(self, folder_id: int) -> Self:
        """A folder and everything below it."""
        return self.filter(Q(id=folder_id) | Q(ancestors__contains=[folder_id]))


class _OfFolder(models.QuerySet["_M"]):
    """Rows that are as visible as their folder."""

    def visible_to(self, actor: Actor) -> Self:
        """Whoever sees the folder."""
        folders = _rows("Folder").visible_to(actor, all=True).values("id")
        return self.filter(any_of("folder", folders))


class FolderLabelQuerySet(_OfFolder["_M"]):
    """Labels of folders."""


class FolderPermissionQuerySet(models.QuerySet["_M"]):
    """Permissions of one member in one folder."""

    def visible_to(self, actor: Actor) -> Self:
        """The member concerned, and administrators (DOCMS-092)."""
        return self.filter(Q(tenant__in=actor.admin_tenants) | Q(membership__in=actor.membership_ids))


class FolderMarkQuerySet(_OfFolder["_M"]):
    """Favourites and the last folder."""

    def visible_to(self, actor: Actor) -> Self:
        """One's own, as long as the folder is visible (DOCMS-141)."""
        return super().visible_to(actor).filter(membership__in=actor.membership_ids)


class DocumentQuerySet(models.QuerySet["_M"]):
    """Documents. A claimed one is gone for everybody (DOCMS-123)."""

    def visible_to(self, actor: Actor, *, all: bool = False) -> Self:  # noqa: A002 - the word of the contract
        """Documents of visible folders in their active period. ``all`` as in `FolderQuerySet.visible_to`."""
        if all and _whole(actor):
            return self.filter(tenant__in=actor.tenants, claimed_at=None)
        seen = sees(actor, "folder") & in_period(actor)
        if all and actor.is_admin:
            seen |= Q(tenant__in=actor.admin_tenants)
        return self.filter(seen, claimed_at=None)

    def visible_in(self, actor: Actor, community: Community) -> Self:
        """Visible documents that the portal shows in one community."""
        folders = any_of_sql(
            "folder", f"{SEEN}{SHOWN}", [*seen_values(actor), community.pk, community.pk, community.tenant_id]
        )
        return self.filter(folders & in_period(actor), claimed_at=None)

    def in_folder(self, folder_id: int, actor: Actor) -> Self:
        """One folder's visible documents. None leaves open whether the folder is empty or out of reach."""
        return self.visible_to(actor, all=True).filter(folder=folder_id)

    def newest(self, actor: Actor, limit: int) -> Self:
        """The newest visible documents of all folders, taken folder by folder through the index.

        Across folders in one sort, PostgreSQL reads every document of every folder (one-model: 17 ms against
        1.3 ms over a million). The limit is applied before whatever is filtered afterwards.
        """
        now = timezone.now()
        newest = RawSQL(  # noqa: S611 - constant text
            f"""SELECT d.id FROM unnest(ARRAY({SEEN})) AS f(id) CROSS JOIN LATERAL (
                SELECT id, created_at FROM docms_document
                 WHERE folder_id = f.id AND claimed_at IS NULL
                   AND ((active_from IS NULL OR active_from <= %s) AND (active_until IS NULL OR active_until > %s)
                        OR uploaded_by_id = %s OR tenant_id = ANY(%s::int[]))
                 ORDER BY created_at DESC, id DESC LIMIT %s
            ) AS d ORDER BY d.created_at DESC, d.id DESC LIMIT %s""",  # noqa: S608 - as above
            (*seen_values(actor), now, now, actor.user_id, sorted(actor.admin_tenants), limit, limit),
        )
        return self.filter(id__in=newest).order_by("-created_at", "-id")

    def readable_by(self, actor: Actor) -> Self:
        """Documents the actor may open in the viewer: effective ``read`` (DOCMS-116)."""
        return self.filter(may(actor, "read"))

    def downloadable_by(self, actor: Actor) -> Self:
        """Documents the actor may take away: effective ``download``, and not locked (DOCMS-116, 118)."""
        return self.filter(may(actor, "download"), allow_download=True)

    def with_read_state(self, membership_id: int | None) -> Self:
        """Annotate ``read_by_user``: the member has opened the current version (DOCMS-126, 127)."""
        marks = _rows("ReadMark").filter(
            document=OuterRef("pk"), membership=membership_id, version_no__gte=OuterRef("current__number")
        )
        return self.annotate(read_by_user=Exists(marks))

    def unread_by(self, membership_id: int | None) -> Self:
        """Documents whose current version the member has not opened (DOCMS-128); applied to visible ones."""
        return self.with_read_state(membership_id).filter(read_by_user=False)

    def search(self, actor: Actor, words: str) -> Self:
        """Visible documents in which all words occur, each as the beginning of one (DOCMS-135).

        Where the actor has no ``read``, what the document says does not count, only what is said of it: word by word, hits
        would tell what stands in it (DOCMS-116).
        """
        query = search_query(words)
        if query is None:
            return self.none()
        folders = _rows("Folder").visible_to(actor, all=True).values("id")
        hits = _rows("DocumentIndex").filter(
            any_of("folder", folders), _read_allowed(actor) | Q(names=query), vector=query
        )
        return self.visible_to(actor, all=True).filter(id__in=hits.values("document_id"))

    def found_in(self, folders: Mapping[int, bool], actor: Actor, words: str) -> Self:
        """The same in folders of which it is known that the actor reaches them, and whether there is ``read``."""
        found = hits(actor, folders, words)
        if found is None:
            return self.none()
        text, values = found
        ids = RawSQL(f"SELECT hit.id FROM ({text}) AS hit", tuple(values))  # noqa: S608, S611 - constant text
        return self.filter(id__in=ids)

    def search_also_within(self, actor: Actor, words: str) -> Self:
        """What `search` finds, and documents in whose names the words occur within others: "rechnung" in "Jahresabrechnung".

        Names are title, file name and label.
        """
        wanted = words_of(words)
        if not wanted:
            return self.none()
        within = _rows("DocumentIndex").filter(*(Q(title__contains=word) for word in wanted)).values("document_id")
        return self.visible_to(actor, all=True).filter(
            id__in=self.search(actor, words).order_by().values("id").union(within)
        )

    def resembling(self, actor: Actor, words: str) -> Self:
        """Visible documents whose names are close to the words: what a mistyped search may have meant.

        Names are title, file name and label. Of several words each is close to a name or occurs as it is written; in what
        a document says where the actor has ``read``.
        """
        wanted = list(dict.fromkeys(words_of(words)))[:RESEMBLING_WORDS]
        if not wanted:
            return self.none()
        hits = _rows("DocumentIndex")
        if len(wanted) == 1:
            hits = hits.filter(title__trigram_word_similar=wanted[0])
        else:
            hits = hits.filter(any_of("folder", _rows("Folder").visible_to(actor, all=True).values("id")))
            by_name = Q()
            for word in wanted:
                hits = hits.filter(Q(title__trigram_word_similar=word) | Q(vector=search_query(word)))
                by_name &= Q(title__trigram_word_similar=word) | Q(names=search_query(word))
            hits = hits.filter(_read_allowed(actor) | by_name)
        return self.visible_to(actor, all=True).filter(id__in=hits.values("document_id"))

    def closest_first(self, words: str) -> Self:
        """Documents that `resembling` found, the closest first, the newest of equals."""
        wanted = list(dict.fromkeys(words_of(words)))[:RESEMBLING_WORDS]
        closeness = [TrigramWordSimilarity(word, "index__title") for word in wanted]
        if not closeness:
            return self.order_by("-created_at", "-id")
        return self.annotate(closeness=reduce(operator.add, closeness)).order_by("-closeness", "-created_at", "-id")

    def not_held(self) -> Self:
        """Documents that no legal hold covers, neither by name nor through the folder's place or person."""
        holds = apps.get_model("orgs", "Hold")._default_manager.filter(released_at=None, tenant=OuterRef("tenant"))
        named = _rows("DocumentHold").filter(document=OuterRef("pk"), hold__released_at=None)
        placed = holds.filter(
            Q(contact=OuterRef("folder__contact"))
            | Q(unit=OuterRef("folder__unit"))
            | Q(community=OuterRef("folder__community"))
            | Q(community=OuterRef("folder__unit__community"))
        )
        return self.filter(~Exists(named), ~Exists(placed))


class DocumentVersionQuerySet(models.QuerySet["_M"]):
    """Contents of documents, the earlier ones, too."""

    def visible_to(self, actor: Actor) -> Self:
        """Whoever sees the document."""
        return self.filter(document__in=_documents(actor))


class ReadMarkQuerySet(models.QuerySet["_M"]):
    """Who has opened what."""

    def visible_to(self, actor: Actor) -> Self:
        """One's own marks; administrators see who has read a paper."""
        return self.filter(Q(tenant__in=actor.admin_tenants) | Q(membership__in=actor.membership_ids))


class DocumentLogQuerySet(models.QuerySet["_M"]):
    """Actions on documents."""

    def visible_to(self, actor: Actor) -> Self:
        """The log of visible documents where the actor may read logs or is the uploader, and one's own actions.

        ``admin_perm`` opens no log by itself (DOCMS-090, 163).
        """
        readable = _documents(actor, may(actor, "log") | Q(uploaded_by=actor.user_id))
        return self.filter(Q(document_id__in=readable) | Q(user=actor.user_id), tenant__in=actor.tenants)


class DocumentShareQuerySet(models.QuerySet["_M"]):
    """Documents given to outsiders."""

    def visible_to(self, actor: Actor) -> Self:
        """One's own shares; administrators and holders of ``edit`` see all of a visible document."""
        editable = _documents(actor, may(actor, "edit"))
        return self.filter(
            Q(tenant__in=actor.admin_tenants) | Q(document__in=editable) | Q(created_by=actor.user_id),
            tenant__in=actor.tenants,
        )

    def open(self) -> Self:
        """Neither revoked nor marked as ended."""
        return self.filter(revoked_at=None, ended_at=None)

    def over(self) -> Self:
        """Whose end has come, for good, whether or not that was noted yet."""
        return self.filter(_end_has_come())

    def with_state(self) -> Self:
        """Annotate ``state``: how it is with a share now (`DocumentShare.State`)."""
        state = apps.get_model("docms", "DocumentShare").State
        return self.annotate(
            state=Case(
                When(revoked_at__isnull=False, then=Value(state.WITHDRAWN)),
                When(Q(ended_at__isnull=False) | _end_has_come(), then=Value(state.OVER)),
                When(undelivered_at__isnull=False, then=Value(state.UNDELIVERED)),
                default=Value(state.OPEN),
            )
        )


def _end_has_come() -> Q:
    """Of a share: expiry, the document's last day, a locked or claimed document (DOCMS-161)."""
    now = timezone.now()
    return (
        Q(expires_at__lte=now)
        | Q(document__active_until__lte=now)
        | Q(document__allow_download=False)
        | Q(document__claimed_at__isnull=False)
    )


def _documents(actor: Actor, *conditions: Q) -> Any:
    """Ids of visible documents, for rows that hang on them."""
    return _rows("Document").visible_to(actor, all=True).filter(*conditions).values("id")
