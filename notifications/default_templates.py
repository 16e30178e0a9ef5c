"""In which words does a new tenant speak? The built-in wordings, in three languages.

They serve three times: copied into a new tenant's templates, used where a tenant has
none, and as examples of what a template can say.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from notifications.models import MessageTemplate

Wording = tuple[str, str]  # title, body

SUMMARY = """\
{% if alert_count == 1 %}
{% if alerts[0].summary != title %}
{{ alerts[0].summary }}
{% endif %}
{% if alerts[0].description and alerts[0].description != alerts[0].summary %}
{{ alerts[0].description }}
{% endif %}
{% endif %}
"""
# Of one alert all labels tell something; of many, those they have in common.
LABELS = (
    "{% if alert_count == 1 %}{{ alerts[0].labels }}{% else %}{{ labels }}{% endif %}"
)
TITLE = "{{ title }}"

# Of a storm: the funnel, and what most of it has in common.
STORM: Mapping[str, Wording] = {
    "en": (
        "Storm on {{ route }}: {{ groups }} groups",
        "{{ alert_count }} alerts in {{ groups }} groups; {{ open_groups }} still "
        "fire. Nobody is told of each of them while the storm lasts.\n\n"
        "{% for top in top_labels %}{{ top.label }}: {{ top.groups }}\n{% endfor %}",
    ),
    "fr": (
        "Tempête sur {{ route }} : {{ groups }} groupes",
        "{{ alert_count }} alertes en {{ groups }} groupes ; {{ open_groups }} encore "
        "actifs. Tant que dure la tempête, personne n'est prévenu de chacun.\n\n"
        "{% for top in top_labels %}{{ top.label }} : {{ top.groups }}\n{% endfor %}",
    ),
    "de": (
        "Sturm auf {{ route }}: {{ groups }} Gruppen",
        "{{ alert_count }} Alarme in {{ groups }} Gruppen; {{ open_groups }} davon "
        "aktiv. Solange der Sturm dauert, wird niemand zu jeder einzelnen gerufen.\n\n"
        "{% for top in top_labels %}{{ top.label }}: {{ top.groups }}\n{% endfor %}",
    ),
}

# What one place had no room for one by one.
LISTED = (
    "{% for alert in alerts %}{{ alert.severity.label }}: {{ alert.title }}"
    " {{ alert.link }}\n{% endfor %}"
)
DIGEST: Mapping[str, Wording] = {
    "en": (
        "{{ alert_count }} groups in one message",
        "More came than can be said here one by one.\n\n" + LISTED,
    ),
    "fr": (
        "{{ alert_count }} groupes en un message",
        "Il en est venu plus qu'on ne peut en dire ici un par un.\n\n" + LISTED,
    ),
    "de": (
        "{{ alert_count }} Gruppen in einer Nachricht",
        "Es kamen mehr, als hier einzeln gesagt werden können.\n\n" + LISTED,
    ),
}
# To its owner, of a silence that is about to end.
REMINDER: Mapping[str, Wording] = {
    "en": (
        "The silence “{{ silence }}” ends at {{ ends_at }}",
        "What still fires then is told again at once. If it is to stay quiet, let the "
        "silence hold longer.\n\n{{ conditions }}\n{{ comment }}",
    ),
    "fr": (
        "Le silence « {{ silence }} » se termine le {{ ends_at }}",
        "Ce qui est encore actif à ce moment sera aussitôt annoncé. Pour que cela "
        "reste muet, prolongez le silence.\n\n{{ conditions }}\n{{ comment }}",
    ),
    "de": (
        "Die Stummschaltung „{{ silence }}“ endet am {{ ends_at }}",
        "Was dann noch aktiv ist, wird sofort gemeldet. Soll es still bleiben, "
        "verlängern Sie die Stummschaltung.\n\n{{ conditions }}\n{{ comment }}",
    ),
}

# Of a schedule, to whom it concerns: the lines come in the recipient's language.
LINES = "{% for alert in alerts %}{{ alert.title }}\n{% endfor %}"
ROTA: Mapping[str, Wording] = dict.fromkeys(("en", "fr", "de"), ("{{ title }}", LINES))

# One short line that says most if it is cut: number, severity, title.
SHORT_TITLE = "#{{ number }} {{ severity.label }}: {{ title }}"
SHORT = """\
{% if alert_count == 1 %}
{% if alerts[0].summary != title %}
{{ alerts[0].summary }}
{% endif %}
{% else %}
"""
SHORT_EN = SHORT + "{{ alert_count }} alerts\n{% endif %}"
SHORT_FR = SHORT + "{{ alert_count }} alertes\n{% endif %}"
SHORT_DE = SHORT + "{{ alert_count }} Alarme\n{% endif %}"
SHORT_LIST = "{% for alert in alerts %}{{ alert.title }}. {% endfor %}"
SHORT_DIGEST: Mapping[str, Wording] = {
    "en": ("{{ alert_count }} groups in one message.", SHORT_LIST),
    "fr": ("{{ alert_count }} groupes en un message.", SHORT_LIST),
    "de": ("{{ alert_count }} Gruppen in einer Nachricht.", SHORT_LIST),
}
SHORT_REMINDER: Mapping[str, Wording] = {
    language: (title, "") for language, (title, _body) in REMINDER.items()
}
SMS: Mapping[str, Mapping[str, Wording]] = {
    "digest": SHORT_DIGEST,
    "reminder": SHORT_REMINDER,
    "rota": ROTA,
    "firing": {
        "en": (SHORT_TITLE, SHORT_EN),
        "fr": (SHORT_TITLE, SHORT_FR),
        "de": (SHORT_TITLE, SHORT_DE),
    },
    "acknowledged": {
        "en": ("#{{ number }} acknowledged by {{ actor }}: {{ title }}", ""),
        "fr": ("#{{ number }} pris en charge par {{ actor }} : {{ title }}", ""),
        "de": ("#{{ number }} übernommen von {{ actor }}: {{ title }}", ""),
    },
    "snoozed": {
        "en": ("#{{ number }} snoozed until {{ snooze_until }}: {{ title }}", ""),
        "fr": ("#{{ number }} en veille jusqu'au {{ snooze_until }} : {{ title }}", ""),
        "de": ("#{{ number }} zurückgestellt bis {{ snooze_until }}: {{ title }}", ""),
    },
    "resolved": {
        "en": ("#{{ number }} resolved after {{ duration }}: {{ title }}", ""),
        "fr": ("#{{ number }} résolu après {{ duration }} : {{ title }}", ""),
        "de": ("#{{ number }} gelöst nach {{ duration }}: {{ title }}", ""),
    },
    "storm": {
        "en": (
            "Storm on {{ route }}: {{ groups }} groups",
            "{{ alert_count }} alerts; {{ open_groups }} groups still fire",
        ),
        "fr": (
            "Tempête sur {{ route }} : {{ groups }} groupes",
            "{{ alert_count }} alertes ; {{ open_groups }} groupes encore actifs",
        ),
        "de": (
            "Sturm auf {{ route }}: {{ groups }} Gruppen",
            "{{ alert_count }} Alarme; {{ open_groups }} Gruppen noch aktiv",
        ),
    },
}

# Read out by a machine: whole sentences without signs.
VOICE: Mapping[str, Mapping[str, Wording]] = {
    "digest": SHORT_DIGEST,
    "reminder": SHORT_REMINDER,
    "rota": ROTA,
    "firing": {
        "en": ("{{ severity.label }} alert at {{ tenant }}: {{ title }}.", SHORT_EN),
        "fr": (
            "Alerte {{ severity.label }} chez {{ tenant }} : {{ title }}.",
            SHORT_FR,
        ),
        "de": ("Alarm bei {{ tenant }}, {{ severity.label }}: {{ title }}.", SHORT_DE),
    },
    "acknowledged": {
        "en": ("{{ actor }} has acknowledged {{ title }}.", ""),
        "fr": ("{{ actor }} prend en charge {{ title }}.", ""),
        "de": ("{{ actor }} hat {{ title }} übernommen.", ""),
    },
    "snoozed": {
        "en": ("{{ title }} is snoozed until {{ snooze_until }}.", ""),
        "fr": ("{{ title }} est en veille jusqu'au {{ snooze_until }}.", ""),
        "de": ("{{ title }} ist zurückgestellt bis {{ snooze_until }}.", ""),
    },
    "resolved": {
        "en": ("{{ title }} was resolved after {{ duration }}.", ""),
        "fr": ("{{ title }} a été résolu après {{ duration }}.", ""),
        "de": ("{{ title }} wurde nach {{ duration }} gelöst.", ""),
    },
    "storm": {
        "en": (
            "Storm at {{ tenant }} on {{ route }}: {{ groups }} groups.",
            "{{ alert_count }} alerts. {{ open_groups }} groups still fire.",
        ),
        "fr": (
            "Tempête chez {{ tenant }} sur {{ route }} : {{ groups }} groupes.",
            "{{ alert_count }} alertes. {{ open_groups }} groupes encore actifs.",
        ),
        "de": (
            "Sturm bei {{ tenant }} auf {{ route }}: {{ groups }} Gruppen.",
            "{{ alert_count }} Alarme. {{ open_groups }} Gruppen noch aktiv.",
        ),
    },
}

WORDINGS: Mapping[tuple[str, str], Mapping[str, Wording]] = {
    **{("voice", occasion): wordings for occasion, wordings in VOICE.items()},
    **{("sms", occasion): wordings for occasion, wordings in SMS.items()},
    ("slack", "firing"): {
        "en": (TITLE, SUMMARY + LABELS),
        "fr": (TITLE, SUMMARY + LABELS),
        "de": (TITLE, SUMMARY + LABELS),
    },
    ("slack", "acknowledged"): {
        "en": (TITLE, SUMMARY + LABELS),
        "fr": (TITLE, SUMMARY + LABELS),
        "de": (TITLE, SUMMARY + LABELS),
    },
    ("slack", "snoozed"): {
        "en": (TITLE, SUMMARY + LABELS),
        "fr": (TITLE, SUMMARY + LABELS),
        "de": (TITLE, SUMMARY + LABELS),
    },
    ("slack", "resolved"): {
        "en": (TITLE, "Resolved after {{ duration }}."),
        "fr": (TITLE, "Résolu après {{ duration }}."),
        "de": (TITLE, "Gelöst nach {{ duration }}."),
    },
    ("slack", "digest"): DIGEST,
    ("email", "digest"): DIGEST,
    ("slack", "storm"): STORM,
    ("email", "storm"): STORM,
    ("slack", "reminder"): REMINDER,
    ("email", "reminder"): REMINDER,
    ("slack", "rota"): ROTA,
    ("email", "rota"): ROTA,
    ("email", "firing"): {
        "en": (
            "{{ severity.label }}: {{ title }}",
            "{{ title }} has been firing since {{ opened_at }}.\n" + SUMMARY,
        ),
        "fr": (
            "{{ severity.label }} : {{ title }}",
            "{{ title }} est actif depuis le {{ opened_at }}.\n" + SUMMARY,
        ),
        "de": (
            "{{ severity.label }}: {{ title }}",
            "{{ title }} ist aktiv seit {{ opened_at }}.\n" + SUMMARY,
        ),
    },
    ("email", "acknowledged"): {
        "en": (
            "Acknowledged: {{ title }}",
            "{% if actor %}{{ actor }} is taking care of {{ title }}."
            "{% else %}{{ title }} has been acknowledged.{% endif %}\n\n" + SUMMARY,
        ),
        "fr": (
            "Pris en charge : {{ title }}",
            "{% if actor %}{{ actor }} prend en charge {{ title }}."
            "{% else %}{{ title }} est pris en charge.{% endif %}\n\n" + SUMMARY,
        ),
        "de": (
            "Übernommen: {{ title }}",
            "{% if actor %}{{ actor }} kümmert sich um {{ title }}."
            "{% else %}{{ title }} ist übernommen.{% endif %}\n\n" + SUMMARY,
        ),
    },
    ("email", "snoozed"): {
        "en": (
            "Snoozed: {{ title }}",
            "{{ title }} is snoozed until {{ snooze_until }}.\n" + SUMMARY,
        ),
        "fr": (
            "En veille : {{ title }}",
            "{{ title }} est en veille jusqu'au {{ snooze_until }}.\n" + SUMMARY,
        ),
        "de": (
            "Zurückgestellt: {{ title }}",
            "{{ title }} ist zurückgestellt bis {{ snooze_until }}.\n" + SUMMARY,
        ),
    },
    ("email", "resolved"): {
        "en": (
            "Resolved: {{ title }}",
            "{{ title }} was resolved at {{ resolved_at }}, after {{ duration }}.",
        ),
        "fr": (
            "Résolu : {{ title }}",
            "{{ title }} a été résolu le {{ resolved_at }}, après {{ duration }}.",
        ),
        "de": (
            "Gelöst: {{ title }}",
            "{{ title }} wurde am {{ resolved_at }} nach {{ duration }} gelöst.",
        ),
    },
}


def install_templates(tenant_id: UUID) -> int:
    """Write the templates that a tenant lacks; return how many. Needs its context."""
    rows = [
        MessageTemplate(
            tenant_id=tenant_id,
            channel_kind=channel_kind,
            kind=kind,
            **{
                f"{field}_{language}": text
                for language, wording in wordings.items()
                for field, text in zip(("title", "body"), wording, strict=True)
            },
        )
        for (channel_kind, kind), wordings in WORDINGS.items()
        if not MessageTemplate.objects.filter(
            tenant_id=tenant_id, channel_kind=channel_kind, kind=kind
        ).exists()
    ]
    MessageTemplate.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)
