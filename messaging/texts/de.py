"""German. Addresses people with "Sie"."""

from __future__ import annotations

from messaging.texts.shape import BuiltIn, Words

WORDS = Words(
    hello="Guten Tag {{user_name}},",
    hello_nobody="Guten Tag,",
    regards="Freundliche Grüße",
    button_fails="Falls die Schaltfläche nicht funktioniert:",
    settings="Einstellungen ändern",
    hours=lambda n: "1 Stunde" if n == 1 else f"{n} Stunden",
)

TEXTS = {
    "invite": BuiltIn(
        subject="Ihre Einladung in das Portal von {{company_name}}",
        title="Sie sind eingeladen",
        plate=("community", "unit"),
        paragraphs=(
            (
                "{{inviter_name}} lädt Sie ein, das Online-Portal von {{company_name}} zu nutzen. Dort finden Sie die "
                "Unterlagen zu Ihrem Zuhause und sehen, was im Haus geschieht."
            ),
            "Richten Sie Ihren Zugang mit wenigen Angaben selbst ein:",
        ),
        button="Zugang einrichten",
        facts=(("Ihr Code", "code"), ("Gültig bis", "valid_until")),
        after=("Sie können den Code auch im Portal unter {{app_url}} eingeben.",),
        reason="Sie bekommen diese E-Mail, weil {{company_name}} Sie eingeladen hat. Ohne Ihr Zutun wird kein Zugang "
        "eingerichtet.",
    ),
    "owner_invitation": BuiltIn(
        subject="Einladung: Inhaberin oder Inhaber von {{organization_name}} werden",
        title="Sie sollen {{organization_name}} mit verantworten",
        plate=("organization_name",),
        paragraphs=(
            (
                "{{inviter_name}} lädt Sie ein, Inhaberin oder Inhaber der Organisation {{organization_name}} zu werden. "
                "Wer sie innehat, entscheidet über alles darin: Personen, Einstellungen und was darunter liegt."
            ),
        ),
        button="Einladung ansehen",
        facts=(("Gültig bis", "valid_until"),),
        after=("Möchten Sie das nicht, brauchen Sie nichts zu tun: Die Einladung endet von selbst.",),
        reason="Sie bekommen diese E-Mail, weil {{organization_name}} Sie eingeladen hat.",
    ),
    "password_init": BuiltIn(
        subject="Legen Sie Ihr Passwort für {{app_name}} fest",
        title="Willkommen! Bitte legen Sie Ihr Passwort fest",
        paragraphs=(
            (
                "{{company_name}} hat für Sie einen Zugang mit dem Benutzernamen {{username}} eingerichtet. "
                "Bevor Sie sich anmelden können, legen Sie bitte ein Passwort fest."
            ),
        ),
        button="Passwort festlegen",
        after=("Der Link gilt {{valid_for}} und funktioniert einmal.",),
        reason="Sie bekommen diese E-Mail, weil für Ihre Adresse ein Zugang eingerichtet wurde.",
    ),
    "password_reset": BuiltIn(
        subject="Neues Passwort für {{app_name}}",
        title="Legen Sie ein neues Passwort fest",
        paragraphs=("Für Ihren Zugang {{username}} wurde ein neues Passwort angefordert.",),
        button="Neues Passwort festlegen",
        after=(
            "Der Link gilt {{valid_for}} und funktioniert einmal.",
            "Waren Sie das nicht? Dann brauchen Sie nichts zu tun: Ihr bisheriges Passwort gilt weiter.",
        ),
        reason="Sie bekommen diese E-Mail, weil jemand für Ihre Adresse ein neues Passwort angefordert hat.",
    ),
    "welcome": BuiltIn(
        subject="Willkommen im Portal von {{company_name}}",
        title="Willkommen im Portal von {{company_name}}",
        paragraphs=(
            "Ihre Unterlagen erreichen Sie ab sofort online. Melden Sie sich mit dem Benutzernamen {{username}} an.",
        ),
        button="Zur Anmeldung",
        reason="Sie bekommen diese E-Mail, weil {{company_name}} für Sie einen Zugang eingerichtet hat.",
    ),
    "document_published": BuiltIn(
        subject="Neues Dokument: {{file_title}}",
        title="Ein neues Dokument liegt für Sie bereit",
        plate=("folder_path",),
        paragraphs=("{{company_name}} hat ein Dokument für Sie bereitgestellt:",),
        facts=(("Dokument", "file_title"), ("Ordner", "folder_name")),
        button="Dokument öffnen",
        after=(
            "{{note}}",
            "Zum Lesen melden Sie sich im Portal an.",
        ),
        reason="Sie bekommen diese E-Mail, weil Sie Zugang zu diesem Ordner haben.",
    ),
    "documents_published": BuiltIn(
        subject="{{count}} neue Dokumente von {{company_name}}",
        title="Neue Dokumente liegen für Sie bereit",
        paragraphs=("{{company_name}} hat {{count}} Dokumente für Sie bereitgestellt:",),
        button="Dokumente öffnen",
        after=(
            "{{note}}",
            "Zum Lesen melden Sie sich im Portal an.",
        ),
        reason="Sie bekommen diese E-Mail, weil Sie Zugang zu diesen Ordnern haben.",
    ),
    "share_mail": BuiltIn(
        subject="{{company_name}} stellt Ihnen ein Dokument bereit",
        title="Ein Dokument liegt für Sie bereit",
        paragraphs=("{{inviter_name}} von {{company_name}} stellt Ihnen ein Dokument bereit:",),
        facts=(("Dokument", "file_title"), ("Gültig bis", "valid_until")),
        button="Dokument abrufen",
        after=("Den Code, den Sie dafür brauchen, bekommen Sie als Textnachricht auf Ihr Mobiltelefon.",),
        reason="Sie bekommen diese E-Mail, weil {{company_name}} ein Dokument mit Ihnen teilt.",
    ),
    "share_link": BuiltIn(
        subject="Link für {{recipient_name}}: {{file_title}}",
        title="Ihr Link zum Weitergeben",
        paragraphs=(
            (
                "Sie haben das Dokument „{{file_title}}“ für {{recipient_name}} freigegeben, ohne eine E-Mail-Adresse "
                "zu nennen. Bitte geben Sie diesen Link weiter:"
            ),
            "{{link}}",
        ),
        facts=(("Gültig bis", "valid_until"),),
        after=("Den Code dazu bekommt {{recipient_name}} als Textnachricht.",),
        reason="Sie bekommen diese E-Mail, weil Sie ein Dokument freigegeben haben.",
    ),
    "share_undelivered": BuiltIn(
        subject="Textnachricht an {{recipient_name}} kam nicht an",
        title="Der Code kam nicht an",
        paragraphs=(
            (
                "Der Code für das Dokument „{{file_title}}“ konnte {{recipient_name}} nicht als Textnachricht geschickt "
                "werden. Ohne ihn lässt sich das Dokument nicht abrufen."
            ),
            "Bitte prüfen Sie die Mobilnummer und geben Sie das Dokument noch einmal frei.",
        ),
        button="Dokument öffnen",
        reason="Sie bekommen diese E-Mail, weil Sie ein Dokument freigegeben haben.",
    ),
    "ticket_filed": BuiltIn(
        subject="Anliegen {{ticket_number}}: {{ticket_title}}",
        title="Ein neues Anliegen",
        plate=("community", "unit"),
        paragraphs=("{{actor_name}} hat ein Anliegen gemeldet:",),
        facts=(
            ("Anliegen", "ticket_title"),
            ("Nummer", "ticket_number"),
        ),
        button="Anliegen öffnen",
        after=(
            "Sie können auch einfach auf diese E-Mail antworten. Ihre Nachricht erscheint dann beim Anliegen {{reply_ticket}}.",
        ),
        reason="Sie bekommen diese E-Mail, weil Sie für {{company_name}} Anliegen bearbeiten.",
    ),
    "ticket_opened": BuiltIn(
        subject="Anliegen {{ticket_number}}: {{ticket_title}}",
        title="Ihr Anliegen ist aufgenommen",
        plate=("community", "unit"),
        paragraphs=("{{actor_name}} hat für Sie ein Anliegen aufgenommen:",),
        facts=(
            ("Anliegen", "ticket_title"),
            ("Nummer", "ticket_number"),
        ),
        button="Anliegen öffnen",
        after=(
            "Sie können auch einfach auf diese E-Mail antworten. Ihre Nachricht erscheint dann beim Anliegen {{reply_ticket}}.",
        ),
        reason="Sie bekommen diese E-Mail, weil Sie an diesem Anliegen beteiligt sind.",
    ),
    "ticket_commented": BuiltIn(
        subject="Anliegen {{ticket_number}}: {{ticket_title}}",
        title="Eine neue Nachricht zum Anliegen {{ticket_number}}",
        plate=("community", "unit"),
        paragraphs=(
            "{{actor_name}} hat zum Anliegen „{{ticket_title}}“ geschrieben. Aus Gründen des Datenschutzes steht der Text nicht in dieser E-Mail.",
        ),
        facts=(("Stand", "ticket_status"),),
        button="Nachricht lesen",
        after=(
            "Sie können auch einfach auf diese E-Mail antworten. Ihre Nachricht erscheint dann beim Anliegen {{reply_ticket}}.",
        ),
        reason="Sie bekommen diese E-Mail, weil Sie an diesem Anliegen beteiligt sind.",
    ),
    "ticket_status": BuiltIn(
        subject="Anliegen {{ticket_number}}: {{ticket_title}}",
        title="Ein neuer Stand zum Anliegen {{ticket_number}}",
        plate=("community", "unit"),
        paragraphs=("Beim Anliegen „{{ticket_title}}“ hat sich der Stand geändert.",),
        facts=(("Stand", "ticket_status"),),
        button="Anliegen öffnen",
        after=(
            "Sie können auch einfach auf diese E-Mail antworten. Ihre Nachricht erscheint dann beim Anliegen {{reply_ticket}}.",
        ),
        reason="Sie bekommen diese E-Mail, weil Sie an diesem Anliegen beteiligt sind.",
    ),
    "ticket_assigned": BuiltIn(
        subject="Anliegen {{ticket_number}}: {{ticket_title}}",
        title="Wer sich um das Anliegen {{ticket_number}} kümmert",
        plate=("community", "unit"),
        paragraphs=("Beim Anliegen „{{ticket_title}}“ hat sich geändert, wer zuständig ist.",),
        facts=(("Zuständig", "assignee_name"),),
        button="Anliegen öffnen",
        after=(
            "Sie können auch einfach auf diese E-Mail antworten. Ihre Nachricht erscheint dann beim Anliegen {{reply_ticket}}.",
        ),
        reason="Sie bekommen diese E-Mail, weil Sie an diesem Anliegen beteiligt sind.",
    ),
    "ticket_noted": BuiltIn(
        subject="Anliegen {{ticket_number}}: {{ticket_title}}",
        title="Eine interne Notiz zum Anliegen {{ticket_number}}",
        plate=("community", "unit"),
        paragraphs=(
            "{{actor_name}} hat zum Anliegen „{{ticket_title}}“ eine interne Notiz geschrieben. Sie ist nur für die Verwaltung sichtbar und steht deshalb nicht in dieser E-Mail.",
        ),
        button="Notiz lesen",
        reason="Sie bekommen diese E-Mail, weil Sie für {{company_name}} Anliegen bearbeiten.",
    ),
    "ticket_unanswered": BuiltIn(
        subject="Anliegen {{ticket_number}}: {{ticket_title}}",
        title="Das Anliegen {{ticket_number}} wartet auf eine Antwort",
        plate=("community", "unit"),
        paragraphs=("Zum Anliegen „{{ticket_title}}“ gibt es noch keine Antwort. Die Frist dafür ist abgelaufen.",),
        facts=(("Zuständig", "assignee_name"),),
        button="Anliegen öffnen",
        after=(
            "Sie können auch einfach auf diese E-Mail antworten. Ihre Nachricht erscheint dann beim Anliegen {{reply_ticket}}.",
        ),
        reason="Sie bekommen diese E-Mail, weil Sie für {{company_name}} Anliegen bearbeiten.",
    ),
    "ticket_unsolved": BuiltIn(
        subject="Anliegen {{ticket_number}}: {{ticket_title}}",
        title="Das Anliegen {{ticket_number}} ist noch nicht gelöst",
        plate=("community", "unit"),
        paragraphs=("Das Anliegen „{{ticket_title}}“ ist noch nicht gelöst. Die Frist dafür ist abgelaufen.",),
        facts=(("Zuständig", "assignee_name"),),
        button="Anliegen öffnen",
        after=(
            "Sie können auch einfach auf diese E-Mail antworten. Ihre Nachricht erscheint dann beim Anliegen {{reply_ticket}}.",
        ),
        reason="Sie bekommen diese E-Mail, weil Sie für {{company_name}} Anliegen bearbeiten.",
    ),
    "share_sms": BuiltIn(
        subject="",
        title="",
        paragraphs=("{{company_name}}: Ihr Code für das bereitgestellte Dokument lautet {{code}}",),
        reason="",
    ),
    "test_sms": BuiltIn(
        subject="",
        title="",
        paragraphs=("{{company_name}}: Dies ist eine Test-SMS. Der Versand funktioniert.",),
        reason="",
    ),
    "test_mail": BuiltIn(
        subject="Test-E-Mail von {{app_name}}",
        title="Der E-Mail-Versand funktioniert",
        paragraphs=("Diese Nachricht wurde zur Probe verschickt. Sie brauchen nichts weiter zu tun.",),
        reason="Sie bekommen diese E-Mail, weil jemand in {{app_name}} den E-Mail-Versand geprüft hat.",
    ),
}
