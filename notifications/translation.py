"""Which columns exist once per language? Titles and bodies of templates only."""

from modeltranslation.translator import TranslationOptions, register

from notifications.models import MessageTemplate


@register(MessageTemplate)
class MessageTemplateTranslation(TranslationOptions):
    fields = ("title", "body")
