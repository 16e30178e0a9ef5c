"""What is said on the telephone, and which keys does it offer?

https://www.twilio.com/docs/voice/twiml - documents that Twilio reads out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from django.utils.translation import gettext as _
from django.utils.translation import override

from notifications import localize
from notifications.channels import gsm
from notifications.channels.base import Parcel

Element = ElementTree.Element

# https://www.twilio.com/docs/voice/twiml/say takes 4,096; nobody listens so long.
MOST_LETTERS = 600
# https://www.twilio.com/docs/voice/twiml/gather
GATHER_SECONDS = 10
TIMES = 2  # how often the keys are offered before we hang up
# https://www.twilio.com/docs/voice/twiml/say/text-speech#available-voices-and-languages
VOICES: Mapping[str, str] = {
    "en": "Polly.Joanna",
    "fr": "Polly.Lea",
    "de": "Polly.Vicki",
}
LOCALES: Mapping[str, str] = {
    "en": "en-US", "fr": "fr-FR", "de": "de-DE", "es": "es-ES", "it": "it-IT",
    "pt": "pt-PT", "nl": "nl-NL", "pl": "pl-PL", "sv": "sv-SE", "da": "da-DK",
    "nb": "nb-NO", "fi": "fi-FI", "ru": "ru-RU", "ja": "ja-JP", "ko": "ko-KR",
    "zh": "zh-CN", "pt-br": "pt-BR", "en-gb": "en-GB", "fr-ca": "fr-CA",
}  # fmt: skip
ACKNOWLEDGE, RESOLVE, REPEAT = "4", "6", "9"
KEYS: Mapping[str, str] = {
    ACKNOWLEDGE: "acknowledge",
    "1": "acknowledge",
    RESOLVE: "resolve",
}
LINK = re.compile(r"https?://\S+")


def spoken(parcel: Parcel) -> str:
    """Return what is read out: the tenant's words without what only eyes can use."""
    text = " ".join(f"{parcel.title}\n{parcel.body}".split("\n"))
    text = " ".join(LINK.sub("", gsm.plain(text)).split())
    return text if len(text) <= MOST_LETTERS else text[:MOST_LETTERS].rstrip() + "."


def menu(parcel: Parcel) -> str:
    """Return which key does what, in the reader's language."""
    acts = parcel.message.actions
    with override(localize.interface_language(parcel.language)):
        lines = []
        if "acknowledge" in acts:
            lines.append(_("To acknowledge, press 4."))
        if "resolve" in acts:
            lines.append(_("To resolve, press 6."))
        lines.append(_("To hear this again, press 9."))
    return " ".join(lines)


def page(parcel: Parcel, action: str, *, first: str = "") -> str:
    """Return the document of a call: the alert, and keys that are sent to `action`.

    `first`: what is said before, such as that somebody has acknowledged meanwhile.
    """
    root = Element("Response")
    say(root, first, parcel.language)
    for turn in range(TIMES):
        gather = ElementTree.SubElement(
            root,
            "Gather",
            {
                "action": action,
                "method": "POST",
                "input": "dtmf",
                "numDigits": "1",
                "timeout": str(GATHER_SECONDS),
            },
        )
        if turn == 0:
            say(gather, spoken(parcel), parcel.language)
        say(gather, menu(parcel), parcel.language)
    return ended(root, parcel.language)


def said(texts: Sequence[str], language: str, *, times: int = 1) -> str:
    """Return a document that says these and hangs up."""
    root = Element("Response")
    for text in texts:
        say(root, text, language, times=times)
    return ended(root, language)


def ended(root: Element, language: str) -> str:
    with override(localize.interface_language(language)):
        say(root, _("Goodbye."), language)
    ElementTree.SubElement(root, "Hangup")
    return text_of(root)


def say(parent: Element, text: str, language: str, *, times: int = 1) -> None:
    """Add words in a voice that speaks the language."""
    if not text:
        return
    code = language.lower()
    base = code.split("-")[0]
    marks = {"language": LOCALES.get(code) or LOCALES.get(base) or LOCALES["en"]}
    if base in VOICES and marks["language"] == LOCALES[base]:
        marks["voice"] = VOICES[base]
    if times > 1:
        marks["loop"] = str(times)
    ElementTree.SubElement(parent, "Say", marks).text = text


def message(text: str) -> str:
    """Return the document that answers a text message; with "", says nothing."""
    root = Element("Response")
    if text:
        ElementTree.SubElement(root, "Message").text = gsm.fitted(text, "", [])
    return text_of(root)


def text_of(root: Element) -> str:
    declaration = '<?xml version="1.0" encoding="UTF-8"?>'
    return declaration + ElementTree.tostring(root, encoding="unicode")
