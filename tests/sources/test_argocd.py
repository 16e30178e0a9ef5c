"""Argo CD: an application's health and its last sync, whole or in flat fields."""

from alertcenter.alerts.severity import CRITICAL, DEBUG, ERROR
from tests.sources import reading


def test_a_failed_sync_is_an_error_though_the_application_is_healthy():
    found = reading.read("argocd", "sync_failed")
    assert found.firing
    assert found.severity == ERROR
    assert found.title == "shop is failed, outofsync"
    assert found.annotations["description"] == "one or more objects failed to apply"
    assert found.link == "https://argocd.example/applications/shop"


def test_flat_fields_close_what_the_whole_application_opened():
    over = reading.read("argocd", "flat_healthy")
    assert not over.firing
    assert over.key == reading.read("argocd", "sync_failed").key


def test_a_degraded_application_is_critical():
    said = reading.payload("argocd", "flat_healthy") | {"health_status": "Degraded"}
    assert reading.event("argocd", said).severity == CRITICAL


def test_a_sync_under_way_closes_nothing():
    said = reading.payload("argocd", "flat_healthy") | {"health_status": "Progressing"}
    found = reading.event("argocd", said)
    assert found.severity == DEBUG
    assert found.key != reading.read("argocd", "flat_healthy").key
