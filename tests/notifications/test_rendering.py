"""Messages are worded by the tenant, in the reader's language and zone, always."""

from dataclasses import replace

import pytest
from django.utils import translation

from alertcenter.common.sandbox import compile_source
from notifications import rendering
from notifications.default_templates import WORDINGS, install_templates
from notifications.message import AlertLine, Message
from notifications.models import MessageTemplate
from notifications.samples import sample
from tenants.rls import in_tenant
from tests.notifications.bombs import BOMBS

KINDS = ("firing", "acknowledged", "snoozed", "resolved")
OCCASIONS = (*KINDS, "storm", "reminder")


def words(
    cast, message=None, *, language="en", fallback="en", zone="UTC", channel="slack"
):
    with in_tenant(cast.id):
        return rendering.words(
            cast.id,
            message or sample(),
            channel_kind=channel,
            language=language,
            fallback=fallback,
            time_zone=zone,
        )


def template(cast, **columns):
    with in_tenant(cast.id):
        return MessageTemplate.objects.create(
            tenant_id=cast.id, kind="firing", channel_kind="slack", **columns
        )


# --- languages ---


@pytest.mark.parametrize(
    ("language", "fallback", "said"),
    [
        ("fr", "en", "French"),
        ("en", "fr", "English"),
        ("pt-br", "en", "Brazilian"),
        ("fr-ca", "en", "French"),
        ("ja", "fr", "French"),
        ("ja", "ko", "English"),
        ("", "fr", "French"),
    ],
)
def test_the_wording_is_found_along_the_chain(acme, language, fallback, said):
    template(acme, body_en="English", body_fr="French", body_pt_br="Brazilian")

    assert words(acme, language=language, fallback=fallback).body == said


def test_title_and_body_are_each_found_by_themselves(acme):
    template(acme, title_en="English {{ number }}", body_fr="French")

    found = words(acme, language="fr")

    assert (found.title, found.body) == ("English 1234", "French")


def test_the_language_of_whoever_sends_does_not_matter(acme):
    template(acme, body_en="English", body_de="German")

    with translation.override("de"):
        assert words(acme, language="en").body == "English"


def test_another_tenant_s_wording_is_never_used(acme, globex):
    template(globex, body_en="of globex")

    assert "globex" not in words(acme).body


def test_blank_wording_counts_as_none(acme):
    template(acme, body_en="English", body_fr="  \n ")

    assert words(acme, language="fr").body == "English"


# --- zones and formats ---


@pytest.mark.parametrize(
    ("language", "zone", "said"),
    [
        ("fr", "Europe/Paris", "2 mars 2026, 09:14 UTC+1"),
        ("fr", "America/New_York", "2 mars 2026, 03:14 HNE"),
        ("en", "America/New_York", "Mar 2, 2026, 3:14 AM EST"),
        ("de", "Europe/Paris", "02.03.2026, 09:14 MEZ"),
    ],
)
def test_times_are_the_reader_s(acme, language, zone, said):
    template(acme, body_en="{{ opened_at }}")

    body = words(acme, language=language, zone=zone).body

    assert body.replace("\u202f", " ") == said


# --- caches ---


def test_an_edited_wording_is_used_at_once(acme):
    row = template(acme, body_en="old")
    assert words(acme).body == "old"

    with in_tenant(acme.id):
        row.body_en, row.revision = "new", row.revision + 1
        row.save()

    assert words(acme).body == "new"


# --- nothing stops a page ---


@pytest.mark.parametrize(
    "name", ["tilde", "doubled_equal", "loops_over_much", "macro", "parentheses"]
)
def test_a_harmful_template_is_answered_by_plain_facts(acme, name):
    template(acme, title_en="{{ title }}", body_en=BOMBS[name])

    said = words(acme)

    assert said.problem
    assert said.title == "DiskWillFillIn4Hours"
    assert "The disk /var on db-3 will be full in 4 hours." in said.body


@pytest.mark.parametrize("kind", [*KINDS, "unheard_of"])
@pytest.mark.parametrize("channel", ["slack", "email", "pigeon"])
def test_without_any_template_something_is_said(acme, kind, channel):
    said = words(acme, sample(kind), channel=channel)

    assert "DiskWillFillIn4Hours" in said.title
    assert not said.problem


def test_a_huge_alert_does_not_break_an_honest_template(acme):
    labels = {f"label_{n}": "x" * 3_000 for n in range(60)}
    line = AlertLine(
        title="t" * 9_000,
        severity=5,
        state="firing",
        labels=labels,
        summary="s" * 50_000,
        description="d" * 50_000,
    )
    message = replace(sample(), title="t" * 9_000, alerts=(line,) * 10, alert_count=10)

    for kind in KINDS:
        for channel in ("slack", "email"):
            said = words(acme, replace(message, kind=kind), channel=channel)
            assert not said.problem


def test_a_title_is_one_line(acme):
    template(acme, title_en="a\r\nBcc: eve@example.com\n{{ title }}")

    assert words(acme).title == "a Bcc: eve@example.com DiskWillFillIn4Hours"


def test_wording_in_an_alert_is_text_and_no_template(acme):
    template(acme, body_en="{{ title }}")

    said = words(acme, replace(sample(), title="{{ 7 * 7 }}{% for %}"))

    assert said.body == "{{ 7 * 7 }}{% for %}"


# --- our own wordings ---


@pytest.mark.parametrize("language", ["en", "fr", "de"])
@pytest.mark.parametrize("kind", OCCASIONS)
@pytest.mark.parametrize("channel", ["slack", "email"])
def test_our_own_wordings_work(channel, kind, language):
    for source in WORDINGS[channel, kind][language]:
        facts = rendering.context(sample(kind), language, "Europe/Paris")
        assert compile_source(source).render(facts).strip()


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "The silence “new disks” ends at "),
        ("fr", "Le silence « new disks » se termine le "),
        ("de", "Die Stummschaltung „new disks“ endet am "),
    ],
)
def test_an_owner_reads_of_the_end_of_a_silence_in_their_language(
    acme, language, title
):
    stored = Message.from_json(sample("reminder").to_json())
    found = words(acme, stored, language=language, channel="email")
    assert found.title.startswith(title)
    assert 'cluster="eu-west"' in found.body
    assert found.body.endswith("new disks")


def test_templates_are_installed_once(acme):
    with in_tenant(acme.id):
        assert install_templates(acme.id) == len(WORDINGS)
        MessageTemplate.objects.filter(kind="firing").update(title_fr="changed")
        assert install_templates(acme.id) == 0
        rows = MessageTemplate.objects.filter(tenant_id=acme.id)
        assert rows.count() == len(WORDINGS)
        assert set(rows.filter(kind="firing").values_list("title_fr", flat=True)) == {
            "changed"
        }


def test_installed_templates_say_what_the_built_in_ones_say(acme):
    before = [words(acme, sample(kind), language="fr").body for kind in KINDS]
    with in_tenant(acme.id):
        install_templates(acme.id)

    assert [words(acme, sample(kind), language="fr").body for kind in KINDS] == before


# --- for whoever writes templates ---


def test_a_wrong_template_is_refused_with_a_reason():
    assert rendering.validate_template("{{ title }}") is None
    assert "Line 1" in (rendering.validate_template("{{ title ") or "")
    assert rendering.validate_template(BOMBS["repeat"])


def test_a_template_that_only_fails_when_run_is_refused_as_well():
    assert rendering.validate_template("{{ title + 1 }}")


def test_a_preview_says_what_is_not_saved_yet():
    said = rendering.preview(
        "{{ title }}!",
        "{{ severity.label }}",
        kind="firing",
        language="en",
        time_zone="UTC",
    )

    assert (said.title, said.body, said.problem) == (
        "DiskWillFillIn4Hours!",
        "Error",
        "",
    )


def test_a_preview_of_a_broken_template_says_why():
    said = rendering.preview(
        "{{ title", "", kind="firing", language="en", time_zone="UTC"
    )

    assert "Line 1" in said.problem
