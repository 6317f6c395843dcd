"""Polish. Addresses people with "Państwo"."""

from __future__ import annotations

from messaging.texts.shape import BuiltIn, Words


def _hours(n: int) -> str:
    """After "przez": 1 godzinę, 2 godziny, 5 godzin, 22 godziny."""
    if n == 1:
        return "1 godzinę"
    few = n % 10 in (2, 3, 4) and n % 100 not in (12, 13, 14)
    return f"{n} godziny" if few else f"{n} godzin"


WORDS = Words(
    hello="Dzień dobry, {{user_name}},",
    hello_nobody="Dzień dobry,",
    regards="Z poważaniem",
    button_fails="Jeśli przycisk nie działa:",
    settings="Zmień ustawienia",
    hours=_hours,
)

TEXTS = {
    "invite": BuiltIn(
        subject="Zaproszenie do portalu {{company_name}}",
        title="Zapraszamy do portalu",
        plate=("community", "unit"),
        paragraphs=(
            (
                "{{inviter_name}} zaprasza Państwa do korzystania z portalu internetowego {{company_name}}. Znajdą tam "
                "Państwo dokumenty dotyczące mieszkania oraz informacje o tym, co dzieje się w budynku."
            ),
            "Założenie konta zajmie tylko chwilę:",
        ),
        button="Załóż konto",
        facts=(("Kod", "code"), ("Ważny do", "valid_until")),
        after=("Kod można też wpisać w portalu pod adresem {{app_url}}.",),
        reason="Otrzymują Państwo tę wiadomość, ponieważ {{company_name}} przesyła zaproszenie. Bez Państwa udziału "
        "konto nie zostanie założone.",
    ),
    "owner_invitation": BuiltIn(
        subject="Zaproszenie: zostać właścicielem organizacji {{organization_name}}",
        title="Zaproszenie do grona właścicieli",
        plate=("organization_name",),
        paragraphs=(
            (
                "{{inviter_name}} zaprasza Państwa do grona właścicieli organizacji {{organization_name}}. Właściciele "
                "decydują w niej o wszystkim: o osobach, ustawieniach i jednostkach podległych."
            ),
        ),
        button="Zobacz zaproszenie",
        facts=(("Ważne do", "valid_until"),),
        after=("Jeśli Państwo tego nie chcą, nie trzeba nic robić: zaproszenie wygaśnie samo.",),
        reason="Otrzymują Państwo tę wiadomość, ponieważ właściciel organizacji {{organization_name}} przesyła zaproszenie.",
    ),
    "password_init": BuiltIn(
        subject="Proszę ustawić hasło do {{app_name}}",
        title="Witamy! Proszę ustawić hasło",
        paragraphs=(
            (
                "{{company_name}} udostępnia Państwu konto z nazwą użytkownika {{username}}. "
                "Przed pierwszym zalogowaniem proszę ustawić hasło."
            ),
        ),
        button="Ustaw hasło",
        after=("Link jest ważny przez {{valid_for}} i działa jeden raz.",),
        reason="Otrzymują Państwo tę wiadomość, ponieważ dla tego adresu założono konto.",
    ),
    "password_reset": BuiltIn(
        subject="Nowe hasło do {{app_name}}",
        title="Proszę ustawić nowe hasło",
        paragraphs=("Dla konta {{username}} otrzymaliśmy prośbę o nowe hasło.",),
        button="Ustaw nowe hasło",
        after=(
            "Link jest ważny przez {{valid_for}} i działa jeden raz.",
            "To nie Państwo? W takim razie nie trzeba nic robić: dotychczasowe hasło pozostaje ważne.",
        ),
        reason="Otrzymują Państwo tę wiadomość, ponieważ ktoś poprosił o nowe hasło dla tego adresu.",
    ),
    "welcome": BuiltIn(
        subject="Witamy w portalu {{company_name}}",
        title="Witamy w portalu {{company_name}}",
        paragraphs=(
            (
                "Od teraz mają Państwo dostęp do swoich dokumentów przez internet. Proszę zalogować się, używając "
                "nazwy użytkownika {{username}}."
            ),
        ),
        button="Przejdź do logowania",
        reason="Otrzymują Państwo tę wiadomość, ponieważ {{company_name}} udostępnia Państwu konto.",
    ),
    "document_published": BuiltIn(
        subject="Nowy dokument: {{file_title}}",
        title="Nowy dokument czeka na Państwa",
        plate=("folder_path",),
        paragraphs=("{{company_name}} udostępnia Państwu dokument:",),
        facts=(("Dokument", "file_title"), ("Folder", "folder_name")),
        button="Otwórz dokument",
        after=(
            "{{note}}",
            "Aby przeczytać dokument, proszę zalogować się w portalu.",
        ),
        reason="Otrzymują Państwo tę wiadomość, ponieważ mają Państwo dostęp do tego folderu.",
    ),
    "documents_published": BuiltIn(
        subject="Nowe dokumenty ({{count}}) od {{company_name}}",
        title="Nowe dokumenty czekają na Państwa",
        paragraphs=("{{company_name}} udostępnia Państwu nowe dokumenty ({{count}}):",),
        button="Otwórz dokumenty",
        after=(
            "{{note}}",
            "Aby przeczytać dokumenty, proszę zalogować się w portalu.",
        ),
        reason="Otrzymują Państwo tę wiadomość, ponieważ mają Państwo dostęp do tych folderów.",
    ),
    "share_mail": BuiltIn(
        subject="{{company_name}} udostępnia Państwu dokument",
        title="Dokument jest gotowy do pobrania",
        paragraphs=("{{inviter_name}} ({{company_name}}) udostępnia Państwu dokument:",),
        facts=(("Dokument", "file_title"), ("Ważny do", "valid_until")),
        button="Pobierz dokument",
        after=("Potrzebny kod otrzymają Państwo w wiadomości SMS na telefon komórkowy.",),
        reason="Otrzymują Państwo tę wiadomość, ponieważ {{company_name}} udostępnia Państwu dokument.",
    ),
    "share_link": BuiltIn(
        subject="Link dla {{recipient_name}}: {{file_title}}",
        title="Link do przekazania",
        paragraphs=(
            (
                "Dokument „{{file_title}}” został udostępniony bez podania adresu e-mail. Odbiorca: "
                "{{recipient_name}}. Prosimy przekazać ten link:"
            ),
            "{{link}}",
        ),
        facts=(("Ważny do", "valid_until"),),
        after=("Kod zostanie wysłany w wiadomości SMS. Odbiorca: {{recipient_name}}.",),
        reason="Otrzymują Państwo tę wiadomość, ponieważ udostępnili Państwo dokument.",
    ),
    "share_undelivered": BuiltIn(
        subject="Wiadomość SMS nie dotarła: {{recipient_name}}",
        title="Kod nie dotarł",
        paragraphs=(
            (
                "Nie udało się wysłać wiadomości SMS z kodem do dokumentu „{{file_title}}”. Odbiorca: "
                "{{recipient_name}}. Bez kodu nie można otworzyć dokumentu."
            ),
            "Prosimy sprawdzić numer telefonu i udostępnić dokument ponownie.",
        ),
        button="Otwórz dokument",
        reason="Otrzymują Państwo tę wiadomość, ponieważ udostępnili Państwo dokument.",
    ),
    "ticket_filed": BuiltIn(
        subject="Zgłoszenie {{ticket_number}}: {{ticket_title}}",
        title="Nowe zgłoszenie",
        plate=("community", "unit"),
        paragraphs=("{{actor_name}} przesyła zgłoszenie:",),
        facts=(
            ("Zgłoszenie", "ticket_title"),
            ("Numer", "ticket_number"),
        ),
        button="Otwórz zgłoszenie",
        after=(
            "Można też po prostu odpowiedzieć na tę wiadomość. Odpowiedź pojawi się wtedy przy zgłoszeniu {{reply_ticket}}.",
        ),
        reason="Otrzymują Państwo tę wiadomość, ponieważ obsługują Państwo zgłoszenia dla {{company_name}}.",
    ),
    "ticket_opened": BuiltIn(
        subject="Zgłoszenie {{ticket_number}}: {{ticket_title}}",
        title="Zgłoszenie zostało przyjęte",
        plate=("community", "unit"),
        paragraphs=("{{actor_name}} rejestruje dla Państwa zgłoszenie:",),
        facts=(
            ("Zgłoszenie", "ticket_title"),
            ("Numer", "ticket_number"),
        ),
        button="Otwórz zgłoszenie",
        after=(
            "Można też po prostu odpowiedzieć na tę wiadomość. Odpowiedź pojawi się wtedy przy zgłoszeniu {{reply_ticket}}.",
        ),
        reason="Otrzymują Państwo tę wiadomość, ponieważ uczestniczą Państwo w tym zgłoszeniu.",
    ),
    "ticket_commented": BuiltIn(
        subject="Zgłoszenie {{ticket_number}}: {{ticket_title}}",
        title="Nowa wiadomość do zgłoszenia {{ticket_number}}",
        plate=("community", "unit"),
        paragraphs=(
            "{{actor_name}} pisze w sprawie zgłoszenia „{{ticket_title}}”. Ze względu na ochronę danych treść nie jest częścią tej wiadomości e-mail.",
        ),
        facts=(("Status", "ticket_status"),),
        button="Przeczytaj wiadomość",
        after=(
            "Można też po prostu odpowiedzieć na tę wiadomość. Odpowiedź pojawi się wtedy przy zgłoszeniu {{reply_ticket}}.",
        ),
        reason="Otrzymują Państwo tę wiadomość, ponieważ uczestniczą Państwo w tym zgłoszeniu.",
    ),
    "ticket_status": BuiltIn(
        subject="Zgłoszenie {{ticket_number}}: {{ticket_title}}",
        title="Nowy status zgłoszenia {{ticket_number}}",
        plate=("community", "unit"),
        paragraphs=("Zmienił się status zgłoszenia „{{ticket_title}}”.",),
        facts=(("Status", "ticket_status"),),
        button="Otwórz zgłoszenie",
        after=(
            "Można też po prostu odpowiedzieć na tę wiadomość. Odpowiedź pojawi się wtedy przy zgłoszeniu {{reply_ticket}}.",
        ),
        reason="Otrzymują Państwo tę wiadomość, ponieważ uczestniczą Państwo w tym zgłoszeniu.",
    ),
    "ticket_assigned": BuiltIn(
        subject="Zgłoszenie {{ticket_number}}: {{ticket_title}}",
        title="Kto zajmuje się zgłoszeniem {{ticket_number}}",
        plate=("community", "unit"),
        paragraphs=("Zmieniła się osoba odpowiedzialna za zgłoszenie „{{ticket_title}}”.",),
        facts=(("Osoba odpowiedzialna", "assignee_name"),),
        button="Otwórz zgłoszenie",
        after=(
            "Można też po prostu odpowiedzieć na tę wiadomość. Odpowiedź pojawi się wtedy przy zgłoszeniu {{reply_ticket}}.",
        ),
        reason="Otrzymują Państwo tę wiadomość, ponieważ uczestniczą Państwo w tym zgłoszeniu.",
    ),
    "ticket_noted": BuiltIn(
        subject="Zgłoszenie {{ticket_number}}: {{ticket_title}}",
        title="Notatka wewnętrzna do zgłoszenia {{ticket_number}}",
        plate=("community", "unit"),
        paragraphs=(
            "{{actor_name}} dodaje notatkę wewnętrzną do zgłoszenia „{{ticket_title}}”. Widzi ją tylko administracja, dlatego nie jest częścią tej wiadomości e-mail.",
        ),
        button="Przeczytaj notatkę",
        reason="Otrzymują Państwo tę wiadomość, ponieważ obsługują Państwo zgłoszenia dla {{company_name}}.",
    ),
    "ticket_unanswered": BuiltIn(
        subject="Zgłoszenie {{ticket_number}}: {{ticket_title}}",
        title="Zgłoszenie {{ticket_number}} czeka na odpowiedź",
        plate=("community", "unit"),
        paragraphs=("Na zgłoszenie „{{ticket_title}}” nikt jeszcze nie odpowiedział. Termin odpowiedzi minął.",),
        facts=(("Osoba odpowiedzialna", "assignee_name"),),
        button="Otwórz zgłoszenie",
        after=(
            "Można też po prostu odpowiedzieć na tę wiadomość. Odpowiedź pojawi się wtedy przy zgłoszeniu {{reply_ticket}}.",
        ),
        reason="Otrzymują Państwo tę wiadomość, ponieważ obsługują Państwo zgłoszenia dla {{company_name}}.",
    ),
    "ticket_unsolved": BuiltIn(
        subject="Zgłoszenie {{ticket_number}}: {{ticket_title}}",
        title="Zgłoszenie {{ticket_number}} nie jest jeszcze rozwiązane",
        plate=("community", "unit"),
        paragraphs=("Zgłoszenie „{{ticket_title}}” nie jest jeszcze rozwiązane. Termin minął.",),
        facts=(("Osoba odpowiedzialna", "assignee_name"),),
        button="Otwórz zgłoszenie",
        after=(
            "Można też po prostu odpowiedzieć na tę wiadomość. Odpowiedź pojawi się wtedy przy zgłoszeniu {{reply_ticket}}.",
        ),
        reason="Otrzymują Państwo tę wiadomość, ponieważ obsługują Państwo zgłoszenia dla {{company_name}}.",
    ),
    "share_sms": BuiltIn(
        subject="",
        title="",
        paragraphs=("{{company_name}}: kod do udostępnionego dokumentu to {{code}}",),
        reason="",
    ),
    "test_sms": BuiltIn(
        subject="",
        title="",
        paragraphs=("{{company_name}}: to jest testowy SMS. Wysyłanie działa.",),
        reason="",
    ),
    "test_mail": BuiltIn(
        subject="Wiadomość testowa z {{app_name}}",
        title="Wysyłanie wiadomości działa",
        paragraphs=("Ta wiadomość została wysłana na próbę. Nie trzeba nic robić.",),
        reason="Otrzymują Państwo tę wiadomość, ponieważ ktoś sprawdzał wysyłanie wiadomości w {{app_name}}.",
    ),
}
