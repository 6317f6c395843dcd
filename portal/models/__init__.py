"""The tables of what residents and owners see beyond papers, tickets and cases."""

from portal.models.events import Event
from portal.models.faq import FaqAttachment, FaqGroup, FaqItem
from portal.models.feed import Activity, Notification, PushSubscription
from portal.models.posts import Post, PostAttachment, PostComment

__all__ = [
    "Activity",
    "Event",
    "FaqAttachment",
    "FaqGroup",
    "FaqItem",
    "Notification",
    "Post",
    "PostAttachment",
    "PostComment",
    "PushSubscription",
]
