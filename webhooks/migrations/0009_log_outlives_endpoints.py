"""The request log stays when an endpoint is deleted, and knows its name."""

import django.db.models.deletion
from django.db import migrations, models

import records.ids


class Migration(migrations.Migration):
    dependencies = [
        ("webhooks", "0008_request_replays"),
    ]

    operations = [
        migrations.CreateModel(
            name="FormerEndpoint",
            fields=[
                ("id", records.ids.TypeIDField("in", primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=120)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("inspector", "Inspector"),
                            ("automation", "Automation"),
                            ("form", "Form"),
                        ],
                        max_length=10,
                    ),
                ),
                ("deleted_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={"ordering": ["-deleted_at"]},
        ),
        migrations.AlterField(
            model_name="requestlog",
            name="endpoint",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="requests",
                to="webhooks.inboundendpoint",
            ),
        ),
        migrations.AlterField(
            model_name="arrival",
            name="endpoint",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="arrivals",
                to="webhooks.inboundendpoint",
            ),
        ),
    ]
