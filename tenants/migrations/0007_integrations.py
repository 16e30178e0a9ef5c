"""Where events come from, and keys of its own for each such place."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import alertcenter.common.ids
import tenants.models.base
import tenants.rls
from tenants.rls import AddTenantForeignKeys, ProtectTable

RESOLVE_KEY = """
DROP FUNCTION resolve_key(text);
CREATE FUNCTION resolve_key(hash text)
RETURNS TABLE (key_id uuid, tenant_id uuid, slug varchar, scopes varchar[], name varchar,
               kind varchar, origin text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT k.id, k.tenant_id, t.slug, k.scopes, k.name, k.kind,
         CASE WHEN i.id IS NOT NULL THEN json_build_object(
           'id', i.id, 'slug', i.slug, 'source', i.source, 'name', i.name,
           'settings', i.settings)::text END
  FROM public.apikey k JOIN public.tenant t ON t.id = k.tenant_id
  LEFT JOIN public.integration i
    ON i.tenant_id = k.tenant_id AND i.id = k.integration_id
  WHERE k.lookup_hash = hash AND k.revoked_at IS NULL
    AND (k.expires_at IS NULL OR k.expires_at > now())
$$;
REVOKE ALL ON FUNCTION resolve_key(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION resolve_key(text) TO ac_app, ac_engine, ac_owner;
ALTER FUNCTION resolve_key(text) OWNER TO ac_resolver;
-- A change of owner turns the old owner's own right into the new one's.
SET LOCAL ROLE ac_resolver;
GRANT EXECUTE ON FUNCTION resolve_key(text) TO ac_owner;
RESET ROLE;
"""

BEFORE = """
DROP FUNCTION resolve_key(text);
CREATE FUNCTION resolve_key(hash text)
RETURNS TABLE (key_id uuid, tenant_id uuid, slug varchar, scopes varchar[], name varchar)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT k.id, k.tenant_id, t.slug, k.scopes, k.name
  FROM public.apikey k JOIN public.tenant t ON t.id = k.tenant_id
  WHERE k.lookup_hash = hash AND k.revoked_at IS NULL
    AND (k.expires_at IS NULL OR k.expires_at > now())
$$;
REVOKE ALL ON FUNCTION resolve_key(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION resolve_key(text) TO ac_app, ac_engine, ac_owner;
ALTER FUNCTION resolve_key(text) OWNER TO ac_resolver;
SET LOCAL ROLE ac_resolver;
GRANT EXECUTE ON FUNCTION resolve_key(text) TO ac_owner;
RESET ROLE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0006_limits"),
    ]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="kind",
            field=models.CharField(
                choices=[
                    ("api", "header"),
                    ("routing", "routing key"),
                    ("url", "address"),
                ],
                default="api",
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.CreateModel(
            name="Integration",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=tenants.models.base.UuidV7(),
                        default=alertcenter.common.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "slug",
                    models.CharField(
                        max_length=50,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9][a-z0-9_-]{0,49}\\Z",
                                "Lower-case letters, digits, hyphens and underscores, please.",
                            )
                        ],
                        verbose_name="short name",
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("source", models.CharField(max_length=40, verbose_name="source")),
                (
                    "settings",
                    models.JSONField(blank=True, default=dict, verbose_name="settings"),
                ),
                (
                    "events",
                    models.BigIntegerField(
                        default=0, editable=False, verbose_name="events"
                    ),
                ),
                (
                    "not_understood",
                    models.BigIntegerField(
                        default=0, editable=False, verbose_name="not understood"
                    ),
                ),
                (
                    "last_event_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="last event"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.tenant",
                        verbose_name="tenant",
                    ),
                ),
            ],
            options={
                "verbose_name": "integration",
                "verbose_name_plural": "integrations",
                "db_table": "integration",
                "ordering": ["name"],
            },
        ),
        migrations.AddField(
            model_name="apikey",
            name="integration",
            field=tenants.rls.TenantForeignKey(
                blank=True,
                db_constraint=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="keys",
                to="tenants.integration",
                verbose_name="integration",
            ),
        ),
        migrations.AddConstraint(
            model_name="integration",
            constraint=models.UniqueConstraint(
                fields=("tenant", "slug"), name="integration_slug"
            ),
        ),
        ProtectTable("Integration", resolver=True),
        AddTenantForeignKeys("ApiKey"),
        migrations.RunSQL(RESOLVE_KEY, BEFORE),
    ]
