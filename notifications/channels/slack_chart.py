"""How does a chart of a metric reach the thread of its group?

By Slack's upload in two steps, which slack_sdk calls files_upload_v2:
https://docs.slack.dev/messaging/working-with-files#upload
Whatever goes wrong stays here: the page has left already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from notifications import chart_data, chart_drawing, localize
from notifications.channels import http
from notifications.channels.base import DeliveryError, Parcel, Receipt, Setting
from notifications.channels.slack_api import told_apart, web_client
from notifications.chart_data import NoChart

ADDRESS, TOKEN = "prometheus_url", "prometheus_token"
# Three calls, and the query before them, within the time of a lease.
UPLOAD_SECONDS = 6.0
# https://docs.slack.dev/reference/methods/files.getUploadURLExternal
ALT_CHARS = 1_000
TITLE_CHARS = 200


def send(parcel: Parcel) -> Receipt:
    """Draw and upload, once. Raises DeliveryError, for good unless Slack asks to
    wait."""
    thread = parcel.thread
    if settings.SIMULATION:
        return Receipt(answer="nothing is asked of Prometheus in simulation")
    if thread is None or parcel.may_be_a_repeat:
        raise DeliveryError("no thread, or it may be there already", permanent=True)
    picture = drawn(parcel)
    about = " ".join(parcel.message.title.split())[:TITLE_CHARS]
    try:
        with told_apart():
            client = web_client(
                parcel.tenant_id, parcel.settings, parcel.secret, seconds=UPLOAD_SECONDS
            )
            answer = client.files_upload_v2(
                content=picture,
                filename=f"alert-{parcel.message.number}.png",
                title=about,
                alt_txt=described(parcel)[:ALT_CHARS],
                channel=thread.channel,
                thread_ts=thread.ts,
            )
    except DeliveryError as error:
        later = error.retry_after is not None and not error.ambiguous
        raise DeliveryError(
            f"chart: {error.reason}",
            permanent=not later,
            retry_after=error.retry_after if later else None,
        ) from error
    file_id = str((answer.get("file") or {}).get("id", ""))
    return Receipt(provider_id=file_id, answer=f"ok, {len(picture)} bytes")


def drawn(parcel: Parcel) -> bytes:
    """Return the chart. Raises DeliveryError, for good."""
    expression = parcel.message.chart.get("expr", "")
    address = str(parcel.settings.get(ADDRESS) or "")
    if not expression or not address:
        raise DeliveryError("there is no metric to draw", permanent=True)
    try:
        series = chart_data.fetch(address, parcel.secret.get(TOKEN, ""), expression)
    except NoChart as error:
        raise DeliveryError(f"chart: {error}", permanent=True) from error
    with override(localize.interface_language(parcel.language)):
        more = _("and %(n)s more")
    return chart_drawing.draw(
        series, title=expression, time_zone=parcel.time_zone, more=more
    )


def described(parcel: Parcel) -> str:
    """Return the chart in words, for who cannot see it."""
    with override(localize.interface_language(parcel.language)):
        return _("Chart of the last hour: %(expression)s") % {
            "expression": parcel.message.chart.get("expr", "")
        }


def moved(given: Mapping[str, Any], held: Mapping[str, str]) -> dict[str, Any]:
    """A stored token is shown to no other server than that it was given for."""
    before = str((given.get("stored") or {}).get(ADDRESS) or "")
    now = str(given.get(ADDRESS) or "")
    # Also where there was no address: it may have been taken away only just now.
    other = now and chart_data.host_of(before) != chart_data.host_of(now)
    if other and held.get(TOKEN) and not given.get(TOKEN):
        return {TOKEN: _("The server is another: give the token again.")}
    return {}


SETTINGS = (
    Setting(
        ADDRESS,
        gettext_lazy("Prometheus, for charts"),
        gettext_lazy(
            "Its address, such as https://prometheus.example. Then a chart of the last "
            "hour follows each page whose alert names its expression."
        ),
        check=http.a_url,
    ),
    Setting(
        TOKEN,
        gettext_lazy("Prometheus's bearer token"),
        gettext_lazy("If it asks for one."),
        secret=True,
    ),
)
