"""Read rules of the portal: what is addressed to a circle is seen by whoever stands in it today."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from django.apps import apps
from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from orgs.audience import addressed_to

if TYPE_CHECKING:
    from typing import Self

    from orgs.actor import Actor
    from orgs.models import Community

_M = TypeVar("_M", bound=models.Model)
WORDS = 8  # of a search that count


def _rows(model: str) -> Any:
    """Another table of this floor, for subqueries: unordered, and named, because the models import this module."""
    return apps.get_model("portal", model)._default_manager.order_by()


def _everywhere(actor: Actor) -> bool:
    """The operator, not narrowed to one tenant."""
    return actor.is_operator and not actor.acting


class _Addressed(models.QuerySet["_M"]):
    """Rows with a community and an audience."""

    def addressed(self, actor: Actor) -> Self:
        """Managers of the community, and whoever holds one of the keys."""
        return self.all() if _everywhere(actor) else self.filter(addressed_to(actor))


class PostQuerySet(_Addressed["_M"]):
    """The noticeboard."""

    def visible_to(self, actor: Actor) -> Self:
        """Published notices addressed to the actor; managers and the author see coming ones, too."""
        alive = self.addressed(actor).filter(deleted_at=None)
        if _everywhere(actor):
            return alive
        return alive.filter(
            Q(publish_at__lte=timezone.now()) | Q(community__in=actor.managed) | Q(author=actor.user_id)
        )


class PostCommentQuerySet(models.QuerySet["_M"]):
    """Comments."""

    def visible_to(self, actor: Actor) -> Self:
        """Whoever sees the notice."""
        return self.filter(post__in=_rows("Post").visible_to(actor), deleted_at=None)


class OfPost(models.QuerySet["_M"]):
    """Rows that are as visible as their notice."""

    def visible_to(self, actor: Actor) -> Self:
        """Whoever sees the notice."""
        return self.filter(post__in=_rows("Post").visible_to(actor))


class EventQuerySet(_Addressed["_M"]):
    """The calendar."""

    def visible_to(self, actor: Actor) -> Self:
        """Events addressed to the actor; a cancelled one stays visible and says so."""
        return self.addressed(actor)

    def coming(self) -> Self:
        """Not yet over, soonest first (PORTAL-085)."""
        return self._with_end().filter(ends__gte=timezone.now()).order_by("date_start", "id")

    def past(self) -> Self:
        """Over, latest first (PORTAL-085)."""
        return self._with_end().filter(ends__lt=timezone.now()).order_by("-date_start", "-id")

    def _with_end(self) -> Self:
        # A whole day begins at midnight and is over a day later.
        last = Coalesce(F("date_end"), F("date_start"))
        return self.annotate(ends=Case(When(all_day=True, then=last + timedelta(days=1)), default=last))


class _InCommunities(models.QuerySet["_M"]):
    """Rows of one community, or of all of a tenant."""

    def in_reach(self, actor: Actor) -> Self:
        """Of communities the actor reaches, and of whole tenants."""
        if _everywhere(actor):
            return self.all()
        return self.filter(
            Q(community__in=actor.communities | actor.managed) | Q(community=None), tenant__in=actor.tenants
        )

    def shown_in(self, community: Community) -> Self:
        """What stands in one community."""
        return self.filter(Q(community=community) | Q(community=None), tenant=community.tenant_id)


class FaqGroupQuerySet(_InCommunities["_M"]):
    """Headings over answers."""

    def visible_to(self, actor: Actor) -> Self:
        """Everybody in reach."""
        return self.in_reach(actor)


class FaqItemQuerySet(_InCommunities["_M"]):
    """Questions and answers."""

    def visible_to(self, actor: Actor) -> Self:
        """Everybody in reach; unpublished ones only those who write them."""
        items = self.in_reach(actor)
        if _everywhere(actor):
            return items
        writers = Q(community__in=actor.managed) | Q(community=None, tenant__in=actor.staff_tenants)
        return items.filter(Q(published=True) | writers)

    def search(self, words: str) -> Self:
        """In which every word occurs: in the question, the search words or the answer. A tenant has dozens of them."""
        found = self.all()
        for word in words.split()[:WORDS]:
            found = found.filter(Q(title__icontains=word) | Q(keywords__icontains=word) | Q(text__icontains=word))
        return found


class FaqAttachmentQuerySet(models.QuerySet["_M"]):
    """Files of answers."""

    def visible_to(self, actor: Actor) -> Self:
        """Whoever sees the answer."""
        return self.filter(item__in=_rows("FaqItem").visible_to(actor))


class NotificationQuerySet(models.QuerySet["_M"]):
    """News for one person."""

    def visible_to(self, actor: Actor) -> Self:
        """One's own only (PORTAL-093), of communities still reached (PORTAL-018)."""
        mine = self.filter(user=actor.user_id)
        return mine if _everywhere(actor) else mine.filter(community__in=actor.communities | actor.managed)

    def unread(self) -> Self:
        """Not yet marked as read."""
        return self.filter(read_at=None)


class ActivityQuerySet(_Addressed["_M"]):
    """What happened in a community."""

    def visible_to(self, actor: Actor) -> Self:
        """Entries about things addressed to the actor (PORTAL-094)."""
        return self.addressed(actor)


class PushSubscriptionQuerySet(models.QuerySet["_M"]):
    """Browsers that take push messages."""

    def visible_to(self, actor: Actor) -> Self:
        """One's own."""
        return self.filter(user=actor.user_id)
