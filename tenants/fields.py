"""How does a model keep a secret? `EncryptedField`, write-only by habit."""

from __future__ import annotations

from typing import Any

from django.db import models

from tenants import keyring


class Sealed(bytes):
    """The stored form of a secret; prints as dots."""

    def __repr__(self) -> str:
        return "••••"

    __str__ = __repr__


class EncryptedField(models.BinaryField):
    """Text sealed under the tenant's key; assign str, read with `reveal`."""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = getattr(model_instance, self.attname)
        if isinstance(value, str):
            value = self._seal(model_instance, value)
            setattr(model_instance, self.attname, value)
        return value

    def from_db_value(self, value: Any, *_: Any) -> Sealed | None:
        return None if value is None else Sealed(bytes(value))

    def reveal(self, row: Any) -> str:
        """Return the secret of `row`; "" when there is none."""
        value = getattr(row, self.attname)
        if not value:
            return ""
        if isinstance(value, str):
            return value
        return keyring.unseal(row.tenant_id, bytes(value), self._place(row))

    def _seal(self, row: Any, value: str) -> Sealed | None:
        if not value:
            return None
        return Sealed(keyring.seal(row.tenant_id, value, self._place(row)))

    def _place(self, row: Any) -> bytes:
        return keyring.place_of(
            row.tenant_id, row._meta.db_table, str(self.column), row.pk
        )


def reveal(row: models.Model, field: str) -> str:
    """Return the secret held in `field` of `row` (needs the tenant's context)."""
    definition = row._meta.get_field(field)
    assert isinstance(definition, EncryptedField)
    return definition.reveal(row)
