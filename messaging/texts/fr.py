"""French. Addresses people with "vous"."""

from __future__ import annotations

from messaging.texts.shape import BuiltIn, Words

WORDS = Words(
    hello="Bonjour {{user_name}},",
    hello_nobody="Bonjour,",
    regards="Cordialement",
    button_fails="Si le bouton ne fonctionne pas\u00a0:",
    settings="Modifier les réglages",
    hours=lambda n: "1 heure" if n == 1 else f"{n} heures",
    colon="\u00a0:",
)

TEXTS = {
    "invite": BuiltIn(
        subject="Votre invitation au portail de {{company_name}}",
        title="Vous êtes invité(e)",
        plate=("community", "unit"),
        paragraphs=(
            (
                "{{inviter_name}} vous invite à utiliser le portail en ligne de {{company_name}}. Vous y trouverez les "
                "documents concernant votre logement et la vie de l’immeuble."
            ),
            "Quelques indications suffisent pour créer votre accès\u00a0:",
        ),
        button="Créer mon accès",
        facts=(("Votre code", "code"), ("Valable jusqu’au", "valid_until")),
        after=("Vous pouvez aussi saisir le code sur le portail, à l’adresse {{app_url}}.",),
        reason="Vous recevez cet e-mail parce que {{company_name}} vous a invité(e). Aucun accès n’est créé sans "
        "votre intervention.",
    ),
    "owner_invitation": BuiltIn(
        subject="Invitation\u00a0: devenir propriétaire de {{organization_name}}",
        title="On vous propose de devenir propriétaire",
        plate=("organization_name",),
        paragraphs=(
            (
                "{{inviter_name}} vous invite à devenir propriétaire de l’organisation {{organization_name}}. Les "
                "propriétaires y décident de tout\u00a0: des personnes, des réglages et de ce qui en dépend."
            ),
        ),
        button="Voir l’invitation",
        facts=(("Valable jusqu’au", "valid_until"),),
        after=("Si vous ne le souhaitez pas, vous n’avez rien à faire\u00a0: l’invitation expire d’elle-même.",),
        reason="Vous recevez cet e-mail parce qu’un propriétaire de {{organization_name}} vous a invité(e).",
    ),
    "password_init": BuiltIn(
        subject="Choisissez votre mot de passe pour {{app_name}}",
        title="Bienvenue\u00a0! Veuillez choisir votre mot de passe",
        paragraphs=(
            (
                "{{company_name}} a créé pour vous un accès avec le nom d’utilisateur {{username}}. "
                "Avant de vous connecter, veuillez choisir un mot de passe."
            ),
        ),
        button="Choisir le mot de passe",
        after=("Le lien est valable {{valid_for}} et ne fonctionne qu’une fois.",),
        reason="Vous recevez cet e-mail parce qu’un accès a été créé pour votre adresse.",
    ),
    "password_reset": BuiltIn(
        subject="Nouveau mot de passe pour {{app_name}}",
        title="Choisissez un nouveau mot de passe",
        paragraphs=("Un nouveau mot de passe a été demandé pour votre accès {{username}}.",),
        button="Choisir un nouveau mot de passe",
        after=(
            "Le lien est valable {{valid_for}} et ne fonctionne qu’une fois.",
            (
                "Vous n’êtes pas à l’origine de cette demande\u00a0? Alors vous n’avez rien à faire\u00a0: votre mot de passe "
                "actuel reste valable."
            ),
        ),
        reason="Vous recevez cet e-mail parce qu’un nouveau mot de passe a été demandé pour votre adresse.",
    ),
    "welcome": BuiltIn(
        subject="Bienvenue sur le portail de {{company_name}}",
        title="Bienvenue sur le portail de {{company_name}}",
        paragraphs=(
            "Vos documents sont désormais disponibles en ligne. Connectez-vous avec le nom d’utilisateur {{username}}.",
        ),
        button="Se connecter",
        reason="Vous recevez cet e-mail parce que {{company_name}} a créé un accès pour vous.",
    ),
    "document_published": BuiltIn(
        subject="Nouveau document\u00a0: {{file_title}}",
        title="Un nouveau document est à votre disposition",
        plate=("folder_path",),
        paragraphs=("{{company_name}} a mis un document à votre disposition\u00a0:",),
        facts=(("Document", "file_title"), ("Dossier", "folder_name")),
        button="Ouvrir le document",
        after=(
            "{{note}}",
            "Pour le lire, connectez-vous au portail.",
        ),
        reason="Vous recevez cet e-mail parce que vous avez accès à ce dossier.",
    ),
    "documents_published": BuiltIn(
        subject="{{count}} nouveaux documents de {{company_name}}",
        title="De nouveaux documents sont à votre disposition",
        paragraphs=("{{company_name}} a mis {{count}} documents à votre disposition\u00a0:",),
        button="Ouvrir les documents",
        after=(
            "{{note}}",
            "Pour les lire, connectez-vous au portail.",
        ),
        reason="Vous recevez cet e-mail parce que vous avez accès à ces dossiers.",
    ),
    "share_mail": BuiltIn(
        subject="{{company_name}} partage un document avec vous",
        title="Un document est à votre disposition",
        paragraphs=("{{inviter_name}} de {{company_name}} partage un document avec vous\u00a0:",),
        facts=(("Document", "file_title"), ("Valable jusqu’au", "valid_until")),
        button="Récupérer le document",
        after=("Le code nécessaire vous est envoyé par SMS sur votre téléphone portable.",),
        reason="Vous recevez cet e-mail parce que {{company_name}} partage un document avec vous.",
    ),
    "share_link": BuiltIn(
        subject="Lien pour {{recipient_name}}\u00a0: {{file_title}}",
        title="Votre lien à transmettre",
        paragraphs=(
            (
                "Vous avez partagé le document «\u00a0{{file_title}}\u00a0» avec {{recipient_name}} sans indiquer d’adresse "
                "e-mail. Veuillez transmettre ce lien\u00a0:"
            ),
            "{{link}}",
        ),
        facts=(("Valable jusqu’au", "valid_until"),),
        after=("Le code correspondant est envoyé par SMS à {{recipient_name}}.",),
        reason="Vous recevez cet e-mail parce que vous avez partagé un document.",
    ),
    "share_undelivered": BuiltIn(
        subject="Le SMS à {{recipient_name}} n’est pas arrivé",
        title="Le code n’est pas arrivé",
        paragraphs=(
            (
                "Le code du document «\u00a0{{file_title}}\u00a0» n’a pas pu être envoyé par SMS à {{recipient_name}}. "
                "Sans ce code, le document ne peut pas être ouvert."
            ),
            "Veuillez vérifier le numéro de portable et partager à nouveau le document.",
        ),
        button="Ouvrir le document",
        reason="Vous recevez cet e-mail parce que vous avez partagé un document.",
    ),
    "ticket_filed": BuiltIn(
        subject="Demande {{ticket_number}}\u00a0: {{ticket_title}}",
        title="Une nouvelle demande",
        plate=("community", "unit"),
        paragraphs=("{{actor_name}} a déposé une demande\u00a0:",),
        facts=(
            ("Demande", "ticket_title"),
            ("Numéro", "ticket_number"),
        ),
        button="Ouvrir la demande",
        after=(
            "Vous pouvez aussi répondre directement à cet e-mail. Votre message apparaîtra alors dans la demande {{reply_ticket}}.",
        ),
        reason="Vous recevez cet e-mail parce que vous traitez des demandes pour {{company_name}}.",
    ),
    "ticket_opened": BuiltIn(
        subject="Demande {{ticket_number}}\u00a0: {{ticket_title}}",
        title="Votre demande est enregistrée",
        plate=("community", "unit"),
        paragraphs=("{{actor_name}} a enregistré une demande pour vous\u00a0:",),
        facts=(
            ("Demande", "ticket_title"),
            ("Numéro", "ticket_number"),
        ),
        button="Ouvrir la demande",
        after=(
            "Vous pouvez aussi répondre directement à cet e-mail. Votre message apparaîtra alors dans la demande {{reply_ticket}}.",
        ),
        reason="Vous recevez cet e-mail parce que vous participez à cette demande.",
    ),
    "ticket_commented": BuiltIn(
        subject="Demande {{ticket_number}}\u00a0: {{ticket_title}}",
        title="Un nouveau message sur la demande {{ticket_number}}",
        plate=("community", "unit"),
        paragraphs=(
            "{{actor_name}} a écrit au sujet de la demande «\u00a0{{ticket_title}}\u00a0». Pour des raisons de confidentialité, le texte ne figure pas dans cet e-mail.",
        ),
        facts=(("État", "ticket_status"),),
        button="Lire le message",
        after=(
            "Vous pouvez aussi répondre directement à cet e-mail. Votre message apparaîtra alors dans la demande {{reply_ticket}}.",
        ),
        reason="Vous recevez cet e-mail parce que vous participez à cette demande.",
    ),
    "ticket_status": BuiltIn(
        subject="Demande {{ticket_number}}\u00a0: {{ticket_title}}",
        title="Du nouveau pour la demande {{ticket_number}}",
        plate=("community", "unit"),
        paragraphs=("L’état de la demande «\u00a0{{ticket_title}}\u00a0» a changé.",),
        facts=(("État", "ticket_status"),),
        button="Ouvrir la demande",
        after=(
            "Vous pouvez aussi répondre directement à cet e-mail. Votre message apparaîtra alors dans la demande {{reply_ticket}}.",
        ),
        reason="Vous recevez cet e-mail parce que vous participez à cette demande.",
    ),
    "ticket_assigned": BuiltIn(
        subject="Demande {{ticket_number}}\u00a0: {{ticket_title}}",
        title="Qui s’occupe de la demande {{ticket_number}}",
        plate=("community", "unit"),
        paragraphs=("La personne chargée de la demande «\u00a0{{ticket_title}}\u00a0» a changé.",),
        facts=(("Chargé du dossier", "assignee_name"),),
        button="Ouvrir la demande",
        after=(
            "Vous pouvez aussi répondre directement à cet e-mail. Votre message apparaîtra alors dans la demande {{reply_ticket}}.",
        ),
        reason="Vous recevez cet e-mail parce que vous participez à cette demande.",
    ),
    "ticket_noted": BuiltIn(
        subject="Demande {{ticket_number}}\u00a0: {{ticket_title}}",
        title="Une note interne sur la demande {{ticket_number}}",
        plate=("community", "unit"),
        paragraphs=(
            "{{actor_name}} a écrit une note interne sur la demande «\u00a0{{ticket_title}}\u00a0». Elle est réservée à la gestion et ne figure donc pas dans cet e-mail.",
        ),
        button="Lire la note",
        reason="Vous recevez cet e-mail parce que vous traitez des demandes pour {{company_name}}.",
    ),
    "ticket_unanswered": BuiltIn(
        subject="Demande {{ticket_number}}\u00a0: {{ticket_title}}",
        title="La demande {{ticket_number}} attend une réponse",
        plate=("community", "unit"),
        paragraphs=(
            "Personne n’a encore répondu à la demande «\u00a0{{ticket_title}}\u00a0». Le délai prévu est dépassé.",
        ),
        facts=(("Chargé du dossier", "assignee_name"),),
        button="Ouvrir la demande",
        after=(
            "Vous pouvez aussi répondre directement à cet e-mail. Votre message apparaîtra alors dans la demande {{reply_ticket}}.",
        ),
        reason="Vous recevez cet e-mail parce que vous traitez des demandes pour {{company_name}}.",
    ),
    "ticket_unsolved": BuiltIn(
        subject="Demande {{ticket_number}}\u00a0: {{ticket_title}}",
        title="La demande {{ticket_number}} n’est pas encore résolue",
        plate=("community", "unit"),
        paragraphs=("La demande «\u00a0{{ticket_title}}\u00a0» n’est pas encore résolue. Le délai prévu est dépassé.",),
        facts=(("Chargé du dossier", "assignee_name"),),
        button="Ouvrir la demande",
        after=(
            "Vous pouvez aussi répondre directement à cet e-mail. Votre message apparaîtra alors dans la demande {{reply_ticket}}.",
        ),
        reason="Vous recevez cet e-mail parce que vous traitez des demandes pour {{company_name}}.",
    ),
    # Short messages have no no-break space: with one they would hold half as much.
    "share_sms": BuiltIn(
        subject="",
        title="",
        paragraphs=("{{company_name}} : votre code pour le document partagé est {{code}}",),
        reason="",
    ),
    "test_sms": BuiltIn(
        subject="",
        title="",
        paragraphs=("{{company_name}} : ceci est un SMS de test. L’envoi fonctionne.",),
        reason="",
    ),
    "test_mail": BuiltIn(
        subject="E-mail de test de {{app_name}}",
        title="L’envoi des e-mails fonctionne",
        paragraphs=("Ce message a été envoyé à titre d’essai. Vous n’avez rien à faire.",),
        reason="Vous recevez cet e-mail parce que quelqu’un a testé l’envoi des e-mails dans {{app_name}}.",
    ),
}
