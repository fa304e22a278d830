import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("automations", "0003_due_watches"),
    ]

    operations = [
        migrations.CreateModel(
            name="MailTemplate",
            fields=[
                (
                    "id",
                    models.CharField(
                        help_text="Steps name the template by it, so it stays as it is.",
                        max_length=50,
                        primary_key=True,
                        serialize=False,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z][a-z0-9_-]*\\Z",
                                "Start with a small letter; use only small letters, digits, hyphens and underscores.",
                            )
                        ],
                        verbose_name="id",
                    ),
                ),
                (
                    "name",
                    models.CharField(help_text="For people: “Welcome mail”.", max_length=80),
                ),
                ("subject", models.CharField(max_length=500)),
                ("body", models.TextField()),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={"ordering": ["name"]},
        ),
    ]
