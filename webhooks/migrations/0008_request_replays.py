"""A replay knows of which request it is one; which requests were answered with a run is found along an index."""

from typing import Any

from django.db import migrations, models

import records.ids

_MARK = "Replay of "


def read_labels(apps: Any, schema_editor: Any) -> None:
    """Until now only the label of a replay's event told."""
    rows = apps.get_model("webhooks", "RequestLog").objects.filter(
        direction="in", actor__isnull=False, event__isnull=False
    )
    for pk, label in rows.values_list("pk", "event__subject_label").iterator():
        text = label.partition(_MARK)[2]
        try:
            records.ids.decode("req", text)
        except ValueError:
            continue
        rows.filter(pk=pk).update(replay_of=text)


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0006_invitations"),
        ("webhooks", "0007_inbound_endpoints"),
    ]

    operations = [
        migrations.AddField(
            model_name="requestlog",
            name="replay_of",
            field=records.ids.TypeIDField("req", null=True),
        ),
        migrations.RunPython(read_labels, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="requestlog",
            index=models.Index(
                condition=models.Q(
                    ("run_id__isnull", False), models.Q(("error_kind", ""), _negated=True)
                ),
                fields=["run_id"],
                name="request_repeat",
            ),
        ),
        migrations.AddIndex(
            model_name="requestlog",
            index=models.Index(
                condition=models.Q(("replay_of__isnull", False)),
                fields=["replay_of"],
                name="request_replay",
            ),
        ),
    ]
