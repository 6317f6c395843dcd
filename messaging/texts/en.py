"""English (British)."""

from __future__ import annotations

from messaging.texts.shape import BuiltIn, Words

WORDS = Words(
    hello="Hello {{user_name}},",
    hello_nobody="Hello,",
    regards="Kind regards",
    button_fails="If the button does not work:",
    settings="Change settings",
    hours=lambda n: "1 hour" if n == 1 else f"{n} hours",
)

TEXTS = {
    "invite": BuiltIn(
        subject="Your invitation to the portal of {{company_name}}",
        title="You are invited",
        plate=("community", "unit"),
        paragraphs=(
            (
                "{{inviter_name}} invites you to use the online portal of {{company_name}}. It holds the papers about "
                "your home and shows what is going on in the building."
            ),
            "Setting up your access takes only a moment:",
        ),
        button="Set up access",
        facts=(("Your code", "code"), ("Valid until", "valid_until")),
        after=("You can also enter the code in the portal at {{app_url}}.",),
        reason="You are receiving this e-mail because {{company_name}} has invited you. Nothing is set up unless you "
        "do so yourself.",
    ),
    "owner_invitation": BuiltIn(
        subject="Become an owner of {{organization_name}}",
        title="You are asked to become an owner",
        plate=("organization_name",),
        paragraphs=(
            (
                "{{inviter_name}} invites you to become an owner of the organization {{organization_name}}. Owners decide "
                "about everything in it: its people, its settings and what lies below it."
            ),
        ),
        button="See the invitation",
        facts=(("Valid until", "valid_until"),),
        after=("If you do not want this, there is nothing to do: the invitation ends by itself.",),
        reason="You are receiving this e-mail because an owner of {{organization_name}} has invited you.",
    ),
    "password_init": BuiltIn(
        subject="Choose your password for {{app_name}}",
        title="Welcome! Please choose your password",
        paragraphs=(
            (
                "{{company_name}} has set up an account for you with the user name {{username}}. "
                "Before you can sign in, please choose a password."
            ),
        ),
        button="Choose password",
        after=("The link is valid for {{valid_for}} and works once.",),
        reason="You are receiving this e-mail because an account was set up for your address.",
    ),
    "password_reset": BuiltIn(
        subject="New password for {{app_name}}",
        title="Choose a new password",
        paragraphs=("A new password was requested for your account {{username}}.",),
        button="Choose new password",
        after=(
            "The link is valid for {{valid_for}} and works once.",
            "Was it not you? Then there is nothing to do: your present password stays valid.",
        ),
        reason="You are receiving this e-mail because somebody requested a new password for your address.",
    ),
    "welcome": BuiltIn(
        subject="Welcome to the portal of {{company_name}}",
        title="Welcome to the portal of {{company_name}}",
        paragraphs=("From now on your papers are available online. Sign in with the user name {{username}}.",),
        button="Go to sign-in",
        reason="You are receiving this e-mail because {{company_name}} has set up an account for you.",
    ),
    "document_published": BuiltIn(
        subject="New document: {{file_title}}",
        title="A new document is ready for you",
        plate=("folder_path",),
        paragraphs=("{{company_name}} has published a document for you:",),
        facts=(("Document", "file_title"), ("Folder", "folder_name")),
        button="Open document",
        after=(
            "{{note}}",
            "Please sign in to the portal to read it.",
        ),
        reason="You are receiving this e-mail because you have access to this folder.",
    ),
    "documents_published": BuiltIn(
        subject="{{count}} new documents from {{company_name}}",
        title="New documents are ready for you",
        paragraphs=("{{company_name}} has published {{count}} documents for you:",),
        button="Open documents",
        after=(
            "{{note}}",
            "Please sign in to the portal to read them.",
        ),
        reason="You are receiving this e-mail because you have access to these folders.",
    ),
    "share_mail": BuiltIn(
        subject="{{company_name}} shares a document with you",
        title="A document is ready for you",
        paragraphs=("{{inviter_name}} of {{company_name}} shares a document with you:",),
        facts=(("Document", "file_title"), ("Valid until", "valid_until")),
        button="Get the document",
        after=("The code that you need for it comes as a text message to your mobile phone.",),
        reason="You are receiving this e-mail because {{company_name}} shares a document with you.",
    ),
    "share_link": BuiltIn(
        subject="Link for {{recipient_name}}: {{file_title}}",
        title="Your link to pass on",
        paragraphs=(
            (
                "You have shared the document “{{file_title}}” with {{recipient_name}} without naming an e-mail "
                "address. Please pass on this link:"
            ),
            "{{link}}",
        ),
        facts=(("Valid until", "valid_until"),),
        after=("The code for it comes to {{recipient_name}} as a text message.",),
        reason="You are receiving this e-mail because you have shared a document.",
    ),
    "share_undelivered": BuiltIn(
        subject="Text message to {{recipient_name}} did not arrive",
        title="The code did not arrive",
        paragraphs=(
            (
                "The code for the document “{{file_title}}” could not be sent to {{recipient_name}} as a text message. "
                "Without it the document cannot be opened."
            ),
            "Please check the mobile number and share the document again.",
        ),
        button="Open document",
        reason="You are receiving this e-mail because you have shared a document.",
    ),
    "ticket_filed": BuiltIn(
        subject="Ticket {{ticket_number}}: {{ticket_title}}",
        title="A new ticket",
        plate=("community", "unit"),
        paragraphs=("{{actor_name}} has reported something:",),
        facts=(
            ("Ticket", "ticket_title"),
            ("Number", "ticket_number"),
        ),
        button="Open ticket",
        after=("You can also simply reply to this e-mail. Your message then appears on ticket {{reply_ticket}}.",),
        reason="You are receiving this e-mail because you handle tickets for {{company_name}}.",
    ),
    "ticket_opened": BuiltIn(
        subject="Ticket {{ticket_number}}: {{ticket_title}}",
        title="Your ticket has been recorded",
        plate=("community", "unit"),
        paragraphs=("{{actor_name}} has recorded a ticket for you:",),
        facts=(
            ("Ticket", "ticket_title"),
            ("Number", "ticket_number"),
        ),
        button="Open ticket",
        after=("You can also simply reply to this e-mail. Your message then appears on ticket {{reply_ticket}}.",),
        reason="You are receiving this e-mail because you take part in this ticket.",
    ),
    "ticket_commented": BuiltIn(
        subject="Ticket {{ticket_number}}: {{ticket_title}}",
        title="A new message on ticket {{ticket_number}}",
        plate=("community", "unit"),
        paragraphs=(
            "{{actor_name}} has written a message on the ticket “{{ticket_title}}”. For reasons of privacy its text is not part of this e-mail.",
        ),
        facts=(("Status", "ticket_status"),),
        button="Read message",
        after=("You can also simply reply to this e-mail. Your message then appears on ticket {{reply_ticket}}.",),
        reason="You are receiving this e-mail because you take part in this ticket.",
    ),
    "ticket_status": BuiltIn(
        subject="Ticket {{ticket_number}}: {{ticket_title}}",
        title="News about ticket {{ticket_number}}",
        plate=("community", "unit"),
        paragraphs=("The status of the ticket “{{ticket_title}}” has changed.",),
        facts=(("Status", "ticket_status"),),
        button="Open ticket",
        after=("You can also simply reply to this e-mail. Your message then appears on ticket {{reply_ticket}}.",),
        reason="You are receiving this e-mail because you take part in this ticket.",
    ),
    "ticket_assigned": BuiltIn(
        subject="Ticket {{ticket_number}}: {{ticket_title}}",
        title="Who takes care of ticket {{ticket_number}}",
        plate=("community", "unit"),
        paragraphs=("It has changed who is in charge of the ticket “{{ticket_title}}”.",),
        facts=(("In charge", "assignee_name"),),
        button="Open ticket",
        after=("You can also simply reply to this e-mail. Your message then appears on ticket {{reply_ticket}}.",),
        reason="You are receiving this e-mail because you take part in this ticket.",
    ),
    "ticket_noted": BuiltIn(
        subject="Ticket {{ticket_number}}: {{ticket_title}}",
        title="An internal note on ticket {{ticket_number}}",
        plate=("community", "unit"),
        paragraphs=(
            "{{actor_name}} has written an internal note on the ticket “{{ticket_title}}”. Only the management can see it, so it is not part of this e-mail.",
        ),
        button="Read note",
        reason="You are receiving this e-mail because you handle tickets for {{company_name}}.",
    ),
    "ticket_unanswered": BuiltIn(
        subject="Ticket {{ticket_number}}: {{ticket_title}}",
        title="Ticket {{ticket_number}} is waiting for an answer",
        plate=("community", "unit"),
        paragraphs=("Nobody has answered the ticket “{{ticket_title}}” yet. The time for an answer is over.",),
        facts=(("In charge", "assignee_name"),),
        button="Open ticket",
        after=("You can also simply reply to this e-mail. Your message then appears on ticket {{reply_ticket}}.",),
        reason="You are receiving this e-mail because you handle tickets for {{company_name}}.",
    ),
    "ticket_unsolved": BuiltIn(
        subject="Ticket {{ticket_number}}: {{ticket_title}}",
        title="Ticket {{ticket_number}} is not solved yet",
        plate=("community", "unit"),
        paragraphs=("The ticket “{{ticket_title}}” is not solved yet. The time for it is over.",),
        facts=(("In charge", "assignee_name"),),
        button="Open ticket",
        after=("You can also simply reply to this e-mail. Your message then appears on ticket {{reply_ticket}}.",),
        reason="You are receiving this e-mail because you handle tickets for {{company_name}}.",
    ),
    "share_sms": BuiltIn(
        subject="",
        title="",
        paragraphs=("{{company_name}}: your code for the document shared with you is {{code}}",),
        reason="",
    ),
    "test_sms": BuiltIn(
        subject="",
        title="",
        paragraphs=("{{company_name}}: This is a test message. Sending text messages works.",),
        reason="",
    ),
    "test_mail": BuiltIn(
        subject="Test e-mail from {{app_name}}",
        title="Sending e-mail works",
        paragraphs=("This message was sent as a test. There is nothing for you to do.",),
        reason="You are receiving this e-mail because somebody tested the sending of e-mail in {{app_name}}.",
    ),
}
