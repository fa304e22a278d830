"""What the bells “events” and “chores” set in motion."""

from django.utils import timezone

from config.clocks import shared_now
from config.queues import on_bell, on_sweep, ring, stopping
from records.dispatch import BATCH_SIZE, dispatch_events
from records.messages import send_mails
from records.models import Event, Mail

# A drain ends after so many batches and rings again, so that other bells are heard in between.
MAX_BATCHES = 20
# The sweep leaves an event alone that has just been written: its own ring is on the way.
SWEEP_AGE_S = 1


@on_bell("events")
def drain_events() -> None:
    for _ in range(MAX_BATCHES):
        if dispatch_events() < BATCH_SIZE:
            return
        if stopping.is_set():
            break
    ring("events")


on_bell("chores")(send_mails)


@on_sweep
def ring_for_waiting_events() -> None:
    oldest = Event.objects.undispatched().values_list("created_at", flat=True).first()
    # Also one from the future, by a clock that was ahead: it would wait until that time has come.
    if oldest and abs((timezone.now() - oldest).total_seconds()) >= SWEEP_AGE_S:
        ring("events")


@on_sweep
def ring_for_waiting_mails() -> None:
    if Mail.objects.due(shared_now()).exists():
        ring("chores")
