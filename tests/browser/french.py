"""Does a page speak French? Every piece of text that a person can read on it."""

from __future__ import annotations

import re

from django.utils.translation import gettext, override
from playwright.sync_api import Frame, Page

# Words of the interface that are no French words, whatever surrounds them.
ENGLISH_WORDS = """
    about acknowledge acknowledged add alert all alphabetically and answer attempts
    back by cannot changed channel changed choose close copy critical dashboard delete
    deliveries delivery drop escalate escalation expires firing from groups has home
    key keys language languages last matches member members nobody now on-call open
    opened owner password policies policy preview priority resolve resolved
    responder retry revoke role rule rules save saved search select send settings
    severity show sign snooze snoozed state step steps switch tenant tenants the this
    timeline unknown user view viewer waiting warning welcome which with you your
"""
ENGLISH = frozenset(ENGLISH_WORDS.split())
CONDITION = re.compile(r'\w+(=~|!~|!=|=)"[^"]*"')  # severity="critical" is notation
WORD = re.compile(r"[A-Za-zÀ-ÿ'-]+")

VISIBLE_TEXTS = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const skipped = "script,style,code,pre,textarea,datalist,[lang]:not(html),"
    + "[translate=no],.labels,.variables dt";
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const parent = node.parentElement;
    if (!parent || parent.closest(skipped)) continue;
    if (parent.tagName !== "OPTION" && !parent.checkVisibility()) continue;
    const text = node.textContent.replace(/\\s+/g, " ").trim();
    if (text) found.push(text);
  }
  for (const name of ["placeholder", "aria-label", "title"])
    for (const element of document.querySelectorAll(`[${name}]`))
      if (element.checkVisibility() && !element.closest(skipped))
        found.push(element.getAttribute(name).trim());
  for (const button of document.querySelectorAll("input[type=submit]"))
    if (button.checkVisibility()) found.push(button.value);
  return found;
}"""


def english_on(page: Page | Frame, content: frozenset[str] = frozenset()) -> list[str]:
    """Return the texts of a page that are English, without `content`, what was
    typed in."""
    return [text for text in page.evaluate(VISIBLE_TEXTS) if is_english(text, content)]


def is_english(text: str, content: frozenset[str]) -> bool:
    """Whether `text` is a source string left untranslated, or has English words."""
    for given in sorted(content, key=len, reverse=True):
        text = text.replace(given, " ")
    bare = CONDITION.sub(" ", text).strip(" :.…*")
    if not bare:
        return False
    with override("fr"):
        if bare != (gettext(bare) or bare):
            return True
    words = {word.lower() for word in WORD.findall(bare)}
    return bool(words & ENGLISH)


def assert_french(page: Page, *content: str) -> None:
    """Fail with the texts of this page that are not French."""
    assert page.locator("html").get_attribute("lang") == "fr", page.url
    left = english_on(page, frozenset(content))
    assert not left, f"{page.url}: {left}"
