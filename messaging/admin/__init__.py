"""Communication in the back office: the outbox that is the mail log, its texts, the test mail, the mails of the try-out."""

from __future__ import annotations

from functools import partial

from django.contrib.admin import AdminSite
from django.urls import URLPattern, path

from messaging.admin import texts, trials, tryout
from messaging.admin.messages import MessageAdmin
from messaging.models import Message


def register(site: AdminSite) -> None:
    """The nouns of this floor."""
    site.register(Message, MessageAdmin)


def urls(site: AdminSite) -> list[URLPattern]:
    """Own pages. Test mail and test message open their own transactions, so they guard themselves."""
    return [
        path("test-mail/", trials.mail(site), name="test-mail"),
        path("test-message/", trials.message(site), name="test-message"),
        path("texts/", site.admin_view(partial(texts.list_page, site)), name="texts"),
        path("texts/<str:kind>/", site.admin_view(partial(texts.edit_page, site)), name="text"),
        path("texts/<str:kind>/standard/", site.admin_view(partial(texts.standard_page, site)), name="text-standard"),
        path("mails/", site.admin_view(partial(tryout.mails, site)), name="tryout-mails"),
        path("mails/<str:name>/", site.admin_view(partial(tryout.mail, site)), name="tryout-mail"),
        path("mails/<str:name>/html", site.admin_view(tryout.html), name="tryout-mail-html"),
    ]
