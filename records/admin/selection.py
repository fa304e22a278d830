"""What was ticked in a list, when an action is asked for."""

from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest


class CheckedSelection:
    """Beside a ModelAdmin: an action on what is no id is a bad request; Django itself would fail."""

    def response_action(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        pk = self.opts.pk  # type: ignore[attr-defined]
        for text in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                pk.run_validators(pk.to_python(text))
            except ValidationError:
                raise BadRequest(f"“{text[:50]}” is no id.") from None
        return super().response_action(request, *args, **kwargs)  # type: ignore[misc]
