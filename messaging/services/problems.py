"""What went wrong with a mail server, in words for whoever sets it up; the mail log keeps the technical text."""

from __future__ import annotations

import smtplib
import socket
import ssl

from django.utils.translation import gettext as _


def in_words(error: Exception) -> str:
    """A sentence in the language of the reader; '' where the server's own answer says it best."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return _("The mail server does not take this user name with this password.")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return _("The mail server does not offer what is set: encryption or a sign-in.")
    if isinstance(error, smtplib.SMTPResponseException):
        return ""
    if isinstance(error, socket.gaierror):
        return _("Nobody knows this host name.")
    if isinstance(error, ssl.SSLCertVerificationError):
        return _("The certificate of the mail server is not valid for this host name.")
    if isinstance(error, ssl.SSLError):
        return _("The mail server does not speak TLS at this port.")
    if isinstance(error, ConnectionRefusedError):
        return _("Nobody answers at this port.")
    if isinstance(error, TimeoutError):
        return _("The mail server does not answer in time.")
    return _("The connection to the mail server broke off.")
