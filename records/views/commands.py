"""Commands of other apps, on one record or on those selected in a list; if they have a question, after that."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from records.commands import commands_for
from records.exceptions import RecordsError
from records.ids import decode
from records.models import ObjectDefinition, Record
from records.views.layout import back_or, object_for, render_page

# A page of the list has fewer.
MAX_SELECTED = 500


@login_required
@require_POST
def record_command(request: HttpRequest, slug: str) -> HttpResponse:
    object_definition = object_for(request, slug)
    records = _selected(request, object_definition)
    back = back_or(request, reverse("record_list", args=[slug]))
    key = request.POST.get("command", "")
    command = next((c for c in commands_for(request.user, object_definition) if c.key == key), None)
    if command is None:
        messages.error(request, "This can't be run any more, or not by you. Nothing was done.")
    elif not records:
        messages.warning(request, "Nothing is selected, so nothing was done.")
    elif command.confirm and "confirmed" not in request.POST:
        context = {
            "object": object_definition,
            "command": command,
            "records": records,
            "back": back.url,
        }
        return render_page(request, "records/command.html", context, section=slug)
    else:
        try:
            messages.success(request, command.run(request, records))
        except RecordsError as error:
            messages.error(request, str(error))
    return back


def _selected(request: HttpRequest, object_definition: ObjectDefinition) -> list[Record]:
    """The records of this object that were selected, without deleted ones; what is no id is nobody's."""
    ids = [text for text in request.POST.getlist("record")[:MAX_SELECTED] if _is_id(text)]
    records = list(Record.objects.of(object_definition).alive().filter(pk__in=ids).order_by("pk"))
    for record in records:
        record.object = object_definition
    return records


def _is_id(text: str) -> bool:
    try:
        decode("rec", text)
    except ValueError:
        return False
    return True
