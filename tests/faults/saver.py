"""A process that saves a record and is killed when it wants to ring: `python -m tests.faults.saver OBJECT_SLUG`."""

import sys

import django

django.setup()

from records.models import ObjectDefinition  # noqa: E402
from records.services.records import create_record  # noqa: E402
from tests.faults.worker import Death  # noqa: E402

Death("ring:begin").install()
parcels = ObjectDefinition.objects.get(slug=sys.argv[1])
create_record(object_definition=parcels, data={"title": "saved by a process that died"})
