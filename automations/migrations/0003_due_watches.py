import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('automations', '0002_told_of_failures'),
        ('records', '0006_invitations'),
    ]

    operations = [
        migrations.AddField(
            model_name='duedate',
            name='fired_for',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='duedate',
            name='record_version',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='duedate',
            name='due_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='DueWatch',
            fields=[
                ('automation', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='due_watch', serialize=False, to='automations.automation')),
                ('config', models.JSONField()),
                ('since', models.DateTimeField()),
                ('cursor', models.CharField(blank=True, max_length=40)),
                ('walked_at', models.DateTimeField(null=True)),
                ('object', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='records.objectdefinition')),
            ],
        ),
    ]
