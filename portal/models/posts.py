"""The noticeboard."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.models import Blob, MutableRow, Row, TenantBound
from portal.querysets import OfPost, PostCommentQuerySet, PostQuerySet


class Post(TenantBound, MutableRow):
    """A notice of a community. ``audience`` holds audience keys; the whole community is ``c:<community>``.

    ``series`` joins one notice that was published to many communities. ``author`` null = the company itself.
    """

    community = models.ForeignKey("orgs.Community", on_delete=models.PROTECT, related_name="posts", db_index=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    title = models.CharField(_("title"), max_length=250)
    text = models.TextField(_("text"))
    allow_comments = models.BooleanField(_("comments allowed"), default=True)
    audience = ArrayField(models.CharField(max_length=40), verbose_name=_("addressed to"))
    publish_at = models.DateTimeField(_("published at"), default=timezone.now)
    series = models.UUIDField(null=True, blank=True, db_index=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = PostQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ("-publish_at", "-id")
        constraints = (
            models.CheckConstraint(
                condition=~Q(audience=[]),
                name="post_addressed",
                violation_error_message=_("Say to whom this is addressed."),
            ),
        )
        indexes = (models.Index(fields=("community", "-publish_at", "-id"), name="post_board"),)

    def __str__(self) -> str:
        return self.title


class PostComment(TenantBound, MutableRow):
    """A comment on a notice."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="comments", db_index=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(_("text"), max_length=5000)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = PostCommentQuerySet.as_manager()

    class Meta:
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        ordering = ("post", "created_at", "id")
        indexes = (models.Index(fields=("post", "created_at", "id"), name="post_comment_stream"),)

    def __str__(self) -> str:
        return self.text[:50]


class PostAttachment(TenantBound, Row):
    """A file of a notice."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="attachments")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(_("file name"), max_length=255)
    position = models.PositiveIntegerField(_("order"), default=0)

    objects = OfPost.as_manager()

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ("post", "position", "id")

    def __str__(self) -> str:
        return self.name
