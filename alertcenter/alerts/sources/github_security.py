"""What do GitHub's security alerts and advisories say? For the adapter of GitHub.

https://docs.github.com/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import Data, event, joined
from alertcenter.alerts.sources.shapes import first, moment

NAME = "github"
DAY = 24 * 3600
CLOSED = (
    "fixed", "dismissed", "closed_by_user", "resolved", "closed", "auto_dismissed",
    "appeared_in_branch_fixed", "dismiss", "resolve", "withdrawn", "merged", "deleted",
)  # fmt: skip


def security(data: Data, kind: str, alert: Data, repository: str) -> Event:
    """Return a Dependabot, code-scanning or secret-scanning alert."""
    action = first(data, "action").lower()
    state = first(alert, "state", "most_recent_instance.state").lower()
    package = first(
        alert,
        "dependency.package.name",
        "security_vulnerability.package.name",
        "affected_package_name",
    )
    # A place where a secret was found belongs to the secret's own alert.
    kind = kind.removesuffix("_location")
    what = first(
        alert, "security_advisory.summary", "rule.description", "secret_type_display_name",
        "secret_type", "rule.name", "rule.id", "external_identifier",
    )  # fmt: skip
    number = first(alert, "number", "id", "ghsa_id")
    # Without the header, these tell the kinds of alerts apart.
    if kind == "alert":
        kind = (
            "code_scanning_alert"
            if "rule" in alert
            else "dependabot_alert"
            if package
            else "secret_scanning_alert"
        )
    word = first(
        alert, "security_advisory.severity", "security_vulnerability.severity",
        "rule.security_severity_level", "severity", "rule.severity",
    ).lower()  # fmt: skip
    default = "critical" if kind.startswith("secret") else "warning"
    return event(
        NAME,
        title=f"{what or kind.replace('_', ' ')} in {repository}"
        + (f" ({package})" if package else ""),
        key=joined(kind, repository, number),
        firing=action not in CLOSED
        and state not in ("fixed", "dismissed", "closed", "resolved", "auto_dismissed"),
        severity={"": default, "none": "info", "note": "info"}.get(word, word),
        labels={
            "alertname": kind,
            "repository": repository,
            "package": package,
            "rule": first(alert, "rule.id"),
            "tool": first(alert, "tool.name"),
        },
        annotations={
            "description": first(
                alert,
                "security_advisory.description",
                "rule.full_description",
                "rule.description",
            )[:4000],
            "cve": first(alert, "security_advisory.cve_id"),
            "fixed_in": first(
                alert,
                "security_vulnerability.first_patched_version.identifier",
                "fixed_in",
            ),
            "ref": first(data, "ref") or first(alert, "most_recent_instance.ref"),
            "path": first(alert, "most_recent_instance.location.path")
            or first(alert, "dependency.manifest_path"),
            "author": first(data, "sender.login"),
        },
        link=first(alert, "html_url", "external_reference"),
        starts_at=moment(first(alert, "created_at")),
        ends_at=moment(
            first(alert, "fixed_at", "dismissed_at", "resolved_at", "updated_at")
        ),
    )


def advisory(data: Data, kind: str, found: Data, repository: str) -> Event:
    """Return what GitHub publishes about a package, or a repository about itself."""
    return event(
        NAME,
        title=first(found, "summary") or "Security advisory",
        key=joined("advisory", first(found, "ghsa_id")),
        firing=first(data, "action") != "withdrawn"
        and first(found, "state") not in ("withdrawn", "closed"),
        severity=first(found, "severity", "cvss_severity"),
        labels={
            "alertname": kind,
            "ghsa": first(found, "ghsa_id"),
            "repository": repository,
            "package": first(found, "vulnerabilities.0.package.name"),
        },
        annotations={
            "description": first(found, "description")[:4000],
            "cve": first(found, "cve_id"),
            "fixed_in": first(
                found, "vulnerabilities.0.first_patched_version.identifier"
            ),
        },
        link=first(found, "html_url", "references.0.url"),
        starts_at=moment(first(found, "published_at")),
        ends_at=moment(first(found, "withdrawn_at")),
        ttl_seconds=7 * DAY,
    )
