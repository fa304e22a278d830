"""Commands of other apps on the records that were ticked in the admin's list."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from records.commands import commands_for
from records.exceptions import RecordsError
from records.models import ObjectDefinition


def command_page(model_admin: Any, request: HttpRequest, queryset: Any) -> HttpResponse | None:
    """Ask which one, then do it. All records must be of one object."""
    objects = list(
        ObjectDefinition.objects.filter(pk__in=queryset.order_by().values("object").distinct())
    )
    if len(objects) != 1:
        messages.error(request, "Choose records of one object: each has its own automations.")
        return None
    commands = commands_for(request.user, objects[0])
    if "apply" in request.POST:
        key = request.POST.get("command", "")
        command = next((each for each in commands if each.key == key), None)
        if command is None:
            messages.error(request, "This can't be run any more, or not by you. Nothing was done.")
            return None
        records = queryset.order_by("pk").select_related("object").iterator(chunk_size=500)
        try:
            messages.success(request, command.run(request, records))
        except RecordsError as error:
            messages.error(request, str(error))
        return None
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Run an automation for {objects[0].plural}",
        "opts": model_admin.model._meta,
        "definition": objects[0],
        "commands": commands,
        "selected": request.POST.getlist("_selected_action"),
        "across": request.POST.get("select_across", "0"),
        "action": request.POST.get("action"),
        "count": queryset.count(),
    }
    return TemplateResponse(request, "admin/records/record/commands.html", context)
