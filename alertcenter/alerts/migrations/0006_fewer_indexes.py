"""What an event writes on its way in, and nothing more; docs/adr/0004 has the figures.

Contiguous alerts repeat together: only with room for all of a page's rows on that page
does every repeat stay in place (HOT), hence the low fillfactor. New labels wait in a
list of up to 64 MB until `tidy` sorts them into the index, away from the senders.
"""

import django.db.models.deletion
from django.db import migrations, models

# The owner's right, lent for this one thing.
TIDY = """
CREATE FUNCTION ac_tidy_labels() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS
$$ SELECT gin_clean_pending_list('public.alert_labels'::regclass) $$;
REVOKE ALL ON FUNCTION ac_tidy_labels() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ac_tidy_labels() TO ac_engine
"""


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0005_group_resolved"),
        ("tenants", "0004_homes"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="alert",
            name="alert_fingerprint",
        ),
        migrations.RemoveIndex(
            model_name="episode",
            name="episode_id",
        ),
        migrations.RemoveIndex(
            model_name="transition",
            name="transition_group",
        ),
        migrations.RemoveIndex(
            model_name="transition",
            name="transition_alert",
        ),
        migrations.AlterField(
            model_name="alert",
            name="tenant",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="tenants.tenant",
                verbose_name="tenant",
            ),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(
                condition=models.Q(("fingerprint", ""), _negated=True),
                fields=["tenant", "fingerprint"],
                name="alert_fingerprint",
            ),
        ),
        migrations.AddIndex(
            model_name="transition",
            index=models.Index(
                condition=models.Q(("group_id__isnull", False)),
                fields=["tenant", "group_id", "id"],
                name="transition_group",
            ),
        ),
        migrations.AddIndex(
            model_name="transition",
            index=models.Index(
                condition=models.Q(("alert_id__isnull", False)),
                fields=["tenant", "alert_id", "id"],
                name="transition_alert",
            ),
        ),
        migrations.RunSQL(
            "ALTER TABLE alert SET (fillfactor = 50);"
            "ALTER INDEX alert_labels SET (gin_pending_list_limit = 65536);"
            # Nothing refers to a row of the queue.
            "ALTER TABLE feed DROP CONSTRAINT feed_in_tenant",
            "ALTER TABLE alert SET (fillfactor = 85);"
            "ALTER INDEX alert_labels RESET (gin_pending_list_limit);"
            "ALTER TABLE feed ADD CONSTRAINT feed_in_tenant UNIQUE (tenant_id, id)",
        ),
        migrations.RunSQL(TIDY, "DROP FUNCTION ac_tidy_labels()"),
    ]
